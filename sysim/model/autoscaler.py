"""How the number of a service's replicas follows its load, or the clock."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from sysim.model.values import Duration, Instant, Model, PositiveCount, PositiveDuration, PositiveFactor, Share

MOST_RECOMMENDATIONS: Final = 10_000
"""The most looks that `stabilise` can cover: each is remembered."""


class Autoscaler(Model):
    """Looks every `every` ns at the mean of `metric` since the last look, and brings it to `target`.

    `target` is a share in 0..1 of the workers (`utilisation`) or the cores (`cpu`) of the replicas that are ready, or a
    number of requests on each (`in_progress`). There are `min` to `max` replicas. Within `tolerance`, a share of the
    target, nothing changes; the greatest recommendation of the last `stabilise` ns holds; one look adds at most the
    share `max_increase` of the replicas there are, or four.
    """

    metric: Literal["utilisation", "cpu", "in_progress"] = "utilisation"
    target: PositiveFactor
    every: PositiveDuration = 15_000_000_000
    min: PositiveCount = 1
    max: PositiveCount
    tolerance: Share = 0.1
    stabilise: Duration = 300_000_000_000
    max_increase: PositiveFactor = 1.0

    @model_validator(mode="after")
    def _can_be_met(self) -> Autoscaler:
        if self.min > self.max:
            raise ValueError(f"found min {self.min} above max {self.max}, expected it to be below")
        if self.metric != "in_progress" and self.target > 1.0:
            raise ValueError(f"found a target of {self.target:g} for {self.metric}, expected a share such as 60%")
        if self.looks > MOST_RECOMMENDATIONS:
            raise ValueError(
                f"found {self.looks} looks within stabilise, expected at most {MOST_RECOMMENDATIONS}: a longer `every`"
            )
        return self

    @property
    def never_grows(self) -> bool:
        """Whether the target, with its tolerance, is more than workers or cores can show."""
        return self.metric != "in_progress" and self.target * (1.0 + self.tolerance) >= 1.0

    @property
    def looks(self) -> int:
        """How many looks, the present one included, lie within `stabilise`."""
        return self.stabilise // self.every + 1


class ScheduleLine(Model):
    """From `at` (ns) on, and again after each `every` ns, there are `replicas`, or beside an autoscaler at least so
    many.
    """

    at: Instant
    replicas: PositiveCount
    every: PositiveDuration | None = Field(default=None)


__all__ = ["MOST_RECOMMENDATIONS", "Autoscaler", "ScheduleLine"]
