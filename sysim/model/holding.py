"""Workers held: by work, and in a blocking service by waiting for what it calls."""

from __future__ import annotations

from sysim.model.demand import NS_PER_SECOND, offered_rates, servers, step_demand
from sysim.model.graph import call_path
from sysim.model.scenario import Scenario
from sysim.model.shapes import ConstantRate
from sysim.model.workload import OpenLoad


def held(scenario: Scenario) -> dict[str, float]:
    """Mean workers of each blocking service with limited workers that are held over the window `all`, if nothing ever
    waited: arrivals a second × (work + the critical path of its calls). Closed loads are left out.
    """
    rates = _rates(scenario)
    found: dict[str, float] = {}
    for name, body in scenario.services.items():
        if body.concurrency is None or body.threading == "async":
            continue
        found[name] = sum(
            rates.get(f"{name}.{operation}", 0.0) * call_path(scenario, f"{name}.{operation}", None, {}).seconds
            for operation in body.operations
        )
    return found


def working(scenario: Scenario) -> dict[str, float]:
    """Mean requests of each service that are being worked on over the window `all`, in the same way."""
    rates = _rates(scenario)
    return {
        name: sum(
            rates.get(f"{name}.{operation}", 0.0) * step_demand(some.steps, scenario.flags)[0] / NS_PER_SECOND
            for operation, some in body.operations.items()
        )
        for name, body in scenario.services.items()
    }


def replicas_busy(scenario: Scenario) -> dict[str, float]:
    """How many replicas of each service with a limit the window `all` keeps wholly busy, if nothing ever waited: by
    the work for its workers or fewer cores, or by the workers that are held.
    """
    work, workers = working(scenario), held(scenario)
    return {
        name: max(work[name] * body.replicas / limit, workers.get(name, 0.0) / (body.concurrency or 1))
        for name, body in scenario.services.items() if (limit := servers(body)) is not None
    }  # fmt: skip


def replicas_busy_each(scenario: Scenario) -> dict[str, dict[str, float]]:
    """For each open load: the same, if it alone brought one request a second. It adds up over loads, and grows with
    their rates in proportion.
    """
    found = {}
    for name, load in scenario.load.items():
        if isinstance(load, OpenLoad):
            one = load.model_copy(update={"rate": ConstantRate(value=1.0)})
            found[name] = replicas_busy(scenario.model_copy(update={"load": {name: one}}))
    return found


def _rates(scenario: Scenario) -> dict[str, float]:
    loads = {name: load for name, load in scenario.load.items() if isinstance(load, OpenLoad)}
    return offered_rates(scenario.model_copy(update={"load": loads}))


__all__ = ["held", "replicas_busy", "replicas_busy_each", "working"]
