"""A run: put the parts together, let the clock go, close the book."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter

from sysim.engine.reference import loads
from sysim.engine.reference.actions import Actions
from sysim.engine.reference.book import Book
from sysim.engine.reference.calls import Calls
from sysim.engine.reference.faults import Faults
from sysim.engine.reference.network import Network
from sysim.engine.reference.scalers import Scalers
from sysim.engine.reference.stories import Programs
from sysim.engine.reference.user import Guests, Operation, Process
from sysim.engine.reference.visits import Visits
from sysim.engine.reference.work import Works
from sysim.engine.reference.world import World
from sysim.plan.plan import Plan
from sysim.plan.tables import OUTCOMES, T_LOAD
from sysim.record.record import Record, allocate, close
from sysim.semantics.rng import wrapping


@contextmanager
def _few_collections() -> Iterator[None]:
    """Stories leave no cycles behind: the garbage collector may rest, and not take a third of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Run:
    """One run of a plan, with all of its parts in reach."""

    def __init__(self, plan: Plan, seed: int, replication: int, traces: int = 0) -> None:
        self.world = World(plan, seed, replication)
        self.plan = self.world.plan
        self.clock = self.world.clock
        self.record = allocate(plan, traces)
        self.book = Book(self.world, self.record, traces)
        self.programs = Programs(self.world)
        self.network = Network(self.world, self.book)
        self.calls = Calls(self.world, self.book, self.programs, self.network)
        self.works = Works(self.world, self.book)
        self.visits = Visits(self.world, self.book, self.programs, self.network)
        self.programs.calls, self.programs.visits, self.programs.works = self.calls, self.visits, self.works
        self.faults = Faults(self.world, self.book, self.calls, self.visits, self.works, self.network)
        self.actions = Actions(self.world, self.book, self.visits, self.faults)
        self.scalers = Scalers(self.world, self.book, self.faults)
        self.clock.subject = self.subject

    def subject(self) -> str:
        """What is going on, for an error: the last request that ended."""
        call = self.calls.last
        if call is None:
            return "no request has ended yet"
        names = self.plan.names
        load = names.loads[int(self.plan.streams[call.site.stream, T_LOAD])]
        outcome = OUTCOMES[self.calls.last_outcome]
        return f"load {load}, call {names.stats[call.site.stat]}, outcome {outcome}"

    def go(self) -> None:
        """From time 0 to the end."""
        self.faults.schedule()
        self.actions.schedule()
        self.scalers.schedule()
        loads.begin(self.world, self.programs)
        self.clock.run()
        clock = self.clock
        if clock.edge <= clock.duration:
            self.book.turn(clock.duration)
        self.calls.close()
        self.visits.close(self.world.replicas)
        self.book.close()
        self.record.n_events = clock.events
        self.record.digest = clock.digest
        close(self.record, self.plan)
        self.record.end = max(clock.duration, clock.last)
        self.record.engine = "reference"


def simulate(
    plan: Plan,
    *,
    seed: int,
    replication: int = 0,
    traces: int = 0,
    processes: Sequence[Process] = (),
    operations: Mapping[str, Operation] | None = None,
    progress: Callable[[int], None] | None = None,
    log: list[tuple[int, int, int, int]] | None = None,
    strict: bool = False,
) -> Record:
    """Run a plan on SimPy.

    `processes` and `operations` are the user's own, see `sysim.engine.reference.user`. `progress` is called
    with the simulated time in ns now and then. `log` is filled with (time, rank, key, notes) of every entry;
    with `strict` the run stops if two live entries share their turn.
    """
    begun = perf_counter()
    with wrapping(), _few_collections():
        run = Run(plan, seed, replication, traces)
        if processes or operations:
            guests = Guests(run.world, run.calls, run.visits, run.works, run.faults)
            guests.welcome(processes, operations)
        run.book.progress = progress
        run.clock.log = log
        run.clock.strict = strict
        run.go()
    run.record.wall_s = perf_counter() - begun
    return run.record
