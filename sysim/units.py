"""Quantities as people write them, and back: durations, rates, shares, counts, instants, windows, money.

Inside sysim a duration or an instant is an int of nanoseconds, a rate a float per second and a share a float
in 0..1. Every reader here takes one written value and returns the inner one, or raises `UnitError`, which
says what was found, what was expected and, where one can guess, what was probably meant.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

NS_PER_SECOND = 1_000_000_000
MAX_NS = 2**61
"""The longest duration and the latest instant, about 73 years; longer ones are refused."""

_UNIT_NS: dict[str, int] = {
    "d": 86_400 * NS_PER_SECOND,
    "h": 3_600 * NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "s": NS_PER_SECOND,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ns": 1,
}
_PER_SECOND: dict[str, Decimal] = {
    "/s": Decimal(1),
    "/m": Decimal(60),
    "/h": Decimal(3_600),
    "/d": Decimal(86_400),
    "rps": Decimal(1),
}
_SCALE: dict[str, int] = {"": 1, "k": 1_000, "M": 1_000_000}

NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
DURATION_PATTERN = r"(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h|d))+"
RATE_PATTERN = rf"{NUMBER}[kM]? ?(?:/(?:s|m|h|d)|rps)"
PERCENT_PATTERN = rf"{NUMBER} ?%"
COUNT_PATTERN = rf"{NUMBER}[kM]?"
MONEY_PATTERN = rf"{NUMBER} [A-Z]{{3}}"
CLOCK_PATTERN = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
DATE_TIME_PATTERN = rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{CLOCK_PATTERN}"

_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|[µμ]s|ms|s|m|h|d)", re.ASCII)
_RATE = re.compile(rf"({NUMBER})([kM]?) ?(/(?:s|m|h|d)|rps)", re.ASCII)
_PERCENT = re.compile(rf"({NUMBER}) ?%", re.ASCII)
_PLAIN = re.compile(NUMBER, re.ASCII)
_COUNT = re.compile(rf"({NUMBER})([kM]?)", re.ASCII)
_MONEY = re.compile(rf"(-?{NUMBER}) ([A-Z]{{3}})", re.ASCII)
_COST = re.compile(rf"({NUMBER}) ([A-Z]{{3}})/(s|m|h|d)", re.ASCII)
_CLOCK = re.compile(CLOCK_PATTERN, re.ASCII)
_DATE_TIME = re.compile(DATE_TIME_PATTERN, re.ASCII)
_LONGEST = 64


class UnitError(ValueError):
    """A written quantity that cannot be read: `found` what stood there, `expected`, and a `hint` (may be
    empty).
    """

    def __init__(self, found: object, expected: str, hint: str = "") -> None:
        self.found = found
        self.expected = expected
        self.hint = hint
        message = f"found {show(found)}, expected {expected}"
        super().__init__(f"{message}, {hint}" if hint else message)


def show(value: object) -> str:
    """A value as it would stand in a file, shortened, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = str(value)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return repr(text) if isinstance(value, str) else text


def duration(value: object) -> int:
    """Nanoseconds of ``250ms``, ``1.5s``, ``1h30m``; a bare number is refused with a hint."""
    expected = "a duration such as 250ms, 1.5s, 2m or 1h30m"
    if _is_number(value) or (isinstance(value, str) and _PLAIN.fullmatch(value)):
        text = "0" if value == 0 else show(value).strip("'")
        hint = "write 0s" if text == "0" else f"a duration needs a unit: write {text}s or {text}ms"
        raise UnitError(value, expected, hint)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise UnitError(value, expected)
    total = Decimal(0)
    position = 0
    last = MAX_NS
    for part in _DURATION_PART.finditer(value):
        unit = _UNIT_NS[part[2]]
        if part.start() != position or unit >= last:
            break
        total += Decimal(part[1]) * unit
        position = part.end()
        last = unit
    if position != len(value) or not value:
        raise UnitError(value, expected, _duration_hint(value))
    if total > MAX_NS:
        raise UnitError(value, "a duration of at most 73 years")
    return int(total.to_integral_value())


def _duration_hint(text: str) -> str:
    words = re.fullmatch(rf"({NUMBER}) ?([A-Za-z]+)", text.strip(), re.ASCII)
    if words is None:
        return ""
    for spelling, unit in (
        ("nano", "ns"), ("micro", "us"), ("milli", "ms"), ("msec", "ms"), ("sec", "s"), ("min", "m"),
        ("hour", "h"), ("hr", "h"), ("day", "d"),
    ):  # fmt: skip
        if words[2].lower().startswith(spelling):
            return f"did you mean {words[1]}{unit}?"
    if words[2].lower() in _UNIT_NS:
        return f"did you mean {words[1]}{words[2].lower()}?"
    return ""


def rate(value: object) -> float:
    """Events a second of ``400/s``, ``90/m``, ``1.2k/s`` or ``500rps``; a bare number is refused with a
    hint.
    """
    expected = "a rate such as 400/s, 90/m or 1.2k/s"
    if _is_number(value) or (isinstance(value, str) and _PLAIN.fullmatch(value)):
        raise UnitError(value, expected, f"a rate needs a unit: write {show(value).strip(chr(39))}/s")
    match = _RATE.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if match is None:
        raise UnitError(value, expected)
    return _finite(Decimal(match[1]) * _SCALE[match[2]] / _PER_SECOND[match[3]], value, expected)


def share(value: object) -> float:
    """A float in 0..1 of ``99.9%`` or ``0.999``."""
    expected = "a share such as 5% or 0.05, within 0..1"
    number = _fraction(value, expected)
    if not 0.0 <= number <= 1.0:
        percent = isinstance(value, str) and value.endswith("%")
        hint = "" if percent or not 1 < number <= 100 else f"did you mean {show(value).strip(chr(39))}%?"
        raise UnitError(value, expected, hint)
    return number


def factor(value: object) -> float:
    """A number of at least 0, as ``2.5`` or ``250%``."""
    expected = "a number of at least 0, such as 2.5 or 250%"
    number = _fraction(value, expected)
    if number < 0:
        raise UnitError(value, expected)
    return number


def _fraction(value: object, expected: str) -> float:
    if _is_number(value):
        return _finite(Decimal(str(value)), value, expected)
    if isinstance(value, str) and len(value) <= _LONGEST:
        if match := _PERCENT.fullmatch(value):
            return _finite(Decimal(match[1]) / 100, value, expected)
        if _PLAIN.fullmatch(value):
            return _finite(Decimal(value), value, expected)
    raise UnitError(value, expected)


def count(value: object) -> int:
    """A whole number of at least 0, of ``200``, ``1.2k`` or ``1M``."""
    expected = "a whole number such as 200, 1.2k or 1M"
    number: Decimal | None = None
    if _is_number(value):
        number = Decimal(str(value))
    elif isinstance(value, str) and len(value) <= _LONGEST and (match := _COUNT.fullmatch(value)):
        number = Decimal(match[1]) * _SCALE[match[2]]
    if number is None or not number.is_finite() or number < 0:
        raise UnitError(value, expected)
    if number > 2**53 or number != number.to_integral_value():
        raise UnitError(value, expected)
    return int(number)


def instant(value: object, start: datetime | None = None, zone: str | None = None) -> int:
    """Nanoseconds from time 0 of an elapsed time, or of ``15:00`` or ``2026-04-11T15:00`` when `start` is
    known. Both are on the clock of `zone`; moments that come twice or not at all: `sysim.zones`.
    """
    expected = "an instant such as 90s or 15h, or 15:00 when time.start is set"
    if isinstance(value, str):
        clock, dated = _CLOCK.fullmatch(value), _DATE_TIME.fullmatch(value)
        if clock or dated:
            if start is None:
                raise UnitError(value, "an elapsed time such as 90s or 15h", "a clock time needs time.start")
            moment = date_time(value) if dated else _first_occurrence(value, start)
            if zone is None:
                elapsed = moment - start
            else:
                from sysim.zones import elapsed as between

                elapsed = between(start, zone, moment)
            if elapsed < timedelta(0):
                raise UnitError(value, f"an instant at or after time.start, {start.isoformat()}")
            return _checked_span(elapsed, value)
    try:
        return duration(value)
    except UnitError as error:
        raise UnitError(value, expected, error.hint) from None


def _checked_span(elapsed: timedelta, value: object) -> int:
    nanoseconds = (elapsed.days * 86_400 + elapsed.seconds) * NS_PER_SECOND + elapsed.microseconds * 1_000
    if nanoseconds > MAX_NS:
        raise UnitError(value, "an instant at most 73 years after time.start")
    return nanoseconds


def date_time(value: object) -> datetime:
    """A local calendar moment of ``2026-04-11T06:00``; in which zone is said beside it, once."""
    expected = "a date and time such as 2026-04-11T06:00"
    if not isinstance(value, str) or not re.fullmatch(
        rf"{DATE_TIME_PATTERN}|\d{{4}}-\d{{2}}-\d{{2}}", value, re.ASCII
    ):
        raise UnitError(value, expected)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise UnitError(value, expected) from None


def _first_occurrence(clock: str, start: datetime) -> datetime:
    hour, minute, *second = (int(part) for part in clock.split(":"))
    moment = start.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
    try:
        return moment if moment >= start else moment + timedelta(days=1)
    except OverflowError:
        raise UnitError(clock, "an instant within the calendar") from None


def window(
    value: object, opens: int, closes: int, start: datetime | None = None, zone: str | None = None
) -> tuple[int, int]:
    """The half-open span (ns, ns) of ``90s..110s``; `opens` and `closes` stand in for an open end."""
    expected = "a window such as 90s..110s, ..60s or 5m.."
    if not isinstance(value, str) or value.count("..") != 1:
        raise UnitError(value, expected)
    left, right = (side.strip() for side in value.split(".."))
    low = instant(left, start, zone) if left else opens
    high = instant(right, start, zone) if right else closes
    if low >= high:
        raise UnitError(value, "a window that ends after it begins")
    return low, high


def money(value: object) -> tuple[float, str]:
    """Amount and currency of ``3.10 GBP``."""
    match = _MONEY.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if match is None:
        raise UnitError(value, "an amount with its currency such as 3.10 GBP")
    return _finite(Decimal(match[1]), value, "an amount of money"), match[2]


def cost(value: object) -> tuple[float, str]:
    """Amount an hour and currency of ``0.40 USD/h``."""
    expected = "a cost such as 0.40 USD/h"
    match = _COST.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if match is None:
        raise UnitError(value, expected)
    return _finite(Decimal(match[1]) * 3_600 / _PER_SECOND[f"/{match[3]}"], value, expected), match[2]


def format_duration(ns: int) -> str:
    """The shortest exact text of a duration: ``250ms``, ``1h30m``, ``1.5s``; `duration` reads it back
    unchanged.
    """
    if ns == 0:
        return "0s"
    parts: list[str] = []
    rest = ns
    for unit in ("d", "h", "m"):
        whole, rest = divmod(rest, _UNIT_NS[unit])
        if whole:
            parts.append(f"{whole}{unit}")
    if rest:
        unit = next(name for name in ("s", "ms", "us", "ns") if parts or rest >= _UNIT_NS[name])
        number = Decimal(rest) / _UNIT_NS[unit]
        parts.append(f"{number.normalize():f}{unit}")
    return "".join(parts)


def format_rate(per_second: float) -> str:
    """The text of a rate, as ``400/s``."""
    return f"{_plain(per_second)}/s"


def format_share(value: float) -> str:
    """The text of a share, as ``99.9%``."""
    return f"{_plain(float(Decimal(repr(value)) * 100))}%"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _finite(number: Decimal, value: object, expected: str) -> float:
    try:
        result = float(number)
    except (InvalidOperation, OverflowError, ValueError):
        raise UnitError(value, expected) from None
    if not abs(result) <= 1e18:
        raise UnitError(value, expected)
    return result
