"""The time series of a run as rows (kind, subject, metric, array), and back.

Rows of the kind ``time`` hold the axes: `t` and `width` of the buckets, `latency_t` of the coarser columns of the
kind ``latency``. A run whose series were not kept has its axes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray

from sysim.result.series import Series
from sysim.store.scalars import KINDS

Row = tuple[str, str, str, NDArray[Any]]
AXES = ("t", "width", "latency_t")
TIME, LATENCY = "time", "latency"


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


def series_of(bucket_s: float, some: Iterable[Row]) -> Series:
    """The series that these rows were."""
    axes: dict[str, NDArray[Any]] = {}
    found: dict[str, dict[str, dict[str, NDArray[Any]]]] = {k: {} for k in (*KINDS.values(), LATENCY)}
    for kind, subject, metric, values in some:
        if kind == TIME:
            axes[metric] = values
        else:
            found[kind].setdefault(subject, {})[metric] = values
    plural = {kind: found[singular] for kind, singular in KINDS.items()}
    return Series(
        bucket_s=bucket_s, t=axes["t"], width=axes["width"], latency_t=axes["latency_t"], latency=found[LATENCY],
        loads=plural["loads"], services=plural["services"], calls=plural["calls"],
    )  # fmt: skip
