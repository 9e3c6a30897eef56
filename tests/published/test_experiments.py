"""Published experiments and arguments, in the public format."""

from __future__ import annotations

import pytest

from tests.theory.simulate import (
    Node,
    Run,
    exponential,
    matches,
    pick,
    poisson,
    runs,
    scenario,
    serves,
    share,
)

LONG = pytest.mark.long


# --- Metastable Failures in Distributed Systems (HotOS'21) --------------------------------------------------


def hotos(lam: float, outage: str = "10s", attempts: int = 2) -> str:
    """A database good for 300 queries a second, one retry after 1 s, an outage of the link to it."""
    services = {"db": serves(exponential(1 / 300), concurrency=1)}
    policy = {"timeout": "1s", "retry": {"max_attempts": attempts}}
    load = {"web": poisson("db.serve", lam, policy=policy)}
    faults = [{"name": "outage", "at": "30s", "for": outage, "on": "db", "pause": True}]
    return scenario(services, load, 300, faults=faults, windows={"end": "250s..300s"}, time={"bucket": "1s"})


def test_280_queries_a_second_become_560_for_ever() -> None:
    for run in runs(hotos(280), replications=3):
        assert pick(run, "loads.web.goodput_per_s", "end") < 3
        assert pick(run, "services.db.arrivals", "end") / 50 == pytest.approx(560, rel=0.02)
        assert pick(run, "loads.web.amplification", "end") == pytest.approx(2, abs=0.02)


def test_below_150_it_is_stable() -> None:
    for run in runs(hotos(140), replications=3):
        assert pick(run, "loads.web.success", "end") > 0.99


def test_without_retries_280_is_no_danger() -> None:
    """The backlog of 2 800 drains at 20 a second: slow, but it ends."""
    text = (
        hotos(280, attempts=1).replace("300.000000000s", "600.000000000s").replace("250s..300s", "550s..600s")
    )
    for run in runs(text, replications=3):
        assert pick(run, "loads.web.success", "end") > 0.9


# --- Metastable Failures in the Wild (OSDI'22): the replicated database -------------------------------------


def replica_set(lam: float, cpu: float, cut: str, resends: int = 4) -> str:
    """An open-loop client, timeout 3 s, resends at once; the processor is cut for a while."""
    services = {"db": serves(exponential(0.002), concurrency=2)}
    policy = {"timeout": "3s", "retry": {"max_attempts": resends + 1}}
    load = {"client": poisson("db.serve", lam, policy=policy)}
    faults = [{"name": "cut", "at": "60s", "for": cut, "on": "db", "capacity": cpu}]
    windows = {"before": "20s..60s", "end": "300s..360s"}
    return scenario(services, load, 360, faults=faults, windows=windows, time={"bucket": "1s"})


@pytest.mark.parametrize(
    ("what", "lam", "cpu", "cut", "stays_down"),
    [
        ("a shallow cut", 700, 0.60, "10s", False),
        ("a deeper cut", 700, 0.20, "10s", True),
        ("the same cut, short", 700, 0.20, "2s", False),
        ("a low base load", 180, 0.10, "10s", False),
        ("a higher base load", 800, 0.45, "10s", True),
    ],
)
def test_a_little_more_tips_it(what: str, lam: float, cpu: float, cut: str, stays_down: bool) -> None:
    for run in runs(replica_set(lam, cpu, cut), replications=3):
        before = pick(run, "loads.client.goodput_per_s", "before")
        after = pick(run, "loads.client.goodput_per_s", "end")
        if stays_down:
            assert after < 0.1 * before, what
            assert pick(run, "loads.client.amplification", "end") >= 3
        else:
            assert after > 0.95 * before, what


def test_two_resends_bound_the_amplification_by_three() -> None:
    for run in runs(replica_set(800, 0.2, "10s", resends=2), replications=2):
        assert 2.9 < pick(run, "loads.client.amplification", "end") <= 3


# --- The Tail at Scale (CACM 2013) --------------------------------------------------------------------------

HEAVY = {"mixture": [{"weight": 98, "of": {"lognormal": {"mean": "5ms", "cv": 0.5}}},
                     {"weight": 2, "of": {"lognormal": {"mean": "500ms", "cv": 1}}}]}  # fmt: skip


def test_a_hedge_at_p95_costs_five_per_cent_and_cuts_the_tail() -> None:
    """The law of waiting exactly until the 95th percentile, on a heavy-tailed mixture."""
    plain = runs(scenario({"leaf": serves(HEAVY)}, {"keys": poisson("leaf.serve", 1000)}, 30), replications=5)
    p95 = sum(pick(run, "loads.keys.latency_s.p95") for run in plain) / 5
    p999 = sum(pick(run, "loads.keys.latency_s.p999") for run in plain) / 5
    policy = {"hedge": {"delay": f"{p95:.9f}s", "cancel_losers": True}}
    load = {"keys": poisson("leaf.serve", 1000, policy=policy)}
    hedged = runs(scenario({"leaf": serves(HEAVY, replicas=2)}, load, 30), replications=5)
    extra = sum(pick(run, "loads.keys.amplification") for run in hedged) / 5 - 1
    assert 0.047 <= extra <= 0.053
    tail = sum(pick(run, "loads.keys.latency_s.p999") for run in hedged) / 5
    assert tail < p999 / 3


def test_a_hundred_leaves_make_the_median_of_their_p99() -> None:
    """Half of the answers from 100 leaves wait for something beyond a leaf's 99.3rd percentile."""
    law = {"percentiles": {"p50": "1ms", "p95": "5ms", "p99": "10ms", "p99.9": "30ms"}}
    services = {
        "leaf": serves(law),
        "root": {"operations": {"ask": [{"parallel": [{"call": "leaf"}] * 100}]}},
    }
    quantile = 0.5 ** (1 / 100)
    expected = (10 + (quantile - 0.99) / 0.009 * 20) / 1000
    found = runs(scenario(services, {"asks": poisson("root.ask", 100)}, 5))
    matches(
        found, {"loads.asks.latency_s.p50": (expected, 0.03), "services.leaf.sojourn_s.p50": (0.001, 0.02)}
    )


# --- Gray Failure (HotOS'17) --------------------------------------------------------------------------------


def test_a_probe_does_not_see_what_a_fan_out_suffers() -> None:
    """One of ten links loses 1 % of its packets, resent after 200 ms: 0.1 % of probes, 9.5 % of fan-outs."""
    each_way = 1 - 0.99**0.5
    services = {
        "link": serves("1ms", replicas=10),
        "root": {"operations": {"ask": [{"parallel": [{"call": "link"}] * 100}]}},
    }
    sends = {"timeout": "200ms", "retry": {"max_attempts": 5}, "balancer": "random"}
    faults = [{"at": "0s", "on": "link", "replicas": 1, "loss": each_way}]
    rest: Node = {"policies": {"packet": sends}, "defaults": {"policy": "packet"}, "faults": faults}
    load = {
        "fanout": poisson("root.ask", 100, policy={"timeout": "150ms"}),
        "probe": poisson("link.serve", 2_000, policy=sends),
    }
    found = runs(scenario(services, load, 60, **rest), replications=6)

    def slow_probes(run: Run) -> float:
        return pick(run, "loads.probe.amplification") - 1

    matches(found, {slow_probes: (0.001, 0.1), share("timeout", "fanout"): (1 - 0.999**100, 0.05)})


# --- DAGOR (SoCC'18) ----------------------------------------------------------------------------------------


def overloaded(k: int, lam: float, optional: bool, duration: float) -> list[Run]:
    """Each request needs k calls to M, which takes 750 a second and refuses the others at random."""
    policy = {"rate_limit": {"rate": "750/s", "burst": 100}}
    between: Node = {"work": exponential(1)}
    step: Node = {"call": "m", "policy": "guarded", **({"optional": True} if optional else {})}
    steps = [between]
    for _ in range(k):
        steps += [step, between]
    services = {"a": {"operations": {"entry": steps}}, "m": serves("1ms")}
    rest: Node = {"policies": {"guarded": policy}, "windows": {"steady": f"20s..{duration - 25}s"}}
    return runs(scenario(services, {"requests": poisson("a.entry", lam)}, duration, **rest), replications=6)


@pytest.mark.parametrize(
    ("k", "duration", "success"),
    [(2, 75, 0.25), pytest.param(4, 600, 0.00390625, marks=LONG)],
)
def test_random_shedding_squanders_work(k: int, duration: float, success: float) -> None:
    """All k calls are made whatever happens: (C/(k L))^k."""

    def complete(run: Run) -> float:
        window = "steady"
        return pick(run, "loads.requests.outcomes.ok", window) / pick(run, "loads.requests.offered", window)

    matches(overloaded(k, 750, True, duration), {complete: (success, 0.05)})


@pytest.mark.parametrize(("k", "success"), [(2, 0.381966011), (4, 0.072438025)])
def test_random_shedding_when_the_first_refusal_ends_the_request(k: int, success: float) -> None:
    """Fewer calls are made, so more of them are served: q + q^2 + … + q^k = C/L."""

    def complete(run: Run) -> float:
        window = "steady"
        return pick(run, "loads.requests.outcomes.ok", window) / pick(run, "loads.requests.offered", window)

    matches(overloaded(k, 750, False, 75), {complete: (success, 0.05)})
