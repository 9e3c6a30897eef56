"""A row of policy state as a whole: what it is like at the start of a run and after its owner has crashed."""

from __future__ import annotations

from sysim.plan.tables import K_CAUSE, K_OUT, K_PERMITS_USED, K_WAIT_HEAD, K_WAIT_TAIL, NONE
from sysim.semantics import balancer, budget, circuit_breaker, rate_limit
from sysim.semantics.jit import law


@law
def reset(scope, k, ring, policies, policiesF, p, now, n, rows, outstanding):
    """Make all of row `k` new at `now`; the callee has room for `rows` replicas, `n` of them at time 0.

    Needs K_RING, K_OUT and K_KEY; leaves the identity columns (K_RING, K_OUT and from K_POLICY to K_REPLICAS) alone.
    """
    circuit_breaker.reset(scope, k, ring, policies, policiesF, p, now)
    budget.reset(scope, k, ring, policies, policiesF, p, now)
    rate_limit.reset(scope, k)
    balancer.reset(scope, k, n)
    scope[k, K_PERMITS_USED] = 0
    scope[k, K_CAUSE] = 0
    scope[k, K_WAIT_HEAD] = NONE
    scope[k, K_WAIT_TAIL] = NONE
    if scope[k, K_OUT] >= 0:
        for i in range(scope[k, K_OUT], scope[k, K_OUT] + rows):
            outstanding[i] = 0
