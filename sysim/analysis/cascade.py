"""How trouble spread: which services went bad and in which order, how far, and what would have misled an observer.

Everything is judged against the buckets before the first fault. A service goes bad in the first bucket in which one of
these holds: a replica of it is down; its workers are all but all held; it holds many more requests than it ever did;
its callers see it fail. Within one bucket what is called comes before what calls it: trouble travels up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sysim.analysis.recovery import NS
from sysim.model.graph import owner
from sysim.plan.tables import NEVER, S_WORKERS
from sysim.result.run import Run

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Sign = Literal["down", "full", "crowded", "errors"]
SIGNS: tuple[Sign, ...] = ("down", "full", "crowded", "errors")
FULL = 0.95  # of the workers held
NOT_YET = 0.85  # … and before the fault at most so many
MORE_FAILED = 0.05  # points of share
FEW_CALLS = 5  # in a bucket say nothing
CROWD = 10.0  # requests
TIMES_USUAL = 2.0
LEAST_STEP = 0.25  # of a service's time that a callee must take to be on the critical path
HEALTHY = 0.05  # own failures of a culprit that looks healthy


@dataclass(frozen=True, slots=True)
class GoneBad:
    """A service, when it went bad (the start of the bucket, in s), and the signs seen in that bucket."""

    service: str
    at_s: float
    signs: tuple[Sign, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {"service": self.service, "at_s": self.at_s, "signs": list(self.signs)}


@dataclass(frozen=True, slots=True)
class Blast:
    """What went bad from the begin of a fault to that of the next: services, and the share of each load that failed.

    `loads` has the share beyond what failed before the first fault, for loads that did noticeably worse.
    """

    fault: str
    from_s: float
    to_s: float
    services: tuple[str, ...]
    loads: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "fault": self.fault,
            "from_s": self.from_s,
            "to_s": self.to_s,
            "services": list(self.services),
            "loads": dict(self.loads),
        }


@dataclass(frozen=True, slots=True)
class Misleading:
    """The service where most failures began, the share of what it received that failed there, and the same of the
    service that looks worst.
    """

    culprit: str
    culprit_failed: float
    looks_worst: str
    worst_failed: float

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "culprit": self.culprit,
            "culprit_failed": self.culprit_failed,
            "looks_worst": self.looks_worst,
            "worst_failed": self.worst_failed,
        }


class Cascade:
    """What one run tells of how trouble spread; empty where no fault struck, or nothing was measured before it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        series = run.series
        self._stop = series.t + series.width
        faults = [fault for fault in run.faults if fault.begin < run.plan.duration]
        self._faults = faults
        self._begin = min((fault.begin for fault in faults), default=0) / NS
        measured = series.t >= run.plan.warmup / NS - 1e-9
        self._before: Mask = measured & (self._stop <= self._begin + 1e-9)
        self.judged = bool(faults) and bool(self._before.any()) and bool(series.loads)

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        before, during = self.critical_paths
        return {
            "order": [bad.to_dict() for bad in self.order],
            "blast_radius": [blast.to_dict() for blast in self.blasts],
            "critical_path": {
                name: [{"service": service, "mean_s": time} for service, time in some]
                for name, some in (("before", before), ("during", during))
            },
        }

    # --- the order --------------------------------------------------------------------------------------

    @cached_property
    def order(self) -> tuple[GoneBad, ...]:
        """The services that went bad, in order."""
        if not self.judged:
            return ()
        found = []
        for service in self._run.series.services:
            signs = {sign: mask for sign, mask in self._signs(service).items() if mask.any()}
            if not signs:
                continue
            first = min(int(np.argmax(mask)) for mask in signs.values())
            seen = tuple(sign for sign in SIGNS if sign in signs and signs[sign][first])
            found.append(GoneBad(service, float(self._run.series.t[first]), seen))
        depth = self._depths
        return tuple(sorted(found, key=lambda bad: (bad.at_s, -depth.get(bad.service, 0), bad.service)))

    @cached_property
    def _depths(self) -> dict[str, int]:
        """How many calls a service is away from the loads at most; operations do not call each other in circles."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        for label in self._run.series.calls:
            caller, _, callee = label.partition(" -> ")
            graph.add_edge(caller, callee)
        depth: dict[str, int] = {}
        for operation in nx.topological_sort(graph):
            depth[operation] = max((depth[caller] + 1 for caller in graph.predecessors(operation)), default=0)
        found: dict[str, int] = {}
        for operation, n in depth.items():
            found[owner(operation)] = max(n, found.get(owner(operation), 0))
        return found

    def _signs(self, service: str) -> dict[Sign, Mask]:
        series, before = self._run.series, self._before
        columns = series.services[service]
        since = self._stop > self._begin + 1e-9
        found: dict[Sign, Mask] = {"down": since & (columns["up"] < float(columns["up"][before].min()) - 1e-9)}
        plan = self._run.plan
        workers = int(plan.svc[plan.names.services.index(service), S_WORKERS])
        if workers != NEVER:
            with np.errstate(divide="ignore", invalid="ignore"):
                held = columns["busy"] / (workers * columns["up"])
            if float(np.nanmean(held[before])) <= NOT_YET:
                found["full"] = since & (np.nan_to_num(held) >= FULL)
        usual = float(columns["in_system"][before].max())
        found["crowded"] = since & (columns["in_system"] > max(CROWD, TIMES_USUAL * usual))
        calls, failed = self._heard(service)
        share = np.divide(failed, calls, out=np.zeros_like(failed), where=calls >= FEW_CALLS)
        total = float(calls[before].sum())
        base = float(failed[before].sum()) / total if total else 0.0
        found["errors"] = since & (share > base + MORE_FAILED)
        return found

    def _heard(self, service: str) -> tuple[Floats, Floats]:
        """The calls to a service and those that its callers saw fail, by bucket."""
        series = self._run.series
        calls, failed = (np.zeros(len(series.t)) for _ in range(2))
        for label, columns in series.calls.items():
            if owner(label.rpartition(" -> ")[2]) == service:
                calls += columns["calls"]
                failed += columns["calls"] - columns["ok"] - columns["degraded"]
        return calls, failed

    # --- how far ----------------------------------------------------------------------------------------

    @cached_property
    def blasts(self) -> tuple[Blast, ...]:
        """The blast radius of each fault, in the order in which they began; recurring ones once."""
        if not self.judged:
            return ()
        begins: dict[str, float] = {}
        for fault in self._faults:
            begins.setdefault(fault.label, fault.begin / NS)
        end = self._run.plan.duration / NS
        later = sorted({*begins.values(), end})
        found = []
        for label, begin in begins.items():
            until = next(at for at in later if at > begin)
            mask = (self._stop > begin + 1e-9) & (self._run.series.t < until - 1e-9)
            hit = [
                bad.service
                for bad in self.order
                if any(bool((sign & mask).any()) for sign in self._signs(bad.service).values())
            ]
            found.append(Blast(label, begin, until, tuple(hit), self._loads(mask)))
        return tuple(found)

    def _loads(self, mask: Mask) -> dict[str, float]:
        found = {}
        for load, columns in self._run.series.loads.items():
            good, offered = columns["ok"] + columns["degraded"], columns["offered"]
            now, then = (float(offered[some].sum()) for some in (mask, self._before))
            if not now:
                continue
            usual = 1.0 - float(good[self._before].sum()) / then if then else 0.0
            share = 1.0 - float(good[mask].sum()) / now - usual
            if share >= 0.005:
                found[load] = share
        return found

    # --- where time goes --------------------------------------------------------------------------------

    @cached_property
    def critical_paths(self) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
        """The services on which a request waits longest, from the busiest entry inwards, with the mean time spent
        there (in s, by Little's law): before the first fault, and from its begin to the end of the last.
        """
        if not self.judged:
            return (), ()
        ends = [fault.end for fault in self._faults]
        last = max((self._run.plan.duration if end is None else end for end in ends), default=0) / NS
        during = (self._stop > self._begin + 1e-9) & (self._run.series.t < last - 1e-9)
        return self._path(self._before), self._path(during)

    def _path(self, mask: Mask) -> tuple[tuple[str, float], ...]:
        series = self._run.series
        time, rates = {}, {}
        for service, columns in series.services.items():
            arrivals = float(columns["arrivals"][mask].sum())
            rates[service] = arrivals
            time[service] = float((columns["in_system"] * series.width)[mask].sum()) / arrivals if arrivals else 0.0
        calls: dict[str, dict[str, float]] = {}
        for label, columns in series.calls.items():
            caller, _, callee = label.partition(" -> ")
            n = float(columns["sent"][mask].sum())
            row = calls.setdefault(owner(caller), {})
            row[owner(callee)] = row.get(owner(callee), 0.0) + n
        entries: dict[str, float] = {}
        for load in series.loads:
            for callee, n in calls.get(load, {}).items():
                entries[callee] = entries.get(callee, 0.0) + n
        here = max(entries, key=lambda name: (entries[name], name), default=None)
        found: list[tuple[str, float]] = []
        while here is not None and here not in [name for name, _ in found]:
            found.append((here, time[here]))
            below = {
                callee: n / rates[here] * time[callee] for callee, n in calls.get(here, {}).items() if rates[here]
            }
            following = max(below, key=lambda name: (below[name], name), default=None)
            here = following if following is not None and below[following] > LEAST_STEP * time[here] else None
        return tuple(found)

    # --- what would mislead -----------------------------------------------------------------------------

    def misleading(self, culprit: str) -> Misleading | None:
        """The service that a picture of error rates points at, where that is not the culprit, which looks healthy."""
        if not self.judged:
            return None
        since = self._stop > self._begin + 1e-9
        failed = {}
        for service, columns in self._run.series.services.items():
            arrivals = float(columns["arrivals"][since].sum())
            bad = sum(float(columns[name][since].sum()) for name in ("rejected", "shed", "error"))
            if arrivals:
                failed[service] = bad / arrivals
        if culprit not in failed:
            return None
        worst = max(failed, key=lambda name: (failed[name], name))
        if worst == culprit or failed[culprit] >= HEALTHY or failed[worst] < failed[culprit] + MORE_FAILED:
            return None
        return Misleading(culprit, failed[culprit], worst, failed[worst])
