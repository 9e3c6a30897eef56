"""Trailing windows in time: how a breaker and a budget cut them into slots.

A slot is a whole stretch of time counted from time 0. A window of n slots holds the current slot and the
n - 1 before it and forgets a slot at once, so that it covers between n - 1 and n slots of time. How many
elements of ``ring`` that takes is said by `sysim.semantics.kinds.ring_length`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.plan.tables import P_BREAKER, P_BREAKER_CALLS, P_BREAKER_TIME
from sysim.semantics.jit import law
from sysim.semantics.kinds import BREAKER_WORDS, BUDGET_SLOTS

SECOND: Final = np.int64(1_000_000_000)


@law
def breaker_slots(window):
    """How many slots the time window of a breaker has: 10 below 10 s, else one a second, 600 at most."""
    if window < 10 * SECOND:
        return np.int64(10)
    return min(np.int64(600), (np.int64(window) + SECOND - np.int64(1)) // SECOND)


@law
def breaker_width(window):
    """The length of a slot of a breaker's time window in ns: one second from 10 s to 10 min."""
    if window < 10 * SECOND:
        return max(np.int64(1), (np.int64(window) + np.int64(9)) // np.int64(10))
    if window <= 600 * SECOND:
        return SECOND
    return (np.int64(window) + np.int64(599)) // np.int64(600)


@law
def breaker_words(policies, p):
    """How many elements of ``ring`` the breaker of policy `p` uses."""
    if policies[p, P_BREAKER] == 0:
        return np.int64(0)
    if policies[p, P_BREAKER_TIME] > 0:
        return BREAKER_WORDS * breaker_slots(policies[p, P_BREAKER_TIME])
    return np.int64(policies[p, P_BREAKER_CALLS])


@law
def budget_width(window):
    """The length of a slot of a retry budget in ns."""
    return max(np.int64(1), (np.int64(window) + np.int64(BUDGET_SLOTS - 1)) // np.int64(BUDGET_SLOTS))
