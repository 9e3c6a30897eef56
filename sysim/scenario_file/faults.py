"""The grammar of faults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.forms import Either, Tagged, map_or_scalar
from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.references import ZONE_REF
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, NAME, ListOf, Record, Schema, Shape, Value, Word, not_yet
from sysim.scenario_file.steps import check_unique_names
from sysim.scenario_file.values import (
    DISTRIBUTION,
    DURATION,
    FACTOR,
    INSTANT,
    NAME_VALUE,
    SHARE,
    TRUE,
    TRUTH,
    text_schema,
)

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

_END = rf"{NAME.pattern}(?:\.{NAME.pattern})?"
_EDGE = re.compile(rf"({_END})\s*->\s*({_END})")
_ZONE = re.compile(rf"zone\s+({NAME.pattern})")
_WHERE = re.compile(_END)
_ON_REPLICAS = ("pause", "capacity", "crash")


class _Target(Shape):
    """What a fault strikes: a service, service.operation, ``zone a``, or ``caller -> callee``."""

    noun = "a service, service.operation, 'zone a' or 'caller -> callee'"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return self.wrong(node, at, ctx)
        if match := _EDGE.fullmatch(text):
            return self._edge(match[1], match[2], node, at, ctx)
        if match := _ZONE.fullmatch(text):
            if match[1] in ctx.zones:
                return model.ZoneTarget(zone=match[1])
            hint = ctx.reporter.nearest(match[1], ctx.zones)
            ctx.report(
                node, "unknown-zone", at, f"found {found(node)}, expected a zone of some service", hint
            )
            return INVALID
        if not _WHERE.fullmatch(text):
            return self.wrong(node, at, ctx)
        end = _end(text, node, at, ctx)
        if end is INVALID:
            return INVALID
        service, operation = end
        if operation is None:
            return model.ServiceTarget(service=service)
        return model.OperationTarget(service=service, operation=operation)

    def _edge(self, caller: str, callee: str, node: Node, at: str, ctx: Reading) -> Any:
        left = (caller, None) if caller in ctx.loads else _end(caller, node, at, ctx, loads=True)
        right = _end(callee, node, at, ctx)
        if left is INVALID or right is INVALID:
            return INVALID
        return model.EdgeTarget(
            caller=left[0], caller_operation=left[1], callee=right[0], callee_operation=right[1]
        )

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return text_schema(_END, rf"{_END}\s*->\s*{_END}", rf"zone\s+{NAME.pattern}")


def _end(text: str, node: Node, at: str, ctx: Reading, loads: bool = False) -> Any:
    """Service and operation (or None) of one end, or INVALID after a report."""
    service, dot, operation = text.partition(".")
    if service not in ctx.services:
        names = [*ctx.services, *(ctx.loads if loads else ())]
        expected = "a service or load of this file" if loads else "a service of this file"
        hint = ctx.reporter.nearest(service, names)
        ctx.report(node, "unknown-service", at, f"found {service[:80]!r}, expected {expected}", hint)
        return INVALID
    if dot and operation not in ctx.services[service]:
        hint = ctx.reporter.nearest(operation, ctx.services[service])
        message = f"found {text[:80]!r}, expected an operation of {service!r}"
        ctx.report(node, "unknown-operation", at, message, hint)
        return INVALID
    return service, operation if dot else None


def _replicas(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value.endswith("%"):
        return {"replica_share": units.share(value)}
    try:
        number = units.count(value)
    except units.UnitError as error:
        raise units.UnitError(value, "a number of replicas or a share such as 30%", error.hint) from None
    return {"replicas": number}


REPLICAS = Value(
    _replicas,
    "a number of replicas or a share such as 30%",
    {"anyOf": [{"type": "integer", "minimum": 1}, text_schema(units.PERCENT_PATTERN, units.COUNT_PATTERN)]},
)


class _Detection(Shape):
    """How long balancers take to notice a crash: no engine simulates anything but at once."""

    noun = DURATION.noun

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        value = DURATION.read(node, at, ctx)
        if value is INVALID or not value:
            return value
        return not_yet(node, at, ctx, "a detection time (balancers notice a crash at once)")

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return DURATION.schema(defs)


class _FaultRecord(Record):
    """A fault of one effect; `make` builds the effect from the value under the effect's key."""

    def __init__(self, effect: str, shape: Shape, make: Any, more: dict[str, Shape]) -> None:
        self.effect, self.make = effect, make
        fields: dict[str, Shape] = {
            effect: shape,
            **more,
            "name": NAME_VALUE,
            "on": ListOf("targets", _Target(), 1, single=True),
            "at": INSTANT,
            "for": DISTRIBUTION,
            "every": DISTRIBUTION,
            "replicas": REPLICAS,
            "zone": ZONE_REF,
            "each": Word("each", ("replica",)),
        }
        super().__init__(f"a fault with {effect!r}", model.Fault, fields, (effect, "on"), {"for": "lasts"})

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        values = dict(values)
        effect = values.pop(self.effect)
        more = {key: values.pop(key) for key in ("after_work",) if key in values}
        narrowed = dict(values.pop("replicas", {}))
        if isinstance(effect, dict):
            effect = dict(effect)
            inner = effect.pop("replicas", {})
            if inner and narrowed:
                message = "found replicas of the fault and of its crash, expected only one of them"
                ctx.report(node, "ambiguous", join(at, "replicas"), message)
                return INVALID
            narrowed = narrowed or inner
        effect = self.make(effect, **more)
        values["on"] = tuple(dict.fromkeys(values["on"]))
        for target in values["on"]:
            if self.effect in _ON_REPLICAS and target.kind not in ("service", "zone"):
                where = node.get("on") if isinstance(node, Map) else None
                found_on = f"found {self.effect} on {_words(target)}"
                message = f"{found_on}, expected a service or a zone: it strikes replicas"
                ctx.report(where or node, "bad-target", join(at, "on"), message)
                return INVALID
            if self.effect == "slowdown" and target.kind == "edge":
                where = node.get("on") if isinstance(node, Map) else None
                message = f"found slowdown on {_words(target)}, expected a service, an operation or a zone"
                ctx.report(
                    where or node, "bad-target", join(at, "on"), message, "for a slow network use latency"
                )
                return INVALID
        return super().construct({**values, **narrowed, "effect": effect}, node, at, ctx)


def _words(target: Any) -> str:
    return "an operation" if target.kind == "operation" else "an edge"


def _error(value: Any, after_work: bool | None = None) -> model.ErrorFault:
    given: dict[str, Any] = dict(value) if isinstance(value, dict) else {"share": value}
    return model.ErrorFault(**(given if after_work is None else {**given, "after_work": after_work}))


def _loss(value: float) -> model.LossFault:
    return model.LossFault(share=value)


def _crash(value: Any) -> model.CrashFault:
    return model.CrashFault(**(value if isinstance(value, dict) else {}))


def _fault() -> Tagged:
    error = Either(
        "an error",
        map_or_scalar,
        {
            "scalar": SHARE,
            "map": Record("{share, after_work}", dict, {"share": SHARE, "after_work": TRUTH}, ("share",)),
        },
    )
    crash = Either(
        "a crash",
        map_or_scalar,
        {
            "scalar": TRUE,
            "map": Record(
                "a crash",
                dict,
                {
                    "replicas": REPLICAS,
                    "restart_after": DURATION,
                    "detection": _Detection(),
                },
            ),
        },
    )
    effects: dict[str, tuple[Shape, Any, dict[str, Shape]]] = {
        "pause": (TRUE, lambda value: model.PauseFault(), {}),
        "slowdown": (_positive(FACTOR), lambda value: model.SlowdownFault(factor=value), {}),
        "capacity": (_positive(SHARE), lambda value: model.CapacityFault(share=value), {}),
        "latency": (DISTRIBUTION, lambda value: model.LatencyFault(latency=value), {}),
        "error": (error, _error, {"after_work": TRUTH}),
        "crash": (crash, _crash, {}),
        "blackhole": (TRUE, lambda value: model.BlackholeFault(), {}),
        "refuse": (TRUE, lambda value: model.RefuseFault(), {}),
        "reset": (TRUE, lambda value: model.ResetFault(), {}),
        "loss": (SHARE, _loss, {}),
    }
    return Tagged(
        "a fault",
        {name: _FaultRecord(name, shape, make, more) for name, (shape, make, more) in effects.items()},
    )


def _positive(shape: Value) -> Value:
    def read(value: Any) -> Any:
        number = shape.reader(value)
        if number <= 0:
            raise units.UnitError(value, "more than 0", "for a full stop use pause")
        return number

    return Value(read, shape.noun, shape.schema({}), shape.code)


class Faults(ListOf):
    """The list of faults; names among them are unique, since checks and paths use them."""

    def __init__(self) -> None:
        super().__init__("a list of faults", _fault())

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        check_unique_names(node, at, ctx, "fault")
        return super().read(node, at, ctx)
