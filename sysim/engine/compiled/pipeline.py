"""The way of a call through its policies, one action a stage: begin, launch, after an attempt."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.calls import breaker_moved, dispatch, join_line
from sysim.engine.compiled.causes import at_site, blame
from sysim.engine.compiled.columns import (
    A_BITS,
    A_CALLER,
    A_CELL,
    A_CSEQ,
    A_FROM,
    A_NEXT,
    A_OPEN,
    A_RSEQ,
    A_SCOPE,
    A_SITE,
    A_T0,
    ACT_AFTER,
    ACT_CALL_END,
    ACT_END,
    ACT_SETTLE,
    ACT_SETTLE_ALL,
    ACT_TRY,
    ACT_WAIT,
    BIT_HEDGE,
    BIT_PERMIT,
    BIT_RETRY,
    C_ATTEMPTS,
    C_CELL,
    C_DEADLINE,
    C_FIRST,
    C_GROUP,
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
    G_ATT,
    G_CELL,
    G_CUR,
    G_DURATION,
    G_LOSER,
    G_NOTES,
    G_NOW,
    G_OPEN,
    G_OUT,
    G_REASON,
    G_STATS,
    G_STREAMS,
    G_THEN,
    G_TRACE_NEXT,
    G_TRACES,
    MARK_TRACED,
    PH_GONE,
    PRIORITY_BITS,
    REQUEST,
    ST_CLIENT,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_MARK,
    ST_OP,
    ST_OWNER,
    ST_PC,
    ST_PHASE,
    ST_REP,
    ST_ROOT,
    ST_SVC,
    USER,
    V_START,
    V_WORK,
    VISIT,
)
from sysim.engine.compiled.entries import push, push_lane, refer
from sysim.engine.compiled.program import succeeded
from sysim.engine.compiled.stories import give_back, next_seq, take
from sysim.plan.tables import (
    BUDGET_NONE,
    BULKHEAD_FULL,
    C_OP,
    C_POLICY,
    C_STAT,
    C_STREAM,
    C_SVC,
    CANCELLED,
    CIRCUIT_OPEN,
    DEADLINE,
    I_ARG,
    I_SALT,
    K_CAUSE,
    K_PERMITS_USED,
    K_SINCE,
    K_STATE,
    NEVER,
    OK,
    P_BACKOFF,
    P_BREAKER,
    P_BUDGET,
    P_BULKHEAD,
    P_BULKHEAD_LANE,
    P_BULKHEAD_WAIT,
    P_DEADLINE,
    P_DEADLINE_DIST,
    P_DEADLINE_LANE,
    P_FALLBACK_FORCED,
    P_HEDGE_CANCEL,
    P_HEDGE_DELAY,
    P_HEDGE_MAX,
    P_MAX_ATTEMPTS,
    P_PROPAGATE,
    P_RATE_INTERVAL,
    P_RETRY_ON,
    P_TIMEOUT,
    P_TIMEOUT_DIST,
    P_TIMEOUT_LANE,
    PF_GIVE_UP,
    R_BACKOFF,
    R_HEDGE,
    R_PATIENCE,
    R_TIMEOUT,
    RATE_LIMITED,
    S_FIRST,
    SHED,
    UNREACHABLE,
)
from sysim.plan.tables import C_SCOPE as SITE_SCOPE
from sysim.record.columns import CC_REFUSED, LC_OFFERED
from sysim.record.counters import attempt_ended
from sysim.semantics import backoff, budget, circuit_breaker, rate_limit
from sysim.semantics.causes import M_CIRCUIT_OPEN, M_SPENT, M_TURNED_AWAY, mechanism_of, through_breaker
from sysim.semantics.digest import NOTE_ATTEMPT, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import derive, uniform
from sysim.semantics.salts import X_BACKOFF, X_DEADLINE, X_DOOR, X_GIVE_UP, X_HEDGE, X_TIMEOUT
from sysim.semantics.sampling import sample

_breaker_acquire = circuit_breaker.acquire
_breaker_release = circuit_breaker.release
_limit_acquire = rate_limit.acquire
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
def launch(w):
    """The call of the story in control launches an attempt: of a new try, or a hedge of the present one."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    sites = t.sites(w)
    policies = t.policies(w)
    call_cells = t.call_cells(w)
    i = g[G_CUR]
    now = g[G_NOW]
    c = st[i, C_SITE]
    k = st[i, C_SCOPE]
    p = sites[c, C_POLICY]
    number = st[i, C_ATTEMPTS]
    st[i, C_ATTEMPTS] = number + 1
    st[i, C_GROUP] += 1
    key = derive(st[i, C_KEY], number)
    bits = 0
    if st[i, C_GROUP] > 1:
        bits = BIT_HEDGE
    elif st[i, C_TRIES] > 1:
        bits = BIT_RETRY
    refusal = -1
    if policies[p, P_BREAKER] != 0:
        before = scope[k, K_STATE]
        since = scope[k, K_SINCE]
        verdict = _breaker_acquire(scope, k, policies, p, now)
        if verdict == 0:
            refusal = CIRCUIT_OPEN
        elif verdict == 2:
            breaker_moved(w, k, since, before)
    if refusal < 0 and policies[p, P_RATE_INTERVAL] > 0:
        if _limit_acquire(scope, k, policies, p, now) == 0:
            refusal = RATE_LIMITED
            if policies[p, P_BREAKER] != 0:
                _breaker_release(scope, k)
    waits = False
    if refusal < 0 and policies[p, P_BULKHEAD] < NEVER:
        if scope[k, K_PERMITS_USED] < policies[p, P_BULKHEAD]:
            scope[k, K_PERMITS_USED] += 1
            bits |= BIT_PERMIT
        elif policies[p, P_BULKHEAD_WAIT] > 0:
            waits = True
        else:
            refusal = BULKHEAD_FULL
            if policies[p, P_BREAKER] != 0:
                _breaker_release(scope, k)
    if refusal >= 0:
        if refusal == CIRCUIT_OPEN:
            blame(w, i, through_breaker(scope[k, K_CAUSE], c, sites.shape[0]))
        else:
            blame(w, i, at_site(w, mechanism_of(refusal), 0, c))
        attempt_ended(
            call_cells,
            st[i, C_CELL] * g[G_STATS] + sites[c, C_STAT],
            refusal,
            0,
            1 if bits & BIT_RETRY else 0,
            1 if bits & BIT_HEDGE else 0,
        )
        g[G_NOTES] += note(NOTE_ATTEMPT, key, refusal)
        g[G_OUT] = refusal
        if st[i, C_NOPEN] > 0:
            arm_hedge(w, i)
        return ACT_AFTER
    a = take(w, VISIT, key)
    st[a, A_OPEN] = 1
    st[a, A_CALLER] = i
    st[a, A_CSEQ] = st[i, C_SEQ]
    st[a, A_SITE] = c
    st[a, A_SCOPE] = k
    st[a, A_T0] = now
    st[a, A_BITS] = bits | st[i, ST_MARK] & PRIORITY_BITS
    st[a, A_CELL] = st[i, C_CELL]
    st[a, A_FROM] = st[i, ST_REP]
    st[a, A_RSEQ] = 0
    st[a, V_WORK] = 0
    if st[i, ST_MARK] & MARK_TRACED:
        st[a, ST_MARK] |= MARK_TRACED
        st[a, ST_ROOT] = st[i, ST_ROOT]
        st[a, ST_OWNER] = st[i, C_KEY]
        st[a, V_START] = -1
    st[a, ST_SVC] = sites[c, C_SVC]
    st[a, ST_REP] = -1
    st[a, ST_OP] = sites[c, C_OP]
    st[a, ST_PHASE] = PH_GONE
    st[a, ST_DEADLINE] = st[i, C_DEADLINE] if policies[p, P_PROPAGATE] != 0 else st[i, ST_DEADLINE]
    last = st[i, C_FIRST]
    if last < 0:
        st[i, C_FIRST] = a
    else:
        while st[last, A_NEXT] >= 0:
            last = st[last, A_NEXT]
        st[last, A_NEXT] = a
    st[a, A_NEXT] = -1
    st[i, C_NOPEN] += 1
    ident = st[a, ST_ID]
    timeout = policies[p, P_TIMEOUT]
    if policies[p, P_TIMEOUT_DIST] >= 0:
        timeout = sample(t.dist(w), t.distF(w), t.points(w), policies[p, P_TIMEOUT_DIST], key, X_TIMEOUT)
    if timeout < NEVER:
        push_lane(w, policies[p, P_TIMEOUT_LANE], now + timeout, R_TIMEOUT, key, refer(ident, 0, a))
    if waits:
        join_line(w, k, a)
        push_lane(
            w,
            policies[p, P_BULKHEAD_LANE],
            now + policies[p, P_BULKHEAD_WAIT],
            R_PATIENCE,
            key,
            refer(ident, 1, a),
        )
    elif not depart(w, i, a):
        g[G_ATT] = a
        g[G_OUT] = UNREACHABLE
        g[G_THEN] = ACT_AFTER
        if st[i, C_NOPEN] > 1:
            arm_hedge(w, i)
        return ACT_SETTLE
    arm_hedge(w, i)
    return ACT_WAIT


@inlined_law
def depart(w, i, a):
    """Dispatch attempt `a` of the call of story `i` (-1: it is over), which remembers the replica as tried."""
    st = t.st(w)
    svc = t.svc(w)
    sent = dispatch(w, a, st[i, C_TRIED] if i >= 0 else 0)
    if i >= 0 and st[a, ST_REP] >= 0:
        local = st[a, ST_REP] - svc[st[a, ST_SVC], S_FIRST]
        st[i, C_TRIED] |= 1 << (local % 62)
    return sent


@inlined_law
def arm_hedge(w, i):
    """Time the next hedge of the present try, if it may have one."""
    g = t.g(w)
    st = t.st(w)
    sites = t.sites(w)
    policies = t.policies(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    p = sites[st[i, C_SITE], C_POLICY]
    if st[i, C_GROUP] >= policies[p, P_HEDGE_MAX]:
        return
    key = st[i, C_KEY]
    ns = 0
    if policies[p, P_HEDGE_DELAY] >= 0:
        ns = sample(dist, distF, points, policies[p, P_HEDGE_DELAY], key, X_HEDGE + 64 * st[i, C_ATTEMPTS])
    seq = next_seq(w)
    st[i, C_HSEQ] = seq
    push(w, g[G_NOW] + ns, R_HEDGE, key, refer(seq, 0, i))


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
