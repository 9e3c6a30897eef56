"""Running a plan on the compiled engine: enter the loop, make room or report progress, enter it again."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sysim.engine.compiled import columns as c
from sysim.engine.compiled import loop
from sysim.engine.compiled.actions import schedule_action
from sysim.engine.compiled.branching import redirect
from sysim.engine.compiled.causes import count_open
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.faults import schedule_begin
from sysim.engine.compiled.handlers import next_arrival
from sysim.engine.compiled.liveness import advance_cells
from sysim.engine.compiled.scalers import schedule_scaler
from sysim.engine.compiled.stories import take
from sysim.engine.compiled.tables import Tables, allocate, grow, grow_failures, grow_lanes
from sysim.errors import SimulationError, UnsupportedByEngine
from sysim.plan.noise import drawn, run_key
from sysim.plan.plan import Plan
from sysim.plan.tables import (
    C_STAT,
    C_STREAM,
    F_AT,
    F_EVERY,
    IN_FLIGHT,
    L_CLASS,
    L_CLIENTS,
    L_CLOSED,
    L_PC,
    L_STAYS,
    NEVER,
    NONE,
    OUTCOMES,
    R_START,
    Y_FROM,
)
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_CALLS,
    CC_HEDGES,
    CC_OUT,
    CC_RETRIES,
    CC_SENT,
    CC_TRY,
    LC_OUT,
    SC_OUT,
)
from sysim.record.record import Record, close
from sysim.record.record import allocate as allocate_record
from sysim.semantics.rng import derive, wrapping
from sysim.semantics.sampling import sample

CHUNK = 2_000_000  # entries between two reports of progress

Progress = Callable[[float], None]


def simulate(
    plan: Plan,
    *,
    seed: int,
    replication: int = 0,
    traces: int = 0,
    processes: Sequence[Any] = (),
    operations: Any = None,
    progress: Progress | None = None,
    log: list[tuple[int, int, int, int]] | None = None,
) -> Record:
    """Run `plan` once and return what happened.

    `progress` is called with the simulated time in ns now and then. `log`, for tests, receives (time, rank, key,
    notes) of every entry. Raises `SimulationError` when too much happens at one instant, `UnsupportedByEngine`
    when user processes are given.
    """
    if processes or operations:
        raise UnsupportedByEngine(
            "user processes and operations run on the reference engine only: choose engine='reference'"
        )
    execution = Execution(plan, seed=seed, replication=replication, traces=traces)
    execution.advance(progress=progress, log=log)
    return execution.finish()


class Execution:
    """A run that can be halted before any instant, copied there, and gone on with; a copy shares nothing with it.

    ``Execution(plan, seed=1).finish()`` is a whole run. What halting and copying cost is time alone: an execution
    that was halted, and each of its copies, ends in the same record as one that was not.
    """

    def __init__(self, plan: Plan, *, seed: int, replication: int = 0, traces: int = 0) -> None:
        began = clock.perf_counter()
        self._record = allocate_record(plan, traces)
        with wrapping():
            self._key = run_key(seed, replication)
            self._plan = plan = drawn(plan, self._key)
            self._run = allocate(plan, self._record, seed, replication)
            self._run.g[c.G_TRACES] = traces
            self._run.connect(plan, self._record)
            _begin(plan, self._run)
        self._done = False
        self._record.wall_s = clock.perf_counter() - began

    @property
    def now(self) -> int:
        """The time of the last entry that was dealt with, in ns."""
        return int(self._run.g[c.G_NOW])

    def advance(
        self,
        until: int | None = None,
        progress: Progress | None = None,
        log: list[tuple[int, int, int, int]] | None = None,
    ) -> bool:
        """Deal with all entries before `until` (ns), or with all there are; whether the run is over is returned.

        `progress` and `log` as in `simulate`; a log starts with the run's first entry, so it needs an `advance` from
        there to the end. Raises `SimulationError` when too much happens at one instant.
        """
        if self._done:
            return True
        began = clock.perf_counter()
        g = self._run.g
        g[c.G_HALT] = g[c.G_STOP] if until is None else min(int(g[c.G_STOP]), until)
        with wrapping():
            self._done = _loop(self._plan, self._run, self._record, progress, log)
        self._record.wall_s += clock.perf_counter() - began
        return self._done

    def copy(self, plan: Plan | None = None) -> Execution:
        """Another execution in the same state.

        With `plan` it goes on as a run of that one, which may differ from the present plan in what is to come: further
        actions due from the halt on, and faults that are over sooner. It ends in the record of a run of `plan` that
        was never halted. Raises ValueError for a plan that differs in anything else.
        """
        twin = Execution.__new__(Execution)
        twin._plan, twin._done, twin._key = self._plan, self._done, self._key
        twin._record = self._record.copy()
        twin._run = self._run.copy()
        if plan is None or plan is self._plan:
            twin._run.connect(twin._plan, twin._record)
            return twin
        plan = drawn(plan, self._key)
        with wrapping():
            redirect(self._plan, plan, twin._run, twin._record)
        twin._plan, twin._done = plan, False
        return twin

    def finish(self) -> Record:
        """Go on to the end, and return what happened. The execution is used up."""
        self.advance()
        with wrapping():
            _finish(self._plan, self._run, self._record)
        self._record.engine = "compiled"
        return self._record


def _begin(plan: Plan, run: Tables) -> None:
    """Schedule what is known at time 0: users, first arrivals, faults."""
    for load in range(plan.n_loads):
        if plan.loads[load, L_CLOSED]:
            key = int(run.load_state[load, c.LX_KEY])
            for user in range(plan.loads[load, L_CLIENTS]):
                _new_user(plan, run, load, user, int(derive(key, user)))
        else:
            next_arrival(run.world, load)
    for f in range(plan.n_faults):
        recurring = plan.faults[f, F_EVERY] >= 0
        at = int(plan.faults[f, F_AT])
        if recurring:
            key = int(derive(run.fault_keys[f], 0))
            base = at if at < NEVER else 0
            at = base + int(sample(plan.dist, plan.distF, plan.points, plan.faults[f, F_EVERY], key, 0))
        schedule_begin(run.world, f, at, recurring)
    for a in range(plan.n_actions):
        schedule_action(run.world, a)
    for z in range(plan.n_scalers):
        schedule_scaler(run.world, z)


def _new_user(plan: Plan, run: Tables, load: int, user: int, user_key: int) -> None:
    stay = NONE if plan.loads[load, L_STAYS] == NONE else int(plan.loads[load, L_STAYS]) + user
    begins = 0 if stay == NONE else int(plan.stays[stay, Y_FROM])
    if begins >= NEVER:
        return
    st = run.st
    key = int(derive(user_key, 0))
    i = take(run.world, c.USER, key)
    st[i, c.ST_MARK] = plan.loads[load, L_CLASS] << c.PRIORITY_SHIFT
    st[i, c.ST_USER] = user_key
    st[i, c.ST_CYCLE] = 0
    st[i, c.ST_LOAD] = load
    st[i, c.ST_CLIENT] = user
    st[i, c.ST_SVC] = -1
    st[i, c.ST_REP] = -1
    st[i, c.ST_PC] = plan.loads[load, L_PC]
    st[i, c.ST_STAY] = stay
    push(run.world, begins, R_START, key, refer(int(st[i, c.ST_ID]), 0, i))


def _loop(
    plan: Plan,
    run: Tables,
    record: Record,
    progress: Progress | None,
    log: list[tuple[int, int, int, int]] | None,
) -> bool:
    """Enter the loop until the run is over (true) or has come to its halt (false)."""
    g = run.g
    entries = np.zeros((1 << 20 if log is not None else 0, 3), dtype=np.int64)
    while True:
        status = loop.run(run.world, entries, run.margin, CHUNK)
        if status in (c.DONE, c.HALTED):
            break
        if status == c.STUCK:
            raise SimulationError(_stuck(plan, run))
        if status == c.GROW:
            used = len(run.st) - int(g[c.G_FREE_N])
            strikes = plan.n_faults + plan.n_actions + plan.n_scalers > 0
            grow(run, run.margin + (loop.REPLICA_SPACE * len(run.up) + loop.FAULT_SPACE * used if strikes else 0))
            grow_lanes(run)
            grow_failures(run, record)
            run.connect(plan, record)
        elif progress is not None:
            progress(float(g[c.G_NOW]))
    if log is not None:
        for time, order, notes in entries[: int(g[c.G_EVENTS])].tolist():
            log.append((time, order >> c.ORDER_SHIFT, order & c.ORDER_MASK, notes))
    return bool(status == c.DONE)


def _stuck(plan: Plan, run: Tables) -> str:
    """Which load and call kept the clock from moving."""
    g, st = run.g, run.st
    at = f"more than {int(g[c.G_SAME_LIMIT]):,} events at {int(g[c.G_NOW]) / 1e9:g} s"
    i = int(g[c.G_CUR])
    while st[i, c.ST_KIND] in (c.BRANCH, c.FALLBACK):
        i = int(st[i, c.ST_PARENT])
    outcome = OUTCOMES[int(g[c.G_OUT]) % len(OUTCOMES)]
    site = int(st[i, c.C_SITE])
    call = plan.names.sites[site] if 0 <= site < len(plan.names.sites) else "?"
    load = plan.names.loads[int(st[i, c.ST_LOAD])] if st[i, c.ST_KIND] in (c.USER, c.REQUEST) else call
    return f"{at}: load {load!r}, call {call!r} ended {outcome!r} again and again without time passing"


def _finish(plan: Plan, run: Tables, record: Record) -> None:
    """Close the integrals at the end, and record what is still open as in flight."""
    g, st = run.g, run.st
    advance_cells(run.world, plan.duration)
    rows = np.flatnonzero(st[:, c.ST_ID])
    kind = st[rows, c.ST_KIND]
    requests = rows[kind == c.REQUEST]
    at = st[requests, c.ST_CELL] * plan.streams.shape[0] + st[requests, c.ST_STREAM]
    np.add.at(record.load_cells, (at, LC_OUT + IN_FLIGHT), 1)
    calling = rows[st[rows, c.C_STATE] != c.CALL_NONE]
    site = st[calling, c.C_SITE]
    at = st[calling, c.C_CELL] * plan.n_stats + plan.sites[site, C_STAT]
    np.add.at(record.call_cells, (at, CC_CALLS), 1)
    np.add.at(record.call_cells, (at, CC_OUT + IN_FLIGHT), 1)
    users = calling[(st[calling, c.ST_KIND] != c.REQUEST) & (plan.sites[site, C_STREAM] >= 0)]
    at = st[users, c.C_CELL] * plan.streams.shape[0] + plan.sites[st[users, c.C_SITE], C_STREAM]
    np.add.at(record.load_cells, (at, LC_OUT + IN_FLIGHT), 1)
    visits = rows[kind == c.VISIT]
    opened = visits[st[visits, c.A_OPEN] != 0]
    at = st[opened, c.A_CELL] * plan.n_stats + plan.sites[st[opened, c.A_SITE], C_STAT]
    bits = st[opened, c.A_BITS]
    np.add.at(record.call_cells, (at, CC_ATTEMPTS), 1)
    np.add.at(record.call_cells, (at, CC_TRY + IN_FLIGHT), 1)
    np.add.at(record.call_cells, (at, CC_SENT), (bits & c.BIT_SENT) // c.BIT_SENT)
    np.add.at(record.call_cells, (at, CC_RETRIES), (bits & c.BIT_RETRY) // c.BIT_RETRY)
    np.add.at(record.call_cells, (at, CC_HEDGES), (bits & c.BIT_HEDGE) // c.BIT_HEDGE)
    inside = visits[(st[visits, c.ST_PHASE] >= c.PH_QUEUED) & (st[visits, c.ST_PHASE] <= c.PH_REGRANTED)]
    at = st[inside, c.ST_CELL] * plan.svc.shape[0] + st[inside, c.ST_SVC]
    np.add.at(record.service_cells, (at, SC_OUT + IN_FLIGHT), 1)
    grow_failures(run, record)
    run.connect(plan, record)
    count_open(run.world)
    record.n_events = int(g[c.G_EVENTS])
    record.digest = int(g[c.G_DIGEST])
    record.end = max(int(g[c.G_NOW]), plan.duration)
    record.n_transitions = int(g[c.G_TRANSITIONS])
    record.n_spans = int(g[c.G_SPANS])
    close(record, plan)
