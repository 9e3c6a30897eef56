"""Allocating the run tables of the compiled engine, and making them larger when they are full."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.engine.compiled import columns as c
from sysim.engine.compiled import world
from sysim.engine.compiled.entries import ROOT
from sysim.errors import SimulationError
from sysim.plan.noise import run_key
from sysim.plan.plan import Plan
from sysim.plan.scalers import recommendations_at_first, rolls_at_first, scalers_at_first
from sysim.plan.tables import (
    AC_KEY,
    ARRIVALS_MMPP,
    AS_SINCE,
    F_KEY,
    GONE,
    INSTANT_LIMIT,
    K_KEY,
    K_POLICY,
    K_REPLICAS,
    K_ROWS,
    L_ARRIVALS,
    L_BATCH,
    L_CLIENTS,
    L_CLOSED,
    L_FIRST_RATE,
    L_KEY,
    L_RATES,
    LF_BATCH,
    N_AS,
    N_FS,
    N_LT,
    N_SEEN,
    NEVER,
    NONE,
    RP_SVC,
    S_BEGIN,
    S_FIRST,
    S_OPS,
    S_ZONES,
    SF_CORES,
    WANTED,
    Z_KEY,
)
from sysim.record.columns import FC_COUNT, FC_NUMBER, LV_PAID, LV_UP
from sysim.record.counters import failed
from sysim.record.histogram import BINS
from sysim.record.record import Record
from sysim.semantics.arrivals import first_state
from sysim.semantics.causes import causes
from sysim.semantics.rng import derive
from sysim.semantics.salts import SALT_ARRIVALS, SALT_STATES
from sysim.semantics.scopes import reset as reset_scope

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


# tables that the record knows by longer names
_NAMES = {"svc_cells": "service_cells", "svc_hist": "service_hist", "svc_moments": "service_moments"}


def aligned(rows: int, columns: int) -> Ints:
    """Zeroed rows that begin at cache lines."""
    raw = np.zeros(rows * columns + 8, dtype=np.int64)
    skip = (-(raw.ctypes.data // 8)) % 8
    return raw[skip : skip + rows * columns].reshape(rows, columns)


def _twin(table: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins at a cache line, too."""
    twin = aligned(table.size, 1).view(table.dtype).reshape(table.shape)
    twin[...] = table
    return twin


@dataclass
class Tables:
    """All that one run changes, besides its `Record`."""

    g: Ints
    due: Ints  # the heap's times, from ROOT on
    tails: Ints  # … order and reference
    instant: Ints
    lanes: Ints
    lane_entries: Ints
    st: Ints
    rep: Ints
    holders: Ints
    speed: Floats
    old_speed: Floats
    scope: Ints
    ring: Ints
    outstanding: Ints
    up: Ints
    serves: Ints  # balancers may pick it
    fstate: Ints
    struck: Ints
    load_state: Ints
    load_target: Floats
    stack: Ints
    flags: Ints
    policies: Ints
    doors: Floats  # the share of each stream that is shed
    action_state: Ints
    seen: Ints
    seen_hist: Ints
    action_keys: Ints
    rolls: Ints
    classes: Ints  # for counting replicas by zone
    scaler_state: Ints
    recommendations: Ints
    scaler_keys: Ints
    fault_keys: Ints
    fault_of_site: Ints
    margin: int
    world: Any = None  # what the kernels are given; `places` keeps it alive
    places: Any = None

    def connect(self, plan: Plan, record: Record) -> None:
        """Make the world anew, after tables have been made or made larger."""
        places: dict[str, NDArray[Any]] = {}
        for name in world.TABLES:
            owner = next(o for o in (self, plan, record) if hasattr(o, _NAMES.get(name, name)))
            places[name] = getattr(owner, _NAMES.get(name, name))
        self.places = world.build(places)
        self.world = world.handle(self.places)

    def copy(self) -> Tables:
        """The same in tables of their own, not connected yet."""
        twin = replace(self, places=None, world=None)
        for name, value in vars(twin).items():
            if isinstance(value, np.ndarray):
                setattr(twin, name, _twin(value))
        return twin


def allocate(plan: Plan, record: Record, seed: int, replication: int) -> Tables:
    """The tables at time 0, before anything has happened; needs the levels of `record` to set what is up."""
    if causes(plan.sites.shape[0]) > c.CAUSE_LIMIT:
        raise SimulationError(f"{plan.n_sites:,} places make calls, more than this engine can tell apart")
    g = np.zeros(c.N_G, dtype=np.int64)
    key_of_run = run_key(seed, replication)
    g[c.G_SEED] = key_of_run
    g[c.G_DIGEST] = key_of_run
    g[c.G_DURATION] = plan.duration
    g[c.G_SAME_LIMIT] = INSTANT_LIMIT
    g[c.G_STOP] = NEVER if plan.drain >= NEVER else plan.duration + plan.drain
    g[c.G_HALT] = g[c.G_STOP]
    g[c.G_STREAMS] = plan.streams.shape[0]
    g[c.G_SERVICES] = plan.svc.shape[0]
    g[c.G_STATS] = plan.n_stats
    g[c.G_LOADS] = plan.loads.shape[0]
    g[c.G_EDGE] = plan.cell_edges[1]
    g[c.G_SEGMENT] = plan.cell_segment[0]
    g[c.G_COLUMN] = plan.cell_column[0]
    g[c.G_LANE_T] = NEVER
    g[c.G_LANE_O] = NEVER
    g[c.G_LANE_I] = NONE
    n_lanes = min(plan.n_lanes, c.MAX_LANES)
    g[c.G_LANES] = n_lanes
    margin = _margin(plan)
    g[c.G_MARGIN] = margin

    lanes = np.zeros((max(n_lanes, 1), c.N_LN), dtype=np.int64)
    size = 1 << max(10, (4 * margin).bit_length())
    lanes[:, c.LN_BASE] = np.arange(len(lanes)) * size
    lanes[:, c.LN_MASK] = size - 1

    users = int(plan.loads[:, L_CLIENTS][plan.loads[:, L_CLOSED] == 1].sum())
    # Whatever the row number of an entry means, there is a story row of that number, so looking ahead may read it.
    subjects = max(plan.n_replicas, plan.n_loads, plan.n_faults, plan.n_actions, len(plan.scalers) + plan.n_services)
    rows = 1 << max(10, int(2 * margin + 2 * users + subjects).bit_length())
    tables = Tables(
        g=g,
        due=aligned(2 * rows + ROOT, 1).reshape(-1),
        tails=aligned(2 * rows + ROOT, 2),
        instant=aligned(2 * rows, 2),
        lanes=lanes,
        lane_entries=aligned(len(lanes) * size, 3),
        st=aligned(0, c.N_ST),
        rep=_replicas(plan),
        holders=np.zeros((plan.replicas.shape[0], c.N_HOLDERS), dtype=np.int64),
        speed=_speeds(plan),
        old_speed=_speeds(plan),
        scope=plan.scopes.copy(),
        ring=np.zeros(plan.ring_length, dtype=np.int64),
        outstanding=np.zeros(plan.outstanding_length, dtype=np.int64),
        up=_at_first(plan),
        serves=_at_first(plan),
        fstate=np.zeros((plan.faults.shape[0], N_FS), dtype=np.int64),
        struck=np.zeros((plan.faults.shape[0], plan.replicas.shape[0]), dtype=np.int64),
        load_state=np.zeros((plan.loads.shape[0], c.N_LX), dtype=np.int64),
        load_target=np.zeros((plan.loads.shape[0], N_LT), dtype=np.float64),
        stack=np.zeros(1, dtype=np.int64),
        flags=plan.flags.copy(),
        policies=plan.policies.copy(),
        doors=np.zeros(plan.streams.shape[0], dtype=np.float64),
        action_state=_conditions(plan),
        seen=np.zeros((max(1, plan.n_slots), N_SEEN), dtype=np.int64),
        seen_hist=np.zeros((max(1, plan.n_bins), BINS), dtype=np.int64),
        action_keys=np.array([derive(key_of_run, key) for key in plan.actions[:, AC_KEY]], dtype=np.int64),
        rolls=rolls_at_first(plan),
        classes=np.zeros(int(plan.svc[:, S_ZONES].max()) + 1, dtype=np.int64),
        scaler_state=scalers_at_first(plan),
        recommendations=recommendations_at_first(plan),
        scaler_keys=np.array([derive(key_of_run, key) for key in plan.scalers[:, Z_KEY]], dtype=np.int64),
        fault_keys=np.array([derive(key_of_run, key) for key in plan.faults[:, F_KEY]], dtype=np.int64),
        fault_of_site=_sites_of_faults(plan),
        margin=margin,
    )
    grow_stories(tables, rows)
    for k in range(plan.n_scopes):
        tables.scope[k, K_KEY] = derive(key_of_run, plan.scopes[k, K_KEY])
        reset_scope(
            tables.scope, k, tables.ring, plan.policies, plan.policiesF, int(tables.scope[k, K_POLICY]), 0,
            int(tables.scope[k, K_REPLICAS]), int(tables.scope[k, K_ROWS]), tables.outstanding,
        )  # fmt: skip
    for load in range(plan.n_loads):
        key = derive(key_of_run, plan.loads[load, L_KEY])
        tables.load_state[load, c.LX_KEY] = key
        tables.load_state[load, c.LX_ROW] = plan.loads[load, L_FIRST_RATE]
        tables.load_state[load, c.LX_ARRIVALS] = derive(key, SALT_ARRIVALS)
        tables.load_state[load, c.LX_STATES] = derive(key, SALT_STATES)
        if plan.loads[load, L_ARRIVALS] == ARRIVALS_MMPP:
            first_state(
                plan.rates, int(plan.loads[load, L_FIRST_RATE]), int(plan.loads[load, L_RATES]), tables.load_target,
                load, tables.load_state[load, c.LX_STATES],
            )  # fmt: skip
    for s in range(plan.n_services):
        record.level[s, LV_UP] = record.level[s, LV_PAID] = plan.svc[s, S_BEGIN]
    return tables


def _margin(plan: Plan) -> int:
    """More rows than one entry can ask for: every instruction once, twice the largest batch."""
    batches = plan.loads[:, L_BATCH].max() if plan.n_loads else 0
    mean = float(plan.loadsF[:, LF_BATCH].max()) if plan.n_loads else 0.0
    return int(256 + 2 * plan.code.shape[0] + 2 * batches + 64 * mean)


def _replicas(plan: Plan) -> Ints:
    rep = np.zeros((plan.replicas.shape[0], c.N_RX), dtype=np.int64)
    for column in (
        c.RQ_HEAD,
        c.RQ_TAIL,
        c.RR_HEAD,
        c.RR_TAIL,
        c.PS_HEAD,
        c.PS_TAIL,
        c.PS_SCHEDULED,
        c.RX_RETURN,
    ):
        rep[:, column] = NONE
    rep[:, c.RQ_LAST :] = NONE
    rep[:, c.RX_PAID] = _at_first(plan)
    rep[:, c.RX_STANDING] = np.where(_at_first(plan) != 0, WANTED, GONE)
    return rep


def _at_first(plan: Plan) -> Ints:
    """1 for each replica that is there at time 0."""
    local = np.arange(len(plan.replicas)) - plan.svc[plan.replicas[:, RP_SVC], S_FIRST]
    there: Ints = (local < plan.svc[plan.replicas[:, RP_SVC], S_BEGIN]).astype(np.int64)
    return there


def _speeds(plan: Plan) -> Floats:
    speed = np.zeros((max(plan.n_speeds, 1), c.N_SPEED), dtype=np.float64)
    speed[:, c.SP_FACTOR] = 1.0
    row = 0
    for r in range(plan.n_replicas):
        s = plan.replicas[r, RP_SVC]
        for _ in range(plan.svc[s, S_OPS]):
            speed[row, c.SP_CORES] = plan.svcF[s, SF_CORES]
            row += 1
    return speed


def _conditions(plan: Plan) -> Ints:
    state = np.zeros((len(plan.actions), N_AS), dtype=np.int64)
    state[:, AS_SINCE] = NEVER
    return state


def _sites_of_faults(plan: Plan) -> Ints:
    table = np.zeros((plan.faults.shape[0], plan.sites.shape[0]), dtype=np.int64)
    for f in range(plan.n_faults):
        for at in range(plan.fault_sites_at[f], plan.fault_sites_at[f + 1]):
            table[f, plan.fault_sites[at]] = 1
    return table


def grow_stories(tables: Tables, rows: int) -> None:
    """Give `tables` at least `rows` story rows, the new ones free."""
    old = tables.st
    new = aligned(rows, c.N_ST)
    new[: len(old)] = old
    fresh = np.arange(len(old), rows)
    new[len(old) :, (c.B_FIRST, c.C_CHILD)] = NONE
    new[len(old) :, c.FREE_NEXT] = fresh + 1
    new[rows - 1, c.FREE_NEXT] = tables.g[c.G_FREE] if tables.g[c.G_FREE_N] > 0 else NONE
    tables.g[c.G_FREE] = len(old)
    tables.g[c.G_FREE_N] += len(fresh)
    tables.st = new
    tables.stack = np.zeros(rows + 1, dtype=np.int64)


def grow(tables: Tables, space: int) -> None:
    """Make room: `space` more entries than now in both heaps, and more free stories than the margin."""
    g = tables.g
    if g[c.G_FREE_N] < tables.margin:
        grow_stories(tables, 2 * len(tables.st))
    if g[c.G_HEAP] + space + ROOT > len(tables.due):
        grow_heap(tables, max(2 * len(tables.due), int(g[c.G_HEAP] + 2 * space + ROOT)))
    if g[c.G_INSTANT] + space > len(tables.instant):
        grow_instant(tables, max(2 * len(tables.instant), int(g[c.G_INSTANT] + 2 * space)))


def grow_heap(tables: Tables, places: int) -> None:
    """Give the heap `places` places, those before its root included."""
    due, tails = aligned(places, 1).reshape(-1), aligned(places, 2)
    due[: len(tables.due)] = tables.due
    tails[: len(tables.tails)] = tables.tails
    tables.due, tables.tails = due, tails


def grow_instant(tables: Tables, places: int) -> None:
    """Give the heap of the present instant `places` places."""
    instant = aligned(places, 2)
    instant[: len(tables.instant)] = tables.instant
    tables.instant = instant


def grow_failures(tables: Tables, record: Record) -> None:
    """Keep three quarters of the rows of the table of failures free."""
    old = record.failures
    if 4 * int(tables.g[c.G_FAILURES]) <= len(old):
        return
    record.failures = np.zeros((4 * len(old), old.shape[1]), dtype=np.int64)
    for number, count in old[old[:, FC_NUMBER] != 0]:
        failed(record.failures, 0, number)
        at = np.flatnonzero(record.failures[:, FC_NUMBER] == number)[0]
        record.failures[at, FC_COUNT] = count


def grow_lanes(tables: Tables) -> None:
    """Double the rings that have not twice the margin left; every ring keeps its entries in order."""
    tables.g[c.G_FULL] = 0
    lanes = tables.lanes
    sizes = [int(mask) + 1 for mask in lanes[:, c.LN_MASK]]
    larger = [
        2 * size if int(n) + 2 * tables.margin > size else size
        for size, n in zip(sizes, lanes[:, c.LN_N], strict=True)
    ]
    entries = aligned(sum(larger), 3)
    base = 0
    for lane, size in enumerate(larger):
        n = int(lanes[lane, c.LN_N])
        at = lanes[lane, c.LN_BASE] + ((lanes[lane, c.LN_HEAD] + np.arange(n)) & lanes[lane, c.LN_MASK])
        entries[base : base + n] = tables.lane_entries[at]
        lanes[lane] = (base, size - 1, 0, n)
        base += size
    tables.lane_entries = entries
