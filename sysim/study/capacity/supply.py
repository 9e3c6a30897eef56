"""Three ways to have the replicas of a plan: all the time, by the clock, by an autoscaler; what each costs and loses.

They are held against each other where the load climbs to its peak, on the same random numbers and with nothing broken:

- *static*: the plan, all the time;
- *scheduled*: for each 24th of the run the share of the plan's replicas that its load is of the load they were made
  for, ready when it begins;
- *autoscaled*: the file's own autoscaler, where a service has one; else one with the target that the service is busy
  under the plan, so that all three have the same in reserve, and with the defaults of the format.

A replica takes the service's `startup`; where the file says none, `STARTUP` is assumed, for none starts at once. What
they cost over the whole run is that of the stretch for the static ones; for the others it is added up from the replicas
that the load of each slot asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.estimates import Estimate, estimate
from sysim.analysis.statistics import mean
from sysim.model import Autoscaler, ConstantRate, OpenLoad, Scenario, ScheduleLine, Service, Window
from sysim.model.demand import mean_rate
from sysim.model.scenario import default_bucket
from sysim.model.stretch import stretch
from sysim.result.run import Run
from sysim.result.series import Column
from sysim.study.capacity.goals import JUDGED
from sysim.study.capacity.sizes import Room, Sizes, need
from sysim.study.memory import Memory, kept
from sysim.study.trials import Simulation, Trials

NS = 1_000_000_000
MINUTE = 60 * NS
CLIMB = 20 * MINUTE
"""How much of the time before the judged stretch is looked at."""
STARTUP = 60 * NS
SPARE = 1.5
"""How many times the replicas of the plan an autoscaler may have."""
PARTS = 24
PAIRED = 3
HIGHEST_TARGET = 0.9


@dataclass(frozen=True)
class Supply:
    """One way. `lost` requests of the judged loads in the stretch, and how many `more` than with static replicas;
    `cost` of the whole run in the currency of the plan (None without prices). `up` has for each service the ready
    replicas in each bucket of the first replication, from `t_s` (s) on, and `lost_over` the requests lost there.
    """

    name: str
    lost: Estimate
    more: Estimate | None
    offered: int
    cost: float | None
    t_s: NDArray[np.float64]
    up: Mapping[str, NDArray[np.float64]]
    lost_over: NDArray[np.float64]


@dataclass(frozen=True)
class Supplies:
    """The ways side by side from `start` to `end` (ns). `assumed` are the services whose startup is not in the file."""

    start: int
    end: int
    ways: tuple[Supply, ...]
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class Climbed:
    """What is kept of a run: requests `offered` and `lost` in the judged stretch, and what happened over time (s)."""

    lost: int
    offered: int
    t_s: NDArray[np.float64]
    up: Mapping[str, NDArray[np.float64]]
    lost_over: NDArray[np.float64]


def supplies(
    scenario: Scenario, room: Room, sizes: Sizes, busy: Mapping[str, float | None], judged: tuple[int, int], lead: int,
    loads: Sequence[str], simulation: Simulation, workers: int, memory: Memory | None = None,
) -> Supplies:  # fmt: skip
    """Hold the three ways against each other; `busy` are the shares of workers held under the plan, `judged` is the
    plan's stretch (ns).
    """
    start, end = max(scenario.whole.start, judged[0] - CLIMB), judged[1]
    assumed = tuple(name for name in room.names if not scenario.services[name].startup)
    base = _started(scenario, room)
    plan = room.applied(base, sizes)
    slots = _slots(plan)
    wanted = [_wanted(plan, room, slot) for slot in slots]
    peak = _wanted(plan, room, judged)
    shares = [
        tuple(max(low, min(n, ceil(n * now / top - 1e-9))) if top else n
              for n, now, top, low in zip(sizes, some, peak, room.least, strict=True))
        for some in wanted
    ]  # fmt: skip
    ways = {
        "static": plan,
        "scheduled": _with(plan, room, lambda k, body: _scheduled(body, [s[k] for s in shares], slots)),
        "autoscaled": _with(base, room, lambda k, body: _autoscaled(body, sizes[k], busy.get(room.names[k]))),
    }
    trials: Trials[str, Climbed] = Trials(
        lambda name: _part(ways[name], start, end, lead), simulation, lambda run: _climbed(run, loads, room.names),
        workers, kept(memory, Climbed, f"supply {tuple(loads)!r} {room.names!r}"),
    )  # fmt: skip
    seen: dict[str, list[Climbed]] = {name: [] for name in ways}
    for (name, _), one in trials([(name, k) for k in range(PAIRED) for name in ways]):
        seen[name].append(one)
    lost = {name: [one.lost for one in some] for name, some in seen.items()}
    found = []
    for name, some in seen.items():
        paired = [float(a - b) for a, b in zip(lost[name], lost["static"], strict=True)]
        found.append(Supply(
            name=name,
            lost=_estimate([float(x) for x in lost[name]]),
            more=None if name == "static" else _estimate(paired),
            offered=round(mean([float(one.offered) for one in some])),
            cost=_cost(ways[name], room, sizes, shares, wanted, slots, name),
            t_s=some[0].t_s,
            up=some[0].up,
            lost_over=some[0].lost_over,
        ))  # fmt: skip
    return Supplies(start, end, tuple(found), assumed)


def _estimate(values: Sequence[float]) -> Estimate:
    found = estimate(values)
    assert found is not None  # no value is missing
    return found


def _failed(columns: Mapping[str, Column]) -> NDArray[np.float64]:
    offered, ok, degraded = (np.asarray(columns[x], dtype=np.float64) for x in ("offered", "ok", "degraded"))
    found: NDArray[np.float64] = offered - ok - degraded
    return found


def _climbed(run: Run, loads: Sequence[str], names: Sequence[str]) -> Climbed:
    stats = [run.windows[JUDGED].loads[name] for name in loads]
    series = run.series
    return Climbed(
        lost=sum(some.offered - some.ok - some.degraded for some in stats),
        offered=sum(some.offered for some in stats),
        t_s=series.t,
        up={x: np.asarray(series.services[x]["up"], dtype=np.float64) for x in names},
        lost_over=sum((_failed(series.loads[x]) for x in loads), np.zeros(len(series.t))),
    )


def _part(scenario: Scenario, start: int, end: int, lead: int) -> Scenario:
    part = stretch(scenario.model_copy(update={"faults": ()}), start, end, lead)
    begin, duration = part.time.warmup, part.time.duration
    changes = {
        "windows": {JUDGED: Window(start=begin, end=duration)}, "checks": (), "abort_when": (), "planning": None,
        "time": part.time.model_copy(update={"bucket": default_bucket(duration)}),
    }  # fmt: skip
    return part.model_copy(update=changes)


# --- the ways ---------------------------------------------------------------------------------------------


def _started(scenario: Scenario, room: Room) -> Scenario:
    """With a startup wherever there is none."""
    services = {
        name: body.model_copy(update={"startup": body.startup or STARTUP}) if name in room.names else body
        for name, body in scenario.services.items()
    }
    return scenario.model_copy(update={"services": services})


def _with(scenario: Scenario, room: Room, change: Callable[[int, Service], Service]) -> Scenario:
    services = dict(scenario.services)
    for k, name in enumerate(room.names):
        services[name] = change(k, services[name])
    return scenario.model_copy(update={"services": services})


def _slots(scenario: Scenario) -> list[tuple[int, int]]:
    whole = scenario.time.duration
    width = max(MINUTE, -(-whole // PARTS))
    return [(at, min(at + width, whole)) for at in range(0, whole, width)]


def _wanted(scenario: Scenario, room: Room, slot: tuple[int, int]) -> tuple[float, ...]:
    """How many replicas of each are held at the highest rates of a slot, by its twelfths, if nothing waits."""
    start, end = slot
    step = max(1, (end - start) // 12)
    starts = range(start, max(start + 1, end - step + 1), step)
    loads = dict(scenario.load)
    for name, load in loads.items():
        if isinstance(load, OpenLoad):
            rate = max(mean_rate(load.rate, at, min(at + step, end)) for at in starts)
            loads[name] = load.model_copy(update={"rate": ConstantRate(value=rate)})
    return need(scenario.model_copy(update={"load": loads}), room)


def _scheduled(body: Service, replicas: Sequence[int], slots: Sequence[tuple[int, int]]) -> Service:
    """What a slot needs is ready when it begins, and goes when it has ended."""
    lines: list[ScheduleLine] = []
    now = replicas[0]
    for (start, _), before, after in zip(slots[1:], replicas, replicas[1:], strict=False):
        at = max(0, start - body.startup) if after > before else start
        if after != now:
            lines.append(ScheduleLine(at=at, replicas=after))
            now = after
    return body.model_copy(
        update={"replicas": replicas[0], "schedule": tuple(sorted(lines, key=lambda line: line.at))}
    )


def _autoscaled(body: Service, planned: int, busy: float | None) -> Service:
    scaler = body.autoscaler or Autoscaler(
        target=min(HIGHEST_TARGET, max(0.05, round(busy or 0.5, 2))), max=max(2, ceil(SPARE * planned))
    )
    replicas = min(scaler.max, max(scaler.min, planned))
    return body.model_copy(update={"autoscaler": scaler, "schedule": (), "replicas": replicas})


# --- what they cost ---------------------------------------------------------------------------------------


def _cost(
    scenario: Scenario, room: Room, sizes: Sizes, shares: Sequence[Sizes], wanted: Sequence[Sequence[float]],
    slots: Sequence[tuple[int, int]], way: str,
) -> float | None:  # fmt: skip
    """The price of the whole run, the services that do not grow included."""
    if room.currency is None:
        return None
    total = 0.0
    for number, (start, end) in enumerate(slots):
        counts = dict.fromkeys(scenario.services, 0) | {x: body.replicas for x, body in scenario.services.items()}
        for k, name in enumerate(room.names):
            scaler = scenario.services[name].autoscaler
            if way == "scheduled":
                counts[name] = shares[number][k]
            elif scaler is not None:
                target = min(1.0, scaler.target)
                counts[name] = min(scaler.max, max(scaler.min, ceil(wanted[number][k] / target - 1e-9)))
            else:
                counts[name] = sizes[k]
        hours = (end - start) / NS / 3_600
        costs = ((counts[x], body.cost.amount) for x, body in scenario.services.items() if body.cost is not None)
        total += hours * sum(n * price for n, price in costs)
    return total


__all__ = ["CLIMB", "STARTUP", "Supplies", "Supply", "supplies"]
