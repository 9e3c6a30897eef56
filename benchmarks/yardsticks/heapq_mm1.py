"""Yardstick: M/M/c, first come first served, as a plain loop over `heapq`.

What a programmer writes on a whiteboard: no classes, no records beyond the mean sojourn. Usage:

    python heapq_mm1.py --servers 1 --requests 500000
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import deque
from heapq import heappop, heappush
from math import log

ARRIVAL, DONE = 0, 1


def simulate(servers: int, rate: float, mean_service: float, requests: int, seed: int) -> dict[str, object]:
    """Run until `requests` have been completed; count arrivals and completions."""
    draw = random.Random(seed).random
    gap = 1.0 / rate
    waiting: deque[float] = deque()
    busy = arrivals = completed = 0
    sojourn = 0.0

    begin = time.process_time()
    events: list[tuple[float, int, float]] = [(-gap * log(1.0 - draw()), ARRIVAL, 0.0)]
    while completed < requests:
        now, kind, since = heappop(events)
        if kind == ARRIVAL:
            arrivals += 1
            heappush(events, (now - gap * log(1.0 - draw()), ARRIVAL, 0.0))
            if busy < servers:
                busy += 1
                heappush(events, (now - mean_service * log(1.0 - draw()), DONE, now))
            else:
                waiting.append(now)
        else:
            completed += 1
            sojourn += now - since
            if waiting:
                heappush(events, (now - mean_service * log(1.0 - draw()), DONE, waiting.popleft()))
            else:
                busy -= 1
    cpu = time.process_time() - begin

    return {
        "name": f"heapq_mm{servers}",
        "useful_events": arrivals + completed,
        "requests": completed,
        "cpu_s": cpu,
        "sojourn_mean_s": sojourn / completed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--rate", type=float, help="arrivals a second; default: 80 %% utilisation")
    parser.add_argument("--mean-service", type=float, default=0.001)
    parser.add_argument("--requests", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rate = args.rate or 0.8 * args.servers / args.mean_service
    print(json.dumps(simulate(args.servers, rate, args.mean_service, args.requests, args.seed)))


if __name__ == "__main__":
    main()
