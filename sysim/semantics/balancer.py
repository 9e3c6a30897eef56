"""Choosing a replica for an attempt.

Candidates are the replicas that serve (they are up, and not drained); those that the call has not tried (a bit
a replica, number modulo 62) are preferred where there are any. Round robin goes on from where it stopped; random
takes any; least request draws a few with replacement and takes the one with the fewest requests outstanding from
this caller, on a tie the one drawn first; least outstanding looks at all and breaks ties at random.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    BALANCE_LEAST_OUTSTANDING,
    BALANCE_LEAST_REQUEST,
    BALANCE_ROUND_ROBIN,
    K_KEY,
    K_OUT,
    K_ROBIN,
    P_BALANCER,
    P_CHOICES,
)
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import uniform
from sysim.semantics.salts import X_PICK

_BITS = 62


@inlined_law
def pick(scope, k, policies, p, serves, first, n, outstanding, tried, key):
    """The local number of the chosen one of replicas first .. first + n - 1, -1 if none serves."""
    if n == 1:
        return 0 if serves[first] != 0 else -1
    return _pick(scope, k, policies, p, serves, first, n, outstanding, tried, key)


@law
def _pick(scope, k, policies, p, serves, first, n, outstanding, tried, key):
    avoid = np.int64(tried)
    fresh = np.int64(0)
    there = np.int64(0)
    for i in range(n):
        if serves[first + i] != 0:
            there += 1
            fresh += 1 - ((avoid >> (i % _BITS)) & 1)
    if there == 0:
        return -1
    if fresh == 0:
        avoid = np.int64(0)  # all have been tried
        fresh = there
    how = policies[p, P_BALANCER]
    if how == BALANCE_ROUND_ROBIN:
        i = scope[k, K_ROBIN]
        while serves[first + i] == 0 or ((avoid >> (i % _BITS)) & 1) != 0:
            i = i + 1 if i + 1 < n else 0
        scope[k, K_ROBIN] = i + 1 if i + 1 < n else 0
        return i
    if how == BALANCE_LEAST_REQUEST:
        choices = policies[p, P_CHOICES]
        return _fewest_of_some(scope[k, K_OUT], choices, serves, first, n, outstanding, avoid, fresh, key)
    if how == BALANCE_LEAST_OUTSTANDING:
        return _fewest_of_all(scope[k, K_OUT], serves, first, n, outstanding, avoid, key)
    return _nth(serves, first, n, avoid, _index(key, X_PICK, fresh))


@law
def reset(scope, k, n):
    """Make the balancer new: round robin among `n` replicas begins where the identity of the scope says."""
    scope[k, K_ROBIN] = min(max(n - 1, 0), np.int64(uniform(scope[k, K_KEY], 0) * n))


@law
def _index(key, at, count):
    """A whole number below `count`, by uniform `at`."""
    return min(count - 1, np.int64(uniform(key, at) * count))


@law
def _nth(serves, first, n, avoid, index):
    """Candidate number `index` from 0."""
    for i in range(n):
        if serves[first + i] != 0 and ((avoid >> (i % _BITS)) & 1) == 0:
            if index == 0:
                return i
            index -= 1
    return -1


@law
def _fewest_of_some(out, choices, serves, first, n, outstanding, avoid, fresh, key):
    best = _nth(serves, first, n, avoid, _index(key, X_PICK, fresh))
    if out < 0:
        return best
    for j in range(1, choices):
        other = _nth(serves, first, n, avoid, _index(key, X_PICK + j, fresh))
        if outstanding[out + other] < outstanding[out + best]:
            best = other
    return best


@law
def _fewest_of_all(out, serves, first, n, outstanding, avoid, key):
    fewest = np.int64(-1)
    ties = 0
    for i in range(n):
        if serves[first + i] != 0 and ((avoid >> (i % _BITS)) & 1) == 0:
            load = outstanding[out + i] if out >= 0 else np.int64(0)
            if fewest < 0 or load < fewest:
                fewest = load
                ties = 1
            elif load == fewest:
                ties += 1
    index = _index(key, X_PICK, ties) if ties > 1 else 0
    for i in range(n):
        if serves[first + i] != 0 and ((avoid >> (i % _BITS)) & 1) == 0:
            load = outstanding[out + i] if out >= 0 else np.int64(0)
            if load == fewest:
                if index == 0:
                    return i
                index -= 1
    return -1
