"""How long a caller waits before a retry.

====================  =====================================================================================
constant              initial
exponential           min(max, initial * multiplier**(tries - 1)), by repeated multiplication
====================  =====================================================================================

Jitter of that value v, with one uniform u: none v; full u*v; equal v/2 + u*v/2; share j: v*(1 - j + 2*j*u),
which may exceed the maximum as in gRPC; decorrelated: min(max, initial + u*(3*previous - initial)), where the
previous delay starts as initial and the multiplier has no part. Where no maximum is wanted it is infinite.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    BACKOFF_CONSTANT,
    BACKOFF_NONE,
    JITTER_DECORRELATED,
    JITTER_EQUAL,
    JITTER_FULL,
    JITTER_SHARE,
    P_BACKOFF,
    P_JITTER,
    PF_BACKOFF_INITIAL,
    PF_BACKOFF_MAX,
    PF_BACKOFF_MULTIPLIER,
    PF_JITTER_SHARE,
)
from sysim.semantics.jit import law
from sysim.semantics.sampling import to_ns

_LONGEST = 3e9  # seconds, more than a duration can hold


@law
def delay(policies, policiesF, p, tries, previous, u):
    """The delay in ns after `tries` tries (1 before the first retry); `previous`: the last, 0 at first."""
    if policies[p, P_BACKOFF] == BACKOFF_NONE:
        return np.int64(0)
    jitter = policies[p, P_JITTER]
    value = policiesF[p, PF_BACKOFF_INITIAL]
    most = min(_LONGEST, policiesF[p, PF_BACKOFF_MAX])
    if jitter == JITTER_DECORRELATED:
        last = np.float64(previous) * 1e-9 if previous > 0 else value
        return to_ns(min(most, value + u * (3.0 * last - value)))
    if policies[p, P_BACKOFF] != BACKOFF_CONSTANT:
        multiplier = policiesF[p, PF_BACKOFF_MULTIPLIER]
        for _ in range(1, tries):
            if value >= most or multiplier == 1.0:
                break
            value *= multiplier
        value = min(most, value)
    if jitter == JITTER_FULL:
        value = u * value
    elif jitter == JITTER_EQUAL:
        value = 0.5 * value + u * (0.5 * value)
    elif jitter == JITTER_SHARE:
        share = policiesF[p, PF_JITTER_SHARE]
        value = value * (1.0 - share + 2.0 * share * u)
    return to_ns(value)
