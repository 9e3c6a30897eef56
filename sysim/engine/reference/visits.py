"""The callee's side: a visit arrives, may be refused, waits for a worker, runs its operation, answers.

Workers are handed from one visit to the next at once; the receiver learns of it by an entry of the same
instant.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.causes import Causes
from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.laws import derive, sample, uniform
from sysim.engine.reference.lines import Line
from sysim.engine.reference.network import Attempt, Network
from sysim.engine.reference.stories import Programs, Story, Telling
from sysim.engine.reference.world import Replica, Service, World
from sysim.plan.tables import (
    CANCELLED,
    DEADLINE,
    DEGRADED,
    ERROR,
    FAULT_ERROR,
    LOST,
    NONE,
    R_ARRIVE,
    R_GRANT,
    R_PATIENCE,
    REJECTED,
    SHED,
    UNREACHABLE,
    WHEN_CONTINUE,
    WHEN_STOP,
)
from sysim.record.columns import SPAN_VISIT
from sysim.semantics.causes import M_ERROR_FAULT, M_QUEUED, M_REJECTED, M_SHED, WATCHED
from sysim.semantics.digest import NOTE_QUEUED, NOTE_VISIT
from sysim.semantics.salts import X_BACK, X_ERROR, X_PATIENCE


class Door(Wait):
    """Where attempts and cancel notices arrive. Never closed."""

    __slots__ = ("visits",)

    def __init__(self, visits: Visits) -> None:
        super().__init__()
        self.visits = visits

    def fire(self, entry: Entry) -> None:
        """An attempt, or the notice that it is no longer wanted."""
        if entry.rank == R_ARRIVE:
            self.visits.arrive(entry.what)
        else:
            self.visits.cancel(entry.what)


class Visit(Story):
    """An attempt at the callee."""

    __slots__ = (
        "arrived", "attempt", "fails", "granted", "holder", "operation", "pc", "place", "row", "service",
        "started", "stays", "taken", "times", "visits",
    )  # fmt: skip

    home: Replica

    def __init__(self, visits: Visits, attempt: Attempt, replica: Replica) -> None:
        super().__init__(attempt.key, replica, attempt.call.deadline, None)
        self.priority = attempt.call.owner.priority
        site = attempt.call.site
        self.visit = self
        self.hides = True
        self.visits = visits
        self.attempt = attempt
        self.service: Service = site.callee
        self.operation = site.operation
        self.pc = site.pc
        self.arrived: int = visits.clock._now
        self.row, self.times = visits.book.arrived(self.service)
        self.fails = False  # answers `error` whatever it did
        self.holder = False  # of a worker
        self.granted = 0  # the number of that worker's grant
        self.started = False
        self.taken = NONE  # when it got its first worker
        self.trace = attempt.call.trace
        self.stays = False  # counted as in the system
        self.place: Line | None = None  # the line in which it stands
        self.generator = visits.story(self)

    def over(self, outcome: int) -> None:
        """The visit has come to its end by itself."""
        self.visits.end(self, outcome)


class Visits:
    """Receives attempts at all services."""

    def __init__(self, world: World, book: Book, programs: Programs, network: Network) -> None:
        self.clock = world.clock
        self.draws = world.draws
        self.book = book
        self.programs = programs
        self.network = network
        self.causes = Causes(len(world.plan.sites))
        network.door = Door(self)
        self.tellers: dict[int, Callable[[Visit], Telling]] = {}  # operations that users tell themselves

    def arrive(self, attempt: Attempt) -> None:
        """An attempt reaches its replica."""
        replica: Replica = attempt.replica
        replica.coming -= 1
        if not replica.up:
            self.network.done(attempt)
            if attempt.open and attempt.reply is None:
                self.network.answer(attempt, UNREACHABLE, None)
            return
        visit = Visit(self, attempt, replica)
        attempt.visit = visit
        replica.visits[visit] = None
        visit.resume(None)

    def story(self, visit: Visit) -> Telling:
        """The story of a visit; its outcome in the service's view."""
        refusal = self.refused(visit)
        if refusal:
            return refusal
        service = visit.service
        replica = self.free_worker(visit)
        if replica is not None:
            if visit.deadline <= self.clock._now:
                visit.cause = self.causes.network(visit.attempt)
                return DEADLINE
            self.move(visit, replica)
            replica.busy += 1
            self.grant(visit)
        elif len(visit.home.queue) >= service.capacity:
            self.book.queue_full(service)
            visit.cause = self.causes.waiting(visit, M_REJECTED)
            return REJECTED
        self.enter(visit)
        if not visit.holder:
            entry = yield self.queue(visit)
            if entry.rank == R_PATIENCE:
                visit.cause = self.causes.waiting(visit, M_SHED)
                return SHED
        visit.started = True
        visit.taken = self.clock._now
        visit.home.started += 1
        self.book.started(visit.row, visit.times, self.clock._now - visit.arrived)
        teller = self.tellers.get(visit.pc)
        outcome = yield from teller(visit) if teller else self.programs.follow(visit, visit.pc)
        if visit.fails and outcome <= DEGRADED:
            visit.cause = self.causes.at(M_ERROR_FAULT, 0, visit.attempt.call.site)
            return ERROR
        return outcome

    def refused(self, visit: Visit) -> int:
        """What ends a visit at the door, else 0."""
        attempt, replica = visit.attempt, visit.home
        if attempt.early and visit.service.when_cancelled != WHEN_CONTINUE:
            return CANCELLED
        for fault in attempt.call.site.faults:
            if fault.kind == FAULT_ERROR and replica in fault.struck:
                if uniform(derive(attempt.key, fault.key), X_ERROR) < fault.value:
                    if not fault.after_work:
                        visit.cause = self.causes.at(M_ERROR_FAULT, 0, attempt.call.site)
                        return ERROR
                    visit.fails = True
        if replica.in_system >= visit.service.admission:
            visit.cause = self.causes.waiting(visit, M_SHED)
            return SHED
        return 0

    def enter(self, visit: Visit) -> None:
        """The visit stays: with a worker, or in the queue."""
        visit.stays = True
        visit.home.in_system += 1
        self.book.enters(visit.service, not visit.holder)

    def queue(self, visit: Visit) -> Wait:
        """Stand in the queue; the wait for a worker, as long as patience lasts."""
        clock, service, queue = self.clock, visit.service, visit.home.queue
        queue[visit] = None
        visit.place = queue
        clock.note(NOTE_QUEUED, visit.key, len(queue))
        wait = Wait(visit)
        if service.patience >= 0:
            patience = sample(*self.draws, service.patience, visit.key, X_PATIENCE)
            clock.enter(clock._now + patience, R_PATIENCE, visit.key, wait)
        return wait

    def end(self, visit: Visit, outcome: int, crashed: bool = False) -> None:
        """Leave, give everything back, write it down, and answer whoever waits."""
        clock, book, attempt, replica = self.clock, self.book, visit.attempt, visit.home
        del replica.visits[visit]
        self.network.done(attempt)
        attempt.visit = None
        attempt.cause = visit.cause if laws.known_to_visit(outcome) else 0
        if visit.place is not None:
            self.leave_line(visit)
        if visit.holder:
            self.give_back(visit)
        if visit.stays:
            replica.in_system -= 1
            book.leaves(visit.service)
        if visit.started:
            replica.started -= 1
            book.sojourned(visit.times, clock._now - visit.arrived)
        waits = attempt.open and attempt.reply is None
        book.visit_ended(visit.row, outcome, 0 if waits else 1)
        clock.note(NOTE_VISIT, visit.key, outcome)
        if visit.trace:
            operation = visit.service.first_operation + visit.operation
            parent = attempt.call.key
            book.span(
                visit.trace, visit.key, parent, SPAN_VISIT, operation, visit.arrived, outcome,
                replica.row, visit.taken,
            )  # fmt: skip
        if crashed or not waits:
            book.wasted(visit.row, visit.cost)
            if waits:
                attempt.sure = True
                self.network.deliver(attempt, LOST, self.network.trip(attempt, X_BACK))
        else:
            self.network.answer(attempt, outcome, visit)

    def cancel(self, attempt: Attempt) -> None:
        """A cancel notice arrives."""
        visit = attempt.visit
        if visit is None:
            attempt.early = True
            return
        when = visit.service.when_cancelled
        if when == WHEN_CONTINUE:
            return
        if when == WHEN_STOP or (visit.place is not None and not visit.started):
            visit.stop(CANCELLED)
            self.end(visit, CANCELLED)

    # --- workers ----------------------------------------------------------------------------------------

    def free_worker(self, visit: Visit) -> Replica | None:
        """The replica that has a worker for a visit that has just come."""
        service, replica = visit.service, visit.home
        if not service.shared:
            return replica if replica.busy < service.workers else None
        for other in (replica, *service.replicas):
            if other.serves and other.busy < service.workers:
                return other
        return None

    def move(self, visit: Visit, replica: Replica) -> None:
        """The visit is served by this replica from now on."""
        old: Replica = visit.home
        if old is replica:
            return
        del old.visits[visit]
        replica.visits[visit] = None
        visit.home = visit.attempt.replica = replica
        if visit.stays:
            old.in_system -= 1
            replica.in_system += 1

    def grant(self, visit: Visit) -> None:
        """The visit holds a worker of its replica."""
        replica = visit.home
        visit.holder = True
        if not visit.service.watched:
            return
        visit.granted = replica.grants
        place = replica.grants % WATCHED
        if replica.watched[place] is None:
            replica.watched[place] = visit
        replica.grants += 1

    def let_go(self, visit: Visit) -> None:
        """The visit holds no worker any more."""
        visit.holder = False
        watched = visit.home.watched
        if watched[visit.granted % WATCHED] is visit:
            watched[visit.granted % WATCHED] = None

    def give_back(self, visit: Visit) -> None:
        """A worker is free: the next visit has it at once."""
        self.let_go(visit)
        self.pass_on(visit.home)

    def pass_on(self, replica: Replica) -> None:
        """Hand a worker of this replica to whoever comes next."""
        service, now = replica.service, self.clock._now
        line: Line
        while True:
            if replica.line:
                line = replica.line
                visit, _ = line.popitem(last=False)
            elif replica.queue and not (service.shared and not replica.serves):
                line = replica.queue
                visit, _ = line.popitem(last=service.lifo)
            else:
                replica.busy -= 1
                self.book.busy(service, -1)
                return
            visit.place = None
            self.book.queue(service, -1)
            if line is replica.line or visit.deadline > now:
                break
            visit.wait.open = False
            visit.generator.close()
            visit.cause = self.causes.waiting(visit, M_QUEUED)
            self.end(visit, DEADLINE)
        self.move(visit, replica)
        self.grant(visit)
        self.clock.enter(now, R_GRANT, visit.key, visit.wait)

    def rejoin(self, visit: Visit) -> Generator[Wait, Entry, None]:
        """After a call the visit needs a worker again; it goes ahead of those that have not begun."""
        replica = visit.home
        if replica.busy < visit.service.workers:
            replica.busy += 1
            self.grant(visit)
            self.book.busy(visit.service, 1)
            return
        replica.line[visit] = None
        visit.place = replica.line
        self.book.queue(visit.service, 1)
        yield Wait(visit)

    def leave_line(self, visit: Visit) -> None:
        """Stop waiting for a worker."""
        assert visit.place is not None
        del visit.place[visit]
        visit.place = None
        self.book.queue(visit.service, -1)

    def open_up(self, replica: Replica) -> None:
        """A replica serves again: it takes as many as it can from a shared queue."""
        while replica.queue and replica.serves and replica.busy < replica.service.workers:
            replica.busy += 1
            self.book.busy(replica.service, 1)
            self.pass_on(replica)

    def clear_queue(self, service: Service, outcome: int) -> None:
        """Whoever waits and has not begun leaves with `outcome`."""
        for queue in [service.queue] if service.shared else [replica.queue for replica in service.replicas]:
            for visit in list(queue):
                visit.stop(outcome)
                self.end(visit, outcome)

    def idle(self, replica: Replica) -> bool:
        """Whether nothing is left of a replica: no attempt on its way to it, at it or from it, no story."""
        if replica.coming or replica.strays or replica.orphans:
            return False
        shared = replica.queue if replica.service.shared else None
        return all(shared is not None and visit.place is shared for visit in replica.visits)

    # --- crash ------------------------------------------------------------------------------------------

    def clear(self, replica: Replica) -> None:
        """A replica has crashed: its visits end `LOST`; those that wait in a shared queue are not its own."""
        shared = replica.queue if replica.service.shared else None
        self.book.busy(replica.service, -replica.busy)
        replica.busy = 0
        for visit in list(replica.visits):
            if shared is not None and visit.place is shared:
                continue
            if visit.holder:
                self.let_go(visit)
            visit.stop(LOST)
            self.end(visit, LOST, crashed=True)

    def close(self, replicas: list[Replica]) -> None:
        """The run has ended: who is still there is in flight."""
        for replica in replicas:
            for visit in replica.visits:
                self.book.visit_in_flight(visit.row)
