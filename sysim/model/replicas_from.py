"""How many replicas a run that begins in the middle of another begins with, where the load decides on them."""

from __future__ import annotations

from math import ceil

from sysim.model.autoscaler import Autoscaler
from sysim.model.demand import servers
from sysim.model.holding import held, working
from sysim.model.scenario import Scenario
from sysim.model.topology import Service


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


__all__ = ["followed"]
