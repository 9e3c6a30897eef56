"""How a service fares in a run: whether it is full, all the time or for a while, and whether it turns requests away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sysim.model import Service
from sysim.result.run import Run
from sysim.result.series import Column
from sysim.result.stats import ServiceStats

FULL, LEAST = 0.9, 1e-3
"""The share of its workers that a full service holds on average, or the share of its requests that it turns away."""
PEAK = 0.97
"""What it holds for a while, where it is full only for that while: nearly all, or chance would do."""
PARTS, SHORTEST_S = 12, 5.0
"""A while is such a part of what is judged, and at least so many seconds."""


@dataclass(frozen=True)
class Stress:
    """How a service fared: workers, or cores, held as a share of those ready (None: unlimited), and the greatest share
    over a while; seconds waited in all, the share of arrivals turned away, arrivals.
    """

    busy: float | None
    peak: float | None
    waited_s: float
    turned_away: float
    arrivals: int

    @property
    def full(self) -> bool:
        """Whether it was given as much as it can do, or more."""
        return (self.busy or 0.0) >= FULL or (self.peak or 0.0) >= PEAK or self.turned_away > LEAST


def stresses(run: Run, window: str, services: Mapping[str, Service]) -> dict[str, Stress]:
    """How each service fared in a window of a run that has its time series."""
    judged = run.windows[window]
    parts = _parts(run, judged.from_s, judged.to_s)
    found = {}
    for name, stats in judged.services.items():
        known = [x for x in (stats.utilisation, stats.cpu_utilisation) if x is not None]
        found[name] = Stress(
            max(known, default=None),
            _peak(run.series.services[name], services[name], parts),
            (stats.wait.mean or 0.0) * stats.wait.n,
            _turned_away(stats),
            stats.arrivals,
        )
    return found


def _turned_away(stats: ServiceStats) -> float:
    return (stats.rejected + stats.outcomes["shed"]) / stats.arrivals if stats.arrivals else 0.0


def _parts(run: Run, start_s: float, end_s: float) -> list[slice]:
    """The buckets of each while."""
    inside = np.flatnonzero(run.series.t >= start_s)
    width = max(1, round(max(SHORTEST_S, (end_s - start_s) / PARTS) / run.series.bucket_s))
    return [slice(first, first + width) for first in range(inside[0], inside[-1] + 2 - width, width)]


def _peak(columns: Mapping[str, Column], body: Service, parts: list[slice]) -> float | None:
    shares = []
    for column, limit in (("busy", body.concurrency), ("cpu", body.cores)):
        if limit is not None:
            for part in parts:
                ready = float(np.sum(columns["up"][part])) * float(limit)
                shares.append(float(np.sum(columns[column][part])) / ready if ready > 0.0 else 0.0)
    return max(shares, default=None)


__all__ = ["Stress", "stresses"]
