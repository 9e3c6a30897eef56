"""Retry budgets: what a caller may spend on retries.

Ratio. Over the trailing window a retry is allowed while
``retries + 1 <= ratio * first tries + min_per_second * window in seconds``, where both sides count the window
without the retry in question. The window has 20 slots (``windows.py``). The right side is given 1e-9 and one
part in 10**12 of grace, so that 10 % of 10 tries is one retry whatever binary fractions make of it.

Bucket. Tokens are whole millionths, so that ten deposits of 0.1 are exactly one token. It starts full, gets a
deposit a call (or a success), never above its size, and a retry needs and takes its cost.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    BUDGET_BUCKET,
    BUDGET_NONE,
    BUDGET_RATIO,
    K_BUDGET_RETRIES,
    K_BUDGET_SLOT,
    K_BUDGET_TRIES,
    K_RING,
    K_TOKENS,
    P_BUDGET,
    P_BUDGET_ON_SUCCESS,
    P_BUDGET_WINDOW,
    PF_BUCKET_COST,
    PF_BUCKET_DEPOSIT,
    PF_BUCKET_TOKENS,
    PF_BUDGET_MIN,
    PF_BUDGET_RATIO,
)
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.kinds import BUDGET_SLOTS, BUDGET_WORDS
from sysim.semantics.sampling import to_ns
from sysim.semantics.windows import breaker_words, budget_width

_GRACE = 1e-9
_MORE_THAN_ONE = 1.0 + 1e-12


@inlined_law
def tried(scope, k, ring, policies, policiesF, p, now):
    """A call begins: its first try earns."""
    if policies[p, P_BUDGET] != BUDGET_NONE:
        _tried(scope, k, ring, policies, policiesF, p, now)


@law
def _tried(scope, k, ring, policies, policiesF, p, now):
    if policies[p, P_BUDGET] == BUDGET_RATIO:
        ring[_slot(scope, k, ring, policies, p, now)] += 1
        scope[k, K_BUDGET_TRIES] += 1
    elif policies[p, P_BUDGET_ON_SUCCESS] == 0:
        _deposit(scope, k, policiesF, p)


@inlined_law
def succeeded(scope, k, ring, policies, policiesF, p, now):
    """An attempt has succeeded: it earns where the bucket is filled by successes."""
    if policies[p, P_BUDGET] == BUDGET_BUCKET and policies[p, P_BUDGET_ON_SUCCESS] != 0:
        _deposit(scope, k, policiesF, p)


@inlined_law
def allow(scope, k, ring, policies, policiesF, p, now):
    """May a retry be made? 1 and it is paid for, or 0. Without a budget always 1."""
    if policies[p, P_BUDGET] == BUDGET_NONE:
        return 1
    return _allow(scope, k, ring, policies, policiesF, p, now)


@law
def _allow(scope, k, ring, policies, policiesF, p, now):
    if policies[p, P_BUDGET] == BUDGET_BUCKET:
        cost = _millionths(policiesF[p, PF_BUCKET_COST])
        if scope[k, K_TOKENS] < cost:
            return 0
        scope[k, K_TOKENS] -= cost
        return 1
    at = _slot(scope, k, ring, policies, p, now)
    seconds = np.float64(policies[p, P_BUDGET_WINDOW]) * 1e-9
    earned = policiesF[p, PF_BUDGET_RATIO] * scope[k, K_BUDGET_TRIES] + policiesF[p, PF_BUDGET_MIN] * seconds
    if scope[k, K_BUDGET_RETRIES] + 1 > earned * _MORE_THAN_ONE + _GRACE:
        return 0
    ring[at + 1] += 1
    scope[k, K_BUDGET_RETRIES] += 1
    return 1


@law
def reset(scope, k, ring, policies, policiesF, p, now):
    """Make the budget new: an empty window, a full bucket."""
    scope[k, K_BUDGET_SLOT] = 0
    scope[k, K_BUDGET_TRIES] = 0
    scope[k, K_BUDGET_RETRIES] = 0
    scope[k, K_TOKENS] = 0
    if policies[p, P_BUDGET] == BUDGET_BUCKET:
        scope[k, K_TOKENS] = _millionths(policiesF[p, PF_BUCKET_TOKENS])
    elif policies[p, P_BUDGET] == BUDGET_RATIO:
        scope[k, K_BUDGET_SLOT] = now // budget_width(policies[p, P_BUDGET_WINDOW])
        first = scope[k, K_RING] + breaker_words(policies, p)
        for i in range(first, first + BUDGET_WORDS * BUDGET_SLOTS):
            ring[i] = 0


@law
def _millionths(tokens):
    return to_ns(tokens * 1e-3)


@law
def _deposit(scope, k, policiesF, p):
    scope[k, K_TOKENS] = min(
        scope[k, K_TOKENS] + _millionths(policiesF[p, PF_BUCKET_DEPOSIT]),
        _millionths(policiesF[p, PF_BUCKET_TOKENS]),
    )


@law
def _slot(scope, k, ring, policies, p, now):
    """Forget the slots that have left the window; the place in ``ring`` of the slot of `now`."""
    first = scope[k, K_RING] + breaker_words(policies, p)
    number = np.int64(now) // budget_width(policies[p, P_BUDGET_WINDOW])
    for i in range(max(scope[k, K_BUDGET_SLOT], number - BUDGET_SLOTS) + 1, number + 1):
        at = first + BUDGET_WORDS * (i % BUDGET_SLOTS)
        scope[k, K_BUDGET_TRIES] -= ring[at]
        scope[k, K_BUDGET_RETRIES] -= ring[at + 1]
        ring[at] = 0
        ring[at + 1] = 0
    scope[k, K_BUDGET_SLOT] = number
    return first + BUDGET_WORDS * (number % BUDGET_SLOTS)
