"""Weak points: services whose trouble becomes everybody's, and why.

A fault *spreads* where more of a load's requests fail than ever ask for the service. A service is *shared* where
several others call it, and a *single* one where one replica is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sysim.model import Scenario
from sysim.model.graph import owner, service_graph, sites
from sysim.study.faultlist import Single

SPREADS = 0.05
"""How much larger the share that fails must be than the share that asks, to say that a fault spreads."""
NOTICEABLE = 0.05
"""The share of a load's requests that has to fail for its service to count as a weak point."""


@dataclass(frozen=True)
class Weakness:
    """A service, its worst fault, and the share of each load's requests that failed while it lasted (`failing`),
    beside the share that asks for the service at all (`asking`). `callers` are the services that call it.
    """

    service: str
    fault: Single
    failed: float
    failing: Mapping[str, float]
    asking: Mapping[str, float]
    callers: tuple[str, ...]
    replicas: int
    external: bool

    @property
    def shared(self) -> bool:
        """Whether several services depend on it."""
        return len(self.callers) > 1

    @property
    def single(self) -> bool:
        """Whether it is one machine of ours."""
        return self.replicas == 1 and not self.external

    @property
    def spreads(self) -> tuple[str, ...]:
        """The loads of which more requests fail than ask for it."""
        return tuple(load for load, share in self.failing.items() if share > self.asking[load] + SPREADS)


def weaknesses(
    scenario: Scenario, impacts: Sequence[tuple[Single, float, Mapping[str, float]]]
) -> tuple[Weakness, ...]:
    """The weak points among the single faults (fault, failed requests, failing share by load), the worst first.

    A service counts when one of its faults fails a noticeable share of some load. Entrances are left out: that
    all requests fail where all of them enter says nothing.
    """
    graph = service_graph(scenario)
    found: dict[str, Weakness] = {}
    for fault, failed, failing in sorted(impacts, key=lambda item: (-item[1], item[0].name)):
        name = fault.place
        callers = tuple(sorted(a for a in graph.predecessors(name) if a in scenario.services)) if name in graph else ()
        if name in found or not callers or max(failing.values(), default=0.0) < NOTICEABLE:
            continue
        body = scenario.services[name]
        found[name] = Weakness(
            service=name,
            fault=fault,
            failed=failed,
            failing=failing,
            asking=asking(scenario, name),
            callers=callers,
            replicas=body.replicas,
            external=body.kind == "external",
        )
    return tuple(found.values())


def asking(scenario: Scenario, service: str) -> dict[str, float]:
    """For each load, the probability that a request of it leads to a call of `service` that somebody waits for.

    Calls are taken as independent of each other.
    """
    calls: dict[str, list[tuple[str, float]]] = {}
    for site in sites(scenario):
        if not site.published and not site.fallback:
            calls.setdefault(site.caller, []).append((site.target, site.times))
    known: dict[str, float] = {}

    def reach(target: str) -> float:
        if owner(target) == service:
            return 1.0
        if target not in known:
            none = 1.0
            for callee, times in calls.get(target, []):
                none *= (1.0 - reach(callee)) ** times if times > 1.0 else 1.0 - times * reach(callee)
            known[target] = 1.0 - none
        return known[target]

    return {load: _of_load(calls.get(load, []), reach, bool(body.mix)) for load, body in scenario.load.items()}


def _of_load(calls: list[tuple[str, float]], reach: object, mix: bool) -> float:
    """A mix sends one of its calls, a journey all of them."""
    assert callable(reach)
    if mix:
        return float(sum(times * reach(target) for target, times in calls))
    none = 1.0
    for target, times in calls:
        none *= 1.0 - min(1.0, times) * reach(target)
    return 1.0 - none
