"""The run as a whole under a plan: load, capacity and loss, slot by slot.

Each slot is looked at in a short stretch at its beginning, as if it had been so for a while; whoever is worse off than
that shows in the plan's own stretch, which is simulated whole. Losses are told with nothing broken, and with each
failure that is planned for striking at the beginning of the slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sysim.model import OpenLoad, Scenario
from sysim.model.demand import mean_rate
from sysim.study.capacity.lab import Case, Lab
from sysim.study.capacity.situations import LEAST_SEARCH, NS, Situation
from sysim.study.capacity.sizes import Sizes

SLOTS = 96


@dataclass(frozen=True)
class Slot:
    """A slot of the run from `start` to `end` (s): the rate offered by each load, and what share of the judged loads'
    requests is lost in each situation, by its name.
    """

    start_s: float
    end_s: float
    offered: dict[str, float]
    lost: dict[str, float | None]


@dataclass(frozen=True)
class Day:
    """The slots of the run, and how much of each was simulated (s)."""

    slots: tuple[Slot, ...]
    looked_s: float


def day(lab: Lab, scenario: Scenario, sizes: Sizes, situations: Sequence[Situation], loads: Sequence[str]) -> Day:
    """Load and loss over the whole run; `situations` are those of the plan, of which what breaks is taken."""
    whole = scenario.whole
    length = whole.end - whole.start
    width = min(length, max(LEAST_SEARCH, -(-length // SLOTS)))
    looked = min(width, LEAST_SEARCH)
    starts = list(range(whole.start, whole.end - looked + 1, width))
    kinds = [situation for situation in situations if situation.own is None]
    found = [
        Situation(f"{start}: {kind.name}", start, start + looked, kind.breaks) for start in starts for kind in kinds
    ]
    inner = Lab(
        scenario, found, lab.room, lab.goals, lab.lead, [looked] * len(found), lab.simulations, lab.workers, lab.note,
        lab.memory,
    )  # fmt: skip
    inner.runs = lab.runs
    lost: dict[int, float | None] = {}
    for case, _, seen in inner.see((Case(sizes, number, whole=True), 0) for number in range(len(found))):
        offered = sum(seen.flow[load][0] for load in loads)
        good = sum(seen.flow[load][1] for load in loads)
        lost[case.situation] = 1.0 - good / offered if offered else None
    lab.runs = inner.runs
    slots = []
    for number, start in enumerate(starts):
        end = min(start + width, whole.end)
        rates = {
            name: mean_rate(load.rate, start, end) for name, load in scenario.load.items() if isinstance(load, OpenLoad)
        }
        losses = {kind.name: lost[number * len(kinds) + k] for k, kind in enumerate(kinds)}
        slots.append(Slot(start / NS, end / NS, rates, losses))
    return Day(tuple(slots), looked / NS)


__all__ = ["Day", "Slot", "day"]
