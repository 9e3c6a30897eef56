"""Timeouts without cancellation, plus retries: when a stalled system gets up again, and what helps.

A FIFO server still serves work whose client has timed out. A stall longer than about the timeout starts it:
at lam (1 + r) > mu it never ends, below it every stall heals.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.theory.simulate import Node, Run, exponential, pick, poisson, rate, runs, scenario, serves

LONG = pytest.mark.long
HOTOS_MU = 300


def stalled(
    lam: float,
    mu: float = 500.0,
    attempts: int = 3,
    timeout: str = "500ms",
    stall: str = "3s",
    duration: float = 200.0,
    policy: Node | None = None,
    **service: Any,
) -> str:
    """A stall at 30 s; the window `end` is the last quarter."""
    services = {"api": serves(exponential(1 / mu), concurrency=1, **service)}
    retry = {"max_attempts": attempts, **(policy or {}).pop("retry", {})}
    load = {
        "clients": poisson("api.serve", lam, policy={"timeout": timeout, "retry": retry, **(policy or {})})
    }
    faults = [{"name": "stall", "at": "30s", "for": stall, "on": "api", "pause": True}]
    windows = {"before": "10s..30s", "end": f"{duration * 0.75}s.."}
    return scenario(services, load, duration, faults=faults, windows=windows, time={"bucket": "1s"})


def healed(run: Run, lam: float) -> bool:
    """Whether goodput is back at the end; anything in between would be neither."""
    good = pick(run, "loads.clients.goodput_per_s", "end")
    assert good > 0.9 * lam or good < 0.1 * lam, f"neither healed nor collapsed: {good}"
    return good > 0.9 * lam


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_retry_storm(seed: int) -> None:
    [run] = runs(stalled(400), replications=1, seed=seed)
    assert not healed(run, 400)
    assert pick(run, "loads.clients.goodput_per_s", "before") > 390
    assert pick(run, "loads.clients.success", "end") < 0.01
    assert pick(run, "loads.clients.amplification", "end") == pytest.approx(3, rel=0.01)
    assert run["recovery"]["clients"]["metastable"] is True
    # from the stall on, all the work of the server is for nobody
    assert pick(run, "services.api.wasted_s") > 0.95 * (200 - 33)


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        ("no retries", {"attempts": 1}),
        ("a budget below mu/lam - 1", {"policy": {"retry": {"budget": {"ratio": 0.1}}}}),
        ("a budget just below", {"policy": {"retry": {"budget": {"ratio": 0.2}}}}),
        ("a queue limit below mu T", {"queue": {"capacity": 100}}),
        ("LIFO", {"queue": {"discipline": "lifo"}}),
        ("cancelling what waits", {"policy": {"cancel": True}, "when_cancelled": "drop_queued"}),
        ("cancelling all", {"policy": {"cancel": True}, "when_cancelled": "stop"}),
        ("a propagated deadline", {"policy": {"deadline": {"after": "500ms", "propagate": True}}}),
        ("patience of the queue", {"queue": {"max_wait": "400ms"}}),
    ],
)
def test_mitigations_that_hold(what: str, settings: dict[str, Any]) -> None:
    for run in runs(stalled(400, **settings), replications=3):
        assert healed(run, 400), what
        assert run["recovery"]["clients"]["metastable"] is False


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        (
            "backoff with jitter",
            {
                "policy": {
                    "retry": {"backoff": {"initial": "1s", "multiplier": 2, "max": "20s", "jitter": "full"}}
                }
            },
        ),
        ("constant backoff", {"policy": {"retry": {"backoff": {"constant": "2s"}}}}),
        ("a queue limit above mu T", {"queue": {"capacity": 400}}),
        ("a budget above mu/lam - 1", {"policy": {"retry": {"budget": {"ratio": 0.5}}}}),
        ("cancelling that nobody hears", {"policy": {"cancel": True}}),
    ],
)
def test_mitigations_that_do_not_hold(what: str, settings: dict[str, Any]) -> None:
    for run in runs(stalled(400, **settings), replications=3):
        assert not healed(run, 400), what
        assert run["recovery"]["clients"]["metastable"] is True


@pytest.mark.parametrize(
    ("lam", "attempts", "stall", "heals"),
    [
        (400, 3, "300ms", True),  # shorter than the timeout: nobody times out
        (400, 3, "3s", False),
        (400, 2, "3s", False),  # 800 > 500
        (140, 3, "10s", True),  # 420 < 500: every stall heals
        (200, 2, "10s", True),  # 400 < 500
        (300, 2, "10s", False),  # 600 > 500
        (400, 1, "10s", True),
    ],
)
def test_the_boundary(lam: float, attempts: int, stall: str, heals: bool) -> None:
    """lam (1 + r) = mu divides what heals from what does not, given a stall beyond the timeout."""
    for run in runs(stalled(lam, attempts=attempts, stall=stall), replications=3):
        assert healed(run, lam) is heals


def test_a_short_stall_drains_at_the_spare_rate() -> None:
    """Nobody times out: the backlog lam d is gone after lam d/(mu - lam)."""
    services = {"api": serves("2ms", concurrency=1)}
    load = {"clients": poisson("api.serve", 400, arrivals="evenly", policy={"timeout": "1s", "retry": {}})}
    faults = [{"at": "10s", "for": "500ms", "on": "api", "pause": True}]
    windows = {"drained": "12600ms..", "draining": "10500ms..12400ms"}
    [run] = runs(scenario(services, load, 20, faults=faults, windows=windows), replications=1)
    assert pick(run, "loads.clients.success") == 1
    assert pick(run, "services.api.in_system_max") == pytest.approx(200, abs=2)
    assert pick(run, "services.api.in_system_max_at_s") == pytest.approx(10.5, abs=0.01)
    assert pick(run, "loads.clients.latency_s.max", "drained") < 0.0021
    assert pick(run, "loads.clients.latency_s.max", "draining") > 0.3


def hotos(lam: float) -> str:
    """mu = 300, one retry after 1 s, an outage of 10 s; goodput over 550..600 s."""
    services = {"db": serves(exponential(1 / HOTOS_MU), concurrency=1)}
    policy = {"timeout": "1s", "retry": {"max_attempts": 2}}
    load = {"clients": {"call": "db.serve", "rate": rate(lam), "policy": policy}}
    faults = [{"name": "outage", "at": "30s", "for": "10s", "on": "db", "pause": True}]
    windows = {"end": "550s..600s"}
    return scenario(services, load, 600, faults=faults, windows=windows, time={"bucket": "1s"})


QUICK = [(100, True), (155, False), (280, False)]
REST = [(140, True), (160, False), (170, False), (200, False)]


@pytest.mark.parametrize(
    ("lam", "recovers", "seeds"),
    [
        *((lam, recovers, 3) for lam, recovers in QUICK),
        *(pytest.param(lam, recovers, 20, marks=LONG) for lam, recovers in QUICK + REST),
    ],
)
def test_hotos_21(lam: float, recovers: bool, seeds: int) -> None:
    """Stable below 150 a second, collapsed above, in 20 of 20 seeds; amplification 2.00 when collapsed."""
    for run in runs(hotos(lam), replications=seeds):
        assert healed(run, lam) is recovers
        if not recovers:
            assert pick(run, "loads.clients.amplification", "end") == pytest.approx(2, abs=0.02)


def test_load_shedding_ends_what_waiting_does_not() -> None:
    """A collapsed system comes back when the load is cut below the boundary, and stays up at the old load."""
    services = {"db": serves(exponential(1 / HOTOS_MU), concurrency=1)}
    policy = {"timeout": "1s", "retry": {"max_attempts": 2}}
    faults = [{"at": "30s", "for": "10s", "on": "db", "pause": True}]

    def goodput(relief: str, length: str) -> float:
        profile = {
            "steps": [
                {"at": "0s", "rate": "280/s"},
                {"at": "150s", "rate": relief},
                {"at": length, "rate": "280/s"},
            ]
        }
        load = {"clients": {"call": "db.serve", "rate": profile, "policy": policy}}
        [run] = runs(
            scenario(services, load, 1_000, faults=faults, windows={"end": "900s.."}), replications=1
        )
        return pick(run, "loads.clients.goodput_per_s", "end")

    assert goodput("280/s", "600s") < 10
    assert goodput("20/s", "600s") > 270
    assert goodput("200/s", "600s") < 10  # a cut that stays above the boundary of 150 a second
