"""The laws of autoscaling against worked numbers, those of the horizontal pod autoscaler among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysim.semantics.autoscaler import held, limited, recommended, within


@pytest.mark.parametrize(
    ("wanted", "ready", "load", "target", "count"),
    [
        (4, 4.0, 0.90, 0.50, 8),  # ratio 1.8: 7.2
        (4, 4.0, 0.545, 0.50, 4),  # 1.09: within tolerance
        (4, 4.0, 0.45, 0.50, 4),  # 0.9: within, just
        (4, 4.0, 0.55, 0.50, 4),  # 1.1, which binary fractions make more
        (4, 4.0, 0.559, 0.50, 5),  # 1.118, which is not truncated here
        (4, 3.0, 2.0, 1.0, 6),  # one of four has not come up: 6 of what four would do, 1.5
        (8, 4.0, 0.90, 0.50, 8),  # the four that start are not asked for again
        (7, 4.0, 0.90, 0.50, 7),  # nor one more, 7.2 within tolerance of them
        (8, 2.0, 0.90, 0.50, 8),  # the direction turns once those that start are counted: nothing
        (4, 4.0, 0.90, 0.60, 6),  # exactly six
        (5, 5.0, 0.06, 0.30, 1),
        (5, 5.0, 0.0, 0.30, 0),
        (2, 5.0, 0.10, 0.30, 2),  # three are about to leave: less is never answered with more
    ],
)
def test_recommendations(wanted: int, ready: float, load: float, target: float, count: int) -> None:
    assert recommended(wanted, ready, load, target, 0.1) == count


def test_an_increase_is_limited() -> None:
    assert limited(3, 40, 1.0) == 7
    assert limited(10, 40, 1.0) == 20
    assert limited(1, 40, 1.0) == 5
    assert limited(10, 40, 0.5) == 15
    assert limited(10, 12, 1.0) == 12
    assert limited(10, 3, 1.0) == 3


def test_the_greatest_recommendation_of_the_window_holds() -> None:
    ring = np.full(3, 6)
    told = [held(ring, 0, 3, look, 6, count) for look, count in enumerate((2, 3, 2, 1), 1)]
    assert told == [6, 6, 3, 3]
    assert held(ring, 0, 3, 5, 3, 9) == 9


def test_bounds() -> None:
    assert [within(count, 2, 5) for count in (1, 2, 4, 5, 9)] == [2, 2, 4, 5, 5]


@given(
    wanted=st.integers(1, 1000), ready=st.floats(0.01, 1000), load=st.floats(0, 100), target=st.floats(0.01, 50),
    tolerance=st.floats(0, 0.5),
)  # fmt: skip
def test_what_is_recommended_would_meet_the_target(
    wanted: int, ready: float, load: float, target: float, tolerance: float
) -> None:
    """What there is to do, spread over those recommended, is at the target or below, but for the tolerance; and one
    replica fewer would be above it, where replicas are taken away.
    """
    count = recommended(wanted, ready, load, target, tolerance)
    work = ready * load
    ratio = load / target
    if ratio > 1 + tolerance + 1e-6:
        assert count >= wanted
        assert work <= count * target * (1 + tolerance) * (1 + 1e-6)
    elif ratio < 1 - tolerance - 1e-6 and count < wanted:
        assert work <= count * target * (1 + 1e-6) + 1e-6
        assert work > (count - 1) * target - 1e-6
