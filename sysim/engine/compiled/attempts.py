"""An attempt is launched: what may refuse it, what it begins with, when a hedge of it is due."""

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
    ACT_SETTLE,
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
    C_SCOPE,
    C_SEQ,
    C_SITE,
    C_TRIED,
    C_TRIES,
    G_ATT,
    G_CUR,
    G_NOTES,
    G_NOW,
    G_OUT,
    G_STATS,
    G_THEN,
    MARK_TRACED,
    PH_GONE,
    PRIORITY_BITS,
    ST_DEADLINE,
    ST_ID,
    ST_MARK,
    ST_OP,
    ST_OWNER,
    ST_PHASE,
    ST_REP,
    ST_ROOT,
    ST_SVC,
    V_START,
    V_WORK,
    VISIT,
)
from sysim.engine.compiled.entries import push, push_lane, refer
from sysim.engine.compiled.stories import next_seq, take
from sysim.plan.tables import (
    BULKHEAD_FULL,
    C_OP,
    C_POLICY,
    C_STAT,
    C_SVC,
    CIRCUIT_OPEN,
    K_CAUSE,
    K_PERMITS_USED,
    K_SINCE,
    K_STATE,
    NEVER,
    P_BREAKER,
    P_BULKHEAD,
    P_BULKHEAD_LANE,
    P_BULKHEAD_WAIT,
    P_HEDGE_DELAY,
    P_HEDGE_MAX,
    P_PROPAGATE,
    P_RATE_INTERVAL,
    P_TIMEOUT,
    P_TIMEOUT_DIST,
    P_TIMEOUT_LANE,
    R_HEDGE,
    R_PATIENCE,
    R_TIMEOUT,
    RATE_LIMITED,
    S_FIRST,
    UNREACHABLE,
)
from sysim.record.counters import attempt_ended
from sysim.semantics import circuit_breaker, rate_limit
from sysim.semantics.causes import mechanism_of, through_breaker
from sysim.semantics.digest import NOTE_ATTEMPT, note
from sysim.semantics.jit import inlined_law
from sysim.semantics.rng import derive
from sysim.semantics.salts import X_HEDGE, X_TIMEOUT
from sysim.semantics.sampling import sample

_breaker_acquire = circuit_breaker.acquire
_breaker_release = circuit_breaker.release
_limit_acquire = rate_limit.acquire


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
