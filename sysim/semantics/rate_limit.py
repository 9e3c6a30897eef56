"""The rate limit: the generic cell rate algorithm, a token bucket that remembers one instant.

K_TAT is the theoretical arrival time of the next token. An attempt is admitted while it is at most
``(burst - 1) * interval`` in the future: from rest a burst of exactly `burst`, then one an interval.
"""

from __future__ import annotations

from sysim.plan.tables import K_TAT, P_RATE_BURST, P_RATE_INTERVAL
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rounding import MAX_NS


@inlined_law
def acquire(scope, k, policies, p, now):
    """Ask to send an attempt at `now`: 1 admitted and counted, 0 refused. Without a limit always 1."""
    interval = policies[p, P_RATE_INTERVAL]
    if interval <= 0:
        return 1
    ahead = max(0, policies[p, P_RATE_BURST] - 1)
    tolerance = ahead * interval if ahead <= MAX_NS // interval else MAX_NS
    if scope[k, K_TAT] - now > tolerance:
        return 0
    scope[k, K_TAT] = min(MAX_NS, max(now, scope[k, K_TAT]) + interval)
    return 1


@law
def reset(scope, k):
    """Make the limiter new: it is at rest."""
    scope[k, K_TAT] = 0
