"""Both engines give up at the same entry of an instant in which too much happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.errors import SimulationError
from sysim.plan.lower import lower
from sysim.scenario_file import loads

LIMITS = ("sysim.engine.reference.clock.INSTANT_LIMIT", "sysim.engine.compiled.tables.INSTANT_LIMIT")
ENGINES = [compiled, reference]
# users who are refused at once, some of whom think for no time at all: cycle after cycle at one instant
USERS = """
sysim: 1
name: users
time: {duration: 20ms, bucket: 10ms}
services:
  api: {concurrency: 1, queue: {capacity: 0}, operations: {get: [{work: 3ms}]}}
load:
  people: {call: api.get, users: 5, think: {mixture: [{weight: 3, of: 0ms}, {weight: 1, of: 1ms}]}}
"""
BATCH = """
sysim: 1
name: batch
time: {duration: 20ms, bucket: 10ms}
services:
  api: {concurrency: 2, queue: {capacity: 9}, operations: {get: [{work: 1ms}]}}
load:
  people: {call: api.get, rate: 10k/s, arrivals: {batch: {size: 40}}}
"""


@pytest.mark.parametrize("text", [USERS, BATCH], ids=["users", "batch"])
def test_the_limit_of_an_instant_is_the_same_entry(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = lower(loads(text).scenario)
    log: list[tuple[int, int, int, int]] = []
    reference(plan, seed=3, log=log)
    most = max(Counter(time for time, *_ in log).values())
    assert most > 10

    def outcome(engine: Callable[..., Any]) -> int | str:
        try:
            return int(engine(plan, seed=3).digest)
        except SimulationError:
            return "given up"

    for limit in (most + 1, most, most - 1):
        for name in LIMITS:
            monkeypatch.setattr(name, limit)
        one, two = (outcome(engine) for engine in ENGINES)
        assert one == two
        assert (one == "given up") == (limit < most)
