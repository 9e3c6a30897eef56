"""Traffic sources: open loads, which send whatever happens, and closed ones, whose users wait for answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from sysim.model.calendar import CalendarRate
from sysim.model.distribution import Constant, DistributionLike
from sysim.model.policy import CallPolicy
from sysim.model.shapes import ConstantRate, ModulatedRate, ReplayRate, SineRate, StagesRate, StepsRate
from sysim.model.topology import StepField, Target
from sysim.model.users import UserStages, UserSteps
from sysim.model.values import (
    Model,
    MoneyField,
    Name,
    PositiveCount,
    PositiveFactor,
    PositiveShare,
)
from sysim.units import rate

RateProfile = ConstantRate | StepsRate | StagesRate | SineRate | CalendarRate | ReplayRate | ModulatedRate
"""Any profile of the rate over time; `kind` tells which."""


class Poisson(Model):
    """Independent arrivals."""

    kind: Literal["poisson"] = "poisson"


class Evenly(Model):
    """An arrival wherever the integrated rate passes 1, 2, 3, …."""

    kind: Literal["evenly"] = "evenly"


class Batch(Model):
    """Poisson instants with several arrivals each; the load's rate counts arrivals, so instants come at
    rate/mean.

    Exactly one of `size` (always so many) and `geometric` (the mean of a geometric size of at least 1) is
    given.
    """

    kind: Literal["batch"] = "batch"
    size: PositiveCount | None = None
    geometric: PositiveFactor | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Batch:
        if (self.size is None) == (self.geometric is None):
            raise ValueError("expected one of a fixed and a geometric batch size")
        if self.geometric is not None and self.geometric < 1:
            raise ValueError("expected a mean batch size of at least 1")
        return self

    @property
    def mean(self) -> float:
        """The mean number of arrivals in a batch."""
        return float(self.size) if self.size is not None else float(self.geometric or 1.0)


Arrivals = Poisson | Evenly | Batch
_ARRIVALS: dict[str, type[Poisson | Evenly]] = {"poisson": Poisson, "evenly": Evenly}


def _arrivals(value: Any) -> Any:
    return _ARRIVALS[value]() if isinstance(value, str) and value in _ARRIVALS else value


def _profile(value: Any) -> Any:
    if isinstance(value, str):
        return ConstantRate(value=rate(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ConstantRate(value=value)
    return value


class _Load(Model):
    """What both kinds of load share. Requests go to the `mix` (target -> share, together 1), or follow the
    `journey`.

    A single ``call: target`` is the mix ``{target: 1.0}``. In a journey every call already carries its
    final policy.
    `degraded_value` None means the same as `value`. Where a queue goes by priority, 1 is served before 2.
    """

    mix: dict[Target, PositiveShare] = Field(default_factory=dict)
    journey: tuple[StepField, ...] = ()
    policy: CallPolicy | None = None
    value: MoneyField | None = None
    degraded_value: MoneyField | None = None
    zone: Name | None = None
    priority: PositiveCount = 1

    @model_validator(mode="before")
    @classmethod
    def _call_is_a_mix(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("call"), str):
            if data.get("mix"):
                raise ValueError("found call and mix, expected one of call, mix and journey")
            data = {**data, "mix": {data["call"]: 1.0}}
            del data["call"]
        return data

    @model_validator(mode="after")
    def _one_destination(self) -> _Load:
        if bool(self.mix) == bool(self.journey):
            raise ValueError(
                f"found {'both' if self.mix else 'neither'}, expected one of call, mix and journey"
            )
        total = sum(self.mix.values())
        if self.mix and abs(total - 1.0) > 1e-9:
            raise ValueError(f"found a mix of {total * 100:.6g}% in all, expected 100%")
        return self


class OpenLoad(_Load):
    """Sends at `rate` whatever happens to earlier requests, dealt at random over `clients` client
    instances.
    """

    kind: Literal["open"] = "open"
    rate: Annotated[Annotated[RateProfile, Field(discriminator="kind")], BeforeValidator(_profile)]
    arrivals: Annotated[Annotated[Arrivals, Field(discriminator="kind")], BeforeValidator(_arrivals)] = (
        Poisson()
    )
    clients: PositiveCount = 1

    @model_validator(mode="before")
    @classmethod
    def _a_replay_is_even(cls, data: Any) -> Any:
        """An even load has an arrival wherever the integrated rate passes a whole number: that of a replay does so
        at its instants.
        """
        rate = data.get("rate") if isinstance(data, dict) else None
        kind = rate.get("kind") if isinstance(rate, dict) else getattr(rate, "kind", None)
        return {"arrivals": Evenly(), **data} if kind == "replay" else data

    @field_validator("arrivals")
    @classmethod
    def _instants_are_given(cls, arrivals: Arrivals, info: ValidationInfo) -> Arrivals:
        if isinstance(info.data.get("rate"), ReplayRate) and not isinstance(arrivals, Evenly):
            raise ValueError(f"found {arrivals.kind} arrivals of a replay, expected none: it has its own instants")
        if isinstance(info.data.get("rate"), ModulatedRate) and not isinstance(arrivals, Poisson):
            raise ValueError(f"found {arrivals.kind} arrivals of a modulated rate, expected poisson")
        return arrivals


def _kind_of_users(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return str(kind) if kind in ("steps", "stages") else "number"


class ClosedLoad(_Load):
    """`users` in a loop: each thinks for `think`, then sends and waits, or goes through the journey. There are as many
    all the time, or as many as a profile says (`sysim.model.users`).
    """

    kind: Literal["closed"] = "closed"
    users: Annotated[
        Annotated[PositiveCount, Tag("number")]
        | Annotated[UserSteps, Tag("steps")]
        | Annotated[UserStages, Tag("stages")],
        Discriminator(_kind_of_users),
    ]
    think: DistributionLike = Constant(value=0)


Load = OpenLoad | ClosedLoad
"""Any traffic source; `kind` tells which."""
LoadField = Annotated[Load, Field(discriminator="kind")]
