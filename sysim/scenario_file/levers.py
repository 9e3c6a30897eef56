"""What is wrong with actions once the whole scenario is known: levers that have nothing to move."""

from __future__ import annotations

from typing import Final

from sysim.model import (
    Action,
    AlertCondition,
    CallPolicy,
    Condition,
    DrainLever,
    RestartLever,
    Scenario,
    SetLever,
    UndrainLever,
)
from sysim.model.steps import policies_of
from sysim.scenario_file.crosscheck import named_at
from sysim.scenario_file.reading import Reading
from sysim.scenario_file.reporter import join
from sysim.units import format_duration

_NEEDS: Final = {
    "retry.max_attempts": "retry",
    "hedge.max_attempts": "hedge",
    "rate_limit.rate": "rate_limit",
    "fallback": "fallback",
}


def check_actions(scenario: Scenario, ctx: Reading) -> None:
    """Report each lever that strikes nothing, each condition without a number, and what comes too late."""
    policies: dict[str, CallPolicy] = {}
    if any(isinstance(action.lever, SetLever) for action in scenario.actions):
        policies = {policy.scope: policy for policy in policies_of(scenario) if policy.scope is not None}
    for number, action in enumerate(scenario.actions):
        at = join("actions", number)
        _settings(action, at, policies, ctx)
        _zone(action, at, scenario, ctx)
        _moment(action, at, scenario, ctx)


def _settings(action: Action, at: str, policies: dict[str, CallPolicy], ctx: Reading) -> None:
    if not isinstance(action.lever, SetLever):
        return
    for setting in action.lever.settings:
        where = join(join(at, "set"), setting.path)
        policy = policies.get(setting.scope)
        needed = _NEEDS.get(setting.key)
        if policy is None:
            message = f"found the policy {setting.scope!r}, which no call uses"
            _say(ctx, "unused-policy", where, message, "set the policy that the calls use")
        elif needed is not None and getattr(policy, needed) is None:
            message = f"found {setting.path!r}, but the policy has no {needed}"
            _say(ctx, "nothing-to-set", where, message, f"give it a {needed} to begin with")


def _zone(action: Action, at: str, scenario: Scenario, ctx: Reading) -> None:
    lever = action.lever
    if not isinstance(lever, RestartLever | DrainLever | UndrainLever) or lever.zone is None:
        return
    names = list(scenario.services) if lever.service is None else [lever.service]
    lying = [scenario.services[name].zones[: scenario.most_replicas(name)] for name in names]
    zones = sorted({zone for some in lying for zone in some})
    if lever.zone not in zones:
        message = f"found zone {lever.zone!r}, in which {lever.service or 'no service'} has "
        message += "no replica" if lever.service else "a replica"
        hint = ctx.reporter.nearest(lever.zone, zones)
        _say(ctx, "unknown-zone", join(join(at, lever.kind), "zone"), message, hint)


def _moment(action: Action, at: str, scenario: Scenario, ctx: Reading) -> None:
    end = scenario.time.duration
    if action.at is not None and action.at >= end:
        message = f"found an action after the load has ended at {format_duration(end)}: it is never carried out"
        _say(ctx, "after-the-end", join(at, "at"), message, severity="warning")
    if action.when is None:
        return
    where = join(at, "when")
    every = action.when.every if isinstance(action.when, Condition) else _alert(action.when, where, scenario, ctx)
    if every >= end:
        message = f"found the first look at a condition after the load has ended at {format_duration(end)}"
        _say(ctx, "after-the-end", where, message, "a shorter `every`", severity="warning")
    if not isinstance(action.when, Condition):
        return
    if action.when.metric == "utilisation" and scenario.services[action.when.subject].concurrency is None:
        message = f"found utilisation of {action.when.subject!r}, which has no limit of workers"
        _say(ctx, "bad-condition", where, message, "give it a concurrency, or look at in_system")


def _alert(when: AlertCondition, at: str, scenario: Scenario, ctx: Reading) -> int:
    """How often an alert is looked at; 0 where there is none."""
    alert = scenario.slos[when.slo].alert
    if alert is None:
        message = f"found the slo {when.slo!r}, which has no alert"
        _say(ctx, "no-alert", join(at, "alert"), message, "give it one, such as alert: {}")
        return 0
    return alert.every


def _say(ctx: Reading, code: str, at: str, message: str, hint: str = "", severity: str = "error") -> None:
    node, path = named_at(ctx.root, at)
    ctx.report(node, code, path, message, hint, "warning" if severity == "warning" else "error")


__all__ = ["check_actions"]
