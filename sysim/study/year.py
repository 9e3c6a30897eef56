"""A calendar year without simulating it: the hours that matter whole, samples of the others, a model, and a check.

1. The fluid model says where something piles up (`year_load`). These stretches, and the busiest of all, are simulated
   whole, twice; one that has not recovered at its end is prolonged.
2. The other cells lie in strata of load. Of each some are drawn and simulated.
3. A quasi-stationary model is fitted to them, and corrected by what it errs (`year_account`).
4. Stretches drawn at random, which nothing of this has seen, are simulated and compared with the account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sysim.errors import SysimError
from sysim.model import Scenario
from sysim.model.calendar import DAY, HOUR, MINUTE
from sysim.model.stretch import with_noise_of
from sysim.plan.noise import run_key
from sysim.study.memory import Memory
from sysim.study.trials import Progress, Simulation
from sysim.study.year_account import Account
from sysim.study.year_cells import Span, matters, rest, stretches
from sysim.study.year_days import Days, first_midnight
from sysim.study.year_load import SLOT, YearLoad, year_load
from sysim.study.year_result import Year
from sysim.study.year_runs import FAILED, OFFERED, Place, Seen, simulated
from sysim.study.year_summary import Checked, summary

WHOLE_SHARE = 0.5
"""Of what may be simulated, for the stretches that matter."""
WARMUP = 2 * MINUTE
UNWELL = 0.01
"""A stretch whose last cell fails so much more (of all requests) than its first one has not recovered."""
PROLONGED = 3


@dataclass(frozen=True)
class Terms:
    """What to look at (ns): `start` None is the first midnight; `budget` how much may be simulated; `near` from which
    utilisation on a cell matters; `checks` stretches of `check_for` to hold the answer against.
    """

    start: int | None = None
    days: int = 365
    cell: int = 15 * MINUTE
    budget: int = 2 * DAY
    near: float = 0.9
    checks: int = 6
    check_for: int = HOUR
    warmup: int | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.days < 1:
            raise ValueError(f"found {self.days} days, expected at least 1")
        if self.cell <= 0 or self.cell % SLOT or DAY % self.cell:
            raise ValueError("expected a cell of whole minutes that divides a day, such as 15m or 1h")
        if self.checks < 0 or self.check_for < self.cell:
            raise ValueError("expected stretches to compare that are at least as long as a cell")
        if self.near <= 0:
            raise ValueError(f"found a utilisation of {self.near:g}, expected more than 0")


def plan_year(
    scenario: Scenario,
    simulation: Simulation,
    terms: Terms,
    *,
    seed: int,
    confidence: float = 0.95,
    workers: int = 1,
    progress: Progress | None = None,
    memory: Memory | None = None,
) -> Year:
    """The account of the year that begins at `terms.start`; see the module."""
    # One noisy year, that of a whole run with this seed: noise drawn anew for each stretch would be another for each.
    scenario = with_noise_of(scenario, run_key(seed, 0))
    start = first_midnight(scenario) if terms.start is None else terms.start
    when = Days(scenario.time, start, terms.days, terms.cell)
    cells = when.cells
    load = year_load(scenario, start, cells * (terms.cell // SLOT))
    if not float(load.expected.sum()):
        raise SysimError("found no load in these days, so there is nothing to account for")
    work = _Work(scenario, load, terms, simulation, workers, progress, cells, memory)
    chosen = matters(load, cells, terms.near)
    room = terms.budget // terms.cell
    found = stretches(load, chosen, int(WHOLE_SHARE * room), terms.near, seed)
    runs = work.whole(found.whole)
    length = terms.check_for // terms.cell
    spent = sum(span.cells * span.replications for span, _, _ in runs) + terms.checks * length
    taken = [span for span, _, _ in runs] + [span for kind in found.others for span in kind]
    others = rest(load, chosen, taken, max(0, room - spent), terms.checks, length, seed)
    places = [Place(cell, cell + 1, work.lead) for cells_ in others.samples for cell in cells_]
    sampled = {place.first: seen for place, seen in work.once(places, 2)}
    account = Account(load, cells, others, [(span, seen) for span, seen, _ in runs], found.others, sampled, confidence)
    # A longer way to the beginning, to see whether the warm-up of the samples was long enough.
    spans = [Place(span.first, span.end, max(work.lead, terms.cell)) for span in others.checks]
    checked = [Checked(place.first, place.end, seen) for place, seen in work.once(spans, 3)]
    return summary(
        scenario, account, checked, found.left, [span for span, _, well in runs if not well],
        seed=seed, when=when, runs=work.runs, simulated_s=work.simulated / 1e9,
    )  # fmt: skip


class _Work:
    """Simulates places, each with a chance of its own, and tells how far it is."""

    def __init__(
        self, scenario: Scenario, load: YearLoad, terms: Terms, simulation: Simulation, workers: int,
        progress: Progress | None, cells: int, memory: Memory | None,
    ) -> None:  # fmt: skip
        self.scenario, self.load, self.terms, self.simulation = scenario, load, terms, simulation
        self.workers, self.progress, self.cells, self.memory = workers, progress, cells, memory
        warm = terms.warmup if terms.warmup is not None else max(scenario.time.warmup, WARMUP)
        self.lead = -(-warm // SLOT) * SLOT
        self.runs = 0
        self.simulated = 0

    def whole(self, spans: Sequence[Span]) -> list[tuple[Span, list[Seen], bool]]:
        """Each stretch, simulated as often as it says and prolonged until it is well; whether it is."""
        found: list[tuple[Span, list[Seen], bool]] = []
        waiting = list(spans)
        for left in reversed(range(PROLONGED + 1)):
            if not waiting:
                break
            tasks = [(span, k) for span in waiting for k in range(span.replications)]
            places = [(Place(span.first, span.end, self.lead), 8 * span.first + k) for span, k in tasks]
            seen: dict[Span, list[Seen]] = {span: [] for span in waiting}
            for (span, _), some in zip(tasks, self._run(places), strict=True):
                seen[span].append(some)
            ill = {span for span in waiting if not all(self._well(some) for some in seen[span])}
            found += [(span, seen[span], span not in ill) for span in waiting]
            longer = [self._longer(span, spans) for span in waiting if span in ill and left]
            ends = {span.first: span.end for span in ill}
            waiting = [span for span in longer if span.end > ends[span.first]]
            again = {span.first for span in waiting}
            found = [one for one in found if one[0].first not in again]
        return sorted(found, key=lambda one: one[0].first)

    def _longer(self, span: Span, spans: Sequence[Span]) -> Span:
        """Twice as long, up to the next stretch."""
        limit = min((other.first for other in spans if other.first > span.first), default=self.cells)
        return replace(span, end=min(span.end + span.cells, limit))

    def _well(self, seen: Seen) -> bool:
        slots = self.terms.cell // SLOT
        first, last = (some.sum(axis=0) for some in (seen.loads[:slots], seen.loads[-slots:]))
        share = first[:, FAILED] / np.maximum(first[:, OFFERED], 1.0)
        usual = last[:, OFFERED] * (2.0 * share + UNWELL)
        return bool((last[:, FAILED] <= usual + 3.0 * np.sqrt(usual + 1.0)).all())

    def once(self, places: Sequence[Place], stream: int) -> list[tuple[Place, Seen]]:
        """Each place once; `stream` keeps their chance apart from that of others of the same place."""
        return list(zip(places, self._run([(p, 8 * p.first + stream) for p in places]), strict=True))

    def _run(self, tasks: Sequence[tuple[Place, int]]) -> list[Seen]:
        note: Callable[[float], None] | None = None
        budget = max(self.terms.budget, 1)
        before = self.simulated
        size = sum(place.end - place.first for place, _ in tasks) * self.terms.cell
        if self.progress is not None:
            told = self.progress

            def note(share: float) -> None:
                told(min(0.999, (before + share * size) / budget))

        found = [
            seen
            for _, seen in simulated(
                self.scenario, self.load, self.terms.cell, tasks, self.simulation, self.workers, note,
                self.memory,
            )
        ]
        self.runs += len(tasks)
        self.simulated += size
        return found
