"""The power of two choices, redundancy and hedging."""

from __future__ import annotations

import statistics

import pytest

from tests.theory.formulas import power_of_d, redundancy_d
from tests.theory.simulate import exponential, matches, poisson, runs, scenario, seconds, serves, values

LONG = pytest.mark.long


def cluster(n: int, rho: float, policy: dict[str, object], horizon: float, warmup: float) -> str:
    services = {"q": serves(exponential(1), replicas=n, concurrency=1, when_cancelled="stop")}
    load = {"requests": poisson("q.serve", n * rho, policy=policy)}
    return scenario(services, load, horizon + warmup, warmup)


@pytest.mark.parametrize(
    ("d", "rho", "printed", "horizon", "warmup"),
    [
        (2, 0.5, 1.26568604, 100, 30),
        (2, 0.9, 2.61405738, 100, 60),
        pytest.param(5, 0.7, 1.16809254, 80, 30, marks=LONG),
        pytest.param(1, 0.5, 2, 300, 100, marks=LONG),
        pytest.param(3, 0.9, 2.02785597, 300, 100, marks=LONG),
        pytest.param(2, 0.7, 1.61445377, 300, 100, marks=LONG),
        pytest.param(1, 0.9, 10, 1_000, 1_000, marks=LONG),
        pytest.param(2, 0.95, 3.383046, 200, 300, marks=LONG),
        pytest.param(3, 0.95, 2.53513348, 200, 200, marks=LONG),
        pytest.param(5, 0.95, 1.9887722, 200, 200, marks=LONG),
    ],
)
def test_power_of_d_choices(d: int, rho: float, printed: float, horizon: float, warmup: float) -> None:
    """A thousand queues are as good as infinitely many."""
    truth = power_of_d(d, rho)
    assert truth == pytest.approx(printed, rel=1e-7)
    policy = {"balancer": {"least_request": {"choices": d}} if d > 1 else "random"}
    replications = 24 if rho > 0.9 or d == 1 else 6
    found = runs(cluster(1000, rho, policy, horizon, warmup), replications)
    matches(found, {"loads.requests.latency_s.mean": (truth, 0.03)})


@pytest.mark.parametrize(
    ("n", "rho", "simulated", "half_width", "again"),
    [(10, 0.9, 3.041, 0.077, 3.111), pytest.param(50, 0.95, 3.619, 0.075, 3.585, marks=LONG)],
)
def test_two_choices_among_few(n: int, rho: float, simulated: float, half_width: float, again: float) -> None:
    """With replacement: an independent program gave `simulated`, a longer one `again` +- 0.008."""
    assert abs(again - simulated) < half_width
    policy = {"balancer": {"least_request": {"choices": 2}}}
    found = runs(cluster(n, rho, policy, 300_000 / n, 10_000 / n + 300), 10)
    numbers = values(found, "loads.requests.latency_s.mean")
    error = statistics.stdev(numbers) / len(numbers) ** 0.5
    assert error < 0.01 * again
    assert abs(statistics.fmean(numbers) - again) < 3.5 * (error**2 + 0.008**2) ** 0.5


@pytest.mark.parametrize(
    ("k", "d", "rho", "printed", "horizon"),
    [
        (10, 2, 0.5, 0.798103367, 1_500),
        pytest.param(10, 3, 0.8, 0.944471888, 4_000, marks=LONG),
        (2, 2, 0.5, 1.0, 12_000),
        pytest.param(2, 2, 0.8, 2.5, 100_000, marks=LONG),
        (10, 10, 0.5, 0.2, 2_000),
        pytest.param(100, 2, 0.9, 1.76510331, 2_000, marks=LONG),
    ],
)
def test_redundancy(k: int, d: int, rho: float, printed: float, horizon: float) -> None:
    """d copies at random replicas, all stopped at once when the first is done."""
    assert redundancy_d(k, d, rho) == pytest.approx(printed, rel=1e-8)
    policy = {"balancer": "random", "hedge": {"delay": "0s", "max_attempts": d, "cancel_losers": True}}
    found = runs(cluster(k, rho, policy, horizon, 300))
    matches(
        found, {"loads.requests.latency_s.mean": (printed, 0.015), "loads.requests.amplification": (d, 0.001)}
    )


def test_a_hedge_after_the_95th_percentile() -> None:
    """Without queues P(T > x) = F(x) F(x - t) beyond the delay t."""
    law = {"lognormal": {"median": "10ms", "p99": seconds(0.0102404737 * 10)}}
    policy = {"hedge": {"delay": seconds(0.051802516)}}
    text = scenario({"q": serves(law)}, {"requests": poisson("q.serve", 1000, policy=policy)}, 20)
    matches(runs(text), {
        "loads.requests.latency_s.mean": (0.0152989456, 0.015),
        "loads.requests.latency_s.p99": (0.0666658143, 0.02),
        "loads.requests.latency_s.p999": (0.0931294738, 0.05),
        "loads.requests.amplification": (1.05, 0.003),
    })  # fmt: skip


def test_without_the_hedge() -> None:
    law = {"lognormal": {"median": "10ms", "p99": "102.404737ms"}}
    text = scenario({"q": serves(law)}, {"requests": poisson("q.serve", 1000)}, 20)
    matches(runs(text), {
        "loads.requests.latency_s.mean": (0.0164872127, 0.015),
        "loads.requests.latency_s.p95": (0.051802516, 0.02),
        "loads.requests.latency_s.p99": (0.102404737, 0.02),
        "loads.requests.latency_s.p999": (0.21982184, 0.05),
    })  # fmt: skip
