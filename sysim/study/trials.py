"""Many short runs of changed scenarios, looked at one by one, in order, on as many threads as one likes.

A study asks for trials: which change (a key of its own), which replication. It gets what it looked at in the order
in which it asked, so that whatever it decides does not depend on the number of workers. A run is dropped as soon
as it has been looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

from sysim.model import Scenario
from sysim.result.run import Run
from sysim.study.memory import Kept, OneRun
from sysim.study.replications import in_order

Key = TypeVar("Key", bound=Hashable)
Seen = TypeVar("Seen")
Simulation = Callable[[Scenario], OneRun]
"""Prepares a scenario for as many replications as one wants."""
Progress = Callable[[float], None]
KEPT = 32  # prepared scenarios
AHEAD = 4
"""Runs a worker that may be under way, or done before their turn: little is kept of each."""


class Trials(Generic[Key, Seen]):
    """`build` makes the scenario of a key, `look` reduces a run to what is wanted of it. With `kept`, what was seen is
    remembered as soon as it is there, and what is remembered is not simulated again.
    """

    def __init__(
        self,
        build: Callable[[Key], Scenario],
        simulation: Simulation,
        look: Callable[[Run], Seen],
        workers: int = 1,
        kept: Kept[Seen] | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"found {workers} workers, expected at least 1")
        self._build, self._simulation, self._look, self.workers = build, simulation, look, workers
        self._kept = kept
        self._prepared: OrderedDict[Key, OneRun] = OrderedDict()
        self._lock = Lock()
        self.done = 0
        """How many runs were seen so far."""

    def __call__(self, tasks: Sequence[tuple[Key, int]]) -> Iterator[tuple[tuple[Key, int], Seen]]:
        """What was seen in each (key, replication), in their order."""
        return in_order(tasks, self._one, self.workers if len(tasks) > 1 else 1, AHEAD)

    def _one(self, task: tuple[Key, int], stop: Event) -> Seen:
        key, replication = task
        with self._lock:
            if key not in self._prepared:
                self._prepared[key] = self._simulation(self._build(key))
                while len(self._prepared) > KEPT:
                    self._prepared.popitem(last=False)
            run = self._prepared[key]
        seen = None if self._kept is None else self._kept.recall(run, replication)
        if seen is None:
            seen = self._look(run(replication, stop))
            if self._kept is not None:
                self._kept.keep(run, replication, seen)
        with self._lock:
            self.done += 1
        return seen


__all__ = ["OneRun", "Progress", "Simulation", "Trials"]
