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


class RateState(Model):
    """One state of a modulated rate: `rate` (per second), and how long it lasts on average, `mean` (ns)."""

    rate: Rate
    mean: PositiveDuration


class ModulatedRate(Model):
    """A rate that jumps between `states`, one after the other and round again; how long each lasts is exponential.

    With Poisson arrivals: a Markov-modulated Poisson process. It begins in a state drawn by the share of time that each
    has, so that it is stationary from time 0 on.
    """

    kind: Literal["modulated"] = "modulated"
    states: tuple[RateState, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _something_comes(self) -> ModulatedRate:
        if not any(state.rate > 0.0 for state in self.states):
            raise ValueError("found no state with a rate above 0, expected at least one")
        return self

    @property
    def mean(self) -> float:
        """The long-run mean rate (per second): the rates weighted by the mean times in their states."""
        whole = sum(state.mean for state in self.states)
        return sum(state.rate * state.mean for state in self.states) / whole


BaseRate = ConstantRate | StepsRate | StagesRate | SineRate
"""A rate that a calendar can multiply; `kind` tells which."""
