"""Yardstick: the graph of ten services, as an experienced SimPy user would write it.

Service 0 calls 1, 2 and 3 in parallel; 1 calls 4 and 5; 2 calls 6 and 7; 3 calls 8 and 9. A request
works for an exponential time of mean 200 ms, gives its worker back while it waits for its calls, and
asks for one again, ahead of fresh requests, when they have ended. Attempts are given up after 4, 2 or 1
s by tier, and what was given up is worked off all the same. A call makes up to four attempts with full
jitter between them, each past a circuit breaker.

One liberty: a parallel step whose branch failed waits for its other branches too. It happens in one
request of millions. This file is frozen: improving it would move the ruler. Usage:

    python simpy_graph.py small
    python simpy_graph.py large
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import deque
from collections.abc import Generator
from typing import Any

import simpy

CALLS = {0: (1, 2, 3), 1: (4, 5), 2: (6, 7), 3: (8, 9)}
TIER = (0, 1, 1, 1, 2, 2, 2, 2, 2, 2)
TIMEOUT_S = (4.0, 2.0, 1.0)
MEAN_WORK_S = 0.2
MAX_ATTEMPTS = 4
# arrivals a second, workers a service, simulated seconds to fill the system, and to measure
SIZES = {"large": (10_000.0, 2_500, 2.0, 2.0), "small": (152.0, 38, 20.0, 150.0)}


class Breaker:
    """Opens for a minute when half of the last hundred attempts failed; then ten probes decide."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.window: deque[bool] = deque(maxlen=100)
        self.failures = 0
        self.state = "closed"
        self.until = 0.0
        self.probes = 0

    def admits(self) -> bool:
        if self.state == "closed":
            return True
        if self.state == "open":
            if self.env.now < self.until:
                return False
            self.state, self.probes = "half-open", 0
            self.window.clear()
            self.failures = 0
        self.probes += 1
        return self.probes <= 10

    def note(self, failed: bool) -> None:
        if self.state == "open":
            return
        if len(self.window) == 100:
            self.failures -= self.window[0]
        self.window.append(failed)
        self.failures += failed
        enough = 10 if self.state == "half-open" else 100
        if len(self.window) >= enough:
            if 2 * self.failures >= enough:
                self.state, self.until = "open", self.env.now + 60.0
            elif self.state == "half-open":
                self.state = "closed"
                self.window.clear()
                self.failures = 0


class System:
    """The services, their breakers, and what is counted."""

    def __init__(self, env: simpy.Environment, workers: int, seed: int) -> None:
        self.env = env
        self.rng = random.Random(seed)
        self.services = [simpy.PriorityResource(env, capacity=workers) for _ in TIER]
        self.breakers = [Breaker(env) for _ in TIER]
        self.arrivals = self.completed = self.timeouts = self.retries = 0
        self.requests = self.good = self.in_flight = 0
        self.latency = 0.0

    def useful(self) -> int:
        return self.arrivals + self.completed + self.timeouts + self.retries

    def visit(self, service: int) -> Generator[Any, Any, bool]:
        """One attempt, as its service sees it."""
        self.arrivals += 1
        workers = self.services[service]
        with workers.request(priority=1) as turn:
            yield turn
            yield self.env.timeout(self.rng.expovariate(1.0 / MEAN_WORK_S))
        good = True
        if service in CALLS:
            branches = [self.env.process(self.call(callee)) for callee in CALLS[service]]
            yield self.env.all_of(branches)
            good = all(branch.value for branch in branches)
            if good:
                with workers.request(priority=0) as turn:
                    yield turn
        self.completed += 1
        return good

    def call(self, service: int) -> Generator[Any, Any, bool]:
        """Up to four attempts at `service`; true if one of them succeeded in time."""
        breaker = self.breakers[service]
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                yield self.env.timeout(self.rng.uniform(0.0, min(1.0, 0.05 * 2 ** (attempt - 1))))
                self.retries += 1
            if not breaker.admits():
                return False
            reply = self.env.process(self.visit(service))
            yield reply | self.env.timeout(TIMEOUT_S[TIER[service]])
            good = reply.triggered and bool(reply.value)
            if not reply.triggered:
                self.timeouts += 1
            breaker.note(not good)
            if good:
                return True
        return False

    def user(self) -> Generator[Any, Any, None]:
        """One request of the load."""
        began = self.env.now
        self.in_flight += 1
        good = yield self.env.process(self.call(0))
        self.in_flight -= 1
        self.requests += 1
        self.good += good
        self.latency += self.env.now - began

    def load(self, rate: float) -> Generator[Any, Any, None]:
        """A Poisson stream of users."""
        while True:
            yield self.env.timeout(self.rng.expovariate(rate))
            self.env.process(self.user())


def simulate(size: str, seed: int, measure: float | None = None) -> dict[str, object]:
    """Fill the system, then measure a span of simulated time."""
    rate, workers, fill, span = SIZES[size]
    env = simpy.Environment()
    system = System(env, workers, seed)
    env.process(system.load(rate))
    env.run(until=fill)
    useful, requests, good, latency = system.useful(), system.requests, system.good, system.latency
    timeouts, retries = system.timeouts, system.retries
    begin = time.process_time()
    env.run(until=fill + (measure or span))
    cpu = time.process_time() - begin
    done = system.requests - requests
    return {
        "name": f"simpy_graph_{size}",
        "useful_events": system.useful() - useful,
        "requests": done,
        "ok": system.good - good,
        "timeouts": system.timeouts - timeouts,
        "retries": system.retries - retries,
        "in_flight": system.in_flight,
        "cpu_s": cpu,
        "latency_mean_s": (system.latency - latency) / done,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", type=float, help="simulated seconds to measure")
    args = parser.parse_args()
    print(json.dumps(simulate(args.size, args.seed, args.measure)))


if __name__ == "__main__":
    main()
