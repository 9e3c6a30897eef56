"""Retry amplification, layers of retries, budgets, and the cycle of a circuit breaker."""

from __future__ import annotations

import pytest

from tests.theory.formulas import attempts, calls_to_trip, layered
from tests.theory.simulate import Node, Run, about, matches, pick, poisson, runs, scenario, share

LONG = pytest.mark.long


def failing(p: float) -> Node:
    """A service that is nothing but a share p of errors."""
    return {"operations": {"serve": [{"fail": p}]}}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("retries", [1, 3, 4])
def test_attempts_of_a_request(p: float, retries: int) -> None:
    """`max_attempts` counts the first try."""
    load = poisson("q.serve", 100, policy={"retry": {"max_attempts": retries + 1}})
    found = runs(scenario({"q": failing(p)}, {"requests": load}, 100), replications=10)
    truth = attempts(p, retries + 1)
    if p == 1.0:
        assert all(pick(run, "loads.requests.amplification") == truth for run in found)
    else:
        matches(found, {"loads.requests.amplification": (truth, 0.01)})
    end = p ** (retries + 1)
    if p == 1.0:
        assert all(pick(run, "loads.requests.success") == 0 for run in found)
    elif end > 1e-2:
        matches(found, {share("error"): (end, 0.03 if end > 0.1 else 0.1)})


@pytest.mark.parametrize(
    ("p", "layers", "retries", "calls", "end"),
    [
        (1.0, 3, 3, 64, 1.0),
        (1.0, 5, 2, 243, 1.0),
        (1.0, 4, 3, 256, 1.0),
        (0.9, 2, 2, 6.12579511, 0.387420489),
        pytest.param(0.9, 3, 2, 9.41850263, 0.058149737, marks=LONG),
        (0.9, 3, 3, 9.98820982, 0.00117901846),
        (0.5, 2, 2, 1.99609375, 0.001953125),
    ],
)
def test_layers_of_retries(p: float, layers: int, retries: int, calls: float, end: float) -> None:
    """Each layer retries and only the leaf fails: (r + 1)^d when it is down, else about 1/(1 - p)."""
    policy = {"retry": {"max_attempts": retries + 1}}
    services = {f"layer{k}": {"operations": {"serve": [{"call": f"layer{k + 1}"}]}} for k in range(1, layers)}
    services[f"layer{layers}"] = failing(p)
    load = poisson("layer1.serve", 100, policy=policy)
    rest: Node = {"policies": {"retrying": policy}, "defaults": {"policy": "retrying"}}
    text = scenario(services, {"requests": load}, 10 if p == 1.0 else 100, **rest)
    found = runs(text, replications=1 if p == 1.0 else 10)

    def leaf_calls(run: Run) -> float:
        return pick(run, f"services.layer{layers}.arrivals") / pick(run, "loads.requests.offered")

    assert layered(p, layers, retries + 1) == pytest.approx((calls, end), rel=1e-7)
    if p == 1.0:
        assert all(leaf_calls(run) == calls for run in found)
        assert all(pick(run, "loads.requests.success") == 0 for run in found)
    else:
        matches(found, {leaf_calls: (calls, 0.01), share("error"): (end, 0.03 if end > 0.1 else 0.3)})


def bucket(p: float, deposit_on: str, retries: int, duration: float, replications: int) -> list[Run]:
    budget = {"bucket": {"tokens": 5, "deposit": 0.1, "cost": 1, "deposit_on": deposit_on}}
    retry = {"max_attempts": retries + 1, "budget": budget}
    load = poisson("q.serve", 1000, clients=100, policy={"retry": retry})
    return runs(scenario({"q": failing(p)}, {"requests": load}, duration), replications)


@pytest.mark.parametrize(
    ("p", "amplification", "success"),
    [(0.05, 1.05248, None), (0.1, 1.09392, 0.98547), (0.2, 1.10349, 0.88255), (0.5, 1.10421, 0.55357)],
)
def test_a_bucket_filled_by_first_tries(p: float, amplification: float, success: float | None) -> None:
    """100 clients x 10/s x 100 s, a bucket of 5 tokens, 0.1 a first try: by the author's program."""
    found = bucket(p, "request", 3, 100, 6)
    figures = {"loads.requests.amplification": (amplification, 0.005)}
    if success is not None:
        figures["loads.requests.success"] = (success, 0.01)
    mean = {path: sum(pick(run, path) for run in found) / len(found) for path in figures}
    # a single run of a random program stands behind the printed values, so they carry an error of their own
    assert all(about(mean[path], truth, tolerance) for path, (truth, tolerance) in figures.items()), mean
    if p >= 0.2:
        # all the tokens there ever were: 0.1 a request, and 5 to begin with at each of 100 clients
        assert all(pick(run, "loads.requests.amplification") <= 1.1 + 500 / 99_000 for run in found)


def test_three_retries_without_a_budget() -> None:
    load = poisson("q.serve", 1000, policy={"retry": {"max_attempts": 4}})
    found = runs(scenario({"q": failing(0.5)}, {"requests": load}, 100), replications=4)
    matches(found, {"loads.requests.amplification": (1.875, 0.01), "loads.requests.success": (0.9375, 0.01)})


@pytest.mark.parametrize(("p", "retries"), [(0.5, 0.05263158), (0.9, 0.01010101)])
def test_a_bucket_filled_by_successes(p: float, retries: float) -> None:
    """When little succeeds, little is retried: 0.1 (1 - p) / (1 - 0.1 (1 - p)) a request."""
    found = bucket(p, "success", 3, 400, 2)
    # the first tokens are spent early; what they bought is known
    first = 500 / (400 * 1000) / (1 - 0.1 * (1 - p))
    for run in found:
        assert abs(pick(run, "loads.requests.amplification") - 1 - retries - first) < 0.0015


def test_a_bucket_of_a_service_that_is_down() -> None:
    """No success, no deposit: five retries a client and not one more."""
    for run in bucket(1.0, "success", 3, 20, 2):
        assert pick(run, "loads.requests.attempts") - pick(run, "loads.requests.offered") == 500


@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.5])
def test_a_ratio_budget_bounds_the_load(ratio: float) -> None:
    """At most 1 + ratio attempts a request, where three attempts would be 3.0 (SRE book)."""
    retry = {"max_attempts": 3, "budget": {"ratio": ratio}}
    load = poisson("q.serve", 200, policy={"retry": retry})
    found = runs(scenario({"q": failing(1.0)}, {"requests": load}, 100), replications=5)
    for run in found:
        # 0.5 %: a window may hold a few tries more than the next one
        assert 1 + 0.97 * ratio < pick(run, "loads.requests.amplification") < (1 + ratio) * 1.005
    load["policy"] = {"retry": {"max_attempts": 3}}
    [run] = runs(scenario({"q": failing(1.0)}, {"requests": load}, 100), replications=1)
    assert pick(run, "loads.requests.amplification") == 3


def test_a_minimum_lets_a_quiet_client_retry() -> None:
    """20 % and 10 a second (Finagle): at 10 requests a second every one may be tried again."""
    retry = {"max_attempts": 2, "budget": {"ratio": 0.2, "min_per_second": 10}}
    load = poisson("q.serve", 10, arrivals="evenly", policy={"retry": retry})
    [run] = runs(scenario({"q": failing(1.0)}, {"requests": load}, 100), replications=1)
    assert pick(run, "loads.requests.amplification") == pytest.approx(2, rel=0.01)


def breaker(p: float, k: int, lam: float, open_for: float, duration: float, replications: int) -> list[Run]:
    settings = {
        "failure_rate": 1.0, "window": {"calls": k}, "minimum_calls": k, "half_open_calls": 1,
        "open_for": f"{open_for}s",
    }  # fmt: skip
    load = poisson("q.serve", lam, policy={"circuit_breaker": settings})
    return runs(scenario({"q": failing(p)}, {"requests": load}, duration), replications)


def cycle(run: Run, name: str) -> float:
    return float(run["windows"]["all"]["calls"]["requests -> q.serve"]["breaker"][name])


@pytest.mark.parametrize(
    ("p", "k", "lam", "open_for", "duration", "tolerance"),
    [
        (0.2, 5, 100, 10, 1_500, 0.03),
        (0.5, 3, 20, 2, 2_400, 0.03),
        pytest.param(0.2, 5, 100, 10, 30_000, 0.01, marks=LONG),
    ],
)
def test_breaker_cycle(
    p: float, k: int, lam: float, open_for: float, duration: float, tolerance: float
) -> None:
    """Closed until k failures in a row, open for D, one probe: success closes, failure opens again."""
    found = breaker(p, k, lam, open_for, duration, 20)
    closed = calls_to_trip(p, k) / lam
    opened = (open_for + 1 / lam) / (1 - p)
    admitted = (calls_to_trip(p, k) + 1 / (1 - p)) / (lam * (closed + opened))

    def admitted_fraction(run: Run) -> float:
        return cycle(run, "admitted_fraction")

    matches(found, {admitted_fraction: (admitted, tolerance)})
    if p == 0.2:
        assert (closed, opened, admitted) == pytest.approx((39.05, 12.5125, 0.757575758))


@pytest.mark.parametrize(
    ("p", "k", "lam", "open_for", "duration"),
    [(0.5, 3, 20, 2, 3_000), pytest.param(0.2, 5, 100, 10, 20_000, marks=LONG)],
)
def test_breaker_phases(p: float, k: int, lam: float, open_for: float, duration: float) -> None:
    found = breaker(p, k, lam, open_for, duration, 20)

    def closed_s_mean(run: Run) -> float:
        return cycle(run, "closed_s_mean")

    def open_s_mean(run: Run) -> float:
        return cycle(run, "open_s_mean")

    matches(found, {
        closed_s_mean: (calls_to_trip(p, k) / lam, 0.03),
        open_s_mean: ((open_for + 1 / lam) / (1 - p), 0.03),
    })  # fmt: skip


@pytest.mark.parametrize(("duration", "tolerance"), [(2_000, 0.06), pytest.param(15_000, 0.03, marks=LONG)])
def test_a_breaker_on_a_service_that_is_almost_down(duration: float, tolerance: float) -> None:
    """(p, k, lam, D) = (0.9, 3, 50, 10): 3.7 calls to trip, and 0.27 % of all calls go through."""
    assert calls_to_trip(0.9, 3) == pytest.approx(3.71742112, rel=1e-8)

    def admitted_fraction(run: Run) -> float:
        return cycle(run, "admitted_fraction")

    matches(breaker(0.9, 3, 50, 10, duration, 20), {admitted_fraction: (0.00273597811, tolerance)})


def test_a_breaker_on_a_service_that_is_down() -> None:
    """It trips at call 5, and from then on one probe every D + 1/lam: 0.0333222 a second."""
    found = breaker(1.0, 5, 100, 30, 9_000, 1)
    for run in found:
        probes = pick(run, "loads.requests.sent") - 5
        assert abs(probes / 9_000 - 0.0333222259) < 0.0333222259 * 0.03
        assert cycle(run, "opened") >= 1
