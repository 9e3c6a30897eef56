"""Where a sweep looks: the points of a grid, of a list, drawn at random, of a Latin hypercube, along one factor at a
time, or for Sobol indices.

A design is a function of its factors and a seed. All draws are `sysim.plan.identity.draws` of keys made from the seed
and the path, so that another factor changes nothing about the values of the first. Points that come out the same (whole
numbers do that) are one point, and run once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sysim.errors import SysimError
from sysim.plan.identity import draws, salt
from sysim.study.factors import Factor, listed

Kind = Literal["grid", "list", "random", "latin hypercube", "one at a time", "sobol"]
MOST_POINTS = 200_000
BITS = 30  # of a coordinate of the Sobol sequence


@dataclass(frozen=True)
class Point:
    """One place of a design: the written value at each path. A path that is left out is as in the file."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Design:
    """The points of a sweep, no two the same.

    `rows` belong to the kind ``sobol``: the number of the point in each row of the matrices A, B and then A with one
    column of B, factor by factor, all of the same length.
    """

    kind: Kind
    factors: tuple[Factor, ...]
    points: tuple[Point, ...]
    rows: tuple[int, ...] = ()

    @property
    def base(self) -> int:
        """How many rows each matrix of a ``sobol`` design has."""
        return len(self.rows) // (len(self.factors) + 2)

    def told(self, point: Point) -> str:
        """A point as one reads it."""
        shown = (f"{f.path} = {f.show(point.values[f.path])}" for f in self.factors if f.path in point.values)
        return ", ".join(shown) or "as in the file"


def label(values: Mapping[str, Any]) -> str:
    """The values of a point exactly, as they are written; points with the same are the same."""
    return ", ".join(
        f"{path}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for path, value in values.items()
    )


def grid(factors: Sequence[Factor]) -> Design:
    """Every value of every factor with every one of the others; the last factor changes fastest."""
    _some(factors)
    count = math.prod(len(factor.levels) for factor in factors)
    _not_too_many(count)
    values = product(*(factor.levels for factor in factors))
    points = [dict(zip((f.path for f in factors), some, strict=True)) for some in values]
    return _design("grid", factors, points)[0]


def points(rows: Iterable[Mapping[str, Any]]) -> Design:
    """The points of a list: written values by path."""
    given = [dict(row) for row in rows]
    if not given:
        raise SysimError("found no points, expected at least one")
    _not_too_many(len(given))
    paths = dict.fromkeys(path for row in given for path in row)
    factors = [listed(path, [row[path] for row in given if path in row]) for path in paths]
    return _design("list", factors, given)[0]


def random(factors: Sequence[Factor], count: int, seed: int) -> Design:
    """`count` points, each value drawn by itself, evenly over its range or list."""
    return _drawn("random", factors, count, [draws(_key(f, "random", seed), 0, count) for f in _some(factors)])


def latin(factors: Sequence[Factor], count: int, seed: int) -> Design:
    """A Latin hypercube of `count` points: each factor's range is cut into `count` slices, with a point in each.

    McKay, Beckman and Conover (1979): wherever one looks along a single factor, the points lie evenly.
    """
    columns = []
    for factor in _some(factors):
        order = np.argsort(draws(_key(factor, "order", seed), 0, count), kind="stable")
        columns.append((order + draws(_key(factor, "slice", seed), 0, count)) / count)
    return _drawn("latin hypercube", factors, count, columns)


def one_at_a_time(factors: Sequence[Factor]) -> Design:
    """The file as it is, and each value of each factor with all others as in the file."""
    some = [{}, *({factor.path: level} for factor in _some(factors) for level in factor.levels)]
    return _design("one at a time", factors, some)[0]


def sobol(factors: Sequence[Factor], count: int, seed: int) -> Design:
    """The ``count * (k + 2)`` points from which first-order and total indices of `k` factors are estimated.

    Saltelli's scheme (2010): A and B are the halves of a Sobol sequence in 2 k dimensions (Joe and Kuo's numbers), with
    a random digital shift. `count` has to be a power of two, for only then the sequence is balanced.
    """
    if len(_some(factors)) < 2:
        raise SysimError("found one factor, expected at least two: of one alone all depends on it")
    if count < 8 or count & (count - 1):
        nearest = 1 << max(3, count - 1).bit_length()
        raise SysimError(f"found {count} base points, expected a power of two, at least 8, such as {nearest}")
    k = len(factors)
    _not_too_many(count * (k + 2))
    unit = _sequence(2 * k, count, seed)
    a, b = unit[:, :k], unit[:, k:]
    matrices = [a, b]
    for i in range(k):
        mixed = a.copy()
        mixed[:, i] = b[:, i]
        matrices.append(mixed)
    rows = [
        {factor.path: factor.at(share) for factor, share in zip(factors, row, strict=True)}
        for row in np.concatenate(matrices).tolist()
    ]
    made, numbers = _design("sobol", factors, rows)
    return Design(made.kind, made.factors, made.points, numbers)


def _sequence(dimensions: int, count: int, seed: int) -> NDArray[np.float64]:
    """`count` rows of a Sobol sequence, its digits turned over at random, column by column."""
    from scipy.stats import qmc

    plain = qmc.Sobol(dimensions, scramble=False, bits=BITS).random_base2(count.bit_length() - 1)
    shift = (draws(salt("sweep", "shift", str(seed)), 0, dimensions) * 2**BITS).astype(np.int64)
    whole = np.round(plain * 2**BITS).astype(np.int64) ^ shift
    return np.asarray((whole + 0.5) / 2**BITS, dtype=np.float64)


def _drawn(kind: Kind, factors: Sequence[Factor], count: int, columns: Sequence[NDArray[np.float64]]) -> Design:
    if count < 1:
        raise SysimError(f"found {count} points, expected at least 1")
    _not_too_many(count)
    rows = [
        {factor.path: factor.at(share) for factor, share in zip(factors, row, strict=True)}
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return _design(kind, factors, rows)[0]


def _key(factor: Factor, what: str, seed: int) -> int:
    return salt("sweep", what, factor.path, str(seed))


def _some(factors: Sequence[Factor]) -> Sequence[Factor]:
    if not factors:
        raise SysimError("found nothing to vary, expected a path and its values, as services.web.replicas=2..8")
    return factors


def _not_too_many(count: int) -> None:
    if count > MOST_POINTS:
        raise SysimError(f"found {count:,} points, expected at most {MOST_POINTS:,}")


def _design(
    kind: Kind, factors: Sequence[Factor], rows: Sequence[Mapping[str, Any]]
) -> tuple[Design, tuple[int, ...]]:
    """The design, and for each row the number of its point."""
    known: dict[str, int] = {}
    made: list[Point] = []
    numbers = []
    for values in rows:
        key = label(values)
        if key not in known:
            known[key] = len(made)
            made.append(Point(len(made), values))
        numbers.append(known[key])
    return Design(kind, tuple(factors), tuple(made)), tuple(numbers)
