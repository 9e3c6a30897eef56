"""Faults: occurrences begin and end, replicas crash and come up again."""

from __future__ import annotations

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.calls import Calls
from sysim.engine.reference.clock import DEAD, Entry, Wait
from sysim.engine.reference.laws import derive, sample
from sysim.engine.reference.network import Network
from sysim.engine.reference.visits import Visits
from sysim.engine.reference.work import Works
from sysim.engine.reference.world import Fault, Replica, Service, World
from sysim.plan.tables import (
    FAULT_BLACKHOLE,
    FAULT_CAPACITY,
    FAULT_CRASH,
    FAULT_PAUSE,
    FAULT_RESET,
    FAULT_SLOWDOWN,
    GONE,
    K_CALLER,
    LEAVING,
    LOST,
    NEVER,
    R_FAULT,
    WANTED,
)
from sysim.record.columns import EV_FAULT, EV_REPLICA, REPLICA_DOWN, REPLICA_GONE, REPLICA_UP

SPEED = frozenset({FAULT_PAUSE, FAULT_SLOWDOWN, FAULT_CAPACITY})
X_EVERY, X_FOR, X_RESTART = 0, 64, 128  # draws of an occurrence
STARTS = 3  # of the key of a replica's restart: when it begins to start


class Dawn(Wait):
    """Where replicas come up again. Never closed."""

    __slots__ = ("faults",)

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def fire(self, entry: Entry) -> None:
        """A replica is ready."""
        self.faults.rise(entry.what)


class Morning(Wait):
    """When a replica begins to start: nothing but its cost tells of it."""

    __slots__ = ("faults", "generation", "replica")

    def __init__(self, faults: Faults, replica: Replica) -> None:
        super().__init__()
        self.faults, self.replica, self.generation = faults, replica, replica.crashes

    def comes_true(self, time: int) -> bool:
        """Never."""
        replica = self.replica
        if replica.crashes == self.generation and time < self.faults.clock.duration:
            self.faults.charge(replica, True, time)
        return False


class Faults:
    """Breaks what the plan says, and mends it."""

    def __init__(
        self, world: World, book: Book, calls: Calls, visits: Visits, works: Works, network: Network
    ) -> None:
        self.world = world
        self.clock = world.clock
        self.book = book
        self.calls = calls
        self.visits = visits
        self.works = works
        self.network = network
        self.dawn = Dawn(self)
        self.leaving: list[Replica] = []
        self.scopes_of: dict[int, list[int]] = {}
        for k, caller in enumerate(world.scope[: world.plan.n_scopes, K_CALLER].tolist()):
            self.scopes_of.setdefault(caller, []).append(k)

    def schedule(self) -> None:
        """The first occurrence of every fault."""
        for fault in self.world.faults:
            fault.faults = self
            self._next(fault, 0)

    def _next(self, fault: Fault, now: int) -> None:
        """Occurrence number `fault.occurrence`, if there is one before the end of the run."""
        if fault.every >= 0:
            key = derive(fault.key, fault.occurrence)
            at = now + sample(*self.world.draws, fault.every, key, X_EVERY)
            if fault.occurrence == 0 and fault.at < NEVER:
                at += fault.at
        elif fault.occurrence == 0:
            at = fault.at
        else:
            return
        if at < min(self.clock.duration, fault.until):
            self.clock.enter(at, R_FAULT, derive(fault.key, 2 * fault.occurrence), fault, True)

    def begin(self, fault: Fault) -> None:
        """An occurrence begins: whom it strikes is settled now."""
        hits = fault.hits
        if fault.strike >= 0 or fault.share >= 0.0:
            there = sum(replica.standing != GONE for replica in hits)
            number = fault.strike if fault.strike >= 0 else laws.struck(fault.share, there)
            hits = [replica for replica in hits if replica.up][:number]
        fault.struck = dict.fromkeys(hits)
        fault.active = True
        if fault.number >= 0:
            self.book.transition(EV_FAULT, fault.number, 1)
        clock, key = self.clock, derive(fault.key, fault.occurrence)
        over = NEVER if fault.injected else fault.until
        if fault.lasts >= 0:
            over = min(over, clock._now + sample(*self.world.draws, fault.lasts, key, X_FOR))
        if over < NEVER:
            clock.enter(over, R_FAULT, derive(fault.key, 2 * fault.occurrence + 1), fault, False)
        if fault.kind in SPEED:
            for replica in hits:
                self.works.change_speed(replica)
        elif fault.kind == FAULT_BLACKHOLE:
            self.network.cut(fault)
        elif fault.kind == FAULT_RESET:
            self.network.reset(fault)
        elif fault.kind == FAULT_CRASH:
            fallen = [replica for replica in hits if replica.up]
            for replica in fallen:
                self.crash(replica)
            fallen = [replica for replica in fallen if replica.standing != GONE]
            if fault.restart_after >= 0:
                delay = sample(*self.world.draws, fault.restart_after, key, X_RESTART)
                for replica in fallen:
                    self.restart(replica, delay)
            else:
                fault.fallen = fallen

    def end(self, fault: Fault) -> None:
        """An occurrence ends."""
        struck, fault.struck = fault.struck, {}
        fault.active = False
        if fault.number >= 0:
            self.book.transition(EV_FAULT, fault.number, 0)
        if fault.kind in SPEED:
            for replica in struck:
                self.works.change_speed(replica)
        fallen, fault.fallen = fault.fallen, []
        for replica in fallen:
            self.restart(replica, 0)
        fault.occurrence += 1
        if not fault.injected:
            self._next(fault, self.clock._now)
        fault.injected = False

    def injected(self, fault: Fault, begins: bool) -> None:
        """A user begins or ends a fault; one that is under way is not begun again."""
        if begins and fault.active and fault.number < 0:
            self.end(fault)
        if begins and not fault.active:
            fault.injected = True
            self.begin(fault)
        elif not begins and fault.active:
            self.end(fault)

    # --- replicas ---------------------------------------------------------------------------------------

    def crash(self, replica: Replica) -> None:
        """A replica dies with all that it holds; what ends now is no longer noted in its policy state."""
        replica.up = False
        replica.crashes += 1
        self.world.serves[replica.row] = 0
        self.book.up(replica.service, -1)
        self.charge(replica, False, self.clock._now)
        if replica.standing == LEAVING:
            self.gone(replica)
        else:
            self.book.transition(EV_REPLICA, replica.row, REPLICA_DOWN)
        self.visits.clear(replica)
        for story in list(replica.strays):
            story.stop(LOST)
            story.lost()
        for attempt in list(replica.orphans):
            self.calls.settle(attempt, LOST)
        for k in self.scopes_of.get(replica.row, ()):
            self.calls.state.forget(k)

    def restart(self, replica: Replica, delay: int) -> None:
        """A replica will be ready again after `delay` and its startup."""
        key = derive(derive(self.world.seed_key, replica.key), replica.crashes)
        startup, now = 0, self.clock._now
        if replica.service.startup >= 0:
            startup = sample(*self.world.draws, replica.service.startup, key, 0)
        replica.rising = self.clock.enter(now + delay + startup, R_FAULT, key, self.dawn, replica)
        if delay <= 0:
            self.charge(replica, True, now)
        elif startup > 0:
            self.clock.look(now + delay, R_FAULT, derive(key, STARTS), Morning(self, replica), None)

    def charge(self, replica: Replica, paid: bool, time: int) -> None:
        """A replica is paid for from `time` on, or no longer."""
        self.book.paid(replica.service, paid - replica.paid, time)
        replica.paid = paid

    def waits(self, replica: Replica) -> bool:
        """Whether a replica is down until the end of a fault."""
        return any(replica in fault.fallen for fault in self.world.faults)

    def release(self, replica: Replica) -> None:
        """The end of the fault that took a replica down will not start it."""
        for fault in self.world.faults:
            if replica in fault.fallen:
                fault.fallen.remove(replica)

    def rise(self, replica: Replica) -> None:
        """A replica is ready."""
        replica.up = True
        replica.rising = None
        self.world.serves[replica.row] = int(replica.serves)
        self.book.up(replica.service, 1)
        self.charge(replica, True, self.clock._now)
        self.book.transition(EV_REPLICA, replica.row, REPLICA_UP)
        self.visits.open_up(replica)

    # --- scaling ----------------------------------------------------------------------------------------

    def scale(self, service: Service, count: int) -> None:
        """There shall be so many replicas of a service, those with the lowest numbers."""
        for replica in service.replicas:
            if replica.number < count:
                self.want(replica)
            else:
                self.send_away(replica)

    def want(self, replica: Replica) -> None:
        """There shall be this replica: it stays, or starts as a new one."""
        if replica.standing == LEAVING:
            replica.standing = WANTED
            self.leaving.remove(replica)
            self.world.serves[replica.row] = int(replica.serves)
            self.visits.open_up(replica)
        elif replica.standing == GONE:
            replica.standing = WANTED
            replica.drained = False
            replica.crashes += 1
            for k in self.scopes_of.get(replica.row, ()):
                self.calls.state.forget(k)
            self.restart(replica, 0)
        self.watch()

    def send_away(self, replica: Replica) -> None:
        """There shall not be this replica: it leaves once it is empty, or is not started."""
        if replica.standing != WANTED:
            return
        if replica.up:
            replica.standing = LEAVING
            self.world.serves[replica.row] = 0
            self.leaving.append(replica)
        else:
            self.release(replica)
            if replica.rising is not None:
                replica.rising.wait = DEAD
                replica.rising = None
            replica.crashes += 1
            self.gone(replica)
        self.watch()

    def gone(self, replica: Replica) -> None:
        """A replica is no more."""
        if replica.standing == LEAVING:
            self.leaving.remove(replica)
            self.watch()
        replica.standing = GONE
        self.charge(replica, False, self.clock._now)
        self.book.transition(EV_REPLICA, replica.row, REPLICA_GONE)

    def watch(self) -> None:
        """See after each entry whether those that leave are empty, while there are any."""
        self.clock.after = self.farewell if self.leaving else None

    def farewell(self) -> None:
        """Those that leave and have nothing left are gone."""
        for replica in sorted(self.leaving, key=lambda replica: replica.row):
            if self.visits.idle(replica):
                replica.up = False
                self.book.up(replica.service, -1)
                self.gone(replica)
