"""Totals of a population of which some strata were sampled, helped by a model.

The model-assisted difference estimator (Särndal, Swensson, Wretman 1992, ch. 6): the total of what a model predicts for
all units, and what sampled units differ from their prediction, weighted by what they stand for. Whatever the model is,
the sum is without bias, because its error is what is measured; a good model makes the interval narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.statistics import t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, and where it lies at the confidence that was asked for."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """The distance to the farther end."""
        return max(self.high - self.value, self.value - self.low)

    def within(self, value: float) -> bool:
        """Whether `value` lies in it."""
        return self.low <= value <= self.high

    def to_dict(self) -> dict[str, float]:
        """The object of the JSON result."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a variance: of the estimate, with so many degrees of freedom."""

    variance: float
    degrees: float


def differences(size: float, found: Floats) -> tuple[float, Part]:
    """The total over a stratum of `size` units of which those in `found` were measured, and its variance.

    Nothing is taken off for what was sampled of a small stratum: units are random themselves.
    """
    n = len(found)
    if n < 2:
        raise ValueError(f"found {n} units of a stratum, expected at least 2")
    return size * float(found.mean()), Part(size * size * float(found.var(ddof=1)) / n, n - 1)


def joined(parts: Sequence[Part]) -> Part:
    """The variance of a sum of independent estimates; degrees of freedom by Satterthwaite (1946)."""
    total = math.fsum(part.variance for part in parts)
    spread = math.fsum(part.variance**2 / part.degrees for part in parts)
    return Part(total, total * total / spread if spread > 0.0 else math.inf)


def repeated(found: Sequence[tuple[float, float, int]]) -> Part:
    """The variance of a sum of means of a few replications each, given as (variance of the mean, mean divided by the
    number of replications, degrees).

    Two replications know next to nothing of their own variance, and Satterthwaite's formula, fed with them, would give
    the sum the one degree of freedom of whichever differs most. Counts vary about as much as they are large (up to a
    factor that is the same for all), so the degrees are those of variances in proportion to the means.
    """
    variance = math.fsum(spread for spread, _, _ in found)
    total = math.fsum(mean for _, mean, _ in found)
    squares = math.fsum(mean * mean / degrees for _, mean, degrees in found)
    return Part(variance, total * total / squares if squares > 0.0 else math.fsum(d for _, _, d in found))


def interval(value: float, parts: Sequence[Part], confidence: float) -> Interval:
    """Student's t around a sum of independent estimates."""
    whole = joined(parts)
    if whole.variance <= 0.0:
        return Interval(value, value, value)
    half = t_quantile(min(whole.degrees, 1e6), 0.5 + confidence / 2) * math.sqrt(whole.variance)
    return Interval(value, value - half, value + half)


def gamma_interval(weights: Floats, counts: Floats, confidence: float) -> tuple[float, float]:
    """The interval of sum(weights × counts) of independent Poisson counts (Fay and Feuer 1997).

    It says how many there may be of what was counted rarely or never, where a variance says nothing: of nothing seen
    under one weight w, at most 3.7 w with 95 %. It covers at least as often as it says.
    """
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    total = float((weights * counts).sum())
    variance = float((weights * weights * counts).sum())
    heaviest = float(weights.max(initial=0.0))
    low = 0.0
    if total > 0.0:
        low = variance / total * float(gammaincinv(total * total / variance, tail))
    if heaviest == 0.0:
        return low, total
    above, spread = total + heaviest, variance + heaviest * heaviest
    return low, spread / above * float(gammaincinv(above * above / spread, 1 - tail))


def power_allocation(sizes: Floats, units: Floats, most: int, least: int = 2) -> NDArray[np.int64]:
    """How many units to sample of each stratum: at least `least`, `most` in all where that allows, in proportion to the
    square root of `sizes` (Bankier 1988), and never more than its `units`.
    """
    limit = np.minimum(units, np.inf).astype(np.int64)
    taken = np.minimum(limit, least)
    root = np.sqrt(np.maximum(sizes, 0.0))
    while True:
        open_ = taken < limit
        room = most - int(taken.sum())
        if room <= 0 or not open_.any() or root[open_].sum() <= 0:
            return taken
        wanted = root / (taken + 1.0)
        taken[int(np.argmax(np.where(open_, wanted, -1.0)))] += 1
