"""Values that name something defined elsewhere in the file: operations, flags, windows, variants."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from sysim.scenario_file.nodes import Map, Mark, Node, Scalar
from sysim.scenario_file.reading import Edge
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, NAME, MapOf, Schema, Shape
from sysim.scenario_file.values import SHARE, text_schema

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

TARGET_TEXT = rf"{NAME.pattern}(?:\.{NAME.pattern})?"


def resolve_target(text: str, node: Node | Mark, at: str, ctx: Reading) -> Any:
    """``service.operation`` in full of a written target, or INVALID after a report."""
    service, dot, operation = text.partition(".")
    if service not in ctx.services:
        if service in ctx.loads:
            hint = "a load cannot be called"
        else:
            hint = ctx.reporter.nearest(service, ctx.services)
        ctx.report(node, "unknown-service", at, f"found {text[:80]!r}, expected a service of this file", hint)
        return INVALID
    operations = ctx.services[service]
    if dot:
        if operation in operations:
            return text
        hint = ctx.reporter.nearest(operation, operations)
        message = f"found {text[:80]!r}, expected an operation of {service!r}"
        ctx.report(node, "unknown-operation", at, message, hint)
        return INVALID
    if len(operations) == 1:
        return f"{service}.{operations[0]}"
    choices = ", ".join(f"{service}.{name}" for name in operations[:8])
    message = f"found {text!r}, a service with {len(operations)} operations, expected service.operation"
    ctx.report(node, "ambiguous-target", at, message, f"one of {choices}" if choices else "")
    return INVALID


class TargetRef(Shape):
    """A service's operation; a service with a single one may be named alone."""

    noun = "service.operation"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.wrong(node, at, ctx)
        target = resolve_target(node.value, node, at, ctx)
        if target is not INVALID:
            ctx.edges.append(Edge(ctx.caller, target, node, at))
        return target

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return text_schema(TARGET_TEXT)


class MixShape(MapOf):
    """Targets with shares that sum to 100 %."""

    def __init__(self) -> None:

        super().__init__(
            "a map such as {web.home: 60%, web.buy: 40%}", SHARE, re.compile(TARGET_TEXT), "a target"
        )

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        values = super().read(node, at, ctx)
        if values is INVALID or not isinstance(node, Map):
            return INVALID
        mix: dict[str, float] = {}
        good = True
        for key, part in values.items():
            mark = node.key_mark(key)
            target = resolve_target(key, mark, join(at, key), ctx)
            if target is INVALID:
                good = False
                continue
            ctx.edges.append(Edge(ctx.caller, target, Scalar(key, mark), join(at, key)))
            if target in mix:
                ctx.report(
                    mark, "duplicate-target", join(at, key), f"found {target!r} twice, expected it once"
                )
                good = False
            if part > 0:
                mix[target] = part
        total = sum(values.values())
        if abs(total - 1.0) > 1e-9:
            ctx.report(node, "bad-mix", at, f"found shares that sum to {total * 100:.6g}%, expected 100%")
            return INVALID
        return mix if good else INVALID


class NameRef(Shape):
    """A name that has to be defined elsewhere; `names` says which there are."""

    def __init__(self, noun: str, code: str, names: Callable[[Reading], Collection[str]]) -> None:
        self.noun, self.code, self.names = noun, code, names

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            names = self.names(ctx)
            if node.value in names:
                return node.value
            hint = ctx.reporter.nearest(node.value, names)
            ctx.report(node, self.code, at, f"found {found(node)}, expected {self.noun}", hint)
            return INVALID
        return self.wrong(node, at, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"type": "string"}


FLAG_REF = NameRef("a flag listed under flags", "unknown-flag", lambda ctx: ctx.flags)
VARIANT_REF = NameRef("a variant of this file", "unknown-variant", lambda ctx: ctx.variants)
SLO_REF = NameRef("an slo of this file", "unknown-slo", lambda ctx: ctx.slos)
ZONE_REF = NameRef("a zone of some service", "unknown-zone", lambda ctx: ctx.zones)
