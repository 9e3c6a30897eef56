"""What is said of a sweep: its factors, points and values, as one reads them."""

from __future__ import annotations

from sysim.analysis.measures import Measure
from sysim.analysis.words import amount, count, percent, span
from sysim.study.design import Design
from sysim.study.swept import Found, Swept


def names(design: Design) -> list[str]:
    """Each path as short as it can be told from the others: its last part, or more of them."""
    paths = [factor.path.split(".") for factor in design.factors]
    found = []
    for path in paths:
        n = next(
            (n for n in range(1, len(path) + 1) if sum(other[-n:] == path[-n:] for other in paths) == 1), len(path)
        )
        while n < len(path) and path[-n].isdigit():
            n += 1
        found.append(".".join(path[-n:]))
    return found


def value_at(design: Design, one: Found, factor: int) -> str:
    """The value that a point has for a factor; a dot where it has none."""
    path = design.factors[factor].path
    return design.factors[factor].show(one.point.values[path]) if path in one.point.values else "·"


def whereabouts(found: Swept, one: Found) -> str:
    """Where a point lies, in words."""
    shown = [
        f"{name} = {value_at(found.design, one, k)}"
        for k, name in enumerate(names(found.design))
        if found.design.factors[k].path in one.point.values
    ]
    return f"at {', '.join(shown)}" if shown else "with the file as it is"


def number(value: float, measure: Measure) -> str:
    """A value of a measure as one reads it."""
    if measure.unit == "share":
        return percent(value)
    if measure.unit == "seconds":
        return span(value)
    if measure.unit == "money":
        return amount(value, measure.currency)
    return f"{count(value)}/s" if measure.unit == "per_second" else count(value)
