"""An interval from one long run: the method of batch means.

Values that follow each other in a run are correlated, so Student's t on them would claim far too much. Cut
into a few long batches, the means of the batches are nearly independent; the interval is Student's t on these.
What correlation is left between neighbouring batches (`correlation`) shows whether they were long enough: von
Neumann's ratio, as used by Fishman (1978), tests it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sysim.analysis.estimates import Estimate, estimate, variance

if TYPE_CHECKING:
    from sysim.result.run import Run

BATCHES = 20


@dataclass(frozen=True, slots=True)
class BatchMeans:
    """An estimate from batches of one run. `correlation` is that of neighbouring batches; `trusted` is False
    where it is larger than chance explains: the batches are too short, and the interval too narrow.
    """

    estimate: Estimate
    batches: int
    correlation: float
    trusted: bool

    def __str__(self) -> str:
        low, high = self.estimate.low, self.estimate.high
        warning = "" if self.trusted else "; the batches are correlated, so this is too narrow"
        return (
            f"{self.estimate.mean:.6g}, {self.estimate.confidence * 100:g} % interval {low:.6g} to {high:.6g} "
            f"(one run, {self.batches} batch means{warning})"
        )


def batch_means(
    values: Sequence[float],
    weights: Sequence[float] | None = None,
    batches: int = BATCHES,
    confidence: float = 0.95,
) -> BatchMeans:
    """The mean of a series from one run, with an interval from `batches` batches of equal length.

    `weights` make a batch's mean a ratio: sum of value × weight over sum of weights, as for shares and means
    of requests in buckets that hold different numbers of them. Values at the front that do not fill the
    batches evenly are left out.
    """
    length = len(values) // batches
    if batches < 2 or length < 1:
        raise ValueError(f"found {len(values)} values for {batches} batches, expected at least one for each")
    skip = len(values) - batches * length
    w = [1.0] * len(values) if weights is None else list(weights)
    found = []
    for k in range(batches):
        part = slice(skip + k * length, skip + (k + 1) * length)
        weight = math.fsum(w[part])
        if weight > 0:
            found.append(math.fsum(x * y for x, y in zip(values[part], w[part], strict=True)) / weight)
    if len(found) < 2:
        raise ValueError("found fewer than two batches with data, expected two")
    outcome = estimate(found, confidence)
    assert outcome is not None
    correlation, trusted = _lag_one(found)
    return BatchMeans(outcome, len(found), correlation, trusted)


def _lag_one(found: Sequence[float]) -> tuple[float, bool]:
    """The correlation of neighbours, and whether it is within 1.645 standard errors of none (5 %, one side)."""
    n, spread = len(found), variance(found)
    if spread == 0:
        return 0.0, True
    ratio = math.fsum((a - b) ** 2 for a, b in pairwise(found)) / ((n - 1) * spread)
    correlation = 1 - ratio / 2
    return correlation, correlation <= 1.645 * math.sqrt((n - 2) / (n * n - 1))


def batch_means_of(
    run: Run, metric: str, load: str, batches: int = BATCHES, confidence: float = 0.95
) -> BatchMeans:
    """``goodput`` or ``success`` of a load in one run, from its buckets after the warm-up.

    Only a run in a steady state has one mean to estimate: not one with a fault in the middle.
    """
    columns = run.series.loads[load]
    whole = run.series.t >= run.plan.warmup / 1e9 - 1e-9
    good = (columns["ok"] + columns["degraded"])[whole].tolist()
    if metric == "goodput":
        width = run.series.width[whole].tolist()
        rates = [g / w for g, w in zip(good, width, strict=True)]
        return batch_means(rates, width, batches, confidence)
    if metric == "success":
        offered = columns["offered"][whole].tolist()
        shares = [g / n if n else 0.0 for g, n in zip(good, offered, strict=True)]
        return batch_means(shares, offered, batches, confidence)
    raise ValueError(f"found {metric!r}, expected goodput or success")
