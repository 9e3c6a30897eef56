"""Users who come and go: the throughput follows their number, exactly and on average."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.theory.simulate import Node, Run, exponential, matches, runs, scenario, seconds, serves

RAMP: Node = {"stages": [
    {"for": "60s", "to": 60}, {"for": "60s", "to": 60}, {"for": "20s", "to": 10}, {"for": "0s", "to": 40},
    {"for": "30s", "to": 40}, {"for": "30s", "to": 0},
]}  # fmt: skip


def stays() -> list[list[tuple[float, float]]]:
    """When each user of the ramp above is there (s), by hand."""
    found: list[list[tuple[float, float]]] = []
    for k in range(60):
        first = (k + 1.0, 120 + (60 - k) / 50 * 20)
        second = (140.0, 170 + (40 - k) / 40 * 30)
        if k <= 10:  # user 10 would leave at the very instant at which the users are 40 again
            found.append([(first[0], second[1])])
        else:
            found.append([first, second] if k < 40 else [first])
    return found


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_without_chance_each_user_asks_by_the_clock(engine: str) -> None:
    """Z and s are constant: a stay from a to b has a request at a + Z, and at every Z + s after it before b."""
    think, service = 2.3, 0.4
    services = {"q": serves(seconds(service))}
    load = {"staff": {"users": RAMP, "think": seconds(think), "call": "q.serve"}}
    [run] = runs(scenario(services, load, 220), replications=1, engine=engine)
    expected = 0
    for user in stays():
        free = 0.0
        for begins, until in user:
            now = max(begins, free)
            while now + think < until - 1e-9:
                expected += 1
                now += think + service
            free = now  # a round begun within the stay is over by then
    assert run["windows"]["all"]["loads"]["staff"]["offered"] == expected


def test_on_average_the_throughput_is_that_of_the_users_who_are_there() -> None:
    """With exponential Z and s and no queue a user is a chain of two states that begins with thinking: at age a it asks
    at the rate (1 + (s/Z) exp(-a (1/Z + 1/s))) / (Z + s).
    """
    think, service = 2.0, 1.0
    windows = {"up": (10, 50), "plateau": (70, 120), "down": (122, 138), "again": (150, 170), "end": (175, 195)}
    services = {"q": serves(exponential(service))}
    load = {"staff": {"users": RAMP, "think": exponential(think), "call": "q.serve"}}
    bounds = {name: f"{low}s..{high}s" for name, (low, high) in windows.items()}
    found = runs(scenario(services, load, 220, windows=bounds), replications=40, seed=11)
    tau = think * service / (think + service)

    def asked(age: float) -> float:
        return (age + service / think * tau * (1.0 - math.exp(-age / tau))) / (think + service)

    for name, (low, high) in windows.items():
        expected = sum(
            asked(max(min(until, high) - begins, 0.0)) - asked(max(low - begins, 0.0))
            for user in stays()
            for begins, until in user
            if until > low
        )
        counts = [run["windows"][name]["loads"]["staff"]["offered"] for run in found]
        mean = sum(counts) / len(counts)
        # requests of such users vary less than Poisson's: the standard error is below this
        assert mean == pytest.approx(expected, abs=3.5 * math.sqrt(expected / len(counts))), name
        # and the law of the plateau is that of Little: N / (Z + s)
        if name == "plateau":
            assert mean / (high - low) == pytest.approx(60 / (think + service), rel=0.01)


def test_the_interactive_response_time_law_on_a_plateau() -> None:
    """N = X (R + Z) where users wait in a queue, after a ramp and before they go home."""
    services = {"q": serves({"lognormal": {"mean": "1s", "cv": 2}}, concurrency=2)}
    users: Any = {"stages": [{"for": "500s", "to": 30}, {"for": "20000s", "to": 30}, {"for": "500s", "to": 0}]}
    load = {"staff": {"users": users, "think": {"uniform": ["5s", "15s"]}, "call": "q.serve"}}
    found = runs(scenario(services, load, 21_100, windows={"plateau": "1000s..20500s"}), replications=5)

    def cycle(run: Run) -> float:
        staff = run["windows"]["plateau"]["loads"]["staff"]
        return float(staff["offered_per_s"] * (staff["latency_s"]["mean"] + 10))

    matches(found, {cycle: (30, 0.01)})
    for run in found:
        assert run["windows"]["all"]["loads"]["staff"]["outcomes"]["in_flight"] == 0
