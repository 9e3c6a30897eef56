"""Which hours of a year are simulated: those that matter, some of the others, and some to hold the answer against.

A year is cut into cells. Cells near saturation, with a scheduled fault, or in which the fluid model has something
waiting matter; they are taken whole, in contiguous stretches that end when it has drained. The others are put into
strata by their load, and of each stratum some are drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.stratified import power_allocation
from sysim.plan.identity import draws, salt
from sysim.study.year_load import NS, SLOT, YearLoad

Ints = NDArray[np.int64]
STRATA = 12
FEWEST = 8  # cells a stratum
BUSIEST = 0.0002  # of all cells: they are looked at, however little they are
FEW = 4  # stretches of a kind that are all simulated
ALIKE = 1.6  # stretches are of a kind when their sizes are within this factor
REPLICATIONS = 2  # of a stretch that matters: one tells nothing of chance
LEAST_SAMPLE = 3  # cells of a stratum


@dataclass(frozen=True, slots=True)
class Span:
    """Cells from `first` to before `end`; how often to simulate them, why they matter, and of which kind they are (-1:
    of their own).
    """

    first: int
    end: int
    replications: int = 1
    why: str = ""
    kind: int = -1

    @property
    def cells(self) -> int:
        """How many cells."""
        return self.end - self.first


@dataclass(frozen=True)
class Rest:
    """What is not simulated whole: `stratum` has the number of each cell's stratum, -1 for cells simulated whole;
    `samples` the cells drawn of each stratum, `checks` the stretches drawn to hold the answer against.
    """

    stratum: Ints
    samples: tuple[tuple[int, ...], ...]
    checks: tuple[Span, ...]


@dataclass(frozen=True)
class Stretches:
    """What matters: `whole` is simulated; `others` are, by the number of their kind, those that are not because some of
    their kind are; for those `left` there is no time at all.
    """

    whole: tuple[Span, ...]
    others: tuple[tuple[Span, ...], ...]
    left: tuple[Span, ...]


def by_cell(values: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """Slots × … as cells × slots of the cell × …."""
    slots = len(values) // cells
    return values[: cells * slots].reshape(cells, slots, *values.shape[1:])


def matters(load: YearLoad, cells: int, near: float) -> NDArray[np.bool_]:
    """The cells in which a service is as busy as `near` or something waits, and the very busiest ones anyway."""
    pressure = by_cell(load.pressure, cells).max(axis=1)
    highest = float(np.quantile(pressure, 1.0 - BUSIEST))
    waiting = by_cell(load.waiting, cells).max(axis=1) > 0.0
    disturbed = by_cell(load.disturbed.astype(np.float64), cells).max(axis=1) > 0.0
    return np.asarray((pressure >= min(near, highest)) | waiting | disturbed)


def stretches(load: YearLoad, chosen: NDArray[np.bool_], room: int, near: float, seed: int) -> Stretches:
    """The stretches that matter, of which about `room` cells may be simulated: all of them twice where that is enough,
    otherwise those without their like twice and some of each kind once.

    Each has a cell before it, to be full when it begins, and one after it.
    """
    cells = len(chosen)
    pressure = by_cell(load.pressure, cells)
    waiting = by_cell(load.waiting, cells)
    disturbed = by_cell(load.disturbed.astype(np.float64), cells)
    found: list[Span] = []
    sizes: list[float] = []
    for first, end in _runs(chosen):
        why = "near saturation" if pressure[first:end].max() >= near else "busiest"
        why = "overload" if waiting[first:end].max() > 0 else why
        why = "fault" if disturbed[first:end].max() > 0 else why
        found.append(Span(first, end, REPLICATIONS, why))
        # What piles up, and how far it is from doing so: stretches of about the same are of one kind.
        sizes.append(float(waiting[first:end].sum() + SLOT / NS * pressure[first:end].sum()))
    if sum(span.cells for span in found) * REPLICATIONS <= room:
        return Stretches(tuple(found), (), ())
    chances = draws(salt("year", "stretch", str(seed)), 0, len(found))
    whole: list[Span] = []
    others: list[tuple[Span, ...]] = []
    left: list[Span] = []
    for kind in _kinds(found, sizes):
        members = [found[k] for k in sorted(kind, key=lambda k: float(chances[k]))]
        taken, again = _taken(members, room)
        if not taken:
            left += members
            continue
        room -= sum(span.cells for span in taken) * again
        if again > 1:
            whole += taken
            continue
        whole += [replace(span, replications=1, kind=len(others)) for span in taken]
        others.append(tuple(sorted(members[len(taken) :], key=_first)))
    return Stretches(tuple(sorted(whole, key=_first)), tuple(others), tuple(sorted(left, key=_first)))


def _taken(members: Sequence[Span], room: int) -> tuple[Sequence[Span], int]:
    """Which of a kind (in the order in which chance has put them) are simulated, and how often; none without room."""
    if len(members) <= FEW and sum(span.cells for span in members) * REPLICATIONS <= room:
        return members, REPLICATIONS
    for number in range(min(max(FEW, len(members) // 8), len(members)), 1, -1):
        # Half of the room stays for smaller kinds, unless it takes more to see three, or two.
        if sum(span.cells for span in members[:number]) <= (room if number <= 3 else room / 2):
            return members[:number], 1
    return (), 0


def _kinds(found: Sequence[Span], sizes: Sequence[float]) -> Iterator[list[int]]:
    """Stretches that matter for the same reason and whose sizes are within a factor, the largest first."""
    order = sorted(range(len(found)), key=lambda k: (-sizes[k], k))
    for why in dict.fromkeys(found[k].why for k in order):
        kind: list[int] = []
        for k in (k for k in order if found[k].why == why):
            if kind and sizes[k] * ALIKE < sizes[kind[0]]:
                yield kind
                kind = []
            kind.append(k)
        yield kind


def rest(
    load: YearLoad, chosen: NDArray[np.bool_], whole: Sequence[Span], room: int, checks: int, length: int, seed: int
) -> Rest:
    """Strata of the other cells, samples of `room` cells in all (a few of each at least), and `checks` of `length`."""
    cells = len(chosen)
    stratum = np.zeros(cells, dtype=np.int64)
    for span in whole:
        stratum[span.first : span.end] = -1
    names = np.flatnonzero(stratum >= 0)
    stratum[names] = _strata(by_cell(load.pressure, cells).max(axis=1)[names])
    return Rest(stratum, _drawn(load, stratum, room, seed), _checks(chosen, checks, length, seed))


def _first(span: Span) -> int:
    return span.first


def _runs(chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The runs of chosen cells, each with one cell before it, to be full when it begins, and one after it."""
    wide = chosen.copy()
    wide[:-1] |= chosen[1:]
    wide[1:] |= chosen[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wide.astype(np.int64), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _strata(pressure: NDArray[np.float64]) -> Ints:
    """Strata of equal steps of the load from the lowest to the highest; narrow ones join those below."""
    if not len(pressure):
        return np.zeros(0, dtype=np.int64)
    low, high = float(pressure.min()), float(pressure.max())
    step = (high - low) / STRATA
    raw = np.minimum((pressure - low) // step, STRATA - 1).astype(np.int64) if step > 0 else np.zeros(len(pressure))
    counts = np.bincount(raw.astype(np.int64), minlength=STRATA)
    number, held, of = 0, 0, np.zeros(STRATA, dtype=np.int64)
    for k in reversed(range(STRATA)):  # the few at the top are those that one wants to know of
        of[k] = number
        held += int(counts[k])
        if held >= FEWEST:
            number, held = number + 1, 0
    if held and number:
        of[of == number] = number - 1
    names = of.max() - of
    return np.asarray(names[raw.astype(np.int64)])


def _drawn(load: YearLoad, stratum: Ints, room: int, seed: int) -> tuple[tuple[int, ...], ...]:
    if not (stratum >= 0).any():
        return ()
    groups = [np.flatnonzero(stratum == k) for k in range(int(stratum.max()) + 1)]
    arrivals = by_cell(load.expected.sum(axis=1), len(stratum)).sum(axis=1)
    sizes = np.array([arrivals[group].sum() for group in groups])
    taken = power_allocation(sizes, np.array([len(group) for group in groups]), room, LEAST_SAMPLE)
    order = draws(salt("year", "sample", str(seed)), 0, len(stratum))
    return tuple(
        tuple(sorted(group[np.argsort(order[group], kind="stable")][:n].tolist()))
        for group, n in zip(groups, taken.tolist(), strict=True)
    )


def _checks(chosen: NDArray[np.bool_], number: int, length: int, seed: int) -> tuple[Span, ...]:
    """Stretches that begin where nothing special is, one of each part of the year, so that they do not overlap."""
    cells = len(chosen)
    length = min(length, cells)
    calm = np.flatnonzero(~chosen[: cells - length + 1])
    if not number or not len(calm):
        return ()
    parts = [part for part in np.array_split(calm, number) if len(part)]
    chances = draws(salt("year", "check", str(seed)), 0, len(parts))
    firsts = [int(part[int(chance * len(part))]) for part, chance in zip(parts, chances.tolist(), strict=True)]
    kept = [first for first, after in pairwise([*firsts, cells + length]) if after >= first + length]
    return tuple(Span(first, first + length) for first in kept)
