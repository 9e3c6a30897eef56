"""The grammar of traffic: open and closed loads, rates and arrivals."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.calendar import PARTS, anchored, calendar_parts, own_zone
from sysim.scenario_file.csv_rate import CsvRate, Replay
from sysim.scenario_file.forms import Either, Form, OneOf, Tagged
from sysim.scenario_file.jobs import Jobs
from sysim.scenario_file.nodes import Map, Node, Seq, is_null
from sysim.scenario_file.policies import NO_POLICY, POLICY_REF, reloads
from sysim.scenario_file.references import ZONE_REF, MixShape, TargetRef
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Named, Record, Schema, Shape, Value
from sysim.scenario_file.steps import STEPS
from sysim.scenario_file.values import (
    COUNT,
    DISTRIBUTION,
    DURATION,
    INSTANT,
    MONEY,
    RATE,
    SHARE,
    text_schema,
)

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading


def _rate() -> Shape:
    step = Record("a step {at, rate}", model.RateStep, {"at": INSTANT, "rate": RATE}, ("at", "rate"))
    stage = Record(
        "a stage {for, to}",
        model.RateStage,
        {"for": DURATION, "to": RATE},
        ("for", "to"),
        {"for": "duration"},
    )
    sine = {"mean": RATE, "amplitude": SHARE, "period": DURATION, "phase": DURATION}
    scalar = Value(
        lambda value: model.ConstantRate(value=units.rate(value)),
        "a rate such as 400/s or a shape",
        text_schema(units.RATE_PATTERN),
        "bad-rate",
    )
    return _Rate(
        "a rate: 400/s, or one of steps, stages, sine, csv, replay, base",
        scalar=scalar,
        keyed={
            "steps": Form(
                ListOf("a list of {at, rate}", step, 1),
                _with_calendar(lambda value: model.StepsRate(steps=value)),
            ),
            "stages": Form(ListOf("a list of {for, to}", stage, 1), _with_calendar(_stages), ("from",)),
            "sine": Form(
                Record("a sine", model.SineRate, sine, ("mean", "amplitude", "period")),
                _with_calendar(lambda value: value),
            ),
            "csv": Form(CsvRate(), _with_calendar(lambda value: value)),
            "replay": Form(_replay(), _with_calendar(_replayed)),
            "base": Form(RATE_PROFILE, _with_calendar(lambda value: value)),
        },
        siblings=calendar_parts(),
    )


def _with_calendar(build: Callable[..., Any]) -> Callable[..., Any]:
    """Build the shape, and put it under a calendar when parts of one stand beside it."""

    def both(value: Any, **extra: Any) -> Any:
        parts = {key: part for key, part in extra.items() if key in PARTS}
        base = build(value, **{key: part for key, part in extra.items() if key not in PARTS})
        factors = {key: part for key, part in parts.items() if key != "zone"}  # which `_Rate.read` adds
        return model.CalendarRate(base=base, **factors) if parts else base

    return both


class _Rate(OneOf):
    """A rate; `from` stands beside `stages` only, the parts of a calendar beside any shape."""

    def sibling(self, name: str) -> Shape:
        return RATE if name == "from" else super().sibling(name)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map) and not anchored(node, at, ctx):
            return INVALID
        if isinstance(node, Map) and not any(key in self.keyed or key in self.later for key in node.entries):
            part = next((key for key in node.entries if key in PARTS), None)
            if part is not None:
                message = f"found {part!r} without a rate to multiply, expected 'base' or a shape beside it"
                ctx.report(node, "missing-key", at, message, "add base: 400/s")
                return INVALID
        zone = own_zone(node)
        with ctx.on_clock(zone):
            value = super().read(node, at, ctx)
        if isinstance(value, model.CalendarRate) and ctx.start is not None:
            update = {"start": ctx.start.isoformat(), "home": ctx.zone, "zone": zone or ctx.zone}
            return value.model_copy(update=update)
        return value

    def child(self, key: str) -> Shape | None:
        return RATE if key == "from" else super().child(key)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        schema = super().schema(defs)
        for option in schema["anyOf"]:
            if "stages" in option.get("properties", {}):
                option["properties"]["from"] = RATE.schema(defs)
        return schema


def _users() -> Shape:
    step = Record("a step {at, users}", model.UserStep, {"at": INSTANT, "users": COUNT}, ("at", "users"))
    stage = Record(
        "a stage {for, to}",
        model.UserStage,
        {"for": DURATION, "to": COUNT},
        ("for", "to"),
        {"for": "duration"},
    )
    return _Users(
        "users: a number such as 200, or one of steps, stages",
        scalar=COUNT,
        keyed={
            "steps": Form(
                ListOf("a list of {at, users}", step, 1), lambda value: model.UserSteps(steps=value)
            ),
            "stages": Form(ListOf("a list of {for, to}", stage, 1), _user_stages, ("from",)),
        },
    )


def _user_stages(stages: Any, **extra: Any) -> model.UserStages:
    return model.UserStages(stages=stages, **({"start": extra["from"]} if "from" in extra else {}))


class _Users(OneOf):
    """How many users; `from` stands beside `stages` only."""

    def sibling(self, name: str) -> Shape:
        return COUNT if name == "from" else super().sibling(name)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        value = super().read(node, at, ctx)
        if isinstance(value, model.UserSteps | model.UserStages) and not model.peak_users(value):
            key, field = ("steps", "users") if isinstance(value, model.UserSteps) else ("stages", "to")
            message = f"found {key} that never have a user, expected at least one at some time"
            ctx.report(node, "bad-value", at, message, f"let a `{field}` be above 0")
            return INVALID
        return value

    def child(self, key: str) -> Shape | None:
        return COUNT if key == "from" else super().child(key)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        schema = super().schema(defs)
        for option in schema["anyOf"]:
            if "stages" in option.get("properties", {}):
                option["properties"]["from"] = COUNT.schema(defs)
        return schema


def _kind_of_replay(node: Node) -> str:
    if isinstance(node, Seq):
        return "instants"
    return "jobs" if isinstance(node, Map) and "at" in node.entries else "csv"


def _replay() -> Shape:
    return Either(
        "{csv, time}, {at, every, count, spread} or a list of instants",
        _kind_of_replay,
        {"csv": Replay(), "jobs": Jobs(), "instants": ListOf("a list of instants", INSTANT, 1)},
    )


def _replayed(value: Any) -> model.ReplayRate:
    return value if isinstance(value, model.ReplayRate) else model.ReplayRate(instants=value)


def _stages(stages: Any, **extra: Any) -> model.StagesRate:
    return model.StagesRate(stages=stages, **({"start": extra["from"]} if "from" in extra else {}))


def _arrivals() -> Shape:
    geometric = Value(_mean_size, "a mean of at least 1", {"type": "number", "minimum": 1})
    size = OneOf(
        "a batch size: a whole number or {geometric: mean}",
        scalar=COUNT,
        keyed={
            "geometric": Form(geometric, lambda value: model.Batch(geometric=value)),
        },
    )
    batch = Record("a batch {size}", _batch, {"size": size}, ("size",))
    state = Record(
        "a state {rate, mean}", model.RateState, {"rate": RATE, "mean": DURATION}, ("rate", "mean")
    )
    return OneOf(
        "arrivals",
        words={"poisson": model.Poisson, "evenly": model.Evenly},
        keyed={
            "batch": Form(batch, lambda value: value),
            "mmpp": Form(
                ListOf("a list of {rate, mean}", state, 2), lambda value: model.ModulatedRate(states=value)
            ),
        },
    )


def _mean_size(value: Any) -> float:
    number = units.factor(value)
    if number < 1:
        raise units.UnitError(value, "a mean of at least 1")
    return number


def _batch(size: Any) -> model.Batch:
    return size if isinstance(size, model.Batch) else model.Batch(size=size)


class _Load(Record):
    """A load: its own policy is read first, because the calls of its journey use it, and with it how patient its
    people are.
    """

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        policy = None
        if isinstance(node, Map):
            values = {
                key: self.fields[key].read(child, join(at, key), ctx)
                for key in ("policy", "patience", "impatience")
                if (child := node.get(key)) is not None and not is_null(child)
            }
            policy = _with_people({key: value for key, value in values.items() if value is not INVALID}, at)
        with ctx.inside("journey", ctx.caller, policy):
            return super().read(node, at, ctx)

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        given = [key for key in ("call", "mix", "journey") if key in values]
        if len(given) != 1:
            message = (
                f"found {' and '.join(map(repr, given)) or 'none'}, expected one of call, mix and journey"
            )
            ctx.report(node, "missing-key" if not given else "ambiguous", at, message)
            return INVALID
        arrivals = values.get("arrivals")
        if isinstance(arrivals, model.ModulatedRate):
            values = {key: value for key, value in values.items() if key != "arrivals"} | {"rate": arrivals}
        policy = None if values.get("policy") == NO_POLICY else values.get("policy")
        for key, parts in (("patience", ("deadline",)), ("impatience", ("timeout", "retry"))):
            both = next((part for part in parts if getattr(policy, part, None) is not None), None)
            if key in values and both is not None and isinstance(node, Map):
                message = f"found {key!r} and a policy with {both!r}, expected one: it says when people stop waiting"
                hint = "a reload is the timeout and the retry of a person" if key == "impatience" else ""
                ctx.report(node.key_mark(key), "ambiguous", join(at, key), message, hint)
                return INVALID
        values = {**values, "policy": _with_people(values, at)}
        values = {key: value for key, value in values.items() if key not in ("patience", "impatience")}
        return super().construct(values, node, at, ctx)


def _with_people(values: dict[str, Any], at: str) -> model.CallPolicy | None:
    """The policy of a load, with the patience of its people in it."""
    policy = values.get("policy")
    return model.impatient(
        None if policy == NO_POLICY else policy, join(at, "policy"), values.get("patience"), values.get("impatience")
    )


class _Loads(Tagged):
    """An open load has a rate or `mmpp` arrivals, which have their own, a closed one has users."""

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        arrivals = node.get("arrivals") if isinstance(node, Map) else None
        if not isinstance(node, Map) or not isinstance(arrivals, Map) or "mmpp" not in arrivals.entries:
            return super().read(node, at, ctx)
        if "rate" in node.entries and not is_null(node.entries["rate"]):
            message = "found a rate beside mmpp, expected none: each of its states has its own"
            ctx.report(node.key_mark("rate"), "ambiguous", join(at, "rate"), message, "leave out rate")
            return INVALID
        if "users" in node.entries:
            return super().read(node, at, ctx)
        return self.modulated.read(node, at, ctx)

    def __init__(self, noun: str, records: dict[str, Record], modulated: Record) -> None:
        super().__init__(noun, records)
        self.modulated = modulated

    def schema(self, defs: dict[str, Schema]) -> Schema:
        schema = super().schema(defs)
        schema["anyOf"].append(self.modulated.schema(defs))
        return schema

    def _without_tag(self, node: Map, at: str, ctx: Reading) -> None:
        message = f"found {found(node)} without 'rate' and 'users', expected one: an open or a closed load"
        hint = "write rate: {replay: {csv: file.csv}}" if "replay" in node.entries else ""
        ctx.report(node, "missing-key", at, message, hint)


def _load() -> Shape:
    common: dict[str, Shape] = {
        "call": TargetRef(),
        "mix": MixShape(),
        "journey": STEPS,
        "policy": POLICY_REF,
        "patience": DISTRIBUTION,
        "impatience": reloads(),
        "value": MONEY,
        "degraded_value": MONEY,
        "zone": ZONE_REF,
        "priority": COUNT,
    }
    open_: dict[str, Shape] = {
        "rate": RATE_PROFILE,
        "arrivals": Named("arrivals", _arrivals),
        "clients": COUNT,
    }
    closed: dict[str, Shape] = {"users": USERS, "think": DISTRIBUTION}
    modulated = {key: shape for key, shape in open_.items() if key != "rate"}
    return _Loads(
        "a load",
        {
            "rate": _Load("an open load", model.OpenLoad, {**common, **open_}, ("rate",)),
            "users": _Load("a closed load", model.ClosedLoad, {**common, **closed}, ("users",)),
        },
        _Load("an open load", model.OpenLoad, {**common, **modulated}, ("arrivals",)),
    )


class Loads(MapOf):
    """Loads by name; while one is read, it is the caller."""

    def __init__(self) -> None:
        super().__init__("a map of loads", Named("load", _load), key_noun="the name of a load")

    def enter(self, key: str, ctx: Reading) -> AbstractContextManager[None]:
        return ctx.inside("journey", key, None)


RATE_PROFILE: Shape = Named("rate", _rate)
USERS: Shape = Named("users", _users)
