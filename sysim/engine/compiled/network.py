"""The way there and back: latency, and what faults do to messages between a call site and a replica."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import ST_KEY
from sysim.plan.tables import (
    C_FAULTS,
    C_N_FAULTS,
    C_POLICY,
    C_ZONE,
    F_DIST,
    F_KIND,
    FAULT_LATENCY,
    FAULT_REFUSE,
    FAULT_RESET,
    FF_VALUE,
    FS_ACTIVE,
    P_CROSS_ZONE,
    P_LATENCY,
    PF_LOSS,
    RP_ZONE,
)
from sysim.semantics.disturbance import kept
from sysim.semantics.jit import law
from sysim.semantics.rng import derive
from sysim.semantics.sampling import sample


@law
def latency(w, origin, c, r, key, base):
    """One way from a caller at replica `origin` (-1: a client) to replica `r` over site `c`, faults apart, in ns."""
    sites = t.sites(w)
    policies = t.policies(w)
    replicas = t.replicas(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    p = sites[c, C_POLICY]
    ns = 0
    if policies[p, P_LATENCY] >= 0:
        ns = sample(dist, distF, points, policies[p, P_LATENCY], key, base)
    if policies[p, P_CROSS_ZONE] > 0:
        zone = sites[c, C_ZONE]
        if origin >= 0:
            zone = replicas[origin, RP_ZONE]
        there = replicas[r, RP_ZONE]
        if zone >= 0 and there >= 0 and zone != there:
            ns += policies[p, P_CROSS_ZONE]
    return ns


@law
def loss(w, c, r):
    """Probability that a message between site `c` and replica `r` is lost one way."""
    sites = t.sites(w)
    policiesF = t.policiesF(w)
    site_faults = t.site_faults(w)
    faults = t.faults(w)
    faultsF = t.faultsF(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    keep = 1.0 - policiesF[sites[c, C_POLICY], PF_LOSS]
    first = sites[c, C_FAULTS]
    for at in range(first, first + sites[c, C_N_FAULTS]):
        f = site_faults[at]
        if fstate[f, FS_ACTIVE] != 0 and struck[f, r] != 0:
            keep = kept(keep, faults[f, F_KIND], faultsF[f, FF_VALUE])
    return 1.0 - keep


@law
def refused(w, c, r):
    """Whether a connection from site `c` to replica `r` is refused at once."""
    sites = t.sites(w)
    site_faults = t.site_faults(w)
    faults = t.faults(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    first = sites[c, C_FAULTS]
    for at in range(first, first + sites[c, C_N_FAULTS]):
        f = site_faults[at]
        if (
            (faults[f, F_KIND] == FAULT_REFUSE or faults[f, F_KIND] == FAULT_RESET)
            and fstate[f, FS_ACTIVE] != 0
            and struck[f, r] != 0
        ):
            return True
    return False


@law
def fault_latency(w, a, c, r):
    """What latency faults add to the way there of attempt `a`, in ns."""
    st = t.st(w)
    sites = t.sites(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    site_faults = t.site_faults(w)
    faults = t.faults(w)
    fault_keys = t.fault_keys(w)
    fstate = t.fstate(w)
    struck = t.struck(w)
    ns = 0
    first = sites[c, C_FAULTS]
    for at in range(first, first + sites[c, C_N_FAULTS]):
        f = site_faults[at]
        if faults[f, F_KIND] == FAULT_LATENCY and fstate[f, FS_ACTIVE] != 0 and struck[f, r] != 0:
            ns += sample(dist, distF, points, faults[f, F_DIST], derive(st[a, ST_KEY], fault_keys[f]), 0)
    return ns
