"""M/M/1, M/M/c, M/M/c/K and Erlang's loss system: the base case, worker pools and bounded queues."""

from __future__ import annotations

import math

import pytest

from tests.theory.formulas import bounded, erlang_b, erlang_c
from tests.theory.simulate import (
    exponential,
    littles_law,
    lognormal,
    matches,
    pick,
    poisson,
    runs,
    scenario,
    seconds,
    serves,
    share,
    values,
)

LONG = pytest.mark.long


def relaxation(lam: float, mu: float = 1.0) -> float:
    return 1.0 / (math.sqrt(mu) - math.sqrt(lam)) ** 2


@pytest.mark.parametrize(
    ("lam", "horizon", "p50", "p95", "p99", "p999", "wait_p99"),
    [
        (0.5, 50_000, 1.38629436, 5.99146455, 9.21034037, 13.8155106, 7.82404601),
        (0.8, 230_000, 3.4657359, 14.9786614, 23.0258509, 34.5387764, 21.9101332),
        pytest.param(0.9, 800_000, 6.93147181, 29.9573227, 46.0517019, 69.0775528, 44.9980967, marks=LONG),
        pytest.param(0.95, 3_000_000, 13.8629436, 59.9146455, 92.1034037, 138.155106, 91.0775378, marks=LONG),
    ],
)
def test_mm1(
    lam: float, horizon: float, p50: float, p95: float, p99: float, p999: float, wait_p99: float
) -> None:
    warmup = 10 * relaxation(lam)
    services = {"q": serves(exponential(1), concurrency=1)}
    found = runs(scenario(services, {"requests": poisson("q.serve", lam)}, horizon + warmup, warmup))
    w = 1 / (1 - lam)
    matches(found, {
        "services.q.in_system_mean": (lam * w, 0.015),
        "services.q.queue_mean": (lam * lam * w, 0.02),
        "services.q.sojourn_s.mean": (w, 0.015),
        "services.q.wait_s.mean": (lam * w, 0.015),
        "services.q.wait_s.p99": (wait_p99, 0.03),
        "services.q.utilisation": (lam, 0.01),
        "loads.requests.latency_s.mean": (w, 0.015),
        "loads.requests.latency_s.variance": (w * w, 0.08),
        "loads.requests.latency_s.p50": (p50, 0.03),
        "loads.requests.latency_s.p95": (p95, 0.03),
        "loads.requests.latency_s.p99": (p99, 0.03),
        "loads.requests.latency_s.p999": (p999, 0.06),
    })  # fmt: skip
    littles_law(found, "q", horizon)


@pytest.mark.parametrize(
    ("lam", "limit"), [(0.5, 5.0), (0.8, 5.0), pytest.param(0.8, 23.0258509299, marks=LONG)]
)
def test_a_timeout_measures_the_tail_exactly(lam: float, limit: float) -> None:
    """Work whose client has gone is still done, so P(timeout) = P(T > limit) = exp(-(mu - lam) limit)."""
    services = {"q": serves(exponential(1), concurrency=1)}
    load = {"requests": poisson("q.serve", lam, policy={"timeout": seconds(limit)})}
    warmup = 10 * relaxation(lam)
    horizon = 40_000 if lam == 0.5 else 60_000 if limit == 5 else 600_000
    found = runs(scenario(services, load, horizon + warmup, warmup))
    truth = math.exp(-(1 - lam) * limit)
    matches(found, {share("timeout"): (truth, 0.03 if truth > 0.02 else 0.12)})


TIMES = {
    "empty": (0.8, 0, {1: 0.551552, 5: 1.469461, 10: 2.030282, 20: 2.647635, 50: 3.405039}),
    "overload": (1.5, 0, {10: 6.635462, 50: 26.986642}),
    "backlog": (0.8, 50, {10: 48.0, 30: 44.0}),
}


@pytest.mark.parametrize("case", TIMES)
def test_transient_mm1(case: str) -> None:
    """Many independent queues in one run: replicas of one service, each with its thinned Poisson stream."""
    lam, backlog, expected = TIMES[case]
    transient(lam, backlog, expected, queues=500, replications=60 if backlog == 0 and lam < 1 else 40)


@LONG
@pytest.mark.parametrize(
    ("lam", "backlog", "expected"),
    [
        (0.8, 0, {100: 3.791873, 200: 3.962982, 400: 3.99808}),
        (0.8, 50, {100: 30.082625, 250: 10.062191, 300: 7.415301, 400: 5.036704, 600: 4.090224}),
        (1.5, 0, {100: 51.999495, 200: 101.999999}),
    ],
)
def test_transient_mm1_far_out(lam: float, backlog: int, expected: dict[int, float]) -> None:
    transient(lam, backlog, expected, queues=1_000, replications=30)


def transient(lam: float, backlog: int, expected: dict[int, float], queues: int, replications: int) -> None:
    services = {"q": serves(exponential(1), concurrency=1, replicas=queues)}
    load = {"requests": poisson("q.serve", lam * queues, policy={"balancer": "random"})}
    if backlog:
        # An even volley within the first microsecond, dealt in turn, gives every queue exactly its share.
        volley = {"steps": [{"at": "0s", "rate": f"{backlog * queues}M/s"}, {"at": "1us", "rate": "0/s"}]}
        load["volley"] = {"call": "q.serve", "rate": volley, "arrivals": "evenly"}
    last = max(expected)
    width = 0.2 if last <= 100 else 1.0
    text = scenario(services, load, last + 1, time={"bucket": seconds(width), "drain": False})
    found = runs(text, replications, series=True)
    if backlog:
        assert all(abs(pick(run, "loads.volley.offered") - backlog * queues) <= 1 for run in found)

    def at(moment: int):  # type: ignore[no-untyped-def]
        def in_system(run):  # type: ignore[no-untyped-def]
            level = run["series"]["services"]["q"]["in_system"]
            k = round(moment / width)
            return (level[k - 1] + level[k]) / 2 / queues

        return in_system

    matches(found, {at(moment): (truth, 0.02) for moment, truth in expected.items()})


@pytest.mark.parametrize(
    ("c", "rho", "horizon"),
    [
        (2, 0.5, 40_000),
        (5, 0.8, 60_000),
        pytest.param(2, 0.8, 200_000, marks=LONG),
        pytest.param(4, 0.9, 200_000, marks=LONG),
        pytest.param(10, 0.9, 80_000, marks=LONG),
        pytest.param(20, 0.95, 120_000, marks=LONG),
        (100, 0.8, 200),
        pytest.param(100, 0.95, 40_000, marks=LONG),
        pytest.param(1000, 0.99, 70_000, marks=LONG),
    ],
)
@pytest.mark.parametrize("pool", ["workers", "replicas"])
def test_mmc(c: int, rho: float, horizon: float, pool: str) -> None:
    """A pool of workers, or as many replicas with a shared queue, is one M/M/c."""
    lam = c * rho
    if pool == "replicas" and c > 20:
        pytest.skip("the same law as with fewer replicas")
    how = (
        {"concurrency": c}
        if pool == "workers"
        else {"replicas": c, "concurrency": 1, "queue": {"shared": True}}
    )
    warmup = 10 * relaxation(lam, c)
    text = scenario(
        {"q": serves(exponential(1), **how)}, {"requests": poisson("q.serve", lam)}, horizon + warmup, warmup
    )
    found = runs(text)
    waiting = erlang_c(c, lam)
    wait = waiting / (c - lam)
    expected = {
        "services.q.in_system_mean": (lam * (1 + wait), 0.015),
        "services.q.utilisation": (rho, 0.015),
        "loads.requests.latency_s.mean": (1 + wait, 0.015),
        "loads.requests.latency_s.p99": (mmc_quantile(c, lam, 0.99), 0.03),
    }
    if wait > 0.01:
        expected["services.q.queue_mean"] = (lam * wait, 0.03)
        expected["services.q.wait_s.mean"] = (wait, 0.03)
        expected["services.q.wait_s.p99"] = (math.log(waiting / 0.01) / (c - lam), 0.03)
    matches(found, expected)  # type: ignore[arg-type]


def mmc_quantile(c: int, lam: float, share_below: float) -> float:
    """Quantile of the sojourn in M/M/c, service of mean 1."""
    waiting, drain = erlang_c(c, lam), c - lam

    def exceeds(x: float) -> float:
        if abs(drain - 1.0) < 1e-9:
            return math.exp(-x) * (1 + waiting * x)
        # wait 0 with probability 1 - C, else exponential(drain); plus exponential(1)
        both = (drain * math.exp(-x) - math.exp(-drain * x)) / (drain - 1.0)
        return (1 - waiting) * math.exp(-x) + waiting * both

    low, high = 0.0, 200.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if exceeds(middle) > 1 - share_below else (low, middle)
    return low


def test_quantiles_of_mmc_are_the_printed_ones() -> None:
    assert mmc_quantile(2, 1.6, 0.99) == pytest.approx(11.9373702, rel=1e-7)
    assert mmc_quantile(5, 4.0, 0.95) == pytest.approx(4.19746258, rel=1e-7)
    assert mmc_quantile(10, 9.0, 0.99) == pytest.approx(6.2498767, rel=1e-7)


def test_separate_queues_are_not_a_pool() -> None:
    """Random assignment to c replicas with queues of their own is c times M/M/1."""
    services = {"q": serves(exponential(1), replicas=4, concurrency=1)}
    load = {"requests": poisson("q.serve", 2.8, policy={"balancer": "random"})}
    matches(runs(scenario(services, load, 12_000, 500)), {"loads.requests.latency_s.mean": (1 / 0.3, 0.015)})


@pytest.mark.parametrize(
    ("c", "offered"),
    [
        (1, 0.5),
        (10, 8.0),
        (10, 12.0),
        pytest.param(20, 20.0, marks=LONG),
        pytest.param(50, 60.0, marks=LONG),
        pytest.param(100, 100.0, marks=LONG),
    ],
)
@pytest.mark.parametrize(
    "service",
    [
        pytest.param(exponential(1), id="exponential"),
        pytest.param("1s", id="constant"),
        pytest.param(lognormal(1, 2), id="lognormal"),
    ],
)
def test_erlang_b_whatever_the_service(c: int, offered: float, service: object) -> None:
    services = {"q": serves(service, concurrency=c, queue={"capacity": 0})}
    requests = 12_000 if offered in (0.5, 12) else 50_000 if c < 50 else 200_000
    horizon = requests / offered
    found = runs(scenario(services, {"requests": poisson("q.serve", offered)}, horizon + 50, 50))
    blocked = erlang_b(c, offered)
    matches(found, {
        share("rejected"): (blocked, 0.02),
        "services.q.in_system_mean": (offered * (1 - blocked), 0.015),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("lam", "mu", "c", "k", "printed"),
    [
        pytest.param(0.8, 1, 1, 10, 0.0234928576, marks=LONG),
        pytest.param(1, 1, 1, 10, 0.0909090909, marks=LONG),
        (1.2, 1, 1, 10, 0.192586495),
        (2, 1, 1, 5, 0.507936508),
        pytest.param(3.6, 1, 4, 10, 0.0671744079, marks=LONG),
        (4.8, 1, 4, 10, 0.205472284),
        (12, 1, 10, 30, 0.168637245),
        pytest.param(90, 10, 10, 20, 0.0295100616, marks=LONG),
    ],
)
def test_bounded_queue(lam: float, mu: float, c: int, k: int, printed: float) -> None:
    """`capacity` counts waiting requests only: the system holds K = c + capacity."""
    services = {"q": serves(exponential(1 / mu), concurrency=c, queue={"capacity": k - c})}
    # a rare loss needs more requests for the same precision
    requests = 40_000 if printed > 0.1 else 300_000
    found = runs(scenario(services, {"requests": poisson("q.serve", lam)}, requests / lam, 100 / mu))
    truth = bounded(lam, mu, c, k)
    assert truth["block"] == pytest.approx(printed, rel=1e-8)
    matches(found, {
        share("rejected"): (truth["block"], 0.02),
        "loads.requests.goodput_per_s": (truth["goodput"], 0.015),
        "services.q.in_system_mean": (truth["L"], 0.015),
        "loads.requests.latency_s.mean": (truth["W"], 0.015),
        "services.q.queue_mean": (truth["Lq"], 0.02),
        "services.q.wait_s.mean": (truth["Wq"], 0.02),
        "services.q.utilisation": (truth["util"], 0.015),
    })  # fmt: skip
    assert max(values(found, "services.q.in_system_max")) == k
