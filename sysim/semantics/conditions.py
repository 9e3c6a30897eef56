"""Conditions on a number that is looked at now and then: does it hold, and has it held for long enough?"""

from __future__ import annotations

from sysim.plan.tables import AS_SINCE, NEVER
from sysim.semantics.jit import law


@law
def holds(comparison, value, threshold):
    """Whether `value` compares with `threshold` as it should; `comparison` is the number of one of COMPARISONS."""
    if comparison == 0:
        return value < threshold
    if comparison == 1:
        return value <= threshold
    if comparison == 2:
        return value > threshold
    if comparison == 3:
        return value >= threshold
    if comparison == 4:
        return value == threshold
    return value != threshold


@law
def lasting(state, a, now, least, true):
    """Whether condition `a`, `true` or not at this look, has been true at all looks for `least` ns."""
    if not true:
        state[a, AS_SINCE] = NEVER
        return False
    if state[a, AS_SINCE] > now:
        state[a, AS_SINCE] = now
    return now - state[a, AS_SINCE] >= least
