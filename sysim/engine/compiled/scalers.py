"""Autoscalers and schedules: they look, or are due, now and then, and change how many replicas a service shall have.

A look that changes nothing leaves no trace: its entry is dead.
"""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import G_CELL, G_DURATION, G_NOTES, G_NOW, G_SERVICES, G_TRANSITIONS, RX_STANDING
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.scaling import scale
from sysim.plan.tables import (
    ACTION_SCALE,
    R_ACTION,
    S_FIRST,
    S_REPLICAS,
    SCALER_LINE,
    WANTED,
    Z_AT,
    Z_BESIDE,
    Z_COUNT,
    Z_EVERY,
    Z_KIND,
    Z_SVC,
    ZS_MIN,
    ZS_NEXT,
    ZS_SET,
)
from sysim.record.columns import EV_SCALE
from sysim.record.counters import transition
from sysim.record.meter import weigh
from sysim.semantics.digest import NOTE_SCALER, note
from sysim.semantics.jit import law
from sysim.semantics.rng import derive

_weigh = weigh


@law
def schedule_scaler(w, z):
    """The first look of an autoscaler, or when a line of a schedule is due first."""
    enter(w, z, t.scalers(w)[z, Z_AT])


@law
def enter(w, z, at):
    """Scaler `z` comes `at` an instant, if that is before the load is over."""
    if at < t.g(w)[G_DURATION]:
        push(w, at, R_ACTION, derive(t.scaler_keys(w)[z], 0), refer(0, ACTION_SCALE, z))


@law
def go_on(w, z, now):
    """The entry after one at `now`."""
    every = t.scalers(w)[z, Z_EVERY]
    if every > 0:
        enter(w, z, now + every)


@law
def wanted(w, s):
    """How many replicas service `s` shall have."""
    rep = t.rep(w)
    svc = t.svc(w)
    count = 0
    for r in range(svc[s, S_FIRST], svc[s, S_FIRST] + svc[s, S_REPLICAS]):
        if rep[r, RX_STANDING] == WANTED:
            count += 1
    return count


@law
def comes_to_something(w, z, now):
    """Whether scaler `z` changes anything at `now`, as lines of schedules always do; if not, it comes again later."""
    g = t.g(w)
    scalers = t.scalers(w)
    if scalers[z, Z_KIND] == SCALER_LINE:
        return True
    there = wanted(w, scalers[z, Z_SVC])
    asked = _weigh(
        scalers, t.scalersF(w), z, t.scaler_state(w), t.recommendations(w), t.svc(w), t.svcF(w), t.level(w),
        t.svc_cells(w), g[G_CELL], g[G_SERVICES], there, now,
    )  # fmt: skip
    if asked != there:
        return True
    go_on(w, z, now)
    return False


@law
def rescale(w, z):
    """Scaler `z` has its way."""
    g = t.g(w)
    scalers = t.scalers(w)
    state = t.scaler_state(w)
    s = scalers[z, Z_SVC]
    count = state[z, ZS_NEXT]
    told = count
    if scalers[z, Z_KIND] == SCALER_LINE:
        count = told = scalers[z, Z_COUNT]
        beside = scalers[z, Z_BESIDE]
        if beside >= 0:
            there = wanted(w, s)
            state[beside, ZS_MIN] = told
            count = max(there, told)
            if count != there:
                state[beside, ZS_SET] = count
    g[G_NOTES] += note(NOTE_SCALER, t.scaler_keys(w)[z], told)
    g[G_TRANSITIONS] = transition(t.events(w), g[G_TRANSITIONS], g[G_NOW], EV_SCALE, z, told)
    scale(w, s, count)
    go_on(w, z, g[G_NOW])
