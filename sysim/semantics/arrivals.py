"""Arrivals of an open load: the instants at which the integrated rate passes a rising target.

Rows of ``rates`` (columns Q_*) describe a piecewise linear rate; the last row holds for ever. A Poisson load
raises its target by `exponential` from one arrival to the next, an even load by exactly 1, so both follow any
profile without thinning. "Passes" is meant: where the rate is zero from the very instant at which the target
is reached, the arrival waits for the rate to come back. A row of no rate before one whose integral is higher is a
jump at its start: all targets within the jump are passed there (a replay).
"""

from __future__ import annotations

import math

import numpy as np

from sysim.plan.tables import NEVER, Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import uniform
from sysim.semantics.salts import X_SIZE
from sysim.semantics.sampling import to_ns


@inlined_law
def seek(rates, first, count, row, target):
    """The row in which `target` is passed, from `row` on; absolute, one of `count` rows from `first`."""
    while row + 1 < first + count and rates[row + 1, Q_CUMULATED] <= target:
        row += 1
    return row


@law
def instant(rates, first, count, row, target):
    """When the integrated rate passes `target`, in ns, given the row that `seek` found; NEVER if it does not.

    Solves rate * tau + slope * tau**2 / 2 = target - cumulated in the form that loses no digits when the
    slope is small, and never goes past the start of the next row.
    """
    rate = rates[row, Q_RATE]
    slope = rates[row, Q_SLOPE]
    need = max(0.0, target - rates[row, Q_CUMULATED])
    is_last = row + 1 >= first + count
    if slope == 0.0 and rate > 0.0:
        tau = need / rate  # to the last bit what the rest would find
    else:
        root = rate * rate + 2.0 * slope * need
        if root < 0.0:
            if is_last:
                return NEVER  # a falling rate reaches zero before the target
            root = 0.0
        divisor = rate + math.sqrt(root)
        if not divisor > 0.0:
            if is_last and not slope > 0.0:
                return NEVER
            tau = 0.0
        else:
            tau = 2.0 * need / divisor
    at = to_ns(rates[row, Q_START] + tau)
    if not is_last:
        at = min(at, to_ns(rates[row + 1, Q_START]))
    return at


@law
def exponential(key, n):
    """Standard exponential number `n` of `key`."""
    return -math.log(uniform(key, n))


@law
def batch_size(key, size, mean):
    """How many requests batch `key` has: `size`, or where that is 0 a geometric number of that mean, at least 1.

    By inversion: 1 + floor(ln u / ln(1 - 1/mean)), with u the third uniform of the batch's key.
    """
    if size > 0:
        return np.int64(size)
    if mean <= 1.0:
        return np.int64(1)
    return np.int64(1) + np.int64(math.log(uniform(key, X_SIZE)) / math.log(1.0 - 1.0 / mean))
