"""What a sweep varies: the values along one path, written as on the command line, ``2..8`` or ``100ms,300ms,1s``.

A range between two ends is every whole number from one to the other, or five values evenly spread, unless it says how
many (``1s..30s/4``); with ``log`` behind it they are spread evenly in the logarithm. Designs that draw their points at
random take any value between the ends of a range, and with a number of values, or a list, one of these. A value that
contains dots or commas itself stands in quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sysim import units
from sysim.errors import Problem, ScenarioError, SysimError
from sysim.study.quantity import Axis, axis, scale

FEW = 5
"""Values of a range that does not say how many."""
MOST_LEVELS = 10_000

_RANGE = re.compile(r"(?P<low>.+?)\s*\.\.\s*(?P<high>.+?)(?:/(?P<n>\d{1,6}))?\s*(?P<log>log)?")
_EXPECTED = "a range such as 2..8, 2..8/4 or 10ms..1s/5 log, or a list such as 2,4,8"
_OPENING, _CLOSING = "{[(", "}])"


@dataclass(frozen=True)
class Factor:
    """The values along one path of a scenario.

    `levels` are written as in the file, in order. `axis` is the scale on which they lie, None where they lie on none.
    `between` is True for a range that random designs may draw any value of.
    """

    path: str
    levels: tuple[Any, ...]
    axis: Axis | None = None
    between: bool = False
    log: bool = False

    def at(self, share: float) -> Any:
        """The value at a share of the way, at least 0 and less than 1: each value of a list is as likely as any."""
        if not self.between or self.axis is None:
            return self.levels[min(int(share * len(self.levels)), len(self.levels) - 1)]
        low, high = self.axis.low, self.axis.high
        if self.axis.kind == "count":
            return self.axis.write(float(min(math.floor(low + share * (high - low + 1)), high)))
        if self.log:
            return self.axis.write(min(max(low * (high / low) ** share, low), high))
        return self.axis.write(low + share * (high - low))

    def place(self, value: Any) -> float | None:
        """Where a written value lies on the scale, in its inner unit; None where there is none."""
        if self.axis is None:
            return None
        found = scale([value], self.axis.kind)
        return None if found is None else found[1][0]

    def show(self, value: Any) -> str:
        """A written value as one reads it."""
        place = self.place(value)
        return units.show(value).strip("'") if place is None or self.axis is None else self.axis.show(place)


def factor(path: str, written: Any) -> Factor:
    """The factor of a path: a text as on the command line, or a list of plain values.

    Raises `SysimError` for what cannot be read.
    """
    path = path.strip()
    if isinstance(written, str):
        parts = _split(written)
        if len(parts) == 1:
            found = _RANGE.fullmatch(parts[0])
            if found is not None and parts[0][0] not in "'\"":
                return _range(path, found)
        values = [_plain(path, part) for part in parts]
    elif isinstance(written, Sequence):
        values = list(written)
    else:
        values = [written]
    return listed(path, values)


def listed(path: str, values: Iterable[Any]) -> Factor:
    """The factor of a path with these values; the same value counts once."""
    levels: list[Any] = []
    for value in values:
        if not any(_same(value, other) for other in levels):
            levels.append(value)
    if not levels:
        raise SysimError(f"found no value for {path}, expected {_EXPECTED}")
    found = scale(levels)
    if found is None:
        return Factor(path, tuple(levels))
    kind, places = found
    low, high = min(places), max(places)
    return Factor(path, tuple(levels), Axis(path, kind, low, high, resolution=max((high - low) / 1000, 1e-12)))


def factors(vary: Mapping[str, Any] | Iterable[str]) -> tuple[Factor, ...]:
    """All factors of a sweep, from a mapping or from texts such as ``services.web.replicas=2..8``.

    Raises `ScenarioError` with everything that cannot be read.
    """
    pairs: list[tuple[str, Any]] = []
    problems: list[Problem] = []
    for one in vary.items() if isinstance(vary, Mapping) else vary:
        path, equals, written = (one[0], "=", one[1]) if isinstance(one, tuple) else one.partition("=")
        if not equals or not path.strip():
            problems.append(_problem("", str(one), f"found {units.show(one)}, expected path=values"))
        elif path.strip() in (other for other, _ in pairs):
            problems.append(_problem(path, written, "found this path twice, expected all of its values at once"))
        else:
            pairs.append((path.strip(), written))
    made = []
    for path, written in pairs:
        try:
            made.append(factor(path, written))
        except SysimError as error:
            problems += error.problems if isinstance(error, ScenarioError) else [_problem(path, written, str(error))]
    if problems:
        raise ScenarioError(problems)
    return tuple(made)


def _problem(path: str, written: Any, message: str) -> Problem:
    label = f"--vary {path.strip()}".strip()
    return Problem(label, 1, 1, "bad-vary", "", message, source=str(written)[:200])


def _range(path: str, found: re.Match[str]) -> Factor:
    low, high = found["low"], found["high"]
    along = axis(path, low, high)
    if along.kind == "count" and "." in low + high:
        along = replace(along, kind="number")  # 1.0..2.0 is not 1 and 2
    n = None if found["n"] is None else int(found["n"])
    if n is not None and not 2 <= n <= MOST_LEVELS:
        raise SysimError(f"found {n} values of {path}, expected from 2 to {MOST_LEVELS}")
    if found["log"] and along.low <= 0:
        raise SysimError(f"found {low}..{high} log for {path}, expected two values above 0")
    if n is None and along.kind == "count" and not found["log"]:
        n = round(along.high - along.low) + 1
        if n > MOST_LEVELS:
            raise SysimError(f"found {n} whole numbers for {path}, say how many of them: {low}..{high}/5")
    levels = _spread(along, n or FEW) if found["log"] else along.steps(n or FEW)
    return Factor(path, tuple(map(along.write, levels)), along, between=found["n"] is None, log=bool(found["log"]))


def _spread(along: Axis, n: int) -> list[float]:
    """Values that lie evenly in the logarithm, both ends included."""
    ratio = along.high / along.low
    inner = [along.low * ratio ** (k / (n - 1)) for k in range(1, n - 1)]
    found = [along.low, *inner, along.high]
    if along.whole:
        return sorted({float(round(x)) for x in found})
    return found


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets and no quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:k])
            start = k + 1
    parts = [part.strip() for part in (*parts, text[start:])]
    if not all(parts):
        raise SysimError(f"found {units.show(text)}, expected {_EXPECTED}")
    return parts


def _plain(path: str, text: str) -> Any:
    from sysim.scenario_file import value

    return value(text, f"--vary {path}")


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
