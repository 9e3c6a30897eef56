"""Times of work under slowdowns and crowding."""

from __future__ import annotations

import math

import pytest

from sysim.semantics.rng import uniform
from sysim.semantics.worktime import rescaled, scaled, with_concurrency

MOST = 2**61


@pytest.mark.parametrize(
    ("base", "factor", "expected"),
    [
        (7, 1.0, 7),
        (2**60 + 1, 1.0, 2**60 + 1),
        (10, 20.0, 200),
        (10, 1.01, 11),
        (3, 1 / 3, 1),
        (0, 50.0, 0),
        (2**60, 4.0, MOST),
        (2**62, 1.0, MOST),
        (5, math.inf, MOST),
        (0, math.inf, 0),
    ],
)
def test_scaled(base, factor, expected):
    assert scaled(base, factor) == expected


def test_rescaled():
    assert rescaled(100, 1.0, 20.0) == 2000
    assert rescaled(2000, 20.0, 1.0) == 100
    assert rescaled(10, 3.0, 1.0) == 4
    assert rescaled(2**60 + 1, 2.0, 2.0) == 2**60 + 1
    assert rescaled(2**60, 1.0, 100.0) == MOST
    assert rescaled(0, 1.0, 100.0) == 0
    for i in range(500):
        left, factor = int(uniform(1, i) * 1e10), 1.0 + 30.0 * uniform(2, i)
        assert 0 <= rescaled(rescaled(left, 1.0, factor), factor, 1.0) - left <= 1


def test_with_concurrency():
    assert with_concurrency(1_000_000, 0.01, 1) == 1_010_000
    assert with_concurrency(1_000_000, 0.0, 50) == 1_000_000
    assert with_concurrency(3, 0.5, 1) == 5  # 4.5, to the nearest, halves up
    assert with_concurrency(2**60, 1.0, 100) == MOST
    assert with_concurrency(0, 1.0, 100) == 0
