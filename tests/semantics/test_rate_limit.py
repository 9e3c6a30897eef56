"""The generic cell rate algorithm."""

from __future__ import annotations

from sysim.plan.tables import K_TAT, P_RATE_BURST, P_RATE_INTERVAL
from sysim.semantics import rate_limit
from tests.semantics.rows import Scope


def limiter(interval, burst):
    scope = Scope({P_RATE_INTERVAL: interval, P_RATE_BURST: burst})
    return lambda now: rate_limit.acquire(scope.scope, 0, scope.policies, 0, now), scope


def test_burst_from_rest_then_one_an_interval():
    acquire, _ = limiter(10, 3)
    assert [acquire(0) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert [acquire(t) for t in (9, 10, 10, 19, 20)] == [0, 1, 0, 0, 1]
    assert [acquire(1000) for _ in range(4)] == [1, 1, 1, 0]


def test_long_run_rate():
    acquire, _ = limiter(10, 5)
    assert sum(acquire(t) for t in range(0, 100_000, 3)) in range(10_000, 10_006)


def test_none_and_extremes():
    acquire, scope = limiter(0, 0)
    assert (acquire(5), scope[K_TAT]) == (1, 0)
    acquire, _ = limiter(10, 0)
    assert [acquire(0), acquire(0)] == [1, 0]
    acquire, _ = limiter(10**12, 10**12)
    assert [acquire(10**15) for _ in range(1000)] == [1] * 1000
    acquire, scope = limiter(2**61, 1)
    assert [acquire(0), acquire(2**60)] == [1, 0]
    rate_limit.reset(scope.scope, 0)
    assert scope[K_TAT] == 0
