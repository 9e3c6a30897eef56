"""When users who come and go are there."""

from __future__ import annotations

import numpy as np
import pytest

from sysim.plan.tables import N_Y, NEVER, NONE
from sysim.semantics.stays import next_stay, stay_at, stays_until

ROWS = np.array([[3, 10, 2], [NEVER, NEVER, NONE], [12, 20, 3], [30, NEVER, NONE]], dtype=np.int64).reshape(-1, N_Y)


@pytest.mark.parametrize(
    ("now", "stay"), [(0, 0), (3, 0), (9, 0), (10, 2), (12, 2), (19, 2), (20, 3), (25, 3), (30, 3), (10**12, 3)]
)
def test_the_stay_of_an_instant_or_the_next_one(now: int, stay: int) -> None:
    assert stay_at(ROWS, 0, now) == stay


def test_who_never_comes_and_who_has_gone() -> None:
    assert stay_at(ROWS, 1, 10**12) == 1
    assert not stays_until(ROWS, 1, 5, 5)
    assert stay_at(ROWS, NONE, 5) == NONE
    assert not stays_until(ROWS, NONE, 5, 5)
    assert next_stay(ROWS, NONE, 5) == NONE


@pytest.mark.parametrize(
    ("now", "then", "remains", "following"),
    [
        (2, 2, False, 0),  # not there yet
        (3, 3, True, 2),
        (3, 9, True, 2),
        (3, 10, False, 2),  # the pause would end with the stay
        (11, 11, False, 2),  # between two stays
        (30, 10**15, True, NONE),
    ],
)
def test_a_pause_within_the_stay(now: int, then: int, remains: bool, following: int) -> None:
    stay = stay_at(ROWS, 0, now)
    assert stays_until(ROWS, stay, now, then) == remains
    assert next_stay(ROWS, stay, now) == following
