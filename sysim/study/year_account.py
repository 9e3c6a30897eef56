"""The account of a year: what was simulated as it was, the rest as a model says, put right by what was sampled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.response import Curve, monotone
from sysim.analysis.stratified import Interval, Part, differences, gamma_interval, interval, repeated
from sysim.study.year_cells import Rest, Span, by_cell
from sysim.study.year_load import YearLoad
from sysim.study.year_runs import DEGRADED_, FAILED, LOST, OFFERED, QUANTITIES, SLOW, SUCCEEDED, WORTH, Seen

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
FOLDS = 5
BAD = (DEGRADED_, FAILED, SLOW)


@dataclass(frozen=True)
class Model:
    """The quasi-stationary model: in every minute, each load's shares are those of that utilisation.

    `curves` are the shares that are degraded, failed, slow and lost (money, of one request), over the utilisation of
    the busiest service; `ratio` requests for each arrival expected, `worth` of one request, `up` replicas of each
    service.
    """

    ratio: tuple[float, ...]
    worth: tuple[float, ...]
    curves: tuple[Mapping[int, Curve], ...]
    up: tuple[Curve, ...]

    def cells(self, load: YearLoad, cells: int) -> Floats:
        """cells × loads × quantities."""
        found = np.zeros((cells, len(self.ratio), len(QUANTITIES)))
        for n, curves in enumerate(self.curves):
            offered = load.expected[:, n] * self.ratio[n]
            slots = np.zeros((len(offered), len(QUANTITIES)))
            slots[:, OFFERED], slots[:, WORTH] = offered, offered * self.worth[n]
            for quantity, curve in curves.items():
                slots[:, quantity] = offered * curve(load.pressure)
            slots[:, SUCCEEDED] = offered - slots[:, FAILED] - slots[:, DEGRADED_]
            found[:, n] = by_cell(slots, cells).sum(axis=1)
        return found


def fit(load: YearLoad, seen: Sequence[tuple[int, Seen]]) -> Model:
    """The model of what was seen from each first slot on."""
    slots = np.concatenate([np.arange(first, first + len(some.loads)) for first, some in seen])
    measured = np.concatenate([some.loads for _, some in seen])
    up = np.concatenate([some.up for _, some in seen])
    pressure = load.pressure[slots]
    ratio, worth, curves = [], [], []
    for n in range(measured.shape[1]):
        offered = measured[:, n, OFFERED]
        whole = float(offered.sum())
        ratio.append(1.0 if load.exact[n] else whole / max(float(load.expected[slots, n].sum()), 1e-300))
        worth.append(float(measured[:, n, WORTH].sum()) / whole if whole else 0.0)
        curves.append({q: monotone(pressure, measured[:, n, q], offered) for q in (*BAD, LOST)})
    ones = np.ones(len(slots))
    return Model(
        tuple(ratio), tuple(worth), tuple(curves),
        tuple(monotone(pressure, up[:, s], ones) for s in range(up.shape[1])),
    )  # fmt: skip


def corrected(predicted: Floats, off: Floats) -> Floats:
    """`predicted` of some cells (cells × …), of which all together are `off`: where the model sees more, it errs more.

    Where it sees nothing, the difference lies evenly. What is less than nothing in all is nothing.
    """
    whole = predicted.sum(axis=0)
    share = np.divide(predicted, whole, out=np.full_like(predicted, 1.0 / len(predicted)), where=whole > 0.0)
    return np.asarray(predicted + share * np.maximum(off, -whole))


@dataclass(frozen=True)
class Account:
    """`whole` has for each stretch simulated whole what its replications saw, `others` by kind the stretches that were
    not because some of their kind were, `sampled` the cells that were sampled.
    """

    load: YearLoad
    cells: int
    rest: Rest
    whole: Sequence[tuple[Span, Sequence[Seen]]]
    others: Sequence[Sequence[Span]]
    sampled: Mapping[int, Seen]
    confidence: float

    @property
    def slots(self) -> int:
        """Slots of a cell."""
        return self.load.slots // self.cells

    @cached_property
    def model(self) -> Model:
        """The model that has seen all samples."""
        return self._fitted(lambda fold: True)

    @cached_property
    def _folds(self) -> Mapping[int, int]:
        return {cell: k % FOLDS for cells in self.rest.samples for k, cell in enumerate(cells)}

    def _fitted(self, wanted: object) -> Model:
        assert callable(wanted)
        chosen = [(cell * self.slots, seen) for cell, seen in self.sampled.items() if wanted(self._folds[cell])]
        if not chosen:
            chosen = [(span.first * self.slots, seen[0]) for span, seen in self.whole]
        return fit(self.load, chosen)

    @cached_property
    def _predicted(self) -> tuple[Floats, Mapping[int, Floats]]:
        """The mean of what the models of all folds predict for each cell, and of sampled cells what they differ from
        the prediction of the model that has not seen them.
        """
        total = np.zeros((self.cells, len(self.load.loads), len(QUANTITIES)))
        off: dict[int, Floats] = {}
        folds = sorted(set(self._folds.values()))
        for fold in folds:
            model = self._fitted(lambda other, fold=fold: other != fold or len(folds) == 1)
            found = model.cells(self.load, self.cells)
            total += found / len(folds)
            for cell, number in self._folds.items():
                if number == fold:
                    off[cell] = self.sampled[cell].loads.sum(axis=0) - found[cell]
        return total, off

    @cached_property
    def residuals(self) -> tuple[Floats, ...]:
        """What the samples of each stratum differ from their prediction: cells × loads × quantities."""
        return tuple(np.stack([self._predicted[1][cell] for cell in cells]) for cells in self.rest.samples)

    @cached_property
    def kinds(self) -> tuple[Floats, ...]:
        """What the simulated stretches of each kind differ from their prediction: stretches × loads × quantities."""
        return tuple(
            np.stack([
                seen[0].loads.sum(axis=0) - self._predicted[0][span.first : span.end].sum(axis=0)
                for span, seen in self.whole if span.kind == kind
            ])
            for kind in range(len(self.others))
        )  # fmt: skip

    @cached_property
    def estimate(self) -> Floats:
        """cells × loads × quantities: of each cell what is known best; only sums over many mean something."""
        found = self._predicted[0].copy()
        for stratum, off in enumerate(self.residuals):
            mine = self.rest.stratum == stratum
            found[mine] = corrected(found[mine], off.mean(axis=0) * int(mine.sum()))
        for spans, off in zip(self.others, self.kinds, strict=True):
            for span in spans:
                found[span.first : span.end] = corrected(found[span.first : span.end], off.mean(axis=0))
        # What comes is known beforehand, but for the requests of an arrival.
        for quantity in (OFFERED, WORTH):
            found[:, :, quantity] = self._known[:, :, quantity]
        for span, runs in self.whole:
            mean = np.mean([by_cell(seen.loads, span.cells).sum(axis=1) for seen in runs], axis=0)
            found[span.first : span.end] = mean
            for quantity in (OFFERED, WORTH):
                found[span.first : span.end, :, quantity] = self._known[span.first : span.end, :, quantity]
        found[:, :, SUCCEEDED] = found[:, :, OFFERED] - found[:, :, FAILED] - found[:, :, DEGRADED_]
        return found

    @cached_property
    def _known(self) -> Floats:
        return self.model.cells(self.load, self.cells)

    def up(self) -> Floats:
        """Replicas of each service, slots × services in order of their names: as simulated, or as the model says."""
        found = np.stack([curve(self.load.pressure) for curve in self.model.up], axis=1)
        for span, runs in self.whole:
            found[span.first * self.slots : span.end * self.slots] = np.mean([seen.up for seen in runs], axis=0)
        return found

    def total(self, load: int, quantity: int, where: Mask | None = None) -> Interval:
        """What a quantity of a load comes to over the cells `where` (all), with its interval."""
        inside = np.ones(self.cells, dtype=bool) if where is None else where
        value = float(self.estimate[inside, load, quantity].sum())
        if quantity in (OFFERED, WORTH):
            return Interval(value, value, value)
        parts: list[Part] = []
        again: list[tuple[float, float, int]] = []
        for stratum, off in enumerate(self.residuals):
            size = int(((self.rest.stratum == stratum) & inside).sum())
            parts.append(differences(size, off[:, load, quantity])[1])
        for kind, off in enumerate(self.kinds):
            parts.append(differences(self._members(kind, inside), off[:, load, quantity])[1])
        for span, runs in self.whole:
            if span.kind >= 0:
                continue
            mask = np.repeat(inside[span.first : span.end], self.slots)
            values = np.array([seen.loads[mask, load, quantity].sum() for seen in runs])
            if len(values) > 1:
                spread = float(values.var(ddof=1)) / len(values)
                again.append((spread, float(values.mean()) / len(values), len(values) - 1))
        if again:
            parts.append(repeated(again))
        found = interval(value, parts, self.confidence)
        low, high = self._rarely(load, quantity, inside)
        value = max(0.0, value)
        return Interval(value, min(value, max(0.0, min(found.low, low))), max(value, found.high, high))

    def _members(self, kind: int, inside: Mask) -> int:
        """How many stretches of a kind begin inside, simulated or not."""
        mine = [span for span, _ in self.whole if span.kind == kind] + list(self.others[kind])
        return sum(bool(inside[span.first]) for span in mine)

    def _weight(self, kind: int) -> float:
        return 1.0 + len(self.others[kind]) / len(self.kinds[kind])

    def _rarely(self, load: int, quantity: int, inside: Mask) -> tuple[float, float]:
        """The interval from counts alone; of money by what one request is worth."""
        counted = FAILED if quantity == LOST else quantity
        worth = self.model.worth[load] if quantity == LOST else 1.0
        weights, counts = [], []
        offered = self._known[:, load, OFFERED]
        for stratum, cells in enumerate(self.rest.samples):
            mine = offered[(self.rest.stratum == stratum) & inside].sum()
            weights.append(mine / max(offered[list(cells)].sum(), 1e-300))
            counts.append(sum(self.sampled[cell].loads[:, load, counted].sum() for cell in cells))
        for span, runs in self.whole:
            mask = np.repeat(inside[span.first : span.end], self.slots)
            if mask.any():
                weights.append(1.0 / len(runs) if span.kind < 0 else self._weight(span.kind))
                counts.append(sum(seen.loads[mask, load, counted].sum() for seen in runs))
        low, high = gamma_interval(np.array(weights), np.array(counts), self.confidence)
        # Of money, counts say only how much there may be: a failure may have cost nothing.
        return (math.inf if quantity == LOST else low), high * worth
