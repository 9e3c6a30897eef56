"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sysim.zones import local


def span(seconds: float | None) -> str:
    """A length of time: ``340 µs``, ``12.5 ms``, ``3 s``, ``4 min 10 s``, ``3 h 5 min``."""
    if seconds is None:
        return "–"
    if seconds == 0:
        return "0 s"
    if seconds < 0.000_999_5:
        return f"{_three(seconds * 1e6)} µs"
    if seconds < 0.999_5:
        return f"{_three(seconds * 1e3)} ms"
    if seconds < 119.5:
        return f"{_three(seconds)} s"
    if seconds < 7_170:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def instant(seconds: float) -> str:
    """A point of time from 0: ``60 s``, ``4 min 10 s``; seconds without more than two digits behind the
    point.
    """
    return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s" if seconds < 600 else span(seconds)


class Clock:
    """Points of time as one reader wants them all: clock times where the run has a calendar, as ``15:05``,
    with the date from the second day on; else elapsed times, in seconds or in hours, minutes and seconds by
    the length of the run. From ten minutes on nobody wants hundredths of a second. The clock is that of `zone`,
    or one that is never put forward or back.
    """

    def __init__(self, start: str | None, length_s: float, zone: str | None = None) -> None:
        self.start = None if start is None else datetime.fromisoformat(start)
        self.zone = zone
        self.length_s = length_s

    def __call__(self, seconds: float) -> str:
        """The text of the moment so many seconds after time 0."""
        if self.start is not None:
            return self._of_day(self.start, seconds if self.length_s < 600 else round(seconds))
        if self.length_s < 600:
            return instant(seconds)
        minutes, rest = divmod(round(seconds, 1), 60)
        hours, minutes = divmod(int(minutes), 60) if self.length_s >= 7_200 else (0, int(minutes))
        parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
        if rest or not parts:
            parts.append(f"{rest:.2f}".rstrip("0").rstrip(".") + " s")
        return " ".join(parts)

    def _of_day(self, start: datetime, seconds: float) -> str:
        moment = local(start, self.zone, timedelta(milliseconds=round(seconds * 1000)))
        text = f"{moment:%H:%M}"
        if moment.second or moment.microsecond:
            text += f":{moment:%S}"
        if moment.microsecond:
            text += f".{moment.microsecond // 1000:03d}".rstrip("0")
        return text if moment.date() == start.date() else f"{moment:%Y-%m-%d} {text}"


def recovered(seconds: float, bucket_s: float) -> str:
    """How long a recovery took; it is known to a bucket only."""
    return f"within one bucket ({span(bucket_s)})" if seconds < bucket_s else f"after {span(seconds)}"


def percent(share: float | None) -> str:
    """A share: ``0 %``, ``0.12 %``, ``34 %``, ``99.98 %``; never rounded to 0 or 100 from beside them."""
    if share is None:
        return "–"
    value = share * 100
    if value in (0.0, 100.0):
        return f"{value:.0f} %"
    if value < 0.01:
        return "<0.01 %"
    if value > 99.99:
        return ">99.99 %"
    if value < 1 or value > 99:
        return f"{value:.2f} %"
    return f"{value:.1f} %"


def count(number: float | None) -> str:
    """A number of things, grouped by thousands; one digit behind the point where it is small."""
    if number is None:
        return "–"
    if isinstance(number, int) or number >= 100 or number == int(number):
        return f"{number:,.0f}"
    return _three(number)


def counted(number: float, noun: str) -> str:
    """A number of things and what they are: ``1 load``, ``2 loads``, ``1,200 loads``."""
    return f"{count(number)} {noun if number == 1 else noun + 's'}"


def amount(number: float, currency: str | None) -> str:
    """An amount of money."""
    return f"{number:,.2f} {currency or ''}".rstrip()


def factor(x: float | None) -> str:
    """How many times as much: ``1.25``."""
    return "–" if x is None else f"{x:.2f}"


def per_second(number: float | None) -> str:
    """A rate."""
    return "–" if number is None else f"{count(number)}/s"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _three(x: float) -> str:
    text = f"{x:.3g}"
    return f"{float(text):.0f}" if "e" in text else text
