"""The grammar of slos: what a load is promised, and the alert that calls people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.actions import LOAD_REF
from sysim.scenario_file.nodes import Map, Node
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, MapOf, Record
from sysim.scenario_file.values import DURATION, FACTOR, SHARE, Percentiles

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading


class _Latency(Percentiles):
    """One percentile and its limit."""

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        points = super().read(node, at, ctx)
        if points is INVALID:
            return INVALID
        if len(points) > 1:
            message = f"found {len(points)} percentiles, expected one"
            ctx.report(node, "ambiguous", at, message, "write an slo each")
            return INVALID
        return {"quantile": points[0].share, "limit": points[0].value}


class _Slo(Record):
    """One slo."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        if "success" not in values and "latency" not in values:
            ctx.report(node, "missing-key", at, "found no 'success' or 'latency', expected one in an slo")
            return INVALID
        given = {key: value for key, value in values.items() if key != "latency"}
        return super().construct({**given, **values.get("latency", {})}, node, at, ctx)


class Slos(MapOf):
    """All slos by name; of one load only one can have a latency."""

    def __init__(self) -> None:
        alert = {"burn": FACTOR, "long": DURATION, "short": DURATION, "every": DURATION}
        super().__init__("a map of slos", _Slo("an slo", model.Slo, {
            "load": LOAD_REF, "success": SHARE, "latency": _Latency(), "period": DURATION,
            "alert": Record("an alert", model.Alert, alert),
        }, ("load",)), key_noun="the name of an slo")  # fmt: skip

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        slos = super().read(node, at, ctx)
        if slos is INVALID or not isinstance(node, Map):
            return INVALID
        timed: dict[str, str] = {}
        for name, slo in slos.items():
            if slo.limit is not None and slo.load in timed:
                message = f"found the latency of {slo.load!r} in {timed[slo.load]!r} and {name!r}, expected one of them"
                ctx.report(node.key_mark(name), "ambiguous", join(at, name), message)
                return INVALID
            if slo.limit is not None:
                timed[slo.load] = name
        return slos


__all__ = ["Slos"]
