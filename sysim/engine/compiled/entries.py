"""The event set: a 4-ary heap of entries, a heap of the present instant, and a lane for each constant delay.

An entry is three words: time, order (rank and key), reference (sequence number, sub-kind, row). All three
stores obey the one order (time, order); where an entry is kept changes nothing but speed. Cancelled entries
stay and are dropped when they surface.

The times of the heap lie apart from the rest of its entries (``due`` and ``tails``), since the search for the next
one reads little else; within the present instant there is but one time, and the heap is one of orders.
"""

from __future__ import annotations

import numpy as np

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_CALLER,
    B_FIRST,
    C_SEQ,
    C_TRIES,
    G_FULL,
    G_HEAP,
    G_INSTANT,
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
    ST_PARENT,
    V_WORK,
    W_SEQ,
)
from sysim.plan.tables import NEVER
from sysim.semantics.jit import inlined_law, law

# Children of place p of the heap stand in 4p - 8 to 4p - 5: four times are half a cache line, and never two halves.
ROOT = 3
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
def heap_push(due, tails, n, time, order, ref):
    """Add an entry to a heap of `n` entries."""
    at = n + ROOT
    while at > ROOT:
        up = (at >> 2) + 2
        when = due[up]
        if when < time or (when == time and tails[up, 0] <= order):
            break
        due[at] = when
        tails[at, 0] = tails[up, 0]
        tails[at, 1] = tails[up, 1]
        at = up
    due[at] = time
    tails[at, 0] = order
    tails[at, 1] = ref


@inlined_law
def heap_drop(due, tails, n):
    """Remove the least of `n` entries (the caller has read it)."""
    last = n + ROOT - 1
    time = due[last]
    order = tails[last, 0]
    ref = tails[last, 1]
    at = ROOT
    child = ROOT + 1
    while child + 3 < last:
        # Which of four is the least nobody can predict, so it is found without a branch: two halves, then one.
        # Of equal times the orders decide, which is seldom enough to be asked for apart.
        zero, one, two, three = due[child], due[child + 1], due[child + 2], due[child + 3]
        near = min(zero, one)
        far = min(two, three)
        when = min(near, far)
        best = child + np.int64(one < zero)
        other = child + 2 + np.int64(three < two)
        best += (other - best) * np.int64(far < near)
        if (zero == one) | (two == three) | (near == far):
            best = first_of(due, tails, child, child + 4)
        if time < when or (time == when and order <= tails[best, 0]):
            break
        due[at] = when
        tails[at, 0] = tails[best, 0]
        tails[at, 1] = tails[best, 1]
        at = best
        child = 4 * at - 8
    while child < last:
        best = first_of(due, tails, child, min(child + 4, last))
        when = due[best]
        if time < when or (time == when and order <= tails[best, 0]):
            break
        due[at] = when
        tails[at, 0] = tails[best, 0]
        tails[at, 1] = tails[best, 1]
        at = best
        child = 4 * at - 8
    due[at] = time
    tails[at, 0] = order
    tails[at, 1] = ref


@inlined_law
def first_of(due, tails, child, end):
    """The entry that goes first of those in the places `child` to `end` (exclusive) of a heap."""
    best = child
    when = due[child]
    order = tails[child, 0]
    for at in range(child + 1, end):
        if due[at] < when or (due[at] == when and tails[at, 0] < order):
            best = at
            when = due[at]
            order = tails[at, 0]
    return best


@inlined_law
def instant_push(instant, n, order, ref):
    """Add an entry to the `n` ones of the present instant."""
    at = n
    while at > 0:
        up = (at - 1) >> 1
        if instant[up, 0] < order:
            break
        instant[at, 0] = instant[up, 0]
        instant[at, 1] = instant[up, 1]
        at = up
    instant[at, 0] = order
    instant[at, 1] = ref


@inlined_law
def instant_drop(instant, n):
    """Remove the least of the `n` entries of the present instant (the caller has read it)."""
    n -= 1
    order = instant[n, 0]
    ref = instant[n, 1]
    at = 0
    child = 1
    while child < n:
        if child + 1 < n and instant[child + 1, 0] < instant[child, 0]:
            child += 1
        if order <= instant[child, 0]:
            break
        instant[at, 0] = instant[child, 0]
        instant[at, 1] = instant[child, 1]
        at = child
        child = 2 * at + 1
    instant[at, 0] = order
    instant[at, 1] = ref


@inlined_law
def push(w, time, rank, key, ref):
    """Schedule an entry: at the present instant it goes to the small heap, else to the large one."""
    g = t.g(w)
    g[G_PENDING] += 1
    if time == g[G_NOW]:
        instant_push(t.instant(w), g[G_INSTANT], order_of(rank, key), ref)
        g[G_INSTANT] += 1
    else:
        heap_push(t.due(w), t.tails(w), g[G_HEAP], time, order_of(rank, key), ref)
        g[G_HEAP] += 1


@inlined_law
def push_lane(w, lane, time, rank, key, ref):
    """Schedule an entry a constant delay from now, at the end of its lane.

    Within one time a lane is kept sorted by order, so an append walks back past larger ones.
    """
    g = t.g(w)
    lanes = t.lanes(w)
    lane_entries = t.lane_entries(w)
    g[G_PENDING] += 1
    order = order_of(rank, key)
    if lane < 0 or lane >= g[G_LANES]:
        heap_push(t.due(w), t.tails(w), g[G_HEAP], time, order, ref)
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
        g[G_FULL] = 1
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
def look_ahead(w, tails):
    """Ask for the rows of the stories whose entries come next, while the present one is being dealt with.

    In two steps and, for the very next entry, three: rows asked for some entries ago have come by now and tell
    whose answer they are waited for by, and these whose branches they are.
    """
    st = t.st(w)
    for k in range(ROOT, ROOT + 5):
        i = tails[k, 1] & SLOT_MASK  # of a fault or a load: some other row, for nothing
        t.prefetch(w, i, W_SEQ)
        t.prefetch(w, i, ST_ID)
        t.prefetch(w, i, A_CALLER)
        t.prefetch(w, i, ST_CELL)
    for k in range(ROOT, ROOT + 5):
        caller = st[tails[k, 1] & SLOT_MASK, A_CALLER]
        t.prefetch(w, caller, C_SEQ)
        t.prefetch(w, caller, C_TRIES)
        t.prefetch(w, caller, ST_ID)
        t.prefetch(w, caller, ST_PARENT)
    caller = st[tails[ROOT, 1] & SLOT_MASK, A_CALLER]
    parent = st[caller, ST_PARENT]
    t.prefetch(w, parent, ST_ID)
    t.prefetch(w, parent, B_FIRST)
    t.prefetch(w, parent, V_WORK)


@inlined_law
def pop(w):
    """Take the least entry of all stores; its time is returned, NEVER when there is none."""
    g = t.g(w)
    due = t.due(w)
    tails = t.tails(w)
    instant = t.instant(w)
    lanes = t.lanes(w)
    lane_entries = t.lane_entries(w)
    time = NEVER
    order = NEVER
    if g[G_INSTANT] > 0:
        time = g[G_NOW]
        order = instant[0, 0]
    where = 0
    if g[G_HEAP] > 0 and (due[ROOT] < time or (due[ROOT] == time and tails[ROOT, 0] < order)):
        time = due[ROOT]
        order = tails[ROOT, 0]
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
        g[G_REF] = instant[0, 1]
        g[G_INSTANT] -= 1
        if g[G_INSTANT] > 0:
            instant_drop(instant, g[G_INSTANT] + 1)
    else:
        g[G_REF] = tails[ROOT, 1]
        g[G_HEAP] -= 1
        if g[G_HEAP] > 0:
            heap_drop(due, tails, g[G_HEAP] + 1)
            if g[G_HEAP] > LARGE:
                look_ahead(w, tails)
    return time
