"""The statistics of a year: backlogs against worked examples, curves and intervals against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import chi2

from sysim.analysis.fluid import backlog
from sysim.analysis.response import monotone, pooled
from sysim.analysis.stratified import Part, differences, gamma_interval, interval, joined, power_allocation, repeated


@pytest.mark.parametrize(
    "base, peak, capacity, lasts, most, drain",
    [(500, 1500, 1000, 60, 30, 60), (800, 2000, 1000, 120, 120, 600), (800, 1600, 1000, 300, 180, 900)],
)
def test_a_rectangular_spike_fills_and_drains_as_it_must(
    base: float, peak: float, capacity: float, lasts: int, most: float, drain: int
) -> None:
    """(p - C) d of requests pile up, (p - C) d / C seconds of work; they drain within (p - C) d / (C - b)."""
    load = np.array([base] * 100 + [peak] * lasts + [base] * 2_000, dtype=float)
    waits = backlog(load / capacity, 1.0)
    assert waits[:100].max() == 0.0
    assert waits.max() == pytest.approx(most)
    assert int(np.argmax(waits)) == 100 + lasts - 1
    assert int((waits > 1e-9).sum()) == pytest.approx(lasts + drain, abs=1)


def test_a_backlog_is_the_walk_that_never_falls_below_nothing() -> None:
    rng = np.random.default_rng(1)
    load = rng.uniform(0.5, 1.4, (500, 3))
    waits, now = backlog(load, 60.0), np.zeros(3)
    for row, found in zip(load, waits, strict=True):
        now = np.maximum(0.0, now + (row - 1.0) * 60.0)
        assert found == pytest.approx(now, abs=1e-6)
    assert backlog(np.zeros((0, 2)), 1.0).shape == (0, 2)


def test_pooling_is_isotonic_regression() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        values, weights = rng.normal(size=80), rng.uniform(0.1, 5.0, 80)
        assert pooled(values, weights) == pytest.approx(isotonic_regression(values, weights=weights).x)


def test_a_curve_finds_a_share_that_rises_with_load() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 1.0, 5_000)
    whole = rng.integers(0, 200, 5_000).astype(float)
    part = rng.binomial(whole.astype(int), x**4 / 2).astype(float)
    curve = monotone(x, part, whole)
    at = np.linspace(0.05, 0.95, 50)
    assert curve(at) == pytest.approx(at**4 / 2, abs=0.02)
    assert (np.diff(curve.y) >= 0).all()
    assert curve(np.array([-3.0, 7.0])) == pytest.approx([curve.y[0], curve.y[-1]])
    nothing = monotone(x, part * 0, whole * 0)
    assert nothing(at) == pytest.approx(0.0)


def test_nothing_seen_is_at_most_3_7() -> None:
    low, high = gamma_interval(np.array([10.0, 10.0]), np.array([0.0, 0.0]), 0.95)
    assert low == 0.0
    assert high == pytest.approx(10.0 * chi2.ppf(0.975, 2) / 2)
    low, high = gamma_interval(np.array([1.0]), np.array([7.0]), 0.95)  # one weight: the exact interval of Garwood
    assert (low, high) == pytest.approx((chi2.ppf(0.025, 14) / 2, chi2.ppf(0.975, 16) / 2))


def test_the_interval_of_weighted_counts_covers() -> None:
    rng = np.random.default_rng(4)
    weights, means = np.array([50.0, 10.0, 3.0]), np.array([0.2, 1.0, 4.0])
    hits = 0
    for _ in range(1_000):
        low, high = gamma_interval(weights, rng.poisson(means).astype(float), 0.95)
        hits += low <= float((weights * means).sum()) <= high
    assert hits >= 945


def test_a_model_that_is_wrong_costs_width_and_not_truth() -> None:
    """1 000 populations, three strata each, a model that is 30 % off: the interval covers as it says."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(1_000):
        truth = estimate = 0.0
        parts = []
        for size, mean in ((400, 2.0), (100, 10.0), (20, 50.0)):
            units = rng.normal(mean, mean / 4, size)
            model = 0.7 * mean
            sample = rng.choice(units, 6, replace=False)
            rest, part = differences(size, sample - model)
            truth += units.sum()
            estimate += size * model + rest
            parts.append(part)
        hits += interval(estimate, parts, 0.95).within(truth)
    assert hits >= 935


def test_degrees_of_freedom_lie_between_those_of_the_worst_part_and_of_all() -> None:
    whole = joined([Part(4.0, 3), Part(1.0, 7), Part(0.0, 1)])
    assert whole.variance == 5.0
    assert 3 < whole.degrees < 10
    assert interval(9.0, [Part(0.0, 4)], 0.95).half_width == 0.0
    with pytest.raises(ValueError, match="expected at least 2"):
        differences(5, np.array([1.0]))


def test_pairs_that_are_alike_share_their_degrees_of_freedom() -> None:
    """Sums of over-dispersed counts, each known from two replications: the interval covers as it says."""
    rng = np.random.default_rng(6)
    means = np.array([4_000.0, 4_000.0, 600.0, 600.0])
    hits = 0
    for _ in range(2_000):
        pairs = means + rng.normal(size=(2, 4)) * np.sqrt(20.0 * means)
        parts = [(float(pair.var(ddof=1)) / 2, float(pair.mean()), 1) for pair in pairs.T]
        part = repeated(parts)
        hits += interval(float(pairs.mean(axis=0).sum()), [part], 0.95).within(float(means.sum()))
    assert 1_860 <= hits <= 1_940
    assert repeated([(1.0, 0.0, 1), (2.0, 0.0, 1)]) == Part(3.0, 2.0)


def test_samples_go_where_there_is_much_and_nowhere_beyond_what_there_is() -> None:
    taken = power_allocation(np.array([100.0, 10_000.0, 0.0, 400.0]), np.array([50, 500, 9, 3]), 40)
    assert taken.sum() == 40
    assert taken[2] == 2 and taken[3] == 3
    assert taken[1] == pytest.approx(10 * taken[0], rel=0.2)
    assert power_allocation(np.array([1.0, 1.0]), np.array([1, 5]), 100).tolist() == [1, 5]
