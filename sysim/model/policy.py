"""Call policies: what a caller does around a call, as an ordered pipeline, outermost first.

fallback › deadline › retry › hedge › circuit_breaker › rate_limit › timeout › bulkhead › balancer › network.
Absent means absent: a stage that is None does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sysim.model.balancing import BalancerLike, RoundRobin
from sysim.model.distribution import DistributionLike
from sysim.model.values import (
    Duration,
    Factor,
    FailureOutcome,
    Model,
    Name,
    PositiveCount,
    PositiveDuration,
    PositiveFactor,
    PositiveRate,
    PositiveShare,
    Share,
)
from sysim.units import duration

if TYPE_CHECKING:
    from sysim.model.topology import Step

RETRIED: tuple[FailureOutcome, ...] = ("error", "timeout", "rejected", "shed", "unreachable", "lost")
"""The outcomes a retry acts on unless told otherwise."""

FALLEN_BACK: tuple[FailureOutcome, ...] = (
    *RETRIED, "circuit_open", "rate_limited", "bulkhead_full", "deadline",
)  # fmt: skip
"""The outcomes a fallback acts on unless told otherwise."""

Jitter = Literal["none", "full", "equal", "decorrelated"]


class Deadline(Model):
    """The whole call with its retries ends `after` (ns); with `propagate` every call below shares the
    instant.
    """

    after: PositiveDuration
    propagate: bool = False


class ExponentialBackoff(Model):
    """Back-off of `initial` × `multiplier`^n, at most `max` (ns). A float `jitter` is a share around the
    value.
    """

    kind: Literal["exponential"] = "exponential"
    initial: Duration
    multiplier: PositiveFactor = 2.0
    max: Duration | None = None
    jitter: Jitter | Share = "none"

    @model_validator(mode="after")
    def _bounded(self) -> ExponentialBackoff:
        if self.max is not None and self.max < self.initial:
            raise ValueError("found a max below the initial back-off, expected max of at least initial")
        return self


class ConstantBackoff(Model):
    """The same back-off of `value` (ns) every time; `jitter` as in `ExponentialBackoff`."""

    kind: Literal["constant"] = "constant"
    value: Duration
    jitter: Jitter | Share = "none"


Backoff = ExponentialBackoff | ConstantBackoff


class RatioBudget(Model):
    """Over the trailing `window` (ns): at most `ratio` × first tries + `min_per_second` × window retries."""

    kind: Literal["ratio"] = "ratio"
    ratio: Factor
    min_per_second: Factor = 0.0
    window: PositiveDuration = 10_000_000_000


class BucketBudget(Model):
    """A bucket, full at the start: a retry takes `cost` tokens, each request or success puts `deposit`
    back.
    """

    kind: Literal["bucket"] = "bucket"
    tokens: PositiveFactor
    deposit: Factor = 0.1
    cost: PositiveFactor = 1.0
    deposit_on: Literal["request", "success"] = "request"


RetryBudget = RatioBudget | BucketBudget


class Retry(Model):
    """Tries again, `max_attempts` in all, after an outcome in `on`; without `backoff` at once, without
    `budget` always.
    """

    max_attempts: PositiveCount = 3
    on: tuple[FailureOutcome, ...] = RETRIED
    backoff: Annotated[Backoff, Field(discriminator="kind")] | None = None
    budget: Annotated[RetryBudget, Field(discriminator="kind")] | None = None


class Hedge(Model):
    """A further attempt each `delay` (ns) while none has answered, `max_attempts` in all; the first
    success wins.
    """

    delay: Duration
    max_attempts: PositiveCount = 2
    cancel_losers: bool = False


class CallWindow(Model):
    """The last `calls` outcomes."""

    kind: Literal["calls"] = "calls"
    calls: PositiveCount


class TimeWindow(Model):
    """The outcomes of the last `time` (ns)."""

    kind: Literal["time"] = "time"
    time: PositiveDuration


class CircuitBreaker(Model):
    """Opens when, over `window` and from `minimum_calls` on, the share of failures reaches `failure_rate`.

    Also when the share of calls slower than `slow_call_duration` (ns) reaches `slow_call_rate`. It stays
    open for `open_for` (ns), then lets `half_open_calls` probes through and judges by them.
    """

    failure_rate: PositiveShare = 0.5
    window: Annotated[CallWindow | TimeWindow, Field(discriminator="kind")] = CallWindow(calls=100)
    minimum_calls: PositiveCount = 100
    open_for: PositiveDuration = 60_000_000_000
    half_open_calls: PositiveCount = 10
    slow_call_rate: PositiveShare | None = None
    slow_call_duration: PositiveDuration | None = None

    @model_validator(mode="after")
    def _slow_pair(self) -> CircuitBreaker:
        if (self.slow_call_rate is None) != (self.slow_call_duration is None):
            given = "slow_call_rate" if self.slow_call_duration is None else "slow_call_duration"
            raise ValueError(f"found only {given}, expected slow_call_rate and slow_call_duration together")
        return self


class RateLimit(Model):
    """A token bucket, full at the start: `rate` tokens a second, at most `burst` of them."""

    rate: PositiveRate
    burst: PositiveCount = 1


class Bulkhead(Model):
    """At most `max_concurrent` attempts at a time; another one waits at most `max_wait` (ns) for its turn."""

    max_concurrent: PositiveCount
    max_wait: Duration = 0


class Network(Model):
    """Drawn for each way: `latency`, plus `cross_zone` between different zones, and `loss` in 0..1."""

    latency: DistributionLike | None = None
    cross_zone: DistributionLike | None = None
    loss: Share = 0.0


class Fallback(Model):
    """After an outcome in `on`, `latency` and then `steps` are run instead; a success is `degraded`."""

    on: tuple[FailureOutcome, ...] = FALLEN_BACK
    latency: DistributionLike | None = None
    steps: tuple[Step, ...] = ()


def _deadline(value: Any) -> Any:
    return Deadline(after=duration(value)) if isinstance(value, str) else value


class Impatience(Model):
    """What people do who wait, drawn for each of them anew.

    After `patience` the whole call ends as `deadline`: they leave. After `reload_after` an attempt ends as `timeout`,
    and where there is a retry they ask again. In a share `give_up` (0..1) of the cases in which they could they do not.
    """

    patience: DistributionLike | None = None
    reload_after: DistributionLike | None = None
    give_up: Share = 0.0


class CallPolicy(Model):
    """Everything a caller does around a call. State is one per (caller replica or client, `scope`, called
    service).

    A policy of the file's `policies` has a `name`. An inline one has the `place` where it is written; two
    calls that got theirs from one place (the default, or a load's own) carry the same. One made in code
    has neither: then every step that carries it is a place of its own.
    """

    name: Name | None = None
    place: str | None = None
    timeout: PositiveDuration | None = None
    deadline: Annotated[Deadline | None, BeforeValidator(_deadline)] = None
    cancel: bool = False
    retry: Retry | None = None
    hedge: Hedge | None = None
    circuit_breaker: CircuitBreaker | None = None
    rate_limit: RateLimit | None = None
    bulkhead: Bulkhead | None = None
    balancer: BalancerLike = RoundRobin()
    network: Network | None = None
    fallback: Fallback | None = None
    impatience: Impatience | None = None

    @property
    def ends(self) -> bool:
        """Whether a call ends by itself, whatever its callee does."""
        drawn = self.impatience
        own = self.timeout is not None or self.deadline is not None
        return own or (drawn is not None and (drawn.patience or drawn.reload_after) is not None)

    @property
    def scope(self) -> str | None:
        """What names this policy's state: its name, else the place where it is written, else None."""
        return self.name if self.name is not None else self.place


__all__ = [
    "FALLEN_BACK", "RETRIED", "Backoff", "BucketBudget", "Bulkhead", "CallPolicy", "CallWindow",
    "CircuitBreaker", "ConstantBackoff", "Deadline", "ExponentialBackoff", "Fallback", "Hedge",
    "Impatience", "Jitter",
    "Network", "RateLimit", "RatioBudget", "Retry", "RetryBudget", "TimeWindow",
]  # fmt: skip
