"""The end of a call: its fallback, its account, its trace, and an async visit's return to its replica."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    ACT_CALL_OVER,
    ACT_REJOIN,
    ACT_RESUME,
    ACT_RUN,
    ACT_WAIT,
    C_CELL,
    C_CHILD,
    C_FIRST,
    C_HSEQ,
    C_KEY,
    C_NOPEN,
    C_ORIGINAL,
    C_RESULT,
    C_SEQ,
    C_SITE,
    C_STATE,
    C_T0,
    CALL_FALLBACK,
    CALL_NONE,
    CALL_SLEEP,
    FALLBACK,
    G_CUR,
    G_NOTES,
    G_NOW,
    G_OUT,
    G_SPANS,
    G_STATS,
    MARK_TRACED,
    MARK_WORKER,
    REQUEST,
    RX_BUSY,
    ST_CELL,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_LOAD,
    ST_MARK,
    ST_OWNER,
    ST_PARENT,
    ST_PARENT_ID,
    ST_PC,
    ST_REP,
    ST_ROOT,
    ST_SVC,
    ST_WCELL,
    VISIT,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.program import adopt, end_request, succeeded
from sysim.engine.compiled.stories import next_seq, take
from sysim.engine.compiled.visits import join_resume, take_worker, touch_service
from sysim.plan.tables import (
    C_POLICY,
    C_STAT,
    C_STREAM,
    DEGRADED,
    I_FALLBACK,
    P_FALLBACK_LATENCY,
    P_FALLBACK_ON,
    R_BACKOFF,
    S_WORKERS,
)
from sysim.record.columns import LV_QUEUE, SPAN_CALL, SPAN_REQUEST
from sysim.record.counters import call_ended, span
from sysim.semantics import backoff, budget, circuit_breaker, rate_limit
from sysim.semantics.digest import NOTE_CALL, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import derive
from sysim.semantics.salts import SALT_FALLBACK, X_FALLBACK
from sysim.semantics.sampling import sample

_breaker_acquire = circuit_breaker.acquire
_breaker_release = circuit_breaker.release
_limit_acquire = rate_limit.acquire
_budget_tried = budget.tried
_budget_allow = budget.allow
_delay = backoff.delay


@inlined_law
def call_end(w):
    """The call of the story in control ends with G_OUT; its fallback may still turn that into `degraded`."""
    g = t.g(w)
    st = t.st(w)
    sites = t.sites(w)
    policies = t.policies(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    i = g[G_CUR]
    p = sites[st[i, C_SITE], C_POLICY]
    st[i, C_SEQ] = 0
    st[i, C_HSEQ] = 0
    st[i, C_FIRST] = -1
    st[i, C_NOPEN] = 0
    if succeeded(g[G_OUT]) or (policies[p, P_FALLBACK_ON] >> g[G_OUT]) & 1 == 0:
        return ACT_CALL_OVER
    st[i, C_ORIGINAL] = g[G_OUT]
    if policies[p, P_FALLBACK_LATENCY] >= 0:
        ns = sample(dist, distF, points, policies[p, P_FALLBACK_LATENCY], st[i, C_KEY], X_FALLBACK)
        seq = next_seq(w)
        st[i, C_SEQ] = seq
        st[i, C_STATE] = CALL_SLEEP
        push(w, g[G_NOW] + ns, R_BACKOFF, st[i, C_KEY], refer(seq, 0, i))
        return ACT_WAIT
    return fall_back(w, i)


@law
def fall_back(w, i):
    """The steps of the fallback, run as a story of their own that takes control."""
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    st[i, C_SEQ] = 0
    pc = code[st[i, ST_PC], I_FALLBACK]
    if pc < 0:
        g[G_OUT] = DEGRADED
        return ACT_CALL_OVER
    f = take(w, FALLBACK, derive(st[i, C_KEY], SALT_FALLBACK))
    adopt(w, f, i)
    st[f, ST_PC] = pc
    st[f, ST_OWNER] = st[i, C_KEY]
    st[f, ST_DEADLINE] = st[i, ST_DEADLINE]
    st[f, ST_PARENT] = i
    st[f, ST_PARENT_ID] = st[i, ST_ID]
    st[f, ST_WCELL] = st[i, ST_CELL] if st[i, ST_KIND] == VISIT else st[i, ST_WCELL]
    st[i, C_CHILD] = f
    st[i, C_STATE] = CALL_FALLBACK
    g[G_CUR] = f
    return ACT_RUN


@inlined_law
def close_call(w, i, outcome):
    """The call of story `i` is over for good: its account, and that of the request which it may be."""
    g = t.g(w)
    st = t.st(w)
    sites = t.sites(w)
    c = st[i, C_SITE]
    if st[i, C_STATE] == CALL_FALLBACK:
        st[i, C_CHILD] = -1
    st[i, C_STATE] = CALL_NONE
    call_ended(t.call_cells(w), st[i, C_CELL] * g[G_STATS] + sites[c, C_STAT], outcome)
    g[G_NOTES] += note(NOTE_CALL, st[i, C_KEY], outcome)
    if st[i, ST_MARK] & MARK_TRACED:
        trace_call(w, i, outcome)
    if sites[c, C_STREAM] >= 0 and st[i, ST_KIND] != REQUEST:
        end_request(
            w, i, st[i, ST_LOAD], sites[c, C_STREAM], st[i, C_CELL], st[i, C_T0], st[i, C_KEY], outcome
        )
        st[i, ST_MARK] &= ~MARK_TRACED


@law
def trace_call(w, i, outcome):
    """Write the call of story `i`, and the request which it may be, into the traces."""
    g = t.g(w)
    st = t.st(w)
    spans = t.spans(w)
    c = st[i, C_SITE]
    stream = t.sites(w)[c, C_STREAM]
    root = st[i, ST_ROOT]
    kind = st[i, ST_KIND]
    owner = st[i, ST_OWNER]
    if stream >= 0:
        owner = root
    elif kind == VISIT:
        owner = st[i, ST_KEY]
    now = g[G_NOW]
    g[G_SPANS] = span(
        spans, g[G_SPANS], root, st[i, C_KEY], owner, SPAN_CALL, c, -1, st[i, C_T0], -1, now, outcome
    )
    if stream >= 0:
        g[G_SPANS] = span(
            spans, g[G_SPANS], root, root, -1, SPAN_REQUEST, stream, -1, st[i, C_T0], -1, now, outcome
        )


@inlined_law
def call_over(w):
    """The call of the story in control is over, with G_OUT."""
    g = t.g(w)
    st = t.st(w)
    i = g[G_CUR]
    outcome = g[G_OUT]
    st[i, C_RESULT] = outcome
    close_call(w, i, outcome)
    return ACT_REJOIN


@inlined_law
def rejoin(w):
    """An async visit that waited for a call needs a worker again; all others go on at once."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    svc = t.svc(w)
    level = t.level(w)
    i = g[G_CUR]
    if st[i, ST_KIND] != VISIT or st[i, ST_MARK] & MARK_WORKER:
        return ACT_RESUME
    s = st[i, ST_SVC]
    touch_service(w, s)
    if rep[st[i, ST_REP], RX_BUSY] < svc[s, S_WORKERS]:
        take_worker(w, i)
        return ACT_RESUME
    join_resume(w, i)
    level[s, LV_QUEUE] += 1
    return ACT_WAIT
