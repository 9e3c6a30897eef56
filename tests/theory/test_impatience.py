"""People who leave, and people who reload."""

from __future__ import annotations

import math
from typing import Any

import pytest

import sysim
from sysim.errors import ScenarioError
from sysim.model.impatience import pages
from tests.theory.simulate import (
    Run,
    exponential,
    matches,
    pick,
    poisson,
    runs,
    scenario,
    seconds,
    serves,
    values,
)

LONG = pytest.mark.long
Node = dict[str, Any]


def digest(services: Node, load: Node, engine: str = "compiled", **more: Any) -> str:
    text = scenario(services, load, 300.0, **more)
    return sysim.simulate(sysim.loads(text), seed=5, engine=engine).runs[0].digest  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "workers", "theta", "abandon", "length", "wait", "horizon"),
    [
        (0.8, 1, 0.5, 0.255940702, 0.409505123, 0.511881404, 60_000),
        (1.2, 1, 0.5, 0.366204211, 0.878890106, 0.732408422, 60_000),
        (10, 10, 1, 0.125110036, 1.25110036, 0.125110036, 20_000),
        (12, 10, 0.5, 0.195655944, 4.69574266, 0.391311888, 20_000),
        pytest.param(50, 50, 0.5, 0.0466845859, 4.66845859, 0.0933691718, 20_000, marks=LONG),
        pytest.param(110, 100, 0.5, 0.0946183323, 20.8160331, 0.189236665, 10_000, marks=LONG),
    ],
)
def test_erlang_a(
    rate: float, workers: int, theta: float, abandon: float, length: float, wait: float, horizon: float
) -> None:
    """M/M/c+M by the patience of the callers: they hang up, and their place in the queue is free at once.

    Who is being served when the patience runs out would leave too, which Erlang A does not know; so the answer is
    counted at the service, where `drop_queued` lets the others be.
    """
    people = {"patience": exponential(1 / theta), "policy": {"cancel": True}}
    services = {"q": serves(exponential(1), concurrency=workers, when_cancelled="drop_queued")}
    found = runs(scenario(services, {"requests": poisson("q.serve", rate, **people)}, horizon + 500, 500))

    def left(run: Run) -> float:
        return pick(run, "services.q.outcomes.cancelled") / pick(run, "services.q.arrivals")

    def waited(run: Run) -> float:
        return pick(run, "services.q.queue_mean") / (pick(run, "services.q.arrivals") / horizon)

    matches(found, {left: (abandon, 0.02), "services.q.queue_mean": (length, 0.03), waited: (wait, 0.03)})


@pytest.mark.parametrize(("reloads", "give_up"), [(1, 0.0), (3, 0.0), (2, 0.3), (5, 0.5), (2, 1.0)])
def test_how_often_one_asks_who_gets_no_answer(reloads: int, give_up: float) -> None:
    """A black hole: 1 + (1 - g) + ... + (1 - g)^n pages each."""
    assert pages(reloads, give_up) == pytest.approx(sum((1 - give_up) ** k for k in range(reloads + 1)))
    people = {"reload_after": exponential(0.1), "reloads": reloads, "give_up": give_up}
    services = {"q": serves(seconds(0.001))}
    load = {"requests": poisson("q.serve", 50, impatience=people)}
    more = {"faults": [{"at": "0s", "on": "q", "blackhole": True}]}
    found = runs(scenario(services, load, 200, **more), replications=20)
    if give_up in (0.0, 1.0):
        assert set(values(found, "loads.requests.amplification")) == {pages(reloads, give_up)}
    else:
        matches(found, {"loads.requests.amplification": (pages(reloads, give_up), 0.01)})
    for run in found:
        assert pick(run, "loads.requests.outcomes.timeout") == pick(run, "loads.requests.offered")


def test_who_waits_for_ever_and_who_does_not() -> None:
    """Answers of exactly 1 s, reloads after an exponential time: each page is answered in time with e^(-1/m)."""
    mean, reloads, give_up = 0.7, 2, 0.25
    answered = math.exp(-1 / mean)
    people = {"reload_after": exponential(mean), "reloads": reloads, "give_up": give_up}
    services = {"q": serves(seconds(1.0))}
    found = runs(scenario(services, {"requests": poisson("q.serve", 40, impatience=people)}, 500))
    goes_on = (1 - answered) * (1 - give_up)
    matches(found, {
        lambda run: pick(run, "loads.requests.success"): (answered * sum(goes_on**k for k in range(3)), 0.01),
        "loads.requests.amplification": (sum(goes_on**k for k in range(3)), 0.01),
    })  # fmt: skip
    # what was given up was worked on to its end all the same
    for run in found:
        assert pick(run, "services.q.outcomes.ok") == pick(run, "services.q.arrivals")


TWINS: dict[str, tuple[Node, Node]] = {
    "patience is a deadline": ({"patience": "700ms"}, {"policy": {"deadline": "700ms"}}),
    "reloads are retries after a timeout": (
        {"impatience": {"reload_after": "500ms", "reloads": 2, "backoff": {"constant": "100ms", "jitter": "full"}}},
        {"policy": {"timeout": "500ms", "retry": {"max_attempts": 3, "on": ["timeout"],
                                                   "backoff": {"constant": "100ms", "jitter": "full"}}}},
    ),
    "both, beside a policy": (
        {"patience": "2s", "impatience": {"reload_after": "500ms", "on": ["timeout", "rejected"]},
         "policy": {"cancel": True, "network": {"latency": "1ms"}}},
        {"policy": {"cancel": True, "network": {"latency": "1ms"}, "deadline": "2s", "timeout": "500ms",
                    "retry": {"max_attempts": 2, "on": ["timeout", "rejected"]}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("closed", [False, True])
def test_constant_patience_is_what_a_policy_says(name: str, closed: bool) -> None:
    """To the last event."""
    source = {"call": "q.serve", **({"users": 5, "think": "100ms"} if closed else {"rate": "3/s"})}
    services = {"q": serves(exponential(0.3), concurrency=1, queue={"capacity": 5})}
    people, policy = TWINS[name]
    assert digest(services, {"requests": {**source, **people}}) == digest(services, {"requests": {**source, **policy}})


def test_the_calls_of_a_journey_are_waited_for_so() -> None:
    """But for those with a policy of their own."""
    services = {"q": serves("1s"), "other": serves("1s")}
    journey = [{"call": "other.serve", "policy": {"timeout": "5s"}}, {"call": "q.serve"}]
    load = {"requests": {"journey": journey, "rate": "2/s", "patience": "300ms"}}
    for engine in ("compiled", "reference"):
        run = sysim.simulate(sysim.loads(scenario(services, load, 20.0)), engine=engine).to_dict()["runs"][0]  # type: ignore[arg-type]
        calls = run["windows"]["all"]["calls"]
        assert calls["requests -> other.serve"]["outcomes"]["ok"] == calls["requests -> other.serve"]["calls"]
        assert calls["requests -> q.serve"]["outcomes"]["deadline"] == calls["requests -> q.serve"]["calls"]


def test_one_says_it_once() -> None:
    services = {"q": serves("1s")}
    for people, policy in (
        ({"patience": "1s"}, {"deadline": "2s"}),
        ({"impatience": {"reload_after": "1s"}}, {"timeout": "2s"}),
        ({"impatience": {"reload_after": "1s"}}, {"retry": {}}),
    ):
        with pytest.raises(ScenarioError, match="ambiguous"):
            sysim.loads(scenario(services, {"requests": poisson("q.serve", 1, policy=policy, **people)}, 10.0))
