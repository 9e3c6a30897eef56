"""The grammar of calendars: what may stand beside the base of a rate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.model.calendar import DAYS, SECOND
from sysim.scenario_file.forms import Either
from sysim.scenario_file.nodes import Map, Node, Scalar, Seq
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Record, Shape, Value
from sysim.scenario_file.values import DURATION, FACTOR, INSTANT, ZONE, text_schema
from sysim.units import UnitError
from sysim.zones import find

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

PARTS = ("daily", "weekly", "dates", "growth", "bursts", "noise", "zone")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _clock(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(units.CLOCK_PATTERN, value, re.ASCII):
        raise UnitError(value, "a time of day such as 15:00")
    hour, minute, *second = (int(part) for part in value.split(":"))
    return ((hour * 60 + minute) * 60 + (second[0] if second else 0)) * SECOND


def _peak_to_mean(value: Any) -> float:
    number = units.factor(value)
    if not 1.0 <= number <= 24.0:
        raise UnitError(value, "a number from 1 (as busy all day) to 24")
    return number


class _Hours(ListOf):
    def read(self, node: Any, at: str, ctx: Any) -> Any:
        if isinstance(node, Seq) and len(node.items) != 24:
            ctx.report(node, "bad-value", at, f"found {len(node.items)} factors, expected 24, one for each hour")
            return INVALID
        values = super().read(node, at, ctx)
        return model.DailyFactors(factors=values) if isinstance(values, tuple) else values

    def schema(self, defs: dict[str, Any]) -> dict[str, Any]:
        return {**super().schema(defs), "minItems": 24, "maxItems": 24}


def calendar_parts() -> dict[str, Shape]:
    """The parts of a calendar, by their keys."""
    clock = Value(_clock, "a time of day such as 15:00", text_schema(units.CLOCK_PATTERN))
    ratio = Value(_peak_to_mean, "a number from 1 to 24", {"type": "number", "minimum": 1, "maximum": 24})
    curve = {"peak_at": clock, "peak_to_mean": ratio}
    burst = {"at": INSTANT, "for": DURATION, "factor": FACTOR, "ramp": DURATION, "every": DURATION}
    record = Record("a burst", model.Burst, burst, ("at", "for", "factor"), {"for": "duration"})
    noise = {"cv": FACTOR, "every": DURATION}
    return {
        "daily": Either(
            "{peak_at, peak_to_mean} or 24 factors",
            lambda node: "factors" if isinstance(node, Seq) else "curve",
            {
                "curve": Record("{peak_at, peak_to_mean}", model.DailyCurve, curve, tuple(curve)),
                "factors": _Hours("a list of 24 factors", FACTOR),
            },
        ),
        "weekly": Record("a map of factors such as {sat: 2}", model.Weekly, dict.fromkeys(DAYS, FACTOR)),
        "dates": MapOf("a map of dates to factors", FACTOR, _DATE, "a date such as 2026-04-11"),
        "growth": _growth(),
        "bursts": ListOf("a list of bursts", record),
        "noise": Record("{cv, every}", model.Noise, noise, tuple(noise)),
        "zone": ZONE,
    }


def _growth() -> Shape:
    monthly = Value(
        _monthly, "growth a month such as 3% or -2%",
        {"anyOf": [{"type": "number", "minimum": -0.99, "maximum": 10}, text_schema("-?" + units.PERCENT_PATTERN)]},
    )  # fmt: skip
    since = Value(_date, "a date such as 2026-01-01", text_schema(_DATE.pattern))
    dated = {"monthly": monthly, "since": since}
    return Either(
        "growth a month such as 3%, or {monthly, since}",
        lambda node: "dated" if isinstance(node, Map) else "monthly",
        {
            "monthly": _Monthly(monthly),
            "dated": Record("growth {monthly, since}", model.Growth, dated, ("monthly",)),
        },
    )


class _Monthly(Value):
    """A bare share: growth since the day of time 0."""

    def __init__(self, share: Value) -> None:
        super().__init__(lambda value: model.Growth(monthly=_monthly(value)), share.noun, share.schema({}), share.code)


def _monthly(value: Any) -> float:
    expected = "growth a month from -99% to 1000%, such as 3%"
    text = value[1:] if isinstance(value, str) and value.startswith("-") else value
    falls = text is not value or (isinstance(value, int | float) and not isinstance(value, bool) and value < 0)
    try:
        number = units.factor(abs(value) if isinstance(value, int | float) and falls else text)
    except UnitError:
        raise UnitError(value, expected) from None
    if not number <= (0.99 if falls else 10.0):
        raise UnitError(value, expected, f"did you mean {value}%?" if not isinstance(value, str) else "")
    return -number if falls else number


def _date(value: Any) -> str:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return units.date_time(value).date().isoformat()
    raise UnitError(value, "a date such as 2026-01-01")


def anchored(node: Map, at: str, ctx: Reading) -> bool:
    """Whether it is known when time 0 is, as far as the parts of this calendar need it; else it is reported."""
    dated = isinstance(node.get("growth"), Map)
    for key in ("weekly", "dates", "zone", *(("growth",) if dated else ())):
        if key not in node.entries:
            continue
        if ctx.start is None:
            message = f"found {key!r} without time.start, expected it to say which day time 0 is"
            ctx.report(node.key_mark(key), "missing-key", join(at, key), message, "add start: 2026-04-11T00:00 to time")
            return False
        if key == "zone" and ctx.zone is None:
            message = "found 'zone' without time.zone, expected it to say in which zone time.start is"
            ctx.report(node.key_mark(key), "missing-key", join(at, key), message, "add zone: Europe/London to time")
            return False
    return True


def own_zone(node: Node) -> str | None:
    """The zone that is written in a rate, quietly: what is wrong with it is told when it is read."""
    written = node.get("zone") if isinstance(node, Map) else None
    if not isinstance(written, Scalar) or not isinstance(written.value, str):
        return None
    try:
        return find(written.value).key
    except UnitError:
        return None
