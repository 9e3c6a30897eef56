"""Estimates, paired and not, against hand-made numbers, SciPy and the published formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sysim.analysis.estimates import Estimate, estimate, fieller, paired, welch
from sysim.analysis.statistics import share_interval, share_two_sided, t_two_sided

A = [10.0, 12.0, 9.0, 13.0, 11.0]
B = [8.0, 9.0, 8.0, 10.0, 9.0]


def test_an_estimate_is_student_s() -> None:
    found = estimate(A, 0.9)
    assert found is not None and found.half_width is not None
    low, high = stats.t.interval(0.9, 4, np.mean(A), stats.sem(A))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.p == pytest.approx(stats.ttest_1samp(A, 0.0).pvalue)


def test_one_value_has_no_interval_and_none_no_estimate() -> None:
    one = estimate([3.0])
    assert one == Estimate(3.0, None, 1) and one.p is None and not one.differs and one.low is None
    assert estimate([]) is None and estimate([None, None]) is None
    some = estimate([1.0, None, 3.0])
    assert some is not None and (some.n, some.missing, some.mean) == (2, 1, 2.0)


def test_paired_is_student_on_the_differences() -> None:
    found = paired(A, B)
    truth = stats.ttest_rel(A, B)
    assert found is not None and found.p == pytest.approx(truth.pvalue)
    interval = truth.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert paired([1.0, None], [None, 2.0]) is None


def test_pairs_of_equal_differences_have_no_width_and_are_sure() -> None:
    found = paired([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    assert found is not None and (found.half_width, found.p, found.differs) == (0.0, 0.0, True)
    same = paired(A, A)
    assert same is not None and (same.p, same.differs) == (1.0, False)


def test_welch_is_scipy_s() -> None:
    x, y = A, [*B, 20.0]
    found = welch(x, y)
    truth = stats.ttest_ind(x, y, equal_var=False)
    interval = truth.confidence_interval(0.95)
    assert found is not None and (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(truth.pvalue)
    single = welch([1.0], [2.0, 3.0])
    assert single is not None and single.half_width is None


def test_fieller_excludes_a_ratio_exactly_where_the_paired_test_rejects_it() -> None:
    told = fieller(A, B, 0.95)
    assert told is not None
    ratio, low, high = told
    assert ratio == pytest.approx(np.mean(A) / np.mean(B)) and low < ratio < high
    for edge in (low, high):
        p = stats.ttest_1samp([a - edge * b for a, b in zip(A, B, strict=True)], 0.0).pvalue
        assert p == pytest.approx(0.05, rel=1e-6)


def test_there_is_no_ratio_to_what_may_be_zero() -> None:
    assert fieller(A, [0.0] * 5) is None
    assert fieller(A, [-1.0, 1.0, 0.5, -0.5, 0.1]) is None
    assert fieller([1.0], [1.0]) is None


def test_fieller_of_constants_is_a_point() -> None:
    told = fieller([2.0, 2.0, 2.0], [4.0, 4.0, 4.0])
    assert told == pytest.approx((0.5, 0.5, 0.5))


def test_p_values_agree_with_the_intervals_that_they_stand_for() -> None:
    assert t_two_sided(np.mean(A) - 10.0, A) == pytest.approx(stats.ttest_1samp(A, 10.0).pvalue)
    assert t_two_sided(0.0, [1.0, 1.0]) == 1.0 and t_two_sided(0.5, [1.0, 1.0]) == 0.0
    for hits, n in ((0, 10), (3, 10), (10, 10), (45, 50)):
        low, high = share_interval(hits, n, 0.95)
        for share in (0.05, 0.3, 0.6, 0.9):
            inside = low <= share <= high
            assert (share_two_sided(hits, n, share) >= 0.05) == inside, (hits, n, share)
