"""What studies are given of an engine: runs of any scenario, and runs that go on from one past in many ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from sysim import model, running
from sysim.api import Progress, from_model, plan_of
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.result import Run
    from sysim.study.trials import Simulation
    from sysim.study.whatif import Futures


def simulation(engine: Engine, seed: int) -> Simulation:
    """What a study needs of an engine: takes scenarios, and gives functions that run single replications."""
    from sysim.result import summarise

    _ready(engine)
    run = running.run_of(engine)

    def prepare(scenario: model.Scenario) -> Callable[[int, Event], Run]:
        plan = plan_of(from_model(scenario))

        def one(replication: int, stop: Event) -> Run:
            record = run(plan, seed=seed, replication=replication, traces=0, progress=_ends_with(stop))
            return summarise(plan, scenario, record, seed, replication)

        return one

    return prepare


def futures(engine: Engine, seed: int) -> Futures:
    """What a study needs of an engine to go on from one past in many ways.

    It takes scenarios that are the same until an instant (ns), and gives a function that runs one replication of each,
    in their order.
    """
    from sysim.result import summarise

    _ready(engine)

    def prepare(scenarios: Sequence[model.Scenario], at: int) -> Callable[[int, Event], Iterator[Run]]:
        plans = [plan_of(from_model(scenario)) for scenario in scenarios]

        def runs(replication: int, stop: Event) -> Iterator[Run]:
            records = running.branches(engine, plans, at, seed, replication, _ends_with(stop))
            for scenario, plan, record in zip(scenarios, plans, records, strict=True):
                yield summarise(plan, scenario, record, seed, replication)

        return runs

    return prepare


def _ready(engine: Engine) -> None:
    running.check_known(engine)
    if engine == "compiled":
        running.warm_up(engine)


def _ends_with(stop: Event) -> Progress:
    """What is told the progress of a run, and ends it soon after nobody waits for it any more."""
    from sysim.study.trials import Stopped

    def note(now: float) -> None:
        if stop.is_set():
            raise Stopped

    return note
