"""The event set: a 4-ary heap of entries, a heap of the present instant, and a lane for each constant delay.

An entry is three words: time, order (rank and key), reference (sequence number, sub-kind, row). All three
stores obey the one order (time, order); where an entry is kept changes nothing but speed. Cancelled entries
stay and are dropped when they surface.
"""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_CALLER,
    G_HEAP,
    G_INSTANT,
    G_LANE_FULL,
    G_LANE_I,
    G_LANE_O,
    G_LANE_T,
    G_LANES,
    G_MARGIN,
    G_NOW,
    G_ORDER,
    G_PENDING,
    G_REF,
    LN_BASE,
    LN_HEAD,
    LN_MASK,
    LN_N,
    ORDER_MASK,
    ORDER_SHIFT,
    SEQ_SHIFT,
    SLOT_BITS,
    SLOT_MASK,
    ST_CELL,
    ST_ID,
    W_SEQ,
)
from sysim.plan.tables import NEVER
from sysim.semantics.jit import inlined_law, law

AHEAD = 8  # entries of a lane
LARGE = 2048  # entries in the heap from which on the stories do not fit into the near caches


@inlined_law
def order_of(rank, key):
    """Rank and key as one number: what goes first within an instant."""
    return (rank << ORDER_SHIFT) | (key & ORDER_MASK)


@inlined_law
def refer(seq, sub, slot):
    """What an entry is about, packed."""
    return (seq << SEQ_SHIFT) | (sub << SLOT_BITS) | slot


@inlined_law
def heap_push(heap, n, time, order, ref):
    """Add an entry to a heap of `n` entries."""
    at = n
    while at > 0:
        up = (at - 1) >> 2
        when = heap[up, 0]
        if when < time or (when == time and heap[up, 1] <= order):
            break
        heap[at, 0] = when
        heap[at, 1] = heap[up, 1]
        heap[at, 2] = heap[up, 2]
        at = up
    heap[at, 0] = time
    heap[at, 1] = order
    heap[at, 2] = ref


@inlined_law
def heap_drop(heap, n):
    """Remove the least of `n` entries (the caller has read it)."""
    n -= 1
    time = heap[n, 0]
    order = heap[n, 1]
    ref = heap[n, 2]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= n:
            break
        best = child
        when = heap[child, 0]
        o = heap[child, 1]
        last = min(child + 4, n)
        for c in range(child + 1, last):
            tc = heap[c, 0]
            if tc < when or (tc == when and heap[c, 1] < o):
                when = tc
                o = heap[c, 1]
                best = c
        if time < when or (time == when and order <= o):
            break
        heap[at, 0] = when
        heap[at, 1] = o
        heap[at, 2] = heap[best, 2]
        at = best
    heap[at, 0] = time
    heap[at, 1] = order
    heap[at, 2] = ref


@inlined_law
def push(w, time, rank, key, ref):
    """Schedule an entry: at the present instant it goes to the small heap, else to the large one."""
    g = t.g(w)
    heap = t.heap(w)
    instant = t.instant(w)
    g[G_PENDING] += 1
    if time == g[G_NOW]:
        heap_push(instant, g[G_INSTANT], time, order_of(rank, key), ref)
        g[G_INSTANT] += 1
    else:
        heap_push(heap, g[G_HEAP], time, order_of(rank, key), ref)
        g[G_HEAP] += 1


@inlined_law
def push_lane(w, lane, time, rank, key, ref):
    """Schedule an entry a constant delay from now, at the end of its lane.

    Within one time a lane is kept sorted by order, so an append walks back past larger ones.
    """
    g = t.g(w)
    heap = t.heap(w)
    lanes = t.lanes(w)
    lane_entries = t.lane_entries(w)
    g[G_PENDING] += 1
    order = order_of(rank, key)
    if lane < 0 or lane >= g[G_LANES]:
        heap_push(heap, g[G_HEAP], time, order, ref)
        g[G_HEAP] += 1
        return
    base = lanes[lane, LN_BASE]
    mask = lanes[lane, LN_MASK]
    head = lanes[lane, LN_HEAD]
    n = lanes[lane, LN_N]
    at = n
    while at > 0:
        before = base + ((head + at - 1) & mask)
        if lane_entries[before, 0] < time or lane_entries[before, 1] <= order:
            break
        here = base + ((head + at) & mask)
        lane_entries[here, 0] = lane_entries[before, 0]
        lane_entries[here, 1] = lane_entries[before, 1]
        lane_entries[here, 2] = lane_entries[before, 2]
        at -= 1
    here = base + ((head + at) & mask)
    lane_entries[here, 0] = time
    lane_entries[here, 1] = order
    lane_entries[here, 2] = ref
    lanes[lane, LN_N] = n + 1
    if n + g[G_MARGIN] > mask:
        g[G_LANE_FULL] = 1
    if at == 0 and (time < g[G_LANE_T] or (time == g[G_LANE_T] and order < g[G_LANE_O])):
        g[G_LANE_T] = time
        g[G_LANE_O] = order
        g[G_LANE_I] = lane


@law
def drop_lane(w):
    """Remove the least lane head and find the next one."""
    g = t.g(w)
    lanes = t.lanes(w)
    lane_entries = t.lane_entries(w)
    lane = g[G_LANE_I]
    lanes[lane, LN_HEAD] = (lanes[lane, LN_HEAD] + 1) & lanes[lane, LN_MASK]
    lanes[lane, LN_N] -= 1
    if lanes[lane, LN_N] > AHEAD:  # most timeouts are void by now, but that has to be read in their rows
        place = lanes[lane, LN_BASE] + ((lanes[lane, LN_HEAD] + AHEAD) & lanes[lane, LN_MASK])
        t.prefetch(w, lane_entries[place, 2] & SLOT_MASK, ST_ID)
    time = NEVER
    order = NEVER
    best = -1
    for k in range(g[G_LANES]):
        if lanes[k, LN_N] > 0:
            at = lanes[k, LN_BASE] + lanes[k, LN_HEAD]
            when = lane_entries[at, 0]
            if when < time or (when == time and lane_entries[at, 1] < order):
                time = when
                order = lane_entries[at, 1]
                best = k
    g[G_LANE_T] = time
    g[G_LANE_O] = order
    g[G_LANE_I] = best


@inlined_law
def look_ahead(w, heap):
    """Ask for the rows of the stories whose entries come next, while the present one is being dealt with."""
    for k in range(5):
        i = heap[k, 2] & SLOT_MASK
        t.prefetch(w, i, W_SEQ)
        t.prefetch(w, i, ST_ID)
        t.prefetch(w, i, A_CALLER)
        t.prefetch(w, i, ST_CELL)


@inlined_law
def pop(w):
    """Take the least entry of all stores; its time is returned, NEVER when there is none."""
    g = t.g(w)
    heap = t.heap(w)
    instant = t.instant(w)
    lanes = t.lanes(w)
    lane_entries = t.lane_entries(w)
    time = NEVER
    order = NEVER
    if g[G_INSTANT] > 0:
        time = instant[0, 0]
        order = instant[0, 1]
    where = 0
    if g[G_HEAP] > 0 and (heap[0, 0] < time or (heap[0, 0] == time and heap[0, 1] < order)):
        time = heap[0, 0]
        order = heap[0, 1]
        where = 1
    if g[G_LANE_T] < time or (g[G_LANE_T] == time and g[G_LANE_O] < order):
        lane = g[G_LANE_I]
        time = g[G_LANE_T]
        g[G_ORDER] = g[G_LANE_O]
        g[G_REF] = lane_entries[lanes[lane, LN_BASE] + lanes[lane, LN_HEAD], 2]
        drop_lane(w)
        g[G_PENDING] -= 1
        return time
    if time == NEVER:
        return time
    g[G_ORDER] = order
    g[G_PENDING] -= 1
    if where == 0:
        g[G_REF] = instant[0, 2]
        g[G_INSTANT] -= 1
        if g[G_INSTANT] > 0:
            heap_drop(instant, g[G_INSTANT] + 1)
    else:
        g[G_REF] = heap[0, 2]
        g[G_HEAP] -= 1
        if g[G_HEAP] > 0:
            heap_drop(heap, g[G_HEAP] + 1)
            if g[G_HEAP] > LARGE:
                look_ahead(w, heap)
    return time
