"""Times from their exact moments and merged histograms: mean, variance, quantiles, maximum.

A quantile q is the value of rank ceil(q·n) among n; a bin answers with its middle, which errs by at most 0.4
%, cut down to the exact maximum. The variance is that of the observed values, mean of squares less square of
mean, formed from exact integers before it becomes a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sysim.record.columns import M_MAX, M_N, M_Q0, M_SUM
from sysim.record.histogram import BINS, COARSE, OCTAVE

Ints = NDArray[np.int64]
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of `n` durations; seconds, the variance in s², None without data."""

    n: int = 0
    mean: float | None = None
    variance: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """The object of the JSON result."""
        return {
            "mean": self.mean, "variance": self.variance, "p50": self.p50, "p90": self.p90, "p95": self.p95,
            "p99": self.p99, "p999": self.p999, "max": self.max,
        }  # fmt: skip


SHARES = (0.5, 0.9, 0.95, 0.99, 0.999)


@cache
def edges() -> NDArray[np.float64]:
    """Lower edges (ns) of all bins, and the upper edge of the last."""
    b = np.arange(BINS + 1)
    octave = np.maximum(b - OCTAVE, 0) // OCTAVE
    sub = np.where(b < OCTAVE, b, OCTAVE + (b - OCTAVE) % OCTAVE)
    lower: NDArray[np.float64] = np.ldexp(sub.astype(np.float64), octave)
    return lower


@cache
def middles() -> NDArray[np.float64]:
    """The value (ns) each bin stands for; a bin of one whole number stands for it exactly."""
    low = edges()[:-1]
    return low + (np.diff(edges()) - 1.0) / 2.0


@cache
def coarse_middles() -> NDArray[np.float64]:
    """The value (ns) each coarse bin stands for."""
    low = edges()[::COARSE]
    return (low[:-1] + low[1:] - 1.0) / 2.0


def quantiles(counts: Ints, shares: Sequence[float], highest: float) -> list[float | None]:
    """Quantiles in seconds of a histogram whose largest value was `highest` ns."""
    middle = middles() if counts.shape[0] == BINS else coarse_middles()
    cumulated = np.cumsum(counts)
    n = int(cumulated[-1])
    if n == 0:
        return [None] * len(shares)
    ranks = [min(n, max(1, ceil(share * n - 1e-9))) for share in shares]
    bins = np.searchsorted(cumulated, ranks, side="left")
    return [float(x) / NS for x in np.minimum(middle[bins], highest)]


def merged_moments(rows: Ints) -> Ints:
    """Several rows of moments as one, each column a Python int, so that no sum can overflow."""
    whole = rows.astype(object).sum(axis=0)
    whole[M_MAX] = max(int(x) for x in rows[:, M_MAX])
    return whole  # type: ignore[no-any-return]


def times(histograms: Ints, moments: Ints) -> Times:
    """The statistics of several rows of histograms (rows × bins) and of their moments (the same rows)."""
    if not int(moments[:, M_N].sum()):
        return Times()
    m = merged_moments(moments)
    n, total, highest = int(m[M_N]), int(m[M_SUM]), int(m[M_MAX])
    squares = sum(int(m[M_Q0 + k]) << (31 * k) for k in range(4))
    counts = histograms.sum(axis=0) if histograms.shape[0] > 1 else histograms[0]
    p50, p90, p95, p99, p999 = quantiles(counts, SHARES, highest)
    variance = (n * squares - total * total) / (n * n) / NS / NS
    return Times(n, total / n / NS, variance, p50, p90, p95, p99, p999, highest / NS)
