"""What is reported of one load, service or call over one window; the objects of the JSON result.

`None` is "no data". Counts are exact. Rows of counters keep the columns of `sysim.record.columns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.amplification import amplification, ratio
from sysim.analysis.latency import NS, Times
from sysim.plan.tables import CIRCUIT_OPEN, DEGRADED, N_OUTCOMES, OK, OUTCOMES
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_CALLS,
    CC_CLOSED_N,
    CC_CLOSED_NS,
    CC_HEDGES,
    CC_OPEN_N,
    CC_OPEN_NS,
    CC_OPENED,
    CC_OUT,
    CC_REFUSED,
    CC_RETRIES,
    CC_SENT,
    CC_TRY,
    N_CC,
)
from sysim.result.failures import Failures

Ints = NDArray[np.int64]


def outcomes(row: Ints, first: int) -> dict[str, int]:
    """The outcome columns of a row, by name, zeros included."""
    return {name: int(row[first + k]) for k, name in enumerate(OUTCOMES)}


@dataclass(frozen=True, slots=True)
class Journeys:
    """Rounds of a load with a journey that began in a window: how many came to their end, and how many broke off
    because a call failed. The others were under way when the load or the run was over.
    """

    begun: int
    finished: int
    broken_off: int

    def to_dict(self) -> dict[str, int]:
        """The object of the JSON result."""
        return {"begun": self.begun, "finished": self.finished, "broken_off": self.broken_off}


@dataclass(frozen=True, slots=True)
class LoadStats:
    """Requests of one load, or of one of its operations, that arrived in a window of `length_s` seconds.

    `failures` has those that did not end ok or degraded, the unfinished ones too, by outcome and cause.
    """

    length_s: float
    outcomes: Mapping[str, int]
    offered: int
    sent: int
    attempts: int
    latency: Times = field(default_factory=Times)
    latency_all: Times = field(default_factory=Times)
    value_earned: float | None = None
    value_lost: float | None = None
    currency: str | None = None
    operations: Mapping[str, LoadStats] = field(default_factory=dict)
    failures: tuple[Failures, ...] = ()
    journeys: Journeys | None = None

    @property
    def ok(self) -> int:
        """Requests answered in full."""
        return self.outcomes[OUTCOMES[OK]]

    @property
    def degraded(self) -> int:
        """Requests answered in part."""
        return self.outcomes[OUTCOMES[DEGRADED]]

    @property
    def success(self) -> float | None:
        """Share of the offered requests that ended ok or degraded."""
        return ratio(self.ok + self.degraded, self.offered)

    @property
    def amplification(self) -> float | None:
        """Attempts sent for each request that was offered."""
        return amplification(self.sent, self.offered)

    @property
    def goodput(self) -> float | None:
        """Requests a second that ended ok or degraded."""
        return ratio(self.ok + self.degraded, self.length_s)

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        out: dict[str, Any] = {
            "offered": self.offered,
            "ok": self.ok,
            "degraded": self.degraded,
            "outcomes": dict(self.outcomes),
            "sent": self.sent,
            "attempts": self.attempts,
            "amplification": self.amplification,
            "success": self.success,
            "offered_per_s": ratio(self.offered, self.length_s),
            "goodput_per_s": self.goodput,
            "latency_s": self.latency.to_dict(),
            "latency_all_s": self.latency_all.to_dict(),
            "value_earned": self.value_earned,
            "value_lost": self.value_lost,
            "currency": self.currency,
            "causes": [some.to_dict() for some in self.failures],
        }
        if self.journeys is not None:
            out["journeys"] = self.journeys.to_dict()
        if self.operations:
            out["operations"] = {name: stats.to_dict() for name, stats in self.operations.items()}
        return out


@dataclass(frozen=True, slots=True)
class QueueFull:
    """When a queue first and last turned a request away, and how often; the whole run, drain included."""

    first_s: float
    last_s: float
    count: int

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {"first_s": self.first_s, "last_s": self.last_s, "count": self.count}


@dataclass(frozen=True, slots=True)
class ServiceStats:
    """Attempts that reached one service in a window, in its own view, and its levels over that time."""

    arrivals: int
    completed: int
    rejected: int
    abandoned: int
    started: int
    utilisation: float | None
    cpu_utilisation: float | None
    in_system_mean: float | None
    in_system_max: int
    in_system_max_at_s: float | None
    queue_mean: float | None
    busy_mean: float | None
    up_mean: float | None
    wait: Times
    sojourn: Times
    wasted_s: float
    cost: float | None
    currency: str | None
    queue_full: QueueFull | None
    outcomes: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {
            "arrivals": self.arrivals,
            "completed": self.completed,
            "rejected": self.rejected,
            "abandoned": self.abandoned,
            "started": self.started,
            "utilisation": self.utilisation,
            "cpu_utilisation": self.cpu_utilisation,
            "in_system_mean": self.in_system_mean,
            "in_system_max": self.in_system_max,
            "in_system_max_at_s": self.in_system_max_at_s,
            "queue_mean": self.queue_mean,
            "busy_mean": self.busy_mean,
            "replicas_mean": self.up_mean,
            "wait_s": self.wait.to_dict(),
            "sojourn_s": self.sojourn.to_dict(),
            "wasted_s": self.wasted_s,
            "cost": self.cost,
            "currency": self.currency,
            "queue_full": self.queue_full.to_dict() if self.queue_full else None,
            "outcomes": dict(self.outcomes),
        }


@dataclass(frozen=True, slots=True)
class CallStats:
    """Calls of one label that began in a window. `row` holds the counters; labels add up row by row."""

    row: Ints
    has_breaker: bool

    @property
    def calls(self) -> int:
        """Calls that ended, or were still open when the run did."""
        return int(self.row[CC_CALLS])

    @property
    def attempts(self) -> int:
        """Tries, hedges and locally refused ones included."""
        return int(self.row[CC_ATTEMPTS])

    @property
    def sent(self) -> int:
        """Attempts put on the network."""
        return int(self.row[CC_SENT])

    @property
    def retries(self) -> int:
        """Attempts that followed a failed one."""
        return int(self.row[CC_RETRIES])

    @property
    def opened(self) -> int:
        """How often a breaker of these calls opened."""
        return int(self.row[CC_OPENED])

    @property
    def amplification(self) -> float | None:
        """Attempts sent for each call."""
        return amplification(self.sent, self.calls)

    @property
    def success(self) -> float | None:
        """Share of the calls that ended ok or degraded."""
        return ratio(int(self.row[CC_OUT + OK] + self.row[CC_OUT + DEGRADED]), self.calls)

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        row = self.row
        refused = ratio(int(row[CC_TRY + CIRCUIT_OPEN]), self.attempts)
        breaker = {
            "opened": self.opened,
            "admitted_fraction": None if refused is None else 1.0 - refused,
            "closed_s_mean": ratio(int(row[CC_CLOSED_NS]) / NS, int(row[CC_CLOSED_N])),
            "open_s_mean": ratio(int(row[CC_OPEN_NS]) / NS, int(row[CC_OPEN_N])),
        }
        return {
            "calls": self.calls,
            "attempts": self.attempts,
            "sent": self.sent,
            "retries": self.retries,
            "hedges": int(row[CC_HEDGES]),
            "retries_refused": int(row[CC_REFUSED]),
            "amplification": self.amplification,
            "success": self.success,
            "outcomes": outcomes(row, CC_OUT),
            "attempt_outcomes": outcomes(row, CC_TRY),
            "breaker": breaker if self.has_breaker else None,
        }


def merged(calls: Iterable[CallStats]) -> CallStats:
    """Several labels as one."""
    some = list(calls)
    row = np.zeros(N_CC, dtype=np.int64)
    for stats in some:
        row += stats.row
    return CallStats(row, any(stats.has_breaker for stats in some))


def failures(counts: Mapping[str, int]) -> dict[str, int]:
    """The outcomes other than ok and degraded that occurred, most frequent first."""
    found = [(name, counts[name]) for name in OUTCOMES[DEGRADED + 1 : N_OUTCOMES] if counts[name]]
    return dict(sorted(found, key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class WindowStats:
    """Everything about one window."""

    name: str
    from_s: float
    to_s: float
    loads: Mapping[str, LoadStats]
    services: Mapping[str, ServiceStats]
    calls: Mapping[str, CallStats]

    @property
    def length_s(self) -> float:
        """Length in seconds."""
        return self.to_s - self.from_s

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {
            "from_s": self.from_s,
            "to_s": self.to_s,
            "loads": {name: stats.to_dict() for name, stats in self.loads.items()},
            "services": {name: stats.to_dict() for name, stats in self.services.items()},
            "calls": {name: stats.to_dict() for name, stats in self.calls.items()},
        }
