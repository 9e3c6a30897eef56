"""The median of thresholds by order statistics."""

from __future__ import annotations

import math
import random

import pytest

from sysim.analysis.thresholds import coverage, median


@pytest.mark.parametrize(
    ("n", "j", "known"),
    [(5, 1, 0.9375), (6, 1, 0.96875), (10, 2, 0.978515625), (10, 1, 0.998046875), (20, 6, 0.958610535)],
)
def test_coverage_of_order_statistics(n: int, j: int, known: float) -> None:
    """Published in every table of the sign test."""
    assert coverage(n, j) == pytest.approx(known)


def test_the_interval_is_the_narrowest_that_is_sure_enough() -> None:
    brackets = [(float(k), k + 0.5) for k in range(1, 11)]
    found = median(brackets, 0.95)
    assert found.bracket == (5.0, 6.5)
    assert found.interval == (2.0, 9.5)
    assert found.confidence == coverage(10, 2)
    assert median(brackets[:5], 0.95).confidence == 0.9375  # five cannot say more, and do not claim to
    assert median([(1.0, 2.0)]).confidence == 0.0


def test_what_lies_outside_of_the_ends_still_counts() -> None:
    found = median([(1.0, 2.0)] * 4 + [(9.0, math.inf)] * 6)
    assert found.bracket == (9.0, math.inf)
    assert found.interval == (1.0, math.inf)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    draw = random.Random(1)
    trials, hits = 2_000, 0
    for _ in range(trials):
        values = [draw.expovariate(1.0) for _ in range(10)]
        low, high = median([(x, x) for x in values]).interval
        hits += low <= math.log(2) <= high
    # three standard errors around 97.9 %
    assert abs(hits / trials - coverage(10, 2)) < 3 * math.sqrt(0.0215 * 0.9785 / trials)
