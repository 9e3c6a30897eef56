"""A scenario under more or less load: rates and users multiplied, throughout or from an instant on."""

from __future__ import annotations

from sysim.model.calendar import Burst, CalendarRate
from sysim.model.scenario import Scenario
from sysim.model.shapes import (
    ConstantRate,
    ModulatedRate,
    RateStage,
    RateStep,
    ReplayRate,
    SineRate,
    StagesRate,
    StepsRate,
)
from sysim.model.users import times_between, times_users
from sysim.model.workload import ClosedLoad, Load, OpenLoad, RateProfile
from sysim.units import MAX_NS


class CannotScale(ValueError):
    """This load cannot be changed in the middle of a run; the message says why and what to do."""


def scaled(
    scenario: Scenario, factor: float, start: int = 0, end: int | None = None, loads: tuple[str, ...] = ()
) -> Scenario:
    """`scenario` with `factor` times the rate of the `loads` (all of them if none is named) from `start` to `end`
    (ns; None: to the end). Closed loads have so many times the users, throughout at least one. Sines can be changed
    for the whole run only and replays not at all, else `CannotScale` is raised.
    """
    if factor == 1.0:
        return scenario
    changed = {
        name: _load(name, load, factor, start, end) if not loads or name in loads else load
        for name, load in scenario.load.items()
    }
    return scenario.model_copy(update={"load": changed})


def _load(name: str, load: Load, factor: float, start: int, end: int | None) -> Load:
    always = start <= 0 and end is None
    if isinstance(load, ClosedLoad):
        users = times_users(load.users, factor) if always else times_between(load.users, factor, start, end)
        return load.model_copy(update={"users": users})
    assert isinstance(load, OpenLoad)
    if isinstance(load.rate, ReplayRate):
        raise CannotScale(f"the load {name!r} replays exact instants, which cannot be more or fewer; give it a rate")
    if always:
        return load.model_copy(update={"rate": _times(load.rate, factor)})
    if isinstance(load.rate, ModulatedRate):
        raise CannotScale(f"the arrivals of {name!r} are mmpp, which cannot change during a run; give it a rate")
    if isinstance(load.rate, SineRate):
        raise CannotScale(f"the rate of {name!r} is a sine, which cannot change during a run; write it as stages")
    return load.model_copy(update={"rate": _between(load.rate, factor, start, end)})


def _times(rate: RateProfile, factor: float) -> RateProfile:
    match rate:
        case ConstantRate():
            return ConstantRate(value=rate.value * factor)
        case StepsRate():
            return StepsRate(steps=tuple(RateStep(at=step.at, rate=step.rate * factor) for step in rate.steps))
        case StagesRate():
            stages = tuple(RateStage(duration=stage.duration, to=stage.to * factor) for stage in rate.stages)
            return StagesRate(start=rate.start * factor, stages=stages)
        case SineRate():
            return rate.model_copy(update={"mean": rate.mean * factor})
        case ModulatedRate():
            states = tuple(state.model_copy(update={"rate": state.rate * factor}) for state in rate.states)
            return ModulatedRate(states=states)
        case CalendarRate():
            return rate.model_copy(update={"base": _times(rate.base, factor)})
        case ReplayRate():
            raise AssertionError("a replay was let through")


def _between(rate: RateProfile, factor: float, start: int, end: int | None) -> RateProfile:
    assert not isinstance(rate, SineRate | ReplayRate | ModulatedRate)
    if isinstance(rate, CalendarRate):
        first = max(0, start)
        until = MAX_NS - rate.elapsed if end is None else end
        burst = Burst(at=first + rate.elapsed, duration=until - first, factor=factor)
        return rate.model_copy(update={"bursts": (*rate.bursts, burst)})
    if isinstance(rate, StagesRate):
        return _stages_between(rate, factor, start, end)
    steps = {0: rate.value} if isinstance(rate, ConstantRate) else {step.at: step.rate for step in rate.steps}
    edges = sorted({*steps, start, *([] if end is None else [end])})
    found, value = [], 0.0
    for at in edges:
        value = steps.get(at, value)
        inside = at >= start and (end is None or at < end)
        found.append(RateStep(at=at, rate=value * factor if inside else value))
    return StepsRate(steps=tuple(found))


def _stages_between(rate: StagesRate, factor: float, start: int, end: int | None) -> StagesRate:
    """The ramps cut at both edges, with a jump (a stage of no length) at each."""
    corners = [(0, rate.start)]
    for stage in rate.stages:
        corners.append((corners[-1][0] + stage.duration, stage.to))
    cuts = [start] if end is None else [start, end]
    last = max(corners[-1][0], *cuts)
    corners.append((last, rate.stages[-1].to))
    found: list[RateStage] = []
    now, value, inside = 0, rate.start, start <= 0
    first = value * (factor if inside else 1.0)
    for at, to in corners[1:]:
        while True:
            cut = next((cut for cut in cuts if now < cut <= at), None)
            if cut is None:
                break
            value += (to - value) * (cut - now) / (at - now)
            found.append(RateStage(duration=cut - now, to=value * (factor if inside else 1.0)))
            inside = start <= cut and (end is None or cut < end)
            found.append(RateStage(duration=0, to=value * (factor if inside else 1.0)))
            now = cut
        found.append(RateStage(duration=at - now, to=to * (factor if inside else 1.0)))
        now, value = at, to
    return StagesRate(start=first, stages=tuple(found))
