"""A capacity plan: the least replicas that keep what is promised, what breaks first beyond that, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sysim.analysis.statistics import mean
from sysim.errors import SysimError
from sysim.model import ClosedLoad, Planning, Scenario
from sysim.study.capacity.curve import Curve, Saturation, curve, saturation
from sysim.study.capacity.day import Day, day
from sysim.study.capacity.goals import Goal, goals
from sysim.study.capacity.lab import Case, Lab
from sysim.study.capacity.search import Certificate, NoPlan, Search, certified
from sysim.study.capacity.situations import Situation, enough, lead_of, situations
from sysim.study.capacity.sizes import Room, Sizes, room, start
from sysim.study.capacity.supply import Supplies, supplies
from sysim.study.memory import Memory
from sysim.study.trials import Progress, Simulation

HOURS_A_MONTH = 730.0
"""8 760 hours of a year over twelve, as the price lists of hosting providers count."""
USUAL_RUNS = 400
OTHER_SEED = 0x9E3779B97F4A7C15
WORD = 2**64 - 1


@dataclass(frozen=True)
class CapacityPlan:
    """The result. `written` are the replicas of the file, `sizes` those of the plan; None where there is none, and
    `problem` says why.

    `busy` has for each situation, by its name, what share of its workers each service held in the fresh check (None
    where they are unlimited). `saturations` has the load that the plan can take, with nothing broken first and then in
    the situation that leaves least room; `curve`, `day` and `supplies` are None where they were not asked for.
    """

    scenario: Scenario
    planning: Planning
    goals: tuple[Goal, ...]
    situations: tuple[Situation, ...]
    room: Room
    written: Sizes
    sizes: Sizes | None
    certificate: Certificate | None
    problem: str
    busy: Mapping[str, Mapping[str, float | None]]
    saturations: tuple[Saturation, ...]
    curve: Curve | None
    day: Day | None
    supplies: Supplies | None
    seed: int
    fresh_seed: int
    runs: int
    tried: int

    @property
    def per_hour(self) -> float | None:
        """What all services cost an hour under the plan; None without prices, or without a plan."""
        return None if self.sizes is None else hourly(self.room.applied(self.scenario, self.sizes))

    @property
    def written_per_hour(self) -> float | None:
        """The same of the file's own replicas."""
        return hourly(self.scenario)

    @property
    def loads(self) -> tuple[str, ...]:
        """The loads that something is promised to."""
        return tuple(dict.fromkeys(goal.load for goal in self.goals))

    @property
    def exit_code(self) -> int:
        """0: the plan holds and no replica can go, 1: there is none, 3: it is not known for sure."""
        if self.certificate is None:
            return 1
        return 0 if self.certificate.sure else 3


def hourly(scenario: Scenario) -> float | None:
    """The price of all replicas for an hour; None where nothing has a price."""
    costs = [(body.replicas, body.cost.amount) for body in scenario.services.values() if body.cost is not None]
    return sum(n * price for n, price in costs) if costs else None


def fresh_seed(seed: int) -> int:
    """The seed of the check of a plan, which may not be that of its search."""
    return (seed ^ OTHER_SEED) & WORD


def capacity_plan(
    scenario: Scenario,
    simulation: Callable[[int], Simulation],
    *,
    seed: int,
    planning: Planning | None = None,
    workers: int = 1,
    whole_day: bool = True,
    progress: Progress | None = None,
    memory: Memory | None = None,
) -> CapacityPlan:
    """Search, check and describe a plan; `simulation` gives for a seed what simulates scenarios."""
    asked = planning or scenario.planning or Planning()
    wanted = goals(scenario, asked.slos)
    for goal in wanted:
        if isinstance(scenario.load[goal.load], ClosedLoad):
            raise SysimError(
                f"found users at the load {goal.load!r} of the slo {goal.slo!r}, expected a rate: users who wait for "
                "answers come less often when it is slow, so no number of replicas is too small for them"
            )
    places = room(scenario, asked)
    tests = situations(scenario, asked, places.names)
    lead = lead_of(scenario)
    loads = tuple(dict.fromkeys(goal.load for goal in wanted))
    fresh = fresh_seed(seed)

    def note(runs: int) -> None:
        if progress is not None:
            progress(min(0.99, runs / USUAL_RUNS))

    lab = Lab(
        scenario, tests, places, wanted, lead, [enough(scenario, test, loads) for test in tests],
        (simulation(seed), simulation(fresh)), workers, note, memory,
    )  # fmt: skip
    stretches = {test: test.scenario(scenario, lead) for test in tests}
    first, most = start(stretches, places)
    search = Search(lab, start(stretches, places, aim=1.0)[0], most)
    found: Certificate | None = None
    sizes: Sizes | None = None
    problem = ""
    try:
        found = certified(search, search.find(first), asked.confidence)
        sizes = found.sizes
    except NoPlan as error:
        problem = str(error)
    saturations: list[Saturation] = []
    drawn, over, ways = None, None, None
    busy = {} if sizes is None else _busy(lab, sizes)
    if sizes is not None:
        saturations = _saturations(lab, search, sizes, asked.confidence)
        if whole_day:
            drawn = curve(lab, sizes, saturations[0].situation, saturations[0].factor, loads[0])
            over = day(lab, scenario, sizes, _shown(tests, search), loads)
            first_of = lab.situations[saturations[0].situation]
            ways = supplies(scenario, places, sizes, busy[first_of.name], (first_of.start, first_of.end), lead, loads,
                            lab.simulations[1], workers, memory)  # fmt: skip
    if progress is not None:
        progress(1.0)
    return CapacityPlan(
        scenario=scenario, planning=asked, goals=wanted, situations=tests, room=places,
        written=places.written(scenario), sizes=sizes, certificate=found, problem=problem,
        busy=busy, saturations=tuple(saturations), curve=drawn, day=over, supplies=ways, seed=seed, fresh_seed=fresh,
        runs=lab.runs, tried=search.tried,
    )  # fmt: skip


def _saturations(lab: Lab, search: Search, sizes: Sizes, confidence: float) -> list[Saturation]:
    """With nothing broken where that is a situation, and in the situation that the search found to be the hardest."""
    quiet = next((k for k, test in enumerate(lab.situations) if not test.breaks and test.own is None), None)
    hardest = search.order[0]
    numbers = [quiet] if quiet is not None else []
    if hardest not in numbers:
        numbers.append(hardest)
    return [saturation(lab, sizes, number, confidence) for number in numbers]


def _busy(lab: Lab, sizes: Sizes) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for number, situation in enumerate(lab.situations):
        seen = lab.remembered(Case(sizes, number, whole=True))
        found[situation.name] = {
            name: None if stress.busy is None else mean([one.services[name].busy or 0.0 for one in seen])
            for name, stress in (seen[0].services.items() if seen else ())
        }
    return found


def _shown(tests: Sequence[Situation], search: Search) -> list[Situation]:
    """What a picture of the day shows: nothing broken, and the hardest failure."""
    quiet = next((test for test in tests if not test.breaks and test.own is None), None)
    hardest = next((tests[k] for k in search.order if tests[k].own is None), None)
    return list(dict.fromkeys(test for test in (quiet, hardest) if test is not None))


__all__ = ["HOURS_A_MONTH", "CapacityPlan", "capacity_plan", "fresh_seed", "hourly"]
