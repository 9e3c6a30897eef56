"""The laws under the names this engine uses, as whole Python numbers whether they are compiled or not.

SimPy's heap holds Python ints. Compiled laws return them already; with the JIT off a law returns numpy
scalars, which are converted here, in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import numba

from sysim.record import counters, histogram, meter, monitor
from sysim.semantics import (
    arrivals,
    backoff,
    balancer,
    budget,
    causes,
    circuit_breaker,
    digest,
    disturbance,
    rate_limit,
    rng,
    rollout,
    sampling,
    scopes,
    sharing,
    stays,
    worktime,
)

_config: Any = numba.config
INTERPRETED: Final = bool(_config.DISABLE_JIT)


def _whole(law: Callable[..., Any]) -> Callable[..., int]:
    if not INTERPRETED:
        return law

    @wraps(law)
    def converted(*arguments: Any) -> int:
        return int(law(*arguments))

    return converted


derive = _whole(rng.derive)
uniform = rng.uniform
note = _whole(digest.note)
chain = _whole(digest.chain)
sample = _whole(sampling.sample)

arrival_row = _whole(arrivals.seek)
arrival_instant = _whole(arrivals.instant)
exponential = arrivals.exponential
first_state = arrivals.first_state
modulated_instant = _whole(arrivals.modulated_instant)
batch_size = _whole(arrivals.batch_size)

stay_at = _whole(stays.stay_at)
stays_until = stays.stays_until
next_stay = _whole(stays.next_stay)

scaled = _whole(worktime.scaled)
rescaled = _whole(worktime.rescaled)
with_concurrency = _whole(worktime.with_concurrency)
share_rate = sharing.rate
share_advance = _whole(sharing.advance)
share_due_in = _whole(sharing.due_in)
share_in_use = _whole(sharing.in_use)

stands_still = disturbance.stands_still
slowed = disturbance.slowed
shrunk = disturbance.shrunk
kept = disturbance.kept
struck = _whole(disturbance.struck)

breaker_acquire = _whole(circuit_breaker.acquire)
breaker_record = _whole(circuit_breaker.record)
breaker_release = circuit_breaker.release
rate_acquire = _whole(rate_limit.acquire)
pick = _whole(balancer.pick)
backoff_delay = _whole(backoff.delay)
budget_tried = budget.tried
budget_succeeded = budget.succeeded
budget_allow = _whole(budget.allow)
scope_reset = scopes.reset
cause = _whole(causes.cause)
through_breaker = _whole(causes.through_breaker)
with_circumstance = _whole(causes.with_circumstance)
mechanism_of = _whole(causes.mechanism_of)
has_cause = causes.has_cause
known_to_visit = causes.known_to_visit
n_causes = _whole(causes.causes)
failure = _whole(causes.failure)

touch = counters.touch
pay = counters.pay
peak = counters.peak
queue_full = counters.queue_full
request_ended = counters.request_ended
visit_ended = counters.visit_ended
wasted = counters.wasted
call_ended = counters.call_ended
attempt_ended = counters.attempt_ended
breaker_opened = counters.breaker_opened
breaker_closed = counters.breaker_closed
transition = _whole(counters.transition)
observe = histogram.add
look = monitor.look
weigh = _whole(meter.weigh)
surge = _whole(rollout.surge)
unavailable = _whole(rollout.unavailable)
may_start = _whole(rollout.may_start)
may_drop_unready = _whole(rollout.may_drop_unready)
may_drop = _whole(rollout.may_drop)
