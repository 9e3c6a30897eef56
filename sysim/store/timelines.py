"""The time series of a run as rows (kind, subject, metric, array), and back.

Rows of the kind ``time`` hold the axes: `t` and `width` of the buckets, `latency_t` of the coarser columns of the
kinds ``latency`` and ``latency_counts``, and the `latency_edges` of the bands of the latter, column by column. A run
whose series were not kept has its axes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.result.series import Series
from sysim.store.scalars import KINDS

Row = tuple[str, str, str, NDArray[Any]]
AXES = ("t", "width", "latency_t", "latency_edges")
TIME, LATENCY, BANDS = "time", "latency", "latency_counts"


def rows(series: Series) -> Iterator[Row]:
    """All series, in order."""
    for axis in AXES:
        yield TIME, "", axis, getattr(series, axis)
    for kind, singular in KINDS.items():
        for subject, columns in getattr(series, kind).items():
            for metric, values in columns.items():
                yield singular, subject, metric, values
    for load, columns in series.latency.items():
        for metric, values in columns.items():
            yield LATENCY, load, metric, values
    for load, tables in series.latency_counts.items():
        for metric, values in tables.items():
            yield BANDS, load, metric, values.ravel()


def series_of(bucket_s: float, some: Iterable[Row]) -> Series:
    """The series that these rows were."""
    axes: dict[str, NDArray[Any]] = {}
    found: dict[str, dict[str, dict[str, NDArray[Any]]]] = {k: {} for k in (*KINDS.values(), LATENCY, BANDS)}
    for kind, subject, metric, values in some:
        if kind == TIME:
            axes[metric] = values
        else:
            found[kind].setdefault(subject, {})[metric] = values
    plural = {kind: found[singular] for kind, singular in KINDS.items()}
    edges = axes.get("latency_edges", np.zeros(1))  # a store of an earlier version has none
    shape = len(axes["latency_t"]), len(edges) - 1  # no bands where nothing has ended
    bands = {
        load: {metric: values.reshape(shape) for metric, values in tables.items()}
        for load, tables in found[BANDS].items()
    }
    return Series(
        bucket_s=bucket_s, t=axes["t"], width=axes["width"], latency_t=axes["latency_t"], latency=found[LATENCY],
        latency_edges=edges, latency_counts=bands,
        loads=plural["loads"], services=plural["services"], calls=plural["calls"],
    )  # fmt: skip
