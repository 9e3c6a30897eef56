"""A replica goes down with all that it holds, starts, and is ready again."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.calls import settle
from sysim.engine.compiled.causes import let_go
from sysim.engine.compiled.columns import (
    A_FROM,
    A_OPEN,
    BRANCH,
    G_CELL,
    G_DURATION,
    G_LEAVING,
    G_NOW,
    G_SEED,
    G_SERVICES,
    G_TRANSITIONS,
    MARK_WORKER,
    MESSAGE,
    PH_GONE,
    PH_LINE,
    PH_NET,
    PH_PERMIT,
    PH_QUEUED,
    PH_RESUME,
    RQ_N,
    RX_BUSY,
    RX_DRAINED,
    RX_GENERATION,
    RX_IN_SYSTEM,
    RX_PAID,
    RX_RETURN,
    RX_STANDING,
    RX_STARTED,
    ST_CELL,
    ST_ID,
    ST_KIND,
    ST_MARK,
    ST_PARENT_ID,
    ST_PHASE,
    ST_REP,
    V_WORK,
    VISIT,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.stopping import stop
from sysim.engine.compiled.visits import close, free_worker, leave_queue, leave_resume, touch_service
from sysim.plan.tables import (
    GONE,
    K_CALLER,
    K_POLICY,
    K_REPLICAS,
    K_ROWS,
    LEAVING,
    LOST,
    R_FAULT,
    RP_KEY,
    RP_SVC,
    S_FIRST,
    S_SHARED,
    S_STARTUP,
    S_WORKERS,
)
from sysim.record.columns import EV_REPLICA, LV_BUSY, LV_PAID, LV_QUEUE, LV_UP, REPLICA_DOWN, REPLICA_GONE, REPLICA_UP
from sysim.record.counters import pay, transition, wasted
from sysim.semantics.jit import law
from sysim.semantics.rng import derive
from sysim.semantics.sampling import sample
from sysim.semantics.scopes import reset as reset_scope

READY = 2  # what an entry of rank R_FAULT tells: a replica is ready
STARTS = 3  # or begins to start, which leaves no trace but what it costs


@law
def forget(w, r):
    """The policy state of replica `r` is new."""
    scope = t.scope(w)
    for k in range(scope.shape[0]):
        if scope[k, K_CALLER] == r:
            reset_scope(
                scope, k, t.ring(w), t.policies(w), t.policiesF(w), scope[k, K_POLICY], t.g(w)[G_NOW],
                scope[k, K_REPLICAS], scope[k, K_ROWS], t.outstanding(w),
            )  # fmt: skip


@law
def charge(w, r, yes):
    """From now on replica `r` is paid for (1) or no longer (0)."""
    g = t.g(w)
    rep = t.rep(w)
    level = t.level(w)
    s = t.replicas(w)[r, RP_SVC]
    pay(level, s, t.svc_cells(w), g[G_CELL] * g[G_SERVICES] + s, g[G_NOW])
    level[s, LV_PAID] += yes - rep[r, RX_PAID]
    rep[r, RX_PAID] = yes


@law
def begins_to_start(w, generation, r, time):
    """Replica `r` begins to start at `time`, the instant of a dead entry: the present cell may have ended before it."""
    g = t.g(w)
    rep = t.rep(w)
    if rep[r, RX_GENERATION] == generation and rep[r, RX_PAID] == 0 and time < g[G_DURATION]:
        level = t.level(w)
        s = t.replicas(w)[r, RP_SVC]
        pay(level, s, t.svc_cells(w), g[G_CELL] * g[G_SERVICES] + s, time)
        level[s, LV_PAID] += 1
        rep[r, RX_PAID] = 1


@law
def gone(w, r):
    """Replica `r` is no more."""
    g = t.g(w)
    rep = t.rep(w)
    charge(w, r, 0)
    if rep[r, RX_STANDING] == LEAVING:
        g[G_LEAVING] -= 1
    rep[r, RX_STANDING] = GONE
    g[G_TRANSITIONS] = transition(t.events(w), g[G_TRANSITIONS], g[G_NOW], EV_REPLICA, r, REPLICA_GONE)


@law
def crash(w, r):
    """Replica `r` goes down: its visits are lost, its stories stop, its queues and policy state are gone."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    up = t.up(w)
    svc = t.svc(w)
    replicas = t.replicas(w)
    level = t.level(w)
    svc_cells = t.svc_cells(w)
    events = t.events(w)
    now = g[G_NOW]
    s = replicas[r, RP_SVC]
    up[r] = 0
    t.serves(w)[r] = 0
    touch_service(w, s)
    level[s, LV_UP] -= 1
    charge(w, r, 0)
    rep[r, RX_GENERATION] += 1
    rep[r, RX_RETURN] = -1
    if rep[r, RX_STANDING] == LEAVING:
        gone(w, r)
    else:
        g[G_TRANSITIONS] = transition(events, g[G_TRANSITIONS], now, EV_REPLICA, r, REPLICA_DOWN)
    for i in range(st.shape[0]):
        if st[i, ST_ID] == 0 or st[i, ST_KIND] != VISIT or st[i, ST_REP] != r:
            continue
        phase = st[i, ST_PHASE]
        if phase == PH_LINE or phase == PH_PERMIT or phase == PH_NET or phase == PH_GONE:
            continue
        if phase == PH_QUEUED:
            if svc[s, S_SHARED] != 0:
                continue
            leave_queue(w, r, i)
            level[s, LV_QUEUE] -= 1
        else:
            if phase == PH_RESUME:
                leave_resume(w, i)
                level[s, LV_QUEUE] -= 1
            stop(w, i, LOST)
        if st[i, ST_MARK] & MARK_WORKER:
            let_go(w, i)
            level[s, LV_BUSY] -= 1
        wasted(svc_cells, st[i, ST_CELL] * g[G_SERVICES] + s, st[i, V_WORK])
        st[i, V_WORK] = 0
        close(w, i, LOST, True)
    for i in range(st.shape[0]):
        if st[i, ST_ID] == 0 or st[i, ST_REP] != r:
            continue
        kind = st[i, ST_KIND]
        if kind == MESSAGE or (kind == BRANCH and st[i, ST_PARENT_ID] == 0):  # the others went with their parents
            stop(w, i, LOST)
    for a in range(st.shape[0]):  # hedges that had lost and ran on: nobody is left to count them
        if st[a, ST_ID] != 0 and st[a, ST_KIND] == VISIT and st[a, A_OPEN] != 0 and st[a, A_FROM] == r:
            settle(w, a, LOST)
    rep[r, RX_BUSY] = 0
    if svc[s, S_SHARED] == 0:
        rep[r, RX_IN_SYSTEM] = 0
    rep[r, RX_STARTED] = 0
    forget(w, r)


@law
def restart(w, r, after):
    """Replica `r` begins to start `after` ns from now."""
    g = t.g(w)
    rep = t.rep(w)
    svc = t.svc(w)
    replicas = t.replicas(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    s = replicas[r, RP_SVC]
    key = derive(derive(g[G_SEED], replicas[r, RP_KEY]), rep[r, RX_GENERATION])
    ns = after
    if svc[s, S_STARTUP] >= 0:
        ns += sample(dist, distF, points, svc[s, S_STARTUP], key, 0)
    push(w, g[G_NOW] + ns, R_FAULT, key, refer(rep[r, RX_GENERATION], READY, r))
    if after <= 0:
        charge(w, r, 1)
    elif ns > after:
        push(w, g[G_NOW] + after, R_FAULT, derive(key, STARTS), refer(rep[r, RX_GENERATION], STARTS, r))


@law
def rise(w, r):
    """Replica `r` is ready."""
    g = t.g(w)
    rep = t.rep(w)
    up = t.up(w)
    level = t.level(w)
    events = t.events(w)
    s = t.replicas(w)[r, RP_SVC]
    touch_service(w, s)
    up[r] = 1
    level[s, LV_UP] += 1
    charge(w, r, 1)
    g[G_TRANSITIONS] = transition(events, g[G_TRANSITIONS], g[G_NOW], EV_REPLICA, r, REPLICA_UP)
    if rep[r, RX_DRAINED] == 0:
        serve(w, r)


@law
def serve(w, r):
    """Replica `r` serves: balancers may pick it, and it takes as many as it can from a shared queue."""
    rep = t.rep(w)
    svc = t.svc(w)
    level = t.level(w)
    s = t.replicas(w)[r, RP_SVC]
    t.serves(w)[r] = 1
    touch_service(w, s)
    if svc[s, S_SHARED] != 0:
        q = svc[s, S_FIRST]
        while rep[q, RQ_N] > 0 and rep[r, RX_BUSY] < svc[s, S_WORKERS]:
            rep[r, RX_BUSY] += 1
            level[s, LV_BUSY] += 1
            free_worker(w, s, r)
