"""User processes and user operations."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from sysim.engine.reference import simulate
from sysim.errors import SimulationError
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.record.columns import EV_KIND, EV_REPLICA, LC_OUT, SC_OUT
from sysim.record.record import Record
from sysim.scenario_file import loads

TEXT = """
sysim: 1
time: {duration: 100ms, bucket: 10ms}
services:
  front:
    concurrency: 2
    when_cancelled: stop
    operations: {get: [{work: 1ms}, {call: back.get, policy: careful}]}
  back: {replicas: 2, concurrency: 1, operations: {get: [{work: {exponential: 2ms}}]}}
policies:
  careful: {timeout: 5ms, retry: {max_attempts: 2}, circuit_breaker: {minimum_calls: 5, open_for: 5ms}}
load:
  clients: {call: front.get, rate: 500/s, policy: {timeout: 20ms, cancel: true}}
faults:
  - {name: outage, at: 60ms, for: 10ms, on: back, crash: true}
  - {name: stall, at: 80ms, for: 10ms, on: back, pause: true}
"""
Ctx = Any
Steps = Generator[Any, Any, Any]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return lower(loads(TEXT).scenario)


def same(one: Record, two: Record) -> bool:
    tables = [name for name, value in vars(one).items() if isinstance(value, np.ndarray)]
    numbers = ("n_events", "digest", "end", "n_transitions")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in tables) and all(
        getattr(one, name) == getattr(two, name) for name in numbers
    )


def test_idle_process_changes_nothing(plan: Plan) -> None:
    def idle(ctx: Ctx) -> Steps:
        while True:
            yield ctx.sleep("1ms")
            ctx.random("dice")

    alone = simulate(plan, seed=3)
    assert same(alone, simulate(plan, seed=3, processes=[idle, idle]))


def test_a_process_sees_time_and_calls(plan: Plan) -> None:
    seen = []

    def probe(ctx: Ctx) -> Steps:
        yield ctx.sleep("10ms")
        outcome = yield ctx.call("back", policy="careful")
        seen.append((ctx.now, outcome))
        yield ctx.env.timeout(1_000_000)
        seen.append((ctx.now, 0.0 < ctx.random() < 1.0))

    alone = simulate(plan, seed=3)
    record = simulate(plan, seed=3, processes=[probe])
    assert seen[0][0] > 0.010 and seen[0][1] == "ok"
    assert seen[1] == (pytest.approx(seen[0][0] + 0.001), True)
    assert record.digest != alone.digest
    assert record.load_cells[:, 0].sum() == alone.load_cells[:, 0].sum()


def test_a_process_injects(plan: Plan) -> None:
    def gremlin(ctx: Ctx) -> Steps:
        yield ctx.sleep("20ms")
        ctx.inject("back", pause=True)
        yield ctx.sleep("10ms")
        ctx.inject("back", pause=False)
        ctx.inject("front", slowdown=3)
        yield ctx.sleep("5ms")
        ctx.inject("front", slowdown=1)
        ctx.inject("outage")

    alone = simulate(plan, seed=3)
    record = simulate(plan, seed=3, processes=[gremlin], strict=True)
    crashes = [int((r.events[: r.n_transitions, EV_KIND] == EV_REPLICA).sum()) for r in (alone, record)]
    assert crashes == [4, 8]
    assert record.load_cells[:, LC_OUT].sum() < alone.load_cells[:, LC_OUT].sum()


def test_an_operation_in_python_does_what_its_steps_do(plan: Plan) -> None:
    def get(ctx: Ctx) -> Steps:
        yield ctx.work("1ms")
        outcome = yield ctx.call("back.get", policy="careful")
        return outcome if outcome in ("ok", "degraded") else "error"

    steps = simulate(plan, seed=3)
    python = simulate(plan, seed=3, operations={"front.get": get}, strict=True)
    assert python.load_cells[:, 0].sum() == steps.load_cells[:, 0].sum()
    assert python.load_cells[:, LC_OUT].sum() == pytest.approx(steps.load_cells[:, LC_OUT].sum(), abs=5)


def test_a_broken_off_operation_is_closed_and_frees_its_worker(plan: Plan) -> None:
    closed = []

    def get(ctx: Ctx) -> Steps:
        try:
            yield ctx.sleep("1h")
        except GeneratorExit:
            closed.append(ctx.now)
            raise

    record = simulate(plan, seed=3, operations={"front.get": get}, strict=True)
    assert record.service_cells[:, SC_OUT + 12].sum() > 2  # more than there are workers
    assert len([when for when in closed if when < 0.12]) > 2


def test_mistakes_are_named(plan: Plan) -> None:
    def wrong(ctx: Ctx) -> Steps:
        yield ctx.call("nowhere.get")

    with pytest.raises(SimulationError, match=r"nowhere\.get"):
        simulate(plan, seed=3, processes=[wrong])
