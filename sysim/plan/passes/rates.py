"""Rates over time as piecewise linear functions, with the exact integral up to each piece.

The scenario's rate counts requests. With batch arrivals the table holds batches: the rate over the mean size.
"""

from __future__ import annotations

import math

import numpy as np

from sysim.model import Batch, ConstantRate, OpenLoad, SineRate, StagesRate, StepsRate
from sysim.plan.plan import Floats
from sysim.plan.tables import N_Q, Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START

NS = 1_000_000_000
PIECES = 256  # of a sine's period; the chord errs by at most amplitude x (pi / pieces)**2 / 2
FEWEST_PIECES = 64
MOST_ROWS = 2_000_000


def rates(load: OpenLoad, duration: int) -> Floats:
    """The rows of one load, in order of their start; the last one holds for ever."""
    profile = load.rate
    if isinstance(profile, ConstantRate):
        starts, values, ends = np.zeros(1), np.array([profile.value]), np.array([profile.value])
    elif isinstance(profile, StepsRate):
        starts, values, ends = _steps(profile)
    elif isinstance(profile, StagesRate):
        starts, values, ends = _stages(profile)
    else:
        starts, values, ends = _sine(profile, duration)
    if isinstance(load.arrivals, Batch):
        values, ends = values / load.arrivals.mean, ends / load.arrivals.mean
    return _integrated(starts, values, ends)


def _integrated(starts: Floats, values: Floats, ends: Floats) -> Floats:
    """Rows of pieces that begin at `starts` with `values` and reach `ends` where the next one begins."""
    lengths = np.diff(starts)
    table = np.zeros((len(starts), N_Q))
    table[:, Q_START] = starts
    table[:, Q_RATE] = values
    table[:-1, Q_SLOPE] = (ends[:-1] - values[:-1]) / lengths
    table[1:, Q_CUMULATED] = np.cumsum(lengths * (values[:-1] + ends[:-1]) / 2.0)
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
