"""The circuit breaker, by the rules of resilience4j.

::

              a record makes a rate reach its threshold
      CLOSED ------------------------------------------> OPEN <--------------------+
        ^                                                 |                        |
        |                                                 | the first acquire      | too many probes
        |                                                 | after K_OPEN_UNTIL     | failed or were slow
        |            enough probes were good              v                        |
        +------------------------------------------- HALF_OPEN --------------------+

- A rate is judged after every record, a success included, as soon as the window holds the minimum number of
  calls (count window: no more than it can hold). Both thresholds are reached by equality; a call is slow when
  it took strictly longer than the limit.
- OPEN refuses until strictly after K_OPEN_UNTIL. There is no timer: without traffic it stays open, and the
  call that finds the time over is the first probe.
- HALF_OPEN admits so many probes and gives no permit back when one completes; it decides as soon as the
  minimum number of calls (at most the number of probes) is recorded. A result counts in the state that it
  meets, so a late one from before the trip may decide here.
- Results that meet OPEN are without effect: its window is never read again, HALF_OPEN and CLOSED begin with
  empty ones.
- A count window never ages. A time window forgets slot by slot, see ``windows.py``.

An operator may hold it open (it refuses all) or closed (it admits all); meanwhile its state and window stand still.

The counters K_TOTAL, K_FAILED and K_SLOW are those of the current window. CLOSED keeps it in ``ring``:
a count window the last calls (bits: 1 failed, 2 slow; K_HEAD next place, K_FILLED places used), a time window
its slots (K_HEAD number of the newest). HALF_OPEN needs no ring; its K_FILLED is the number of probes.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN,
    BREAKER_OPEN,
    FORCE_AUTO,
    FORCE_NONE,
    FORCE_OPEN,
    K_FAILED,
    K_FILLED,
    K_HEAD,
    K_OPEN_UNTIL,
    K_PERMITS,
    K_RING,
    K_SINCE,
    K_SLOW,
    K_STATE,
    K_TOTAL,
    P_BREAKER,
    P_BREAKER_CALLS,
    P_BREAKER_HALF_OPEN,
    P_BREAKER_MINIMUM,
    P_BREAKER_OPEN_FOR,
    P_BREAKER_SLOW,
    P_BREAKER_TIME,
    PF_BREAKER_FAILURES,
    PF_BREAKER_SLOW,
)
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.kinds import BREAKER_WORDS, ring_length
from sysim.semantics.windows import breaker_slots, breaker_width, breaker_words

__all__ = ["acquire", "record", "release", "reset", "ring_length"]

_ALMOST_ONE = 1.0 - 1e-12  # a share such as 33.3% may have been rounded up when it was read


@inlined_law
def acquire(scope, k, policies, p, now):
    """Ask to send an attempt: 0 refused, 1 admitted, 2 admitted and the breaker has become half-open."""
    how = policies[p, P_BREAKER]
    if how == FORCE_NONE or (how == FORCE_AUTO and scope[k, K_STATE] == BREAKER_CLOSED):
        return 1
    return _acquire(scope, k, policies, p, now)


@law
def _acquire(scope, k, policies, p, now):
    if policies[p, P_BREAKER] != FORCE_AUTO:
        return 0 if policies[p, P_BREAKER] == FORCE_OPEN else 1
    if scope[k, K_STATE] == BREAKER_OPEN:
        if now <= scope[k, K_OPEN_UNTIL]:
            return 0
        probes = policies[p, P_BREAKER_HALF_OPEN]
        scope[k, K_STATE] = BREAKER_HALF_OPEN
        scope[k, K_PERMITS] = probes - 1
        scope[k, K_FILLED] = probes
        _forget(scope, k)
        return 2
    if scope[k, K_PERMITS] > 0:
        scope[k, K_PERMITS] -= 1
        return 1
    return 0


@inlined_law
def record(scope, k, ring, policies, policiesF, p, now, failed, duration):
    """Note the result of an attempt that was admitted; the new state if it changed, else -1."""
    if policies[p, P_BREAKER] != FORCE_AUTO or scope[k, K_STATE] == BREAKER_OPEN:
        return -1
    return _record(scope, k, ring, policies, policiesF, p, now, failed, duration)


@law
def _record(scope, k, ring, policies, policiesF, p, now, failed, duration):
    bad = 1 if failed else 0
    slow = 1 if duration > policies[p, P_BREAKER_SLOW] else 0
    half_open = scope[k, K_STATE] == BREAKER_HALF_OPEN
    enough = policies[p, P_BREAKER_MINIMUM]
    if half_open:
        enough = min(enough, policies[p, P_BREAKER_HALF_OPEN])
    elif policies[p, P_BREAKER_TIME] > 0:
        _count_in_slot(scope, k, ring, policies[p, P_BREAKER_TIME], now, bad, slow)
    else:
        enough = min(enough, policies[p, P_BREAKER_CALLS])
        _make_room(scope, k, ring, policies[p, P_BREAKER_CALLS], bad | (slow << 1))
    scope[k, K_TOTAL] += 1
    scope[k, K_FAILED] += bad
    scope[k, K_SLOW] += slow
    total = scope[k, K_TOTAL]
    if total < enough:
        return -1
    if (
        scope[k, K_FAILED] >= policiesF[p, PF_BREAKER_FAILURES] * total * _ALMOST_ONE
        or scope[k, K_SLOW] >= policiesF[p, PF_BREAKER_SLOW] * total * _ALMOST_ONE
    ):
        if not half_open:
            scope[k, K_SINCE] = now
        scope[k, K_STATE] = BREAKER_OPEN
        scope[k, K_OPEN_UNTIL] = now + policies[p, P_BREAKER_OPEN_FOR]
        return BREAKER_OPEN
    if half_open:
        _close(scope, k, ring, policies, p, now)
        return BREAKER_CLOSED
    return -1


@inlined_law
def release(scope, k):
    """Take back an admission whose attempt has no result: a probe's permit is there again, no extra one."""
    if scope[k, K_STATE] == BREAKER_HALF_OPEN and scope[k, K_PERMITS] < scope[k, K_FILLED]:
        scope[k, K_PERMITS] += 1


@law
def reset(scope, k, ring, policies, policiesF, p, now):
    """Make the breaker new: closed since `now`, with an empty window."""
    scope[k, K_OPEN_UNTIL] = 0
    scope[k, K_PERMITS] = 0
    _close(scope, k, ring, policies, p, now)


@law
def _forget(scope, k):
    scope[k, K_TOTAL] = 0
    scope[k, K_FAILED] = 0
    scope[k, K_SLOW] = 0


@law
def _close(scope, k, ring, policies, p, now):
    """Begin a closed phase with a new window."""
    scope[k, K_STATE] = BREAKER_CLOSED
    scope[k, K_SINCE] = now
    scope[k, K_FILLED] = 0
    scope[k, K_HEAD] = 0
    _forget(scope, k)
    if policies[p, P_BREAKER_TIME] > 0:
        scope[k, K_HEAD] = now // breaker_width(policies[p, P_BREAKER_TIME])
        first = scope[k, K_RING]
        for i in range(first, first + breaker_words(policies, p)):
            ring[i] = 0


@law
def _make_room(scope, k, ring, size, bits):
    """Put `bits` into the count window, and take what they displace out of the counters."""
    at = scope[k, K_RING] + scope[k, K_HEAD]
    if scope[k, K_FILLED] == size:
        scope[k, K_TOTAL] -= 1
        scope[k, K_FAILED] -= ring[at] & 1
        scope[k, K_SLOW] -= ring[at] >> 1
    else:
        scope[k, K_FILLED] += 1
    ring[at] = bits
    scope[k, K_HEAD] = scope[k, K_HEAD] + 1 if scope[k, K_HEAD] + 1 < size else 0


@law
def _count_in_slot(scope, k, ring, window, now, bad, slow):
    """Count into the slot of `now`, and take the slots that left the time window out of the counters."""
    slots = breaker_slots(window)
    first = scope[k, K_RING]
    number = np.int64(now) // breaker_width(window)
    for i in range(max(scope[k, K_HEAD], number - slots) + 1, number + 1):
        at = first + BREAKER_WORDS * (i % slots)
        scope[k, K_TOTAL] -= ring[at]
        scope[k, K_FAILED] -= ring[at + 1]
        scope[k, K_SLOW] -= ring[at + 2]
        ring[at] = 0
        ring[at + 1] = 0
        ring[at + 2] = 0
    scope[k, K_HEAD] = number
    at = first + BREAKER_WORDS * (number % slots)
    ring[at] += 1
    ring[at + 1] += bad
    ring[at + 2] += slow
