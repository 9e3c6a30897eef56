"""Why attempts fail: finding where one is stuck, and what the story of a caller knows of it."""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_SITE,
    B_FIRST,
    B_NEXT,
    C_CELL,
    C_CHILD,
    C_FIRST,
    C_SITE,
    C_STATE,
    CALL_BACKOFF,
    CALL_FALLBACK,
    CALL_NONE,
    CALL_OPEN,
    CALL_SLEEP,
    CAUSE_REST,
    CAUSE_SHIFT,
    G_FAILURES,
    G_FULL,
    G_STREAMS,
    MARK_WORKER,
    PH_ENDED,
    PH_GONE,
    PH_JOINED,
    PH_LINE,
    PH_NET,
    PH_PERMIT,
    PH_REGRANTED,
    PH_RUN,
    REQUEST,
    RX_GRANTS,
    SP_CORES,
    SP_FACTOR,
    SP_PAUSED,
    ST_CELL,
    ST_ID,
    ST_KIND,
    ST_MARK,
    ST_OP,
    ST_PHASE,
    ST_REP,
    ST_STREAM,
    ST_SVC,
    WATCH_MASK,
    WATCH_SHIFT,
)
from sysim.plan.tables import (
    C_FAULTS,
    C_N_FAULTS,
    C_STREAM,
    DEADLINE,
    F_KIND,
    FAULT_ERROR,
    FS_ACTIVE,
    IN_FLIGHT,
    N_OUTCOMES,
    RP_FIRST_SPEED,
    S_CORES,
    S_FIRST_OP,
    S_WATCHED,
    SF_CORES,
    TIMEOUT,
    UNREACHABLE,
)
from sysim.record.counters import failed
from sysim.semantics import causes
from sysim.semantics.causes import (
    BEHIND,
    DISTURBED,
    M_BULKHEAD_WAIT,
    M_NETWORK,
    M_QUEUED,
    M_WORKING,
    MOST_HOPS,
    WATCHED,
    known_to_visit,
    mechanism_of,
    with_circumstance,
)
from sysim.semantics.jit import inlined_law, law

_cause = causes.cause
NOTHING: Final = -(1 << 40)


@inlined_law
def cause_of(w, i):
    """Why the last call of story `i` failed, or the visit itself; 0 while nothing has."""
    return t.st(w)[i, ST_MARK] >> CAUSE_SHIFT


@inlined_law
def blame(w, i, cause):
    """Story `i` has failed, or the last attempt of its call has, for this cause."""
    st = t.st(w)
    st[i, ST_MARK] = (st[i, ST_MARK] & CAUSE_REST) | cause << CAUSE_SHIFT


@law
def at_site(w, mechanism, circumstances, c):
    """The cause of this mechanism at site `c`."""
    return _cause(mechanism, circumstances, c, t.sites(w).shape[0])


@law
def work_disturbed(w, v):
    """`DISTURBED` if the replica of visit `v` is paused, slow or short of cores for its operation, else 0."""
    st = t.st(w)
    svc = t.svc(w)
    speed = t.speed(w)
    s = st[v, ST_SVC]
    row = t.replicas(w)[st[v, ST_REP], RP_FIRST_SPEED]
    if svc[s, S_CORES] < 0:
        row += st[v, ST_OP] - svc[s, S_FIRST_OP]
    elif speed[row, SP_CORES] != t.svcF(w)[s, SF_CORES]:
        return DISTURBED
    if speed[row, SP_PAUSED] > 0.0 or speed[row, SP_FACTOR] != 1.0:
        return DISTURBED
    return 0


@law
def network_disturbed(w, c, r):
    """`DISTURBED` if a fault is at work on the network between site `c` and replica `r` (-1: none), else 0."""
    sites = t.sites(w)
    site_faults = t.site_faults(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    first = sites[c, C_FAULTS]
    if r >= 0:
        for at in range(first, first + sites[c, C_N_FAULTS]):
            f = site_faults[at]
            if t.faults(w)[f, F_KIND] != FAULT_ERROR and fstate[f, FS_ACTIVE] != 0 and struck[f, r] != 0:
                return DISTURBED
    return 0


@inlined_law
def hold(w, i):
    """Visit `i` holds a worker of its replica from now on."""
    st = t.st(w)
    rep = t.rep(w)
    holders = t.holders(w)
    st[i, ST_MARK] |= MARK_WORKER
    if t.svc(w)[st[i, ST_SVC], S_WATCHED] == 0:
        return
    r = st[i, ST_REP]
    number = rep[r, RX_GRANTS]
    rep[r, RX_GRANTS] = number + 1
    place = number & (WATCHED - 1)
    if holders[r, 2 * place] == 0:
        holders[r, 2 * place] = i + 1
        holders[r, 2 * place + 1] = number
        st[i, ST_MARK] |= (place + 1) << WATCH_SHIFT


@inlined_law
def let_go(w, i):
    """Visit `i` gives its worker back."""
    st = t.st(w)
    mark = st[i, ST_MARK]
    watched = mark >> WATCH_SHIFT & WATCH_MASK
    if watched != 0:
        t.holders(w)[st[i, ST_REP], 2 * (watched - 1)] = 0
    st[i, ST_MARK] = mark & ~(WATCH_MASK << WATCH_SHIFT | MARK_WORKER)


@law
def longest_holder(w, r):
    """Of the watched visits that hold a worker of replica `r` the one that has held it longest, -1 if there is none."""
    holders = t.holders(w)
    found = -1
    least = np.int64(0)
    for place in range(WATCHED):
        number = holders[r, 2 * place + 1]
        if holders[r, 2 * place] != 0 and (found < 0 or number < least):
            found = holders[r, 2 * place] - 1
            least = number
    return found


@law
def follow(w, s):
    """What story `s` waits for: an attempt, or, as a negative number, minus a cause; `NOTHING` if for no call at all.

    Of the branches of a parallel it is the first that has not ended.
    """
    st = t.st(w)
    while True:
        state = st[s, C_STATE]
        if state == CALL_OPEN:
            return st[s, C_FIRST] if st[s, C_FIRST] >= 0 else NOTHING
        if state == CALL_BACKOFF or state == CALL_SLEEP:
            cause = cause_of(w, s)
            return -cause if cause != 0 else NOTHING
        if state == CALL_FALLBACK:
            s = st[s, C_CHILD]
        else:
            s = st[s, B_FIRST]
            while s >= 0 and (st[s, ST_PHASE] == PH_ENDED or st[s, ST_PHASE] == PH_JOINED):
                s = st[s, B_NEXT]
        if s < 0:
            return NOTHING


@law
def stuck(w, v, s, mechanism):
    """Where time goes at this moment: of attempt `v`, or, with `v` < 0, of the open call of story `s`.

    From attempt to attempt along the calls that are waited for, and from a queue to one that holds a worker there,
    to the one that waits for nobody. With `mechanism` >= 0 the attempt waits at its replica, or is refused there.
    """
    st = t.st(w)
    n = t.sites(w).shape[0]
    behind = False
    queue = np.int64(0)  # the cause that the queue would be, if the holder of the worker works itself
    hops = 0
    found = np.int64(0)
    while found == 0:
        if v < 0:
            c = st[s, C_SITE]
        else:
            c = st[v, A_SITE]
            phase = st[v, ST_PHASE]
            s = v
            if mechanism < 0 and (phase == PH_GONE or phase == PH_NET):
                if phase == PH_GONE:
                    found = cause_of(w, v)  # it has failed already; the answer is on its way, or lost
                if found == 0:
                    found = at_site(w, M_NETWORK, network_disturbed(w, c, st[v, ST_REP]), c)
                break
            if mechanism < 0 and (phase == PH_LINE or phase == PH_PERMIT):
                found = at_site(w, M_BULKHEAD_WAIT, 0, c)
                break
            if mechanism >= 0 or (phase != PH_RUN and phase != PH_REGRANTED):
                disturbed = work_disturbed(w, v)
                queue = at_site(w, mechanism if mechanism >= 0 else M_QUEUED, disturbed, c)
                mechanism = -1
                hops += 1
                s = longest_holder(w, st[v, ST_REP])
                if disturbed != 0 or s < 0 or hops > MOST_HOPS:
                    found = queue
                    break
                v = s
                c = st[v, A_SITE]
        following = follow(w, s)
        if following >= 0:
            behind = behind or queue != 0
            queue = np.int64(0)
            v = following
        elif following != NOTHING:
            behind = behind or queue != 0
            found = -following
        else:
            disturbed = work_disturbed(w, v) if v >= 0 else 0
            found = at_site(w, M_WORKING, disturbed, c)
            if queue != 0 and disturbed == 0:
                found = queue
    if behind:
        found = with_circumstance(found, BEHIND, n)
    return found


@law
def why(w, a, outcome):
    """The cause of attempt `a`, which is about to end with this outcome, a failure, for its caller."""
    st = t.st(w)
    if outcome == TIMEOUT or outcome == DEADLINE:
        return stuck(w, a, -1, -1)
    found = cause_of(w, a)
    if found != 0 and known_to_visit(outcome):
        return found
    c = st[a, A_SITE]
    circumstances = 0
    if outcome == UNREACHABLE:
        circumstances = network_disturbed(w, c, st[a, ST_REP])
    return at_site(w, mechanism_of(outcome), circumstances, c)


@law
def count_failure(w, cell, stream, outcome, cause):
    """A request that arrived in `cell` has failed."""
    g = t.g(w)
    failures = t.failures(w)
    row = t.cell_segment(w)[cell] * g[G_STREAMS] + stream
    number = causes.failure(row, outcome, cause, N_OUTCOMES, causes.causes(t.sites(w).shape[0]))
    g[G_FAILURES] = failed(failures, g[G_FAILURES], number)
    if 2 * g[G_FAILURES] > failures.shape[0]:
        g[G_FULL] = 1


@law
def count_open(w):
    """The run is over: every request that has not ended is counted, with the place where it is stuck."""
    st = t.st(w)
    for i in range(st.shape[0]):
        if st[i, ST_ID] == 0:
            continue
        if st[i, ST_KIND] == REQUEST:
            count_failure(w, st[i, ST_CELL], st[i, ST_STREAM], IN_FLIGHT, stuck(w, -1, i, -1))
        elif st[i, C_STATE] != CALL_NONE and t.sites(w)[st[i, C_SITE], C_STREAM] >= 0:
            count_failure(w, st[i, C_CELL], t.sites(w)[st[i, C_SITE], C_STREAM], IN_FLIGHT, stuck(w, -1, i, -1))
