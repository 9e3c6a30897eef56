"""Service level objectives: what a load is promised, and when people are called because it is not kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from sysim.model.action import MOST_LOOKS
from sysim.model.values import Duration, Model, Name, PositiveDuration, PositiveFactor

MINUTE = 60_000_000_000

Goal = Annotated[float, Field(gt=0, lt=1)]


class Alert(Model):
    """Fires where the error budget has burnt `burn` times as fast as it may, over the last `long` and `short` ns.

    It is looked at every `every` ns. Before time 0 the load is taken to have been as it was on average since, without
    a failure.
    """

    burn: PositiveFactor = 14.4
    long: PositiveDuration = 60 * MINUTE
    short: PositiveDuration = 5 * MINUTE
    every: PositiveDuration = 30_000_000_000

    @model_validator(mode="after")
    def _few_looks(self) -> Alert:
        if self.short > self.long:
            raise ValueError("found a short window longer than the long one")
        looks = -(-self.long // self.every)
        if looks > MOST_LOOKS:
            raise ValueError(
                f"found a window of {looks} looks, expected at most {MOST_LOOKS}: a longer `every` or a shorter `long`"
            )
        return self


class Slo(Model):
    """Of the requests of `load` a share `success` succeeds, and a share `quantile` of these within `limit` ns.

    The error budget, what may go wrong, is counted over `period` ns. Conditions can wait for its `alert`.
    """

    load: Name
    success: Goal | None = None
    quantile: Goal | None = None
    limit: PositiveDuration | None = None
    period: Duration = 30 * 24 * 60 * MINUTE
    alert: Alert | None = None


__all__ = ["Alert", "Slo"]
