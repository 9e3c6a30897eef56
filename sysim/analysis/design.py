"""What the written settings already imply, before anything is simulated."""

from __future__ import annotations

from dataclasses import dataclass

from sysim.model import ClosedLoad, Scenario, TimeWindow
from sysim.model.demand import offered_rates
from sysim.model.graph import Site, owner, sites
from sysim.model.topology import Step
from sysim.model.users import peak_users

NS = 1_000_000_000


@dataclass(frozen=True)
class Useless:
    """A circuit breaker that cannot open, and why."""

    caller: str
    target: str
    reason: str


def breakers_that_never_trip(scenario: Scenario) -> list[Useless]:
    """The breakers that the offered traffic cannot open, or that would never see a failure."""
    rates = call_rates(scenario)
    found: list[Useless] = []
    for site in sites(scenario):
        reason = _reason(scenario, site, rates)
        if reason:
            found.append(Useless(site.caller, site.target, reason))
    return list(dict.fromkeys(found))


def call_rates(scenario: Scenario) -> dict[str, float]:
    """Mean requests a second at each load and operation, before any fault or retry."""
    rates = dict(offered_rates(scenario))
    for name, load in scenario.load.items():
        only = scenario.model_copy(update={"load": {name: load}})
        targets = set(load.mix) or {site.target for site in sites(only) if site.caller == name}
        own = offered_rates(only)
        calls = sum(site.times for site in sites(only) if site.caller == name and not site.fallback) or 1.0
        rates[name] = (
            sum(own.get(target, 0.0) for target in targets) / calls if load.journey else _total(load, own)
        )
    return rates


def _total(load: object, own: dict[str, float]) -> float:
    mix: dict[str, float] = getattr(load, "mix", {})
    target, share = max(mix.items(), key=lambda item: item[1])
    return own.get(target, 0.0) / share


def _reason(scenario: Scenario, site: Site, rates: dict[str, float]) -> str:
    policy = site.policy
    breaker = policy.circuit_breaker if policy else None
    if policy is None or breaker is None:
        return ""
    if breaker.slow_call_rate is None and not policy.ends and not _can_fail(scenario, site.target):
        return "it sees slow answers only: no timeout, no slow-call rule, and the callee never fails"
    callers = _instances(scenario, site.caller)
    tries = policy.retry.max_attempts if policy.retry else 1
    per_instance = rates.get(site.caller, 0.0) * site.times * tries / callers
    if isinstance(breaker.window, TimeWindow):
        most = per_instance * breaker.window.time / NS
        if most < breaker.minimum_calls:
            return (
                f"it judges from {breaker.minimum_calls} calls on, but each of {callers} callers "
                f"makes at most {most:.3g} in its window"
            )
        return ""
    needed = min(breaker.minimum_calls, breaker.window.calls)
    most = per_instance * scenario.time.duration / NS
    if most < needed:
        few = f"each of {callers} callers makes some {most:.3g} in the run"
        return f"it judges from {needed} calls on, but {few}"
    return ""


def _instances(scenario: Scenario, caller: str) -> int:
    if caller in scenario.load:
        load = scenario.load[caller]
        return peak_users(load.users) if isinstance(load, ClosedLoad) else load.clients
    return scenario.services[owner(caller)].replicas


def _can_fail(scenario: Scenario, target: str) -> bool:
    """Whether a call to `target` may end in anything but success without its own timeout."""
    if any(
        fault.effect.kind not in ("pause", "slowdown", "capacity", "latency") for fault in scenario.faults
    ):
        return True
    service, _, operation = target.partition(".")
    body = scenario.services[service]
    if body.queue.capacity is not None or body.queue.max_wait is not None or body.admission is not None:
        return True
    return _steps_can_fail(body.operations[operation].steps)


def _steps_can_fail(steps: tuple[Step, ...]) -> bool:
    # Any call that is made may fail in ways of its own; only pure work never does.
    return any(step.kind not in ("work", "publish", "think") for step in steps)
