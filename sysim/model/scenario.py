"""The whole: one scenario, resolved, with nothing left to look up."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from sysim.model.action import Action, ScaleLever
from sysim.model.calendar import CalendarRate
from sysim.model.check import Check
from sysim.model.fault import Fault
from sysim.model.planning import Planning
from sysim.model.policy import CallPolicy
from sysim.model.slo import Slo
from sysim.model.topology import Service
from sysim.model.values import Duration, Model, Name, PositiveCount, PositiveDuration
from sysim.model.window import Window
from sysim.model.workload import LoadField, OpenLoad

_NS = 1_000_000_000
_MS = 1_000_000
_NICE_BUCKETS = tuple(
    [step * scale for scale in (_MS, 10 * _MS, 100 * _MS, _NS) for step in (1, 2, 5)]
    + [
        seconds * _NS
        for seconds in (10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
    ]
)


def default_bucket(duration: int) -> int:
    """The narrowest round bucket (ns) that cuts `duration` (ns) into at most 400 pieces."""
    for width in _NICE_BUCKETS:
        if duration <= 400 * width:
            return width
    days = -(-duration // (400 * _NICE_BUCKETS[-1]))
    return days * _NICE_BUCKETS[-1]


def _drain(value: Any) -> Any:
    if isinstance(value, bool):
        return None if value else 0
    return value


class Time(Model):
    """`duration`, `warmup`, `bucket` in ns; `bucket` is chosen by `default_bucket` unless given.

    `drain` is how long (ns) what is in flight may go on after `duration`: None to its end, 0 not at all;
    True and False are accepted for these two. `start` is the calendar moment of time 0, ISO 8601 on
    the clock of `zone`, a name of the IANA database; without one its clock is never put forward or back.
    """

    duration: PositiveDuration
    warmup: Duration = 0
    drain: Annotated[Duration | None, BeforeValidator(_drain)] = None
    bucket: PositiveDuration = Field(default_factory=lambda given: default_bucket(given.get("duration", _NS)))
    start: str | None = None
    zone: str | None = None

    @model_validator(mode="after")
    def _warm_in_time(self) -> Time:
        if self.warmup >= self.duration:
            raise ValueError("found a warmup as long as the whole run, expected warmup below duration")
        return self


class Scenario(Model):
    """A resolved scenario. Every call carries its final policy and every target is written in full.

    Nothing in it depends on the order of a map's keys: sort names where an order is needed. `windows` are
    besides the implicit `all`, from the warm-up's end to `duration`. `variants` are raw patches (path ->
    plain value) that only the file layer applies. `abort_when` are checks of single runs: where one holds, a
    study of several runs ends. `seed` is a whole number of 64 bits.
    """

    name: str = "scenario"
    description: str = ""
    time: Time
    seed: int = Field(default=1, ge=0, lt=2**64)
    replications: PositiveCount = 1
    services: dict[Name, Service]
    policies: dict[Name, CallPolicy] = Field(default_factory=dict)
    load: dict[Name, LoadField] = Field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    actions: tuple[Action, ...] = ()
    flags: dict[Name, bool] = Field(default_factory=dict)
    slos: dict[Name, Slo] = Field(default_factory=dict)
    planning: Planning | None = None
    windows: dict[Name, Window] = Field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    abort_when: tuple[Check, ...] = ()
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _calendars_begin_with_the_run(self) -> Scenario:
        for name, load in self.load.items():
            rate = load.rate if isinstance(load, OpenLoad) else None
            if isinstance(rate, CalendarRate):
                if rate.start != self.time.start and not rate.elapsed:
                    found = f"found a calendar of {name!r} that starts at {rate.start}"
                    raise ValueError(f"{found}, expected time.start, {self.time.start}")
                if rate.home != self.time.zone:
                    found = f"found a calendar of {name!r} in a run of the zone {rate.home}"
                    raise ValueError(f"{found}, expected that of time.zone, {self.time.zone}")
                if rate.start is None and rate.needs_dates:
                    raise ValueError(f"found days in the calendar of {name!r}, expected time.start to say which it is")
        return self

    def latency_limit(self, load: str) -> int | None:
        """The latency (ns) up to which a success of a load is a good one, by an slo; None: any is."""
        limits = [slo.limit for slo in self.slos.values() if slo.load == load and slo.limit is not None]
        return min(limits, default=None)

    def most_replicas(self, service: str) -> int:
        """The most replicas that a service can have: at time 0, or once it has been scaled."""
        levers = [action.lever for action in self.actions]
        scaled = [lever.replicas for lever in levers if isinstance(lever, ScaleLever) and lever.service == service]
        return max(self.services[service].most_scaled, *scaled, 1)

    @property
    def whole(self) -> Window:
        """The window `all`: from the end of the warm-up to `duration`."""
        return Window(start=self.time.warmup, end=self.time.duration)


__all__ = ["Scenario", "Time", "Window", "default_bucket"]
