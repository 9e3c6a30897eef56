"""What a year asks of a system, minute by minute, before anything is simulated: rates, utilisation, backlog.

Utilisation is linear in the rates of open loads, so it is that of one request a second of each, times the rates. It
has the workers that wait for calls, as ``sysim explain`` tells them, and counts what is offered: before retries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sysim.analysis.fluid import backlog
from sysim.model import CalendarRate, ConstantRate, ModulatedRate, OpenLoad, ReplayRate, Scenario, Service
from sysim.model.action import FlagLever, ScaleLever
from sysim.model.calendar import DAY, MINUTE, pieces
from sysim.model.demand import mean, servers
from sysim.model.holding import replicas_busy_each
from sysim.model.stretch import rate_from, stretch
from sysim.plan.passes.rates import noise, rates
from sysim.plan.tables import N_Q, Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START

Floats = NDArray[np.float64]
NS = 1_000_000_000
SLOT = MINUTE
MONTH = 28 * DAY


@dataclass(frozen=True)
class YearLoad:
    """Slots of a minute from `start` (ns) on.

    `expected` has a row a slot and a column a load (in order of `loads`): the arrivals expected; for loads with users,
    whose number nobody knows before, the seconds. `busy` has a column a service of `services`.
    """

    start: int
    loads: tuple[str, ...]
    services: tuple[str, ...]
    expected: Floats
    busy: Floats
    exact: tuple[bool, ...]
    """Of each load whether every arrival expected is one request: not of journeys, nor of users."""
    disturbed: NDArray[np.bool_]
    """Slots in which a fault holds, or its aftermath lasts."""

    @property
    def slots(self) -> int:
        """How many."""
        return len(self.busy)

    @cached_property
    def pressure(self) -> Floats:
        """The utilisation of the busiest service in each slot."""
        return np.asarray(self.busy.max(axis=1)) if self.services else np.zeros(self.slots)

    @cached_property
    def busiest(self) -> NDArray[np.int64]:
        """The number of that service."""
        return np.asarray(self.busy.argmax(axis=1)) if self.services else np.zeros(self.slots, dtype=np.int64)

    @cached_property
    def waiting(self) -> Floats:
        """The seconds of work that wait at the fullest service at the end of each slot, by the fluid model."""
        piled = backlog(self.busy, SLOT / NS)
        return np.asarray(piled.max(axis=1)) if self.services else np.zeros(self.slots)


def year_load(scenario: Scenario, start: int, slots: int) -> YearLoad:
    """What `scenario` asks from `start` (ns) on, for so many `slots`."""
    loads = tuple(sorted(scenario.load))
    expected = np.empty((slots, len(loads)))
    known: dict[str, Floats] = {}
    for column, name in enumerate(loads):
        load = scenario.load[name]
        expected[:, column] = SLOT / NS
        if isinstance(load, OpenLoad):
            expected[:, column] = _arrivals(name, load, start, slots, known)
    services = tuple(name for name, service in sorted(scenario.services.items()) if servers(service) is not None)
    busy = np.empty((slots, len(services)))
    end = start + slots * SLOT
    for low, high in pairwise([start, *_changes(scenario, start, end), end]):
        rows = slice((low - start) // SLOT, (high - start) // SLOT)
        there = stretch(scenario, low + 1, low + 2, 0)  # what is done at `low` has been done
        each = replicas_busy_each(there)  # users are left out, as ever
        weights = np.array([[each.get(load, {}).get(name, 0.0) for name in services] for load in loads])
        busy[rows] = expected[rows] @ weights.reshape(len(loads), len(services)) / (SLOT / NS)
        for column, name in enumerate(services):
            busy[rows, column] /= replicas(there.services[name], scenario.services[name], busy[rows, column], low)
    exact = tuple(isinstance(load, OpenLoad) and bool(load.mix) for _, load in sorted(scenario.load.items()))
    return YearLoad(start, loads, services, expected, busy, exact, _disturbed(scenario, start, slots))


def _arrivals(name: str, load: OpenLoad, start: int, slots: int, known: dict[str, Floats]) -> Floats:
    """The arrivals expected in each slot, as products of the means of base, calendar and noise in it."""
    end = start + slots * SLOT
    rate = load.rate
    if isinstance(rate, ReplayRate):
        instants = np.asarray(rate.instants)
        instants = instants[(instants >= start) & (instants < end)]
        return np.bincount((instants - start) // SLOT, minlength=slots).astype(np.float64)
    if isinstance(rate, ModulatedRate):  # when its states come is chance
        return np.full(slots, rate.mean * (SLOT / NS))
    base = rate.base if isinstance(rate, CalendarRate) else rate
    shape = OpenLoad(mix=load.mix, journey=load.journey, rate=rate_from(base, start, end))
    found = _integrals(rates(shape, end - start), slots)
    if not isinstance(rate, CalendarRate):
        return found
    # Loads often share all but their base, and a year of bursts takes seconds to lay out.
    key = rate.model_copy(update={"base": ConstantRate(value=1.0), "noise": None}).model_dump_json()
    if key not in known:
        known[key] = np.concatenate([_factors(rate, cut, min(cut + MONTH, end)) for cut in range(start, end, MONTH)])
    found *= known[key]
    if rate.noise is not None:
        for cut in range(start, end, MONTH):
            until = min(cut + MONTH, end)
            moved = rate_from(rate, cut, until)
            assert isinstance(moved, CalendarRate)
            starts, values = noise(moved, rate.noise, until - cut, name)
            edges = np.append(starts, (until - cut) / NS)
            walk = np.append(0.0, np.cumsum(values * np.diff(edges)))
            at = np.arange((until - cut) // SLOT + 1) * (SLOT / NS)
            found[(cut - start) // SLOT : (until - start) // SLOT] *= np.diff(np.interp(at, edges, walk)) / (SLOT / NS)
    return found


def _factors(rate: CalendarRate, start: int, end: int) -> Floats:
    """The mean of everything but base and noise over each slot."""
    found = np.array(pieces(rate, start, end, 5 * MINUTE))
    at = np.append(found[:, 0], end) / NS
    first, last = found[:, 2], found[:, 3]
    table = np.zeros((len(found), N_Q))
    table[:, Q_START], table[:, Q_RATE] = at[:-1] - start / NS, first
    table[:, Q_SLOPE] = (last - first) / np.diff(at)
    table[1:, Q_CUMULATED] = np.cumsum(np.diff(at) * (first + last) / 2.0)[:-1]
    return _integrals(table, (end - start) // SLOT) / (SLOT / NS)


def _integrals(table: Floats, slots: int) -> Floats:
    """The integral of a table of a rate over each slot."""
    edges = np.arange(slots + 1) * (SLOT / NS)
    rows = np.searchsorted(table[:, Q_START], edges, side="right") - 1
    since = edges - table[rows, Q_START]
    return np.diff(table[rows, Q_CUMULATED] + since * (table[rows, Q_RATE] + table[rows, Q_SLOPE] * since / 2.0))


def replicas(now: Service, whole: Service, wanted: Floats, start: int) -> Floats:
    """The replicas of a service in the slots from `start` (ns) on, in which it needs `wanted` to be wholly busy.

    `now` is the service at `start`, `whole` as the scenario has it. A schedule is followed; an autoscaler asks for what
    brings it to its target, keeps what it asked for while it is stabilising, and is as late as its looks and the start
    of a replica make it.
    """
    slots = len(wanted)
    found = np.full(slots, float(now.replicas))
    scaler = whole.autoscaler
    if scaler is not None:
        found[:] = now.autoscaler.min if now.autoscaler is not None else scaler.min
    lines = sorted(
        (at, number, line.replicas)
        for number, line in enumerate(whole.schedule)
        for at in ([line.at] if line.every is None else range(line.at, start + slots * SLOT, line.every))
    )
    for at, _, count in lines:
        if at >= start:
            found[-(-(at - start) // SLOT) :] = count
    if scaler is None:
        return found
    asked = np.minimum(float(scaler.max), np.maximum(found, np.ceil(wanted / min(scaler.target, 1.0) - 1e-9)))
    kept = scaler.stabilise // SLOT
    asked = sliding_window_view(np.concatenate([np.full(kept, asked[0]), asked]), kept + 1).max(axis=1)
    late = -(-(whole.startup + scaler.every) // SLOT)
    return np.asarray(np.maximum(found, np.concatenate([np.full(min(late, slots), asked[0]), asked])[:slots]))


def _changes(scenario: Scenario, start: int, end: int) -> list[int]:
    """When actions change what there is to do the work, or what work there is."""
    moments = {
        action.at + (0 if action.after is None else round(mean(action.after)))
        for action in scenario.actions
        if action.at is not None and isinstance(action.lever, ScaleLever | FlagLever)
    }
    # From the slot after: within one there is no half.
    slots = {start - (start - at) // SLOT * SLOT for at in moments}
    return sorted(at for at in slots if start < at < end)


def _disturbed(scenario: Scenario, start: int, slots: int) -> NDArray[np.bool_]:
    """Slots in which a scheduled fault holds; as long again after it, because its aftermath is of its size."""
    found = np.zeros(slots, dtype=bool)
    end = start + slots * SLOT
    # A stretch makes single faults of those that come back in fixed spans.
    for fault in stretch(scenario, start, end, 0).faults:
        if fault.at is None or fault.every is not None:
            continue
        length = end if fault.lasts is None else round(min(mean(fault.lasts), float(end)))
        length = max(length, getattr(fault.effect, "restart_after", None) or 0)
        found[fault.at // SLOT : -(-(fault.at + 2 * length) // SLOT) + 1] = True
    return found
