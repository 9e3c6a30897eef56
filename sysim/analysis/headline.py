"""The few numbers that say how a load fared, one value a replication, and how variants differ in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sysim.analysis.estimates import Estimate, estimate, paired
from sysim.analysis.metrics import value
from sysim.analysis.recovery import HOLD, NS

if TYPE_CHECKING:
    from sysim.model import Check
    from sysim.result.run import Run

HEADLINES = ("success", "goodput", "p99", "amplification", "recovery", "value_lost")
"""Metrics of a load in a window; `recovery` is seconds from the end of the faults until all is well."""
MOST_WINDOWS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One headline number of one variant, and how it differs from that of the baseline.

    `of` replications `own` has data in ``own.n``; it is None without any, as is `difference` where the two
    have no pair with data. A recovery has no data where the load did not recover.
    """

    metric: str
    own: Estimate | None
    difference: Estimate | None
    of: int


def numbers(runs: Sequence[Run], metric: str, load: str, window: str) -> list[float | None]:
    """A headline number in each run."""
    if metric == "recovery":
        return [run.recovery[load].recovered_after_s if load in run.recovery else None for run in runs]
    return [
        value(run.windows[window], metric, load)
        if window in run.windows and load in run.windows[window].loads else None
        for run in runs
    ]  # fmt: skip


def cell(
    runs: Sequence[Run],
    baseline: Sequence[Run] | None,
    metric: str,
    load: str,
    window: str,
    confidence: float = 0.95,
) -> Cell:
    """A number and its paired difference; runs are paired by seed and replication."""
    own = numbers(runs, metric, load, window)
    difference = None
    if baseline is not None:
        theirs = dict(
            zip(map(_key, baseline), numbers(baseline, metric, load, window), strict=True)
        )
        pairs = [(mine, theirs[key]) for run, mine in zip(runs, own, strict=True) if (key := _key(run)) in theirs]
        difference = paired([a for a, _ in pairs], [b for _, b in pairs], confidence)
    return Cell(metric, estimate(own, confidence), difference, len(runs))


@dataclass(frozen=True, slots=True)
class Ends:
    """How the runs of a load end: `times` to recover of those that did, and how many were still `down` at the
    end. A run with less than `HOLD` left after its last fault tells neither; `of` counts those that tell.
    """

    times: tuple[float, ...]
    down: int

    @property
    def of(self) -> int:
        """How many runs tell."""
        return len(self.times) + self.down


def ends(runs: Sequence[Run], load: str) -> Ends:
    """Whether a load was well again after the faults, run by run."""
    told = [run.recovery[load] for run in runs if load in run.recovery]
    times = [some.recovered_after_s for some in told if some.recovered_after_s is not None]
    down = sum(
        some.recovered_after_s is None and some.judged and some.after_s is not None
        and some.observed_s * NS >= HOLD
        for some in told
    )  # fmt: skip
    return Ends(tuple(times), down)


def _key(run: Run) -> tuple[int, int]:
    return run.seed, run.replication


def windows_asked_for(checks: Sequence[Check], known: Sequence[str]) -> tuple[str, ...]:
    """The first windows that checks look at, in the order of `known`, the whole run last; that one alone where
    they look at none.
    """
    asked = [check.window for check in checks if check.metric not in ("recovers", "metastable")]
    some = [name for name in dict.fromkeys(asked) if name in known][:MOST_WINDOWS]
    return tuple(sorted(some, key=lambda name: (name == "all", list(known).index(name)))) or ("all",)
