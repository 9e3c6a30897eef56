"""What the pictures of a sweep have in common: the unit of a measure, the limits of the checks on it, its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sysim.analysis.measures import Measure
from sysim.study.swept import Swept


@dataclass(frozen=True)
class Scale:
    """The numbers of a measure as they are drawn, and what stands on their axis."""

    factor: float
    label: str
    money: str = ""

    def show(self, value: float) -> str:
        """A drawn number as one reads it in a cell."""
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def scale_of(measure: Measure, values: Sequence[float | None]) -> Scale:
    """In the unit in which the greatest value is easy to read."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    text = measure.text
    if measure.unit == "share":
        return Scale(100.0, f"{text} (%)")
    if measure.unit == "seconds":
        for unit, size in (("h", 3_600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
            if most >= size * (2 if unit in ("h", "min") else 1):
                return Scale(1 / size, f"{text} ({unit})")
        return Scale(1e6, f"{text} (µs)") if most else Scale(1.0, f"{text} (s)")
    if measure.unit == "money":
        return Scale(1.0, f"{text} ({measure.currency or 'money'})")
    return Scale(1.0, f"{text} (per second)" if measure.unit == "per_second" else text)


def limits(found: Swept, measure: Measure) -> list[tuple[float, str]]:
    """The limits that checks set to a measure, in its own unit, and the texts of the checks."""
    own = measure.check
    return [
        (check.value, check.text)
        for check in found.checks
        if check.value is not None and check.op in ("<", "<=", ">", ">=") and check.of_window is None
        and (check.metric, check.subject, check.window) == (own.metric, own.subject, own.window)
    ]  # fmt: skip


def title(found: Swept, measure: Measure) -> str:
    """What stands over a picture."""
    return f"{found.scenario}{f'@{found.variant}' if found.variant else ''}: {measure.text}"
