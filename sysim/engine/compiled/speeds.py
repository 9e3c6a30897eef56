"""How fast work goes at a replica, an operation at a time: what its version and the faults of the moment make of it."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import RX_VERSION, SP_CORES, SP_FACTOR, SP_PAUSED
from sysim.plan.tables import (
    F_KIND,
    F_OP,
    FAULT_CAPACITY,
    FF_VALUE,
    FS_ACTIVE,
    LEF_SLOWDOWN,
    RP_FIRST_SPEED,
    RP_SVC,
    S_CORES,
    S_FIRST_OP,
    SF_CORES,
)
from sysim.semantics.disturbance import shrunk, slowed, stands_still
from sysim.semantics.jit import law


@law
def speeds(w, r, op):
    """Factor, pause and cores of operation `op` (local) at replica `r` under its version and the faults now active."""
    speed = t.speed(w)
    svc = t.svc(w)
    svcF = t.svcF(w)
    replicas = t.replicas(w)
    rep_faults = t.rep_faults(w)
    rep_faults_at = t.rep_faults_at(w)
    faults = t.faults(w)
    faultsF = t.faultsF(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    s = replicas[r, RP_SVC]
    row = replicas[r, RP_FIRST_SPEED] + op
    factor = 1.0
    version = t.rep(w)[r, RX_VERSION]
    if version > 0:
        factor = t.leversF(w)[version - 1, LEF_SLOWDOWN]
    paused = 0.0
    cores = svcF[s, SF_CORES]
    for at in range(rep_faults_at[r], rep_faults_at[r + 1]):
        f = rep_faults[at]
        if fstate[f, FS_ACTIVE] == 0 or struck[f, r] == 0:
            continue
        if faults[f, F_OP] >= 0 and faults[f, F_OP] != svc[s, S_FIRST_OP] + op:
            continue
        kind = faults[f, F_KIND]
        value = faultsF[f, FF_VALUE]
        if stands_still(kind, value):
            paused += 1.0
        elif kind == FAULT_CAPACITY and svc[s, S_CORES] >= 0:
            cores = shrunk(cores, kind, value)
        else:
            factor = slowed(factor, kind, value)
    speed[row, SP_FACTOR] = factor
    speed[row, SP_PAUSED] = paused
    speed[row, SP_CORES] = cores
