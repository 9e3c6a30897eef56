"""From floats to whole nanoseconds, exactly rounded, within [0, 2**61]; NaN is 0."""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.semantics.jit import law

MAX_NS: Final = np.int64(1 << 61)  # where times and durations saturate
_LIMIT: Final = 2305843009213693952.0  # 2**61
_ONE = np.int64(1)


@law
def nearest(x):
    """The whole number nearest to `x`, halves up."""
    if not x > 0.0:
        return np.int64(0)
    if x >= _LIMIT:
        return MAX_NS
    whole = np.int64(x)
    return whole + _ONE if x - np.float64(whole) >= 0.5 else whole


@law
def ceiling(x):
    """The least whole number that is not below `x`."""
    if not x > 0.0:
        return np.int64(0)
    if x >= _LIMIT:
        return MAX_NS
    whole = np.int64(x)
    return whole + _ONE if np.float64(whole) < x else whole
