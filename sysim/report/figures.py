"""Numbers of a result as cells of a table: of a single run, or mean ± half width over replications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sysim.analysis.words import percent
from sysim.result.result import Result

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """The numbers of one subject in one window."""

    facts: Facts
    spread: Facts | None = field(default=None)

    def number(self, *path: str) -> float | None:
        """One number by its nested names: that of the only run, or the mean."""
        if self.spread is None:
            value: float | None = _at(self.facts, path)
            return value
        found = _at(self.spread, path)
        return found["mean"] if isinstance(found, Mapping) else None

    def half_width(self, *path: str) -> float | None:
        """Half the width of its interval, None for a single run."""
        found = None if self.spread is None else _at(self.spread, path)
        return found["half_width_95"] if isinstance(found, Mapping) else None

    def cell(self, show: Callable[[float | None], str], *path: str) -> str:
        """The number as text, with ± where there are replications."""
        value, half = self.number(*path), self.half_width(*path)
        if value is None or not half:
            return show(value)
        if show is percent:
            # Of a share only the width may get the digits that a share near 0 or 1 needs.
            width = f"{half * 100:.2g}" if half >= 1e-5 else "<0.001"
            return f"{value * 100:.4g} ± {width} %"
        return f"{show(value)} ± {show(half)}"


def _at(facts: Facts, path: tuple[str, ...]) -> Any:
    found: Any = facts
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def figures(result: Result, window: str, kind: str, subject: str) -> Figures:
    """The numbers of a subject over a window; `kind` is loads, services or calls."""
    facts = getattr(result.run.windows[window], kind)[subject].to_dict()
    if len(result.runs) == 1:
        return Figures(facts)
    return Figures(facts, result.summary[window][kind][subject])
