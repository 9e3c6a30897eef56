"""The grammar of calendars: what may stand beside the base of a rate."""

from __future__ import annotations

import re
from typing import Any

from sysim import model, units
from sysim.model.calendar import DAYS, SECOND
from sysim.scenario_file.forms import Either
from sysim.scenario_file.nodes import Seq
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Record, Shape, Value
from sysim.scenario_file.values import DURATION, FACTOR, INSTANT, text_schema
from sysim.units import UnitError

PARTS = ("daily", "weekly", "dates", "bursts", "noise")
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
        "bursts": ListOf("a list of bursts", record),
        "noise": Record("{cv, every}", model.Noise, noise, tuple(noise)),
    }
