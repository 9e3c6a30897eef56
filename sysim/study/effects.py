"""What each factor of a sweep does to a measure, in one bar: along one factor at a time, on average over the others,
or as Sobol indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sysim.analysis.sobol import Indices, indices
from sysim.analysis.statistics import mean
from sysim.study.factors import Factor
from sysim.study.swept import Found, Swept

Way = Literal["one at a time", "levels", "quarters"]
WAYS: dict[Way, str] = {
    "one at a time": "one at a time, all others as in the file",
    "levels": "mean over all points with the value",
    "quarters": "mean over the quarter of the points with the least and the greatest values",
}


@dataclass(frozen=True)
class Effect:
    """From where to where one factor moves a measure: `ends` are the least and the greatest mean over its values, `at`
    the values (as one reads them) that make them. `of` points were looked at.
    """

    path: str
    ends: tuple[float, float]
    at: tuple[str, str]
    of: int

    @property
    def swing(self) -> float:
        """How far it moves the measure."""
        return self.ends[1] - self.ends[0]


@dataclass(frozen=True)
class Effects:
    """The effects on one measure, the greatest first. `base` is its value in the file as it is, or the mean of all.
    `missing` points have no value.
    """

    way: Way
    base: float
    factors: tuple[Effect, ...]
    missing: int = 0


def effects(found: Swept, measure: int) -> Effects | None:
    """The effect of every factor on a measure; None where there is nothing to compare."""
    means = found.means(measure)
    known = [(one, value) for one, value in zip(found.points, means, strict=True) if value is not None]
    if len(known) < 2:
        return None
    kind = found.design.kind
    if kind == "one at a time":
        centre = next((value for one, value in known if not one.point.values), None)
        if centre is None:
            return None
        way: Way = "one at a time"
    else:
        centre = mean([value for _, value in known])
        way = "levels" if kind == "grid" or all(not f.between for f in found.design.factors) else "quarters"
    made = [_effect(factor, known, way, centre) for factor in found.design.factors]
    some = sorted((one for one in made if one is not None), key=lambda one: -one.swing)
    return Effects(way, centre, tuple(some), len(means) - len(known)) if some else None


def _effect(factor: Factor, known: Sequence[tuple[Found, float]], way: Way, centre: float) -> Effect | None:
    own = [(one.point.values[factor.path], value) for one, value in known if factor.path in one.point.values]
    if way == "quarters" and factor.axis is not None and factor.between:
        groups = _quarters(factor, own)
    else:
        groups = _levels(factor, own)
    if way == "one at a time":
        groups.append(("as in the file", centre))
    if len(groups) < 2:
        return None
    least, most = min(groups, key=lambda group: group[1]), max(groups, key=lambda group: group[1])
    return Effect(factor.path, (least[1], most[1]), (least[0], most[0]), len(own))


def _levels(factor: Factor, own: Sequence[tuple[Any, float]]) -> list[tuple[str, float]]:
    found: dict[str, list[float]] = {}
    for written, value in own:
        found.setdefault(factor.show(written), []).append(value)
    return [(shown, mean(values)) for shown, values in found.items()]


def _quarters(factor: Factor, own: Sequence[tuple[Any, float]]) -> list[tuple[str, float]]:
    assert factor.axis is not None
    placed = sorted(((factor.place(written) or 0.0, value) for written, value in own), key=lambda pair: pair[0])
    n = len(placed) // 4
    if n == 0:
        return []
    ends = (placed[:n], f"up to {factor.axis.show(placed[n - 1][0])}"), (
        placed[-n:], f"from {factor.axis.show(placed[-n][0])}"
    )  # fmt: skip
    return [(shown, mean([value for _, value in some])) for some, shown in ends]


def sobol_of(found: Swept, measure: int) -> Indices | None:
    """The Sobol indices of a measure, of a sweep that was designed for them."""
    design = found.design
    if design.kind != "sobol":
        return None
    means = found.means(measure)
    rows = [means[number] for number in design.rows]
    n = design.base
    a, b, *mixed = (rows[start : start + n] for start in range(0, len(rows), n))
    return indices(a, b, mixed, found.confidence)
