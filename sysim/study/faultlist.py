"""Every single fault that a design can be asked about: of services, of the calls between them, of zones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from sysim.model import Scenario
from sysim.model.distribution import Constant
from sysim.model.fault import (
    BlackholeFault,
    CrashFault,
    EdgeTarget,
    Effect,
    ErrorFault,
    Fault,
    FaultTarget,
    PauseFault,
    ServiceTarget,
    SlowdownFault,
    ZoneTarget,
)
from sysim.model.graph import service_graph

KINDS = ("crash", "lost", "slowdown", "pause", "error", "blackhole", "zone")
"""One replica crashed, all replicas lost, slower, hung, answering errors, calls swallowed, a zone lost."""


@dataclass(frozen=True)
class Terms:
    """How faults are injected, times in ns: at `settle` after the start, for `lasts`; the run is watched for
    `watch` after that. `slowdown` is the factor of slow services, `error` the share of errors of failing ones.
    """

    settle: int = 30_000_000_000
    lasts: int = 20_000_000_000
    watch: int | None = None
    slowdown: float = 20.0
    error: float = 1.0

    @property
    def watched(self) -> int:
        """How long the run goes on after the fault: ten times its length and 10 s, unless given."""
        return 10 * self.lasts + 10_000_000_000 if self.watch is None else self.watch

    @property
    def duration(self) -> int:
        """The length of a run."""
        return self.settle + self.lasts + self.watched


@dataclass(frozen=True)
class Single:
    """One fault: its name in a few words, its kind, and what it takes away (a service, or ``zone a``).

    For a fault of the calls between two services `caller` is the one, and `place` the other.
    """

    name: str
    kind: str
    place: str
    fault: Fault
    caller: str | None = None


def singles(scenario: Scenario, terms: Terms, kinds: tuple[str, ...] = KINDS) -> tuple[Single, ...]:
    """All single faults of a scenario, sorted by place, kind and caller."""
    found: list[Single] = []
    graph = service_graph(scenario)
    for name, service in sorted(scenario.services.items()):
        if not graph.in_degree(name):
            continue  # nobody calls it
        here = ServiceTarget(service=name)
        if service.replicas > 1:
            text = f"one of {service.replicas} replicas of {name} crashes"
            found.append(Single(text, "crash", name, _fault(here, CrashFault(), terms, replicas=1)))
        what = f"{name} is lost, all {service.replicas} replicas" if service.replicas > 1 else f"{name} is lost"
        found.append(Single(what, "lost", name, _fault(here, CrashFault(), terms)))
        slow = SlowdownFault(factor=terms.slowdown)
        found.append(Single(f"{name} is {terms.slowdown:g} times slower", "slowdown", name, _fault(here, slow, terms)))
        found.append(Single(f"{name} hangs", "pause", name, _fault(here, PauseFault(), terms)))
        share = "only" if terms.error == 1.0 else f"{terms.error * 100:g} %"
        errors = _fault(here, ErrorFault(share=terms.error), terms)
        found.append(Single(f"{name} answers {share} errors", "error", name, errors))
    for caller, callee in sorted(graph.edges):
        if caller in scenario.services and caller != callee:
            edge = EdgeTarget(caller=caller, callee=callee)
            text = f"calls {caller} -> {callee} vanish"
            found.append(Single(text, "blackhole", callee, _fault(edge, BlackholeFault(), terms), caller))
    # replica i lies in the zone i mod n, so that a zone may be named and empty
    zones = sorted({zone for service in scenario.services.values() for zone in service.zones[: service.replicas]})
    for zone in zones:
        lost = _fault(ZoneTarget(zone=zone), CrashFault(), terms)
        found.append(Single(f"zone {zone} is lost", "zone", f"zone {zone}", lost))
    return tuple(single for single in found if single.kind in kinds)


def _fault(target: FaultTarget, effect: Effect, terms: Terms, replicas: int | None = None) -> Fault:
    return Fault(
        on=(target,), effect=effect, at=terms.settle, lasts=Constant(value=terms.lasts), replicas=replicas
    )


def pairs(found: tuple[Single, ...]) -> list[tuple[Single, Single]]:
    """All pairs of faults at different places."""
    return [(a, b) for a, b in combinations(found, 2) if a.place != b.place]
