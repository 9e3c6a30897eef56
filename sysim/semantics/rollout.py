"""A rolling deploy: how many replicas of the new version may start at a moment, and how many old ones may leave.

The laws of Kubernetes' rolling update: a surge is rounded up, what may be missing down, and if both come to nothing one
replica may be missing, or nothing would ever move.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.semantics.jit import law
from sysim.semantics.rounding import ceiling

GRACE: Final = 1e-9
"""25 % of 12 are 3, whatever binary fractions make of it."""


@law
def surge(desired, count, share):
    """How many replicas there may be beyond those `desired`: a `count`, or a share if that is at least 0."""
    return count if share < 0.0 else ceiling(share * np.float64(desired) - GRACE)


@law
def unavailable(desired, count, share, surges):
    """How many of those `desired` need not be ready, beside a surge of `surges`: never more than all."""
    found = count
    if share >= 0.0:
        found = np.int64(share * np.float64(desired) + GRACE)
    return min(max(found, 1) if surges == 0 else found, desired)


@law
def may_start(desired, new, total, surges):
    """How many replicas of the new version may start, `total` being there in all that are not leaving."""
    return max(0, min(desired - new, desired + surges - total))


@law
def may_drop_unready(desired, total, starting, missing):
    """How many old replicas that are not ready may go; `starting` new ones are not ready either."""
    return max(0, total - (desired - missing) - starting)


@law
def may_drop(desired, available, missing):
    """How many old replicas may leave, `available` being ready in all."""
    return max(0, available - (desired - missing))
