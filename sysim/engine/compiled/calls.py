"""The caller's side: a call, its attempts, and what each policy says on the way."""

from __future__ import annotations

import numpy as np

from sysim.engine.compiled import world as t
from sysim.engine.compiled.causes import blame, why
from sysim.engine.compiled.columns import (
    A_BITS,
    A_CALLER,
    A_CELL,
    A_CSEQ,
    A_FROM,
    A_NEXT,
    A_NOTICE,
    A_OPEN,
    A_RSEQ,
    A_SCOPE,
    A_SITE,
    A_T0,
    BIT_HEDGE,
    BIT_PERMIT,
    BIT_RETRY,
    BIT_SENT,
    C_FIRST,
    C_NOPEN,
    C_SEQ,
    G_CELL,
    G_LOSER,
    G_NOTES,
    G_NOW,
    G_STATS,
    G_TRANSITIONS,
    PH_GONE,
    PH_LINE,
    PH_NET,
    PH_PERMIT,
    PICK_MASK,
    PICK_SHIFT,
    ST_ID,
    ST_KEY,
    ST_PHASE,
    ST_REP,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.lines import append, remove
from sysim.engine.compiled.network import fault_latency, latency, loss, refused
from sysim.engine.compiled.stories import give_back, next_seq
from sysim.engine.compiled.visits import work_unused
from sysim.plan.tables import (
    BREAKER_CLOSED,
    BREAKER_OPEN,
    BUDGET_NONE,
    BULKHEAD_FULL,
    C_N_FAULTS,
    C_POLICY,
    C_STAT,
    C_SVC,
    CANCELLED,
    CIRCUIT_OPEN,
    DEADLINE,
    DEGRADED,
    K_CAUSE,
    K_KEY,
    K_OUT,
    K_PERMITS_USED,
    K_SINCE,
    K_STAT,
    K_STATE,
    K_WAIT_HEAD,
    K_WAIT_TAIL,
    OK,
    P_BREAKER,
    P_BUDGET,
    P_CANCEL,
    P_CROSS_ZONE,
    P_HEDGE_CANCEL,
    P_LATENCY,
    PF_LOSS,
    R_ARRIVE,
    R_CANCEL,
    R_PERMIT,
    RATE_LIMITED,
    S_FIRST,
    S_REPLICAS,
    TIMEOUT,
)
from sysim.record.columns import EV_BREAKER
from sysim.record.counters import attempt_ended, breaker_closed, breaker_opened, transition
from sysim.semantics import balancer, budget, circuit_breaker
from sysim.semantics.causes import has_cause
from sysim.semantics.digest import NOTE_ATTEMPT, NOTE_BREAKER, NOTE_SENT, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import uniform
from sysim.semantics.salts import X_CANCEL, X_LOSS_CANCEL, X_LOSS_OUT, X_OUT

_pick = balancer.pick
_breaker_record = circuit_breaker.record
_breaker_release = circuit_breaker.release
_budget_succeeded = budget.succeeded


@law
def breaker_moved(w, k, since, before):
    """Write down that the breaker of scope `k` has left state `before`, in which phase it was since `since`."""
    g = t.g(w)
    scope = t.scope(w)
    call_cells = t.call_cells(w)
    events = t.events(w)
    now = g[G_NOW]
    state = scope[k, K_STATE]
    row = g[G_CELL] * g[G_STATS] + scope[k, K_STAT]
    if state == BREAKER_OPEN:
        breaker_opened(call_cells, row, now - since if before == BREAKER_CLOSED else -1)
    elif state == BREAKER_CLOSED:
        breaker_closed(call_cells, row, now - since)
    g[G_TRANSITIONS] = transition(events, g[G_TRANSITIONS], now, EV_BREAKER, k, state)
    g[G_NOTES] += note(NOTE_BREAKER, scope[k, K_KEY], state)


@law
def breaker_counts(w, k, p, outcome, began, cause):
    """Tell the breaker of scope `k` how an attempt that it admitted at `began` ended, and why if it failed."""
    g = t.g(w)
    scope = t.scope(w)
    ring = t.ring(w)
    policies = t.policies(w)
    policiesF = t.policiesF(w)
    if outcome == CANCELLED or outcome == CIRCUIT_OPEN or outcome == RATE_LIMITED or outcome == BULKHEAD_FULL:
        _breaker_release(scope, k)
        return
    failed = 0 if outcome == OK or outcome == DEGRADED else 1
    if failed != 0:
        scope[k, K_CAUSE] = cause
    before = scope[k, K_STATE]
    since = scope[k, K_SINCE]
    now = g[G_NOW]
    if _breaker_record(scope, k, ring, policies, policiesF, p, now, failed, now - began) >= 0:
        breaker_moved(w, k, since, before)


@law
def free_permit(w, k):
    """A bulkhead permit of scope `k` is free: the first waiting attempt gets it."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    waiter = scope[k, K_WAIT_HEAD]
    if waiter < 0:
        scope[k, K_PERMITS_USED] -= 1
        return
    leave_line(w, k, waiter)
    st[waiter, A_BITS] |= BIT_PERMIT
    st[waiter, ST_PHASE] = PH_PERMIT
    push(w, g[G_NOW], R_PERMIT, st[waiter, ST_KEY], refer(st[waiter, ST_ID], 0, waiter))


@law
def join_line(w, k, a):
    """Attempt `a` waits for a permit."""
    st = t.st(w)
    append(st, t.scope(w), k, K_WAIT_HEAD, K_WAIT_TAIL, a)
    st[a, ST_PHASE] = PH_LINE


@law
def leave_line(w, k, a):
    """Attempt `a` no longer waits for a permit."""
    remove(t.st(w), t.scope(w), k, K_WAIT_HEAD, K_WAIT_TAIL, a)


@inlined_law
def unlink(w, i, a):
    """Attempt `a` is no longer among the open ones of the call of story `i`."""
    st = t.st(w)
    at = st[i, C_FIRST]
    if at == a:
        st[i, C_FIRST] = st[a, A_NEXT]
    else:
        while st[at, A_NEXT] != a:
            at = st[at, A_NEXT]
        st[at, A_NEXT] = st[a, A_NEXT]
    st[i, C_NOPEN] -= 1


@law
def send_cancel(w, a):
    """Tell the callee that nobody waits for attempt `a` any more, if the message gets there."""
    g = t.g(w)
    st = t.st(w)
    c = st[a, A_SITE]
    r = st[a, ST_REP]
    key = st[a, ST_KEY]
    p = loss(w, c, r)
    if p > 0.0 and uniform(key, X_LOSS_CANCEL) < p:
        return
    ns = latency(w, st[a, A_FROM], c, r, key, X_CANCEL)
    seq = next_seq(w)
    st[a, A_NOTICE] = seq
    push(w, g[G_NOW] + ns, R_CANCEL, key, refer(seq, 0, a))


@inlined_law
def put_back(w, a, outcome, cause):
    """Permit, place in the line, balancer, breaker and budget learn that attempt `a` is over."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    outstanding = t.outstanding(w)
    policies = t.policies(w)
    k = st[a, A_SCOPE]
    p = t.sites(w)[st[a, A_SITE], C_POLICY]
    bits = st[a, A_BITS]
    if st[a, ST_PHASE] == PH_LINE:
        leave_line(w, k, a)
    elif bits & BIT_PERMIT:
        free_permit(w, k)
    if bits & BIT_SENT and scope[k, K_OUT] >= 0:
        outstanding[scope[k, K_OUT] + (bits >> PICK_SHIFT & PICK_MASK)] -= 1
    if policies[p, P_BREAKER] != 0:
        breaker_counts(w, k, p, outcome, st[a, A_T0], cause)
    if policies[p, P_BUDGET] != BUDGET_NONE and (outcome == OK or outcome == DEGRADED):
        _budget_succeeded(scope, k, t.ring(w), policies, t.policiesF(w), p, g[G_NOW])


@inlined_law
def settle(w, a, outcome):
    """The caller is done with attempt `a`, which ends in `outcome` for it."""
    g = t.g(w)
    st = t.st(w)
    up = t.up(w)
    sites = t.sites(w)
    policies = t.policies(w)
    call_cells = t.call_cells(w)
    c = st[a, A_SITE]
    p = sites[c, C_POLICY]
    bits = st[a, A_BITS]
    i = st[a, A_CALLER]
    cause = np.int64(0)
    if has_cause(outcome):
        cause = why(w, a, outcome)
    if st[i, C_SEQ] == st[a, A_CSEQ]:
        unlink(w, i, a)
        if cause != 0:
            blame(w, i, cause)
    st[a, A_OPEN] = 0
    origin = st[a, A_FROM]
    if origin < 0 or up[origin] != 0:  # the policy state of a crashed replica is gone
        put_back(w, a, outcome, cause)
    if st[a, ST_PHASE] == PH_LINE or st[a, ST_PHASE] == PH_PERMIT:
        st[a, ST_PHASE] = PH_GONE
    attempt_ended(
        call_cells,
        st[a, A_CELL] * g[G_STATS] + sites[c, C_STAT],
        outcome,
        1 if bits & BIT_SENT else 0,
        1 if bits & BIT_RETRY else 0,
        1 if bits & BIT_HEDGE else 0,
    )
    g[G_NOTES] += note(NOTE_ATTEMPT, st[a, ST_KEY], outcome)
    st[a, A_NOTICE] = 0
    if st[a, A_RSEQ] != 0:
        st[a, A_RSEQ] = 0
        work_unused(w, a)
    elif (
        bits & BIT_SENT
        and st[a, ST_PHASE] != PH_GONE
        and (outcome == TIMEOUT or outcome == DEADLINE or outcome == CANCELLED)
        and (policies[p, P_CANCEL] != 0 or (g[G_LOSER] != 0 and policies[p, P_HEDGE_CANCEL] != 0))
    ):
        send_cancel(w, a)
    if st[a, ST_PHASE] == PH_GONE:
        give_back(w, a)


@inlined_law
def dispatch(w, a, tried):
    """Pick a replica for attempt `a` and send it; whether it was put on the network is returned."""
    g = t.g(w)
    st = t.st(w)
    scope = t.scope(w)
    serves = t.serves(w)
    outstanding = t.outstanding(w)
    svc = t.svc(w)
    sites = t.sites(w)
    policies = t.policies(w)
    policiesF = t.policiesF(w)
    c = st[a, A_SITE]
    k = st[a, A_SCOPE]
    p = sites[c, C_POLICY]
    s = sites[c, C_SVC]
    key = st[a, ST_KEY]
    local = _pick(scope, k, policies, p, serves, svc[s, S_FIRST], svc[s, S_REPLICAS], outstanding, tried, key)
    if local < 0:
        return False
    r = svc[s, S_FIRST] + local
    st[a, ST_REP] = r
    disturbed = sites[c, C_N_FAULTS] > 0
    if disturbed and refused(w, c, r):
        return False
    st[a, A_BITS] |= BIT_SENT | local << PICK_SHIFT
    if scope[k, K_OUT] >= 0:
        outstanding[scope[k, K_OUT] + local] += 1
    g[G_NOTES] += note(NOTE_SENT, key, local)
    ns = 0
    if policies[p, P_LATENCY] >= 0 or policies[p, P_CROSS_ZONE] > 0:
        ns = latency(w, st[a, A_FROM], c, r, key, X_OUT)
    if disturbed:
        ns += fault_latency(w, a, c, r)
    if disturbed or policiesF[p, PF_LOSS] > 0.0:
        q = loss(w, c, r)
        if q > 0.0 and uniform(key, X_LOSS_OUT) < q:
            st[a, ST_PHASE] = PH_GONE
            return True
    st[a, ST_PHASE] = PH_NET
    push(w, g[G_NOW] + ns, R_ARRIVE, key, refer(st[a, ST_ID], 0, a))
    return True
