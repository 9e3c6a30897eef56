"""Tables with a few rows, as the laws want them."""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    D_A,
    D_B,
    D_CAP,
    D_CONST,
    D_COUNT,
    D_FIRST,
    D_KIND,
    K_OUT,
    N_D,
    N_DF,
    N_K,
    N_P,
    N_PF,
    NEVER,
    NONE,
    P_BREAKER,
    P_BREAKER_CALLS,
    P_BREAKER_HALF_OPEN,
    P_BREAKER_MINIMUM,
    P_BREAKER_OPEN_FOR,
    P_BREAKER_SLOW,
    P_BREAKER_TIME,
    P_BUDGET,
    P_WINDOW_LEN,
    PF_BREAKER_FAILURES,
    PF_BREAKER_SLOW,
)
from sysim.semantics import budget, circuit_breaker
from sysim.semantics.kinds import ring_length

SECOND = 1_000_000_000


def distributions(*rows, points=((0.0, 0.0),)):
    """dist, distF, points; a row is (kind, A, B) or (kind, first point, count), {column: …} more."""
    dist = np.zeros((len(rows), N_D), np.int64)
    dist_f = np.zeros((len(rows), N_DF), np.float64)
    dist[:, D_CAP] = NEVER
    dist[:, D_CONST] = NONE
    for i, (kind, a, b, *more) in enumerate(rows):
        dist[i, D_KIND] = kind
        dist_f[i, D_A] = a
        dist_f[i, D_B] = b
        if float(a).is_integer() and float(b).is_integer():
            dist[i, D_FIRST] = int(a)
            dist[i, D_COUNT] = int(b)
        for columns in more:
            for column, value in columns.items():
                dist[i, column] = value
    return dist, dist_f, np.array(points, np.float64)


class Scope:
    """One policy and one row of its state."""

    def __init__(self, columns=None, columns_f=None, now=0, rows=1):
        self.policies = np.zeros((1, N_P), np.int64)
        self.policies_f = np.zeros((1, N_PF), np.float64)
        for column, value in (columns or {}).items():
            self.policies[0, column] = value
        for column, value in (columns_f or {}).items():
            self.policies_f[0, column] = value
        self.scope = np.zeros((rows, N_K), np.int64)
        self.scope[:, K_OUT] = NONE
        p = self.policies[0]
        length = ring_length(p[P_BREAKER], p[P_BREAKER_CALLS], p[P_BREAKER_TIME], p[P_BUDGET] == 1)
        self.policies[0, P_WINDOW_LEN] = length
        self.ring = np.full(length, -7, np.int64)
        arguments = (self.scope, 0, self.ring, self.policies, self.policies_f, 0, now)
        circuit_breaker.reset(*arguments)
        budget.reset(*arguments)

    def __getitem__(self, column):
        return int(self.scope[0, column])

    def acquire(self, now=0):
        return circuit_breaker.acquire(self.scope, 0, self.policies, 0, now)

    def record(self, failed, now=0, duration=0):
        arguments = (self.scope, 0, self.ring, self.policies, self.policies_f, 0, now, int(failed), duration)
        return circuit_breaker.record(*arguments)

    def release(self):
        circuit_breaker.release(self.scope, 0)

    def budget(self, law, now=0):
        return law(self.scope, 0, self.ring, self.policies, self.policies_f, 0, now)


def breaker(
    calls=10, minimum=5, failures=0.5, time=0, half_open=3, open_for=SECOND, slow=NEVER, slow_rate=2.0, **more
):
    """A scope with a circuit breaker."""
    columns = {
        P_BREAKER: 1,
        P_BREAKER_CALLS: calls,
        P_BREAKER_TIME: time,
        P_BREAKER_MINIMUM: minimum,
        P_BREAKER_OPEN_FOR: open_for,
        P_BREAKER_HALF_OPEN: half_open,
        P_BREAKER_SLOW: slow,
    }
    return Scope(columns, {PF_BREAKER_FAILURES: failures, PF_BREAKER_SLOW: slow_rate}, **more)
