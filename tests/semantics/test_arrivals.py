"""Arrival instants under piecewise linear rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sysim.plan.tables import NEVER
from sysim.semantics import arrivals
from sysim.semantics.jit import law
from tests.semantics.rows import SECOND


def rates(*rows):
    """Rows of (start, rate, slope); what has accumulated before each is worked out."""
    table, total = [], 0.0
    for i, (start, rate, slope) in enumerate(rows):
        if i:
            last_start, last_rate, last_slope = rows[i - 1]
            length = start - last_start
            total += last_rate * length + last_slope * length * length / 2
        table.append((start, rate, slope, total))
    return np.array(table, np.float64)


def evenly(table, count):
    row, instants = 0, []
    for n in range(1, count + 1):
        row = arrivals.seek(table, 0, len(table), row, float(n))
        instants.append(arrivals.instant(table, 0, len(table), row, float(n)))
    return instants


def test_constant_rate():
    assert evenly(rates((0.0, 4.0, 0.0)), 4) == [SECOND // 4, SECOND // 2, 3 * SECOND // 4, SECOND]


def test_steps_with_a_pause():
    table = rates((0.0, 1.0, 0.0), (2.5, 0.0, 0.0), (10.0, 2.0, 0.0))
    assert evenly(table, 4) == [SECOND, 2 * SECOND, int(10.25 * SECOND), int(10.75 * SECOND)]


def test_a_target_reached_when_the_rate_falls_to_zero_waits_for_it_to_come_back():
    assert evenly(rates((0.0, 1.0, 0.0), (2.0, 0.0, 0.0), (9.0, 1.0, 0.0)), 3) == [
        SECOND,
        9 * SECOND,
        10 * SECOND,
    ]
    assert evenly(rates((0.0, 1.0, 0.0), (2.0, 0.0, 0.0)), 3) == [SECOND, NEVER, NEVER]


def test_ramp_up_and_down():
    table = rates((0.0, 0.0, 2.0), (3.0, 6.0, -2.0), (6.0, 0.0, 0.0))
    expected = [math.sqrt(n) for n in range(1, 9)] + [3.0]
    expected += [6.0 - math.sqrt(18 - n) for n in range(10, 18)]
    got = evenly(table, 18)
    assert got[:8] + got[9:17] == [round(t * SECOND) for t in expected[:8] + expected[9:]]
    assert got[8] == 3 * SECOND
    assert got[17] == NEVER


def test_a_small_slope_loses_no_digits():
    table = rates((0.0, 1e6, 1e-9))
    assert arrivals.instant(table, 0, 1, 0, 1.0) == 1000
    assert arrivals.instant(rates((0.0, 1.0, -1e-12)), 0, 1, 0, 3.0) == 3 * SECOND


def test_a_rate_that_falls_to_zero_for_ever():
    table = rates((0.0, 2.0, -1.0))
    assert arrivals.instant(table, 0, 1, 0, 1.5) == SECOND
    assert arrivals.instant(table, 0, 1, 0, 2.5) == NEVER


def test_seek_is_absolute_and_stays_in_its_load():
    table = np.vstack(
        [rates((0.0, 5.0, 0.0)), rates((0.0, 1.0, 0.0), (1.0, 2.0, 0.0)), rates((0.0, 9.0, 0.0))]
    )
    assert arrivals.seek(table, 1, 2, 1, 0.5) == 1
    assert arrivals.seek(table, 1, 2, 1, 1.0) == 2
    assert arrivals.seek(table, 1, 2, 1, 1e9) == 2
    assert arrivals.instant(table, 1, 2, 2, 5.0) == 3 * SECOND


@law
def _poisson(out, table, key):
    row, target = 0, 0.0
    for n in range(len(out)):
        target += arrivals.exponential(key, n)
        row = arrivals.seek(table, 0, len(table), row, target)
        out[n] = arrivals.instant(table, 0, len(table), row, target)


def test_poisson_is_poisson():
    out = np.empty(40_000, np.int64)
    _poisson(out, rates((0.0, 200.0, 0.0)), 5)
    gaps = np.diff(out) / 1e9
    assert stats.kstest(gaps, stats.expon(scale=1 / 200).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / math.sqrt(len(gaps))
    counts = np.histogram(out, np.arange(0, 190) * SECOND)[0]
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.45)


def test_poisson_follows_a_profile_and_rises():
    table = rates((0.0, 100.0, 10.0), (50.0, 600.0, 0.0), (60.0, 0.0, 0.0), (70.0, 50.0, 0.0))
    out = np.empty(24_000, np.int64)
    _poisson(out, table, 6)
    assert (np.diff(out) >= 0).all()
    t = out / 1e9
    expected = {(0, 25): 25 * 225.0, (25, 50): 25 * 475.0, (50, 60): 6000.0, (60, 70): 0.0}
    for (start, end), mean in expected.items():
        assert abs(np.sum((t >= start) & (t < end)) - mean) <= 4.5 * math.sqrt(mean)


def test_a_batch_of_given_size():
    assert [arrivals.batch_size(key, 4, 1.0) for key in (1, -5, 2**60)] == [4, 4, 4]


@pytest.mark.parametrize("mean", [1.5, 2.0, 10.0])
def test_geometric_batches(mean):
    sizes = [int(arrivals.batch_size(key * 7919, 0, mean)) for key in range(20_000)]
    assert min(sizes) == 1
    assert np.mean(sizes) == pytest.approx(mean, abs=4 * math.sqrt(mean * (mean - 1) / len(sizes)))
    most = 8
    found = [sizes.count(n) for n in range(1, most)] + [sum(n >= most for n in sizes)]
    share = 1 - 1 / mean
    expected = [len(sizes) / mean * share ** (n - 1) for n in range(1, most)] + [len(sizes) * share ** (most - 1)]
    assert stats.chisquare(found, expected).pvalue > 1e-3


def test_a_mean_of_one_is_no_batch():
    assert {int(arrivals.batch_size(key, 0, mean)) for key in range(50) for mean in (0.0, 1.0)} == {1}
