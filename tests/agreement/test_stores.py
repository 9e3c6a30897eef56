"""Where an entry is kept, when the loop is left and how large the tables are: none of it shows in a record."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sysim.engine.compiled import columns, tables
from sysim.engine.compiled import run as compiled
from sysim.engine.compiled.entries import ROOT
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.plan.tables import NONE
from sysim.scenario_file import loads
from tests.agreement.compare import Line, Outcome, _outcome, differences
from tests.agreement.generate import scenario

BUSY = """
sysim: 1
name: busy
time: {duration: 100ms, bucket: 10ms}
services:
  front:
    replicas: 2
    operations: {op: [{parallel: [{call: back.op, policy: p}, {call: back.op, policy: p}]}]}
  back: {replicas: 2, cores: 1, operations: {op: [{work: 3ms}]}}
policies: {p: {timeout: 40ms, cancel: true, network: {latency: 1ms}, retry: {backoff: {constant: 5ms}}}}
load:
  web: {rate: 15k/s, arrivals: {batch: {size: 30}}, call: front.op, policy: {timeout: 60ms, deadline: 90ms}}
  users: {users: 400, think: 7ms, call: front.op, policy: {timeout: 35ms}}
faults: [{at: 30ms, for: 10ms, on: back, crash: {replicas: 1}}, {at: 60ms, for: 10ms, on: back, pause: true},
         {at: 80ms, on: back, reset: true, for: 0ms}]
"""


def outcome(name: str, plan: Plan, seed: int, **options: Any) -> Outcome:
    """What one execution did, entry by entry."""
    log: list[Line] = []
    return _outcome(name, compiled.simulate(plan, seed=seed, log=log, **options), log)


def plans(first: int, count: int) -> list[tuple[int, str, Plan]]:
    """Generated scenarios, by number."""
    texts = [(number, scenario(random.Random(number))) for number in range(first, first + count)]
    return [(number, text, lower(loads(text).scenario)) for number, text in texts]


def agree(
    some: list[tuple[int, str, Plan]], change: Callable[[], None], undo: Callable[[], None], **options: Any
) -> None:
    """The records before and after a change of the engine are the same."""
    before = [outcome("as it is", plan, number) for number, _, plan in some]
    change()
    for (number, text, plan), one in zip(some, before, strict=True):
        two = outcome("changed", plan, number, **options)
        assert one.log == two.log, f"scenario {number}"
        report = differences(one, two, text)
        assert not report, "\n".join([f"scenario {number}", *report])
    undo()


@pytest.mark.parametrize(("lanes", "first"), [(0, 30_000), (0, 30_030), (1, 30_060)])
def test_lanes_are_only_faster(lanes: int, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    some = plans(first, 30)
    assert sum(plan.n_lanes > 1 for _, _, plan in some) > 10
    used: list[int] = []

    def change() -> None:
        allocate = tables.allocate

        def watched(*arguments: Any) -> tables.Tables:
            made = allocate(*arguments)
            used.append(int(made.g[columns.G_LANES]))
            return made

        monkeypatch.setattr(columns, "MAX_LANES", lanes)
        monkeypatch.setattr(compiled, "allocate", watched)

    agree(some, change, monkeypatch.undo)
    assert len(used) == len(some) and max(used) == lanes


def test_the_loop_can_be_left_at_any_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    some = plans(31_000, 40)
    told: list[float] = []
    agree(some, lambda: monkeypatch.setattr(compiled, "CHUNK", 7), monkeypatch.undo, progress=told.append)
    assert len(told) > 1000


def shrink(run: tables.Tables, plan: Plan) -> tables.Tables:
    """As little room as one entry may need: the margin, which is what the loop asks for before each entry."""
    g, margin = run.g, run.margin
    assert g[columns.G_HEAP] == g[columns.G_INSTANT] == 0  # nothing has been scheduled
    g[columns.G_FREE], g[columns.G_FREE_N] = NONE, 0
    run.st = tables.aligned(0, columns.N_ST)
    users = int(plan.loads[plan.loads[:, 0] == 1, 3].sum())  # they begin before the loop is entered
    tables.grow_stories(run, max(margin + users, plan.n_replicas))  # a row for each number an entry can hold
    places = ROOT + margin + users + 2 * plan.n_faults + plan.n_loads
    run.due, run.tails = tables.aligned(places, 1).reshape(-1), tables.aligned(places, 2)
    run.instant = tables.aligned(margin + users, 2)
    size = 1 << (margin + 2).bit_length()
    run.lanes[:, columns.LN_BASE] = [size * lane for lane in range(len(run.lanes))]
    run.lanes[:, columns.LN_MASK] = size - 1
    run.lane_entries = tables.aligned(len(run.lanes) * size, 3)
    return run


class Tight:
    """Makes tables with next to no room, and never much more room than is asked for."""

    def __init__(self, spare: int = 0) -> None:
        self.times = 0
        self.spare = spare
        self.allocate = tables.allocate

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compiled, "allocate", lambda plan, *others: shrink(self.allocate(plan, *others), plan))
        monkeypatch.setattr(compiled, "grow", self.larger)

    def larger(self, run: tables.Tables, space: int) -> None:
        """As `tables.grow`, with little to spare."""
        self.times += 1
        g = run.g
        missing = run.margin - int(g[columns.G_FREE_N])
        if missing > 0:
            tables.grow_stories(run, len(run.st) + missing + self.spare)
        if int(g[columns.G_HEAP]) + space + ROOT > len(run.due):
            tables.grow_heap(run, int(g[columns.G_HEAP]) + space + ROOT + self.spare)
        if int(g[columns.G_INSTANT]) + space > len(run.instant):
            tables.grow_instant(run, int(g[columns.G_INSTANT]) + space + self.spare)


def test_tables_grow_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = Tight()
    agree(plans(32_000, 40), lambda: tight.install(monkeypatch), monkeypatch.undo)
    assert tight.times > 200


def test_tables_grow_unnoticed_where_much_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = lower(loads(BUSY).scenario)
    tight = Tight(spare=200)
    agree([(1, BUSY, plan)], lambda: tight.install(monkeypatch), monkeypatch.undo)
    assert tight.times > 20, tight.times


MANY = """
sysim: 1
name: many
time: {duration: 100ms, bucket: 10ms}
services:
  api: {replicas: 3000, startup: 5ms, operations: {get: [{work: 1ms}]}}
load: {web: {rate: 100/s, call: api.get}}
"""


@pytest.mark.parametrize(
    "strike",
    ["faults: [{at: 50ms, on: api, crash: {restart_after: 10ms}}]", "actions: [{at: 50ms, restart: {service: api}}]"],
    ids=["crash", "restart"],
)
def test_there_is_room_for_every_replica_to_start(strike: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that writes past the end of the heap may well go unnoticed, so the room itself is looked at."""
    text = MANY + strike
    plan = lower(loads(text).scenario)
    tight = Tight()
    room: list[int] = []

    def larger(run: tables.Tables, space: int) -> None:
        tight.larger(run, space)
        room.append(len(run.due) - int(run.g[columns.G_HEAP]))

    def change() -> None:
        tight.install(monkeypatch)
        monkeypatch.setattr(compiled, "grow", larger)

    agree([(1, text, plan)], change, monkeypatch.undo)
    assert room and max(room) > 3000
