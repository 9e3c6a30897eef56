"""What became of a load, in one word.

* **unstable**: it was in trouble before any fault struck, or without one: less than half of its requests were
  good, or the share of good ones fell between the two halves of the time before by more than `1 - to` of itself,
  or its requests piled up, in the second half, by more than `1 - to` of those that arrived. Counted by their end.
* **healthy**: from the first fault on, every span of `hold` had a share of good requests of at least `to` of the
  share before.
* **degraded**: it is up but not whole. Either it held as a healthy one does, but only with degraded answers (the
  share of answers in full did not hold); or it does not hold, and the cause is still there: a fault that does
  not end within the run, or no fault at all and fewer than `to` good.
* **recovered**: it did not hold, and came back by itself (see `sysim.analysis.recovery`).
* **metastable**: it did not hold, and stayed down for at least ten times the last fault's length after its end.
* **inconclusive**: the run is too short to tell recovered from metastable, or there is nothing to compare with.

A difference that chance explains (three standard errors) shows nothing. Spans begin at bucket edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.recovery import NS, Occurrence, Recovery
from sysim.plan.plan import Plan
from sysim.record.columns import LC_DONE, LC_DONE_OK, LC_OFFERED, LC_OUT

Ints = NDArray[np.int64]
State = Literal["healthy", "degraded", "recovered", "inconclusive", "metastable", "unstable"]
STATES: tuple[State, ...] = ("healthy", "degraded", "recovered", "inconclusive", "metastable", "unstable")
"""From the best to the worst; a run with several loads has the state of the worst of them."""
DOWN: tuple[State, ...] = ("metastable", "unstable")
"""The states from which a load does not get up again by itself."""
SURE = 3.0  # standard errors


@dataclass(frozen=True, slots=True)
class Counts:
    """One load by bucket: requests that arrived, and of those the good ones and those answered in full; and by
    the bucket of their end those that ended, and the good ones among them. `starts` are the buckets' edges (ns).
    """

    starts: Ints
    offered: Ints
    good: Ints
    full: Ints
    ended: Ints
    ended_good: Ints


def worst(states: Iterable[State]) -> State:
    """The worst of some states; healthy if there are none."""
    return max(states, key=STATES.index, default="healthy")


def counts(plan: Plan, load_cells: Ints, streams: Sequence[int]) -> Counts:
    """The counts of the requests of some streams."""
    rows = load_cells[: plan.n_cells, list(streams)].sum(axis=1)
    full = rows[:, LC_OUT]
    columns = (rows[:, LC_OFFERED], full + rows[:, LC_OUT + 1], full, rows[:, LC_DONE], rows[:, LC_DONE_OK])
    table = np.zeros((len(columns), plan.n_buckets), dtype=np.int64)
    for number, column in enumerate(columns):
        np.add.at(table[number], plan.cell_bucket[: plan.n_cells], column)
    return Counts(np.arange(plan.n_buckets, dtype=np.int64) * plan.bucket_ns, *table)


def classify(
    plan: Plan,
    found: Counts,
    faults: Sequence[Occurrence],
    recovery: Recovery,
    *,
    hold: int = 10 * NS,
    to: float = 0.95,
) -> State:
    """The word for one load; `recovery` is what `sysim.analysis.recovery.recovery` says of it, `hold` in ns."""
    began = [fault for fault in faults if fault.begin < plan.duration]
    first = min((fault.begin for fault in began), default=plan.duration)
    before = (found.starts >= plan.warmup) & (found.starts + plan.bucket_ns <= first)
    if _unstable(found, before, to):
        return "unstable"
    offered = int(found.offered[before].sum())
    if not began:
        return _without_a_fault(found, before, offered, to)
    since = int(np.searchsorted(found.starts, first // plan.bucket_ns * plan.bucket_ns))
    if not offered or not found.offered[since:].any():
        return "inconclusive"
    span = -(-hold // plan.bucket_ns)
    share = int(found.good[before].sum()) / offered
    if _holds(found.good[since:], found.offered[since:], span, to * share):
        in_full = int(found.full[before].sum()) / offered
        return "healthy" if _holds(found.full[since:], found.offered[since:], span, to * in_full) else "degraded"
    if recovery.after_s is None:  # some fault does not end within the run
        return "degraded"
    if recovery.recovered_after_s is not None:
        return "recovered"
    return "metastable" if recovery.metastable else "inconclusive"


def _without_a_fault(found: Counts, measured: NDArray[np.bool_], offered: int, to: float) -> State:
    if not offered:
        return "inconclusive"
    return "healthy" if int(found.good[measured].sum()) >= to * offered else "degraded"


def _holds(good: Ints, offered: Ints, span: int, threshold: float) -> bool:
    """Whether every span of so many buckets has at least this share of good requests."""
    span = min(span, len(good))
    g, o = (np.concatenate(([0], np.cumsum(x))) for x in (good, offered))
    in_span_good, in_span = g[span:] - g[:-span], o[span:] - o[:-span]
    return not bool(np.any((in_span > 0) & (in_span_good < threshold * in_span - 1e-9)))


def _unstable(found: Counts, before: NDArray[np.bool_], to: float) -> bool:
    """Whether what happened before the first fault was no steady state. Requests count where they end: those under
    way when the fault strikes are its victims, and say nothing of the time before.
    """
    buckets = np.flatnonzero(before)
    halves = [buckets[: len(buckets) // 2], buckets[len(buckets) // 2 :]]
    (n_1, good_1), (n_2, good_2) = (
        (int(found.ended[half].sum()), int(found.ended_good[half].sum())) for half in halves
    )
    n = n_1 + n_2
    if n and good_1 + good_2 + SURE * 0.5 * math.sqrt(n) < 0.5 * n:
        return True
    arrived = int(found.offered[halves[1]].sum())
    if arrived - n_2 > max((1 - to) * arrived, SURE * math.sqrt(arrived)):
        return True
    if not n_1 or not n_2:
        return False
    share_1, share_2 = good_1 / n_1, good_2 / n_2
    both = (good_1 + good_2) / n
    chance = SURE * math.sqrt(both * (1 - both) * (1 / n_1 + 1 / n_2))
    return share_2 < to * share_1 and share_1 - share_2 > chance
