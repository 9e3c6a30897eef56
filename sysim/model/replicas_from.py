"""How many replicas a run that begins in the middle of another begins with, where clocks or the load decide on them."""

from __future__ import annotations

from math import ceil

from sysim.model.autoscaler import Autoscaler, ScheduleLine
from sysim.model.demand import servers
from sysim.model.holding import held, working
from sysim.model.scenario import Scenario
from sysim.model.topology import Service


def schedule_from(service: Service, cut: int) -> Service:
    """The service of a run that begins at `cut` (ns): the line of its schedule that is in force has been carried out,
    the others come when they would have.
    """
    if not cut or not service.schedule:
        return service
    in_force: tuple[int, int, int] | None = None
    ahead: list[ScheduleLine] = []
    for number, line in enumerate(service.schedule):
        at = line.at
        if at < cut:
            rounds = (cut - 1 - at) // line.every if line.every is not None else 0
            last = at + rounds * (line.every or 0)
            in_force = max(in_force or (-1, -1, 0), (last, number, line.replicas))
            if line.every is None:
                continue
            at = last + line.every
        ahead.append(line.model_copy(update={"at": at - cut}))
    update: dict[str, object] = {"schedule": tuple(ahead)}
    if in_force is not None:
        replicas = in_force[2]
        if service.autoscaler is None:
            update["replicas"] = replicas
        else:
            update["autoscaler"] = service.autoscaler.model_copy(update={"min": replicas})
            update["replicas"] = max(service.replicas, replicas)
    return service.model_copy(update=update)


def followed(scenario: Scenario) -> Scenario:
    """The scenario with autoscalers that have followed the load of its beginning: so many replicas as bring each to its
    target at the rates of the warm-up (or of the whole run, without one), if nothing waited.
    """
    scaling = [name for name, body in scenario.services.items() if body.autoscaler is not None]
    if not scaling:
        return scenario
    time = scenario.time
    beginning = scenario.model_copy(
        update={"time": time.model_copy(update={"warmup": 0, "duration": time.warmup or time.duration})}
    )
    holding, work = held(beginning), working(beginning)
    services = dict(scenario.services)
    for name in scaling:
        body = services[name]
        assert body.autoscaler is not None
        services[name] = body.model_copy(
            update={"replicas": _wanted(body, body.autoscaler, holding.get(name, work[name]), work[name])}
        )
    return scenario.model_copy(update={"services": services})


def _wanted(body: Service, scaler: Autoscaler, holding: float, work: float) -> int:
    """As the law says, of the means that the metric would show."""
    match scaler.metric:
        case "utilisation":
            busy = max(holding, work) / (body.concurrency or 1)
        case "cpu":
            busy = work / (body.cores or 1.0)
        case "in_progress":
            busy = max(holding, work)
    limit = servers(body)
    least = work * body.replicas / limit if limit is not None else 0.0
    return min(scaler.max, max(scaler.min, ceil(max(busy / scaler.target, least) - 1e-9)))


__all__ = ["followed", "schedule_from"]
