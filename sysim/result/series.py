"""What happened over time, bucket by bucket, and in coarser columns for percentiles of latency.

Buckets are sums of the same cells as windows. States (`in_system`, `queue`, `busy`, …) are averages over the
bucket; the last bucket may be shorter than the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.latency import NS, edges, quantiles
from sysim.plan.tables import N_OUTCOMES, OUTCOMES
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_CALLS,
    CC_HEDGES,
    CC_OPENED,
    CC_OUT,
    CC_RETRIES,
    CC_SENT,
    LC_DONE,
    LC_DONE_OK,
    LC_OFFERED,
    LC_OUT,
    SC_ABANDONED,
    SC_ARRIVALS,
    SC_BUSY,
    SC_COMPLETED,
    SC_CPU,
    SC_IN_SYSTEM,
    SC_OUT,
    SC_PAID,
    SC_QUEUE,
    SC_REJECTED,
    SC_STARTED,
    SC_UP,
    SC_WASTED,
)
from sysim.record.histogram import COARSE, COARSE_BINS
from sysim.result.windows import Tables

Floats = NDArray[np.float64]
Column = NDArray[np.int64] | Floats
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
ENDED = ("succeeded", "failed")
PER_BAND = 4  # coarse bins: a band of the counts is a quarter of an octave, each 19 % above the one below


@dataclass(frozen=True)
class Series:
    """Time series by subject and name. `t` and `width` are the starts and widths of the buckets in seconds.

    `latency` has, for each load, one row a quantile of `QUANTILES` over the columns that start at
    `latency_t`; NaN where nothing succeeded. (In JSON that is null.) `latency_counts` has, for each load, how many
    requests `succeeded` and `failed` in each of these columns (rows) with a latency in each band between two
    neighbours of `latency_edges` (seconds).
    """

    bucket_s: float
    t: Floats
    width: Floats
    loads: Mapping[str, Mapping[str, Column]]
    services: Mapping[str, Mapping[str, Column]]
    calls: Mapping[str, Mapping[str, Column]]
    latency_t: Floats
    latency: Mapping[str, Mapping[str, Floats]]
    latency_edges: Floats = field(default_factory=lambda: np.zeros(1))
    latency_counts: Mapping[str, Mapping[str, NDArray[np.int64]]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Tables, streams: Mapping[str, Sequence[int]]) -> Series:
        """The series of one record."""
        plan = tables.layout.plan
        bucket = plan.bucket_ns / NS
        t = np.arange(plan.n_buckets, dtype=np.float64) * bucket
        width = np.minimum(t + bucket, plan.duration / NS) - t
        load, service, call = (
            _buckets(tables, table) for table in (tables.load, tables.service, tables.call)
        )
        per_column = -(-plan.n_buckets // plan.n_columns)
        latency_edges, latency_counts = _bands(tables, list(streams))
        return cls(
            bucket_s=bucket,
            t=t,
            width=width,
            loads={
                name: {
                    "offered": rows[:, LC_OFFERED],
                    **{OUTCOMES[k]: rows[:, LC_OUT + k] for k in range(N_OUTCOMES)},
                    "done": rows[:, LC_DONE],
                    "done_ok": rows[:, LC_DONE_OK],
                }
                for name, some in streams.items()
                for rows in (load[:, list(some)].sum(axis=1),)
            },
            services={
                plan.names.services[s]: {
                    "arrivals": service[:, s, SC_ARRIVALS],
                    "completed": service[:, s, SC_COMPLETED],
                    "started": service[:, s, SC_STARTED],
                    "rejected": service[:, s, SC_REJECTED],
                    "abandoned": service[:, s, SC_ABANDONED],
                    "shed": service[:, s, SC_OUT + OUTCOMES.index("shed")],
                    "error": service[:, s, SC_OUT + OUTCOMES.index("error")],
                    "in_system": service[:, s, SC_IN_SYSTEM] / (width * NS),
                    "queue": service[:, s, SC_QUEUE] / (width * NS),
                    "busy": service[:, s, SC_BUSY] / (width * NS),
                    "up": service[:, s, SC_UP] / (width * NS),
                    "starting": (service[:, s, SC_PAID] - service[:, s, SC_UP]) / (width * NS),
                    "cpu": service[:, s, SC_CPU] / (width * NS * 1_000),
                    "wasted_s": service[:, s, SC_WASTED] / NS,
                }
                for s in range(plan.n_services)
            },
            calls={
                name: {
                    "calls": rows[:, CC_CALLS],
                    "attempts": rows[:, CC_ATTEMPTS],
                    "sent": rows[:, CC_SENT],
                    "retries": rows[:, CC_RETRIES],
                    "hedges": rows[:, CC_HEDGES],
                    "ok": rows[:, CC_OUT],
                    "degraded": rows[:, CC_OUT + 1],
                    "opened": rows[:, CC_OPENED],
                }
                for name, some in tables.layout.rows_of.items()
                for rows in (call[:, some].sum(axis=1),)
            },
            latency_t=np.arange(plan.n_columns, dtype=np.float64) * bucket * per_column,
            latency=_latency(tables, list(streams)),
            latency_edges=latency_edges,
            latency_counts=latency_counts,
        )

    def emptied(self) -> Series:
        """The buckets without what happened in them: what is kept where many runs would fill the memory."""
        return replace(self, loads={}, services={}, calls={}, latency={}, latency_counts={})

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {
            "bucket_s": self.bucket_s,
            "t_s": self.t.tolist(),
            "loads": _plain(self.loads),
            "services": _plain(self.services),
            "calls": _plain(self.calls),
            "latency": {
                "t_s": self.latency_t.tolist(),
                "edges_s": self.latency_edges.tolist(),
                "loads": {
                    load: {
                        **{f"{name}_s": _nulls(values) for name, values in rows.items()},
                        **{name: table.tolist() for name, table in self.latency_counts.get(load, {}).items()},
                    }
                    for load, rows in self.latency.items()
                },
            },
        }


def _plain(subjects: Mapping[str, Mapping[str, Column]]) -> dict[str, dict[str, list[Any]]]:
    return {
        name: {key: column.tolist() for key, column in columns.items()} for name, columns in subjects.items()
    }


def _nulls(values: Floats) -> list[float | None]:
    return [None if np.isnan(x) else float(x) for x in values]


def _buckets(tables: Tables, table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cells summed into buckets; cells are in order of time and every bucket has at least one."""
    plan = tables.layout.plan
    starts = np.searchsorted(plan.cell_bucket[: plan.n_cells], np.arange(plan.n_buckets))
    return np.add.reduceat(table[: plan.n_cells], starts, axis=0)


def _latency(tables: Tables, loads: list[str]) -> dict[str, dict[str, Floats]]:
    plan = tables.layout.plan
    columns = plan.n_columns + 1
    table = tables.record.load_coarse.reshape(columns, -1, 2, COARSE_BINS)
    found: dict[str, dict[str, Floats]] = {}
    for i, load in enumerate(loads):
        rows = np.full((len(QUANTILES), plan.n_columns), np.nan)
        for column in np.flatnonzero(table[: plan.n_columns, i, 0].any(axis=1)):
            some = quantiles(table[column, i, 0], tuple(QUANTILES.values()), np.inf)
            rows[:, column] = [np.nan if x is None else x for x in some]
        found[load] = dict(zip(QUANTILES, rows, strict=True))
    return found


def _bands(tables: Tables, loads: list[str]) -> tuple[Floats, dict[str, dict[str, NDArray[np.int64]]]]:
    """Edges of the bands that hold anything, from the lowest to the highest of all loads, and the counts in them."""
    plan = tables.layout.plan
    columns = plan.n_columns + 1
    fine = tables.record.load_coarse.reshape(columns, -1, len(ENDED), COARSE_BINS)[: plan.n_columns, : len(loads)]
    bands = fine.reshape(*fine.shape[:3], COARSE_BINS // PER_BAND, PER_BAND).sum(axis=4)
    used = np.flatnonzero(bands.any(axis=(0, 1, 2)))
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
    lower = edges()[:: COARSE * PER_BAND] / NS
    return lower[low : high + 1], {
        load: {name: bands[:, i, k, low:high] for k, name in enumerate(ENDED)} for i, load in enumerate(loads)
    }
