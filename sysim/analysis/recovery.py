"""Does a load get up again by itself? Faults as they happened, time to recover, and metastability.

A request is good if it is ok or degraded. T is the end of the last fault (or of the one named, or an
instant). The load recovers at the first bucket edge t ≥ T after which every span of `hold` up to the end of
the run has a share of good requests, by arrival, of at least `to` of the share before the first fault. Spans
begin at bucket edges and are a whole number of buckets, `hold` rounded up. A span without requests says
nothing; only spans that say something can show a recovery. The load is metastable when there is no such t
although the run went on for at least ten times the last fault's length after T; with less time left the
question stays open (None).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sysim.plan.plan import Plan
from sysim.plan.tables import F_FIRST_HIT, F_FOR, F_HITS, F_KIND, FAULT_CRASH, FAULTS, NONE
from sysim.record.columns import (
    EV_FAULT,
    EV_KIND,
    EV_REPLICA,
    EV_SUBJECT,
    EV_TIME,
    EV_VALUE,
    LC_OFFERED,
    LC_OUT,
    LC_SLOW,
)

Ints = NDArray[np.int64]
NS = 1_000_000_000
PATIENCE = 10  # times the last fault's length
HOLD = 10 * NS  # how long a span has to be good, unless a check says otherwise


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a fault struck: row label, its number in the scenario, kind, begin and end (ns, None:
    never).
    """

    label: str
    number: int
    kind: str
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """How one load came out of the faults. None: not recovered, or for `metastable` not decided.

    `after_s` is the instant T from which recovery is counted; None without a fault that ends within the run.
    `judged` is False where nothing was measured before the first fault that one could compare with.
    """

    recovered_after_s: float | None
    metastable: bool | None
    after_s: float | None = None
    observed_s: float = 0.0
    judged: bool = True

    def to_dict(self) -> dict[str, float | bool | None]:
        """The object of the JSON result."""
        return {"recovered_after_s": self.recovered_after_s, "metastable": self.metastable}


def occurrences(plan: Plan, events: Ints) -> tuple[Occurrence, ...]:
    """The faults of a run in the order in which they began, read from its transitions.

    A crash without a length of its own ends when the replicas that it took down are up again.
    """
    found: list[Occurrence] = []
    open_ones: dict[int, int] = {}
    for at, kind, subject, value in events[events[:, EV_KIND] == EV_FAULT].tolist():
        assert kind == EV_FAULT
        if value:
            open_ones[subject] = len(found)
            number = plan.names.fault_of[subject] if plan.names.fault_of else subject
            kind_name = FAULTS[int(plan.faults[subject, F_KIND])]
            found.append(Occurrence(plan.names.faults[subject], number, kind_name, at, None))
            if kind_name == FAULTS[FAULT_CRASH] and int(plan.faults[subject, F_FOR]) == NONE:
                found[-1] = _until_up(plan, events, subject, found[-1])
        elif subject in open_ones:
            index = open_ones.pop(subject)
            struck = found[index]
            found[index] = Occurrence(struck.label, struck.number, struck.kind, struck.begin, at)
    return tuple(found)


def _until_up(plan: Plan, events: Ints, fault: int, struck: Occurrence) -> Occurrence:
    first = int(plan.faults[fault, F_FIRST_HIT])
    hits = plan.hits[first : first + int(plan.faults[fault, F_HITS])]
    rows = events[
        (events[:, EV_KIND] == EV_REPLICA)
        & (events[:, EV_TIME] >= struck.begin)
        & np.isin(events[:, EV_SUBJECT], hits)
    ]
    down = set(rows[(rows[:, EV_TIME] == struck.begin) & (rows[:, EV_VALUE] == 0), EV_SUBJECT].tolist())
    end = None
    for at, _, replica, up in rows.tolist():
        if up and replica in down and at >= struck.begin:
            down.discard(replica)
            end = at
    return Occurrence(struck.label, struck.number, struck.kind, struck.begin, None if down else end)


def by_bucket(plan: Plan, load_cells: Ints, streams: Sequence[int]) -> tuple[Ints, Ints]:
    """Good and offered requests of the given streams in each bucket, by arrival."""
    good, offered = by_cell(load_cells, streams)
    buckets = plan.cell_bucket[: plan.n_cells]
    sums = np.zeros((2, plan.n_buckets), dtype=np.int64)
    np.add.at(sums[0], buckets, good[: plan.n_cells])
    np.add.at(sums[1], buckets, offered[: plan.n_cells])
    return sums[0], sums[1]


def by_cell(load_cells: Ints, streams: Sequence[int]) -> tuple[Ints, Ints]:
    """Good and offered requests of the given streams in each cell, by arrival.

    Good are successes within the latency limit of an slo of their load, if it has one.
    """
    rows = load_cells[:, list(streams)].sum(axis=1)
    return rows[:, LC_OUT] + rows[:, LC_OUT + 1] - rows[:, LC_SLOW], rows[:, LC_OFFERED]


def share_before(plan: Plan, good: Ints, offered: Ints, first: int) -> float | None:
    """Share of good requests from the end of the warm-up to `first` (ns); None without any. Arguments by
    cell.
    """
    edges = plan.cell_edges
    inside = edges[1:] <= first
    warm = inside & (edges[:-1] >= plan.warmup)
    cells = np.flatnonzero(warm if warm.any() else inside)
    total = int(offered[cells].sum())
    return int(good[cells].sum()) / total if total else None


def first_recovered(
    edges: Ints, good: Ints, offered: Ints, threshold: float, after: int, hold: int, bucket: int
) -> int | None:
    """The first edge (ns) from `after` on from which every span holds; None if there is none."""
    span = -(-hold // bucket)
    buckets = len(good)
    if buckets < span:
        return None
    g, o = (np.concatenate(([0], np.cumsum(x))) for x in (good, offered))
    in_span_good, in_span = g[span:] - g[:-span], o[span:] - o[:-span]
    starts = edges[: buckets - span + 1]
    bad = (in_span > 0) & (in_span_good < threshold * in_span - 1e-9)
    candidates = np.flatnonzero(starts >= after)
    if not len(candidates):
        return None
    failing = np.flatnonzero(bad[candidates[0] :])
    first = int(candidates[0]) + (int(failing[-1]) + 1 if len(failing) else 0)
    if first >= len(starts) or not in_span[first:].any():
        return None
    return int(starts[first])


def recovery(
    plan: Plan,
    load_cells: Ints,
    streams: Sequence[int],
    faults: Sequence[Occurrence],
    *,
    after: int | None = None,
    after_fault: int | None = None,
    hold: int = HOLD,
    to: float = 0.95,
) -> Recovery:
    """How the requests of `streams` came out of `faults`; `after` an instant (ns), `after_fault` a scenario's
    fault.
    """
    began = [fault for fault in faults if fault.begin < plan.duration]
    meant = began if after_fault is None else [fault for fault in began if fault.number == after_fault]
    moment, length = after, 0
    if moment is None:
        if not meant:
            return Recovery(None, None)
        if any(fault.end is None for fault in meant):
            return Recovery(None, None)
        last = max(meant, key=lambda fault: (fault.end or 0, -fault.begin))
        moment, length = last.end, (last.end or 0) - last.begin
    elif began:
        last = max(
            (fault for fault in began if fault.begin <= moment), key=lambda f: f.begin, default=began[0]
        )
        length = (moment if last.end is None else last.end) - last.begin
    assert moment is not None
    observed = plan.duration - moment
    if observed <= 0:
        return Recovery(None, None)
    good, offered = by_cell(load_cells, streams)
    first = min((fault.begin for fault in began), default=moment)
    before = share_before(plan, good, offered, first)
    if before is None:
        return Recovery(None, None, moment / NS, observed / NS, judged=False)
    good, offered = by_bucket(plan, load_cells, streams)
    edges = np.arange(plan.n_buckets, dtype=np.int64) * plan.bucket_ns
    t = first_recovered(edges, good, offered, to * before, moment, hold, plan.bucket_ns)
    if t is not None:
        return Recovery((t - moment) / NS, False, moment / NS, observed / NS)
    decided = observed >= PATIENCE * length and observed >= hold
    return Recovery(None, True if decided else None, moment / NS, observed / NS)
