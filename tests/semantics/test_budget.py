"""Retry budgets: what they let through."""

from __future__ import annotations

import pytest

from sysim.plan.tables import (
    BUDGET_BUCKET,
    BUDGET_RATIO,
    K_BUDGET_RETRIES,
    K_BUDGET_TRIES,
    K_TOKENS,
    P_BREAKER,
    P_BREAKER_CALLS,
    P_BREAKER_TIME,
    P_BUDGET,
    P_BUDGET_ON_SUCCESS,
    P_BUDGET_WINDOW,
    PF_BUCKET_COST,
    PF_BUCKET_DEPOSIT,
    PF_BUCKET_TOKENS,
    PF_BUDGET_MIN,
    PF_BUDGET_RATIO,
)
from sysim.semantics.budget import allow, succeeded, tried
from sysim.semantics.circuit_breaker import ring_length
from sysim.semantics.rng import uniform
from sysim.semantics.windows import breaker_words
from tests.semantics.rows import SECOND, Scope


def ratio(share, least=0.0, window=10 * SECOND, **more):
    columns = {P_BUDGET: BUDGET_RATIO, P_BUDGET_WINDOW: window} | more.pop("columns", {})
    return Scope(columns, {PF_BUDGET_RATIO: share, PF_BUDGET_MIN: least}, **more)


def bucket(tokens, deposit, cost, on_success=0):
    columns = {P_BUDGET: BUDGET_BUCKET, P_BUDGET_ON_SUCCESS: on_success}
    return Scope(columns, {PF_BUCKET_TOKENS: tokens, PF_BUCKET_DEPOSIT: deposit, PF_BUCKET_COST: cost})


def test_without_a_budget_all_is_allowed_and_nothing_touched():
    scope = Scope()
    before = scope.scope.copy()
    assert [scope.budget(law) for law in (tried, succeeded, allow)][-1] == 1
    assert (scope.scope == before).all()


@pytest.mark.parametrize(
    ("share", "tries", "retries"), [(0.1, 10, 1), (0.1, 9, 0), (0.2, 1000, 200), (0.29, 100, 29)]
)
def test_share_of_first_tries(share, tries, retries):
    scope = ratio(share)
    for _ in range(tries):
        scope.budget(tried)
    assert sum(scope.budget(allow) for _ in range(tries)) == retries
    assert (scope[K_BUDGET_TRIES], scope[K_BUDGET_RETRIES]) == (tries, retries)


def test_reserve_is_a_number_a_window():
    scope = ratio(0.2, least=10.0)
    assert sum(scope.budget(allow, t) for t in range(1000)) == 100
    for _ in range(1000):
        scope.budget(tried, 2000)
    assert sum(scope.budget(allow, 3000) for _ in range(1000)) == 200


def test_successes_do_not_count_for_a_share():
    scope = ratio(0.5)
    for _ in range(10):
        scope.budget(succeeded)
    assert scope.budget(allow) == 0


def test_window_forgets():
    scope = ratio(1.0)
    for i in range(5):
        scope.budget(tried, i)
    assert scope.budget(allow, 10) == 1
    assert scope.budget(allow, 10 * SECOND - 1) == 1
    assert scope.budget(allow, 10 * SECOND) == 0
    assert (scope[K_BUDGET_TRIES], scope[K_BUDGET_RETRIES]) == (0, 1)
    assert scope.budget(allow, 10**17) == 0
    assert (scope[K_BUDGET_TRIES], scope[K_BUDGET_RETRIES]) == (0, 0)


def test_window_against_a_list():
    scope = ratio(0.25, least=1.0, window=4 * SECOND, now=77 * SECOND)
    width = SECOND // 5
    tries, retries, now = [], [], 77 * SECOND
    for i in range(3000):
        now += int(uniform(1, i) * 3e8) if uniform(2, i) > 0.01 else 9 * SECOND
        slot = now // width
        live = [sum(s > slot - 20 for s in those) for those in (tries, retries)]
        if uniform(3, i) < 0.6:
            scope.budget(tried, now)
            tries.append(slot)
        else:
            allowed = live[1] + 1 <= 0.25 * live[0] + 4.0
            assert scope.budget(allow, now) == allowed
            if allowed:
                retries.append(slot)


def test_bucket_starts_full_and_counts_in_exact_millionths():
    scope = bucket(5, 0.1, 1)
    assert scope[K_TOKENS] == 5_000_000
    assert [scope.budget(allow) for _ in range(6)] == [1] * 5 + [0]
    for _ in range(9):
        scope.budget(tried)
    assert scope.budget(allow) == 0
    scope.budget(tried)
    assert [scope.budget(allow), scope.budget(allow)] == [1, 0]


def test_bucket_is_never_more_than_full():
    scope = bucket(2, 0.7, 1)
    for _ in range(10):
        scope.budget(tried)
    assert scope[K_TOKENS] == 2_000_000
    scope.budget(succeeded)
    assert scope[K_TOKENS] == 2_000_000


def test_bucket_filled_by_successes_as_in_the_aws_quota():
    scope = bucket(500, 1, 5, on_success=1)
    assert sum(scope.budget(allow) for _ in range(200)) == 100
    for _ in range(100):
        scope.budget(tried)
    assert scope.budget(allow) == 0
    for _ in range(5):
        scope.budget(succeeded)
    assert [scope.budget(allow), scope.budget(allow)] == [1, 0]


def test_ring_is_shared_with_the_breaker():
    assert ring_length(0, 0, 0, False) == 0
    assert ring_length(1, 100, 0, False) == 100
    assert ring_length(1, 0, SECOND, True) == 30 + 40
    for calls, time in ((7, 0), (0, SECOND), (0, 25 * SECOND + 1), (0, 600 * SECOND), (0, 7200 * SECOND)):
        columns = {P_BREAKER: 1, P_BREAKER_CALLS: calls, P_BREAKER_TIME: time}
        scope = ratio(0.1, columns=columns)
        assert breaker_words(scope.policies, 0) == ring_length(1, calls, time, False)
        part = len(scope.ring) - 40
        scope.ring[:part] = 5
        scope.budget(tried, 3 * SECOND)
        assert (scope.ring[:part] == 5).all()
        assert scope.ring[part:].sum() == 1
