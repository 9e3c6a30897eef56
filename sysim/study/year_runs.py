"""The stretches of a year, simulated: what each minute of them came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sysim.model import Scenario
from sysim.model.stretch import stretch
from sysim.plan.tables import DEGRADED, OK, TF_DEGRADED_VALUE, TF_VALUE
from sysim.record.columns import LC_OFFERED, LC_OUT, LC_SLOW
from sysim.record.histogram import BINS
from sysim.result.run import Run
from sysim.study.memory import Memory, kept
from sysim.study.trials import Progress, Simulation, Trials
from sysim.study.year_load import SLOT, YearLoad

Floats = NDArray[np.float64]
QUANTITIES = ("offered", "ok", "degraded", "failed", "slow", "worth", "lost")
"""Of each load: requests that came, ended ok, degraded, or neither; successes slower than the slo; what all of them
would have been worth, and what of that was not earned."""
OFFERED, SUCCEEDED, DEGRADED_, FAILED, SLOW, WORTH, LOST = range(len(QUANTITIES))


class Place(NamedTuple):
    """Cells from `first` to before `end`, simulated after `lead` ns."""

    first: int
    end: int
    lead: int


@dataclass(frozen=True)
class Seen:
    """One run: `loads` is slots × loads × quantities, `up` slots × services; `bins` a histogram of the latencies of the
    successes of each load.
    """

    loads: Floats
    up: Floats
    bins: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]


def part_of(scenario: Scenario, load: YearLoad, cell: int, place: Place) -> Scenario:
    """The scenario of a place: without windows and checks, in buckets of a slot."""
    start, end = (load.start + number * cell for number in (place.first, place.end))
    found = stretch(scenario, start, end, min(place.lead, start // SLOT * SLOT))
    time = found.time.model_copy(update={"bucket": SLOT})
    # Faults that come back by chance are left out: they would begin anew with every stretch.
    faults = tuple(fault for fault in found.faults if fault.every is None)
    return found.model_copy(update={"windows": {}, "checks": (), "abort_when": (), "time": time, "faults": faults})


def look(run: Run) -> Seen:
    """Reduce a run to what its window `all` came to, slot by slot."""
    plan = run.plan
    first, end = (int(ns) // SLOT for ns in plan.windows["all"])
    cells = run.load_cells[first:end]
    names = sorted(run.states)
    found = np.zeros((end - first, len(names), len(QUANTITIES)))
    owner = [label.partition(" -> ")[0] for label in plan.names.streams]
    for stream, name in enumerate(owner):
        row = cells[:, stream]
        offered, ok, degraded = (row[:, c].astype(np.float64) for c in (LC_OFFERED, LC_OUT + OK, LC_OUT + DEGRADED))
        value, less = (float(plan.streamsF[stream, c]) for c in (TF_VALUE, TF_DEGRADED_VALUE))
        failed = offered - ok - degraded
        found[:, names.index(name)] += np.stack(
            [
                offered, ok, degraded, failed, row[:, LC_SLOW].astype(np.float64),
                offered * value, failed * value + degraded * (value - less),
            ],
            axis=1,
        )  # fmt: skip
    services = [run.series.services[name]["up"][first:end] for name in sorted(run.series.services)]
    histograms = run.histograms["all"]
    return Seen(found, np.stack(services, axis=1), tuple((histograms[n].bins, histograms[n].counts) for n in names))


def simulated(
    scenario: Scenario,
    load: YearLoad,
    cell: int,
    tasks: Sequence[tuple[Place, int]],
    simulation: Simulation,
    workers: int,
    progress: Progress | None,
    memory: Memory | None = None,
) -> Iterator[tuple[tuple[Place, int], Seen]]:
    """What was seen at each (place, replication), in their order; the replication has to differ from place to place, or
    they would meet the same chance.
    """
    build: Callable[[Place], Scenario] = lambda place: part_of(scenario, load, cell, place)  # noqa: E731
    trials: Trials[Place, Seen] = Trials(build, simulation, look, workers, kept(memory, Seen, "year"))
    whole, done = sum(place.end - place.first for (place, _) in tasks), 0
    for task, seen in trials(tasks):
        done += task[0].end - task[0].first
        if progress is not None:
            progress(done / whole)
        yield task, seen


def histogram(weighted: Sequence[tuple[float, tuple[NDArray[np.int64], NDArray[np.int64]]]]) -> Floats:
    """The weighted sum of histograms."""
    found = np.zeros(BINS)
    for weight, (bins, counts) in weighted:
        found[bins] += weight * counts
    return found
