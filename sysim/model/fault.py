"""Faults: what breaks, where, when and for how long."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sysim.model.distribution import DistributionLike
from sysim.model.values import (
    Duration,
    Instant,
    Model,
    Name,
    PositiveCount,
    PositiveFactor,
    PositiveShare,
    Share,
)


class ServiceTarget(Model):
    """All replicas of `service`."""

    kind: Literal["service"] = "service"
    service: Name


class OperationTarget(Model):
    """Requests of one `operation` of `service`."""

    kind: Literal["operation"] = "operation"
    service: Name
    operation: Name


class ZoneTarget(Model):
    """Every replica in `zone`, of whatever service."""

    kind: Literal["zone"] = "zone"
    zone: Name


class EdgeTarget(Model):
    """Attempts from `caller` (a service or a load) to `callee` (a service), each narrowed by an operation
    if given.
    """

    kind: Literal["edge"] = "edge"
    caller: Name
    caller_operation: Name | None = None
    callee: Name
    callee_operation: Name | None = None


FaultTarget = ServiceTarget | OperationTarget | ZoneTarget | EdgeTarget


class PauseFault(Model):
    """Nothing starts or goes on; requests are still accepted and queued."""

    kind: Literal["pause"] = "pause"


class SlowdownFault(Model):
    """Work takes `factor` times as long."""

    kind: Literal["slowdown"] = "slowdown"
    factor: PositiveFactor


class CapacityFault(Model):
    """Only a `share` in 0..1 of the cores is left; without cores the same as a slowdown of 1/share."""

    kind: Literal["capacity"] = "capacity"
    share: PositiveShare


class LatencyFault(Model):
    """`latency` more on the way to the callee, drawn once for each attempt."""

    kind: Literal["latency"] = "latency"
    latency: DistributionLike


class ErrorFault(Model):
    """A `share` in 0..1 of the attempts answers `error`: at once, or after all its work with `after_work`."""

    kind: Literal["error"] = "error"
    share: Share
    after_work: bool = False


class CrashFault(Model):
    """Replicas die with all they hold. Restart begins `restart_after` (ns), else when the fault ends.

    Balancers skip a dead replica once `detection` (ns) has passed.
    """

    kind: Literal["crash"] = "crash"
    restart_after: Duration | None = None
    detection: Duration = 0


class BlackholeFault(Model):
    """Everything is lost, both ways, replies on their way included."""

    kind: Literal["blackhole"] = "blackhole"


class RefuseFault(Model):
    """New attempts are `unreachable` at once."""

    kind: Literal["refuse"] = "refuse"


class ResetFault(Model):
    """New attempts and those in flight are `unreachable` at once."""

    kind: Literal["reset"] = "reset"


class LossFault(Model):
    """A `share` in 0..1 of the messages is lost, each way on its own."""

    kind: Literal["loss"] = "loss"
    share: Share


Effect = (
    PauseFault | SlowdownFault | CapacityFault | LatencyFault | ErrorFault
    | CrashFault | BlackholeFault | RefuseFault | ResetFault | LossFault
)  # fmt: skip
"""What a fault does; `kind` tells which."""


class Fault(Model):
    """One fault, of one `effect`, on all of `on` together.

    It begins at `at` (ns) and holds for `lasts`, in the file `for` (None: to the end). With `every` it
    comes back for ever: `every` is the up time, counted from time 0 (or from `at`) and then from the end
    of the last one.
    `replicas` or `replica_share` (rounded up) strikes only the lowest-numbered ready replicas, `zone` only
    those in the zone. With ``each="replica"`` every replica has its own occurrences. At `until` (ns) it is over
    at the latest, and does not come back: somebody has taken back what caused it. Files do not say that, studies do.
    """

    name: Name | None = None
    on: tuple[Annotated[FaultTarget, Field(discriminator="kind")], ...] = Field(min_length=1)
    effect: Annotated[Effect, Field(discriminator="kind")]
    at: Instant | None = None
    lasts: DistributionLike | None = None
    every: DistributionLike | None = None
    replicas: PositiveCount | None = None
    replica_share: PositiveShare | None = None
    zone: Name | None = None
    each: Literal["replica"] | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _has_a_beginning(self) -> Fault:
        if self.at is None and self.every is None:
            raise ValueError("found neither `at` nor `every`, expected at least one of them")
        if self.every is not None and self.lasts is None and self.effect.kind != "crash":
            raise ValueError("found `every` without `for`, expected how long each occurrence lasts")
        if self.replicas is not None and self.replica_share is not None:
            raise ValueError("found a number and a share of replicas, expected one of them")
        return self
