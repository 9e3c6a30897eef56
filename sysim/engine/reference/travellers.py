"""Travellers: whoever makes the rounds of a load, once, or again and again as a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysim.engine.reference.clock import Wait
from sysim.engine.reference.laws import derive, next_stay, stay_at, stays_until
from sysim.engine.reference.stories import AWAY, GONE, Programs, Start, Story, Telling
from sysim.engine.reference.world import Home
from sysim.plan.tables import NEVER, NONE, R_START, Y_FROM

if TYPE_CHECKING:
    from sysim.engine.reference.book import Book


class Traveller(Story):
    """Whoever makes the rounds of a load. If they are journeys they are counted: `stream` is the first of the load."""

    __slots__ = ("book", "row", "stream")
    leaves = True

    def __init__(self, book: Book, key: int, home: Home, stream: int) -> None:
        super().__init__(key, home, NEVER, None)
        self.book = book
        self.stream = stream
        self.row = NONE

    def sets_out(self) -> None:
        """A journey begins."""
        if self.stream >= 0:
            self.row = self.book.journey_begins(self.stream)

    def arrives(self, outcome: int) -> None:
        """It is over, one way or the other."""
        if self.row >= 0 and outcome not in (GONE, AWAY):
            self.book.journey_ends(self.row, outcome)


class User(Traveller):
    """A user in a closed loop: thinks, sends, waits, begins again; a cycle has a key of its own.

    A user who is thinking is not counted as open. One who comes and goes is in `stay`, or waits for it.
    """

    __slots__ = ("pause", "pc", "programs", "stay", "user_key")

    def __init__(
        self, programs: Programs, home: Home, user_key: int, pc: int, priority: int, stream: int, stay: int
    ) -> None:
        super().__init__(programs.visits.book, derive(user_key, 0), home, stream)
        self.pause = pc
        self.priority = priority
        self.programs = programs
        self.user_key = user_key
        self.pc = pc
        self.stay = stay
        self.generator = self.life()
        self.wait = Start(self)

    def life(self) -> Telling:
        """Cycle after cycle."""
        clock = self.programs.clock
        cycle = 0
        while True:
            self.key = derive(self.user_key, cycle)
            self.degraded = False
            outcome = yield from self.programs.follow(self, self.pc)
            self.arrives(outcome)
            if outcome == GONE:
                return outcome
            if clock._now >= clock.duration:
                return GONE
            cycle += 1
            if outcome == AWAY:
                if self.stay == NONE:
                    return GONE
                wait = Wait(self)
                begins = int(self.programs.world.plan.stays[self.stay, Y_FROM])
                clock.enter(begins, R_START, derive(self.user_key, cycle), wait)
                yield wait

    def remains(self, pause: int) -> bool:
        """Whether its stay lasts beyond a pause that begins now; else it leaves, and `stay` is the next one."""
        stays, now = self.programs.world.plan.stays, self.programs.clock._now
        self.stay = stay_at(stays, self.stay, now)
        if stays_until(stays, self.stay, now, now + pause):
            return True
        self.stay = next_stay(stays, self.stay, now)
        return False
