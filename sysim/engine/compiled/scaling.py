"""A service gets more replicas, or fewer, or others: new ones start, those with the highest numbers leave once they
are empty.
"""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_FROM,
    A_OPEN,
    G_LEAVING,
    G_NOW,
    G_TRANSITIONS,
    PH_GONE,
    PH_LINE,
    PH_PERMIT,
    PH_QUEUED,
    RX_DRAINED,
    RX_GENERATION,
    RX_RETURN,
    RX_STANDING,
    RX_VERSION,
    RX_WITNESS,
    ST_ID,
    ST_KIND,
    ST_PHASE,
    ST_REP,
    ST_SVC,
    VISIT,
)
from sysim.engine.compiled.replicas import forget, gone, restart, serve
from sysim.engine.compiled.speeds import speeds
from sysim.engine.compiled.visits import touch_service
from sysim.engine.compiled.work import cores_sync
from sysim.plan.tables import (
    GONE,
    LE_ARG,
    LE_MISSING,
    LE_SURGE,
    LEAVING,
    LEF_MISSING,
    LEF_SURGE,
    RO_BEFORE,
    RO_DESIRED,
    RO_DUE,
    RO_LEVER,
    RO_ROLLING,
    RO_TARGET,
    ROLL_NO,
    ROLL_ON,
    ROLL_SHORT,
    RP_SVC,
    S_CORES,
    S_FIRST,
    S_OPS,
    S_REPLICAS,
    S_SHARED,
    S_ZONES,
    WANTED,
)
from sysim.record.columns import EV_ROLLED, LV_UP
from sysim.record.counters import transition
from sysim.semantics.jit import law
from sysim.semantics.rollout import may_drop, may_drop_unready, may_start, surge, unavailable


@law
def scale(w, s, count):
    """Service `s` shall have `count` replicas."""
    t.rolls(w)[s, RO_DESIRED] = count
    reach(w, s)


@law
def reach(w, s):
    """As many replicas of service `s` come and leave as may at this moment.

    Where all are of the version that they shall have: until there are as many as there shall be. While a deploy
    replaces them new ones start and old ones leave by its laws; what is ready, down or gone later goes on with it.
    """
    rolls = t.rolls(w)
    desired = rolls[s, RO_DESIRED]
    if count(w, s, False, False) == 0:
        there = count(w, s, True, False)
        if there < desired:
            there += come(w, s, desired - there)
            if there < desired and rolls[s, RO_ROLLING] == ROLL_NO:
                rolls[s, RO_ROLLING] = ROLL_SHORT
        elif there > desired:
            leave(w, s, there - desired, True)
        return
    lever = rolls[s, RO_LEVER]
    levers = t.levers(w)
    leversF = t.leversF(w)
    surges = surge(desired, levers[lever, LE_SURGE], leversF[lever, LEF_SURGE])
    missing = unavailable(desired, levers[lever, LE_MISSING], leversF[lever, LEF_MISSING], surges)
    leave(w, s, max(0, count(w, s, True, False) - desired), True)
    start(w, s, surges)
    new = count(w, s, True, False)
    starting = new - count(w, s, True, True)
    down = may_drop_unready(desired, new + count(w, s, False, False), starting, missing)
    leave_down(w, s, down)
    available = count(w, s, True, True) + count(w, s, False, True)
    leave(w, s, may_drop(desired, available, missing), False)
    start(w, s, surges)


@law
def start(w, s, surges):
    """So many replicas of the new version start as may beside a surge of `surges`."""
    new = count(w, s, True, False)
    come(w, s, may_start(t.rolls(w)[s, RO_DESIRED], new, new + count(w, s, False, False), surges))


@law
def count(w, s, new, ready):
    """How many replicas of service `s` shall be there, of the `new` version or of others; or `ready` ones of them."""
    rep = t.rep(w)
    up = t.up(w)
    svc = t.svc(w)
    target = t.rolls(w)[s, RO_TARGET]
    found = 0
    for r in range(svc[s, S_FIRST], svc[s, S_FIRST] + svc[s, S_REPLICAS]):
        if rep[r, RX_STANDING] == WANTED and (rep[r, RX_VERSION] == target) == new and (up[r] != 0 or not ready):
            found += 1
    return found


@law
def tally(w, s, new):
    """Count the replicas that shall be there by the places of their zones; old ones only if not `new`."""
    rep = t.rep(w)
    svc = t.svc(w)
    classes = t.classes(w)
    first = svc[s, S_FIRST]
    zones = svc[s, S_ZONES]
    target = t.rolls(w)[s, RO_TARGET]
    for zone in range(zones):
        classes[zone] = 0
    for r in range(first, first + svc[s, S_REPLICAS]):
        if rep[r, RX_STANDING] == WANTED and (rep[r, RX_VERSION] == target) == new:
            classes[(r - first) % zones] += 1


@law
def next_to(w, s, come, new):
    """The replica of service `s` that is next to `come` or else to leave, -1 where there is none; it is counted.

    To come: where the zone has the fewest, of these the lowest. To leave: where it has the most, of these the highest.
    """
    rep = t.rep(w)
    up = t.up(w)
    svc = t.svc(w)
    classes = t.classes(w)
    first = svc[s, S_FIRST]
    zones = svc[s, S_ZONES]
    target = t.rolls(w)[s, RO_TARGET]
    best = -1
    for r in range(first, first + svc[s, S_REPLICAS]):
        standing = rep[r, RX_STANDING]
        its = (rep[r, RX_VERSION] == target) == new
        if come:
            fits = standing == GONE or (standing == LEAVING and its)
        else:
            fits = standing == WANTED and its and (new or up[r] != 0)
        if fits and best >= 0:
            beyond = classes[(r - first) % zones] - classes[(best - first) % zones]
            fits = beyond < 0 if come else beyond >= 0
        if fits:
            best = r
    if best >= 0:
        classes[(best - first) % zones] += 1 if come else -1
    return best


@law
def come(w, s, number):
    """So many more replicas of service `s` come, as far as there is room; how many do is returned.

    One of the version that leaves may stay.
    """
    target = t.rolls(w)[s, RO_TARGET]
    tally(w, s, True)
    for n in range(number):
        r = next_to(w, s, True, True)
        if r < 0:
            return n
        want(w, r, target)
    return number


@law
def leave(w, s, number, new):
    """So many replicas of service `s` leave, of the `new` version or ready ones of others."""
    tally(w, s, new)
    for _ in range(number):
        r = next_to(w, s, False, new)
        if r < 0:
            return
        send_away(w, r)


@law
def leave_down(w, s, number):
    """At most so many replicas of old versions that are down leave, highest number first."""
    rep = t.rep(w)
    up = t.up(w)
    svc = t.svc(w)
    target = t.rolls(w)[s, RO_TARGET]
    first = svc[s, S_FIRST]
    for back in range(svc[s, S_REPLICAS]):
        r = first + svc[s, S_REPLICAS] - 1 - back
        if number > 0 and rep[r, RX_STANDING] == WANTED and rep[r, RX_VERSION] != target and up[r] == 0:
            number -= 1
            send_away(w, r)


@law
def deploy(w, lever):
    """The replicas of a lever's service are replaced by those of the version that it brings."""
    s = t.levers(w)[lever, LE_ARG]
    rolls = t.rolls(w)
    rolls[s, RO_BEFORE] = rolls[s, RO_TARGET]
    rolls[s, RO_TARGET] = lever + 1
    rolls[s, RO_LEVER] = lever
    rolls[s, RO_ROLLING] = ROLL_ON
    reach(w, s)


@law
def roll_back(w, s):
    """The replicas of service `s` are replaced by those of the version before; without one nothing happens."""
    rolls = t.rolls(w)
    before = rolls[s, RO_BEFORE]
    if before != rolls[s, RO_TARGET]:
        rolls[s, RO_BEFORE] = rolls[s, RO_TARGET]
        rolls[s, RO_TARGET] = before
        rolls[s, RO_ROLLING] = ROLL_ON
        reach(w, s)


@law
def roll_on(w, s):
    """Replicas have become ready, gone down or gone: more may come and leave, until all are there and none is old."""
    g = t.g(w)
    rolls = t.rolls(w)
    rolls[s, RO_DUE] = 0
    reach(w, s)
    if count(w, s, False, False) == 0 and count(w, s, True, True) == rolls[s, RO_DESIRED]:
        if rolls[s, RO_ROLLING] == ROLL_ON:
            g[G_TRANSITIONS] = transition(
                t.events(w), g[G_TRANSITIONS], g[G_NOW], EV_ROLLED, s, rolls[s, RO_TARGET]
            )
        rolls[s, RO_ROLLING] = ROLL_NO


@law
def want(w, r, version):
    """There shall be replica `r`: it stays, or starts as a new one that runs `version`."""
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
        if rep[r, RX_VERSION] != version:
            s = t.replicas(w)[r, RP_SVC]
            rep[r, RX_VERSION] = version
            if t.svc(w)[s, S_CORES] >= 0:
                touch_service(w, s)
                cores_sync(w, r)
            for op in range(t.svc(w)[s, S_OPS]):
                speeds(w, r, op)
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
