"""An execution that is halted and copied ends as one that was not, to the last element of its record."""

from __future__ import annotations

import random

import numpy as np
import pytest

from sysim.engine.compiled.run import Execution, simulate
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.record.record import Record
from sysim.scenario_file import loads
from tests.agreement.generate import scenario

MS = 1_000_000


def plan_of(number: int) -> Plan:
    return lower(loads(scenario(random.Random(number))).scenario)


def same(one: Record, two: Record) -> list[str]:
    found = [
        name
        for name in ("n_events", "digest", "end", "n_transitions", "n_spans")
        if getattr(one, name) != getattr(two, name)
    ]
    for name, table in vars(one).items():
        if isinstance(table, np.ndarray) and not np.array_equal(table, getattr(two, name)):
            found.append(name)
    return found


@pytest.mark.parametrize("first", [60_000, 60_010, 60_020])
def test_halts_and_copies_leave_no_trace(first: int) -> None:
    copies = halts = 0
    for number in range(first, first + 10):
        plan = plan_of(number)
        whole = simulate(plan, seed=number, traces=3)
        halted = Execution(plan, seed=number, traces=3)
        twins = []
        for at in np.linspace(0, 1.1 * plan.duration, 7).astype(np.int64).tolist():
            over = halted.advance(until=at)
            assert over or halted.now < at or at == 0
            halts += not over
            twins.append(halted.copy())
        assert same(whole, halted.finish()) == [], number
        for twin in twins:  # the last ones first would hide what they share
            assert same(whole, twin.finish()) == [], number
            copies += 1
    assert copies == 70 and halts > 30


def test_a_halt_at_an_instant_comes_before_all_its_entries() -> None:
    text = """
sysim: 1
time: {duration: 10s}
services: {s: {concurrency: 1, operations: {o: [{work: 1s}]}}}
load: {l: {call: s.o, rate: 1/s, arrivals: evenly}}
"""
    execution = Execution(lower(loads(text).scenario), seed=1)
    assert not execution.advance(until=3000 * MS)
    assert execution.now == 2000 * MS
    assert not execution.advance(until=3000 * MS + 1)
    assert execution.now == 3000 * MS
    assert not execution.advance(until=2000 * MS)  # a time that has passed changes nothing
    assert execution.now == 3000 * MS
    assert execution.advance()
    assert execution.advance()


def test_a_copy_shares_no_table() -> None:
    execution = Execution(plan_of(7), seed=7)
    execution.advance(until=MS)
    twin = execution.copy()
    for one, two in ((execution._run, twin._run), (execution._record, twin._record)):
        for name, table in vars(one).items():
            if isinstance(table, np.ndarray) and table.size:
                assert not np.shares_memory(table, getattr(two, name)), name
