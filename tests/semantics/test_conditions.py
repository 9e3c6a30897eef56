"""When a condition is met."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from sysim.plan.tables import AS_SINCE, COMPARISONS, N_AS, NEVER
from sysim.semantics.conditions import holds, lasting

MEANING = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_comparisons_mean_what_they_say(comparison: str) -> None:
    for value in (-1.0, 0.5, 2.0):
        for threshold in (-1.0, 0.5, 2.0):
            found = holds(COMPARISONS.index(comparison), value, threshold)
            assert bool(found) == MEANING[comparison](value, threshold)


def met(truths: list[bool], least: int) -> list[bool]:
    """Whether it is met at looks 10 ns apart."""
    state = np.zeros((1, N_AS), np.int64)
    state[0, AS_SINCE] = NEVER
    return [bool(lasting(state, 0, 10 * (look + 1), least, true)) for look, true in enumerate(truths)]


def test_a_condition_is_met_when_it_has_held_at_all_looks_for_so_long() -> None:
    assert met([False, True, True, True], 20) == [False, False, False, True]
    assert met([True, True, False, True, True, True], 20) == [False, False, False, False, False, True]
    assert met([True, True, True], 11) == [False, False, True]
    assert met([False, True], 0) == [False, True]
