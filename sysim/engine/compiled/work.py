"""Work in progress: starting, re-timing and stopping it, alone on a worker or sharing a replica's cores."""

from __future__ import annotations

import numpy as np

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    G_NOW,
    PS_HEAD,
    PS_LAST,
    PS_N,
    PS_NEXT,
    PS_PREV,
    PS_SCHEDULED,
    PS_TAIL,
    PS_V,
    RX_CPU,
    RX_STARTED,
    SP_CORES,
    SP_FACTOR,
    SP_PAUSED,
    ST_KEY,
    ST_OP,
    ST_REP,
    ST_SVC,
    V_WORK,
    W_BASE,
    W_DUE,
    W_LEFT,
    W_SEQ,
    W_STATE,
    W_T0,
    WORK_NONE,
    WORK_PAUSED,
    WORK_RUNS,
    WORK_SHARES,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.stories import next_seq
from sysim.plan.tables import R_DONE, RP_FIRST_SPEED, S_CORES, S_FIRST_OP, SF_PER_CONCURRENT
from sysim.record.columns import LV_CPU
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.sharing import advance, due_in, in_use, rate
from sysim.semantics.worktime import rescaled, scaled, with_concurrency


@inlined_law
def schedule_end(w, i, time):
    """The work of story `i` ends at `time`; an earlier entry for it is dead."""
    st = t.st(w)
    seq = next_seq(w)
    st[i, W_SEQ] = seq
    push(w, time, R_DONE, st[i, ST_KEY], refer(seq, 0, i))


@inlined_law
def go_on(w, i, left, paused):
    """The work of story `i` has `left` ns to go at the present speed: it runs, or stands still in a pause."""
    st = t.st(w)
    if paused:
        st[i, W_STATE] = WORK_PAUSED
        st[i, W_LEFT] = left
        st[i, W_SEQ] = 0
    else:
        due = t.g(w)[G_NOW] + left
        st[i, W_STATE] = WORK_RUNS
        st[i, W_DUE] = due
        schedule_end(w, i, due)


@inlined_law
def start(w, i, base):
    """Story `i` begins work that takes `base` ns on an undisturbed replica."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    speed = t.speed(w)
    svc = t.svc(w)
    svcF = t.svcF(w)
    replicas = t.replicas(w)
    now = g[G_NOW]
    s = st[i, ST_SVC]
    r = st[i, ST_REP]
    if svcF[s, SF_PER_CONCURRENT] > 0.0:
        base = with_concurrency(base, svcF[s, SF_PER_CONCURRENT], rep[r, RX_STARTED])
    st[i, W_BASE] = base
    st[i, W_T0] = now
    if svc[s, S_CORES] >= 0:
        join_cores(w, i)
        return
    row = replicas[r, RP_FIRST_SPEED] + st[i, ST_OP] - svc[s, S_FIRST_OP]
    left = scaled(base, speed[row, SP_FACTOR])
    go_on(w, i, left, speed[row, SP_PAUSED] > 0.0)


@law
def retime(w, i, old, was_paused, new, paused):
    """The speed of work in progress changes; factors and whether a pause is active, before and after."""
    g = t.g(w)
    st = t.st(w)
    now = g[G_NOW]
    left = st[i, W_LEFT]
    if not was_paused:
        left = st[i, W_DUE] - now
    left = rescaled(left, old, new)
    go_on(w, i, left, paused)


@law
def stop(w, i):
    """The work of story `i` is given up; what it did so far is added to its work."""
    g = t.g(w)
    st = t.st(w)
    if st[i, W_STATE] == WORK_NONE:
        return
    st[i, V_WORK] += min(st[i, W_BASE], g[G_NOW] - st[i, W_T0])
    if st[i, W_STATE] == WORK_SHARES:
        leave_cores(w, i, False)
    st[i, W_STATE] = WORK_NONE
    st[i, W_SEQ] = 0


@law
def cores_sync(w, r):
    """Bring the virtual time of replica `r` up to now."""
    g = t.g(w)
    rep = t.rep(w)
    speed = t.speed(w)
    replicas = t.replicas(w)
    now = g[G_NOW]
    row = replicas[r, RP_FIRST_SPEED]
    n = rep[r, PS_N]
    if n > 0 and speed[row, SP_PAUSED] == 0.0:
        k = rate(speed[row, SP_CORES], n, speed[row, SP_FACTOR])
        rep[r, PS_V] = advance(rep[r, PS_V], now - rep[r, PS_LAST], k)
    rep[r, PS_LAST] = now


@law
def cores_reschedule(w, r, s):
    """Find the next departure of replica `r` after its jobs or its speed have changed."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    speed = t.speed(w)
    replicas = t.replicas(w)
    level = t.level(w)
    now = g[G_NOW]
    row = replicas[r, RP_FIRST_SPEED]
    n = rep[r, PS_N]
    used = in_use(speed[row, SP_CORES], n)
    if speed[row, SP_PAUSED] > 0.0:
        used = np.int64(0)
    level[s, LV_CPU] += used - rep[r, RX_CPU]
    rep[r, RX_CPU] = used
    if rep[r, PS_SCHEDULED] >= 0:
        st[rep[r, PS_SCHEDULED], W_SEQ] = 0
        rep[r, PS_SCHEDULED] = -1
    if n == 0:
        rep[r, PS_V] = 0
        return
    if speed[row, SP_PAUSED] > 0.0:
        return
    i = rep[r, PS_HEAD]
    k = rate(speed[row, SP_CORES], n, speed[row, SP_FACTOR])
    rep[r, PS_SCHEDULED] = i
    schedule_end(w, i, now + due_in(rep[r, PS_V], st[i, W_DUE], k))


@law
def join_cores(w, i):
    """Story `i` joins the jobs that share its replica's cores, in the line sorted by (tag, key)."""
    st = t.st(w)
    rep = t.rep(w)
    r = st[i, ST_REP]
    cores_sync(w, r)
    tag = rep[r, PS_V] + st[i, W_BASE]
    st[i, W_DUE] = tag
    st[i, W_STATE] = WORK_SHARES
    st[i, W_SEQ] = 0
    after = rep[r, PS_TAIL]
    while after >= 0 and (
        st[after, W_DUE] > tag or (st[after, W_DUE] == tag and st[after, ST_KEY] > st[i, ST_KEY])
    ):
        after = st[after, PS_PREV]
    before = rep[r, PS_HEAD]
    if after >= 0:
        before = st[after, PS_NEXT]
        st[after, PS_NEXT] = i
    else:
        rep[r, PS_HEAD] = i
    if before >= 0:
        st[before, PS_PREV] = i
    else:
        rep[r, PS_TAIL] = i
    st[i, PS_PREV] = after
    st[i, PS_NEXT] = before
    rep[r, PS_N] += 1
    cores_reschedule(w, r, st[i, ST_SVC])


@law
def leave_cores(w, i, finished):
    """Story `i` leaves the cores; one that has finished sets the virtual time to its tag."""
    st = t.st(w)
    rep = t.rep(w)
    r = st[i, ST_REP]
    cores_sync(w, r)
    if rep[r, PS_SCHEDULED] == i:
        rep[r, PS_SCHEDULED] = -1
    if finished:
        rep[r, PS_V] = st[i, W_DUE]
    after = st[i, PS_PREV]
    before = st[i, PS_NEXT]
    if after >= 0:
        st[after, PS_NEXT] = before
    else:
        rep[r, PS_HEAD] = before
    if before >= 0:
        st[before, PS_PREV] = after
    else:
        rep[r, PS_TAIL] = after
    rep[r, PS_N] -= 1
    cores_reschedule(w, r, st[i, ST_SVC])
