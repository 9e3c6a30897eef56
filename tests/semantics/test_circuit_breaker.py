"""The breaker by resilience4j's rules, vector by vector, and as a renewal process."""

from __future__ import annotations

import numpy as np
import pytest

from sysim.plan.tables import (
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN,
    BREAKER_OPEN,
    K_FAILED,
    K_OPEN_UNTIL,
    K_PERMITS,
    K_SINCE,
    K_SLOW,
    K_STATE,
    K_TOTAL,
)
from sysim.semantics import circuit_breaker
from sysim.semantics.arrivals import exponential
from sysim.semantics.jit import law
from sysim.semantics.rng import derive, uniform
from sysim.semantics.rounding import nearest
from tests.semantics.rows import SECOND, Scope, breaker


def run(scope, outcomes, now=0):
    """Acquire and record one call a letter (F failed, S succeeded); what record said each time."""
    said = []
    for letter in outcomes:
        assert scope.acquire(now) == 1
        said.append(scope.record(letter == "F", now))
    return said


def tripped(now=0, **more):
    scope = breaker(calls=2, minimum=2, failures=1.0, **more)
    assert run(scope, "FF", now) == [-1, BREAKER_OPEN]
    return scope


def test_without_a_breaker_nothing_is_touched():
    scope = Scope()
    assert [scope.acquire(t) for t in range(3)] == [1, 1, 1]
    before = scope.scope.copy()
    assert scope.record(True) == -1
    scope.release()
    assert (scope.scope == before).all()


def test_vector_of_five():
    assert run(breaker(), "FSFSF") == [-1, -1, -1, -1, BREAKER_OPEN]
    assert run(breaker(), "FFSS") == [-1] * 4


def test_threshold_is_reached_by_equality_also_at_a_success():
    assert run(breaker(minimum=4), "FFSS")[-1] == BREAKER_OPEN
    assert run(breaker(minimum=4), "FSSS")[-1] == -1
    for rate, failures, calls in (
        (0.07, 7, 100),
        (0.333, 333, 1000),
        (33.3 / 100, 333, 1000),
        (0.29, 29, 100),
    ):
        scope = breaker(calls=calls, minimum=calls, failures=rate)
        assert run(scope, "S" * (calls - failures) + "F" * failures)[-1] == BREAKER_OPEN
        scope = breaker(calls=calls, minimum=calls, failures=rate)
        assert run(scope, "S" * (calls - failures + 1) + "F" * (failures - 1))[-1] == -1


def test_count_window_never_needs_more_than_it_holds():
    assert run(breaker(calls=3, minimum=100), "FFF") == [-1, -1, BREAKER_OPEN]


def test_count_window_slides_and_never_ages():
    scope = breaker(calls=4, minimum=4, failures=0.75)
    assert run(scope, "FFSSSSF") == [-1] * 7
    assert (scope[K_TOTAL], scope[K_FAILED]) == (4, 1)
    assert run(scope, "F", now=10**15) == [-1]
    assert run(scope, "F", now=2 * 10**15) == [BREAKER_OPEN]


def test_slow_calls():
    scope = breaker(minimum=2, failures=1.0, slow=SECOND, slow_rate=0.5)
    assert scope.record(False, 0, SECOND) == -1
    assert scope[K_SLOW] == 0
    assert scope.record(False, 0, SECOND + 1) == BREAKER_OPEN
    scope = breaker(minimum=1, failures=1.0, slow=SECOND)
    assert [scope.record(False, 0, 10 * SECOND) for _ in range(20)] == [-1] * 20


def test_open_refuses_until_strictly_after_its_end():
    scope = tripped(now=5, open_for=100)
    assert scope[K_OPEN_UNTIL] == 105
    assert [scope.acquire(t) for t in (6, 104, 105)] == [0, 0, 0]
    assert scope[K_STATE] == BREAKER_OPEN
    assert scope.acquire(106) == 2
    assert scope[K_STATE] == BREAKER_HALF_OPEN


def test_late_results_while_open_are_without_effect():
    scope = tripped(open_for=100)
    before = scope.scope.copy()
    assert [scope.record(f, 50, 0) for f in (True, False) * 10] == [-1] * 20
    assert (scope.scope == before).all()


def test_half_open_gives_no_permit_back_and_decides_when_enough_are_recorded():
    scope = tripped(open_for=100, half_open=3)
    assert [scope.acquire(200) for _ in range(5)] == [2, 1, 1, 0, 0]
    assert scope.record(False, 201) == -1
    assert scope.acquire(201) == 0
    assert scope.record(False, 202) == BREAKER_CLOSED  # the minimum of 2 is less than the 3 probes
    assert (scope[K_STATE], scope[K_TOTAL], scope[K_SINCE]) == (BREAKER_CLOSED, 0, 202)


def test_half_open_opens_again():
    scope = tripped(open_for=100, half_open=1)
    since = scope[K_SINCE]
    for now in (200, 500, 900):
        assert scope.acquire(now) == 2
        assert scope.record(True, now + 1) == BREAKER_OPEN
        assert (scope[K_OPEN_UNTIL], scope[K_SINCE]) == (now + 101, since)


def test_a_late_result_from_before_the_trip_decides_in_half_open():
    scope = tripped(open_for=100, half_open=1)
    assert scope.acquire(200) == 2
    assert scope.record(False, 201) == BREAKER_CLOSED  # not the probe's


def test_release_returns_a_probe_but_never_too_many():
    scope = tripped(open_for=100, half_open=2)
    assert [scope.acquire(200) for _ in range(3)] == [2, 1, 0]
    scope.release()
    assert [scope.acquire(200) for _ in range(2)] == [1, 0]
    for _ in range(5):
        scope.release()
    assert scope[K_PERMITS] == 2
    closed = breaker()
    closed.release()
    assert (closed[K_PERMITS], closed[K_STATE]) == (0, BREAKER_CLOSED)


def test_closing_empties_the_window():
    for window in ({}, {"time": 10 * SECOND}):
        scope = breaker(calls=4, minimum=4, failures=0.5, half_open=1, open_for=10, **window)
        assert run(scope, "FFFF")[-1] == BREAKER_OPEN
        assert scope.acquire(20) == 2
        assert scope.record(False, 30) == BREAKER_CLOSED
        assert run(scope, "FFF", now=31) == [-1] * 3
        assert scope[K_TOTAL] == 3


@pytest.mark.parametrize(
    ("window", "slots", "width"),
    [
        (SECOND, 10, SECOND // 10),
        (9_999_999_999, 10, SECOND),
        (10 * SECOND, 10, SECOND),
        (12 * SECOND + 1, 13, SECOND),
        (600 * SECOND, 600, SECOND),
        (3600 * SECOND, 600, 6 * SECOND),
    ],
)
def test_time_window_forgets_slot_by_slot(window, slots, width):
    scope = breaker(time=window, minimum=10**9)
    for i in range(2 * slots):
        scope.record(i % 2, i * width)
        assert scope[K_TOTAL] == min(i + 1, slots)
    last = (2 * slots - 1) * width
    scope.record(True, last + width - 1)
    assert scope[K_TOTAL] == slots + 1
    scope.record(True, last + width)
    assert (scope[K_TOTAL], scope[K_FAILED]) == (slots + 1, slots // 2 + 2)
    scope.record(False, last + 100 * window)
    assert (scope[K_TOTAL], scope[K_FAILED]) == (1, 0)


def test_time_window_against_a_list_of_all_calls():
    scope = breaker(time=2 * SECOND, minimum=10**9, slow=500)
    calls, now = [], 0
    for i in range(3000):
        now += int(exponential(3, i) * 5e7) if uniform(5, i) > 0.02 else 3 * SECOND
        failed, duration = uniform(4, i) < 0.3, int(uniform(6, i) * 1000)
        scope.record(failed, now, duration)
        calls.append((now // (SECOND // 5), failed, duration > 500))
        live = [c for c in calls if c[0] > calls[-1][0] - 10]
        expected = (len(live), sum(c[1] for c in live), sum(c[2] for c in live))
        assert (scope[K_TOTAL], scope[K_FAILED], scope[K_SLOW]) == expected


def test_time_window_minimum_is_not_cut():
    scope = breaker(time=10 * SECOND, minimum=30)
    assert run(scope, "F" * 30) == [-1] * 29 + [BREAKER_OPEN]


@law
def _renewal(scope, ring, policies, policies_f, calls, p, rate, key, sums):
    """Poisson calls without latency: time closed, not closed, calls admitted, trips, first trip, all time."""
    now, since = np.int64(0), np.int64(0)
    closed = True
    for n in range(calls):
        now += nearest(exponential(key, n) / rate * 1e9)
        if circuit_breaker.acquire(scope, 0, policies, 0, now) == 0:
            continue
        sums[2] += 1.0
        failed = uniform(derive(key, n), 1) < p
        state = circuit_breaker.record(scope, 0, ring, policies, policies_f, 0, now, failed, 0)
        if state == BREAKER_OPEN and closed:
            sums[0] += (now - since) * 1e-9
            sums[3] += 1.0
            closed, since = False, scope[0, K_SINCE]
            if sums[4] == 0.0:
                sums[4] = n + 1.0
        elif state == BREAKER_CLOSED:
            sums[1] += (now - since) * 1e-9
            closed, since = True, scope[0, K_SINCE]
    sums[5] = now * 1e-9


def renewal(calls, p, k, rate, open_for):
    scope = breaker(calls=k, minimum=k, failures=1.0, half_open=1, open_for=open_for * SECOND)
    sums = np.zeros(6)
    _renewal(scope.scope, scope.ring, scope.policies, scope.policies_f, calls, p, rate, 17, sums)
    return sums


def test_renewal_cycle():
    closed, opened, admitted, trips, _, _ = renewal(12_000_000, 0.2, 5, 100.0, 10)
    assert trips > 2000
    assert closed / trips == pytest.approx(39.05, rel=0.06)  # 2300 exponential phases: 3 standard errors
    assert opened / trips == pytest.approx(12.5125, rel=0.03)
    assert admitted / 12_000_000 == pytest.approx(0.757575758, rel=0.03)


def test_renewal_cycle_of_frequent_failures():
    closed, _, admitted, trips, _, total = renewal(12_000_000, 0.9, 3, 50.0, 10)
    assert trips > 2000
    assert closed / trips == pytest.approx(3.71742112 / 50, rel=0.03)
    assert admitted / 12_000_000 == pytest.approx(0.00273597811, rel=0.05)
    assert total == pytest.approx(240_000, rel=0.01)


def test_a_dead_callee_is_probed_at_the_known_rate():
    _, _, admitted, trips, first, total = renewal(6_000_000, 1.0, 5, 100.0, 30)
    assert (trips, first) == (1, 5)
    assert (admitted - 5) / total == pytest.approx(0.0333222259, rel=0.01)
