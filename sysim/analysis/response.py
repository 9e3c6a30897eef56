"""How a share of requests responds to load: a monotone curve through what was measured.

Isotonic regression by pooling adjacent violators (Ayer et al. 1955; Barlow et al. 1972): of all curves that never
fall, the one with the least weighted squared error. There is nothing to tune, and of a share whose responses are
binomial it is the maximum-likelihood curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_KNOTS = 400


@dataclass(frozen=True)
class Curve:
    """`y` at the rising `x`, straight in between, level beyond both ends."""

    x: Floats
    y: Floats

    def __call__(self, x: Floats) -> Floats:
        """The curve at each of `x`."""
        return np.interp(x, self.x, self.y)


def monotone(x: Floats, part: Floats, whole: Floats) -> Curve:
    """The curve of part/whole over `x`, which never falls; all three have one value a measurement.

    Measurements with nothing in `whole` say nothing; without any that does, the curve is 0. Neighbours are first
    gathered into at most a few hundred knots of equal weight.
    """
    some = whole > 0
    x, part, whole = x[some], part[some], whole[some]
    if not len(x):
        return Curve(np.zeros(1), np.zeros(1))
    order = np.argsort(x, kind="stable")
    x, part, whole = x[order], part[order], whole[order]
    weight = np.cumsum(whole)
    knot = np.minimum((weight - whole / 2) / weight[-1] * MOST_KNOTS, MOST_KNOTS - 1).astype(np.int64)
    _, first = np.unique(knot, return_index=True)
    weights = np.add.reduceat(whole, first)
    places = np.add.reduceat(x * whole, first) / weights
    values = np.add.reduceat(part, first) / weights
    return Curve(places, pooled(values, weights))


def pooled(values: Floats, weights: Floats) -> Floats:
    """The nearest values that never fall, by least weighted squares."""
    level: list[float] = []
    weight: list[float] = []
    count: list[int] = []
    for value, w in zip(values.tolist(), weights.tolist(), strict=True):
        level.append(value)
        weight.append(w)
        count.append(1)
        while len(level) > 1 and level[-2] > level[-1]:
            total = weight[-2] + weight[-1]
            level[-2] = (level[-2] * weight[-2] + level[-1] * weight[-1]) / total
            weight[-2] = total
            count[-2] += count[-1]
            del level[-1], weight[-1], count[-1]
    return np.repeat(level, count)
