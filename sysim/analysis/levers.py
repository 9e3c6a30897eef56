"""What operators do, in words."""

from __future__ import annotations

from sysim.analysis.words import listed, percent, span
from sysim.model import (
    Action,
    AlertCondition,
    ClearQueueLever,
    DeployLever,
    DrainLever,
    FlagLever,
    RestartLever,
    RollbackLever,
    ScaleLever,
    SetLever,
    Setting,
    ShedLever,
    UndrainLever,
)
from sysim.units import format_duration, format_rate

NS = 1_000_000_000


def pulls(action: Action) -> str:
    """What an operator does: ``switches off similar_bets``."""
    return listed([f"{verb}{'es' if verb.endswith('tch') else 's'} {rest}" for verb, rest in _deeds(action)])


def decides(action: Action) -> str:
    """What an operator makes up their mind to do: ``decides to switch off similar_bets``."""
    return f"decides to {listed([f'{verb} {rest}' for verb, rest in _deeds(action)])}"


def because(action: Action) -> str:
    """Why: ``, as queue(api) > 1000 has held for 30 s``; nothing for an action at an instant."""
    when = action.when
    if when is None:
        return ""
    if isinstance(when, AlertCondition):
        return f", as {when.text} {f'has gone on for {span(when.lasts / NS)}' if when.lasts else 'fires'}"
    return f", as {when.text} {f'has held for {span(when.lasts / NS)}' if when.lasts else 'holds'}"


def _deeds(action: Action) -> list[tuple[str, str]]:
    lever = action.lever
    match lever:
        case FlagLever(flags=flags):
            return [("switch", f"{'on' if on else 'off'} {name}") for name, on in sorted(flags.items())]
        case ShedLever(load=load, share=share):
            return [("shed", f"{percent(share)} of {load}")] if share else [("stop", f"shedding {load}")]
        case ClearQueueLever(service=service):
            return [("clear", f"the queue of {service}")]
        case RestartLever():
            return [("restart", _whom(lever))]
        case DrainLever():
            return [("drain", _whom(lever))]
        case UndrainLever():
            return [("bring", f"{_whom(lever)} back into service")]
        case ScaleLever(service=service, replicas=replicas):
            return [("scale", f"{service} to {replicas} replica{'s' if replicas > 1 else ''}")]
        case DeployLever():
            return [("deploy", f"a new version of {lever.service}{_worse(lever)}")]
        case RollbackLever(service=service):
            return [("roll", f"{service} back to the version before")]
        case SetLever(settings=settings):
            return [_setting(setting) for setting in settings]


def _worse(lever: DeployLever) -> str:
    found = []
    if lever.slowdown != 1.0:
        found.append(f"work takes {lever.slowdown:g} times as long")
    if lever.error:
        found.append(f"{percent(lever.error)} end with an error")
    return f" ({listed(found)})" if found else ""


def _whom(lever: RestartLever | DrainLever | UndrainLever) -> str:
    if lever.service is None:
        return f"zone {lever.zone}"
    what = lever.service
    if lever.replicas is not None:
        what = f"{lever.replicas} replica{'s' if lever.replicas > 1 else ''} of {what}"
    elif lever.replica_share is not None:
        what = f"{percent(lever.replica_share)} of {what}"
    return what if lever.zone is None else f"{what} in zone {lever.zone}"


def _setting(setting: Setting) -> tuple[str, str]:
    value = setting.value
    if value == "auto":
        return "leave", f"{setting.path} to itself"
    if setting.key == "fallback":
        return "answer", f"{setting.path.removesuffix('.fallback')} from its fallback"
    if isinstance(value, str):
        return "force", f"{setting.path} {value}"
    if setting.key == "timeout":
        return "set", f"{setting.path} to {format_duration(int(value))}"
    if setting.key == "rate_limit.rate":
        return "set", f"{setting.path} to {format_rate(float(value))}"
    return "set", f"{setting.path} to {value}"


__all__ = ["because", "decides", "pulls"]
