"""How many replicas an autoscaler asks for: a law of proportion, and what keeps it from swinging.

The laws of the horizontal pod autoscaler, without what belongs to its platform alone. All numbers of replicas are
whole, but for `ready`: a mean over the interval that was looked at, as the load is, so that a replica which got ready
half way through counts half.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.semantics.jit import law
from sysim.semantics.rounding import ceiling

GRACE: Final = 1e-9
"""4 replicas at 90 % of 60 % are 6, and 1.1 is within 10 %, whatever binary fractions make of it."""
LEAST_STEP: Final = 4
"""So many more may always be asked for at one look: twice one would be two."""


@law
def recommended(wanted, ready, load, target, tolerance):
    """How many replicas bring `load`, a mean for each of `ready` replicas, to `target`; `wanted` there shall be now.

    Within `tolerance` (a share of the target) of it nothing changes. On the way up those that start count as capacity
    already, with nothing to do: what they will carry is not asked for twice.
    """
    ratio = load / target
    if ratio >= 1.0 - tolerance - GRACE and ratio <= 1.0 + tolerance + GRACE:
        return wanted
    needed = ready * ratio
    if ratio > 1.0 and needed <= np.float64(wanted) * (1.0 + tolerance) + GRACE:
        return wanted
    count = ceiling(needed - GRACE)
    return max(wanted, count) if ratio > 1.0 else min(wanted, count)


@law
def held(recommendations, first, slots, look, wanted, count):
    """`count` is recommended at look number `look`: up at once, down no further than to the greatest of a window.

    The window are the last `slots` looks, this one included; `recommendations` remembers them in a ring from `first`.
    """
    recommendations[first + look % slots] = count
    most = count
    for slot in range(first, first + slots):
        most = max(most, recommendations[slot])
    return max(count, min(wanted, most))


@law
def limited(wanted, count, increase):
    """No more at one look than a share `increase` on top of those that are `wanted`, or LEAST_STEP if that is more."""
    most = max(wanted + LEAST_STEP, ceiling(np.float64(wanted) * (1.0 + increase) - GRACE))
    return min(count, most)


@law
def within(count, least, most):
    """`count`, or the nearer of the bounds."""
    return max(least, min(most, count))
