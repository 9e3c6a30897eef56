"""How long a run takes to forget that it began empty: MSER-5.

The marginal standard error rule (White 1997) drops as many values from the front as make the standard error of
the rest smallest: dropping biased values lowers the spread, dropping good ones raises the error. MSER-5 applies
it to means of five values. A minimum in the second half says that the series is too short to tell, or has no
steady state.

The series is the number of requests in all services, bucket by bucket, averaged over the replications, from
time 0 to the first fault: what comes after is meant to be different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sysim.analysis.estimates import variance
from sysim.analysis.statistics import mean, t_quantile

if TYPE_CHECKING:
    from sysim.result.result import Result

BATCH = 5
LEAST = 10  # batches below which nothing is claimed
SURE = 0.995
"""The front was chosen for being odd, so it has to be very odd: then one steady series in a hundred is called
biased (measured on autoregressive series, in the tests).
"""


@dataclass(frozen=True, slots=True)
class Truncation:
    """Drop `dropped` of `n` values; `biased` tells whether these differ from the rest beyond chance."""

    dropped: int
    n: int
    biased: bool


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A proposal: `proposed_s` seconds of warm-up where the scenario has `given_s`; None where the series up
    to `until_s` is too short or never settles.
    """

    proposed_s: float | None
    given_s: float
    until_s: float
    reason: str = ""

    @property
    def enough(self) -> bool | None:
        """Whether the warm-up given is as long as the proposed one; None where that cannot be told."""
        return None if self.proposed_s is None else self.given_s >= self.proposed_s

    def __str__(self) -> str:
        from sysim.analysis.words import span

        if self.proposed_s is None:
            return f"no warm-up can be proposed: {self.reason}"
        if self.proposed_s == 0:
            return "no warm-up is needed: the run begins as it goes on"
        enough = "is enough" if self.enough else "is too short"
        given = f"the warm-up of {span(self.given_s)} {enough}" if self.given_s else "there is none"
        return f"a warm-up of {span(self.proposed_s)} is proposed (MSER-5), {given}"


def mser5(values: Sequence[float], batch: int = BATCH) -> Truncation | None:
    """Where to cut the front of a series; None where it has no settled second half, or is too short."""
    n = len(values) // batch
    if n < LEAST:
        return None
    means = [mean(values[k * batch : (k + 1) * batch]) for k in range(n)]
    # At least a quarter has to be left: a standard error of a handful of values is small by chance.
    best = min(range(n - max(5, n // 4) + 1), key=lambda d: (_error(means[d:]), d))
    if best > n // 2:
        return None
    return Truncation(best * batch, len(values), _biased(means[:best], means[best:]))


def _error(values: Sequence[float]) -> float:
    centre = mean(values)
    return math.fsum((x - centre) ** 2 for x in values) / len(values) ** 2


def _biased(front: Sequence[float], rest: Sequence[float]) -> bool:
    """Whether the front differs from the rest by more than the wandering of the rest explains.

    The wandering is that of means over stretches as long as the front, so that correlation counts.
    """
    if not front:
        return False
    length = len(front)
    stretches = [mean(rest[k : k + length]) for k in range(0, len(rest) - length + 1, length)]
    distance = abs(mean(front) - mean(rest))
    if len(stretches) < 3:
        return distance > 0.1 * abs(mean(rest))
    spread = math.sqrt(variance(stretches) * (1 + 1 / len(stretches)))
    return distance > t_quantile(len(stretches) - 1, SURE) * spread


def warm_up(result: Result) -> WarmUp:
    """How long a warm-up the result's scenario should have, judged by the time before the first fault.

    Takes the runs that have kept their series; the first always has.
    """
    runs = [run for run in result.runs if run.series.services]
    given = result.scenario.time.warmup / 1e9
    if not runs:
        return WarmUp(None, given, 0.0, "there is no service")
    first = min((fault.begin / 1e9 for run in runs for fault in run.faults), default=math.inf)
    series = runs[0].series
    whole = series.t + series.width <= min(first, result.scenario.time.duration / 1e9) + 1e-9
    until = float((series.t + series.width)[whole].max(initial=0.0))
    level = sum(
        np.asarray(columns["in_system"], dtype=np.float64)[whole]
        for run in runs
        for columns in run.series.services.values()
    ) / len(runs)
    values = np.asarray(level, dtype=np.float64).tolist() if whole.any() else []
    if len(values) < BATCH * LEAST:
        reason = f"{len(values)} buckets before the first fault or the end, at least {BATCH * LEAST} are needed"
        return WarmUp(None, given, until, reason)
    found = mser5(values)
    if found is None:
        return WarmUp(None, given, until, "the number in the system does not settle")
    proposed = float(series.t[found.dropped]) if found.biased else 0.0
    return WarmUp(proposed, given, until)
