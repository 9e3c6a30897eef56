"""Actions: the levers that operators pull, and when they pull them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from sysim.model.check import Comparison
from sysim.model.distribution import DistributionLike
from sysim.model.values import Duration, Instant, Model, Name, PositiveCount, PositiveDuration, PositiveShare, Share

SERVICE_CONDITIONS: Final = ("queue", "in_system", "utilisation")
"""What an action can wait for at a service: levels of the moment."""

_QUANTILES = ("p50", "p90", "p95", "p99", "p999")
LOAD_CONDITIONS: Final = (
    "success", "goodput", "goodput_per_s", "offered_per_s", *_QUANTILES, *(f"{name}_all" for name in _QUANTILES),
)  # fmt: skip
"""What an action can wait for at a load: counted over the last `over`."""

MOST_LOOKS: Final = 720
"""The most looks that the window of a condition can cover: each is remembered."""


class Condition(Model):
    """``metric(subject) op value``, looked at every `every` ns, has held at all looks for `lasts` ns.

    `value` has the unit of the JSON result: seconds, per second, 0..1, or a number. What is counted, of loads, is
    counted over the last `over` ns; levels of services are those of the moment.
    """

    text: str
    metric: str
    subject: Name
    op: Comparison
    value: float = Field(allow_inf_nan=False)
    lasts: Duration = 0
    every: PositiveDuration = 5_000_000_000
    over: PositiveDuration = 30_000_000_000

    @model_validator(mode="after")
    def _few_looks(self) -> Condition:
        looks = -(-self.over // self.every)
        if self.metric in LOAD_CONDITIONS and looks > MOST_LOOKS:
            raise ValueError(
                f"found a window of {looks} looks, expected at most {MOST_LOOKS}: a longer `every` or a shorter `over`"
            )
        return self


class AlertCondition(Model):
    """The alert of an slo has fired at all looks for `lasts` ns."""

    slo: Name
    lasts: Duration = 0

    @property
    def text(self) -> str:
        """As it is told."""
        return f"the alert of {self.slo}"


class FlagLever(Model):
    """Switches `flags` on or off."""

    kind: Literal["flag"] = "flag"
    flags: dict[Name, bool] = Field(min_length=1)


class ShedLever(Model):
    """From now on a `share` in 0..1 of the requests of `load` ends `shed` at the door; 0 opens it again."""

    kind: Literal["shed"] = "shed"
    load: Name
    share: Share


class ClearQueueLever(Model):
    """What waits in the queues of `service` and has not begun ends `shed`."""

    kind: Literal["clear_queue"] = "clear_queue"
    service: Name


class RestartLever(Model):
    """Replicas of `service` are killed with all they hold and start at once.

    `replicas` or `replica_share` (rounded up) takes only the lowest-numbered, `zone` only those in the zone.
    """

    kind: Literal["restart"] = "restart"
    service: Name
    replicas: PositiveCount | None = None
    replica_share: PositiveShare | None = None
    zone: Name | None = None


class _SomeReplicas(Model):
    """Replicas of a `service`, narrowed like a restart; a `zone` alone means all that lie there, of every service."""

    service: Name | None = None
    replicas: PositiveCount | None = None
    replica_share: PositiveShare | None = None
    zone: Name | None = None

    @model_validator(mode="after")
    def _means_somebody(self) -> _SomeReplicas:
        if self.service is None and self.zone is None:
            raise ValueError("found neither `service` nor `zone`, expected one of them")
        if self.service is None and (self.replicas is not None or self.replica_share is not None):
            raise ValueError("found `replicas` without a `service`, expected a service of which so many are drained")
        return self


class DrainLever(_SomeReplicas):
    """Replicas get nothing new and finish what they have, until they are undrained."""

    kind: Literal["drain"] = "drain"


class UndrainLever(_SomeReplicas):
    """Replicas that were drained get new attempts again."""

    kind: Literal["undrain"] = "undrain"


class ScaleLever(Model):
    """`service` has so many replicas: missing ones start, those with higher numbers are drained."""

    kind: Literal["scale"] = "scale"
    service: Name
    replicas: PositiveCount


SettingKey = Literal[
    "timeout", "circuit_breaker", "fallback", "retry.max_attempts", "hedge.max_attempts", "rate_limit.rate"
]


class Setting(Model):
    """A value of the policy known by `scope` (see `CallPolicy.scope`): ns, a count, a rate per second, or how
    breaker or fallback are forced.
    """

    path: str
    scope: str
    key: SettingKey
    value: int | float | Literal["open", "closed", "always", "auto"]


class SetLever(Model):
    """Policies go on with other values."""

    kind: Literal["set"] = "set"
    settings: tuple[Setting, ...] = Field(min_length=1)


Lever = FlagLever | ShedLever | ClearQueueLever | RestartLever | DrainLever | UndrainLever | ScaleLever | SetLever
"""What an action does; `kind` tells which."""


class Action(Model):
    """One `lever`, pulled once: at `at` (ns) or when a condition has come true, `after` a delay that people take."""

    name: Name | None = None
    lever: Annotated[Lever, Field(discriminator="kind")]
    at: Instant | None = None
    when: Condition | AlertCondition | None = None
    after: DistributionLike | None = None

    @model_validator(mode="after")
    def _has_a_moment(self) -> Action:
        if (self.at is None) == (self.when is None):
            found = "neither `at` nor `when`" if self.at is None else "`at` and `when`"
            raise ValueError(f"found {found}, expected one of them")
        return self


__all__ = [
    "LOAD_CONDITIONS", "MOST_LOOKS", "SERVICE_CONDITIONS", "Action", "AlertCondition", "ClearQueueLever", "Condition",
    "DrainLever", "FlagLever", "Lever", "RestartLever", "ScaleLever", "SetLever", "Setting", "SettingKey", "ShedLever",
    "UndrainLever",
]  # fmt: skip
