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

from sysim.plan.tables import (
    LT_CUMULATED,
    LT_END,
    LT_NUMBER,
    LT_ROW,
    LT_START,
    LT_TARGET,
    NEVER,
    Q_CUMULATED,
    Q_RATE,
    Q_SLOPE,
    Q_SOJOURN,
    Q_START,
)
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
def first_state(rates, first, count, progress, load, key):
    """Begin a Markov-modulated rate: row `load` of `progress` (columns LT_*) at time 0.

    The first state is drawn by the shares of time, row i with probability mean_i / sum of means. As what is left of an
    exponential time is exponential again, the process is stationary from then on.
    """
    whole = 0.0
    for row in range(first, first + count):
        whole += rates[row, Q_SOJOURN]
    mark = uniform(key, 0) * whole
    row = first
    while row + 1 < first + count and mark >= rates[row, Q_SOJOURN]:
        mark -= rates[row, Q_SOJOURN]
        row += 1
    progress[load, LT_ROW] = row
    progress[load, LT_NUMBER] = 1.0
    progress[load, LT_START] = 0.0
    progress[load, LT_CUMULATED] = 0.0
    progress[load, LT_END] = exponential(key, 1) * rates[row, Q_SOJOURN]


@law
def modulated_instant(rates, first, count, progress, load, key, until):
    """When the integral of a Markov-modulated rate passes LT_TARGET, in ns; NEVER if not before `until` (ns).

    Rows of ``rates`` (columns Q_SOJOURN and Q_RATE) are the states, visited one after the other and round again. The
    n-th one (from 1) lasts `exponential` number n of `key` times its mean. With targets that grow by standard
    exponentials this is a Markov-modulated Poisson process, exactly: given the states it is Poisson with the integrated
    rate.

    Of two states with rates a and b and means 1/p and 1/q: mean rate m = (a q + b p)/(p + q), and the index of
    dispersion of counts, var N(t)/E N(t) = 1 + 2 p q (a - b)**2 / ((p + q)**2 (a q + b p)) (1 - (1 - exp(-(p + q) t)) /
    ((p + q) t)) (Heffes and Lucantoni, IEEE JSAC 1986; Fischer and Meier-Hellstern, Performance Evaluation 1993).
    """
    while True:
        row = np.int64(progress[load, LT_ROW])
        rate = rates[row, Q_RATE]
        start = progress[load, LT_START]
        end = progress[load, LT_END]
        passed = rate * (end - start)
        need = progress[load, LT_TARGET] - progress[load, LT_CUMULATED]
        if passed > need:
            return min(to_ns(start + max(0.0, need) / rate), to_ns(end))
        if to_ns(end) >= until:
            return NEVER
        row = row + 1 if row + 1 < first + count else np.int64(first)
        number = progress[load, LT_NUMBER] + 1.0
        progress[load, LT_ROW] = row
        progress[load, LT_NUMBER] = number
        progress[load, LT_START] = end
        progress[load, LT_CUMULATED] += passed
        progress[load, LT_END] = end + exponential(key, np.int64(number)) * rates[row, Q_SOJOURN]


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
