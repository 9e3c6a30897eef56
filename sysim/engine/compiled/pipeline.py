"""The way of a call through its policies, one action a stage: it begins, and what follows an attempt that has ended."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.causes import at_site, blame
from sysim.engine.compiled.columns import (
    ACT_CALL_END,
    ACT_END,
    ACT_SETTLE_ALL,
    ACT_TRY,
    ACT_WAIT,
    C_ATTEMPTS,
    C_CELL,
    C_DEADLINE,
    C_FIRST,
    C_HSEQ,
    C_KEY,
    C_NOPEN,
    C_PREVIOUS,
    C_RESULT,
    C_SCOPE,
    C_SEQ,
    C_SITE,
    C_STATE,
    C_T0,
    C_TRIED,
    C_TRIES,
    CALL_BACKOFF,
    CALL_OPEN,
    G_CELL,
    G_CUR,
    G_DURATION,
    G_LOSER,
    G_NOW,
    G_OPEN,
    G_OUT,
    G_REASON,
    G_STATS,
    G_STREAMS,
    G_TRACE_NEXT,
    G_TRACES,
    MARK_TRACED,
    REQUEST,
    ST_CLIENT,
    ST_DEADLINE,
    ST_KEY,
    ST_KIND,
    ST_MARK,
    ST_PC,
    ST_REP,
    ST_ROOT,
    ST_SVC,
    USER,
)
from sysim.engine.compiled.entries import push, push_lane, refer
from sysim.engine.compiled.program import succeeded
from sysim.engine.compiled.stories import give_back, next_seq
from sysim.plan.tables import (
    BUDGET_NONE,
    C_POLICY,
    C_STAT,
    C_STREAM,
    CANCELLED,
    CIRCUIT_OPEN,
    DEADLINE,
    I_ARG,
    I_SALT,
    NEVER,
    OK,
    P_BACKOFF,
    P_BUDGET,
    P_DEADLINE,
    P_DEADLINE_DIST,
    P_DEADLINE_LANE,
    P_FALLBACK_FORCED,
    P_HEDGE_CANCEL,
    P_MAX_ATTEMPTS,
    P_RETRY_ON,
    PF_GIVE_UP,
    R_BACKOFF,
    R_TIMEOUT,
    S_FIRST,
    SHED,
)
from sysim.plan.tables import C_SCOPE as SITE_SCOPE
from sysim.record.columns import CC_REFUSED, LC_OFFERED
from sysim.semantics import backoff, budget
from sysim.semantics.causes import M_CIRCUIT_OPEN, M_SPENT, M_TURNED_AWAY
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import derive, uniform
from sysim.semantics.salts import X_BACKOFF, X_DEADLINE, X_DOOR, X_GIVE_UP
from sysim.semantics.sampling import sample

_budget_tried = budget.tried
_budget_allow = budget.allow
_delay = backoff.delay


@inlined_law
def call(w):
    """The story in control begins the call at its program counter."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    ring = t.ring(w)
    code = t.code(w)
    svc = t.svc(w)
    sites = t.sites(w)
    policies = t.policies(w)
    policiesF = t.policiesF(w)
    load_cells = t.load_cells(w)
    i = g[G_CUR]
    now = g[G_NOW]
    pc = st[i, ST_PC]
    c = code[pc, I_ARG]
    p = sites[c, C_POLICY]
    if st[i, ST_KIND] != REQUEST and sites[c, C_STREAM] >= 0:
        if now >= g[G_DURATION]:
            if st[i, ST_KIND] == USER:
                give_back(w, i)
                return ACT_WAIT
            g[G_OUT] = OK
            return ACT_END
        load_cells[g[G_CELL] * g[G_STREAMS] + sites[c, C_STREAM], LC_OFFERED] += 1
        g[G_OPEN] += 1
    key = derive(st[i, ST_KEY], code[pc, I_SALT])
    if g[G_TRACES] > 0 and sites[c, C_STREAM] >= 0:
        sample_trace(w, i, key)
    seq = next_seq(w)
    k = sites[c, SITE_SCOPE]
    if st[i, ST_SVC] >= 0:
        k += st[i, ST_REP] - svc[st[i, ST_SVC], S_FIRST]
    else:
        k += st[i, ST_CLIENT]
    st[i, C_SEQ] = seq
    st[i, C_KEY] = key
    st[i, C_T0] = now
    st[i, C_CELL] = g[G_CELL]
    st[i, C_SITE] = c
    st[i, C_SCOPE] = k
    st[i, C_STATE] = CALL_OPEN
    st[i, C_TRIES] = 0
    st[i, C_ATTEMPTS] = 0
    st[i, C_TRIED] = 0
    st[i, C_NOPEN] = 0
    st[i, C_FIRST] = -1
    st[i, C_HSEQ] = 0
    inherited = st[i, ST_DEADLINE]
    deadline = inherited
    own = NEVER
    if policies[p, P_DEADLINE] < NEVER:
        own = now + policies[p, P_DEADLINE]
        deadline = min(deadline, own)
    elif policies[p, P_DEADLINE_DIST] >= 0:
        drawn = policies[p, P_DEADLINE_DIST]
        deadline = min(deadline, now + sample(t.dist(w), t.distF(w), t.points(w), drawn, key, X_DEADLINE))
    st[i, C_DEADLINE] = deadline
    if inherited <= now:
        blame(w, i, at_site(w, M_SPENT, 0, c))
        g[G_OUT] = DEADLINE
        return ACT_CALL_END
    if sites[c, C_STREAM] >= 0:
        door = t.doors(w)[sites[c, C_STREAM]]
        if door > 0.0 and uniform(key, X_DOOR) < door:
            blame(w, i, at_site(w, M_TURNED_AWAY, 0, c))
            g[G_OUT] = SHED
            return ACT_CALL_END
    if policies[p, P_FALLBACK_FORCED] != 0:
        blame(w, i, at_site(w, M_CIRCUIT_OPEN, 0, c))
        g[G_OUT] = CIRCUIT_OPEN
        return ACT_CALL_END
    if deadline < NEVER:
        lane = policies[p, P_DEADLINE_LANE] if deadline == own else -1
        push_lane(w, lane, deadline, R_TIMEOUT, key, refer(seq, 1, i))
    if policies[p, P_BUDGET] != BUDGET_NONE:
        _budget_tried(scope, k, ring, policies, policiesF, p, now)
    return ACT_TRY


@law
def sample_trace(w, i, key):
    """A request of story `i` is offered (its call has this key): decide whether it is one of those to trace."""
    g = t.g(w)
    st = t.st(w)
    if g[G_NOW] < g[G_TRACE_NEXT] * g[G_DURATION] // g[G_TRACES]:
        return
    g[G_TRACE_NEXT] = g[G_NOW] * g[G_TRACES] // g[G_DURATION] + 1
    st[i, ST_MARK] |= MARK_TRACED
    st[i, ST_ROOT] = st[i, ST_KEY] if st[i, ST_KIND] == REQUEST else key


@inlined_law
def after(w):
    """An attempt of the present call of the story in control has ended with G_OUT."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    ring = t.ring(w)
    sites = t.sites(w)
    policies = t.policies(w)
    policiesF = t.policiesF(w)
    call_cells = t.call_cells(w)
    i = g[G_CUR]
    outcome = g[G_OUT]
    p = sites[st[i, C_SITE], C_POLICY]
    if succeeded(outcome):
        if st[i, C_NOPEN] > 0 and policies[p, P_HEDGE_CANCEL] != 0:
            st[i, C_RESULT] = outcome
            g[G_REASON] = CANCELLED
            g[G_LOSER] = 1
            return ACT_SETTLE_ALL
        return ACT_CALL_END
    if st[i, C_NOPEN] > 0:
        return ACT_WAIT
    st[i, C_HSEQ] = 0
    if st[i, C_TRIES] >= policies[p, P_MAX_ATTEMPTS] or (policies[p, P_RETRY_ON] >> outcome) & 1 == 0:
        return ACT_CALL_END
    now = g[G_NOW]
    k = st[i, C_SCOPE]
    key = st[i, C_KEY]
    if policiesF[p, PF_GIVE_UP] > 0.0 and uniform(key, X_GIVE_UP - st[i, C_TRIES]) < policiesF[p, PF_GIVE_UP]:
        return ACT_CALL_END
    if (
        policies[p, P_BUDGET] != BUDGET_NONE
        and _budget_allow(scope, k, ring, policies, policiesF, p, now) == 0
    ):
        call_cells[st[i, C_CELL] * g[G_STATS] + sites[st[i, C_SITE], C_STAT], CC_REFUSED] += 1
        return ACT_CALL_END
    if policies[p, P_BACKOFF] == 0:
        return ACT_TRY
    u = uniform(st[i, C_KEY], X_BACKOFF + st[i, C_TRIES])
    previous = st[i, C_PREVIOUS] if st[i, C_TRIES] > 1 else 0
    ns = _delay(policies, policiesF, p, st[i, C_TRIES], previous, u)
    st[i, C_PREVIOUS] = ns
    if ns == 0:
        return ACT_TRY
    st[i, C_STATE] = CALL_BACKOFF
    push(w, now + ns, R_BACKOFF, st[i, C_KEY], refer(st[i, C_SEQ], 0, i))
    return ACT_WAIT
