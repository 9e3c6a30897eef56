"""One handler an event kind, where the story behind it does not simply go on."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.causes import at_site, blame, cause_of, let_go, network_disturbed, stuck
from sysim.engine.compiled.columns import (
    A_OPEN,
    A_SITE,
    ACT_END,
    ACT_REJOIN,
    ACT_RUN,
    ACT_VISIT_END,
    ACT_WAIT,
    B_PENDING,
    B_RESULT,
    C_RESULT,
    G_CELL,
    G_CUR,
    G_DURATION,
    G_NOTES,
    G_NOW,
    G_OPEN,
    G_OUT,
    G_STREAMS,
    LX_ARRIVALS,
    LX_KEY,
    LX_N,
    LX_ROW,
    LX_STATES,
    MARK_EARLY,
    MARK_ERROR,
    MARK_WORKER,
    PH_GONE,
    PH_JOINED,
    PRIORITY_SHIFT,
    REQUEST,
    RQ_N,
    RX_IN_SYSTEM,
    RX_VERSION,
    ST_CELL,
    ST_CLIENT,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_LOAD,
    ST_MARK,
    ST_PARENT,
    ST_PC,
    ST_PHASE,
    ST_REP,
    ST_STREAM,
    ST_SVC,
    ST_T0,
    USER,
    V_WORK,
)
from sysim.engine.compiled.entries import push, push_lane, refer
from sysim.engine.compiled.program import begin_journey, succeeded
from sysim.engine.compiled.stories import free_branches, give_back, take
from sysim.engine.compiled.visits import (
    answer,
    begin,
    close,
    enter,
    free_worker,
    has_free_worker,
    join_queue,
    take_worker,
    touch_service,
)
from sysim.plan.tables import (
    ARRIVALS_BATCH,
    ARRIVALS_EVENLY,
    ARRIVALS_MMPP,
    C_FAULTS,
    C_N_FAULTS,
    CANCELLED,
    DEADLINE,
    DEGRADED,
    ERROR,
    F_AFTER_WORK,
    F_KIND,
    FAULT_ERROR,
    FF_VALUE,
    FS_ACTIVE,
    I_NEXT,
    I_OPTIONAL,
    L_ARRIVALS,
    L_BATCH,
    L_CALL_PC,
    L_CLASS,
    L_CLIENTS,
    L_FIRST_RATE,
    L_FIRST_STREAM,
    L_PC,
    L_RATES,
    L_STREAMS,
    LE_KEY,
    LEF_ERROR,
    LF_BATCH,
    LT_TARGET,
    OK,
    R_LOAD,
    R_PATIENCE,
    R_START,
    REJECTED,
    S_ADMISSION,
    S_CANCEL,
    S_CAPACITY,
    S_FIRST,
    S_PATIENCE,
    S_PATIENCE_LANE,
    S_REPLICAS,
    S_SHARED,
    SHED,
    TF_CUMULATIVE,
    UNREACHABLE,
    WHEN_CONTINUE,
)
from sysim.record.columns import LC_OFFERED, LV_QUEUE, SC_ARRIVALS
from sysim.record.counters import queue_full
from sysim.semantics import arrivals
from sysim.semantics.causes import M_ERROR_FAULT, M_NETWORK, M_REJECTED, M_SHED
from sysim.semantics.digest import NOTE_QUEUED, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import derive, uniform
from sysim.semantics.salts import X_CLIENT, X_ERROR, X_PATIENCE, X_STREAM
from sysim.semantics.sampling import sample

_seek = arrivals.seek
_instant = arrivals.instant
_modulated = arrivals.modulated_instant
_exponential = arrivals.exponential
_batch_size = arrivals.batch_size


@law
def struck_by_error(w, a):
    """What error faults do to attempt `a` on arrival: 0 nothing, 1 answers `error` at once, 2 after its work."""
    st = t.st(w)
    sites = t.sites(w)
    site_faults = t.site_faults(w)
    faults = t.faults(w)
    faultsF = t.faultsF(w)
    fault_keys = t.fault_keys(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    c = st[a, A_SITE]
    r = st[a, ST_REP]
    first = sites[c, C_FAULTS]
    result = 0
    for at in range(first, first + sites[c, C_N_FAULTS]):
        f = site_faults[at]
        if (
            faults[f, F_KIND] == FAULT_ERROR
            and fstate[f, FS_ACTIVE] != 0
            and struck[f, r] != 0
            and uniform(derive(st[a, ST_KEY], fault_keys[f]), X_ERROR) < faultsF[f, FF_VALUE]
        ):
            if faults[f, F_AFTER_WORK] == 0:
                return 1
            result = 2
    return result


@law
def fails(w, lever, key):
    """Whether the version that this lever has deployed answers the attempt of this key with an error."""
    share = t.leversF(w)[lever, LEF_ERROR]
    return share > 0.0 and uniform(derive(key, t.levers(w)[lever, LE_KEY]), X_ERROR) < share


@inlined_law
def arrive(w, i):
    """Attempt `i` reaches its replica."""
    g = t.g(w)
    st = t.st(w)
    rep = t.rep(w)
    up = t.up(w)
    svc = t.svc(w)
    sites = t.sites(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    level = t.level(w)
    svc_cells = t.svc_cells(w)
    r = st[i, ST_REP]
    now = g[G_NOW]
    s = st[i, ST_SVC]
    if up[r] == 0:
        st[i, ST_PHASE] = PH_GONE
        if st[i, A_OPEN] == 0:
            give_back(w, i)
        else:
            answer(w, i, UNREACHABLE, False)
        return ACT_WAIT
    st[i, ST_T0] = now
    st[i, ST_CELL] = g[G_CELL]
    svc_cells[g[G_CELL] * level.shape[0] + s, SC_ARRIVALS] += 1
    g[G_CUR] = i
    if st[i, ST_MARK] & MARK_EARLY and svc[s, S_CANCEL] != WHEN_CONTINUE:
        g[G_OUT] = CANCELLED
        return ACT_VISIT_END
    if sites[st[i, A_SITE], C_N_FAULTS] > 0:
        verdict = struck_by_error(w, i)
        if verdict == 1:
            blame(w, i, at_site(w, M_ERROR_FAULT, 0, st[i, A_SITE]))
            g[G_OUT] = ERROR
            return ACT_VISIT_END
        if verdict == 2:
            st[i, ST_MARK] |= MARK_ERROR
    version = rep[r, RX_VERSION]
    if version > 0 and fails(w, version - 1, st[i, ST_KEY]):
        blame(w, i, at_site(w, M_ERROR_FAULT, 0, st[i, A_SITE]))
        g[G_OUT] = ERROR
        return ACT_VISIT_END
    if rep[r, RX_IN_SYSTEM] >= svc[s, S_ADMISSION]:
        blame(w, i, stuck(w, i, -1, M_SHED))
        g[G_OUT] = SHED
        return ACT_VISIT_END
    q = r
    free = has_free_worker(w, s, r)
    if svc[s, S_SHARED] != 0:
        q = svc[s, S_FIRST]
        serves = t.serves(w)
        free = free and serves[r] != 0
        if not free:
            for other in range(q, q + svc[s, S_REPLICAS]):
                if serves[other] != 0 and has_free_worker(w, s, other):
                    free = True
                    r = other
                    break
    if free:
        if st[i, ST_DEADLINE] <= now:
            c = st[i, A_SITE]
            blame(w, i, at_site(w, M_NETWORK, network_disturbed(w, c, st[i, ST_REP]), c))
            g[G_OUT] = DEADLINE
            return ACT_VISIT_END
        st[i, ST_REP] = r
        touch_service(w, s)
        enter(w, i)
        take_worker(w, i)
        begin(w, i)
        return ACT_RUN
    if rep[q, RQ_N] >= svc[s, S_CAPACITY]:
        queue_full(level, s, now)
        blame(w, i, stuck(w, i, -1, M_REJECTED))
        g[G_OUT] = REJECTED
        return ACT_VISIT_END
    touch_service(w, s)
    enter(w, i)
    join_queue(w, q, i)
    level[s, LV_QUEUE] += 1
    g[G_NOTES] += note(NOTE_QUEUED, st[i, ST_KEY], rep[q, RQ_N])
    if svc[s, S_PATIENCE] >= 0:
        ns = sample(dist, distF, points, svc[s, S_PATIENCE], st[i, ST_KEY], X_PATIENCE)
        ref = refer(st[i, ST_ID], 0, i)
        push_lane(w, svc[s, S_PATIENCE_LANE], now + ns, R_PATIENCE, st[i, ST_KEY], ref)
    return ACT_WAIT


@inlined_law
def visit_end(w):
    """The visit in control ends with G_OUT: its worker goes to the next, its caller gets an answer."""
    g = t.g(w)
    st = t.st(w)
    i = g[G_CUR]
    if st[i, ST_MARK] & MARK_WORKER:
        let_go(w, i)
        free_worker(w, st[i, ST_SVC], st[i, ST_REP])
    close(w, i, g[G_OUT], False)


@law
def join(w, b):
    """Branch `b` has ended; its parent takes note, and goes on when it was the last. The next action is returned.

    ACT_WAIT: more to come; ACT_REJOIN: the parallel is over with B_RESULT; ACT_END: it has failed.
    """
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    i = st[b, ST_PARENT]
    outcome = st[b, C_RESULT]
    g[G_CUR] = i
    st[i, B_PENDING] -= 1
    st[i, V_WORK] += st[b, V_WORK]
    st[b, ST_ID] = 0
    st[b, ST_PHASE] = PH_JOINED
    if not succeeded(outcome) and code[st[i, ST_PC], I_OPTIONAL] == 0:
        blame(w, i, cause_of(w, b))
        return ACT_END
    if outcome != OK:
        st[i, B_RESULT] = DEGRADED
    if st[i, B_PENDING] > 0:
        return ACT_WAIT
    free_branches(w, i, code[st[i, ST_PC], I_NEXT])
    return ACT_REJOIN


@inlined_law
def next_arrival(w, load):
    """Schedule entry number LX_N of an open load, if it comes within the run."""
    g = t.g(w)
    loads = t.loads(w)
    rates = t.rates(w)
    load_state = t.load_state(w)
    load_target = t.load_target(w)
    n = load_state[load, LX_N]
    if loads[load, L_ARRIVALS] == ARRIVALS_EVENLY:
        load_target[load, LT_TARGET] += 1.0
    else:
        load_target[load, LT_TARGET] += _exponential(load_state[load, LX_ARRIVALS], n)
    first = loads[load, L_FIRST_RATE]
    count = loads[load, L_RATES]
    if loads[load, L_ARRIVALS] == ARRIVALS_MMPP:
        time = _modulated(rates, first, count, load_target, load, load_state[load, LX_STATES], g[G_DURATION])
    else:
        row = _seek(rates, first, count, load_state[load, LX_ROW], load_target[load, LT_TARGET])
        load_state[load, LX_ROW] = row
        time = _instant(rates, first, count, row, load_target[load, LT_TARGET])
    if time < g[G_DURATION]:
        push(w, max(time, g[G_NOW]), R_LOAD, derive(load_state[load, LX_KEY], n), refer(0, 0, load))


@inlined_law
def new_request(w, load, key):
    """A request of an open load: its client and its call are drawn, it is offered.

    Where the load makes a journey, that is a story like a user's which ends after one round: each of its calls is
    a request, offered when it begins.
    """
    g = t.g(w)
    st = t.st(w)
    loads = t.loads(w)
    streamsF = t.streamsF(w)
    load_cells = t.load_cells(w)
    i = take(w, REQUEST, key)
    client = 0
    if loads[load, L_CLIENTS] > 1:
        client = int(uniform(key, X_CLIENT) * loads[load, L_CLIENTS])
    st[i, ST_MARK] = loads[load, L_CLASS] << PRIORITY_SHIFT
    st[i, ST_LOAD] = load
    st[i, ST_CLIENT] = client
    st[i, ST_SVC] = -1
    st[i, ST_REP] = -1
    if loads[load, L_CALL_PC] < 0:
        st[i, ST_KIND] = USER
        st[i, ST_PC] = loads[load, L_PC]
        begin_journey(w, i)
        return i
    first = loads[load, L_FIRST_STREAM]
    j = 0
    if loads[load, L_STREAMS] > 1:
        u = uniform(key, X_STREAM)
        while j < loads[load, L_STREAMS] - 1 and u >= streamsF[first + j, TF_CUMULATIVE]:
            j += 1
    st[i, ST_STREAM] = first + j
    st[i, ST_PC] = loads[load, L_CALL_PC] + 2 * j
    st[i, ST_CELL] = g[G_CELL]
    st[i, ST_T0] = g[G_NOW]
    load_cells[g[G_CELL] * g[G_STREAMS] + first + j, LC_OFFERED] += 1
    g[G_OPEN] += 1
    return i


@inlined_law
def load_arrival(w, load):
    """An entry of an open load: one request begins, or a batch of them."""
    g = t.g(w)
    st = t.st(w)
    loads = t.loads(w)
    load_state = t.load_state(w)
    key = derive(load_state[load, LX_KEY], load_state[load, LX_N])
    load_state[load, LX_N] += 1
    next_arrival(w, load)
    if loads[load, L_ARRIVALS] != ARRIVALS_BATCH:
        g[G_CUR] = new_request(w, load, key)
        return ACT_RUN
    for j in range(_batch_size(key, loads[load, L_BATCH], t.loadsF(w)[load, LF_BATCH])):
        i = new_request(w, load, derive(key, j))
        push(w, g[G_NOW], R_START, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))
    return ACT_WAIT
