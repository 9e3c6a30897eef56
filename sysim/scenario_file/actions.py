"""The grammar of actions: the levers that operators pull."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.conditions import When
from sysim.scenario_file.faults import REPLICAS
from sysim.scenario_file.forms import Either, Tagged, map_or_scalar
from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.references import FLAG_REF, ZONE_REF, NameRef
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.settings import Settings
from sysim.scenario_file.shapes import INVALID, NAME, ListOf, MapOf, Record, Schema, Shape, Value
from sysim.scenario_file.steps import check_unique_names
from sysim.scenario_file.values import COUNT, DISTRIBUTION, FACTOR, INSTANT, NAME_VALUE, SHARE, TRUTH, text_schema

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

_ZONE = re.compile(rf"zone\s+({NAME.pattern})")
SERVICE_REF = NameRef("a service of this file", "unknown-service", lambda ctx: ctx.services)
LOAD_REF = NameRef("a load of this file", "unknown-load", lambda ctx: ctx.loads)


class _Flags(MapOf):
    """Flags of the file, each on or off."""

    def __init__(self) -> None:
        super().__init__("a map such as {similar_bets: off}", TRUTH, key_noun="the name of a flag")

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        values = super().read(node, at, ctx)
        if not isinstance(node, Map):
            return INVALID
        if not values:
            return self.wrong(node, at, ctx)
        good = values is not INVALID
        for key, _ in node.items():
            if key not in ctx.flags:
                hint = ctx.reporter.nearest(key, ctx.flags)
                message = f"found {key[:80]!r}, expected {FLAG_REF.noun}"
                ctx.report(node.key_mark(key), FLAG_REF.code, join(at, key), message, hint)
                good = False
        return values if good else INVALID


class _ActionRecord(Record):
    """An action with one lever; `make` builds the lever from the value under its key."""

    def __init__(self, lever: str, shape: Shape, make: Any) -> None:
        self.lever, self.make = lever, make
        fields: dict[str, Shape] = {
            lever: shape, "name": NAME_VALUE, "at": INSTANT, "when": When(), "after": DISTRIBUTION,
        }  # fmt: skip
        super().__init__(f"an action with {lever!r}", model.Action, fields, (lever,))

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        action = super().read(node, at, ctx)
        if isinstance(node, Map):
            given = [key for key in ("at", "when") if node.get(key) is not None]
            if len(given) == 2:
                message = "found 'at' and 'when', expected only one of them"
                ctx.report(node.key_mark("when"), "ambiguous", at, message)
                return INVALID
            if not given:
                ctx.report(node, "missing-key", at, f"found no 'at' or 'when', expected one in {self.noun}")
                return INVALID
        return action

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        if ("at" in values) == ("when" in values):
            return INVALID  # `read` says so, whatever else is wrong
        values = dict(values)
        lever = self.make(values.pop(self.lever))
        return super().construct({**values, "lever": lever}, node, at, ctx)


class _Narrowed(Record):
    """Some replicas of a service, by number, share or zone."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        given = {key: value for key, value in values.items() if key != "replicas"}
        return super().construct({**given, **values.get("replicas", {})}, node, at, ctx)


def _spare(value: Any) -> int | float:
    text = isinstance(value, str) and value.endswith("%")
    return units.share(value) if text else units.count(value)


_SPARE = Value(
    _spare,
    "a number of replicas or a share such as 25%",
    {"anyOf": [{"type": "integer", "minimum": 0}, text_schema(units.PERCENT_PATTERN, units.COUNT_PATTERN)]},
)


class _Deployed(Record):
    """A deploy, whose surge and what it does without are numbers or shares."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        given = {}
        for key, value in values.items():
            share = key in ("max_surge", "max_unavailable") and isinstance(value, float)
            given[f"{key}_share" if share else key] = value
        return super().construct(given, node, at, ctx)


def _restart(value: Any) -> model.RestartLever:
    return model.RestartLever(service=value) if isinstance(value, str) else value


class _Place(Shape):
    """All replicas of a service, or of ``zone a``."""

    noun = "a service or 'zone a'"

    def __init__(self, lever: Any) -> None:
        self.lever = lever

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return self.wrong(node, at, ctx)
        match = _ZONE.fullmatch(text)
        if match is None:
            service = SERVICE_REF.read(node, at, ctx)
            return INVALID if service is INVALID else self.lever(service=service)
        if match[1] not in ctx.zones:
            hint = ctx.reporter.nearest(match[1], ctx.zones)
            ctx.report(node, "unknown-zone", at, f"found {found(node)}, expected a zone of some service", hint)
            return INVALID
        return self.lever(zone=match[1])

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return text_schema(NAME.pattern, _ZONE.pattern)


class _Drained(_Narrowed):
    """Replicas of a service, or of a zone."""

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map) and "service" not in node.entries and ("zone" in node.entries) <= (
            "replicas" in node.entries
        ):
            message = f"found no 'service', expected one in {self.noun}"
            hint = "a zone alone means all replicas there, of every service" if "zone" in node.entries else ""
            ctx.report(node, "missing-key", at, message, hint)
            return INVALID
        return super().read(node, at, ctx)


def _drained(lever: Any, some: dict[str, Shape]) -> Shape:
    return Either("a service, 'zone a' or {service, replicas, zone}", map_or_scalar, {
        "scalar": _Place(lever),
        "map": _Drained("{service, replicas, zone}", lever, some, ()),
    })  # fmt: skip


def _action() -> Tagged:
    shed = Record("{load, share}", model.ShedLever, {"load": LOAD_REF, "share": SHARE}, ("load", "share"))
    some = {"service": SERVICE_REF, "replicas": REPLICAS, "zone": ZONE_REF}
    restart = Either("a service or {service, replicas, zone}", map_or_scalar, {
        "scalar": SERVICE_REF,
        "map": _Narrowed("{service, replicas, zone}", model.RestartLever, some, ("service",)),
    })  # fmt: skip
    count = {"service": SERVICE_REF, "replicas": COUNT}
    scale = Record("{service, replicas}", model.ScaleLever, count, ("service", "replicas"))
    deploy = Either("a service or {service, max_surge, max_unavailable, slowdown, error}", map_or_scalar, {
        "scalar": SERVICE_REF,
        "map": _Deployed("{service, max_surge, max_unavailable, slowdown, error}", model.DeployLever, {
            "service": SERVICE_REF, "max_surge": _SPARE, "max_unavailable": _SPARE, "slowdown": FACTOR, "error": SHARE,
        }, ("service",)),
    })  # fmt: skip
    rollback = Either("a service or {service}", map_or_scalar, {
        "scalar": SERVICE_REF,
        "map": Record("{service}", model.RollbackLever, {"service": SERVICE_REF}, ("service",)),
    })  # fmt: skip
    levers: dict[str, tuple[Shape, Any]] = {
        "flag": (_Flags(), lambda value: model.FlagLever(flags=value)),
        "shed": (shed, lambda value: value),
        "clear_queue": (SERVICE_REF, lambda value: model.ClearQueueLever(service=value)),
        "restart": (restart, _restart),
        "drain": (_drained(model.DrainLever, some), lambda value: value),
        "undrain": (_drained(model.UndrainLever, some), lambda value: value),
        "scale": (scale, lambda value: value),
        "deploy": (deploy, lambda value: model.DeployLever(service=value) if isinstance(value, str) else value),
        "rollback": (rollback, lambda value: model.RollbackLever(service=value) if isinstance(value, str) else value),
        "set": (Settings(), lambda value: model.SetLever(settings=value)),
    }
    return Tagged(
        "an action",
        {name: _ActionRecord(name, shape, make) for name, (shape, make) in levers.items()},
    )


class Actions(ListOf):
    """The list of actions; names among them are unique, since paths use them."""

    def __init__(self) -> None:
        super().__init__("a list of actions", _action())

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        check_unique_names(node, at, ctx, "action")
        return super().read(node, at, ctx)


__all__ = ["Actions"]
