"""Where sizes are tried: each case on the same random numbers, in order, on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import networkx as nx

from sysim.analysis.causes import by_service, origins
from sysim.analysis.checks import Verdict, compared
from sysim.analysis.looks import looks, spent_at
from sysim.analysis.statistics import mean
from sysim.analysis.strictness import Strictness
from sysim.model import Scenario
from sysim.model.graph import service_graph
from sysim.model.scaling import scaled
from sysim.result.run import Run
from sysim.study.capacity.goals import JUDGED, Goal
from sysim.study.capacity.situations import Situation
from sysim.study.capacity.sizes import Room, Sizes
from sysim.study.capacity.stress import Stress, stresses
from sysim.study.trials import Simulation, Trials

PAIR = 2
"""Replications of a case in a search."""
FIRST, MOST = 3, 24
"""Replications of a fresh check: so many at first, and at most."""


@dataclass(frozen=True)
class Case:
    """Sizes in a situation (its number), under `factor` times the load; `whole` for all of the stretch."""

    sizes: Sizes
    situation: int
    factor: float = 1.0
    whole: bool = False


@dataclass(frozen=True)
class Seen:
    """What is kept of a run. `values` are those of the goals, `began` the share of failures by the service where they
    began, `flow` for each load offered, good, and the mean, median and 99th percentile of its latency (s).
    """

    values: tuple[float | None, ...]
    services: Mapping[str, Stress]
    began: Mapping[str, float]
    flow: Mapping[str, tuple[int, int, float | None, float | None, float | None]]
    length_s: float
    value_lost: float


Word = Literal["holds", "violated", "undecided"]


@dataclass(frozen=True)
class Judgement:
    """Whether all goals hold in all situations, or some goal is violated in some, at `confidence`; and the verdicts on
    the goals by situation, as far as these were looked at.
    """

    word: Word
    verdicts: Mapping[int, tuple[Verdict, ...]]
    confidence: float


Task = tuple[Case, int]
"""A replication of a case."""
Found = TypeVar("Found")
Judging = Generator[list[Task], None, Found]
"""A judgement under way: it asks for fresh runs of what it yields before it goes on."""


@dataclass
class Lab:
    """Runs cases and remembers what was seen of them. `fresh` cases have other random numbers than those of a search.

    `search` is how much (ns) of each situation's stretch a search looks at.
    """

    scenario: Scenario
    situations: Sequence[Situation]
    room: Room
    goals: Sequence[Goal]
    lead: int
    search: Sequence[int]
    simulations: tuple[Simulation, Simulation]
    workers: int = 1
    note: Callable[[int], None] | None = None
    runs: int = 0
    _seen: dict[tuple[bool, Case, int], Seen] = field(default_factory=dict)
    _trials: list[Trials[Case, Seen]] = field(default_factory=list)
    _below: nx.DiGraph[str] = field(default_factory=nx.DiGraph)
    _awaited: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        calls = service_graph(self.scenario)
        # Nobody waits for who receives a message, so that one cannot be what fills its senders.
        calls.remove_edges_from([(a, b) for a, b, edge in calls.edges(data=True) if edge["published"]])
        self._below = nx.transitive_closure(calls)
        self._awaited = frozenset(name for goal in self.goals for name in self._below[goal.load])
        self._trials = [Trials(self.build, simulation, self.look, self.workers) for simulation in self.simulations]

    def build(self, case: Case) -> Scenario:
        """The scenario of a case."""
        lasts = None if case.whole else self.search[case.situation]
        part = self.situations[case.situation].scenario(self.scenario, self.lead, lasts)
        return scaled(self.room.applied(part, case.sizes), case.factor)

    def look(self, run: Run) -> Seen:
        """What is kept of a run."""
        window = run.windows[JUDGED]
        loads = sorted({goal.load for goal in self.goals})
        failures = [some for load in loads for some in window.loads[load].failures]
        return Seen(
            values=tuple(goal.value(run) for goal in self.goals),
            services=stresses(run, JUDGED, self.scenario.services),
            began=by_service(origins(failures)) if failures else {},
            flow={
                name: (
                    stats.offered,
                    stats.ok + stats.degraded,
                    stats.latency.mean,
                    stats.latency.p50,
                    stats.latency.p99,
                )
                for name, stats in window.loads.items()
            },
            length_s=window.to_s - window.from_s,
            value_lost=sum(stats.value_lost or 0.0 for stats in window.loads.values()),
        )

    def see(self, tasks: Iterable[Task], fresh: bool = False) -> Iterable[tuple[Case, int, Seen]]:
        """What is seen of each (case, replication), in their order."""
        wanted = list(tasks)
        missing = [task for task in wanted if (fresh, *task) not in self._seen]
        source = iter(self._trials[fresh](missing))
        for case, k in wanted:
            key = (fresh, case, k)
            while key not in self._seen:
                (found, number), seen = next(source)
                self._seen[fresh, found, number] = seen
                self.runs += 1
                if self.note is not None:
                    self.note(self.runs)
            yield case, k, self._seen[key]

    def remembered(self, case: Case) -> list[Seen]:
        """What a fresh check has seen of a case so far."""
        found: list[Seen] = []
        while (True, case, len(found)) in self._seen:
            found.append(self._seen[True, case, len(found)])
        return found

    def holds(self, sizes: Sizes, order: Sequence[int], factor: float = 1.0) -> tuple[int | None, list[Seen]]:
        """The first situation, in `order`, in which the means of a pair of replications do not keep all goals (None:
        they do everywhere), and what was seen there last.
        """
        cases = [Case(sizes, number, factor) for number in order]
        seen: list[Seen] = []
        for case, k, one in self.see((case, k) for case in cases for k in range(PAIR)):
            seen = [one] if k == 0 else [*seen, one]
            if k == PAIR - 1 and not self.kept(seen):
                return case.situation, seen
        return None, seen

    def in_the_way(self, seen: Seen) -> list[str]:
        """The services that were full, or turned requests away, while nothing that they call was: by name. Where some
        of them are waited for by those who are promised something, only these.
        """
        full = [name for name, stress in seen.services.items() if stress.full]
        below = self._below
        full = [name for name in full if name in self._awaited] or full
        return sorted(name for name in full if not any(other in below[name] for other in full if other != name))

    def kept(self, seen: Sequence[Seen]) -> bool:
        """Whether the means over some replications keep all goals."""
        return not any(self.broken(seen))

    def broken(self, seen: Sequence[Seen]) -> list[bool]:
        """Which goals the means do not keep."""
        found = []
        for number, goal in enumerate(self.goals):
            values = [one.values[number] for one in seen]
            known = [x for x in values if x is not None]
            found.append(len(known) < len(values) or not goal.holds(mean(known)))
        return found

    def judge(self, sizes: Sizes, situations: Sequence[int], confidence: float) -> Judgement:
        """A fresh check of some sizes over whole stretches, in all situations whatever is found in one."""
        every = [self._in(Case(sizes, n, whole=True), confidence, self._share(situations)) for n in situations]
        found = dict(zip(situations, self._together(every), strict=True))
        return _judgement({number: one for number, one in found.items() if one is not None}, confidence)

    def judge_each(
        self, asked: Sequence[tuple[Sizes, Sequence[int]]], confidence: float, until: Callable[[int, Judgement], bool]
    ) -> list[Judgement | None]:
        """Fresh checks of several sizes side by side, each in its situations one after the other and only as far as it
        takes to find one that is violated. No more is looked at once `until` is true of a number and its judgement:
        the others are None then.
        """
        return self._together([self._one_by_one(*one, confidence) for one in asked], until)

    def _together(
        self, judging: Sequence[Judging[Found]], until: Callable[[int, Found], bool] = lambda number, found: False
    ) -> list[Found | None]:
        """What several judgements end with. They take turns, so that there is work for all workers."""
        found: list[Found | None] = [None] * len(judging)
        wanted: dict[int, list[Task]] = {number: [] for number in range(len(judging))}
        while wanted:
            for _ in self.see((task for tasks in wanted.values() for task in tasks), fresh=True):
                pass
            for number in list(wanted):
                try:
                    wanted[number] = next(judging[number])
                except StopIteration as end:
                    del wanted[number]
                    found[number] = end.value
                    if until(number, end.value):
                        return found
        return found

    def _one_by_one(self, sizes: Sizes, situations: Sequence[int], confidence: float) -> Judging[Judgement]:
        found: dict[int, tuple[Word, tuple[Verdict, ...]]] = {}
        for number in situations:
            found[number] = yield from self._in(Case(sizes, number, whole=True), confidence, self._share(situations))
            if found[number][0] == "violated":
                break
        return _judgement(found, confidence)

    def _share(self, situations: Sequence[int]) -> float:
        return 1.0 / max(1, len(situations) * len(self.goals))

    def _in(self, case: Case, confidence: float, share: float) -> Judging[tuple[Word, tuple[Verdict, ...]]]:
        """One situation. That all goals hold asks each of them; that some goal does not shares the error among all."""
        planned = looks(FIRST, MOST)
        held: tuple[Verdict, ...] = ()
        for number, look in enumerate(planned):
            yield [(case, k) for k in range(look)]
            seen = [self._seen[True, case, k] for k in range(look)]
            spent = Strictness(spent_at(planned, number), guarded=True)
            held = self._verdicts(seen, confidence, spent)
            if all(verdict.verdict == "pass" for verdict in held):
                return "holds", held
            failed = self._verdicts(seen, confidence, spent.of(share))
            if any(verdict.verdict == "fail" for verdict in failed):
                return "violated", failed
        return "undecided", held

    def _verdicts(self, seen: Sequence[Seen], confidence: float, strictness: Strictness) -> tuple[Verdict, ...]:
        found = []
        for number, goal in enumerate(self.goals):
            check = goal.check.model_copy(update={"confidence": confidence})
            values = [one.values[number] for one in seen]
            known = [x for x in values if x is not None]
            if len(known) < len(values):
                found.append(Verdict(goal.text, None, "fail", None, None, "no data", metric=check.metric))
            else:
                found.append(compared(check, None, known, strictness))
        return tuple(found)


def _judgement(found: Mapping[int, tuple[Word, tuple[Verdict, ...]]], confidence: float) -> Judgement:
    words = {word for word, _ in found.values()}
    word: Word = "violated" if "violated" in words else "undecided" if "undecided" in words else "holds"
    return Judgement(word, {number: verdicts for number, (_, verdicts) in found.items()}, confidence)


__all__ = ["FIRST", "MOST", "PAIR", "Case", "Judgement", "Lab", "Seen", "Word"]
