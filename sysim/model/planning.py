"""What a capacity plan is asked for: which services may grow, what must hold, and what may be broken meanwhile."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sysim.model.values import Model, Name, PositiveCount, PositiveFactor
from sysim.model.window import Window


class NoFailure(Model):
    """Nothing breaks but what the file itself breaks."""

    kind: Literal["none"] = "none"


class ReplicaLoss(Model):
    """Every service with several replicas loses one, all at the same moment: this covers the loss of any single one."""

    kind: Literal["replica"] = "replica"


class ZoneLoss(Model):
    """A zone is lost for good. `zone` None stands for each zone in turn: the plan must hold whichever it is."""

    kind: Literal["zone"] = "zone"
    zone: Name | None = None


class SlowService(Model):
    """The work of `service` takes `times` times as long; None stands for each external service in turn."""

    kind: Literal["slow"] = "slow"
    service: Name | None = None
    times: PositiveFactor = 5.0


Assumption = Annotated[NoFailure | ReplicaLoss | ZoneLoss | SlowService, Field(discriminator="kind")]


class SizeRange(Model):
    """From `least` to `most` replicas."""

    least: PositiveCount = 1
    most: PositiveCount

    @model_validator(mode="after")
    def _in_order(self) -> SizeRange:
        if self.most < self.least:
            raise ValueError(f"found at most {self.most} and at least {self.least} replicas, expected a range")
        return self


class Planning(Model):
    """The section `planning` of a file; what is left out is chosen by `sysim plan`.

    `services` are those whose replicas may change, and how far; empty stands for all that do work of ours. `slos` are
    names of objectives, empty for all of them. `window` (ns) is the stretch of the run that is judged, None for the
    busiest minutes of it.
    """

    services: dict[Name, SizeRange] = Field(default_factory=dict)
    assume: tuple[Assumption, ...] = (NoFailure(),)
    slos: tuple[Name, ...] = ()
    window: Window | None = None
    minimise: Literal["cost", "replicas"] = "cost"
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


__all__ = ["Assumption", "NoFailure", "Planning", "ReplicaLoss", "SizeRange", "SlowService", "ZoneLoss"]
