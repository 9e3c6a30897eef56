"""What a study saw, remembered: another process goes on with it instead of simulating again.

A study keeps a small part of each run, and that part follows from the run and from what was looked at. So it is
remembered under what decides both. Where it is remembered is not the study's concern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sysim.model import Scenario
from sysim.plan.fingerprint import fingerprint
from sysim.plan.plan import Plan
from sysim.result.run import Run
from sysim.study.replications import ends_with

if TYPE_CHECKING:
    from sysim.record.record import Record

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Identity:
    """What the runs of a scenario follow from, but for their number: its digest, its plan's fingerprint, the seed."""

    digest: str
    plan: str
    seed: int


class OneRun(Protocol):
    """Simulates one replication of a scenario; raises `Stopped` soon after the event is set."""

    @property
    def identity(self) -> Identity:
        """What the run follows from."""

    def __call__(self, replication: int, stop: Event, /) -> Run:
        """The run of that number."""


class Prepared:
    """A scenario with its plan, and the engine that runs it under one seed."""

    def __init__(self, scenario: Scenario, plan: Plan, digest: str, seed: int, engine: Callable[..., Record]) -> None:
        self._scenario, self._plan, self._digest, self._seed, self._engine = scenario, plan, digest, seed, engine

    @cached_property
    def identity(self) -> Identity:
        """What the runs follow from; both engines give the same."""
        return Identity(self._digest, fingerprint(self._plan), self._seed)

    def __call__(self, replication: int, stop: Event, /) -> Run:
        """The run of that number."""
        from sysim.result import summarise

        told = ends_with(stop)
        record = self._engine(self._plan, seed=self._seed, replication=replication, traces=0, progress=told)
        return summarise(self._plan, self._scenario, record, self._seed, replication)


class Memory(Protocol):
    """Remembers what was seen. Threads may use it at once."""

    def recall(self, run: OneRun, replication: int, looked: str, kind: type[Seen]) -> Seen | None:
        """What was seen of that replication before, None if nothing."""

    def keep(self, run: OneRun, replication: int, looked: str, seen: object) -> None:
        """Remember what was seen."""


@dataclass(frozen=True)
class Kept(Generic[Seen]):
    """How the trials of a study are remembered: `kind` is the type of what is seen (a dataclass of numbers, texts,
    tables, maps and tuples), and `looked` says what was looked at, with all that decides it but the run.
    """

    memory: Memory
    kind: type[Seen]
    looked: str

    def recall(self, run: OneRun, replication: int) -> Seen | None:
        """What was seen of that replication before, None if nothing."""
        return self.memory.recall(run, replication, self.looked, self.kind)

    def keep(self, run: OneRun, replication: int, seen: Seen) -> None:
        """Remember what was seen."""
        self.memory.keep(run, replication, self.looked, seen)


def kept(memory: Memory | None, kind: type[Seen], looked: str) -> Kept[Seen] | None:
    """The same where there is a memory."""
    return None if memory is None else Kept(memory, kind, looked)


__all__ = ["Identity", "Kept", "Memory", "OneRun", "Prepared", "kept"]
