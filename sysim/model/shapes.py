"""Shapes of a rate over elapsed time."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from sysim.model.values import Duration, Instant, Model, PositiveDuration, Rate, Share


class ConstantRate(Model):
    """Always `value` (per second)."""

    kind: Literal["constant"] = "constant"
    value: Rate


class RateStep(Model):
    """From `at` (ns) on, `rate` (per second)."""

    at: Instant
    rate: Rate


class StepsRate(Model):
    """0 before the first step; each holds until the next, the last for ever. `steps` rise in time."""

    kind: Literal["steps"] = "steps"
    steps: tuple[RateStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> StepsRate:
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if after.at <= before.at:
                raise ValueError("found steps out of order, expected each `at` after the one before")
        return self


class RateStage(Model):
    """Over `duration` (ns), in the file `for`, the rate moves in a straight line to `to` (per second)."""

    duration: Duration
    to: Rate


class StagesRate(Model):
    """Linear ramps, one after the other, beginning at `start` (per second, in the file `from`); the last
    value holds.
    """

    kind: Literal["stages"] = "stages"
    start: Rate = 0.0
    stages: tuple[RateStage, ...] = Field(min_length=1)


class SineRate(Model):
    """mean × (1 + amplitude × sin(2π(t − phase)/period)); `mean` per second, `period` and `phase` in ns."""

    kind: Literal["sine"] = "sine"
    mean: Rate
    amplitude: Share
    period: PositiveDuration
    phase: Duration = 0


class ReplayRate(Model):
    """One arrival at each of `instants` (ns), which never fall; several may be the same."""

    kind: Literal["replay"] = "replay"
    instants: tuple[Instant, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> ReplayRate:
        if any(after < before for before, after in pairwise(self.instants)):
            raise ValueError("found instants out of order, expected none before the one ahead of it")
        return self

    def between(self, start: int, end: int) -> int:
        """How many arrivals come from `start` to before `end` (ns)."""
        return bisect_left(self.instants, end) - bisect_left(self.instants, start)


BaseRate = ConstantRate | StepsRate | StagesRate | SineRate
"""A rate that a calendar can multiply; `kind` tells which."""
