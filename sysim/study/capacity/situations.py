"""Where a plan is put to the test: the busiest stretch of the run, and what breaks while it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sysim.errors import SysimError
from sysim.model import (
    CrashFault,
    Fault,
    NoFailure,
    OpenLoad,
    Planning,
    ReplicaLoss,
    Scenario,
    ServiceTarget,
    SlowdownFault,
    SlowService,
    Window,
    ZoneLoss,
    ZoneTarget,
)
from sysim.model.demand import mean_rate
from sysim.model.graph import critical_paths, finite
from sysim.model.holding import replicas_busy_each
from sysim.model.planning import Assumption
from sysim.model.scenario import default_bucket
from sysim.model.stretch import stretch
from sysim.study.capacity.goals import JUDGED

NS = 1_000_000_000
MINUTE = 60 * NS
FINAL = 5 * MINUTE
"""How long a plan is judged in the end, unless the file says."""
LEAST_SEARCH = 60 * NS
REQUESTS = 40_000
"""So many requests of the goals' loads are enough in a search."""
LEAD = 20 * NS
PATHS = 20.0
"""The least warm-up: so long, and so many times the longest path of a request."""
STEPS = 600


class Break(NamedTuple):
    """What breaks: a zone or a service, or so many `replicas` of it."""

    target: ServiceTarget | ZoneTarget
    effect: CrashFault | SlowdownFault
    replicas: int | None = None


@dataclass(frozen=True)
class Situation:
    """A stretch of the run from `start` to `end` (ns) and a failure at its beginning, in a few words and as faults.

    The requests that arrive in the stretch are judged. `own` is the name of a fault of the file that it is about.
    """

    name: str
    start: int
    end: int
    breaks: tuple[Break, ...] = ()
    own: str | None = None

    def scenario(self, base: Scenario, lead: int, lasts: int | None = None) -> Scenario:
        """The stretch, or its first `lasts` ns, as a scenario with the window `judged`, after a warm-up of `lead`."""
        end = self.end if lasts is None else min(self.end, self.start + lasts)
        part = stretch(base, self.start, end, lead)
        begin = part.time.warmup
        faults = [
            Fault(name=f"assumed_{k}", on=(target,), effect=effect, at=begin, replicas=replicas)
            for k, (target, effect, replicas) in enumerate(self.breaks)
        ]
        duration = part.time.duration
        changes = {
            "faults": (*part.faults, *faults),
            "windows": {JUDGED: Window(start=begin, end=duration)},
            "checks": (),
            "abort_when": (),
            "planning": None,
            "time": part.time.model_copy(update={"bucket": default_bucket(duration)}),
        }
        return part.model_copy(update=changes)


def situations(scenario: Scenario, planning: Planning, sized: Sequence[str]) -> tuple[Situation, ...]:
    """All situations of a plan: the busiest stretch under each assumption, and that of each fault of the file."""
    start, end = judged(scenario, planning)
    nothing = "nothing else fails" if stretch(scenario, start, end, 0).faults else "nothing fails"
    found = [
        Situation(name or nothing, start, end, tuple(breaks))
        for assumption in planning.assume
        for name, breaks in _breaks(scenario, assumption, sized)
    ]
    if planning.window is None:
        length = end - start
        for number, fault in enumerate(scenario.faults):
            if fault.at is None or fault.every is not None or start <= fault.at < end:
                continue
            name = fault.name or f"fault {number}"
            last = scenario.time.duration
            found.append(Situation(name, fault.at, min(fault.at + length, last), own=name))
    names: dict[str, Situation] = {}
    for situation in found:
        names.setdefault(situation.name, situation)
    return tuple(names.values())


def judged(scenario: Scenario, planning: Planning) -> tuple[int, int]:
    """The stretch to judge: the window of the file, or the busiest minutes of the run (ns)."""
    whole = scenario.whole
    if planning.window is not None:
        return planning.window.start, planning.window.end
    length = min(FINAL, whole.end - whole.start)
    return busiest(scenario, length)


def busiest(scenario: Scenario, length: int) -> tuple[int, int]:
    """The stretch of `length` ns in which the busiest service is busiest, by the rates of the file alone.

    A service's utilisation is linear in the rates of the loads; where loads peak at different times, the stretch is
    that of the service which comes nearest to its limit.
    """
    whole = scenario.whole
    span = whole.end - whole.start
    step = max(1, (span - length) // STEPS, length // 20)
    weights = _weights(scenario)

    def pressure(start: int) -> float:
        rates = {
            name: mean_rate(load.rate, start, start + length)
            for name, load in scenario.load.items()
            if isinstance(load, OpenLoad)
        }
        return max((sum(rates[name] * w for name, w in row.items()) for row in weights), default=0.0)

    first, last = whole.start, whole.end - length
    best, when = pressure(first), first
    for start in [*range(first + step, last, step), last]:
        found = pressure(start)
        if found > best * (1.0 + 1e-9):
            best, when = found, start
    fine = max(1, step // 10)
    for start in range(max(first, when - step + fine), min(last, when + step), fine):
        found = pressure(start)
        if found > best * (1.0 + 1e-9):
            best, when = found, start
    return when, when + length


def _weights(scenario: Scenario) -> list[dict[str, float]]:
    """For each service with a limit: the share of its replicas that one request a second of each open load takes."""
    rows: dict[str, dict[str, float]] = {}
    each = replicas_busy_each(scenario)
    for load, busy in each.items():
        for service, replicas in busy.items():
            rows.setdefault(service, {})[load] = replicas / scenario.services[service].replicas
    # Where nothing is limited: the stretch with the most requests.
    return list(rows.values()) or [dict.fromkeys(each, 1.0)]


def lead_of(scenario: Scenario) -> int:
    """How long a warm-up has to be (ns): several times the longest path of a request."""
    longest = max((finite(path.seconds) or 0.0 for path in critical_paths(scenario).values()), default=0.0)
    return max(LEAD, round(PATHS * longest * NS))


def enough(scenario: Scenario, situation: Situation, loads: Sequence[str]) -> int:
    """How much of a stretch (ns) tells enough for a search: so many requests of every load that is judged."""
    rates = []
    for name in loads:
        load = scenario.load[name]
        if isinstance(load, OpenLoad):
            rates.append(mean_rate(load.rate, situation.start, situation.end))
    slowest = min(rates, default=0.0)
    needed = round(REQUESTS / slowest * NS) if slowest > 0 else situation.end - situation.start
    return min(situation.end - situation.start, max(LEAST_SEARCH, needed))


# --- what breaks ------------------------------------------------------------------------------------------

def _breaks(scenario: Scenario, assumption: Assumption, sized: Sequence[str]) -> list[tuple[str, list[Break]]]:
    """What an assumption breaks: a name, empty where it is nothing, and the faults."""
    match assumption:
        case NoFailure():
            return [("", [])]
        case ReplicaLoss():
            return [("a replica of each is lost", [Break(ServiceTarget(service=x), CrashFault(), 1) for x in sized])]
        case ZoneLoss():
            zones = [assumption.zone] if assumption.zone is not None else zones_of(scenario)
            if not zones:
                raise SysimError("found no zones, expected some to lose: give services zones: [a, b]")
            return [(f"zone {zone} is lost", [Break(ZoneTarget(zone=zone), CrashFault())]) for zone in zones]
        case SlowService():
            names = [assumption.service] if assumption.service is not None else _external(scenario)
            if not names:
                raise SysimError("found no external service, expected one to be slow: write slow: {service: NAME}")
            slow = SlowdownFault(factor=assumption.times)
            return [
                (f"{name} is {assumption.times:g} times slower", [Break(ServiceTarget(service=name), slow)])
                for name in names
            ]


def _external(scenario: Scenario) -> list[str]:
    return [name for name, body in sorted(scenario.services.items()) if body.kind == "external"]


def zones_of(scenario: Scenario) -> list[str]:
    """The zones that some service can have a replica in."""
    return sorted({zone for body in scenario.services.values() for zone in body.zones})


__all__ = ["Break", "Situation", "busiest", "enough", "judged", "lead_of", "situations", "zones_of"]
