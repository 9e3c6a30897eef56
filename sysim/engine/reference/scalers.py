"""Autoscalers and schedules: they look, or are due, now and then, and change how many replicas a service shall have.

A look that changes nothing leaves no trace: its entry is dead.
"""

from __future__ import annotations

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.faults import Faults
from sysim.engine.reference.laws import derive
from sysim.engine.reference.world import World
from sysim.plan.scalers import recommendations_at_first, scalers_at_first
from sysim.plan.tables import (
    R_ACTION,
    SCALER_LINE,
    WANTED,
    Z_AT,
    Z_BESIDE,
    Z_COUNT,
    Z_EVERY,
    Z_KEY,
    Z_KIND,
    Z_SVC,
    ZS_MIN,
    ZS_NEXT,
    ZS_SET,
)
from sysim.record.columns import EV_SCALE
from sysim.semantics.digest import NOTE_SCALER


class Scaler(Wait):
    """A row of `scalers`. Never closed."""

    __slots__ = ("beside", "count", "every", "key", "line", "number", "scalers", "service")

    def __init__(self, scalers: Scalers, number: int, of: list[int], world: World) -> None:
        super().__init__()
        self.scalers = scalers
        self.number = number
        self.key = derive(world.seed_key, of[Z_KEY])
        self.line = of[Z_KIND] == SCALER_LINE
        self.service = world.services[of[Z_SVC]]
        self.every, self.count, self.beside = of[Z_EVERY], of[Z_COUNT], of[Z_BESIDE]

    @property
    def wanted(self) -> int:
        """How many replicas the service shall have."""
        return sum(replica.standing == WANTED for replica in self.service.replicas)

    def comes_true(self, time: int) -> bool:
        """Whether it changes anything, as lines of schedules always do."""
        return self.line or self.scalers.weigh(self, time)

    def fire(self, entry: Entry) -> None:
        """It has its way."""
        self.scalers.rescale(self)


class Scalers:
    """Looks and changes for the scalers of the plan."""

    def __init__(self, world: World, book: Book, faults: Faults) -> None:
        self.plan = world.plan
        self.clock = world.clock
        self.book = book
        self.faults = faults
        self.state = scalers_at_first(self.plan)
        self.recommendations = recommendations_at_first(self.plan)
        rows = self.plan.scalers.tolist()[: self.plan.n_scalers]
        self.firsts = [row[Z_AT] for row in rows]
        self.scalers = [Scaler(self, number, row, world) for number, row in enumerate(rows)]

    def schedule(self) -> None:
        """The first look of each autoscaler, and when each line of a schedule is due first."""
        for scaler, at in zip(self.scalers, self.firsts, strict=True):
            self.enter(scaler, at)

    def enter(self, scaler: Scaler, at: int) -> None:
        """A scaler comes `at` an instant, if that is before the load is over."""
        if at < self.clock.duration:
            self.clock.look(at, R_ACTION, derive(scaler.key, 0), scaler, None)

    def go_on(self, scaler: Scaler, now: int) -> None:
        """The entry after one at `now`."""
        if scaler.every > 0:
            self.enter(scaler, now + scaler.every)

    def weigh(self, scaler: Scaler, now: int) -> bool:
        """Whether an autoscaler changes anything; if not, it looks again later."""
        plan, book, wanted = self.plan, self.book, scaler.wanted
        asked = laws.weigh(
            plan.scalers, plan.scalersF, scaler.number, self.state, self.recommendations, plan.svc, plan.svcF,
            book.level, book.service_cells, book.cell, book.n_services, wanted, now,
        )  # fmt: skip
        if asked == wanted:
            self.go_on(scaler, now)
        return asked != wanted

    def rescale(self, scaler: Scaler) -> None:
        """A scaler has its way."""
        count = told = int(self.state[scaler.number, ZS_NEXT])
        if scaler.line:
            count = told = scaler.count
            if scaler.beside >= 0:
                wanted = scaler.wanted
                self.state[scaler.beside, ZS_MIN] = told
                count = max(wanted, told)
                if count != wanted:
                    self.state[scaler.beside, ZS_SET] = count
        self.clock.note(NOTE_SCALER, scaler.key, told)
        self.book.transition(EV_SCALE, scaler.number, told)
        self.faults.scale(scaler.service, count)
        self.go_on(scaler, self.clock._now)
