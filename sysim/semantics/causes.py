"""Why an attempt failed, as one number: the mechanism, the call site where it struck, and two circumstances.

Callers see outcomes, and every hop turns one into another: a queue at a database is a timeout to its caller, an
`error` to the caller of that. So each failure carries a *cause* upwards, made where it began. A timeout began where
the attempt was stuck when its caller gave up: engines look for that place. One that waits in a queue, or finds it
full, is stuck where a request is that holds one of the workers it waits for. A replica keeps an eye on `WATCHED` of
those: each worker given in turn asks for one place among them, and gets it if it is free, until the worker is back. So
a place is held as long as a worker is, and the watched are a fair sample of what workers are held for. They ask the one
that has held its worker longest; where that one works itself, the queue is the cause.

A cause is 0 for none, else ``1 + ((circumstances * MECHANISMS + mechanism) * n_sites + site)``. The site names caller,
callee and operation; what happened inside a service is charged to the site through which the request had come.
"""

from __future__ import annotations

from typing import Final

from sysim.plan.tables import (
    BULKHEAD_FULL,
    CANCELLED,
    CIRCUIT_OPEN,
    DEADLINE,
    DEGRADED,
    ERROR,
    LOST,
    OK,
    RATE_LIMITED,
    REJECTED,
    SHED,
    UNREACHABLE,
)
from sysim.semantics.jit import inlined_law, law

M_ERROR: Final = 0  # a step of the operation failed
M_ERROR_FAULT: Final = 1  # an error fault answered
M_QUEUED: Final = 2  # it waited for a worker
M_WORKING: Final = 3  # it was being worked on
M_NETWORK: Final = 4  # it or its answer was on the network, or lost there
M_BULKHEAD_WAIT: Final = 5  # it waited for a permit of the caller's bulkhead
M_REJECTED: Final = 6  # the queue was full
M_SHED: Final = 7  # the service shed it
M_UNREACHABLE: Final = 8  # no replica, or a refused or reset connection
M_LOST: Final = 9  # the replica crashed
M_CIRCUIT_OPEN: Final = 10  # a breaker was open that no failure had opened
M_RATE_LIMITED: Final = 11
M_BULKHEAD_FULL: Final = 12
M_SPENT: Final = 13  # the deadline had passed before the call began
M_TURNED_AWAY: Final = 14  # an operator shed a share of the load
N_MECHANISMS: Final = 16
MECHANISMS: Final = (
    "error",
    "error_fault",
    "queued",
    "working",
    "network",
    "bulkhead_wait",
    "queue_full",
    "shed",
    "unreachable",
    "crashed",
    "circuit_open",
    "rate_limited",
    "bulkhead_full",
    "deadline_spent",
    "turned_away",
)

DISTURBED: Final = 1  # a fault was at work there: the replica paused or slow, the network disturbed
BREAKER: Final = 2  # the failure opened a breaker, which then refused this attempt
BEHIND: Final = 4  # it waited in a queue, or found it full, behind requests that were stuck there
N_CIRCUMSTANCES: Final = 8

WATCHED: Final = 16
MOST_HOPS: Final = 64  # from queue to queue; only a circle of queues is longer


@law
def cause(mechanism, circumstances, site, n_sites):
    """The number of a cause; 0 for a site that is in no plan (site < 0)."""
    if site < 0:
        return 0
    return 1 + (circumstances * N_MECHANISMS + mechanism) * n_sites + site


@law
def with_circumstance(first, circumstance, n_sites):
    """The cause `first` under one more circumstance."""
    block = circumstance * N_MECHANISMS * n_sites
    if (first - 1) // block % 2 != 0:
        return first
    return first + block


@law
def through_breaker(first, site, n_sites):
    """The cause of an attempt that a breaker at `site` refused, after failures the last of which had cause `first`."""
    if first == 0:
        return cause(M_CIRCUIT_OPEN, 0, site, n_sites)
    return with_circumstance(first, BREAKER, n_sites)


@inlined_law
def has_cause(outcome):
    """Whether an attempt that ends so for its caller has failed, and not only been called off."""
    return outcome != OK and outcome != DEGRADED and outcome != CANCELLED


@inlined_law
def known_to_visit(outcome):
    """Whether a visit that ends so knows why: by a call or a step of its own, or by how long it would have waited."""
    return outcome in (ERROR, DEADLINE, REJECTED, SHED)


@law
def mechanism_of(outcome):
    """The mechanism of an attempt that ended with `outcome` where its callee, or its own caller, refused it."""
    if outcome == REJECTED:
        return M_REJECTED
    if outcome == SHED:
        return M_SHED
    if outcome == UNREACHABLE:
        return M_UNREACHABLE
    if outcome == LOST:
        return M_LOST
    if outcome == CIRCUIT_OPEN:
        return M_CIRCUIT_OPEN
    if outcome == RATE_LIMITED:
        return M_RATE_LIMITED
    if outcome == BULKHEAD_FULL:
        return M_BULKHEAD_FULL
    return M_ERROR


@law
def causes(n_sites):
    """How many numbers of causes there are with `n_sites` call sites, that of no cause included."""
    return 1 + N_CIRCUMSTANCES * N_MECHANISMS * n_sites


@law
def failure(row, outcome, first, n_outcomes, n_causes):
    """The number under which failures of one `row` (segment and stream), outcome and cause are counted; not 0."""
    return 1 + (row * n_outcomes + outcome) * n_causes + first
