"""A log-linear histogram of times in ns, exact moments beside it; both merge by addition.

128 bins to an octave (as HdrHistogram's sub-buckets): a bin is at most 1/128 of its lower edge wide, so its
middle errs by at most 1/256 = 0.39 %. Below 128 ns every bin is one ns. The sum of squares is kept in four
limbs of 31 bits each, exact and independent of the order of addition.
"""

from __future__ import annotations

import numpy as np

from sysim.record.columns import M_MAX, M_N, M_Q0, M_SUM
from sysim.semantics.jit import inlined_law, law

OCTAVE = 128
BINS = 55 * OCTAVE  # up to 2**61 ns
COARSE = 8  # the columns over time keep 16 bins to an octave: their middles err by at most 3 %
COARSE_BINS = BINS // COARSE
_LIMB = (1 << 31) - 1
_KEEP = 52 - 7  # bits of the fraction that do not count
_ORIGIN = (1023 + 7) * OCTAVE - OCTAVE  # the float of 128 is in bin 128


@inlined_law
def bin_of(x):
    """The bin of a time `x` ≥ 0 ns: exponent and seven leading bits of the fraction of its float64."""
    if x < OCTAVE:
        return np.int64(x)
    return (np.float64(x).view(np.int64) >> _KEEP) - _ORIGIN


@inlined_law
def add(histogram, moments, row, x):
    """Count time `x` (ns) in row `row` of a histogram table and of its moments."""
    histogram[row, bin_of(x)] += 1
    moments[row, M_N] += 1
    moments[row, M_SUM] += x
    if x > moments[row, M_MAX]:
        moments[row, M_MAX] = x
    low = x & _LIMB
    square = low * low
    moments[row, M_Q0] += square & _LIMB
    moments[row, M_Q0 + 1] += square >> 31
    high = x >> 31
    if high != 0:
        cross = 2 * high * low
        moments[row, M_Q0 + 1] += cross & _LIMB
        moments[row, M_Q0 + 2] += cross >> 31
        top = high * high
        moments[row, M_Q0 + 2] += top & _LIMB
        moments[row, M_Q0 + 3] += top >> 31


@law
def middle(b):
    """The middle of bin `b` in ns."""
    if b < OCTAVE:
        return np.float64(b)
    octave = (b - OCTAVE) // OCTAVE
    lower = np.int64(OCTAVE + (b - OCTAVE) % OCTAVE) << octave
    return np.float64(lower) + 0.5 * np.float64(np.int64(1) << octave)


def lower_edge(b: int) -> float:
    """Lower edge of bin `b` in ns."""
    if b < OCTAVE:
        return float(b)
    octave, sub = divmod(b - OCTAVE, OCTAVE)
    return float((OCTAVE + sub) << octave)


def sum_of_squares(moments: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> int:
    """The exact sum of squares (ns²) of one row of moments, as a Python int."""
    return sum(int(moments[M_Q0 + k]) << (31 * k) for k in range(4))
