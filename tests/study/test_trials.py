"""Runs in order, on any number of threads."""

from __future__ import annotations

import time
from threading import Event
from typing import Any

import pytest

from sysim.study.memory import kept
from sysim.study.replications import Stopped
from sysim.study.trials import Trials


def trials(workers: int, log: list[Any] | None = None) -> Trials[str, str]:
    """Trials whose earlier tasks take longer, so that threads end out of order."""

    def simulation(scenario: Any) -> Any:
        if log is not None:
            log.append(scenario)

        def one(replication: int, stop: Event) -> Any:
            time.sleep(0.01 / (1 + replication))
            return f"{scenario}{replication}"

        return one

    build: Any = str.upper
    look: Any = "<{}>".format
    return Trials(build, simulation, look, workers)


TASKS = [(key, k) for key in "abc" for k in range(6)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_asked_for(workers: int) -> None:
    some = trials(workers)
    assert list(some(TASKS)) == [((key, k), f"<{key.upper()}{k}>") for key, k in TASKS]
    assert some.done == len(TASKS)


def test_a_scenario_is_prepared_once() -> None:
    log: list[Any] = []
    some = trials(3, log)
    list(some(TASKS))
    list(some(TASKS))
    assert sorted(log) == ["A", "B", "C"]


def test_giving_up_stops_what_is_under_way() -> None:
    stopped: list[int] = []

    def simulation(scenario: Any) -> Any:
        def one(replication: int, stop: Event) -> Any:
            if replication == 0:
                return scenario
            if stop.wait(10):
                stopped.append(replication)
                raise Stopped
            raise AssertionError("nobody told it to stop")

        return one

    build: Any = str
    look: Any = str
    running = Trials(build, simulation, look, 2)([("a", k) for k in range(6)])
    assert next(running) == (("a", 0), "a")
    running.close()
    deadline = time.monotonic() + 5
    while not stopped and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stopped


@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_remembered_is_not_run_again(workers: int) -> None:
    memory: dict[Any, Any] = {}

    class Memory:
        def recall(self, run: Any, replication: int, looked: str, kind: Any) -> Any:
            return memory.get((run.identity, replication, looked))

        def keep(self, run: Any, replication: int, looked: str, seen: Any) -> None:
            memory[run.identity, replication, looked] = seen

    ran: list[Any] = []

    class Run:
        def __init__(self, scenario: Any) -> None:
            self.identity = scenario

        def __call__(self, replication: int, stop: Event) -> Any:
            ran.append((self.identity, replication))
            return f"{self.identity}{replication}"

    def made(looked: str) -> Trials[str, str]:
        build: Any = str.upper
        simulation: Any = Run
        look: Any = f"{looked} {{}}".format
        return Trials(build, simulation, look, workers, kept(Memory(), str, looked))

    first = list(made("from above")(TASKS[:7]))
    assert len(ran) == len(memory) == 7
    some = made("from above")
    found = list(some(TASKS))
    assert found[:7] == first and [seen for _, seen in found] == [f"from above {key.upper()}{k}" for key, k in TASKS]
    assert some.done == len(TASKS) and sorted(ran) == [(key.upper(), k) for key, k in TASKS], "each of them once"
    other = list(made("from below")(TASKS))
    assert other[0][1] == "from below A0", "who looks at something else has to look"
    assert len(ran) == 2 * len(TASKS)


def test_a_mistake_on_a_thread_is_told() -> None:
    def simulation(scenario: Any) -> Any:
        raise ValueError("no such scenario")

    build: Any = str
    with pytest.raises(ValueError, match="no such scenario"):
        list(Trials(build, simulation, build, 2)([("a", 0), ("a", 1)]))
