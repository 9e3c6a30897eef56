"""What of a scenario's faults and actions is left, or still in force, where a run begins in its middle.

Where chance decides when something ends (a duration that is drawn), its mean stands for it.
"""

from __future__ import annotations

from sysim.model.action import (
    Action,
    ClearQueueLever,
    FlagLever,
    RestartLever,
    ScaleLever,
)
from sysim.model.demand import mean
from sysim.model.distribution import Constant, Distribution
from sysim.model.fault import CrashFault, Fault
from sysim.model.scenario import Scenario
from sysim.model.topology import Service
from sysim.units import MAX_NS

MOST_OCCURRENCES = 1_000


def faults_from(faults: tuple[Fault, ...], cut: int, end: int) -> tuple[Fault, ...]:
    """The faults of a run that begins at `cut` (ns) and ends at `end`, with times counted from `cut`.

    A fault of before that still holds begins at once, and lasts for what is left of it. One that comes back in fixed
    spans comes back when it would have; one that comes back at random begins anew, as if it had just mended.
    """
    if not cut:
        return faults
    found: list[Fault] = []
    for fault in faults:
        if fault.until is not None:
            if fault.until <= cut:
                continue
            fault = fault.model_copy(update={"until": fault.until - cut})
        if fault.every is None:
            assert fault.at is not None
            found += _once(fault, fault.at, cut, end)
        else:
            found += _again(fault, cut, end)
    return tuple(found)


def _once(fault: Fault, at: int, cut: int, end: int) -> list[Fault]:
    """One occurrence at `at`, in the time of the whole; `every` is dropped."""
    if at >= end:
        return []
    update: dict[str, object] = {"at": max(0, at - cut), "every": None}
    gone = cut - at
    if gone > 0:
        effect = fault.effect
        if isinstance(effect, CrashFault) and effect.restart_after is not None:
            # What has been started again is taken to be ready.
            if effect.restart_after <= gone:
                return []
            update["effect"] = effect.model_copy(update={"restart_after": effect.restart_after - gone})
        if fault.lasts is not None:
            left = _length(fault.lasts) - gone
            if left <= 0:
                return []
            update["lasts"] = Constant(value=left)
    return [fault.model_copy(update=update)]


def _again(fault: Fault, cut: int, end: int) -> list[Fault]:
    assert fault.every is not None
    lasts = fault.lasts
    if lasts is None and isinstance(fault.effect, CrashFault) and fault.effect.restart_after is not None:
        lasts = Constant(value=fault.effect.restart_after)
    first = fault.at or 0
    if first >= cut:
        return [fault.model_copy(update={"at": first - cut if fault.at is not None else None})]
    if isinstance(fault.every, Constant) and isinstance(lasts, Constant):
        up, down = fault.every.value, lasts.value
        period = up + down
        begin = first + up
        if period:
            begin += max(0, (cut - begin) // period) * period
            if begin + down <= cut:
                begin += period
            if (end - begin) // period < MOST_OCCURRENCES:
                return _each(fault, range(begin, end, period), cut, end)
    return [fault.model_copy(update={"at": None})]


def _each(fault: Fault, begins: range, cut: int, end: int) -> list[Fault]:
    """Each occurrence a fault of its own: one that repeats could not begin in the middle of its spans."""
    found: list[Fault] = []
    for begin in begins:
        found += _once(fault if not found else fault.model_copy(update={"name": None}), begin, cut, end)
    return found


def _length(d: Distribution) -> int:
    return min(MAX_NS, round(min(mean(d), float(MAX_NS))))


def actions_from(
    scenario: Scenario, cut: int, end: int
) -> tuple[tuple[Action, ...], dict[str, bool], dict[str, Service]]:
    """The actions of a run that begins at `cut` (ns) and ends at `end`, and its flags and services.

    Actions of before are done: flags and replicas are as they left them, and what else stays in force (shed, drain,
    set) is pulled at once, in order. Queues that were cleared and replicas that were restarted leave nothing. An
    action that waits for a condition waits for it from `cut` on.
    """
    flags, services = dict(scenario.flags), dict(scenario.services)
    if not cut:
        return scenario.actions, flags, services
    past: list[tuple[int, int, Action]] = []
    ahead: list[Action] = []
    for number, action in enumerate(scenario.actions):
        if action.at is None:
            ahead.append(action)
            continue
        done = action.at + (0 if action.after is None else _length(action.after))
        if done < cut:
            past.append((done, number, action))
        elif action.at >= cut:
            if action.at < end:
                ahead.append(action.model_copy(update={"at": action.at - cut}))
        else:
            ahead.append(action.model_copy(update={"at": done - cut, "after": None}))
    standing: list[Action] = []
    for _, _, action in sorted(past, key=lambda one: one[:2]):
        match action.lever:
            case FlagLever(flags=changed):
                flags.update(changed)
            case ScaleLever(service=name, replicas=replicas):
                services[name] = services[name].model_copy(update={"replicas": replicas})
            case ClearQueueLever() | RestartLever():
                pass
            case _:
                # A nanosecond apart: the order of actions within one instant is not that of the list.
                standing.append(action.model_copy(update={"at": len(standing), "after": None}))
    return (*standing, *ahead), flags, services
