"""What hurts at an instant: how many are served, which services have no room, which faults are active; and how it
was before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sysim.analysis.recovery import HOLD, NS, by_bucket, by_cell, share_before
from sysim.analysis.statistics import mean
from sysim.model import Scenario
from sysim.result.run import Run

LOOK = 3 * NS  # what is told of the moment is counted over so long before it
FULL = 0.95  # share of busy workers
WELL = 0.95  # of the usual share of good requests


@dataclass(frozen=True)
class Terms:
    """When, in ns: one looks at `at`, things are done at `act`, held until `until`, and watched until `end`."""

    at: int
    act: int
    until: int
    end: int


@dataclass(frozen=True)
class Trouble:
    """A service in trouble: means over the replications of the moment before. `busy` is a share, None without a limit;
    `turned_away` per second, `down` is how many replicas are missing.
    """

    service: str
    busy: float | None
    queue: float
    turned_away: float
    down: float

    @property
    def full(self) -> bool:
        """Whether it has no room for more."""
        return (self.busy or 0.0) >= FULL or self.turned_away >= 1


@dataclass(frozen=True)
class Moment:
    """What hurts at the instant. `served` is the share of the requests of the last seconds, `before` that before the
    trouble (see `usual`); None where nobody asked. `faults` are those active in some replication, by number, `over`
    those that are not any more.
    """

    look_s: float
    served: float | None
    before: float | None
    faults: Mapping[int, str]
    over: tuple[str, ...]
    services: tuple[Trouble, ...]

    @property
    def hurts(self) -> bool:
        """Whether there is anything to mitigate."""
        low = self.served is not None and self.before is not None and self.served < WELL * self.before
        return bool(low or self.faults or self.services)


def moment(run: Run, scenario: Scenario, terms: Terms) -> Moment:
    """What one run tells of the instant; all services, in trouble or not."""
    window = run.windows["what_if_now"]
    begun = [fault for fault in run.faults if fault.begin < terms.at]
    named = {fault.number: scenario.faults[fault.number].name or fault.label for fault in begun}
    active = {fault.number for fault in begun if fault.end is None or fault.end > terms.at}
    services = tuple(
        Trouble(
            name,
            max((x for x in (stats.utilisation, stats.cpu_utilisation) if x is not None), default=None),
            stats.queue_mean or 0.0,
            (stats.rejected + stats.outcomes["shed"]) / window.length_s,
            max(0.0, scenario.services[name].replicas - (stats.up_mean or 0.0)),
        )
        for name, stats in window.services.items()
    )
    offered = sum(stats.offered for stats in window.loads.values())
    good = sum(stats.ok + stats.degraded for stats in window.loads.values())
    return Moment(
        window.length_s, good / offered if offered else None, usual(run, range(run.plan.n_streams), terms),
        {number: name for number, name in named.items() if number in active},
        tuple(name for number, name in named.items() if number not in active), services,
    )  # fmt: skip


def together(moments: Sequence[Moment]) -> Moment:
    """The mean of what several runs tell; of the services those in trouble in most of them, the worst first."""
    first = moments[0]
    troubles = []
    for rows in zip(*(moment.services for moment in moments), strict=True):
        if 2 * sum(row.full or row.down >= 0.5 for row in rows) > len(rows):
            busy = [row.busy for row in rows if row.busy is not None]
            troubles.append(
                Trouble(
                    rows[0].service, mean(busy) if busy else None, mean([row.queue for row in rows]),
                    mean([row.turned_away for row in rows]), mean([row.down for row in rows]),
                )
            )  # fmt: skip
    troubles.sort(key=lambda row: (-row.queue - row.turned_away, -(row.busy or 0.0), row.service))
    faults = {number: name for moment in moments for number, name in moment.faults.items()}
    over = dict.fromkeys(name for moment in moments for name in moment.over if name not in faults.values())
    return Moment(
        first.look_s, mean_of([moment.served for moment in moments]), mean_of([moment.before for moment in moments]),
        dict(sorted(faults.items())), tuple(over), tuple(troubles),
    )  # fmt: skip


def usual(run: Run, streams: Sequence[int], terms: Terms) -> float | None:
    """The share of good requests before the trouble; None without any requests there.

    That is the time before the first fault. Where none has struck before the instant, the trouble has come by itself
    some time before: then it is the share that a quarter of all spans of `HOLD` before the instant reach.
    """
    plan = run.plan
    begun = [fault.begin for fault in run.faults if fault.begin < terms.at]
    if begun:
        return share_before(plan, *by_cell(run.load_cells, streams), min(begun))
    edges = np.arange(plan.n_buckets + 1, dtype=np.int64) * plan.bucket_ns
    inside = (edges[:-1] >= plan.warmup) & (edges[1:] <= terms.at)
    good, offered = (column[inside] for column in by_bucket(plan, run.load_cells, streams))
    span = min(-(-HOLD // plan.bucket_ns), len(good))
    if not span:
        return share_before(plan, *by_cell(run.load_cells, streams), terms.at)
    g, o = (np.concatenate(([0], np.cumsum(column))) for column in (good, offered))
    in_span_good, in_span = g[span:] - g[:-span], o[span:] - o[:-span]
    shares = sorted((in_span_good[in_span > 0] / in_span[in_span > 0]).tolist())
    return float(shares[3 * (len(shares) - 1) // 4]) if shares else None


def mean_of(values: Sequence[float | None]) -> float | None:
    known = [x for x in values if x is not None]
    return mean(known) if known else None
