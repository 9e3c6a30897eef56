"""The callee's side of an attempt: arrival, queue, workers, and the answer."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.causes import blame, cause_of, hold, stuck
from sysim.engine.compiled.columns import (
    A_BITS,
    A_FROM,
    A_OPEN,
    A_OUT,
    A_RSEQ,
    A_SITE,
    BIT_SURE,
    G_CELL,
    G_NOTES,
    G_NOW,
    G_SEGMENT,
    G_SERVICES,
    G_SPANS,
    MARK_IN,
    MARK_STARTED,
    MARK_TRACED,
    PH_GONE,
    PH_GRANTED,
    PH_QUEUED,
    PH_REGRANTED,
    PH_RESUME,
    PH_RUN,
    PRIORITY_BITS,
    PRIORITY_SHIFT,
    RQ_HEAD,
    RQ_LAST,
    RQ_N,
    RQ_TAIL,
    RR_HEAD,
    RR_TAIL,
    RX_BUSY,
    RX_IN_SYSTEM,
    RX_STARTED,
    ST_CELL,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_MARK,
    ST_OP,
    ST_OWNER,
    ST_PC,
    ST_PHASE,
    ST_REP,
    ST_ROOT,
    ST_SVC,
    ST_T0,
    V_PREV,
    V_START,
    V_WORK,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.lines import append, insert, remove
from sysim.engine.compiled.network import latency, loss
from sysim.engine.compiled.stories import give_back, next_seq
from sysim.plan.tables import (
    DEADLINE,
    LINE_EDF,
    LINE_LIFO,
    LINE_PRIORITY,
    O_PC,
    R_GRANT,
    R_REPLY,
    S_DISCIPLINE,
    S_FIRST,
    S_SHARED,
    S_WORKERS,
)
from sysim.record.columns import LV_BUSY, LV_IN_SYSTEM, LV_QUEUE, SC_STARTED, SPAN_VISIT
from sysim.record.counters import peak, span, touch, visit_ended, wasted
from sysim.record.histogram import add
from sysim.semantics.causes import M_QUEUED, known_to_visit
from sysim.semantics.digest import NOTE_VISIT, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import uniform
from sysim.semantics.salts import X_BACK, X_LOSS_BACK


@inlined_law
def touch_service(w, s):
    """Bring the integrals of service `s` up to now."""
    g = t.g(w)
    level = t.level(w)
    svc_cells = t.svc_cells(w)
    touch(level, s, svc_cells, g[G_CELL] * g[G_SERVICES] + s, g[G_NOW])


@inlined_law
def enter(w, i):
    """Visit `i` is accepted: it counts in the system (after `touch_service`)."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    level = t.level(w)
    peaks = t.peaks(w)
    s = st[i, ST_SVC]
    st[i, ST_MARK] |= MARK_IN
    rep[st[i, ST_REP], RX_IN_SYSTEM] += 1
    level[s, LV_IN_SYSTEM] += 1
    peak(level, s, peaks, g[G_SEGMENT] * g[G_SERVICES] + s, g[G_NOW])


@inlined_law
def take_worker(w, i):
    """Story `i` takes a free worker of its replica (after `touch_service`)."""
    st = t.st(w)
    rep = t.rep(w)
    level = t.level(w)
    hold(w, i)
    rep[st[i, ST_REP], RX_BUSY] += 1
    level[st[i, ST_SVC], LV_BUSY] += 1


@inlined_law
def begin(w, i):
    """Visit `i`, which holds a worker, starts."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    ops = t.ops(w)
    svc_cells = t.svc_cells(w)
    svc_hist = t.svc_hist(w)
    svc_moments = t.svc_moments(w)
    cell_segment = t.cell_segment(w)
    s = st[i, ST_SVC]
    cell = st[i, ST_CELL]
    st[i, ST_PHASE] = PH_RUN
    st[i, ST_PC] = ops[st[i, ST_OP], O_PC]
    st[i, ST_MARK] |= MARK_STARTED
    if st[i, ST_MARK] & MARK_TRACED:
        st[i, V_START] = g[G_NOW]
    rep[st[i, ST_REP], RX_STARTED] += 1
    svc_cells[cell * g[G_SERVICES] + s, SC_STARTED] += 1
    row = (cell_segment[cell] * g[G_SERVICES] + s) * 2
    add(svc_hist, svc_moments, row, g[G_NOW] - st[i, ST_T0])


@law
def line_of(w, i):
    """The replica row whose queue visit `i` waits in: its own, or the service's first for a shared queue."""
    svc = t.svc(w)
    st = t.st(w)
    s = st[i, ST_SVC]
    if svc[s, S_SHARED] != 0:
        return svc[s, S_FIRST]
    return st[i, ST_REP]


@law
def join_queue(w, q, i):
    """Visit `i` waits in queue `q`: at its end, or before those that are less urgent."""
    st = t.st(w)
    rep = t.rep(w)
    discipline = t.svc(w)[st[i, ST_SVC], S_DISCIPLINE]
    if discipline == LINE_PRIORITY:
        k = (st[i, ST_MARK] & PRIORITY_BITS) >> PRIORITY_SHIFT
        at = k
        while at > 0 and rep[q, RQ_LAST + at] < 0:
            at -= 1
        insert(st, rep, q, RQ_HEAD, RQ_TAIL, rep[q, RQ_LAST + at], i)
        rep[q, RQ_LAST + k] = i
    elif discipline == LINE_EDF:
        after = rep[q, RQ_TAIL]
        while after >= 0 and st[after, ST_DEADLINE] > st[i, ST_DEADLINE]:
            after = st[after, V_PREV]
        insert(st, rep, q, RQ_HEAD, RQ_TAIL, after, i)
    else:
        append(st, rep, q, RQ_HEAD, RQ_TAIL, i)
    rep[q, RQ_N] += 1
    st[i, ST_PHASE] = PH_QUEUED


@law
def leave_queue(w, q, i):
    """Visit `i` leaves queue `q`, wherever in it it stands."""
    st = t.st(w)
    rep = t.rep(w)
    if t.svc(w)[st[i, ST_SVC], S_DISCIPLINE] == LINE_PRIORITY:
        k = (st[i, ST_MARK] & PRIORITY_BITS) >> PRIORITY_SHIFT
        if rep[q, RQ_LAST + k] == i:
            before = st[i, V_PREV]
            if before >= 0 and (st[before, ST_MARK] & PRIORITY_BITS) >> PRIORITY_SHIFT != k:
                before = -1
            rep[q, RQ_LAST + k] = before
    remove(st, rep, q, RQ_HEAD, RQ_TAIL, i)
    rep[q, RQ_N] -= 1


@law
def leave_waiting(w, i):
    """Visit `i` leaves its queue before a worker took it."""
    st = t.st(w)
    level = t.level(w)
    s = st[i, ST_SVC]
    touch_service(w, s)
    leave_queue(w, line_of(w, i), i)
    level[s, LV_QUEUE] -= 1


@law
def join_resume(w, i):
    """Visit `i` waits for a worker to go on, ahead of all that have not started."""
    st = t.st(w)
    append(st, t.rep(w), st[i, ST_REP], RR_HEAD, RR_TAIL, i)
    st[i, ST_PHASE] = PH_RESUME


@law
def leave_resume(w, i):
    """Visit `i` leaves its replica's resume line."""
    st = t.st(w)
    remove(st, t.rep(w), st[i, ST_REP], RR_HEAD, RR_TAIL, i)


@law
def answer(w, a, outcome, surely):
    """Send the reply of attempt `a` on its way; whether it will get there is returned (`surely`: no loss)."""
    g = t.g(w)
    st = t.st(w)
    c = st[a, A_SITE]
    r = st[a, ST_REP]
    key = st[a, ST_KEY]
    if not surely:
        p = loss(w, c, r)
        if p > 0.0 and uniform(key, X_LOSS_BACK) < p:
            return False
    ns = latency(w, st[a, A_FROM], c, r, key, X_BACK)
    seq = next_seq(w)
    st[a, A_RSEQ] = seq
    st[a, A_OUT] = outcome
    if surely:
        st[a, A_BITS] |= BIT_SURE
    push(w, g[G_NOW] + ns, R_REPLY, key, refer(seq, 0, a))
    return True


@inlined_law
def work_unused(w, a):
    """The work done for attempt `a` turns out to be of no use to anybody (one that never arrived has no cell)."""
    g = t.g(w)
    st = t.st(w)
    if st[a, V_WORK] != 0:
        wasted(t.svc_cells(w), st[a, ST_CELL] * g[G_SERVICES] + st[a, ST_SVC], st[a, V_WORK])
        st[a, V_WORK] = 0


@law
def close(w, a, outcome, surely):
    """Visit `a` ends with `outcome` in the service's view; its worker, if it held one, is not touched."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    level = t.level(w)
    svc_cells = t.svc_cells(w)
    svc_hist = t.svc_hist(w)
    svc_moments = t.svc_moments(w)
    cell_segment = t.cell_segment(w)
    s = st[a, ST_SVC]
    cell = st[a, ST_CELL]
    row = cell * g[G_SERVICES] + s
    if st[a, ST_MARK] & MARK_IN:
        touch_service(w, s)
        level[s, LV_IN_SYSTEM] -= 1
        rep[st[a, ST_REP], RX_IN_SYSTEM] -= 1
    if st[a, ST_MARK] & MARK_STARTED:
        rep[st[a, ST_REP], RX_STARTED] -= 1
        segment = (cell_segment[cell] * g[G_SERVICES] + s) * 2 + 1
        add(svc_hist, svc_moments, segment, g[G_NOW] - st[a, ST_T0])
    waits = st[a, A_OPEN] != 0 and st[a, A_RSEQ] == 0
    visit_ended(svc_cells, row, outcome, not waits)
    g[G_NOTES] += note(NOTE_VISIT, st[a, ST_KEY], outcome)
    if st[a, ST_MARK] & MARK_TRACED:
        g[G_SPANS] = span(
            t.spans(w), g[G_SPANS], st[a, ST_ROOT], st[a, ST_KEY], st[a, ST_OWNER], SPAN_VISIT, st[a, ST_OP],
            st[a, ST_REP], st[a, ST_T0], st[a, V_START], g[G_NOW], outcome,
        )  # fmt: skip
    st[a, ST_PHASE] = PH_GONE
    if cause_of(w, a) != 0 and not known_to_visit(outcome):
        blame(w, a, 0)  # it did not fail for that
    if waits:
        if not answer(w, a, outcome, surely):
            wasted(svc_cells, row, st[a, V_WORK])
    else:
        wasted(svc_cells, row, st[a, V_WORK])
        st[a, V_WORK] = 0
        if st[a, A_OPEN] == 0:
            give_back(w, a)


@inlined_law
def hand_over(w, i, r, again):
    """A worker of replica `r`, counted as busy, is handed to visit `i`; an entry will wake it."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    level = t.level(w)
    if st[i, ST_REP] != r:
        rep[st[i, ST_REP], RX_IN_SYSTEM] -= 1
        rep[r, RX_IN_SYSTEM] += 1
        st[i, ST_REP] = r
    hold(w, i)
    st[i, ST_PHASE] = PH_REGRANTED if again else PH_GRANTED
    level[st[i, ST_SVC], LV_QUEUE] -= 1
    push(w, g[G_NOW], R_GRANT, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))


@inlined_law
def free_worker(w, s, r):
    """A worker of replica `r` is free: the next in line gets it, or there is one less busy."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    svc = t.svc(w)
    level = t.level(w)
    touch_service(w, s)
    i = rep[r, RR_HEAD]
    if i >= 0:
        leave_resume(w, i)
        hand_over(w, i, r, True)
        return
    q = r
    if svc[s, S_SHARED] != 0:
        q = svc[s, S_FIRST]
    while rep[q, RQ_N] > 0 and (t.serves(w)[r] != 0 or svc[s, S_SHARED] == 0):
        i = rep[q, RQ_TAIL] if svc[s, S_DISCIPLINE] == LINE_LIFO else rep[q, RQ_HEAD]
        leave_queue(w, q, i)
        if st[i, ST_DEADLINE] > g[G_NOW]:
            hand_over(w, i, r, False)
            return
        level[s, LV_QUEUE] -= 1
        blame(w, i, stuck(w, i, -1, M_QUEUED))
        close(w, i, DEADLINE, False)
    rep[r, RX_BUSY] -= 1
    level[s, LV_BUSY] -= 1


@inlined_law
def has_free_worker(w, s, r):
    """Whether a worker of replica `r` of service `s` is free (it may still be one that takes nothing new)."""
    rep = t.rep(w)
    svc = t.svc(w)
    return rep[r, RX_BUSY] < svc[s, S_WORKERS]
