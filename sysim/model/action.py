"""Actions: the levers that operators pull, and when they pull them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from sysim.model.check import Comparison
from sysim.model.distribution import DistributionLike
from sysim.model.values import (
    Count,
    Duration,
    Instant,
    Model,
    Name,
    PositiveCount,
    PositiveDuration,
    PositiveFactor,
    PositiveShare,
    Share,
)

SERVICE_CONDITIONS: Final = ("queue", "in_system", "utilisation")
"""What an action can wait for at a service: levels of the moment."""

_QUANTILES = ("p50", "p90", "p95", "p99", "p999")
LOAD_CONDITIONS: Final = (
    "success", "goodput", "goodput_per_s", "offered_per_s", *_QUANTILES, *(f"{name}_all" for name in _QUANTILES),
)  # fmt: skip
"""What an action can wait for at a load: counted over the last `over`."""

DEFAULT_SHARE: Final = 0.25
"""Of the replicas of a service, how many a deploy has beyond those wanted, and how many it does without."""

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


class DeployLever(Model):
    """Replicas of `service` are replaced in steps by those of a new version, which take their startup.

    Up to `max_surge` replicas (or the share `max_surge_share`, rounded up) are there beyond those wanted, up to
    `max_unavailable` (or `max_unavailable_share`, rounded down) need not be ready; both 0 means that one need not. Work
    of the new version takes `slowdown` times as long, and a share `error` (0..1) of what reaches it ends with `error`.
    """

    kind: Literal["deploy"] = "deploy"
    service: Name
    max_surge: Count | None = None
    max_surge_share: Share | None = None
    max_unavailable: Count | None = None
    max_unavailable_share: Share | None = None
    slowdown: PositiveFactor = 1.0
    error: Share = 0.0

    @property
    def surge(self) -> tuple[int, float]:
        """Count and share of the surge: one of them is meant, the share if it is at least 0."""
        return _either(self.max_surge, self.max_surge_share)

    @property
    def missing(self) -> tuple[int, float]:
        """The same for those that need not be ready."""
        return _either(self.max_unavailable, self.max_unavailable_share)


class RollbackLever(Model):
    """Replicas of `service` are replaced by those of the version before, as by its last deploy."""

    kind: Literal["rollback"] = "rollback"
    service: Name


def _either(count: int | None, share: float | None) -> tuple[int, float]:
    if count is not None:
        return count, -1.0
    return 0, DEFAULT_SHARE if share is None else share


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


Lever = (
    FlagLever | ShedLever | ClearQueueLever | RestartLever | DrainLever | UndrainLever | ScaleLever | SetLever
    | DeployLever | RollbackLever
)  # fmt: skip
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
    "DeployLever", "DrainLever", "FlagLever", "Lever", "RestartLever", "RollbackLever", "ScaleLever",
    "SetLever", "Setting", "SettingKey", "ShedLever", "UndrainLever",
]  # fmt: skip
