"""Actions: levers that operators pull, at an instant or when a condition has come true.

A lever that is not pulled leaves no trace: the entry of a look at a condition is dead unless it is met.
"""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    G_CELL,
    G_DURATION,
    G_NOTES,
    G_NOW,
    G_STREAMS,
    G_TRANSITIONS,
    RQ_HEAD,
    RQ_N,
    RX_DRAINED,
    RX_RETURN,
    RX_STANDING,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.replicas import crash, restart, serve
from sysim.engine.compiled.scaling import deploy, roll_back, scale
from sysim.engine.compiled.visits import close, leave_waiting
from sysim.plan.tables import (
    AC_AFTER,
    AC_AT,
    AC_EVERY,
    AC_FIRST_LEVER,
    AC_LEVERS,
    AC_METRIC,
    ACTION_CARRIED_OUT,
    ACTION_DECIDED,
    ACTION_DUE,
    ACTION_LOOK,
    ACTION_PULL,
    LE_ARG,
    LE_COLUMN,
    LE_FIRST_HIT,
    LE_HITS,
    LE_KIND,
    LE_STRIKE,
    LE_VALUE,
    LEF_VALUE,
    LEVER_CLEAR_QUEUE,
    LEVER_DEPLOY,
    LEVER_DRAIN,
    LEVER_FLAG,
    LEVER_RESTART,
    LEVER_ROLLBACK,
    LEVER_SCALE,
    LEVER_SHED,
    R_ACTION,
    S_FIRST,
    S_REPLICAS,
    S_SHARED,
    SHED,
    WANTED,
    X_AFTER,
)
from sysim.record import monitor
from sysim.record.columns import EV_ACTION
from sysim.record.counters import transition
from sysim.semantics.digest import NOTE_ACTION, note
from sysim.semantics.disturbance import struck as struck_of
from sysim.semantics.jit import law
from sysim.semantics.rng import derive
from sysim.semantics.sampling import sample

_look = monitor.look


@law
def schedule_action(w, a):
    """The instant, or the first look, of action `a`; before anything has happened."""
    g = t.g(w)
    actions = t.actions(w)
    if actions[a, AC_METRIC] >= 0:
        next_look(w, a, 0)
    elif actions[a, AC_AT] < g[G_DURATION]:
        key = t.action_keys(w)[a]
        push(w, actions[a, AC_AT] + delay(w, a), R_ACTION, derive(key, ACTION_DUE), refer(0, ACTION_DUE, a))


@law
def next_look(w, a, now):
    """The next look at the condition of action `a`, if that is before the load is over."""
    at = now + t.actions(w)[a, AC_EVERY]
    if at < t.g(w)[G_DURATION]:
        push(w, at, R_ACTION, derive(t.action_keys(w)[a], ACTION_LOOK), refer(0, ACTION_LOOK, a))


@law
def delay(w, a):
    """How long people take to pull the levers of action `a`."""
    after = t.actions(w)[a, AC_AFTER]
    if after < 0:
        return 0
    return sample(t.dist(w), t.distF(w), t.points(w), after, t.action_keys(w)[a], X_AFTER)


@law
def look(w, a, now):
    """Whether the condition of action `a` is met; if not, look again later."""
    g = t.g(w)
    met = _look(
        t.actions(w), t.actionsF(w), a, t.action_state(w), t.seen(w), t.seen_hist(w), t.svc(w), t.loads(w),
        t.level(w), t.load_cells(w), t.load_hist(w), g[G_CELL], g[G_STREAMS], now,
    )  # fmt: skip
    if not met:
        next_look(w, a, now)
    return met


@law
def act(w, sub, a):
    """An entry of action `a`: its condition is met, or its levers are pulled."""
    g = t.g(w)
    actions = t.actions(w)
    if sub == ACTION_LOOK and actions[a, AC_AFTER] >= 0:
        tell(w, a, ACTION_DECIDED)
        push(w, g[G_NOW] + delay(w, a), R_ACTION, derive(t.action_keys(w)[a], ACTION_PULL), refer(0, ACTION_PULL, a))
        return
    tell(w, a, ACTION_CARRIED_OUT)
    first = actions[a, AC_FIRST_LEVER]
    for lever in range(first, first + actions[a, AC_LEVERS]):
        pull(w, lever)


@law
def tell(w, a, what):
    """Write down that action `a` is decided or carried out."""
    g = t.g(w)
    g[G_NOTES] += note(NOTE_ACTION, t.action_keys(w)[a], what)
    g[G_TRANSITIONS] = transition(t.events(w), g[G_TRANSITIONS], g[G_NOW], EV_ACTION, a, what)


@law
def pull(w, lever):
    """Pull one lever."""
    levers = t.levers(w)
    kind = levers[lever, LE_KIND]
    arg = levers[lever, LE_ARG]
    if kind == LEVER_FLAG:
        t.flags(w)[arg] = levers[lever, LE_VALUE]
    elif kind == LEVER_SHED:
        t.doors(w)[arg] = t.leversF(w)[lever, LEF_VALUE]
    elif kind == LEVER_CLEAR_QUEUE:
        clear_queue(w, arg)
    elif kind == LEVER_RESTART:
        restart_some(w, lever)
    elif kind == LEVER_DRAIN:
        drain_some(w, lever)
    elif kind == LEVER_SCALE:
        scale(w, arg, levers[lever, LE_VALUE])
    elif kind == LEVER_DEPLOY:
        deploy(w, lever)
    elif kind == LEVER_ROLLBACK:
        roll_back(w, arg)
    else:
        t.policies(w)[arg, levers[lever, LE_COLUMN]] = levers[lever, LE_VALUE]


@law
def clear_queue(w, s):
    """Whoever waits in a queue of service `s` and has not begun is shed."""
    rep = t.rep(w)
    svc = t.svc(w)
    first = svc[s, S_FIRST]
    queues = 1 if svc[s, S_SHARED] != 0 else svc[s, S_REPLICAS]
    for q in range(first, first + queues):
        while rep[q, RQ_N] > 0:
            i = rep[q, RQ_HEAD]
            leave_waiting(w, i)
            close(w, i, SHED, False)


@law
def strikes(w, lever):
    """How many replicas a lever strikes at most: a number, a share of those that are wanted, or all."""
    levers = t.levers(w)
    hits = t.lever_hits(w)
    rep = t.rep(w)
    if levers[lever, LE_STRIKE] >= 0:
        return levers[lever, LE_STRIKE]
    share = t.leversF(w)[lever, LEF_VALUE]
    first = levers[lever, LE_FIRST_HIT]
    there = 0
    for hit in range(first, first + levers[lever, LE_HITS]):
        if rep[hits[hit], RX_STANDING] == WANTED:
            there += 1
    return there if share < 0.0 else struck_of(share, there)


@law
def restart_some(w, lever):
    """Kill the lowest-numbered of a lever's replicas, where they are not down anyway, and start them."""
    levers = t.levers(w)
    hits = t.lever_hits(w)
    rep = t.rep(w)
    up = t.up(w)
    left = strikes(w, lever)
    first = levers[lever, LE_FIRST_HIT]
    for hit in range(first, first + levers[lever, LE_HITS]):
        r = hits[hit]
        if rep[r, RX_STANDING] != WANTED:
            continue
        if left > 0 and (up[r] != 0 or rep[r, RX_RETURN] >= 0):  # those that start already go on with that
            left -= 1
            if up[r] != 0:
                crash(w, r)
            rep[r, RX_RETURN] = -1
            restart(w, r, 0)


@law
def drain_some(w, lever):
    """The lowest-numbered of a lever's replicas are taken out of service, or come back into it."""
    levers = t.levers(w)
    hits = t.lever_hits(w)
    rep = t.rep(w)
    out = levers[lever, LE_VALUE]
    first = levers[lever, LE_FIRST_HIT]
    left = strikes(w, lever)
    for hit in range(first, first + levers[lever, LE_HITS]):
        r = hits[hit]
        if left <= 0 or rep[r, RX_STANDING] != WANTED:
            continue
        left -= 1
        rep[r, RX_DRAINED] = out
        if out != 0:
            t.serves(w)[r] = 0
        elif t.up(w)[r] != 0:
            serve(w, r)
