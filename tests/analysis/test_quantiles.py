"""Order statistics around a quantile: the tables of the textbooks, exact coverage, infinite values."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from sysim.analysis.quantiles import quantile_interval


@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (15, 4, 12), (20, 6, 15), (25, 8, 18)])
def test_the_median_has_the_ranks_of_the_published_tables(n: int, low: int, high: int) -> None:
    """Conover, Practical Nonparametric Statistics: ranks of the 95 % interval of the median."""
    found = quantile_interval([float(k) for k in range(1, n + 1)], 0.5)
    assert (found.low, found.high) == (low, high)


def test_the_coverage_is_the_binomial_s_and_at_least_as_asked() -> None:
    for n in (6, 17, 60, 300):
        for q in (0.1, 0.5, 0.9):
            found = quantile_interval([float(k) for k in range(1, n + 1)], q)
            low = 0 if math.isinf(found.low) else int(found.low)
            high = n + 1 if math.isinf(found.high) else int(found.high)
            exact = stats.binom.cdf(high - 1, n, q) - stats.binom.cdf(low - 1, n, q)
            assert found.coverage == pytest.approx(exact, abs=1e-9) and found.coverage >= 0.95


def test_too_few_values_bound_nothing() -> None:
    found = quantile_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.5)
    assert (found.low, found.high) == (-math.inf, math.inf) and found.value == 3.0
    with pytest.raises(ValueError, match="found 0 values"):
        quantile_interval([], 0.5)
    with pytest.raises(ValueError, match="q = 1"):
        quantile_interval([1.0], 1)


def test_a_median_stands_while_fewer_than_half_never_recover() -> None:
    times = [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, math.inf, math.inf, math.inf]
    found = quantile_interval(times, 0.5)
    assert found.value == 9.0 and (found.low, found.high) == (6.0, math.inf)
