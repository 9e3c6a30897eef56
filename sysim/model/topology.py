"""Services, their replicas and queues, and what a request does there: the steps of an operation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sysim.model.autoscaler import Autoscaler, ScheduleLine
from sysim.model.distribution import DistributionLike
from sysim.model.policy import CallPolicy
from sysim.model.values import (
    CostField,
    Count,
    Duration,
    Factor,
    Model,
    MoneyField,
    Name,
    PositiveCount,
    PositiveFactor,
    Share,
)

TARGET_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_-]*$"
Target = Annotated[str, Field(pattern=TARGET_PATTERN)]
"""``service.operation``, always in full."""


class _Step(Model):
    """What any step may have: a `name`, a `probability` in 0..1, a `flag` that must be on, `optional`."""

    name: Name | None = None
    probability: Share | None = None
    flag: Name | None = None
    optional: bool = False


class Work(_Step):
    """Keeps a core busy for `duration`."""

    kind: Literal["work"] = "work"
    duration: DistributionLike


class Call(_Step):
    """Calls `target` and waits for the outcome, under `policy` (None: none at all).

    `value` and `degraded_value` are for calls of a journey: what one success earns.
    """

    kind: Literal["call"] = "call"
    target: Target
    policy: CallPolicy | None = None
    value: MoneyField | None = None
    degraded_value: MoneyField | None = None


class Parallel(_Step):
    """Runs all `branches` side by side and waits for all of them."""

    kind: Literal["parallel"] = "parallel"
    branches: tuple[tuple[StepField, ...], ...] = Field(min_length=1)


class Publish(_Step):
    """Sends a message to `target` under `policy` and goes on at once."""

    kind: Literal["publish"] = "publish"
    target: Target
    policy: CallPolicy | None = None


class Fail(_Step):
    """Ends the request with `error`, in a `share` (0..1) of the cases."""

    kind: Literal["fail"] = "fail"
    share: Share


class Repeat(_Step):
    """Runs `steps` `times` over, one round after the other."""

    kind: Literal["repeat"] = "repeat"
    times: Count
    steps: tuple[StepField, ...]


class Option(Model):
    """One way of a choice: `weight` (any scale) and its `steps`."""

    weight: PositiveFactor
    steps: tuple[StepField, ...]


class Choose(_Step):
    """Runs exactly one of `options`, drawn by weight."""

    kind: Literal["choose"] = "choose"
    options: tuple[Option, ...] = Field(min_length=1)


class Think(_Step):
    """A pause of the user; in journeys only."""

    kind: Literal["think"] = "think"
    duration: DistributionLike


Step = Work | Call | Parallel | Publish | Fail | Repeat | Choose | Think
"""Any step; `kind` tells which."""
StepField = Annotated[Step, Field(discriminator="kind")]


class Operation(Model):
    """What one kind of request does at a service: `steps`, in order. A list of steps stands for it."""

    steps: tuple[StepField, ...] = ()


class Queue(Model):
    """Waiting requests of one replica, or of the service when `shared`; `capacity` None is unbounded.

    `priority` serves by the priority of the load that the request comes from, `edf` by the deadline that it has
    inherited, both in order of arrival among equals and without preemption. A request that has waited for `max_wait`
    (drawn for each request) ends as `shed`.
    """

    capacity: Count | None = None
    discipline: Literal["fifo", "lifo", "priority", "edf"] = "fifo"
    max_wait: DistributionLike | None = None
    shared: bool = False


class Admission(Model):
    """Refuses a request as `shed` when `max_in_progress` are on the replica, waiting ones included."""

    max_in_progress: PositiveCount


class Slowdown(Model):
    """Work takes × (1 + `per_concurrent` × requests in progress on the replica), fixed at the request's
    start.
    """

    per_concurrent: Factor = 0.0


def _operation(value: Any) -> Any:
    return {"steps": value} if isinstance(value, (list, tuple)) else value


class Service(Model):
    """A number of equal replicas. `concurrency` None is unlimited workers; `cores` None is no contention.

    `cost` is money an hour for each replica that is starting or ready; `startup` (ns) is the time from
    start to ready; `zones` () is a single zone without a name, else replica i lies in ``zones[i %
    len(zones)]``. With an `autoscaler` it begins with `replicas`, by default the least of that; a `schedule`
    beside it sets its least number, else the number itself.
    """

    kind: Literal["service", "database", "cache", "broker", "external"] = "service"
    replicas: PositiveCount = 1
    zones: tuple[Name, ...] = ()
    concurrency: PositiveCount | None = None
    threading: Literal["blocking", "async"] = "blocking"
    cores: PositiveFactor | None = None
    queue: Queue = Queue()
    admission: Admission | None = None
    when_cancelled: Literal["continue", "drop_queued", "stop"] = "continue"
    slowdown: Slowdown | None = None
    startup: Duration = 0
    cost: CostField | None = None
    autoscaler: Autoscaler | None = None
    schedule: tuple[ScheduleLine, ...] = ()
    operations: dict[Name, Annotated[Operation, BeforeValidator(_operation)]]

    @model_validator(mode="before")
    @classmethod
    def _begins_with_the_least(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("autoscaler") is not None and values.get("replicas") is None:
            scaler = values["autoscaler"]
            least = scaler.min if isinstance(scaler, Autoscaler) else scaler.get("min", 1)
            values = {**values, "replicas": least}
        return values

    @model_validator(mode="after")
    def _within_its_autoscaler(self) -> Service:
        scaler = self.autoscaler
        if scaler is not None:
            for count in (self.replicas, *(line.replicas for line in self.schedule)):
                if not scaler.min <= count <= scaler.max:
                    where = f"{scaler.min} to {scaler.max}, as its autoscaler"
                    raise ValueError(f"found {count} replicas, expected {where} says")
        return self

    @property
    def most_scaled(self) -> int:
        """The most replicas that it begins with, or that its autoscaler or its schedule may ask for."""
        asked = [line.replicas for line in self.schedule]
        return max(self.replicas, *asked, self.autoscaler.max if self.autoscaler else 1)

    @field_validator("operations")
    @classmethod
    def _some_operation(cls, value: dict[str, Operation]) -> dict[str, Operation]:
        if not value:
            raise ValueError("found no operation, expected at least one")
        return value
