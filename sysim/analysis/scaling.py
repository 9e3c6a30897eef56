"""What autoscalers and schedules are told to do, in words, and where they cannot do what is hoped of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sysim.analysis.words import counted, percent, span
from sysim.model import Autoscaler, CalendarRate, ConstantRate, OpenLoad, Scenario, Service, StagesRate
from sysim.model.demand import offered_rates, peak_rate, step_demand
from sysim.model.graph import call_path

if TYPE_CHECKING:
    from sysim.result.run import Run, Scaling

NS = 1_000_000_000
MANY = 4
"""Changes of one service that are told one by one."""
STEEP = 1.5
"""How many times as much there has to be at the end of a stage for it to count as a climb."""


def told(scenario: Scenario, when: Callable[[int], str]) -> Iterator[str]:
    """How the replicas of each service follow its load or the clock; `when` puts an instant into words."""
    for name, service in sorted(scenario.services.items()):
        scaler = service.autoscaler
        if scaler is not None:
            yield f"{name}: {_law(scaler)}"
            yield f"{name}: {_reaction(service, scaler)}"
            yield from _doubts(scenario, name, service, scaler)
        for line in service.schedule:
            least = "at least " if scaler is not None else ""
            again = f", and again every {span(line.every / NS)}" if line.every else ""
            yield f"{name}: from {when(line.at)} on {least}{counted(line.replicas, 'replica')}{again}"


def _law(scaler: Autoscaler) -> str:
    goal = f"{scaler.target:g} requests on each ready replica"
    if scaler.metric == "utilisation":
        goal = f"{percent(scaler.target)} of the workers of ready replicas held"
    elif scaler.metric == "cpu":
        goal = f"{percent(scaler.target)} of the cores of ready replicas in use"
    return (
        f"every {span(scaler.every / NS)} an autoscaler asks for as many replicas, {scaler.min} to {scaler.max}, as "
        f"bring it to {goal}, give or take {percent(scaler.tolerance)} of that"
    )


def _reaction(service: Service, scaler: Autoscaler) -> str:
    slowest = (2 * scaler.every + service.startup) / NS
    down = f"for {span(scaler.stabilise / NS)}" if scaler.stabilise else "at that look"
    return (
        f"a rise of its load is answered by ready replicas within {span(slowest)} (a look that sees it whole, and "
        f"{span(service.startup / NS)} of startup); replicas leave once no more were asked for {down}"
    )


def _doubts(scenario: Scenario, name: str, service: Service, scaler: Autoscaler) -> Iterator[str]:
    """What the numbers already say against it."""
    if scaler.never_grows:
        yield f"{name}: it never asks for more, since {scaler.metric} above {_above(scaler)} cannot be"
    need = needed(scenario, name)
    if need is not None and need > scaler.max:
        yield f"{name}: at the peak it would need {counted(need, 'replica')}, and may have {scaler.max}"
    delay = scaler.every + service.startup
    for load, ramp in sorted(_ramps(scenario, name).items()):
        if delay > ramp:
            climbs = f"in {span(ramp / NS)}" if ramp else "in an instant"
            yield (
                f"{name}: {load} climbs {climbs}, faster than a look and a startup take ({span(delay / NS)}): until "
                "then there are only the replicas of before; a schedule can have them ready"
            )


def _above(scaler: Autoscaler) -> str:
    return f"{percent(scaler.target)} × {1.0 + scaler.tolerance:g}"


def needed(scenario: Scenario, name: str) -> int | None:
    """How many replicas its autoscaler would ask for with every open load at its highest rate, as far as that can be
    told beforehand: from the work, and where workers are held while they wait, from the calls without queueing.
    """
    service = scenario.services[name]
    scaler = service.autoscaler
    if scaler is None:
        return None
    start, end = scenario.time.warmup, scenario.time.duration
    loads = {}
    for key, load in scenario.load.items():
        if isinstance(load, OpenLoad):
            loads[key] = load.model_copy(update={"rate": ConstantRate(value=peak_rate(load.rate, start, end))})
    rates = offered_rates(scenario.model_copy(update={"load": loads}))
    held = 0.0
    for operation, body in service.operations.items():
        rate = rates.get(f"{name}.{operation}", 0.0)
        if scaler.metric == "cpu" or (scaler.metric == "utilisation" and service.threading == "async"):
            held += rate * step_demand(body.steps, scenario.flags)[0] / NS
        elif rate:
            held += rate * call_path(scenario, f"{name}.{operation}", None, {}).seconds
    each = {"utilisation": service.concurrency, "cpu": service.cores, "in_progress": 1.0}[scaler.metric]
    if not each or not math.isfinite(held):
        return None
    return math.ceil(held / (each * scaler.target) - 1e-9)


def _ramps(scenario: Scenario, name: str) -> dict[str, int]:
    """The steepest ramp, in ns, of each load that reaches a service."""
    found: dict[str, int] = {}
    for key, load in scenario.load.items():
        if not isinstance(load, OpenLoad):
            continue
        ramps: list[int] = []
        if isinstance(load.rate, CalendarRate):
            ramps = [burst.ramp for burst in load.rate.bursts if burst.factor > 1.0]
        elif isinstance(load.rate, StagesRate):
            stages = load.rate.stages
            before = [load.rate.start, *(stage.to for stage in stages[:-1])]
            ramps = [stage.duration for rate, stage in zip(before, stages, strict=True) if stage.to > STEEP * rate]
        if ramps and _reaches(scenario, key, name):
            found[key] = min(ramps)
    return found


def _reaches(scenario: Scenario, load: str, name: str) -> bool:
    from sysim.model.graph import service_graph

    graph = service_graph(scenario)
    seen, todo = {load}, [load]
    while todo:
        for callee in graph.successors(todo.pop()):
            if callee not in seen:
                seen.add(callee)
                todo.append(callee)
    return name in seen


# --- what came of it --------------------------------------------------------------------------------------


def sentences(run: Run) -> list[tuple[float, str]]:
    """When replicas were asked for or given up, and by what; many changes of one service are summed up."""
    by_service: dict[str, list[Scaling]] = {}
    for scaling in run.scalings:
        by_service.setdefault(scaling.service, []).append(scaling)
    found: list[tuple[float, str]] = []
    for some in by_service.values():
        if len(some) <= MANY:
            found += [(scaling.at_s, f"{_who(scaling)} {_does(scaling)}") for scaling in some]
            continue
        counts = [scaling.replicas for scaling in some if scaling.by != "least"] or [s.replicas for s in some]
        highest = max(some, key=lambda scaling: scaling.replicas)
        first = some[0]
        begins = f"{_who(first)} {_does(first)}, the first of {len(some)} changes"
        found.append((first.at_s, begins))
        if highest is not first:
            most = f"{_who(highest)} {_does(highest)}, the most there are (the fewest are {min(counts)})"
            found.append((highest.at_s, most))
    return found


def _who(scaling: Scaling) -> str:
    return "the autoscaler" if scaling.by == "autoscaler" else "the schedule"


def _does(scaling: Scaling) -> str:
    least = "at least " if scaling.by == "least" else ""
    return f"scales {scaling.service} to {least}{counted(scaling.replicas, 'replica')}"


__all__ = ["needed", "sentences", "told"]
