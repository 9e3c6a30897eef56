"""How long work takes when its replica is slowed down, crowded, or changes its speed midway.

Results are whole ns, rounded as stated, and saturate at 2**61. Times above 2**53 ns (104 days) keep only the
53 leading bits where a factor is applied.
"""

from __future__ import annotations

import numpy as np

from sysim.semantics.jit import law
from sysim.semantics.rounding import MAX_NS, ceiling, nearest


@law
def scaled(base, factor):
    """The time that `base` ns of work take on a replica slowed down `factor` times, rounded up."""
    if factor == 1.0 or base <= 0:
        return min(MAX_NS, np.int64(base))
    return ceiling(np.float64(base) * factor)


@law
def rescaled(left, old, new):
    """What is left of some work after the factor went from `old` to `new`, rounded up."""
    if old == new or left <= 0:
        return min(MAX_NS, np.int64(left))
    return ceiling(np.float64(left) * new / old)


@law
def with_concurrency(base, per_concurrent, n):
    """The work itself when `n` requests are in progress: base * (1 + per_concurrent * n), to the nearest."""
    if base <= 0:
        return np.int64(0)
    return nearest(np.float64(base) * (1.0 + per_concurrent * n))
