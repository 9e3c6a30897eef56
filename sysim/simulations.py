"""What studies are given of an engine: runs of any scenario, and runs that go on from one past in many ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from sysim import model, running
from sysim.api import from_model, plan_of
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.result import Run
    from sysim.study.trials import Simulation
    from sysim.study.whatif import Futures


def simulation(engine: Engine, seed: int) -> Simulation:
    """What a study needs of an engine: takes scenarios, and gives functions that run single replications."""
    from sysim.study.memory import Prepared

    _ready(engine)
    run = running.run_of(engine)

    def prepare(scenario: model.Scenario) -> Prepared:
        facade = from_model(scenario)
        return Prepared(scenario, plan_of(facade), facade.digest, seed, run)

    return prepare


def futures(engine: Engine, seed: int) -> Futures:
    """What a study needs of an engine to go on from one past in many ways.

    It takes scenarios that are the same until an instant (ns), and gives a function that runs one replication of each,
    in their order.
    """
    from sysim.result import summarise
    from sysim.study.replications import ends_with

    _ready(engine)

    def prepare(scenarios: Sequence[model.Scenario], at: int) -> Callable[[int, Event], Iterator[Run]]:
        plans = [plan_of(from_model(scenario)) for scenario in scenarios]

        def runs(replication: int, stop: Event) -> Iterator[Run]:
            records = running.branches(engine, plans, at, seed, replication, ends_with(stop))
            for scenario, plan, record in zip(scenarios, plans, records, strict=True):
                yield summarise(plan, scenario, record, seed, replication)

        return runs

    return prepare


def _ready(engine: Engine) -> None:
    running.check_known(engine)
    if engine == "compiled":
        running.warm_up(engine)
