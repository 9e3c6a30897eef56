"""A number with its half width, both with the digits and in the unit that the half width justifies."""

from __future__ import annotations

import math
from typing import Literal

Kind = Literal["share", "count", "seconds", "factor", "money"]
_UNITS = ((86_400.0 * 2, 3_600.0, "h"), (120.0, 60.0, "min"), (1.0, 1.0, "s"), (1e-3, 1e-3, "ms"), (0.0, 1e-6, "µs"))


def plus_minus(value: float, half: float | None, kind: Kind, stacked: bool = False) -> str:
    """``99.2 ± 0.3 %``, ``41.3 ± 2.2 ms``; with `stacked` the ± begins a new line."""
    return _text(value, half, kind, stacked, "")


def difference(value: float, half: float | None, kind: Kind, stacked: bool = False) -> str:
    """As `plus_minus`, with the sign; a difference of shares is in percentage points."""
    return _text(value, half, kind, stacked, "+")


def _text(value: float, half: float | None, kind: Kind, stacked: bool, sign: str) -> str:
    scale, unit = _scale(value, half, kind)
    if sign and kind == "share":
        unit = " pp"
    value, half = value * scale, None if half is None else half * scale
    digits = _digits(value, half, kind)
    text = f"{value:{sign},.{digits}f}"
    if sign and float(f"{value:.{digits}f}") == 0:
        text = f"{0:.{digits}f}"
    if not half:
        return text + unit
    least = 10.0**-digits
    width = f"{half:,.{digits}f}" if half >= least / 2 else f"<{least:.{digits}f}"
    return f"{text}{unit}\n± {width}" if stacked else f"{text} ± {width}{unit}"


def _scale(value: float, half: float | None, kind: Kind) -> tuple[float, str]:
    if kind == "share":
        return 100.0, " %"
    if kind != "seconds":
        return 1.0, ""
    size = max(abs(value), half or 0.0)
    if size == 0:
        return 1.0, " s"
    unit = next(unit for unit in _UNITS if size >= unit[0])
    return 1 / unit[1], f" {unit[2]}"


def _digits(value: float, half: float | None, kind: Kind) -> int:
    """Two significant digits of the half width, else three or four of the value; never more than four."""
    if kind == "money" and not half:
        return 2
    if half:
        return min(4, max(0, 1 - math.floor(math.log10(half))))
    if value == 0 or value == round(value):
        return 0 if kind != "factor" else 2
    return min(4, max(0, 2 - math.floor(math.log10(abs(value)))))
