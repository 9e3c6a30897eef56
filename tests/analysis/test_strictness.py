"""The guard against skewed values: it holds Student's interval, and interval and p-value agree."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from sysim.analysis.statistics import half_width, mean
from sysim.analysis.strictness import PLAIN, Strictness

SKEWED = [-(k**2.5) for k in range(12)]


def test_plain_is_student_s_t() -> None:
    half = half_width(SKEWED, 0.9)
    assert half is not None
    assert PLAIN.interval(SKEWED, 0.9) == pytest.approx((mean(SKEWED) - half, mean(SKEWED) + half))
    assert PLAIN.p(mean(SKEWED) + 50, SKEWED) == pytest.approx(stats.ttest_1samp(SKEWED, -50).pvalue)
    assert PLAIN.interval([1.0], 0.95) is None and PLAIN.interval([1.0, 1.0], 0.95) == (1.0, 1.0)


def test_shares_of_the_error_multiply() -> None:
    assert Strictness(0.5).of(0.1) == Strictness(0.05)
    assert Strictness(0.5).level(0.95) == pytest.approx(0.975)


def test_the_guard_widens_towards_the_long_tail_and_never_narrows() -> None:
    source = random.Random(3)
    for _ in range(100):
        values = [source.lognormvariate(0, 1) for _ in range(source.choice((3, 10, 50)))]
        plain, guarded = Strictness().interval(values, 0.95), Strictness(guarded=True).interval(values, 0.95)
        assert plain is not None and guarded is not None
        assert guarded[0] <= plain[0] and guarded[1] >= plain[1]
        mirrored = Strictness(guarded=True).interval([-x for x in values], 0.95)
        assert mirrored == pytest.approx((-guarded[1], -guarded[0]))
    plain, guarded = PLAIN.interval(SKEWED, 0.95), Strictness(guarded=True).interval(SKEWED, 0.95)
    assert plain is not None and guarded is not None and guarded[0] < plain[0] - 1


def test_symmetric_values_are_left_alone() -> None:
    values = [-3.0, -1.0, 0.0, 1.0, 3.0]
    assert Strictness(guarded=True).interval(values, 0.95) == pytest.approx(PLAIN.interval(values, 0.95))


def test_interval_and_p_value_agree() -> None:
    strict = Strictness(0.3, guarded=True)
    interval = strict.interval(SKEWED, 0.95)
    assert interval is not None
    for edge in interval:
        assert strict.p(mean(SKEWED) - edge, SKEWED) == pytest.approx(0.05 * 0.3, rel=1e-6)
