"""A layered drawing of a directed graph, in plain Python: columns by distance from the loads, few crossings.

Sugiyama's method: a column a layer, long edges pass every column between as a waypoint, the order within a
column comes from the mean position of its neighbours, swept back and forth; then places are made even.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12

Point = tuple[float, float]
Edge = tuple[str, str]


@dataclass(frozen=True)
class Layout:
    """Where nodes are (x: column, y: down from 0), and the points through which each edge runs, ends
    included.
    """

    nodes: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    columns: int
    rows: float


def layered(nodes: Sequence[str], edges: Sequence[Edge], depth: Mapping[str, int]) -> Layout:
    """Places for nodes whose `depth` grows along every edge (edges against it are drawn straight)."""
    columns: dict[int, list[str]] = {}
    for name in nodes:
        columns.setdefault(depth[name], []).append(name)
    chains: dict[Edge, list[str]] = {}
    links: list[Edge] = []
    for a, b in edges:
        chain = [a]
        for level in range(depth[a] + 1, depth[b]):
            waypoint = f"\0{a}\0{b}\0{level}"
            columns.setdefault(level, []).append(waypoint)
            chain.append(waypoint)
        chain.append(b)
        chains[(a, b)] = chain
        links += list(pairwise(chain))
    order = _ordered(columns, links)
    tallest = max((len(column) for column in order.values()), default=1)
    place = _spread(order, links, tallest)
    where = {name: (float(level), place[name]) for level, column in order.items() for name in column}
    return Layout(
        nodes={name: where[name] for name in nodes},
        routes={edge: tuple(where[name] for name in chain) for edge, chain in chains.items()},
        columns=max(order, default=0) + 1,
        rows=max(place.values(), default=0.0) + 1.0,
    )


def _ordered(columns: Mapping[int, list[str]], links: Sequence[Edge]) -> dict[int, list[str]]:
    order = {level: list(columns[level]) for level in sorted(columns)}
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for a, b in links:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    best, fewest = {level: list(column) for level, column in order.items()}, _crossings(order, links)
    for sweep in range(SWEEPS):
        levels = list(order) if sweep % 2 == 0 else list(order)[::-1]
        neighbours = before if sweep % 2 == 0 else after
        for level in levels:
            at = {
                name: i / max(1, len(column) - 1)
                for column in order.values()
                for i, name in enumerate(column)
            }
            own = {name: i for i, name in enumerate(order[level])}

            def wanted(
                name: str,
                at: Mapping[str, float] = at,
                own: Mapping[str, int] = own,
                around: Mapping[str, list[str]] = neighbours,
            ) -> tuple[float, int]:
                some = around.get(name)
                return (sum(at[other] for other in some) / len(some) if some else at[name], own[name])

            order[level].sort(key=wanted)
        crossings = _crossings(order, links)
        if crossings < fewest:
            best, fewest = {level: list(column) for level, column in order.items()}, crossings
    return best


def _crossings(order: Mapping[int, list[str]], links: Sequence[Edge]) -> int:
    at = {name: i for column in order.values() for i, name in enumerate(column)}
    level = {name: number for number, column in order.items() for name in column}
    by_level: dict[int, list[tuple[int, int]]] = {}
    for a, b in links:
        by_level.setdefault(level[a], []).append((at[a], at[b]))
    return sum(
        (a1 - a2) * (b1 - b2) < 0
        for pairs in by_level.values()
        for i, (a1, b1) in enumerate(pairs)
        for a2, b2 in pairs[i + 1 :]
    )


def _spread(order: Mapping[int, list[str]], links: Sequence[Edge], tallest: int) -> dict[str, float]:
    """Heights: close to the neighbours' mean, at least one apart (waypoints less), in the given order."""
    around: dict[str, list[str]] = {}
    for a, b in links:
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)
    place: dict[str, float] = {}
    for column in order.values():
        offset = (tallest - len(column)) / 2
        place.update({name: offset + i for i, name in enumerate(column)})
    for _ in range(24):
        for column in order.values():
            wanted = [
                sum(place[other] for other in around[name]) / len(around[name])
                if around.get(name)
                else place[name]
                for name in column
            ]
            for name, y in zip(
                column,
                _apart(wanted, [_gap(a, b) for a, b in pairwise(column)]),
                strict=True,
            ):
                place[name] = y
    lowest = min(place.values(), default=0.0)
    return {name: y - lowest for name, y in place.items()}


def _gap(a: str, b: str) -> float:
    waypoints = a.startswith("\0") + b.startswith("\0")
    return (1.0, 0.75, 0.45)[waypoints]


def _apart(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep the order and the gaps: pool adjacent
    violators.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []
    for y, offset in zip(wanted, offsets, strict=True):
        mean, size = y - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean = (mean * size + other * n) / (size + n)
            size += n
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    return [y + offset for y, offset in zip(flat, offsets, strict=True)]
