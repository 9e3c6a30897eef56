"""Impatience: requests that leave the queue if they are not started in time, and whose work is never done."""

from __future__ import annotations

import pytest

from tests.theory.simulate import exponential, matches, poisson, runs, scenario, seconds, serves, share

LONG = pytest.mark.long


def queue(lam: float, mu: float, c: int, patience: object, requests: int) -> str:
    services = {"q": serves(exponential(1 / mu), concurrency=c, queue={"max_wait": patience})}
    warmup = 200 / mu
    return scenario(services, {"requests": poisson("q.serve", lam)}, requests / lam + warmup, warmup)


@pytest.mark.parametrize(
    ("lam", "mu", "c", "theta", "abandoned", "waiting", "wait_of_all", "goodput", "requests"),
    [
        (0.8, 1, 1, 0.5, 0.255940702, 0.409505123, 0.511881404, 0.595247438, 20_000),
        (1.2, 1, 1, 0.5, 0.366204211, 0.878890106, 0.732408422, 0.760554947, 20_000),
        (10, 1, 10, 1, 0.125110036, 1.25110036, 0.125110036, 8.74889964, 40_000),
        (12, 1, 10, 0.5, 0.195655944, 4.69574266, 0.391311888, 9.65212867, 40_000),
        pytest.param(50, 1, 50, 0.5, 0.0466845859, 4.66845859, 0.0933691718, 47.6657707, 300_000, marks=LONG),
        pytest.param(
            110, 1, 100, 0.5, 0.0946183323, 20.8160331, 0.189236665, 99.5919835, 300_000, marks=LONG
        ),
    ],
)
def test_exponential_patience(
    lam: float, mu: float, c: int, theta: float, abandoned: float, waiting: float, wait_of_all: float,
    goodput: float, requests: int,
) -> None:  # fmt: skip
    """Erlang A."""
    found = runs(queue(lam, mu, c, exponential(1 / theta), requests))
    matches(found, {
        share("shed"): (abandoned, 0.02),
        "services.q.queue_mean": (waiting, 0.02),
        "loads.requests.goodput_per_s": (goodput, 0.015),
    })  # fmt: skip
    assert waiting / lam == pytest.approx(wait_of_all, rel=1e-6)


@pytest.mark.parametrize(
    ("lam", "mu", "c", "tau", "lost", "wait_of_served", "waiting", "goodput", "requests"),
    [
        (0.8, 1, 1, 2, 0.187832074, 0.530913094, 0.645483788, 0.64973434, 25_000),
        pytest.param(0.9, 1, 1, 5, 0.107306209, 1.78770323, 1.91916236, 0.803424412, 200_000, marks=LONG),
        (1.2, 1, 1, 2, 0.311817917, 0.796557002, 1.40617451, 0.8258185, 25_000),
        (2, 1, 1, 5, 0.500843665, 4.02028217, 9.02193528, 0.998312671, 25_000),
        pytest.param(
            110, 1, 100, 0.2, 0.0951874674, 0.119438764, 13.9817902, 99.5293786, 300_000, marks=LONG
        ),
        pytest.param(95, 1, 100, 0.1, 0.02168818, 0.0131879985, 1.43172531, 92.9396229, 900_000, marks=LONG),
    ],
)
def test_constant_patience(
    lam: float, mu: float, c: int, tau: float, lost: float, wait_of_served: float, waiting: float,
    goodput: float, requests: int,
) -> None:  # fmt: skip
    """Barrer; Baccelli and Hebuterne: the oracle for a server that drops expired work."""
    found = runs(queue(lam, mu, c, seconds(tau), requests))
    matches(found, {
        share("shed"): (lost, 0.02),
        "services.q.wait_s.mean": (wait_of_served, 0.02),
        "services.q.queue_mean": (waiting, 0.02),
        "loads.requests.goodput_per_s": (goodput, 0.015),
    })  # fmt: skip


def test_a_propagated_deadline_drops_the_same_work() -> None:
    """A deadline that travels with the call is looked at when a worker would take the request: M/M/c+D."""
    services = {"q": serves(exponential(1), concurrency=1)}
    policy = {"deadline": {"after": "2s", "propagate": True}}
    text = scenario(services, {"requests": poisson("q.serve", 1.2, policy=policy)}, 22_000, 200)

    def started(run):  # type: ignore[no-untyped-def]
        q = run["windows"]["all"]["services"]["q"]
        return q["started"] / q["arrivals"]

    found = runs(text)
    matches(found, {started: (1 - 0.311817917, 0.02), "services.q.wait_s.mean": (0.796557002, 0.02)})
