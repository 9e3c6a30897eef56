"""Whether an entry that was taken still means anything, and the cell of the instant that it brings."""

from __future__ import annotations

from sysim.engine.compiled import columns as c
from sysim.engine.compiled import world as t
from sysim.engine.compiled.actions import look
from sysim.engine.compiled.replicas import READY, STARTS, begins_to_start
from sysim.engine.compiled.scalers import comes_to_something
from sysim.plan.tables import (
    ACTION_LOOK,
    ACTION_SCALE,
    NEVER,
    R_ACTION,
    R_ARRIVE,
    R_BACKOFF,
    R_CANCEL,
    R_DONE,
    R_FAULT,
    R_GRANT,
    R_HEDGE,
    R_JOIN,
    R_LOAD,
    R_PATIENCE,
    R_PERMIT,
    R_REPLY,
    R_TIMEOUT,
)
from sysim.record.counters import pay, peak, touch
from sysim.semantics.jit import inlined_law, law


@law
def advance_cells(w, time):
    """Go into the cell of `time`: close the integrals at each edge on the way."""
    g = t.g(w)
    level = t.level(w)
    svc_cells = t.svc_cells(w)
    peaks = t.peaks(w)
    cell_edges = t.cell_edges(w)
    cell_segment = t.cell_segment(w)
    cell_column = t.cell_column(w)
    n = level.shape[0]
    while time >= g[c.G_EDGE]:
        edge = g[c.G_EDGE]
        cell = g[c.G_CELL]
        for s in range(n):
            touch(level, s, svc_cells, cell * n + s, edge)
            pay(level, s, svc_cells, cell * n + s, edge)
        cell += 1
        g[c.G_CELL] = cell
        g[c.G_COLUMN] = cell_column[cell]
        if cell_segment[cell] != g[c.G_SEGMENT]:
            g[c.G_SEGMENT] = cell_segment[cell]
            for s in range(n):
                peak(level, s, peaks, cell_segment[cell] * n + s, edge)
        if cell + 1 < cell_edges.shape[0]:
            g[c.G_EDGE] = cell_edges[cell + 1]
        else:
            g[c.G_EDGE] = NEVER


@inlined_law
def live(w, time, rank, sub, seq, slot):
    """Whether the entry just taken still means anything."""
    st = t.st(w)
    rep = t.rep(w)
    if rank == R_DONE:
        return st[slot, c.W_SEQ] == seq
    if rank == R_REPLY:
        return st[slot, c.A_RSEQ] == seq
    if rank == R_ARRIVE:
        return st[slot, c.ST_ID] == seq and st[slot, c.ST_PHASE] == c.PH_NET
    if rank == R_TIMEOUT:
        if sub == 0:
            return st[slot, c.ST_ID] == seq and st[slot, c.A_OPEN] != 0
        return st[slot, c.C_SEQ] == seq
    if rank == R_GRANT:
        phase = st[slot, c.ST_PHASE]
        return st[slot, c.ST_ID] == seq and (phase == c.PH_GRANTED or phase == c.PH_REGRANTED)
    if rank == R_FAULT:
        if sub == STARTS:
            if time >= t.g(w)[c.G_EDGE]:
                advance_cells(w, time)
            begins_to_start(w, seq, slot, time)
            return False
        return sub != READY or rep[slot, c.RX_GENERATION] == seq
    if rank == R_LOAD:
        return True
    if rank == R_JOIN:
        return (
            st[slot, c.ST_ID] == seq
            and st[slot, c.ST_PHASE] == c.PH_ENDED
            and st[slot, c.ST_KIND] == c.BRANCH
        )
    if rank == R_PERMIT:
        return st[slot, c.ST_ID] == seq and st[slot, c.ST_PHASE] == c.PH_PERMIT
    if rank == R_BACKOFF:
        state = st[slot, c.C_STATE]
        return st[slot, c.C_SEQ] == seq and (state == c.CALL_BACKOFF or state == c.CALL_SLEEP)
    if rank == R_HEDGE:
        return st[slot, c.C_HSEQ] == seq
    if rank == R_PATIENCE:
        if sub == 0:
            return st[slot, c.ST_ID] == seq and st[slot, c.ST_PHASE] == c.PH_QUEUED
        return st[slot, c.ST_ID] == seq and st[slot, c.ST_PHASE] == c.PH_LINE
    if rank == R_CANCEL:
        return (
            st[slot, c.ST_ID] != 0
            and st[slot, c.A_OPEN] == 0
            and st[slot, c.A_NOTICE] == seq
            and st[slot, c.ST_PHASE] != c.PH_GONE
        )
    if rank == R_ACTION:
        if sub == ACTION_SCALE:
            return comes_to_something(w, slot, time)
        return sub != ACTION_LOOK or look(w, slot, time)
    return st[slot, c.ST_ID] == seq  # R_START, R_THINK
