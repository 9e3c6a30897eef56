"""A stretch of a scenario as a scenario of its own, so that an afternoon of a year can be simulated alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sysim.model.calendar import CalendarRate
from sysim.model.check import Check
from sysim.model.part_of_a_run import actions_from, faults_from
from sysim.model.replicas_from import followed
from sysim.model.scenario import Scenario, Time, Window
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
from sysim.model.users import users_from
from sysim.model.workload import OpenLoad, RateProfile
from sysim.zones import local


def stretch(scenario: Scenario, start: int, end: int, warmup: int) -> Scenario:
    """`scenario` from `start` to `end` (ns), with `warmup` (ns) before it; less where there is less before `start`.

    Time 0 of what is returned is where its warm-up begins, and its window ``all`` is the stretch. `end` may lie
    behind the scenario's own end: rates go on. What does not begin within the run is treated so:

    - rates are those of the scenario at every instant, in a run of the same key with the same noise; only evenly
      spaced arrivals fall elsewhere in their intervals, and states that come by chance (mmpp) come at other instants;
    - there are as many users as in the scenario at every instant;
    - faults and actions of before are left out, except for what is still in force (`sysim.model.part_of_a_run`);
    - windows are kept where they lie within the stretch, and checks where all that they name is there;
    - `variants` are patches of the file and are left out, the checks of single variants stay as they are;
    - a schedule has carried out its last line, and an autoscaler has followed the load of the warm-up.

    It begins empty: nothing waits, breakers are closed, and users have yet to come. Raises `ValueError` unless
    0 <= start < end and warmup >= 0.
    """
    if not 0 <= start < end or warmup < 0:
        found = f"found a stretch from {start} to {end} ns after a warm-up of {warmup} ns"
        raise ValueError(f"{found}, expected 0 <= start < end and a warm-up of at least 0")
    cut = max(0, start - warmup)
    duration = end - cut
    loads = {
        name: load.model_copy(
            update={"rate": rate_from(load.rate, cut, end)}
            if isinstance(load, OpenLoad)
            else {"users": users_from(load.users, cut, end)}
        )
        for name, load in scenario.load.items()
    }
    faults = faults_from(scenario.faults, cut, end)
    actions, flags, services = actions_from(scenario, cut, end)
    windows = {
        name: Window(start=window.start - cut, end=window.end - cut)
        for name, window in scenario.windows.items()
        if start <= window.start and window.end <= end
    }
    known = {fault.name for fault in faults if fault.name is not None}
    changed = {
        "time": _time(scenario.time, cut, start, duration),
        "load": loads,
        "faults": faults,
        "actions": actions,
        "flags": flags,
        "services": services,
        "windows": windows,
        "checks": _checks(scenario.checks, windows, known, start, cut, end),
        "abort_when": _checks(scenario.abort_when, windows, known, start, cut, end),
        "variants": {},
    }
    kept = {name: getattr(scenario, name) for name in scenario.model_fields_set}
    part = Scenario(**{**kept, **changed})
    return followed(part) if cut else part


def with_noise_of(scenario: Scenario, run_key: int) -> Scenario:
    """`scenario` with the noise of the run of that key in every run, so that stretches of it meet one noisy year."""
    loads = {}
    for name, load in scenario.load.items():
        if isinstance(load, OpenLoad) and isinstance(load.rate, CalendarRate) and load.rate.noise is not None:
            noise = load.rate.noise.model_copy(update={"of_run": run_key})
            load = load.model_copy(update={"rate": load.rate.model_copy(update={"noise": noise})})
        loads[name] = load
    return scenario.model_copy(update={"load": loads})


def rate_from(rate: RateProfile, cut: int, end: int) -> RateProfile:
    """`rate` with `cut` (ns) as its time 0, as far as it matters before `end`."""
    if not cut:
        return rate
    match rate:
        case ConstantRate() | ModulatedRate():
            return rate
        case CalendarRate():
            # A base is counted from time 0, the other parts from where the calendar starts.
            return rate.model_copy(update={"base": rate_from(rate.base, cut, end), "elapsed": rate.elapsed + cut})
        case SineRate():
            return rate.model_copy(update={"phase": (rate.phase - cut) % rate.period})
        case StepsRate():
            before = [step.rate for step in rate.steps if step.at <= cut]
            after = [RateStep(at=step.at - cut, rate=step.rate) for step in rate.steps if cut < step.at < end]
            first = [RateStep(at=0, rate=before[-1] if before else 0.0)]
            return StepsRate(steps=(*first, *after))
        case StagesRate():
            return _stages(rate, cut)
        case ReplayRate():
            instants = tuple(at - cut for at in rate.instants if cut <= at < end)
            return ReplayRate(instants=instants) if instants else ConstantRate(value=0.0)


def _stages(rate: StagesRate, cut: int) -> StagesRate:
    """What is left of the ramps; a jump at `cut` has happened."""
    at, value = 0, rate.start
    first = rate.start
    left: list[RateStage] = []
    for stage in rate.stages:
        until = at + stage.duration
        if left:
            left.append(stage)
        elif until <= cut:
            first = stage.to
        else:
            first = value + (stage.to - value) * (cut - at) / stage.duration
            left.append(RateStage(duration=until - cut, to=stage.to))
        at, value = until, stage.to
    return StagesRate(start=first, stages=tuple(left) or (RateStage(duration=0, to=first),))


def _time(time: Time, cut: int, start: int, duration: int) -> Time:
    kept = {name: getattr(time, name) for name in time.model_fields_set}
    if time.bucket > duration:
        kept.pop("bucket", None)
    if time.start is not None and cut:
        # a moment that comes twice is told as the first; calendars keep the start that they had
        moment = local(datetime.fromisoformat(time.start), time.zone, timedelta(microseconds=cut // 1_000))
        kept["start"] = moment.isoformat()
    return Time(**{**kept, "duration": duration, "warmup": start - cut})


def _checks(
    checks: tuple[Check, ...], windows: dict[str, Window], faults: set[str], start: int, cut: int, end: int
) -> tuple[Check, ...]:
    kept = []
    for check in checks:
        needed = {check.window, check.of_window or "all"} - {"all"}
        if needed - windows.keys() or (check.after is not None and check.after not in faults):
            continue
        if check.after_at is not None:
            if not start <= check.after_at < end:
                continue
            check = check.model_copy(update={"after_at": check.after_at - cut})
        kept.append(check)
    return tuple(kept)
