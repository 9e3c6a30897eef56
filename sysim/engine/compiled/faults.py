"""Faults begin and end: who is struck, what becomes slower, what is lost, what comes up again."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_BITS,
    A_NOTICE,
    A_OPEN,
    A_OUT,
    A_RSEQ,
    A_SITE,
    BIT_SENT,
    BIT_SURE,
    G_DURATION,
    G_NOW,
    G_PENDING,
    G_TRANSITIONS,
    PH_GONE,
    PH_NET,
    RX_RETURN,
    RX_STANDING,
    SP_FACTOR,
    SP_PAUSED,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_OP,
    ST_PHASE,
    ST_REP,
    ST_SVC,
    VISIT,
    W_STATE,
    WORK_NONE,
    WORK_SHARES,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.replicas import READY, crash, restart, rise
from sysim.engine.compiled.speeds import speeds
from sysim.engine.compiled.stories import give_back, next_seq
from sysim.engine.compiled.visits import touch_service, work_unused
from sysim.engine.compiled.work import cores_reschedule, cores_sync, retime
from sysim.plan.tables import (
    F_EVERY,
    F_FIRST_HIT,
    F_FOR,
    F_HITS,
    F_KIND,
    F_RESTART_AFTER,
    F_STRIKE,
    F_UNTIL,
    FAULT_BLACKHOLE,
    FAULT_CAPACITY,
    FAULT_CRASH,
    FAULT_PAUSE,
    FAULT_RESET,
    FAULT_SLOWDOWN,
    FF_STRIKE,
    FS_ACTIVE,
    FS_OCCURRENCE,
    FS_SINCE,
    GONE,
    NEVER,
    R_FAULT,
    R_REPLY,
    RP_FIRST_SPEED,
    RP_SVC,
    S_CORES,
    S_FIRST_OP,
    S_OPS,
    UNREACHABLE,
)
from sysim.record.columns import EV_FAULT
from sysim.record.counters import transition
from sysim.semantics.disturbance import struck as struck_of
from sysim.semantics.jit import law
from sysim.semantics.rng import derive
from sysim.semantics.sampling import sample

BEGIN = 0
FINISH = 1
X_FOR = 64
X_RESTART = 128


@law
def schedule_begin(w, f, time, recurring):
    """The next occurrence of fault `f` begins at `time`, if that is within the run and before it is ended for good."""
    g = t.g(w)
    fault_keys = t.fault_keys(w)
    fstate = t.fstate(w)
    if time >= g[G_DURATION] or time >= t.faults(w)[f, F_UNTIL]:
        return
    o = fstate[f, FS_OCCURRENCE]
    push(w, time, R_FAULT, derive(fault_keys[f], 2 * o), refer(o, BEGIN, f))
    if recurring:
        g[G_PENDING] -= 1  # does not keep the drain going


@law
def strike(w, f):
    """Fix which replicas this occurrence of fault `f` strikes."""
    struck = t.struck(w)
    up = t.up(w)
    faults = t.faults(w)
    faultsF = t.faultsF(w)
    hits = t.hits(w)
    rep = t.rep(w)
    first = faults[f, F_FIRST_HIT]
    n = faults[f, F_HITS]
    most = n
    all_of_them = True
    if faultsF[f, FF_STRIKE] >= 0.0:
        there = 0
        for at in range(first, first + n):
            if rep[hits[at], RX_STANDING] != GONE:
                there += 1
        most = struck_of(faultsF[f, FF_STRIKE], there)
        all_of_them = False
    elif faults[f, F_STRIKE] >= 0:
        most = faults[f, F_STRIKE]
        all_of_them = False
    for at in range(first, first + n):
        r = hits[at]
        struck[f, r] = 0
        if all_of_them or (most > 0 and up[r] != 0):
            struck[f, r] = 1
            most -= 1


@law
def change_speed(w, f):
    """Fault `f` has just become active or inactive: re-time the work of the replicas it strikes."""
    st = t.st(w)
    speed = t.speed(w)
    svc = t.svc(w)
    replicas = t.replicas(w)
    struck = t.struck(w)
    old_speed = t.old_speed(w)
    # rows of all struck replicas: new speeds, the old ones kept for the work in progress
    for r in range(replicas.shape[0]):
        if struck[f, r] == 0:
            continue
        s = replicas[r, RP_SVC]
        if svc[s, S_CORES] >= 0:
            touch_service(w, s)
            cores_sync(w, r)
        for op in range(svc[s, S_OPS]):
            row = replicas[r, RP_FIRST_SPEED] + op
            old_speed[row, SP_FACTOR] = speed[row, SP_FACTOR]
            old_speed[row, SP_PAUSED] = speed[row, SP_PAUSED]
            speeds(w, r, op)
        if svc[s, S_CORES] >= 0:
            cores_reschedule(w, r, s)
    for i in range(st.shape[0]):
        if st[i, ST_ID] == 0 or st[i, W_STATE] == WORK_NONE or st[i, W_STATE] == WORK_SHARES:
            continue
        r = st[i, ST_REP]
        if r < 0 or struck[f, r] == 0:
            continue
        row = replicas[r, RP_FIRST_SPEED] + st[i, ST_OP] - svc[st[i, ST_SVC], S_FIRST_OP]
        if old_speed[row, SP_FACTOR] != speed[row, SP_FACTOR] or (old_speed[row, SP_PAUSED] > 0.0) != (
            speed[row, SP_PAUSED] > 0.0
        ):
            retime(
                w,
                i,
                old_speed[row, SP_FACTOR],
                old_speed[row, SP_PAUSED] > 0.0,
                speed[row, SP_FACTOR],
                speed[row, SP_PAUSED] > 0.0,
            )


@law
def lose_messages(w, f):
    """A blackhole begins: what is on the network of its sites and replicas will not arrive, notices included."""
    st = t.st(w)
    fault_of_site = t.fault_of_site(w)
    struck = t.struck(w)
    for a in range(st.shape[0]):
        if st[a, ST_ID] == 0 or st[a, ST_KIND] != VISIT or st[a, ST_REP] < 0:
            continue
        if fault_of_site[f, st[a, A_SITE]] == 0 or struck[f, st[a, ST_REP]] == 0:
            continue
        if st[a, A_OPEN] == 0:
            st[a, A_NOTICE] = 0
        if st[a, ST_PHASE] == PH_NET:
            st[a, ST_PHASE] = PH_GONE
            if st[a, A_OPEN] == 0:
                give_back(w, a)
        elif st[a, A_RSEQ] != 0 and st[a, A_BITS] & BIT_SURE == 0:
            st[a, A_RSEQ] = 0
            work_unused(w, a)


@law
def reset_connections(w, f):
    """A reset begins: every open attempt on its sites and replicas is answered `unreachable` at once."""
    g = t.g(w)
    st = t.st(w)
    fault_of_site = t.fault_of_site(w)
    struck = t.struck(w)
    for a in range(st.shape[0]):
        if st[a, ST_ID] == 0 or st[a, ST_KIND] != VISIT or st[a, A_OPEN] == 0:
            continue
        if st[a, A_BITS] & BIT_SENT == 0:
            continue
        if fault_of_site[f, st[a, A_SITE]] == 0 or struck[f, st[a, ST_REP]] == 0:
            continue
        if st[a, A_RSEQ] != 0:
            work_unused(w, a)
        seq = next_seq(w)
        st[a, A_RSEQ] = seq
        st[a, A_OUT] = UNREACHABLE
        st[a, A_BITS] |= BIT_SURE
        push(w, g[G_NOW], R_REPLY, st[a, ST_KEY], refer(seq, 0, a))


@law
def handle(w, sub, number, f):
    """A fault entry: `f` begins or ends, or (READY) replica `f` is up again."""
    g = t.g(w)
    rep = t.rep(w)
    up = t.up(w)
    replicas = t.replicas(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    faults = t.faults(w)
    fault_keys = t.fault_keys(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    events = t.events(w)
    now = g[G_NOW]
    if sub == READY:
        rise(w, f)
        return
    kind = faults[f, F_KIND]
    recurring = faults[f, F_EVERY] >= 0
    changes = kind == FAULT_PAUSE or kind == FAULT_SLOWDOWN or kind == FAULT_CAPACITY
    if sub == BEGIN:
        if recurring:
            g[G_PENDING] += 1  # taken out of the count when it was scheduled
        strike(w, f)
        fstate[f, FS_ACTIVE] = 1
        fstate[f, FS_SINCE] = now
        g[G_TRANSITIONS] = transition(events, g[G_TRANSITIONS], now, EV_FAULT, f, 1)
        o = fstate[f, FS_OCCURRENCE]
        over = faults[f, F_UNTIL]
        if faults[f, F_FOR] >= 0:
            ns = sample(dist, distF, points, faults[f, F_FOR], derive(fault_keys[f], o), X_FOR)
            over = min(over, now + ns)
        if over < NEVER:
            push(w, over, R_FAULT, derive(fault_keys[f], 2 * o + 1), refer(o, FINISH, f))
        if kind == FAULT_BLACKHOLE:
            lose_messages(w, f)
        elif kind == FAULT_RESET:
            reset_connections(w, f)
        elif kind == FAULT_CRASH:
            for r in range(replicas.shape[0]):
                if struck[f, r] != 0 and up[r] != 0:
                    crash(w, r)
                    if rep[r, RX_STANDING] == GONE:
                        continue
                    if faults[f, F_RESTART_AFTER] >= 0:
                        key = derive(fault_keys[f], fstate[f, FS_OCCURRENCE])
                        restart(w, r, sample(dist, distF, points, faults[f, F_RESTART_AFTER], key, X_RESTART))
                    else:
                        rep[r, RX_RETURN] = f
    else:
        fstate[f, FS_ACTIVE] = 0
        g[G_TRANSITIONS] = transition(events, g[G_TRANSITIONS], now, EV_FAULT, f, 0)
        if kind == FAULT_CRASH:
            for r in range(replicas.shape[0]):
                if struck[f, r] != 0 and up[r] == 0 and rep[r, RX_RETURN] == f:
                    rep[r, RX_RETURN] = -1
                    restart(w, r, 0)
        if recurring:
            fstate[f, FS_OCCURRENCE] += 1
            ns = sample(
                dist,
                distF,
                points,
                faults[f, F_EVERY],
                derive(fault_keys[f], fstate[f, FS_OCCURRENCE]),
                0,
            )
            schedule_begin(w, f, now + ns, True)
    if changes:
        change_speed(w, f)
