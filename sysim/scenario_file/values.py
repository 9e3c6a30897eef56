"""The grammar of single values: quantities, words, distributions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sysim import model, units, zones
from sysim.scenario_file.forms import Form, OneOf
from sysim.scenario_file.nodes import Map, Node
from sysim.scenario_file.shapes import (
    INVALID,
    NAME,
    ListOf,
    MapOf,
    Named,
    Record,
    Schema,
    Shape,
    Timed,
    Value,
    Word,
    not_yet,
)
from sysim.units import UnitError


def text_schema(*patterns: str) -> Schema:
    """The schema of a text that matches one of `patterns` in whole."""
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return {"type": "string", "pattern": f"^(?:{joined})$"}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnitError(value, "a text", "put it in quotes" if value is not None else "")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value) or len(value) > 200:
        raise UnitError(value, "a name: letters, digits, _ and -, not beginning with a digit or -")
    return value


def _truth(value: Any) -> bool:
    words = {True: True, False: False, "on": True, "off": False, "yes": True, "no": False}
    if (isinstance(value, (bool, str))) and value in words:
        return words[value]
    raise UnitError(value, "true or false")


def _true(value: Any) -> bool:
    if _truth(value) is not True:
        raise UnitError(value, "true, or leave the key out")
    return True


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError(value, "a whole number")
    return value


PERCENT_OR_NUMBER: Schema = {"anyOf": [{"type": "number", "minimum": 0}, text_schema(units.PERCENT_PATTERN)]}
_SHARE: Schema = {
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, text_schema(units.PERCENT_PATTERN)]
}
_INSTANT = (units.DURATION_PATTERN, units.CLOCK_PATTERN, units.DATE_TIME_PATTERN)
_COUNT: Schema = {"anyOf": [{"type": "number", "minimum": 0}, text_schema(units.COUNT_PATTERN)]}

TEXT = Value(_text, "a text", {"type": "string"})
NAME_VALUE = Value(_name, "a name", text_schema(NAME.pattern), "bad-name")
TRUTH = Value(_truth, "true or false", {"enum": [True, False, "on", "off", "yes", "no"]})
TRUE = Value(_true, "true", {"enum": [True, "on", "yes"]})
WHOLE = Value(_whole, "a whole number", {"type": "integer"})
DURATION = Value(
    units.duration, "a duration such as 250ms", text_schema(units.DURATION_PATTERN), "bad-duration"
)
RATE = Value(units.rate, "a rate such as 400/s", text_schema(units.RATE_PATTERN), "bad-rate")
SHARE = Value(units.share, "a share such as 5%", _SHARE, "bad-share")
FACTOR = Value(units.factor, "a number of at least 0", PERCENT_OR_NUMBER)
COUNT = Value(units.count, "a whole number such as 200 or 1.2k", _COUNT, "bad-count")
INSTANT = Timed(lambda v, ctx: units.instant(v, ctx.start, ctx.zone), "an instant such as 90s", text_schema(*_INSTANT))
ZONE = Value(lambda v: zones.find(_text(v)).key, "a time zone such as Europe/London", {"type": "string"}, "bad-zone")
DATE_TIME = Value(
    lambda v: units.date_time(v).isoformat(),
    "a date and time such as 2026-04-11T06:00",
    text_schema(units.DATE_TIME_PATTERN, r"\d{4}-\d{2}-\d{2}"),
)


def _money(value: Any) -> model.Money:
    amount, currency = units.money(value)
    return model.Money(amount=amount, currency=currency)


def _cost(value: Any) -> model.Money:
    amount, currency = units.cost(value)
    return model.Money(amount=amount, currency=currency)


MONEY = Value(_money, "an amount such as 3.10 GBP", text_schema("-?" + units.MONEY_PATTERN), "bad-money")
COST = Value(
    _cost, "a cost such as 0.40 USD/h", text_schema(units.MONEY_PATTERN + "/(?:s|m|h|d)"), "bad-money"
)


def outcomes(noun: str) -> Shape:
    """A list of the outcomes that a policy can act on."""
    words = (
        "error",
        "timeout",
        "deadline",
        "rejected",
        "shed",
        "circuit_open",
        "rate_limited",
        "bulkhead_full",
        "unreachable",
        "lost",
        "cancelled",
    )
    return ListOf(f"a list of outcomes for {noun}", Word("an outcome", words), single=True)


_PERCENTILE = re.compile(r"p\d+(?:\.\d+)?")


def percentile_share(key: str) -> float:
    """The share that ``p50``, ``p99.9`` or ``p999`` (which is 99.9 as well) stands for."""
    digits = key[1:]
    if "." not in digits and len(digits) > 2 and digits != "100":
        digits = f"{digits[:2]}.{digits[2:]}"
    return round(float(digits) / 100, 12)


class Percentiles(MapOf):
    """A map of percentiles to durations, in any order."""

    def __init__(self) -> None:
        super().__init__(
            "a map such as {p50: 10ms, p99: 80ms}", DURATION, _PERCENTILE, "a percentile such as p99"
        )

    def read(self, node: Node, at: str, ctx: Any) -> Any:
        values = super().read(node, at, ctx)
        if values is INVALID:
            return INVALID
        shares = {key: percentile_share(key) for key in values}
        if not values or max(shares.values()) > 1:
            return self.wrong(node, at, ctx)
        return tuple(
            model.PercentilePoint(share=shares[key], value=values[key])
            for key in sorted(values, key=lambda key: shares[key])
        )


def _of(kind: Any, key: str) -> Any:
    return lambda value, **extra: kind(**{key: value}, **extra)


def _unpack(kind: Any) -> Any:
    """Build a distribution whose form is a record: the record's fields and `max` side by side."""
    return lambda value, **extra: kind(**value, **extra)


def _fields(noun: str, fields: Mapping[str, Shape], required: tuple[str, ...] = ()) -> Record:
    return Record(noun, dict, fields, required or tuple(fields))


def _uniform(value: Any, **extra: Any) -> model.Uniform:
    return model.Uniform(low=value[0], high=value[-1], **extra)


def _erlang(value: dict[str, Any], **extra: Any) -> model.Gamma:
    gamma = model.Gamma(**value, **extra)
    if abs(gamma.shape - round(gamma.shape)) > 1e-6 or gamma.shape < 0.5:
        return model.Gamma(**{**value, "k": None, "cv": None}, **extra)
    return model.Gamma(mean=gamma.mean, k=round(gamma.shape), max=gamma.max)


def _subform(key: str, node: Node) -> str:
    """A lognormal by median and p99 and one by mean and cv are two forms; likewise a gamma by cv and by k."""
    if isinstance(node, Map):
        for mark in ("median", "p99", "k"):
            if mark in node.entries:
                return f"{key}/{'median' if mark == 'p99' else mark}"
    return key


class _Pair(ListOf):
    def read(self, node: Node, at: str, ctx: Any) -> Any:
        values = super().read(node, at, ctx)
        if values is not INVALID and len(values) != 2:
            return self.wrong(node, at, ctx)
        return values

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {**super().schema(defs), "minItems": 2, "maxItems": 2}


def _distribution() -> Shape:
    gamma = {"mean": DURATION, "cv": FACTOR, "k": FACTOR}
    lognormal = {"mean": DURATION, "cv": FACTOR, "median": DURATION, "p99": DURATION}
    part = Record(
        "a part {weight, mean}",
        model.ExponentialPart,
        {"weight": FACTOR, "mean": DURATION},
        ("weight", "mean"),
    )
    option = Record(
        "a part {weight, of}", model.MixturePart, {"weight": FACTOR, "of": DISTRIBUTION}, ("weight", "of")
    )
    return OneOf(
        "a distribution: a duration such as 20ms, or one of constant, exponential, uniform, lognormal, …",
        scalar=Value(
            _constant, "a duration or a distribution", text_schema(units.DURATION_PATTERN), "bad-duration"
        ),
        keyed={
            "constant": Form(DURATION, _of(model.Constant, "value")),
            "exponential": Form(DURATION, _of(model.Exponential, "mean")),
            "uniform": Form(_Pair("a list [low, high]", DURATION), _uniform),
            "normal": Form(_fields("{mean, sd}", {"mean": DURATION, "sd": DURATION}), _unpack(model.Normal)),
            "lognormal": Form(
                Record("{mean, cv} or {median, p99}", dict, lognormal), _unpack(model.Lognormal)
            ),
            "gamma": Form(Record("{mean, cv} or {mean, k}", dict, gamma, ("mean",)), _unpack(model.Gamma)),
            "erlang": Form(Record("{mean, k} or {mean, cv}", dict, gamma, ("mean",)), _erlang),
            "weibull": Form(
                _fields("{mean, shape}", {"mean": DURATION, "shape": FACTOR}), _unpack(model.Weibull)
            ),
            "pareto": Form(
                _fields("{min, alpha}", {"min": DURATION, "alpha": FACTOR}), _unpack(model.Pareto)
            ),
            "hyperexponential": Form(
                ListOf("a list of {weight, mean}", part, 1), _of(model.Hyperexponential, "parts")
            ),
            "mixture": Form(ListOf("a list of {weight, of}", option, 1), _of(model.Mixture, "parts")),
            "empirical": Form(_Empirical("a list of durations", DURATION, 1), _of(model.Empirical, "values")),
            "percentiles": Form(Percentiles(), _of(model.Percentiles, "points")),
        },
        siblings={"max": DURATION},
        subform=_subform,
    )


class _Empirical(ListOf):
    def read(self, node: Node, at: str, ctx: Any) -> Any:
        if isinstance(node, Map) and "csv" in node.entries:
            return not_yet(node.key_mark("csv"), f"{at}.csv", ctx, "'csv'")
        return super().read(node, at, ctx)


def _constant(value: Any) -> model.Constant:
    return model.Constant(value=units.duration(value))


DISTRIBUTION: Shape = Named("distribution", _distribution)

__all__ = [
    "COST",
    "COUNT",
    "Percentiles",
    "DATE_TIME",
    "DISTRIBUTION",
    "DURATION",
    "FACTOR",
    "INSTANT",
    "MONEY",
    "NAME_VALUE",
    "PERCENT_OR_NUMBER",
    "RATE",
    "SHARE",
    "TEXT",
    "TRUE",
    "TRUTH",
    "WHOLE",
    "ZONE",
    "outcomes",
    "text_schema",
]
