"""Time in cells: where counters are cut, so that buckets and windows are sums of the same pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sysim.model import Scenario
from sysim.plan.errors import PlanError
from sysim.plan.plan import Ints

MAX_COLUMNS = 512
MAX_BUCKETS = 1_000_000


@dataclass(frozen=True)
class Cells:
    """The pieces of a run's time; see `sysim.plan.plan.Plan`."""

    edges: Ints
    bucket: Ints
    segment: Ints
    column: Ints
    segment_edges: Ints
    n_buckets: int
    n_segments: int
    n_columns: int
    buckets_per_column: int
    windows: Mapping[str, tuple[int, int]]


def cells(scenario: Scenario) -> Cells:
    """Cut the time from 0 to `duration`, where windows are clipped; one that lies behind it is refused."""
    time = scenario.time
    n_buckets = -(-time.duration // time.bucket)
    if n_buckets > MAX_BUCKETS:
        raise PlanError(
            "time.bucket",
            f"found {n_buckets} buckets, expected at most {MAX_BUCKETS}",
            "make the buckets wider",
        )
    windows = {"all": (time.warmup, time.duration)}
    for name, window in sorted(scenario.windows.items()):
        if window.start >= time.duration:
            raise PlanError(
                f"windows.{name}", "the window begins when the run is over", "end it before time.duration"
            )
        windows[name] = (window.start, min(window.end, time.duration))

    cuts = {0, time.duration}.union(*windows.values())
    segment_edges = np.array(sorted(cuts), dtype=np.int64)
    bucket_edges = np.arange(n_buckets, dtype=np.int64) * time.bucket
    edges = np.union1d(segment_edges, bucket_edges)
    per_column = -(-n_buckets // MAX_COLUMNS)
    n_columns = -(-n_buckets // per_column)
    n_segments = len(segment_edges) - 1

    starts = edges[:-1]
    bucket = starts // time.bucket
    segment = np.searchsorted(segment_edges, starts, side="right") - 1
    return Cells(
        edges=edges,
        bucket=np.append(bucket, n_buckets).astype(np.int64),
        segment=np.append(segment, n_segments).astype(np.int64),
        column=np.append(bucket // per_column, n_columns).astype(np.int64),
        segment_edges=segment_edges,
        n_buckets=n_buckets,
        n_segments=n_segments,
        n_columns=n_columns,
        buckets_per_column=per_column,
        windows=windows,
    )
