"""Several stations: tandems, feedback by retries, fork and join, fan-out without queues."""

from __future__ import annotations

import math

import pytest

from tests.theory.formulas import hypoexponential_quantile
from tests.theory.simulate import (
    Node,
    exponential,
    littles_law,
    matches,
    pick,
    poisson,
    rate,
    runs,
    scenario,
    serves,
    share,
)

LONG = pytest.mark.long


def gate(*steps: Node) -> Node:
    """A service without work or limits that only calls."""
    return {"operations": {"pass": list(steps)}}


@pytest.mark.parametrize(
    ("lam", "rates", "mean", "p50", "p95", "p99", "horizon"),
    [
        pytest.param(0.8, [1, 1], 10, 8.39173495, 23.7193226, 33.1917603, 250_000, marks=LONG),
        pytest.param(0.7, [1, 1, 1], 10, 8.91353438, 20.9859787, 28.019823, 150_000, marks=LONG),
        (0.5, [1, 1, 1, 1, 1], 10, 9.34181777, 18.3070381, 23.2092512, 18_000),
        pytest.param(0.8, [1, 1.5], 6.42857143, 5.03130012, 16.6606781, 24.708206, 250_000, marks=LONG),
    ],
)
def test_tandem(
    lam: float, rates: list[float], mean: float, p50: float, p95: float, p99: float, horizon: float
) -> None:
    """The sojourn is a sum of independent exponentials (Reich), not the sum of percentiles."""
    services = {f"q{k}": serves(exponential(1 / mu), concurrency=1) for k, mu in enumerate(rates)}
    services["gate"] = gate(*({"call": name} for name in services))
    warmup = 2_000
    found = runs(scenario(services, {"requests": poisson("gate.pass", lam)}, horizon + warmup, warmup))
    matches(found, {
        "loads.requests.latency_s.mean": (mean, 0.015),
        "loads.requests.latency_s.p50": (p50, 0.03),
        "loads.requests.latency_s.p95": (p95, 0.03),
        "loads.requests.latency_s.p99": (p99, 0.03),
        "services.gate.in_system_mean": (lam * mean, 0.015),
    })  # fmt: skip
    for share_, printed in ((0.95, p95), (0.99, p99)):
        assert hypoexponential_quantile([mu - lam for mu in rates], share_) == pytest.approx(
            printed, rel=1e-6
        )
    for name in services:
        littles_law(found, name, horizon)


def test_a_jackson_network_with_cycles() -> None:
    """Three stations with probabilistic routing back and forth.

    Calls may not go in circles, so each hop is an operation of its own; after 40 next to nothing is left.
    """
    routing = [[0, 0.6, 0.3], [0.2, 0, 0.5], [0.1, 0.1, 0]]
    hops = 40

    def operation(k: int, hop: int, mu: float) -> list[Node]:
        steps: list[Node] = [{"work": exponential(1 / mu)}]
        if hop < hops:
            ways = [
                {"weight": p, "steps": [{"publish": f"n{j}.hop{hop + 1}"}]}
                for j, p in enumerate(routing[k])
                if p
            ]
            steps.append({"choose": [*ways, {"weight": round(1 - sum(routing[k]), 9), "steps": []}]})
        return steps

    services = {
        f"n{k}": {"concurrency": 1, "operations": {f"hop{h}": operation(k, h, mu) for h in range(hops + 1)}}
        for k, mu in enumerate((10, 8, 7))
    }
    load = {"first": poisson("n0.hop0", 4.0), "second": poisson("n1.hop0", 1.0)}
    found = runs(scenario(services, load, 5_020, 20))
    matches(found, {
        "services.n0.in_system_mean": (1.128133705, 0.02),
        "services.n1.in_system_mean": (1.331045004, 0.02),
        "services.n2.in_system_mean": (1.239530988, 0.02),
        "services.n0.utilisation": (0.530104712, 0.015),
        "services.n1.utilisation": (0.571007853, 0.015),
        "services.n2.utilisation": (0.553477936, 0.015),
    })  # fmt: skip

    def in_network(run):  # type: ignore[no-untyped-def]
        return sum(pick(run, f"services.n{k}.in_system_mean") for k in range(3)) / 5

    matches(found, {in_network: (0.739741939, 0.02)})


@pytest.mark.parametrize(
    ("lam", "mu", "p", "tries", "in_system", "per_request", "failing"),
    [
        pytest.param(5, 10, 0.3, 200, 2.5, 0.5, 0, marks=LONG),
        (5, 10, 0.3, 2, 1.85714286, 0.371428571, 0.09),
        pytest.param(5, 10, 0.3, 3, 2.27868852, 0.455737705, 0.027, marks=LONG),
        (5, 10, 0.3, 4, 2.43053173, 0.486106346, 0.0081),
        pytest.param(6, 10, 0.2, 200, 3, 0.5, 0, marks=LONG),
        pytest.param(6, 10, 0.2, 3, 2.90625, 0.484375, 0.008, marks=LONG),
    ],
)
def test_retries_feed_back(
    lam: float, mu: float, p: float, tries: int, in_system: float, per_request: float, failing: float
) -> None:
    """A failed attempt enters the same queue again at once: product form (Kelly)."""
    q = {"concurrency": 1, "operations": {"serve": [{"work": exponential(1 / mu)}, {"fail": p}]}}
    load = poisson("q.serve", lam, policy={"retry": {"max_attempts": tries}})
    found = runs(scenario({"q": q}, {"requests": load}, 6_050 if failing not in (0, 0.008) else 24_050, 50))
    matches(found, {
        "services.q.in_system_mean": (in_system, 0.02),
        "loads.requests.latency_all_s.mean": (per_request, 0.02),
    })  # fmt: skip
    if failing:
        matches(found, {share("error"): (failing, 0.03 if failing > 0.01 else 0.06)})
    else:
        assert all(pick(run, "loads.requests.outcomes.error") == 0 for run in found)


FORKS = [
    # rho, K, simulated by an independent program, Nelson and Tantawi
    (0.5, 2, 2.875, 2.875),
    (0.5, 4, 3.84001, 3.78977273),
    (0.5, 8, 4.85113, 4.78482143),
    (0.8, 4, 9.15394, 8.93030303),
    (0.8, 10, 12.05745, 11.7285859),
    (0.5, 100, 8.5656, 8.65747838),
    (0.9, 2, 13.875, 13.875),
]


@pytest.mark.parametrize(
    ("rho", "k", "simulated", "approximate"),
    [row if number in (0, 1) else pytest.param(*row, marks=LONG) for number, row in enumerate(FORKS)],
)
def test_fork_and_join(rho: float, k: int, simulated: float, approximate: float) -> None:
    """Scatter and gather: the branches wait behind the same bursts, so their delays go together."""
    services = {f"q{i}": serves(exponential(1), concurrency=1) for i in range(k)}
    services["gate"] = gate({"parallel": [{"call": name} for name in services]})
    horizon = {0.5: 25_000.0, 0.8: 150_000.0, 0.9: 900_000.0}[rho]
    horizon = min(horizon, 20_000.0) if k == 100 else horizon
    found = runs(scenario(services, {"requests": poisson("gate.pass", rho)}, horizon + 2_000, 2_000))
    matches(found, {"loads.requests.latency_s.mean": (simulated, 0.015)})
    mean = sum(pick(run, "loads.requests.latency_s.mean") for run in found) / len(found)
    assert abs(mean / approximate - 1) < 0.05
    assert mean < math.fsum(1 / i for i in range(1, k + 1)) / (1 - rho)


@pytest.mark.parametrize(
    ("p", "n", "slow", "requests"),
    [
        (0.01, 10, 0.095617925, 2_600),
        (0.01, 50, 0.394993933, 450),
        (0.01, 100, 0.633967659, 200),
        pytest.param(0.01, 1000, 0.999956829, 400, marks=LONG),
        pytest.param(1e-4, 2000, 0.181277435, 3_000, marks=LONG),
    ],
)
def test_one_slow_leaf_is_enough(p: float, n: int, slow: float, requests: int) -> None:
    """P(any of n is slow) = 1 - (1 - p)^n."""
    law = {"mixture": [{"weight": 1 - p, "of": "1ms"}, {"weight": p, "of": "1s"}]}
    services = {"leaf": serves(law), "gate": gate({"parallel": [{"call": "leaf"}] * n})}
    load = poisson("gate.pass", 100, policy={"timeout": "500ms"})
    found = runs(scenario(services, {"requests": load}, requests / 100))
    matches(found, {share("timeout"): (slow, 0.03)})


@pytest.mark.parametrize(
    ("n", "mean", "p50", "p99", "requests"),
    [(10, 2.92896825, 2.70355519, 6.90323679, 1_500), (100, 5.18737752, 4.97514684, 9.20536966, 500)],
)
def test_the_slowest_of_many(n: int, mean: float, p50: float, p99: float, requests: int) -> None:
    services = {"leaf": serves(exponential(1)), "gate": gate({"parallel": [{"call": "leaf"}] * n})}
    found = runs(scenario(services, {"requests": poisson("gate.pass", 100)}, requests / 100))
    matches(found, {
        "loads.requests.latency_s.mean": (mean, 0.015),
        "loads.requests.latency_s.p50": (p50, 0.03),
        "loads.requests.latency_s.p99": (p99, 0.03),
    })  # fmt: skip


def test_steps_in_a_row_add_up_and_side_by_side_do_not() -> None:
    """Twice 1 s in a row is 2 s; in parallel it is 1 s; probability and repeat scale the mean."""
    services = {
        "leaf": serves("1s"),
        "row": gate({"call": "leaf"}, {"call": "leaf"}),
        "fork": gate({"parallel": [{"call": "leaf"}, {"call": "leaf"}]}),
        "often": gate({"repeat": {"times": 3, "steps": [{"call": "leaf", "probability": 0.5}]}}),
    }
    load = {f"to_{name}": {"call": f"{name}.pass", "rate": rate(20)} for name in ("row", "fork", "often")}
    found = runs(scenario(services, load, 200))
    for run in found:
        assert pick(run, "loads.to_row.latency_s.mean") == pytest.approx(2)
        assert pick(run, "loads.to_fork.latency_s.mean") == pytest.approx(1)
    matches(found, {
        "loads.to_often.latency_s.mean": (1.5, 0.015),
        "loads.to_often.latency_s.variance": (0.75, 0.03),
    })  # fmt: skip
