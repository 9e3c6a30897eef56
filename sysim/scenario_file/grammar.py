"""The whole file as one shape, from which reading, merging, paths and the JSON Schema follow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.actions import Actions
from sysim.scenario_file.checks import Checks
from sysim.scenario_file.faults import Faults
from sysim.scenario_file.load import Loads
from sysim.scenario_file.nodes import Map, Node, is_null, plain
from sysim.scenario_file.planning import planning
from sysim.scenario_file.policies import NO_POLICY, POLICY_REF, PolicyMap
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.services import Services
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Record, Schema, Shape, Timed, Value
from sysim.scenario_file.slos import Slos
from sysim.scenario_file.values import COUNT, DATE_TIME, DURATION, NAME_VALUE, TEXT, TRUTH, ZONE, text_schema
from sysim.units import UnitError
from sysim.zones import FIRST, LAST, is_left_out

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

FORMAT_VERSION = 1
PARAMETER = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_-]*\})"


def _version(value: Any) -> int:
    if isinstance(value, bool) or value != FORMAT_VERSION:
        raise UnitError(value, f"format version {FORMAT_VERSION}")
    return FORMAT_VERSION


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise UnitError(value, "a whole number from 0 to 2^64 - 1")
    return value


def _drain(value: Any) -> bool | int:
    if isinstance(value, bool):
        return value
    try:
        return units.duration(value)
    except UnitError as error:
        raise UnitError(value, "true, false or a duration such as 5m", error.hint) from None


def _window(value: Any, ctx: Reading) -> model.Window:
    low, high = units.window(value, ctx.warmup, ctx.duration, ctx.start, ctx.zone)
    if high > ctx.duration:
        end = units.format_duration(ctx.duration)
        raise UnitError(value, f"a window that ends by time.duration, {end}")
    return model.Window(start=low, end=high)


_EDGE = rf"(?:{units.DURATION_PATTERN}|{units.CLOCK_PATTERN}|{units.DATE_TIME_PATTERN})?"
WINDOW = Timed(_window, "a window such as 90s..110s", text_schema(rf"{_EDGE}\s*\.\.\s*{_EDGE}"))


class _Windows(MapOf):
    def __init__(self) -> None:
        super().__init__("a map of windows", WINDOW, key_noun="the name of a window")

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        windows = super().read(node, at, ctx)
        if isinstance(node, Map) and "all" in node.entries:
            message = "found a window 'all', expected another name: it is the whole run after the warm-up"
            ctx.report(node.key_mark("all"), "bad-name", join(at, "all"), message)
            return INVALID
        return windows


class _Defaults(Record):
    """The defaults; the policy is kept in the context for all calls inside operations."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        policy = values.get("policy")
        ctx.operation_default = None if policy == NO_POLICY else policy
        return values


class _Variants(MapOf):
    """Variants: a patch of paths, or null for the file as it stands. Their effect is checked by applying
    each.
    """

    def __init__(self) -> None:
        patch = Value(lambda value: value, "a patch", {"type": ["object", "null"]})
        super().__init__("a map of variants", patch, key_noun="the name of a variant")

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Map):
            return self.wrong(node, at, ctx)
        patches: dict[str, Any] = {}
        good = True
        for key, child in node.items():
            if not self.keys.fullmatch(key):
                message = f"found {key[:80]!r}, expected the name of a variant"
                ctx.report(node.key_mark(key), "bad-name", join(at, key), message)
                good = False
            if not isinstance(child, Map) and not is_null(child):
                message = f"found {found(child)}, expected a patch {{path: value}} or null"
                ctx.report(child, "bad-value", join(at, key), message)
                good = False
            patches[key] = plain(child) or {}
        return patches if good else INVALID

    def child(self, key: str) -> Shape | None:
        return None


class _Params(MapOf):
    """Parameters: single values by name."""

    def __init__(self) -> None:
        anything = Value(lambda value: value, "a single value", {"type": ["string", "number", "boolean"]})
        super().__init__("a map of parameters", anything, key_noun="the name of a parameter")


class _Scenario(Record):
    """The top level: what is gone once a file is resolved is dropped here."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        gone = ("sysim", "include", "params", "defaults")
        return super().construct({k: v for k, v in values.items() if k not in gone}, node, at, ctx)


class _Time(Record):
    """The times of the run; a zone says whose clock `start` is on, which has to show it."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        zone, start = values.get("zone"), values.get("start")
        assert isinstance(node, Map)
        if zone is not None and start is None:
            message = "found 'zone' without 'start', expected a moment on the clock of that zone"
            ctx.report(node.key_mark("zone"), "missing-key", join(at, "zone"), message, "add start: 2026-04-11T00:00")
            return INVALID
        if zone is not None and start is not None and not FIRST <= datetime.fromisoformat(start).year <= LAST - 100:
            message = f"found {start}, expected a year from {FIRST} to {LAST - 100}, as there is a zone"
            ctx.report(node.entries["start"], "bad-instant", join(at, "start"), message)
            return INVALID
        if zone is not None and start is not None and is_left_out(zone, datetime.fromisoformat(start)):
            message = f"found {start}, expected a moment that there is in {zone}, where clocks go forward past this one"
            ctx.report(node.entries["start"], "bad-instant", join(at, "start"), message)
            return INVALID
        return super().construct(values, node, at, ctx)


def _scenario() -> _Scenario:
    time = _Time("the time", model.Time, {
        "start": DATE_TIME, "zone": ZONE, "duration": DURATION, "warmup": DURATION, "bucket": DURATION,
        "drain": Value(
            _drain, "true, false or a duration",
            {"anyOf": [{"type": "boolean"}, text_schema(units.DURATION_PATTERN)]},
        ),
    }, ("duration",))  # fmt: skip
    fields: dict[str, Shape] = {
        "sysim": Value(
            _version, f"format version {FORMAT_VERSION}", {"const": FORMAT_VERSION}, "bad-version"
        ),
        "name": NAME_VALUE,
        "description": TEXT,
        "include": ListOf("a list of files", TEXT, single=True),
        "params": _Params(),
        "time": time,
        "seed": Value(_seed, "a whole number", {"type": "integer", "minimum": 0}),
        "replications": COUNT,
        "defaults": _Defaults("the defaults", dict, {"policy": POLICY_REF}),
        "services": Services(),
        "policies": PolicyMap(),
        "load": Loads(),
        "faults": Faults(),
        "actions": Actions(),
        "flags": MapOf("a map of flags", TRUTH, key_noun="the name of a flag"),
        "slos": Slos(),
        "planning": planning(WINDOW),
        "windows": _Windows(),
        "variants": _Variants(),
        "checks": Checks(),
        "abort_when": Checks(single_runs=True),
    }
    order = ("sysim", "time", "policies", "defaults")
    return _Scenario("a scenario", model.Scenario, fields, ("sysim", "time", "services"), order=order)


SCENARIO = _scenario()


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of the file, for editors: every valid text form, and no unknown key."""
    defs: dict[str, Schema] = {}
    body = SCENARIO.schema(defs)
    # A null removes a key, so an editor may not complain about one.
    for part in (body, *defs.values()):
        _allow_null_and_param(part)
    defs["parameter"] = {"type": "string", "pattern": PARAMETER}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "sysim scenario"}
    return {**head, **body, "required": ["sysim"], "$defs": {name: defs[name] for name in sorted(defs)}}


def _allow_null_and_param(part: Schema) -> None:
    for key in ("properties", "patternProperties"):
        for name, child in part.get(key, {}).items():
            _allow_null_and_param(child)
            if child:
                part[key][name] = {"anyOf": [child, {"type": "null"}, {"$ref": "#/$defs/parameter"}]}
    if isinstance(part.get("items"), dict):
        _allow_null_and_param(part["items"])
        part["items"] = {"anyOf": [part["items"], {"$ref": "#/$defs/parameter"}]}
    for child in part.get("anyOf", ()):
        _allow_null_and_param(child)
