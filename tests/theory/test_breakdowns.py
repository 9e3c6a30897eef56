"""A server that breaks down at random and is repaired: the oracle for recurring faults."""

from __future__ import annotations

import pytest

from tests.theory.formulas import breakdowns
from tests.theory.simulate import exponential, matches, pick, poisson, runs, scenario, serves


@pytest.mark.parametrize(
    ("lam", "f", "r", "in_system", "sojourn", "horizon"),
    [
        (0.5, 0.1, 0.5, 1.91666667, 3.83333333, 20_000),
        (0.7, 0.02, 0.2, 4.7312253, 6.75889328, 60_000),
        pytest.param(0.7, 0.02, 0.2, 4.7312253, 6.75889328, 1_500_000, marks=pytest.mark.long),
    ],
)
def test_breakdowns(lam: float, f: float, r: float, in_system: float, sojourn: float, horizon: float) -> None:
    """Work goes on where it stood: Avi-Itzhak and Naor."""
    assert breakdowns(lam, 1, f, r) == pytest.approx(in_system, rel=1e-7)
    services = {"q": serves(exponential(1), concurrency=1)}
    faults = [{"every": exponential(1 / f), "for": exponential(1 / r), "on": "q", "pause": True}]
    load = {"requests": poisson("q.serve", lam)}
    tolerance = 0.04 if horizon < 1_000_000 else 0.015
    matches(runs(scenario(services, load, horizon + 2_000, 2_000, faults=faults)), {
        "services.q.in_system_mean": (in_system, tolerance),
        "loads.requests.latency_s.mean": (sojourn, tolerance),
    })  # fmt: skip


def test_availability_of_a_service_that_refuses_while_it_is_down() -> None:
    """The share of requests that find it up is up/(up + down), whatever the two distributions."""
    services = {"q": serves("1ms")}
    for every, lasts in (
        ({"exponential": "9s"}, {"exponential": "1s"}),
        ("9s", {"exponential": "1s"}),
        ({"erlang": {"mean": "9s", "k": 2}}, {"lognormal": {"mean": "1s", "cv": 1}}),
    ):
        faults = [{"every": every, "for": lasts, "on": "q", "refuse": True}]
        text = scenario(services, {"requests": poisson("q.serve", 2)}, 10_000, faults=faults)
        found = runs(text)
        matches(found, {"loads.requests.success": (0.9, 0.015)})
        for run in found:
            requests = run["windows"]["all"]["loads"]["requests"]
            assert requests["offered"] == requests["ok"] + requests["outcomes"]["unreachable"]


def test_each_replica_breaks_on_its_own() -> None:
    """Ten replicas, each down a tenth of the time: all of them at once only for 1e-10 of it."""
    services = {"q": serves("1ms", replicas=10)}
    fault = {"every": {"exponential": "9s"}, "for": {"exponential": "1s"}, "on": "q", "refuse": True}
    load = {"requests": poisson("q.serve", 2, policy={"balancer": "random"})}
    for each in ({}, {"each": "replica"}):
        found = runs(scenario(services, load, 10_000, faults=[{**fault, **each}]))
        matches(found, {"loads.requests.success": (0.9, 0.015)})
        load = {
            "requests": poisson("q.serve", 2, policy={"balancer": "random", "retry": {"max_attempts": 3}})
        }
        found = runs(scenario(services, load, 10_000, faults=[{**fault, **each}]), replications=5)
        for run in found:
            # another replica helps only if it does not fail together with the first
            success = pick(run, "loads.requests.success")
            assert success > 0.998 if each else success < 0.93
        load = {"requests": poisson("q.serve", 2, policy={"balancer": "random"})}
