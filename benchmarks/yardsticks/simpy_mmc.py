"""Yardstick: M/M/c in idiomatic SimPy: a source process, a process a request, and a `Resource`.

This file is frozen: improving it would move the ruler. Usage:

    python simpy_mmc.py --servers 10 --requests 100000
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Generator
from typing import Any

import simpy


class Tally:
    """What is counted."""

    def __init__(self) -> None:
        self.arrivals = 0
        self.completed = 0
        self.sojourn = 0.0


def customer(
    env: simpy.Environment, server: simpy.Resource, mean: float, rng: random.Random, tally: Tally
) -> Generator[Any, Any, None]:
    """Wait for a server, be served, leave."""
    arrived = env.now
    tally.arrivals += 1
    with server.request() as turn:
        yield turn
        yield env.timeout(rng.expovariate(1.0 / mean))
    tally.completed += 1
    tally.sojourn += env.now - arrived


def source(
    env: simpy.Environment,
    server: simpy.Resource,
    rate: float,
    mean: float,
    requests: int,
    rng: random.Random,
    tally: Tally,
) -> Generator[Any, Any, None]:
    """Send `requests` customers, a Poisson stream."""
    for _ in range(requests):
        yield env.timeout(rng.expovariate(rate))
        env.process(customer(env, server, mean, rng, tally))


def simulate(servers: int, rate: float, mean: float, requests: int, seed: int) -> dict[str, object]:
    """Run `requests` through `servers` and count arrivals and completions."""
    env = simpy.Environment()
    server = simpy.Resource(env, capacity=servers)
    tally = Tally()
    env.process(source(env, server, rate, mean, requests, random.Random(seed), tally))
    begin = time.process_time()
    env.run()
    cpu = time.process_time() - begin
    return {
        "name": f"simpy_mm{servers}",
        "useful_events": tally.arrivals + tally.completed,
        "requests": tally.completed,
        "cpu_s": cpu,
        "sojourn_mean_s": tally.sojourn / tally.completed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--rate", type=float, help="arrivals a second; default: 80 %% utilisation")
    parser.add_argument("--mean-service", type=float, default=0.001)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rate = args.rate or 0.8 * args.servers / args.mean_service
    print(json.dumps(simulate(args.servers, rate, args.mean_service, args.requests, args.seed)))


if __name__ == "__main__":
    main()
