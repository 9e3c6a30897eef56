"""What a plan has to keep: the objectives of the file, as numbers of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from sysim.analysis.latency import NS, middles
from sysim.analysis.words import percent, span
from sysim.errors import SysimError
from sysim.model import Check, Scenario
from sysim.result.run import Run

JUDGED = "judged"
"""The window that a plan is judged in, from the failure on."""


@dataclass(frozen=True)
class Goal:
    """One promise about a load: a share of its requests that succeeds, or a quantile of the latency of successes.

    `limit` is a share, or seconds; `quantile` a share, of a latency only.
    """

    slo: str
    load: str
    kind: Literal["success", "latency"]
    limit: float
    quantile: float = 0.0

    @property
    def text(self) -> str:
        """As a check would say it."""
        if self.kind == "success":
            return f"success({self.load}) >= {percent(self.limit)}"
        return f"p{self.quantile * 100:.6g}({self.load}) <= {span(self.limit)}".replace("p99.9(", "p999(")

    @property
    def check(self) -> Check:
        """The same as a check."""
        metric = "success" if self.kind == "success" else "latency"
        return Check(text=self.text, metric=metric, subject=self.load, window=JUDGED,
                     op=">=" if self.kind == "success" else "<=", value=self.limit)  # fmt: skip

    def value(self, run: Run) -> float | None:
        """The value in one run, in the unit of `limit`; None without a request, or for a latency without a success."""
        if self.kind == "success":
            stats = run.windows[JUDGED].loads[self.load]
            return stats.success
        histogram = run.histograms[JUDGED][self.load]
        total = int(histogram.counts.sum())
        if not total:
            return None
        rank = max(1, ceil(self.quantile * total - 1e-9))
        at = int(np.searchsorted(np.cumsum(histogram.counts), rank))
        return float(middles()[histogram.bins[at]]) / NS

    def holds(self, value: float | None) -> bool:
        """Whether a value keeps the promise; without data nothing is kept."""
        if value is None:
            return False
        return value >= self.limit if self.kind == "success" else value <= self.limit

    def show(self, value: float | None) -> str:
        """A value as one reads it."""
        if value is None:
            return "no data"
        return percent(value) if self.kind == "success" else span(value)


def goals(scenario: Scenario, chosen: Sequence[str] = ()) -> tuple[Goal, ...]:
    """The goals of the objectives named `chosen` (all unless given); raises `SysimError` where there is none."""
    if not scenario.slos:
        raise SysimError(
            "found no slos, expected what a plan has to keep: write slos: {promise: {load: NAME, success: 99.9%, "
            "latency: {p99: 800ms}}}, or give --slo"
        )
    found = []
    for name in chosen or sorted(scenario.slos):
        slo = scenario.slos.get(name)
        if slo is None:
            raise SysimError(f"found the slo {name!r}, expected one of {', '.join(sorted(scenario.slos))}")
        if slo.success is not None:
            found.append(Goal(name, slo.load, "success", slo.success))
        if slo.quantile is not None and slo.limit is not None:
            found.append(Goal(name, slo.load, "latency", slo.limit / NS, slo.quantile))
    return tuple(found)


__all__ = ["JUDGED", "Goal", "goals"]
