"""A service gets more replicas, or fewer: new ones start, those with the highest numbers leave once they are empty."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_FROM,
    A_OPEN,
    G_LEAVING,
    PH_GONE,
    PH_LINE,
    PH_PERMIT,
    PH_QUEUED,
    RX_DRAINED,
    RX_GENERATION,
    RX_RETURN,
    RX_STANDING,
    RX_WITNESS,
    ST_ID,
    ST_KIND,
    ST_PHASE,
    ST_REP,
    ST_SVC,
    VISIT,
)
from sysim.engine.compiled.replicas import forget, gone, restart, serve
from sysim.engine.compiled.visits import touch_service
from sysim.plan.tables import GONE, LEAVING, RP_SVC, S_FIRST, S_REPLICAS, S_SHARED, WANTED
from sysim.record.columns import LV_UP
from sysim.semantics.jit import law


@law
def scale(w, s, count):
    """Service `s` shall have `count` replicas, those with the lowest numbers."""
    svc = t.svc(w)
    first = svc[s, S_FIRST]
    for local in range(svc[s, S_REPLICAS]):
        if local < count:
            want(w, first + local)
        else:
            send_away(w, first + local)


@law
def want(w, r):
    """There shall be replica `r`: it stays, or starts as a new one."""
    rep = t.rep(w)
    if rep[r, RX_STANDING] == LEAVING:
        rep[r, RX_STANDING] = WANTED
        t.g(w)[G_LEAVING] -= 1
        if rep[r, RX_DRAINED] == 0:
            serve(w, r)
    elif rep[r, RX_STANDING] == GONE:
        rep[r, RX_STANDING] = WANTED
        rep[r, RX_DRAINED] = 0
        rep[r, RX_GENERATION] += 1
        forget(w, r)
        restart(w, r, 0)


@law
def send_away(w, r):
    """There shall not be replica `r`: it leaves once it is empty, or is not started."""
    rep = t.rep(w)
    if rep[r, RX_STANDING] != WANTED:
        return
    if t.up(w)[r] != 0:
        rep[r, RX_STANDING] = LEAVING
        rep[r, RX_WITNESS] = 0
        t.serves(w)[r] = 0
        t.g(w)[G_LEAVING] += 1
    else:
        rep[r, RX_RETURN] = -1
        rep[r, RX_GENERATION] += 1
        gone(w, r)


@law
def farewell(w):
    """Replicas that leave and have nothing left are gone."""
    rep = t.rep(w)
    level = t.level(w)
    for r in range(rep.shape[0]):
        if rep[r, RX_STANDING] == LEAVING and idle(w, r):
            s = t.replicas(w)[r, RP_SVC]
            touch_service(w, s)
            t.up(w)[r] = 0
            level[s, LV_UP] -= 1
            gone(w, r)


@law
def idle(w, r):
    """Whether nothing is left of replica `r`; the story that was there last time is asked first."""
    rep = t.rep(w)
    if stays(w, r, rep[r, RX_WITNESS]):
        return False
    for i in range(t.st(w).shape[0]):
        if stays(w, r, i):
            rep[r, RX_WITNESS] = i
            return False
    return True


@law
def stays(w, r, i):
    """Whether story `i` keeps replica `r`: an attempt on its way to it, at it or from it, or a story of its own.

    What waits in a shared queue is at no replica.
    """
    st = t.st(w)
    if st[i, ST_ID] == 0:
        return False
    if st[i, ST_KIND] != VISIT:
        return st[i, ST_REP] == r
    if st[i, A_OPEN] != 0 and st[i, A_FROM] == r:
        return True
    phase = st[i, ST_PHASE]
    if st[i, ST_REP] != r or phase == PH_LINE or phase == PH_PERMIT or phase == PH_GONE:
        return False
    return phase != PH_QUEUED or t.svc(w)[st[i, ST_SVC], S_SHARED] == 0
