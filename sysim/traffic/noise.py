"""How much counts vary beyond chance: the noise of a load around its calendar.

A count with mean mu L, where L is a random factor of mean 1 and variance c^2, and Poisson given L, has the variance
mu + c^2 mu^2. Hence the estimate of moments over spans of one length

    c^2 = sum((y - mu)^2 - mu) / sum(mu^2), at least 0.

It is measured for several lengths (of days, with n/(n - 7) as the week was fitted to them). Noise that is new every e
seconds has over W > e the variance c^2 e/W, and over shorter spans all of c^2: the `every` that is stated is the one
that says best what was measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sysim.traffic.estimate import Estimate, freedom
from sysim.traffic.trace import DAY, HOUR, Floats, Trace

LENGTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, HOUR, DAY)


@dataclass(frozen=True)
class Noise:
    """`cv` every `every` seconds, as a calendar has it; `measured` is the cv of spans of each length (s)."""

    cv: float
    every: int
    measured: dict[int, float]

    def at(self, width: int) -> float:
        """The cv over spans of `width` seconds: as measured, else what the stated noise comes to."""
        if width in self.measured:
            return self.measured[width]
        return self.cv if width <= self.every else self.cv * math.sqrt(self.every / width)


def measure(trace: Trace, found: Estimate) -> Noise:
    """The noise of a trace around its estimate; special days are ordinary once their factor is known."""
    known = trace.known & ~np.isin(np.arange(len(trace.counts)), found.silent)
    mu = np.where(known, found.expected(trace), 0.0)
    y = np.where(known, trace.counts, 0.0)
    measured: dict[int, float] = {}
    for width in sorted({trace.width, *(width for width in LENGTHS if width > trace.width)}):
        if width % trace.width or DAY % width or (width not in (trace.width, 300, 900, HOUR, DAY)):
            continue
        block = (trace.local - trace.local[0] // DAY * DAY) // width
        some = np.bincount(block, known)
        enough = some >= 0.9 * some.max() if width == DAY else some == some.max()
        want, have = np.bincount(block, mu)[enough], np.bincount(block, y)[enough]
        if (want > 0.0).sum() >= 5:
            squares = float((want * want).sum())
            few = freedom(len(want), found.weekly) if width == DAY else 1.0
            beyond = few * float(((have - want) ** 2).sum()) - float(want.sum())
            measured[width] = math.sqrt(max(0.0, beyond / squares)) if beyond < math.inf else 0.0
    if not measured or max(measured.values()) == 0.0:
        return Noise(0.0, trace.width, measured)
    every = min(measured, key=lambda e: (_misfit(measured, e), e))
    return Noise(measured[every], every, measured)


def _misfit(measured: dict[int, float], every: int) -> float:
    if measured[every] <= 0.0:
        return math.inf
    total = 0.0
    for width, cv in measured.items():
        said = measured[every] * math.sqrt(min(1.0, every / width))
        total += (math.log(max(cv, 1e-3)) - math.log(max(said, 1e-3))) ** 2
    return total


def interval(mu: Floats, cv: float, cover: float) -> tuple[Floats, Floats]:
    """The central interval of counts of these means with noise: of a negative binomial, which has its variance."""
    from scipy import stats

    low, high = (1.0 - cover) / 2.0, (1.0 + cover) / 2.0
    some = np.maximum(mu, 1e-9)
    if cv < 1e-4:
        return np.asarray(stats.poisson.ppf(low, some)), np.asarray(stats.poisson.ppf(high, some))
    size = 1.0 / (cv * cv)
    share = size / (size + some)
    return np.asarray(stats.nbinom.ppf(low, size, share)), np.asarray(stats.nbinom.ppf(high, size, share))
