"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence


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


def amount(number: float, currency: str | None) -> str:
    """An amount of money."""
    return f"{number:,.2f} {currency or ''}".rstrip()


def per_second(number: float | None) -> str:
    """A rate."""
    return "–" if number is None else f"{count(number)}/s"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _three(x: float) -> str:
    text = f"{x:.3g}"
    return f"{float(text):.0f}" if "e" in text else text
