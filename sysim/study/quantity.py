"""The values along a path of the scenario, between two ends: read, halved, and written as the file would."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sysim import units
from sysim.analysis.words import span
from sysim.errors import SysimError

KINDS: tuple[tuple[str, Callable[[object], float], Callable[[float], str], Callable[[float], str]], ...] = (
    ("duration", units.duration, lambda x: units.format_duration(round(x)), lambda x: span(x / 1e9)),
    ("rate", units.rate, lambda x: units.format_rate(_six(x)), lambda x: f"{x:.4g}/s"),
    ("share", lambda x: _percent(x), lambda x: units.format_share(_six(x)), lambda x: f"{x * 100:.3g} %"),
)


@dataclass(frozen=True)
class Axis:
    """Values of one kind from `low` to `high`, in its inner unit (ns, per second, 0..1 or a plain number).

    `whole` numbers are halved to whole numbers; two values may come as near as `resolution`, or as `relative`
    times the greater of them.
    """

    path: str
    kind: str
    low: float
    high: float
    resolution: float
    relative: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense: counts, and nanoseconds."""
        return self.kind in ("count", "duration")

    def middle(self, a: float, b: float) -> float | None:
        """The value half way, or None where the two are near enough."""
        if b - a <= max(self.resolution, self.relative * max(abs(a), abs(b))):
            return None
        middle = (a + b) / 2
        if self.whole:
            middle = float(round(middle))
        return middle if a < middle < b else None

    @property
    def rounds(self) -> int:
        """How often the whole is halved at most."""
        return math.ceil(math.log2(max(2.0, (self.high - self.low) / self.resolution)))

    def steps(self, n: int) -> list[float]:
        """`n` values evenly spread from `low` to `high`, both included."""
        if n == 1:
            return [self.low]
        found = [self.low + (self.high - self.low) * k / (n - 1) for k in range(n)]
        return sorted({float(round(x)) for x in found}) if self.whole else found

    def write(self, value: float) -> Any:
        """The value as it would stand in the file."""
        for kind, _, write, _ in KINDS:
            if kind == self.kind:
                return write(value)
        return int(value) if self.kind == "count" else _six(value)

    def show(self, value: float) -> str:
        """The value as one reads it."""
        for kind, _, _, show in KINDS:
            if kind == self.kind:
                return show(value)
        return f"{value:g}"


def axis(path: str, low: object, high: object, resolution: object = None) -> Axis:
    """The axis between two written values, as ``0s`` and ``30s``; raises `SysimError` where they do not fit.

    Without a `resolution` two values may come within 2 % of each other, or a thousandth of the whole.
    """
    for kind, read, _, _ in (*KINDS, ("count", _whole, None, None), ("number", _number, None, None)):
        try:
            a, b = float(read(low)), float(read(high))
        except ValueError:
            continue
        if a == b:
            raise SysimError(f"found {units.show(low)} for both ends of {path}, expected two different values")
        a, b = sorted((a, b))
        try:
            near = (b - a) / 1000 if resolution is None else float(read(resolution))
        except ValueError:
            raise SysimError(
                f"found {units.show(resolution)}, expected a {kind} as {units.show(low)} is one"
            ) from None
        if near <= 0:
            raise SysimError(f"found the resolution {units.show(resolution)}, expected more than 0")
        relative = 0.02 if resolution is None else 0.0
        return Axis(path, kind, a, b, max(near, 1.0) if kind == "count" else near, relative)
    raise SysimError(
        f"found {units.show(low)} and {units.show(high)} for {path}, expected two durations (0s, 30s), two rates "
        "(100/s, 500/s), two shares (5%, 40%) or two numbers"
    )


def scale(values: Sequence[object], kind: str | None = None) -> tuple[str, list[float]] | None:
    """The one kind that all written values are of (or that which is asked for), and their inner values; else None."""
    for name, read, _, _ in (*KINDS, ("count", _whole, None, None), ("number", _number, None, None)):
        if kind in (None, name):
            try:
                return name, [float(read(value)) for value in values]
            except ValueError:
                continue
    return None


def _whole(value: object) -> float:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return number


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    return float(value)


def _percent(value: object) -> float:
    """Only what is written with a per cent sign: 0.5 may as well be a factor."""
    if not isinstance(value, str) or "%" not in value:
        raise ValueError
    return units.share(value) if value.strip() != "" else 0.0


def _six(value: float) -> float:
    return float(f"{value:.6g}")
