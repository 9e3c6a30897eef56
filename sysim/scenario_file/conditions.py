"""The grammar of what an action waits for: one line such as ``queue(api) > 1000``, alone, under `metric`, or
with the metric as the key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sysim import model, units
from sysim.model.action import LOAD_CONDITIONS, SERVICE_CONDITIONS
from sysim.scenario_file.metrics import is_duration
from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.references import SLO_REF
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, Record, Schema, Shape, Value, refusal, unknown_key
from sysim.scenario_file.values import DURATION, text_schema

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

_METRIC = r"[a-z][a-z0-9_]*\s*\([^()]*\)"
_OP = r"<=|>=|==|!=|<|>"
_LINE = re.compile(rf"\s*({_METRIC})\s*({_OP})\s*(.+?)\s*")
_KEY = re.compile(rf"\s*{_METRIC}\s*")
_HALF = re.compile(rf"\s*({_OP})\s*(.+?)\s*")
_PARTS = re.compile(r"\s*([a-z][a-z0-9_]*)\s*\(\s*([^()]*?)\s*\)\s*")
_SHARES = ("success", "utilisation")
_RATES = ("goodput", "goodput_per_s", "offered_per_s")
_TIMES = {"for": "lasts", "every": "every", "over": "over"}
_NOUN = "metric(service or load) OP value, such as queue(api) > 1000"


def _value(text: str, metric: str) -> float:
    """In the unit of the JSON result. Raises UnitError."""
    if is_duration(metric):
        return units.duration(text) / units.NS_PER_SECOND
    if metric in _SHARES:
        return units.share(text)
    if metric in _RATES:
        return units.rate(text)
    return float(units.count(text))


_ALERT = Record(
    "a condition on an alert", model.AlertCondition, {"alert": SLO_REF, "for": DURATION}, ("alert",),
    {"alert": "slo", "for": "lasts"},
)  # fmt: skip


class When(Shape):
    """A condition: its text, or a map with it and how often and how long it is looked at."""

    noun = f"a condition: {_NOUN}"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map):
            return self._map(node, at, ctx)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.wrong(node, at, ctx)
        fields = self._line(node, at, ctx)
        return INVALID if fields is INVALID else model.Condition(**fields)

    def _map(self, node: Map, at: str, ctx: Reading) -> Any:
        if "alert" in node.entries:
            return _ALERT.read(node, at, ctx)
        metrics = [key for key, _ in node.items() if key == "metric" or _KEY.fullmatch(key)]
        odd = [key for key, _ in node.items() if key not in metrics and key not in _TIMES]
        for key in odd:
            unknown_key(key, node, at, ctx, self.known(), "a condition")
        if len(metrics) > 1:
            message = f"found {metrics[0]!r} and {metrics[1]!r}, expected one condition"
            ctx.report(node.key_mark(metrics[1]), "ambiguous", at, message)
        elif not metrics and not odd:
            ctx.report(node, "missing-key", at, f"found no 'metric', expected {self.noun}")
        times = {
            _TIMES[key]: DURATION.read(child, join(at, key), ctx)
            for key in _TIMES
            if (child := node.get(key)) is not None
        }
        fields: Any = self._metric(node, metrics[0], at, ctx) if len(metrics) == 1 else INVALID
        if odd or fields is INVALID or INVALID in times.values():
            return INVALID
        if "over" in times and fields["metric"] in SERVICE_CONDITIONS:
            message = f"found 'over' beside {fields['metric']}, which is what a service has at the moment"
            hint = "leave it out, or ask that the condition holds `for` some time"
            ctx.report(node.key_mark("over"), "bad-condition", join(at, "over"), message, hint)
            return INVALID
        try:
            return model.Condition(**fields, **times)
        except ValidationError as error:
            for detail in error.errors():
                late = next((key for key, name in _TIMES.items() if name in detail["loc"]), "")
                child = node.get(late)
                where = at if child is None else join(at, late)
                ctx.report(child or node, "bad-value", where, refusal(detail, child))
            return INVALID

    def _metric(self, node: Map, key: str, at: str, ctx: Reading) -> Any:
        child = node.entries[key]
        if key == "metric":
            return self._line(child, join(at, key), ctx)
        match = _HALF.fullmatch(child.value) if isinstance(child, Scalar) and isinstance(child.value, str) else None
        if match is None:
            message = f"found {found(child)}, expected OP value, such as '> 800ms'"
            ctx.report(child, "bad-condition", join(at, key), message)
            return INVALID
        return self._fields(key, match[1], match[2], child, join(at, key), ctx)

    def _line(self, node: Node, at: str, ctx: Reading) -> Any:
        text = node.value if isinstance(node, Scalar) else None
        match = _LINE.fullmatch(text) if isinstance(text, str) and len(text) <= 500 else None
        if match is None:
            ctx.report(node, "bad-condition", at, f"found {found(node)}, expected {_NOUN}")
            return INVALID
        return self._fields(match[1], match[2], match[3], node, at, ctx)

    def _fields(self, of: str, op: str, value: str, node: Node, at: str, ctx: Reading) -> Any:
        parts = _PARTS.fullmatch(of)
        assert parts is not None
        metric, subject = parts[1], parts[2]
        if metric not in (*SERVICE_CONDITIONS, *LOAD_CONDITIONS):
            mine = LOAD_CONDITIONS if subject in ctx.loads else SERVICE_CONDITIONS if subject in ctx.services else ()
            hint = ctx.reporter.nearest(metric, mine or [*SERVICE_CONDITIONS, *LOAD_CONDITIONS])
            message = f"found the metric {metric!r}, expected one that an action can wait for"
            ctx.report(node, "unknown-metric", at, message, hint)
            return INVALID
        loads = metric in LOAD_CONDITIONS
        names = ctx.loads if loads else ctx.services
        if subject not in names:
            message = f"found {subject[:80]!r}, expected a {'load' if loads else 'service'} of this file"
            other = subject in (ctx.services if loads else ctx.loads)
            mine = SERVICE_CONDITIONS if loads else LOAD_CONDITIONS
            hint = f"a {'service' if loads else 'load'} has {', '.join(mine)}" if other else ""
            ctx.report(node, "unknown-subject", at, message, hint or ctx.reporter.nearest(subject, names))
            return INVALID
        try:
            number = _value(value, metric)
        except units.UnitError as error:
            message = f"found {units.show(value)}, expected {error.expected}"
            ctx.report(node, "bad-condition", at, message, error.hint)
            return INVALID
        text = f"{metric}({subject}) {op} {value}"
        return {"text": text, "metric": metric, "subject": subject, "op": op, "value": number}

    def schema(self, defs: dict[str, Schema]) -> Schema:
        times = {key: DURATION.schema(defs) for key in _TIMES}
        line = text_schema(rf"\s*{_METRIC}\s*(?:{_OP}).+")
        half = text_schema(rf"\s*(?:{_OP}).+")
        named: Schema = {
            "type": "object",
            "properties": {"metric": line, **times},
            "required": ["metric"],
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
        }
        keyed: Schema = {
            "type": "object",
            "properties": dict(times),
            "patternProperties": {"^x-": {}, f"^{_METRIC}$": half},
            "additionalProperties": False,
        }
        return {"anyOf": [line, named, keyed, _ALERT.schema(defs)]}

    def child(self, key: str) -> Shape | None:
        if key in _TIMES:
            return DURATION
        if key == "alert":
            return SLO_REF
        if key == "metric" or _KEY.fullmatch(key):
            return Value(lambda value: value, _NOUN, {"type": "string"})
        return None

    def known(self) -> Any:
        return ("metric", "alert", *_TIMES)


__all__ = ["When"]
