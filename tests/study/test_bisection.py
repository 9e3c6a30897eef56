"""Bisection against thresholds that are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from sysim.analysis.stability import State
from sysim.errors import SysimError
from sysim.study.bisection import Bisection, bisect
from sysim.study.metastability import tipped
from sysim.study.quantity import axis


def found(rule: Callable[[float, int], bool], n: int = 10, low: Any = 0, high: Any = 100, near: Any = 1) -> Bisection:
    """Bisection where replication k tips at x if `rule(x, k)`."""

    def trials(tasks: Sequence[tuple[float, int]]) -> Iterator[tuple[tuple[float, int], State]]:
        for x, k in tasks:
            yield (x, k), "metastable" if rule(x, k) else "healthy"

    some: Any = trials
    return bisect(axis("x", low, high, near), n, some, tipped)


def test_each_replication_has_its_threshold() -> None:
    result = found(lambda x, k: x > 20 + 3 * k)
    for k, (low, high) in enumerate(result.brackets):
        assert low <= 20 + 3 * k < high and high - low <= 1
    assert result.rising and result.tips
    assert result.median is not None
    assert result.median.interval[0] <= 23 and result.median.interval[1] >= 44
    assert result.known(0) == (0, 10) and result.known(100) == (10, 0) and result.known(40.0)[0] == 7
    assert result.share(100) == 1.0


def test_less_of_it_may_tip() -> None:
    result = found(lambda x, k: x < 60.5, low="0", high="100", near="1")
    assert not result.rising and result.tips
    assert result.median is not None and result.median.bracket == (60, 61)
    assert result.known(0) == (10, 0) and result.known(100) == (0, 10)


def test_nothing_tips_or_everything_does() -> None:
    nothing, everything = found(lambda x, k: False), found(lambda x, k: True)
    assert not nothing.tips and not everything.tips
    assert nothing.brackets[0] == (100, math.inf) and everything.brackets[0] == (-math.inf, 0)
    assert len(nothing.probes) == 2  # there is nothing between the ends to look for


def test_some_replications_may_tip_nowhere() -> None:
    result = found(lambda x, k: k < 6 and x > 50)
    assert result.tips and result.brackets.count((100, math.inf)) == 4
    assert result.median is not None and result.median.interval[1] == math.inf


def test_a_replication_that_goes_the_other_way_is_left_out() -> None:
    result = found(lambda x, k: x > 50 if k else x < 50)
    assert result.contrary == 1 and len(result.brackets) == 9


@pytest.mark.parametrize(
    ("low", "high", "kind", "middle"),
    [
        ("0s", "30s", "duration", "15s"),
        ("100ms", "1s", "duration", "550ms"),
        ("100/s", "500/s", "rate", "300/s"),
        ("5%", "40%", "share", "22.5%"),
        ("1", "9", "count", 5),
        ("0.5", "4", "number", 2.25),
        (20, 1, "count", 10),
    ],
)
def test_values_are_written_as_in_a_file(low: Any, high: Any, kind: str, middle: Any) -> None:
    along = axis("x", low, high)
    assert along.kind == kind and along.low < along.high
    value = along.middle(along.low, along.high)
    assert value is not None and along.write(value) == middle


@pytest.mark.parametrize(
    ("low", "high", "near", "told"),
    [
        ("0s", "30", None, "two durations"),
        ("soon", "later", None, "'soon'"),
        ("5s", "5s", None, "two different values"),
        ("0s", "5s", "3/s", "expected a duration"),
        ("0s", "5s", "0s", "more than 0"),
    ],
)
def test_ends_that_do_not_fit(low: str, high: str, near: str | None, told: str) -> None:
    with pytest.raises(SysimError, match=told):
        axis("x", low, high, near)
