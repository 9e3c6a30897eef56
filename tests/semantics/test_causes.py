"""The numbers of causes: every mechanism, circumstance and site has its own, and 0 is none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sysim.plan import tables as t
from sysim.record.columns import FC_COUNT, FC_NUMBER
from sysim.record.counters import failed
from sysim.semantics import causes


def split(number: int, n_sites: int) -> tuple[int, int, int]:
    """Mechanism, circumstances and site, by the docstring of the module."""
    circumstances, rest = divmod(number - 1, causes.N_MECHANISMS * n_sites)
    mechanism, site = divmod(rest, n_sites)
    return mechanism, circumstances, site


@pytest.mark.parametrize("n_sites", [1, 3, 1000])
def test_numbers_are_distinct_and_can_be_read_back(n_sites: int) -> None:
    some = itertools.product(range(15), range(causes.N_CIRCUMSTANCES), {0, n_sites // 2, n_sites - 1})
    found = {what: causes.cause(*what, n_sites) for what in some}
    assert len(set(found.values())) == len(found)
    assert all(0 < number < causes.causes(n_sites) for number in found.values())
    assert all(split(number, n_sites) == what for what, number in found.items())


def test_a_site_of_no_plan_has_no_cause() -> None:
    assert causes.cause(causes.M_ERROR, 0, -1, 7) == 0


@pytest.mark.parametrize("circumstance", [causes.DISTURBED, causes.BREAKER, causes.BEHIND])
def test_a_circumstance_is_added_once(circumstance: int) -> None:
    for before in range(causes.N_CIRCUMSTANCES):
        number = causes.cause(causes.M_WORKING, before, 2, 5)
        once = causes.with_circumstance(number, circumstance, 5)
        assert split(once, 5) == (causes.M_WORKING, before | circumstance, 2)
        assert causes.with_circumstance(once, circumstance, 5) == once


def test_a_breaker_keeps_the_cause_of_the_failure_that_it_counted_last() -> None:
    first = causes.cause(causes.M_QUEUED, causes.DISTURBED, 4, 9)
    assert split(causes.through_breaker(first, 1, 9), 9) == (
        causes.M_QUEUED, causes.DISTURBED | causes.BREAKER, 4,
    )  # fmt: skip
    assert split(causes.through_breaker(0, 1, 9), 9) == (causes.M_CIRCUIT_OPEN, 0, 1)


def test_refusals_are_their_own_mechanism() -> None:
    names = {
        outcome: causes.MECHANISMS[causes.mechanism_of(outcome)]
        for outcome in (t.REJECTED, t.SHED, t.UNREACHABLE, t.LOST, t.RATE_LIMITED, t.BULKHEAD_FULL, t.ERROR)
    }
    assert list(names.values()) == [
        "queue_full", "shed", "unreachable", "crashed", "rate_limited", "bulkhead_full", "error",
    ]  # fmt: skip


def test_who_has_a_cause_and_who_knows_it() -> None:
    named = dict(enumerate(t.OUTCOMES[:-1]))
    without = {name for outcome, name in named.items() if not causes.has_cause(outcome)}
    known = {name for outcome, name in named.items() if causes.known_to_visit(outcome)}
    assert without == {"ok", "degraded", "cancelled"}
    assert known == {"error", "deadline", "rejected", "shed"}


def test_failures_are_counted_by_number_wherever_the_table_has_room() -> None:
    table = np.zeros((8, 2), dtype=np.int64)
    used = 0
    numbers = [1, 9, 17, 1, 25, 9, 1]  # the first four would like the same row
    for number in numbers:
        used = failed(table, used, number)
    assert used == 4
    rows = {int(row[FC_NUMBER]): int(row[FC_COUNT]) for row in table if row[FC_NUMBER]}
    assert rows == {1: 3, 9: 2, 17: 1, 25: 1}
