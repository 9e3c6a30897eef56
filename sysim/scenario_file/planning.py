"""The grammar of planning: what `sysim plan` may change, and what it has to hold against."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.actions import SERVICE_REF
from sysim.scenario_file.forms import Form, OneOf
from sysim.scenario_file.nodes import Map, Node
from sysim.scenario_file.references import SLO_REF, ZONE_REF
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Record, Shape, Word
from sysim.scenario_file.values import COUNT, FACTOR, SHARE

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

WORDS: dict[str, Callable[[], Any]] = {
    "none": model.NoFailure, "replica": model.ReplicaLoss, "zone": model.ZoneLoss, "slow": model.SlowService,
}  # fmt: skip


class _Ranges(MapOf):
    """How far each service may go; its name has to be one of the file."""

    def __init__(self) -> None:
        size = Record("a range {min, max}", model.SizeRange, {"min": COUNT, "max": COUNT}, ("max",),
                      {"min": "least", "max": "most"})  # fmt: skip
        super().__init__("a map of services", size, key_noun="the name of a service")

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        ranges = super().read(node, at, ctx)
        if ranges is INVALID or not isinstance(node, Map):
            return INVALID
        for name in ranges:
            if name not in ctx.services:
                hint = ctx.reporter.nearest(name, ctx.services)
                message = f"found {name[:80]!r}, expected a service of this file"
                ctx.report(node.key_mark(name), "unknown-service", join(at, name), message, hint)
                return INVALID
        return ranges


def planning(window: Shape) -> Record:
    """The section; `window` is the shape of a window."""
    slow = Record(
        "a slow service {service, times}", model.SlowService, {"service": SERVICE_REF, "times": FACTOR}, ("service",)
    )
    failure = OneOf(
        "a failure to plan for",
        words=WORDS,
        keyed={
            "zone": Form(ZONE_REF, lambda zone: model.ZoneLoss(zone=zone)),
            "slow": Form(slow, lambda slow: slow),
        },
    )
    fields: dict[str, Shape] = {
        "services": _Ranges(),
        "assume": ListOf("a list of failures", failure, 1, single=True),
        "slos": ListOf("a list of slos", SLO_REF, 1, single=True),
        "window": window,
        "minimise": Word("what to minimise", ("cost", "replicas")),
        "confidence": SHARE,
    }
    return Record("what to plan", model.Planning, fields)


__all__ = ["planning"]
