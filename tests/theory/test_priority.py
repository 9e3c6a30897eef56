"""Queues in which some go before others: non-preemptive priorities, earliest deadline first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import sysim
from tests.theory.simulate import (
    Run,
    exponential,
    judged,
    matches,
    pick,
    poisson,
    runs,
    scenario,
    seconds,
    serves,
)

LONG = pytest.mark.long
Node = dict[str, Any]


def two_classes(rates: Sequence[float], work: Sequence[Any], **more: Any) -> tuple[Node, Node]:
    """A server with an operation a class, and a load of that priority for each; `discipline` among the rest."""
    operations = {f"serve{k}": [{"work": each}] for k, each in enumerate(work, 1)}
    queue = {"discipline": "priority", **more.pop("queue", {})}
    services = {"q": {"operations": operations, "concurrency": 1, "queue": queue, **more}}
    load = {f"class{k}": poisson(f"q.serve{k}", rate, priority=k) for k, rate in enumerate(rates, 1)}
    return services, load


@pytest.mark.parametrize(
    ("rates", "means", "law", "waits", "horizon"),
    [
        ((0.3, 0.5), (1, 1), exponential, (1.14285714, 5.71428571), 120_000),
        ((0.3, 0.5), (1, 1), seconds, (0.571428571, 2.85714286), 100_000),
        ((0.4, 0.2), (0.5, 2), exponential, (1.125, 2.8125), 100_000),
        pytest.param((0.5, 0.4), (1, 1), exponential, (1.8, 18), 1_500_000, marks=LONG),
        pytest.param((0.2, 0.3, 0.4), (1, 1, 1), exponential, (1.125, 2.25, 18), 1_500_000, marks=LONG),
    ],
)
def test_cobham(
    rates: Sequence[float], means: Sequence[float], law: Any, waits: Sequence[float], horizon: float
) -> None:
    """M/G/1 with priorities without preemption: W0 / ((1 - sum of rho before) (1 - that and its own))."""
    services, load = two_classes(rates, [law(mean) for mean in means])
    found = runs(scenario(services, load, horizon + 2_000, 2_000))
    expected = {
        f"loads.class{k}.latency_s.mean": (wait + mean, 0.04 if k == len(rates) else 0.02)
        for k, (wait, mean) in enumerate(zip(waits, means, strict=True), 1)
    }
    matches(found, expected)
    # What one class gains the others lose: sum of rho_k Wq_k is that of any order, rho W0/(1 - rho).
    rho = [rate * mean for rate, mean in zip(rates, means, strict=True)]
    conserved = sum(share * wait for share, wait in zip(rho, waits, strict=True))
    assert conserved == pytest.approx(sum(rho) * waits[-1] * (1 - sum(rho[:-1])), rel=1e-6)

    def weighted(run: Run) -> float:
        got = [pick(run, f"loads.class{k}.latency_s.mean") - mean for k, mean in enumerate(means, 1)]
        return sum(share * wait for share, wait in zip(rho, got, strict=True))

    matches(found, {weighted: (conserved, 0.04)})


def test_two_servers_and_one_queue() -> None:
    """M/M/c with priorities and one rate of service: C W0 / ((1 - rho before) (1 - rho up to it))."""
    rates, services_rate, servers = (0.6, 1.0), 1.0, 2
    rho = sum(rates) / servers
    erlang_c = 2 * rho * rho / (1 + rho)  # of two servers
    base = erlang_c / (servers * services_rate)
    first = base / (1 - rates[0] / servers)
    second = base / ((1 - rates[0] / servers) * (1 - rho))
    for more in ({"concurrency": 2}, {"replicas": 2, "queue": {"shared": True}}):
        services, load = two_classes(rates, [exponential(1), exponential(1)], **more)
        matches(runs(scenario(services, load, 62_000, 2_000)), {
            "loads.class1.latency_s.mean": (1 + first, 0.02),
            "loads.class2.latency_s.mean": (1 + second, 0.04),
        })  # fmt: skip


FORMS: dict[str, Node] = {
    "one queue": {"concurrency": 2},
    "a shared queue of bounded length": {"replicas": 2, "queue": {"shared": True, "capacity": 3}},
    "impatient": {"queue": {"max_wait": exponential(1.0)}},
    "async": {"threading": "async"},
}


def digest(services: Node, load: Node, engine: str = "compiled") -> str:
    result = sysim.simulate(sysim.loads(scenario(services, load, 400.0)), seed=3, engine=engine)  # type: ignore[arg-type]
    return result.runs[0].digest


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_with_one_priority_it_is_first_come_first_served(form: Node) -> None:
    """To the last event."""
    queue = form.get("queue", {})
    digests = set()
    for discipline, priority in (("fifo", 1), ("priority", 1), ("priority", 7), ("edf", 1)):
        more = {"concurrency": 1, **form, "queue": {**queue, "discipline": discipline}}
        services = {"q": serves(exponential(1), **more)}
        load = {name: poisson("q.serve", 0.9, priority=priority) for name in ("a", "b")}
        digests.add(digest(services, load))
    assert len(digests) == 1


def test_a_full_queue_turns_away_whoever_comes() -> None:
    """Nobody who waits is displaced, however urgent the next one is: so both classes are blocked alike."""
    services, load = two_classes((0.5, 0.7), [exponential(1), exponential(1)], queue={"capacity": 9})
    found = runs(scenario(services, load, 62_000, 2_000))
    for k in (1, 2):
        matches(found, {lambda run, k=k: pick(run, f"loads.class{k}.outcomes.rejected")
                        / pick(run, f"loads.class{k}.offered"): (0.192586495, 0.03)})  # fmt: skip


def test_calls_branches_messages_and_fallbacks_inherit_it() -> None:
    """A backlog of the low class waits at a server; whatever is done for the high class goes before it."""
    steps: dict[str, list[Any]] = {
        "call": [{"call": "q.serve"}],
        "branch": [{"parallel": [{"call": "q.serve"}, {"work": "1ms"}]}],
        "message": [{"publish": "q.serve"}],
        "fallback": [{"call": "no.op", "policy": {"fallback": {"steps": [{"call": "q.serve"}]}}}],
        "further down": [{"call": "between.op"}],
    }
    for step in steps.values():
        services = {
            "q": {"concurrency": 1, "queue": {"discipline": "priority"}, "operations": {"serve": [{"work": "1s"}]}},
            "no": {"operations": {"op": [{"fail": "100%"}]}},
            "between": {"threading": "async", "operations": {"op": [{"call": "q.serve"}]}},
            "front": {"operations": {"get": step}},
        }
        load = {
            "low": {"call": "q.serve", "rate": {"replay": ["0s"] * 20}, "priority": 2},
            "high": {"call": "front.get", "rate": {"replay": ["500ms"]}, "priority": 1},
        }
        text = scenario(services, load, 1.0)
        for engine in ("compiled", "reference"):
            result = sysim.simulate(sysim.loads(text), engine=engine).to_dict()["runs"][0]  # type: ignore[arg-type]
            low = result["windows"]["all"]["loads"]["low"]["latency_s"]
            # one of the twenty was being served, the other nineteen are a second later than without the high one
            assert low["mean"] == pytest.approx((1 + sum(range(3, 22))) / 20)


def test_deadlines_that_never_cross_are_priorities() -> None:
    """All of class 1 are due before any of class 2."""
    found = []
    for discipline, limits in (("priority", (None, None)), ("edf", ("2h", "20h"))):
        services, load = two_classes((0.4, 0.5), [exponential(1), exponential(1)], queue={"discipline": discipline})
        for name, limit in zip(load, limits, strict=True):
            if limit is not None:
                load[name]["policy"] = {"deadline": {"after": limit, "propagate": True}}
        run = sysim.simulate(sysim.loads(scenario(services, load, 5_000.0)), seed=9).to_dict()["runs"][0]
        found.append({name: run["windows"]["all"]["loads"][name]["latency_s"] for name in load})
    assert found[0] == found[1]


def test_deadlines_serve_the_one_that_is_due_first() -> None:
    """By hand: five wait behind one; they are served in order of their deadlines, those without one last."""
    services = {"q": {"concurrency": 1, "queue": {"discipline": "edf"}, "operations": {"serve": [{"work": "1s"}]}}}
    load: Node = {"first": {"call": "q.serve", "rate": {"replay": ["0s"]}}}
    for name, at, limit in (("a", "100ms", None), ("b", "200ms", "50s"), ("c", "300ms", "20s"), ("d", "400ms", "30s"),
                            ("e", "500ms", None)):  # fmt: skip
        load[name] = {"call": "q.serve", "rate": {"replay": [at]}}
        if limit:
            load[name]["policy"] = {"deadline": {"after": limit, "propagate": True}}
    run = sysim.simulate(sysim.loads(scenario(services, load, 1.0))).to_dict()["runs"][0]
    sojourn = {name: run["windows"]["all"]["loads"][name]["latency_s"]["mean"] for name in load}
    ends = {"c": 2.0, "d": 3.0, "b": 4.0, "a": 5.0, "e": 6.0}
    begins = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5}
    assert {name: sojourn[name] for name in ends} == pytest.approx({n: ends[n] - begins[n] for n in ends})


def test_a_high_class_does_not_see_an_overload_of_the_low_one() -> None:
    """1.5 times too much in all, but the high class alone is stable: it waits for the present one at most."""
    services, load = two_classes((0.4, 1.1), [exponential(1), exponential(1)])
    found = runs(scenario(services, load, 21_000, 1_000))
    # the server is always busy, so W0 = E S^2 / (2 E S) = 1
    means = [pick(run, "loads.class1.latency_s.mean") for run in found]
    complaint = judged("sojourn of the high class", means, 1 + 1 / 0.6, 0.02)
    assert not complaint, complaint
