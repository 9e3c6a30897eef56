"""Rates over time as piecewise linear functions, with the exact integral up to each piece.

The scenario's rate counts requests. With batch arrivals the table holds batches: the rate over the mean size.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sysim.model import (
    Batch,
    CalendarRate,
    ConstantRate,
    ModulatedRate,
    Noise,
    OpenLoad,
    ReplayRate,
    SineRate,
    StagesRate,
    StepsRate,
)
from sysim.model.calendar import DAY, MINUTE, clocks, into_the_day, moments, ordinal, pieces
from sysim.model.shapes import BaseRate
from sysim.plan.identity import salt
from sysim.plan.noise import factors
from sysim.plan.plan import Floats, Ints
from sysim.plan.tables import N_Q, Q_CUMULATED, Q_RATE, Q_SLOPE, Q_SOJOURN, Q_START

NS = 1_000_000_000
PIECES = 256  # of a sine's period; the chord errs by at most amplitude x (pi / pieces)**2 / 2
FEWEST_PIECES = 64
MOST_ROWS = 2_000_000
MOST_SLOTS = 2**61  # after which they are counted from 0 again: years of nanoseconds


def rates(load: OpenLoad, duration: int, name: str = "") -> Floats:
    """The rows of one load, in order of their start; the last one holds for ever. Noise that is drawn for each run is
    left out, but where it changes a row begins; that of one run (`Noise.of_run`) is that of the load `name`.
    """
    profile = load.rate
    if isinstance(profile, ReplayRate):
        return _replay(profile, duration)
    if isinstance(profile, ModulatedRate):
        return _states(profile)
    if isinstance(profile, CalendarRate):
        starts, values, ends = _calendar(profile, duration, name)
    else:
        starts, values, ends = _shape(profile, duration)
    if isinstance(load.arrivals, Batch):
        values, ends = values / load.arrivals.mean, ends / load.arrivals.mean
    return _integrated(starts, values, ends)


def _shape(profile: BaseRate, duration: int) -> tuple[Floats, Floats, Floats]:
    if isinstance(profile, ConstantRate):
        return np.zeros(1), np.array([profile.value]), np.array([profile.value])
    if isinstance(profile, StepsRate):
        return _steps(profile)
    if isinstance(profile, StagesRate):
        return _stages(profile)
    return _sine(profile, duration)


def _calendar(profile: CalendarRate, duration: int, name: str) -> tuple[Floats, Floats, Floats]:
    """The product of base, calendar and noise on the union of their corners. Where two of them slope, a piece is at
    most a minute (or a sixteenth of a ramp) long, and the chord stands for the product.
    """
    parts = [_shape(profile.base, duration)]
    found = pieces(profile, 0, duration, _width(duration))
    parts.append((
        np.array([piece.start for piece in found]) / NS,
        np.array([piece.first for piece in found]),
        np.array([piece.last for piece in found]),
    ))  # fmt: skip
    if profile.noise is not None:
        corners, of_slot = noise(profile, profile.noise, duration, name)
        parts.append((corners, of_slot, of_slot))
    starts = np.unique(np.concatenate([part[0] for part in parts]))
    until = np.append(starts[1:], max(starts[-1], duration / NS))
    values, ends = np.ones(len(starts)), np.ones(len(starts))
    for part in parts:
        first, last = _on(part, starts, until, duration)
        values, ends = values * first, ends * last
    if starts[-1] < duration / NS and ends[-1] != values[-1]:
        starts, values, ends = np.append(starts, duration / NS), np.append(values, ends[-1]), np.append(ends, ends[-1])
    return starts, values, ends


def _width(duration: int) -> int:
    width = MINUTE
    while duration // width > MOST_ROWS // 2:
        width *= 2
    return width


def _on(
    part: tuple[Floats, Floats, Floats], starts: Floats, until: Floats, duration: int
) -> tuple[Floats, Floats]:
    """A part, which has no corner within any of these pieces, at the beginning and the end of each."""
    corners, values, ends = part
    rows = np.searchsorted(corners, starts, side="right") - 1
    lengths = np.append(np.diff(corners), max(duration / NS - corners[-1], 1.0))
    slopes = (ends - values) / lengths
    first = values[rows] + slopes[rows] * (starts - corners[rows])
    last = values[rows] + slopes[rows] * (until - corners[rows])
    closed = until == corners[np.minimum(rows + 1, len(corners) - 1)]
    return first, np.where(closed, ends[rows], last)


class Slots(NamedTuple):
    """The slot of each row of a load's rates, and the standard deviation of the logarithm of its factor."""

    numbers: Ints
    deviation: float


def noise_slots(load: OpenLoad, duration: int, table: Floats) -> Slots | None:
    """Which slot of noise each row of `table`, the load's rates, lies in; None for a load without noise.

    Slots are counted on the calendar's clock, so that an afternoon has the noise that it has within its day, and an
    hour that comes twice has the same twice.
    """
    profile = load.rate
    if not isinstance(profile, CalendarRate) or profile.noise is None or profile.noise.cv == 0.0:
        return None
    if profile.noise.of_run is not None:
        return None
    found = _slots(profile, profile.noise, duration)
    starts = np.array([at for at, _ in found]) / NS
    numbers = np.array([number for _, number in found], dtype=np.int64)
    rows = np.searchsorted(starts, table[:, Q_START], side="right") - 1
    return Slots(numbers[rows], _deviation(profile.noise))


def noise(profile: CalendarRate, of: Noise, duration: int, name: str) -> tuple[Floats, Floats]:
    """When each slot of noise begins (s), and its factor: 1 where it is drawn for each run."""
    slots = _slots(profile, of, duration)
    corners, values = np.array([at for at, _ in slots]) / NS, np.ones(len(slots))
    if of.of_run is not None:
        numbers = np.array([number for _, number in slots], dtype=np.int64)
        values = factors(of.of_run, salt("noise", name), numbers, _deviation(of))
    return corners, values


def _deviation(noise: Noise) -> float:
    return math.sqrt(math.log(1.0 + noise.cv * noise.cv))


def _slots(profile: CalendarRate, noise: Noise, duration: int) -> list[tuple[int, int]]:
    """When each slot begins (ns) and its number."""
    found: list[tuple[int, int]] = []
    for low, high, ahead in clocks(profile, 0, duration):
        offset = ordinal(profile) * DAY + into_the_day(profile) + profile.elapsed + ahead
        begins = [low, *moments(-offset, noise.every, low, high)]
        found += [(at, (at + offset) // noise.every % MOST_SLOTS) for at in begins]
    return found


def _integrated(starts: Floats, values: Floats, ends: Floats) -> Floats:
    """Rows of pieces that begin at `starts` with `values` and reach `ends` where the next one begins."""
    lengths = np.diff(starts)
    table = np.zeros((len(starts), N_Q))
    table[:, Q_START] = starts
    table[:, Q_RATE] = values
    table[:-1, Q_SLOPE] = (ends[:-1] - values[:-1]) / lengths
    table[1:, Q_CUMULATED] = np.cumsum(lengths * (values[:-1] + ends[:-1]) / 2.0)
    return table


def _replay(profile: ReplayRate, duration: int) -> Floats:
    """A row of no rate at each instant at which something arrives, with the number of its first arrival as the
    integral before it: the integral jumps there by as many as come, and an even load has them all at that instant.
    """
    instants = np.array(profile.instants, dtype=np.int64)
    starts, first = np.unique(instants[instants < duration] / NS, return_index=True)
    within = int(np.count_nonzero(instants < duration))
    numbers = first + 1.0
    if not len(starts) or starts[0] > 0.0:
        starts, numbers = np.append(0.0, starts), np.append(0.0, numbers)
    table = np.zeros((len(starts) + 1, N_Q))
    table[:, Q_START] = np.append(starts, starts[-1] + 1.0)
    table[:, Q_CUMULATED] = np.append(numbers, within + 1.0)  # the one after the last never comes
    return table


def _states(profile: ModulatedRate) -> Floats:
    """A row for each state; in which order of time they come is drawn in the run."""
    table = np.zeros((len(profile.states), N_Q))
    table[:, Q_SOJOURN] = [state.mean / NS for state in profile.states]
    table[:, Q_RATE] = [state.rate for state in profile.states]
    return table


def _steps(profile: StepsRate) -> tuple[Floats, Floats, Floats]:
    starts = [step.at / NS for step in profile.steps]
    values = [step.rate for step in profile.steps]
    if starts[0] > 0.0:
        starts, values = [0.0, *starts], [0.0, *values]
    return np.array(starts), np.array(values), np.array(values)


def _stages(profile: StagesRate) -> tuple[Floats, Floats, Floats]:
    at, value = 0, profile.start
    starts, values, ends = [], [], []
    for stage in profile.stages:
        if stage.duration > 0:
            starts.append(at / NS)
            values.append(value)
            ends.append(stage.to)
        at, value = at + stage.duration, stage.to
    starts.append(at / NS)
    values.append(value)
    ends.append(value)
    return np.array(starts), np.array(values), np.array(ends)


def pieces_of(period: int, duration: int) -> int:
    """How many straight pieces stand for one period of a sine."""
    periods = duration / period
    return int(min(PIECES, max(FEWEST_PIECES, MOST_ROWS // max(1.0, periods) - 1)))


def _sine(profile: SineRate, duration: int) -> tuple[Floats, Floats, Floats]:
    """Nodes at whole pieces of the period counted from the phase, hence at every peak and trough."""
    pieces = pieces_of(profile.period, duration)
    count = duration * pieces // profile.period
    first = -(profile.phase * pieces // profile.period) - 1
    numbers = np.arange(first, first + count + 3, dtype=np.int64)
    nodes = (profile.phase + numbers * (profile.period / pieces)) / NS
    turn = 2.0 * math.pi / pieces
    heights = profile.mean * (1.0 + profile.amplitude * np.sin((numbers % pieces) * turn))
    heights = np.maximum(heights, 0.0)
    end = duration / NS
    at_0, at_end = np.interp([0.0, end], nodes, heights)
    inside = (nodes > 0.0) & (nodes < end)
    starts = np.concatenate(([0.0], nodes[inside], [end]))
    values = np.concatenate(([at_0], heights[inside], [at_end]))
    return starts, values, np.append(values[1:], at_end)
