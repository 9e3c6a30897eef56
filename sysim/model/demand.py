"""The arithmetic of demand: mean work, offered rates, utilisation. Before any fault, retry, hedge or
fallback.

A call is followed with its probability, once for every round of a repeat, and by the weight of a choice; a
flag that is off skips its step. What fails early is not subtracted, so the utilisation is that of the
healthy system.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable

from sysim.model.calendar import MINUTE, CalendarRate, pieces
from sysim.model.distribution import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    Normal,
    Pareto,
    Percentiles,
    Uniform,
    Weibull,
)
from sysim.model.scenario import Scenario
from sysim.model.shapes import BaseRate, ConstantRate, ModulatedRate, ReplayRate, SineRate, StagesRate, StepsRate
from sysim.model.topology import Call, Choose, Parallel, Publish, Repeat, Service, Step, Work
from sysim.model.users import mean_users
from sysim.model.workload import ClosedLoad, OpenLoad, RateProfile

NS_PER_SECOND = 1_000_000_000
_Z99 = 2.3263478740408408


def mean(distribution: Distribution) -> float:
    """The mean in ns, infinite for a Pareto of alpha <= 1 without `max`.

    `max` is taken into account exactly for constant, exponential, uniform, Pareto and empirical, and by
    the smaller of the two for the others, which is an upper bound.
    """
    free = _capped_mean(distribution)
    return free if distribution.max is None else min(free, float(distribution.max))


def _capped_mean(d: Distribution) -> float:
    cap = math.inf if d.max is None else float(d.max)
    match d:
        case Constant():
            return float(d.value)
        case Exponential():
            return d.mean * (1.0 - math.exp(-cap / d.mean)) if d.mean and cap < math.inf else float(d.mean)
        case Uniform():
            return _uniform_mean(d.low, d.high, cap)
        case Normal():
            return _normal_mean(d.mean, d.sd)
        case Lognormal():
            return _lognormal_mean(d)
        case Gamma() | Weibull():
            return float(d.mean)
        case Pareto():
            return _pareto_mean(float(d.min), d.alpha, cap)
        case Hyperexponential():
            return _weighted((part.weight, float(part.mean)) for part in d.parts)
        case Mixture():
            return _weighted((part.weight, mean(part.of)) for part in d.parts)
        case Empirical():
            return sum(min(float(value), cap) for value in d.values) / len(d.values)
        case Percentiles():
            return _percentile_mean(d)


def _uniform_mean(low: int, high: int, cap: float) -> float:
    if cap >= high or high == low:
        return (low + high) / 2
    if cap <= low:
        return cap
    inside = (cap - low) / (high - low)
    return inside * (low + cap) / 2 + (1.0 - inside) * cap


def _normal_mean(mu: int, sd: int) -> float:
    if sd == 0:
        return float(mu)
    z = mu / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return mu + sd * density / (0.5 * math.erfc(-z / math.sqrt(2.0)))


def _lognormal_mean(d: Lognormal) -> float:
    if d.mean is not None:
        return float(d.mean)
    assert d.median is not None and d.p99 is not None
    sigma = math.log(d.p99 / d.median) / _Z99
    return float(d.median * math.exp(min(0.5 * sigma * sigma, 700.0)))


def _pareto_mean(low: float, alpha: float, cap: float) -> float:
    if cap <= low:
        return cap
    if cap == math.inf:
        return alpha * low / (alpha - 1.0) if alpha > 1.0 else math.inf
    if alpha == 1.0:
        return low * (1.0 + math.log(cap / low))
    return low + low / (alpha - 1.0) * (1.0 - math.exp((1.0 - alpha) * math.log(cap / low)))


def _percentile_mean(d: Percentiles) -> float:
    share, value, total = 0.0, 0.0, 0.0
    for point in d.points:
        total += (point.share - share) * (value + point.value) / 2
        share, value = point.share, float(point.value)
    return total + (1.0 - share) * value


def _weighted(parts: Iterable[tuple[float, float]]) -> float:
    listed = list(parts)
    whole = sum(weight for weight, _ in listed)
    return sum(weight * value for weight, value in listed) / whole


WEEK = 7 * 24 * 60 * MINUTE


def peak_rate(profile: RateProfile, start: int = 0, end: int | None = None) -> float:
    """The highest rate (per second) that a profile reaches; of a calendar, between two instants (ns), noise left
    out; without `end` in a week. Of a replay, the most arrivals in any one second.
    """
    if isinstance(profile, CalendarRate):
        return peak_of_calendar(profile, start, start + WEEK if end is None else end)[0]
    match profile:
        case ConstantRate():
            return profile.value
        case StepsRate():
            return max(step.rate for step in profile.steps)
        case StagesRate():
            return max(profile.start, *(stage.to for stage in profile.stages))
        case SineRate():
            return profile.mean * (1.0 + profile.amplitude)
        case ModulatedRate():
            return max(state.rate for state in profile.states)
        case ReplayRate():
            last = profile.instants[-1] + 1 if end is None else end
            inside = profile.instants[bisect_left(profile.instants, start) : bisect_left(profile.instants, last)]
            return float(max((profile.between(at, min(at + NS_PER_SECOND, last)) for at in inside), default=0))


def peak_of_calendar(profile: CalendarRate, start: int, end: int) -> tuple[float, int]:
    """The highest rate (per second) between two instants, and when it is first reached (ns)."""
    best, when = -1.0, start
    inside = [at for at in _corners(profile.base, start, end) if start < at < end]
    for piece in pieces(profile, start, end, 5 * MINUTE):
        corners = [at for at in inside if piece.start < at < piece.end]
        for at, before in ((piece.start, False), *((at, False) for at in corners), (piece.end, True)):
            share = (at - piece.start) / (piece.end - piece.start)
            factor = piece.first + (piece.last - piece.first) * share
            found = factor * _rate_at(profile.base, at, before)
            if found > best * (1.0 + 1e-12):
                best, when = found, at
    return best, when


def _corners(base: BaseRate, start: int, end: int) -> list[int]:
    match base:
        case StepsRate():
            return [step.at for step in base.steps]
        case StagesRate():
            at = 0
            return [at := at + stage.duration for stage in base.stages]
        case SineRate():
            peak = base.phase + base.period // 4
            count = min((end - start) // base.period + 2, 100_000)
            return [peak + ((start - peak) // base.period + n) * base.period for n in range(count)]
        case _:
            return []


def _rate_at(base: BaseRate, at: int, before: bool) -> float:
    """The rate at an instant, or just before it."""
    match base:
        case ConstantRate():
            return base.value
        case StepsRate():
            past = [step.rate for step in base.steps if step.at < at or (step.at == at and not before)]
            return past[-1] if past else 0.0
        case StagesRate():
            begin, value = 0, base.start
            for stage in base.stages:
                if at < begin + stage.duration or (before and at == begin + stage.duration and stage.duration):
                    return value + (stage.to - value) * (at - begin) / stage.duration
                begin, value = begin + stage.duration, stage.to
            return value
        case SineRate():
            turn = 2.0 * math.pi / base.period
            return base.mean * (1.0 + base.amplitude * math.sin(turn * (at - base.phase)))


def mean_rate(profile: RateProfile, start: int, end: int) -> float:
    """The mean rate (per second) of a profile between two instants (ns), start < end; noise has mean 1, and of a
    modulated rate it is the mean of the long run.
    """
    match profile:
        case CalendarRate():
            total = 0.0
            for piece in pieces(profile, start, end, 5 * MINUTE):
                factor = (piece.first + piece.last) / 2.0
                total += factor * mean_rate(profile.base, piece.start, piece.end) * (piece.end - piece.start)
            return total / (end - start)
        case ReplayRate():
            return profile.between(start, end) * NS_PER_SECOND / (end - start)
        case ModulatedRate():
            return profile.mean
        case ConstantRate():
            return profile.value
        case StepsRate():
            ends = [step.at for step in profile.steps[1:]] + [max(end, profile.steps[-1].at)]
            spans = zip(profile.steps, ends, strict=True)
            return sum(step.rate * _overlap(step.at, until, start, end) for step, until in spans) / (
                end - start
            )
        case StagesRate():
            return _stages_mean(profile, start, end)
        case SineRate():
            turn = 2.0 * math.pi / profile.period
            swing = math.cos(turn * (start - profile.phase)) - math.cos(turn * (end - profile.phase))
            return profile.mean * (1.0 + profile.amplitude * swing / (turn * (end - start)))


def _stages_mean(profile: StagesRate, start: int, end: int) -> float:
    total, at, before = 0.0, 0, profile.start
    for stage in profile.stages:
        low, high = max(at, start), min(at + stage.duration, end)
        if low < high:
            slope = (stage.to - before) / stage.duration
            total += (before + slope * ((low + high) / 2 - at)) * (high - low)
        at, before = at + stage.duration, stage.to
    return (total + before * _overlap(at, end, start, end)) / (end - start)


def _overlap(low: int, high: int, start: int, end: int) -> int:
    return max(0, min(high, end) - max(low, start))


def step_demand(steps: Iterable[Step], flags: dict[str, bool]) -> tuple[float, dict[str, float]]:
    """Mean work (ns) of running `steps` once, and the mean number of requests sent to each target."""
    work, calls = 0.0, dict[str, float]()
    for step in steps:
        if step.flag is not None and not flags.get(step.flag, True):
            continue
        often = 1.0 if step.probability is None else step.probability
        for part, inner in _parts(step, flags):
            own, further = inner
            work += often * part * own
            for target, times in further.items():
                calls[target] = calls.get(target, 0.0) + often * part * times
    return work, calls


def _parts(step: Step, flags: dict[str, bool]) -> list[tuple[float, tuple[float, dict[str, float]]]]:
    """What one step is made of: how often, and the work and calls each time."""
    match step:
        case Work():
            return [(1.0, (mean(step.duration), {}))]
        case Call() | Publish():
            return [(1.0, (0.0, {step.target: 1.0}))]
        case Parallel():
            return [(1.0, step_demand(branch, flags)) for branch in step.branches]
        case Repeat():
            return [(float(step.times), step_demand(step.steps, flags))]
        case Choose():
            whole = sum(option.weight for option in step.options)
            return [(option.weight / whole, step_demand(option.steps, flags)) for option in step.options]
        case _:
            return []


def offered_rates(scenario: Scenario) -> dict[str, float]:
    """The mean rate (per second) at which each ``service.operation`` is called over the window `all`.

    Closed loads count with the most they could send if every answer came at once: users (on average) / think,
    nothing when users do not think. The calls between operations must not form a circle.
    """
    offered: dict[str, float] = {}
    for load in scenario.load.values():
        if isinstance(load, OpenLoad):
            rate = mean_rate(load.rate, scenario.time.warmup, scenario.time.duration)
        else:
            rate = _closed_rate(load, scenario.time.warmup, scenario.time.duration)
        calls = load.mix or step_demand(load.journey, scenario.flags)[1]
        for target, times in calls.items():
            offered[target] = offered.get(target, 0.0) + rate * times
    pending = _callers_first(scenario)
    for target in pending:
        service, _, operation = target.partition(".")
        rate = offered.get(target, 0.0)
        if rate > 0.0:
            steps = scenario.services[service].operations[operation].steps
            for callee, times in step_demand(steps, scenario.flags)[1].items():
                offered[callee] = offered.get(callee, 0.0) + rate * times
    return offered


def _closed_rate(load: ClosedLoad, start: int, end: int) -> float:
    thinking = mean(load.think)
    return mean_users(load.users, start, end) * NS_PER_SECOND / thinking if thinking > 0.0 else 0.0


def _callers_first(scenario: Scenario) -> list[str]:
    """All operations, each before those it calls."""
    order: list[str] = []
    seen: set[str] = set()
    for service, body in scenario.services.items():
        for operation in body.operations:
            # Depth first without recursion: a target is listed when all it calls are.
            stack = [(f"{service}.{operation}", False)]
            while stack:
                target, done = stack.pop()
                if done:
                    order.append(target)
                elif target not in seen:
                    seen.add(target)
                    stack.append((target, True))
                    name, _, called = target.partition(".")
                    steps = scenario.services[name].operations[called].steps
                    stack.extend((callee, False) for callee in step_demand(steps, scenario.flags)[1])
    return order[::-1]


def utilisation(scenario: Scenario) -> dict[str, float | None]:
    """For each service: offered work over what its workers (or fewer cores) can do; None when both are
    unlimited.

    Only `work` counts, so a blocking service that waits for others is busier than this says. A closed load
    is left out: it sends no more than it is answered.
    """
    open_only = scenario.model_copy(
        update={"load": {name: load for name, load in scenario.load.items() if isinstance(load, OpenLoad)}}
    )
    rates = offered_rates(open_only)
    busy: dict[str, float | None] = {}
    for name, service in scenario.services.items():
        capacity = servers(service)
        if capacity is None:
            busy[name] = None
            continue
        work = sum(
            rates.get(f"{name}.{operation}", 0.0) * step_demand(body.steps, scenario.flags)[0]
            for operation, body in service.operations.items()
        )
        busy[name] = work / NS_PER_SECOND / capacity
    return busy


def servers(service: Service) -> float | None:
    """How much work a service can do side by side: replicas × the smaller of workers and cores; None is
    unlimited.
    """
    limits = [float(limit) for limit in (service.concurrency, service.cores) if limit is not None]
    return service.replicas * min(limits) if limits else None
