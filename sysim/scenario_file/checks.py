"""The grammar of checks: one line such as ``p99(web) during outage < 800ms``, alone or with options in a
map.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.metrics import (
    BUDGET_METRICS,
    CALL_METRICS,
    LOAD_METRICS,
    SERVICE_METRICS,
    SHARES,
    is_duration,
)
from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.references import VARIANT_REF
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, NAME, ListOf, Record, Schema, Shape
from sysim.scenario_file.steps import check_unique_names
from sysim.scenario_file.values import DURATION, NAME_VALUE, SHARE

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

_WORD = NAME.pattern
_OP = r"<=|>=|==|!=|<|>"
_HEAD = re.compile(
    r"\s*(?P<not>not\s+)?(?P<metric>[a-z][a-z0-9_]*)\s*\(\s*(?P<subject>[^()]*?)\s*\)\s*(?P<rest>.*)"
)
_COMPARE = re.compile(rf"(?:during\s+(?P<window>{_WORD})\s*)?(?P<op>{_OP})\s*(?P<value>.+?)\s*")
_RECOVERS = re.compile(r"within\s+(?P<within>\S+)(?:\s+after\s+(?P<after>\S+))?\s*")
_OF = re.compile(rf"(?P<share>\S+)\s+of\s+(?P<window>{_WORD})")
_OF_VARIANT = re.compile(rf"(?:(?P<share>\S+)\s+of\s+)?variant\s+(?P<variant>{_WORD})")
_EDGE = re.compile(r"(?P<caller>\S+?)\s*->\s*(?P<callee>\S+)")
_TOTAL = re.compile(rf"cost(?: during (?P<window>{_WORD}))?")
_SHAPE = "[not] metric(subject) [during window] OP value"


class Refused(Exception):
    """A check text that cannot be read; carries code, message and hint."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint


def parse_check(text: str, ctx: Reading) -> dict[str, Any]:
    """The fields of a `Check` for its text; raises Refused."""
    head = _HEAD.fullmatch(text) if len(text) <= 500 else None
    if head is None:
        raise Refused("bad-check", f"found {units.show(text)}, expected {_SHAPE}")
    metric, rest = head["metric"], head["rest"].strip()
    given: dict[str, Any] = {
        "text": " ".join(text.split()),
        "negated": head["not"] is not None,
        "metric": metric,
    }
    if metric in ("recovers", "metastable"):
        if head["subject"] not in ctx.loads:
            raise _unknown(head["subject"], "a load", ctx.loads, ctx)
        given["subject"] = head["subject"]
        return given | (_recovers(rest, ctx) if metric == "recovers" else _metastable(rest))
    given["subject"], metrics = _subject(head["subject"], ctx)
    if metric not in metrics:
        message = f"found the metric {metric!r}, expected one of {given['subject']!r}"
        hint = ctx.reporter.nearest(metric, [*metrics, "recovers", "metastable"])
        raise Refused("unknown-metric", message, hint)
    return given | _comparison(metric, rest, ctx)


def _unknown(word: str, noun: str, names: Any, ctx: Reading) -> Refused:
    message = f"found {word[:80]!r}, expected {noun} of this file"
    return Refused("unknown-subject", message, ctx.reporter.nearest(word, names))


def _subject(text: str, ctx: Reading) -> tuple[str, frozenset[str]]:
    if edge := _EDGE.fullmatch(text):
        ends = [_end(edge[side], ctx, loads=side == "caller") for side in ("caller", "callee")]
        return " -> ".join(ends), CALL_METRICS
    if text in ctx.loads:
        return text, LOAD_METRICS | BUDGET_METRICS
    return _end(text, ctx), SERVICE_METRICS


def _end(text: str, ctx: Reading, loads: bool = True) -> str:
    if loads and text in ctx.loads:
        return text
    service, dot, operation = text.partition(".")
    if service not in ctx.services:
        names = [*ctx.services, *(ctx.loads if loads else ())]
        raise _unknown(text, "a load, a service or a call" if loads else "a service", names, ctx)
    if dot and operation not in ctx.services[service]:
        raise _unknown(
            text, f"an operation of {service!r}", [f"{service}.{o}" for o in ctx.services[service]], ctx
        )
    return text


def _recovers(rest: str, ctx: Reading) -> dict[str, Any]:
    match = _RECOVERS.fullmatch(rest)
    if match is None:
        stood = units.show(rest) if rest else "nothing"
        raise Refused("bad-check", f"found {stood} after the load, expected within 2m [after fault]")
    given: dict[str, Any] = {"op": "<=", "value": _number(match["within"], "within", duration=True)}
    after = match["after"]
    if after is not None and after in ctx.faults:
        given["after"] = after
    elif after is not None:
        try:
            given["after_at"] = units.instant(after, ctx.start, ctx.zone)
        except units.UnitError:
            hint = ctx.reporter.nearest(after, ctx.faults)
            message = f"found {after[:80]!r}, expected the name of a fault or an instant"
            raise Refused("unknown-fault", message, hint) from None
    return given


def _metastable(rest: str) -> dict[str, Any]:
    if rest:
        raise Refused("bad-check", f"found {units.show(rest)}, expected nothing after metastable(load)")
    return {}


def _comparison(metric: str, rest: str, ctx: Reading) -> dict[str, Any]:
    match = _COMPARE.fullmatch(rest)
    if match is None:
        stood = units.show(rest) if rest else "nothing"
        raise Refused("bad-check", f"found {stood} after the subject, expected [during window] OP value")
    given: dict[str, Any] = {"op": match["op"], "window": _window(match["window"] or "all", ctx)}
    value = match["value"]
    if of := _OF_VARIANT.fullmatch(value):
        given["of_variant"] = _variant(of["variant"], ctx)
        given["value"] = _factor(of["share"] or "100%")
    elif of := _OF.fullmatch(value):
        given["of_window"] = _window(of["window"], ctx)
        given["value"] = _factor(of["share"])
    else:
        given["value"] = _number(value, metric, is_duration(metric))
    return given


def parse_measure(text: str, ctx: Reading) -> dict[str, Any]:
    """The fields of a `Check` for ``metric(subject) [during window]`` alone, or for ``cost`` of all services (the
    subject is then ``*``); raises Refused.
    """
    whole = " ".join(text.split())
    if total := _TOTAL.fullmatch(whole):
        given = {"text": whole, "metric": "cost", "subject": "*", "op": ">=", "value": 0.0}
        return {**given, "window": _window(total["window"] or "all", ctx)}
    head = _HEAD.fullmatch(text) if len(text) <= 500 else None
    if head is None or head["not"] is not None:
        raise Refused("bad-measure", f"found {units.show(text)}, expected metric(subject) [during window]")
    metric, rest = head["metric"], head["rest"].strip()
    if metric == "metastable":
        raise Refused("bad-measure", "found 'metastable', expected a metric that is a number", "make it a check")
    if metric == "recovers":
        whole = f"{metric}({head['subject']}) within 1s {rest}"
    else:
        whole = f"{metric}({head['subject']}) {rest} >= 0{'s' if is_duration(metric) else ''}"
    if rest and re.fullmatch(r"after\s+\S+" if metric == "recovers" else rf"during\s+{_WORD}", rest) is None:
        expected = "after a fault" if metric == "recovers" else "during a window"
        raise Refused("bad-measure", f"found {units.show(rest)} after the subject, expected {expected}")
    found = parse_check(whole.strip(), ctx)
    if metric in BUDGET_METRICS:
        raise Refused("bad-measure", f"found {metric!r}, which needs an objective", "measure success instead")
    return {**found, "text": " ".join(text.split())}


def compares_variants(text: str) -> bool:
    """Whether the text of a check holds one variant against another."""
    head = _HEAD.fullmatch(text)
    match = _COMPARE.fullmatch(head["rest"].strip()) if head else None
    return match is not None and _OF_VARIANT.fullmatch(match["value"]) is not None


def _factor(text: str) -> float:
    try:
        return units.factor(text)
    except units.UnitError as error:
        raise Refused("bad-check", str(error)) from None


def _variant(name: str, ctx: Reading) -> str:
    if name not in ctx.variants:
        message = f"found {name!r}, expected a variant of this file"
        raise Refused("unknown-variant", message, ctx.reporter.nearest(name, ctx.variants))
    return name


def _window(name: str, ctx: Reading) -> str:
    if name != "all" and name not in ctx.windows:
        message = f"found {name!r}, expected a window of this file or 'all'"
        raise Refused("unknown-window", message, ctx.reporter.nearest(name, [*ctx.windows, "all"]))
    return name


def _number(text: str, metric: str, duration: bool) -> float:
    """The value in the unit of the JSON result: seconds, 0..1, per second, or the plain number."""
    if duration:
        try:
            return units.duration(text) / units.NS_PER_SECOND
        except units.UnitError as error:
            raise Refused(
                "bad-check", f"found {units.show(text)}, expected {error.expected}", error.hint
            ) from None
    if metric in SHARES:
        readers: tuple[Any, ...] = (units.share,)
    elif metric in ("value_earned", "value_lost", "cost"):
        readers = (lambda value: units.money(value)[0], units.count, units.factor)
    else:
        readers = (units.rate, units.count, units.factor)
    refused: units.UnitError | None = None
    for reader in readers:
        try:
            return float(reader(text))
        except units.UnitError as error:
            refused = error
    assert refused is not None
    raise Refused("bad-check", f"found {units.show(text)}, expected {refused.expected}", refused.hint)


class _CheckText(Shape):
    """One check, as its text."""

    noun = _SHAPE

    def __init__(self, single_runs: bool = False) -> None:
        self.single_runs = single_runs

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        fields = self.fields(node, at, ctx)
        if fields is INVALID:
            return INVALID
        if fields["metric"] in BUDGET_METRICS:
            return _no_objective(node, at, fields["metric"], ctx)
        return model.Check(**fields)

    def fields(self, node: Node, at: str, ctx: Reading) -> Any:
        """The fields that the text gives, or INVALID after a report."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.wrong(node, at, ctx)
        try:
            fields = parse_check(node.value, ctx)
        except Refused as refused:
            ctx.report(node, refused.code, at, refused.message, refused.hint)
            return INVALID
        if self.single_runs and "of_variant" in fields:
            message = "found a comparison with a variant, expected a condition on a single run"
            ctx.report(node, "bad-check", at, message)
            return INVALID
        return fields

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"type": "string", "pattern": r"^\s*(not\s+)?[a-z][a-z0-9_]*\s*\(.*\)"}


def _no_objective(node: Node, at: str, metric: str, ctx: Reading) -> Any:
    message = f"found no objective for {metric!r}, expected one beside it"
    ctx.report(node, "missing-key", at, message, f"write {{expect: {metric}(…) …, objective: 99.9%}}")
    return INVALID


class _Expect(_CheckText):
    """The text under `expect`, kept as fields until the options beside it are read."""

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        return self.fields(node, at, ctx)


_ONLY_WITH = {
    "hold": frozenset(("recovers", "metastable")),
    "to": frozenset(("recovers", "metastable")),
    "share": frozenset(("metastable",)),
    "objective": BUDGET_METRICS,
    "period": BUDGET_METRICS,
}


class _CheckMap(Record):
    """A check with options."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        values = dict(values)
        fields = values.pop("expect")
        for key, metrics in _ONLY_WITH.items():
            if key in values and fields["metric"] not in metrics and isinstance(node, Map):
                only = ", ".join(sorted(metrics, reverse=True))
                message = f"found {key!r} on a check of {fields['metric']!r}, only with {only}"
                ctx.report(node.key_mark(key), "bad-check", join(at, key), message)
                return INVALID
        if fields["metric"] in BUDGET_METRICS and "objective" not in values:
            return _no_objective(node, at, fields["metric"], ctx)
        return super().construct({**fields, **values}, node, at, ctx)


class _Check(Shape):
    """A check: a text, or a map with `expect`. With `single_runs` it is a condition on each run by itself."""

    noun = f"a check: {_SHAPE}"

    def __init__(self, single_runs: bool = False) -> None:
        variants = ListOf("a list of variants", VARIANT_REF, single=True)
        self.text = _CheckText(single_runs)
        options: dict[str, Shape] = {
            "expect": _Expect(single_runs), "name": NAME_VALUE, "variants": variants, "except": variants,
            "hold": DURATION, "to": SHARE, "objective": SHARE, "period": DURATION,
        }  # fmt: skip
        if not single_runs:
            options |= {"confidence": SHARE, "share": SHARE}
        noun = "a condition" if single_runs else "a check"
        self.record = _CheckMap(noun, model.Check, options, ("expect",), {"except": "except_"})

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map):
            return self.record.read(node, at, ctx)
        if not isinstance(node, Scalar):
            ctx.report(node, "bad-value", at, f"found {found(node)}, expected {self.noun}")
            return INVALID
        return self.text.read(node, at, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"anyOf": [self.text.schema(defs), self.record.schema(defs)]}

    def child(self, key: str) -> Shape | None:
        return self.record.child(key)

    def known(self) -> Any:
        return self.record.known()


class Checks(ListOf):
    """The list of checks, or with `single_runs` that of conditions on which a study is given up."""

    def __init__(self, single_runs: bool = False) -> None:
        noun = "a list of conditions" if single_runs else "a list of checks"
        super().__init__(noun, _Check(single_runs))

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        check_unique_names(node, at, ctx, "check")
        return super().read(node, at, ctx)
