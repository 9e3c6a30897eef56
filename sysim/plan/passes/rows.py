"""Rows into arrays: the one place where a table gets its dummy row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sysim.plan.plan import Floats, Ints


def row(width: int, values: Mapping[int, int], default: int = 0) -> list[int]:
    """A row of `width` columns, `default` where `values` says nothing."""
    cells = [default] * width
    for column, value in values.items():
        cells[column] = int(value)
    return cells


def row_f(width: int, values: Mapping[int, float]) -> list[float]:
    """The same for floats, 0 where nothing is said."""
    cells = [0.0] * width
    for column, value in values.items():
        cells[column] = float(value)
    return cells


def table(rows: Sequence[Sequence[int]], width: int) -> Ints:
    """A table of ints; a row of zeros where there would be none."""
    return np.array(rows or [[0] * width], dtype=np.int64).reshape(-1, width)


def table_f(rows: Sequence[Sequence[float]], width: int) -> Floats:
    """A table of floats; a row of zeros where there would be none."""
    return np.array(rows or [[0.0] * width], dtype=np.float64).reshape(-1, width)


def line(values: Sequence[int], dummy: int = 0) -> Ints:
    """A one-dimensional array with at least one element."""
    return np.array(list(values) or [dummy], dtype=np.int64)
