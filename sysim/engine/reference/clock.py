"""The clock: SimPy's environment, popping entries in the canonical order.

An entry is a SimPy event in the environment's own heap, at (time, order). It leads to a `Wait`, the only
thing a story yields. Any number of entries may be on their way to one wait; the first that is popped
resumes the story and closes the wait, and the others are dead: they leave no trace. What stays open over
several entries, as a call does over its attempts, is a wait with a `fire` of its own.

Whatever else lies in the heap was put there by a user's own SimPy process. It is served, and not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.core import EmptySchedule, StopSimulation

from sysim.engine.reference.laws import chain, note
from sysim.errors import SimulationError
from sysim.plan.tables import INSTANT_LIMIT, NEVER

KEY_BITS = 58
KEY_MASK = (1 << KEY_BITS) - 1
_WRAP = 1 << 64
_TOP = 1 << 63


class Wait:
    """What a story waits for. `open` until an entry has come."""

    __slots__ = ("open", "story")

    def __init__(self, story: Any = None) -> None:
        self.open = True
        self.story = story

    def fire(self, entry: Entry) -> None:
        """An entry has come: the story goes on."""
        self.open = False
        self.story.resume(entry)

    def comes_true(self, time: int) -> bool:
        """Whether a look at `time` comes to something."""
        return self.open


DEAD = Wait()
DEAD.open = False


class Entry(simpy.Event):
    """One event of the canonical order. Set `wait` to `DEAD` to call it off."""

    __slots__ = ("key", "rank", "wait", "what")

    def __init__(self, rank: int, key: int, wait: Wait, what: Any) -> None:
        self.rank = rank
        self.key = key
        self.wait = wait
        self.what = what


class Look(Entry):
    """An entry of which only its own turn shows whether it is live: a look at something that may come to nothing."""

    __slots__ = ()


class Clock(simpy.Environment):
    """Time, the heap of entries, the count and digest of those that were live.

    `open` counts requests and messages that are under way; after `duration` the run goes on only for them.
    """

    _now: int  # ns
    _queue: list[Any]

    def __init__(self, digest: int, duration: int, drain: int) -> None:
        super().__init__(0)
        self.duration = duration
        self.limit = min(NEVER, duration + drain)
        self.edge = 0  # the next instant at which `on_edge` wants to be called
        self.on_edge: Callable[[int], None] = lambda time: None
        self.after: Callable[[], None] | None = None  # called after each live entry, while it is set
        self.open = 0
        self.events = 0
        self.digest = digest
        self.notes = 0
        self.last = 0
        self.log: list[tuple[int, int, int, int]] | None = None
        self.strict = False
        self.own = 0  # entries in the heap, dead ones included
        self.subject: Callable[[], str] = lambda: ""
        self._instant = -1
        self._at_instant = 0

    def enter(self, time: int, rank: int, key: int, wait: Wait, what: Any = None) -> Entry:
        """Put an entry on its way to `wait`."""
        entry = Entry(rank, key, wait, what)
        self.own += 1
        heappush(self._queue, (time, rank << KEY_BITS | key & KEY_MASK, next(self._eid), entry))
        return entry

    def note(self, code: int, key: int, value: int) -> None:
        """Add to the notes of the present entry."""
        notes = self.notes + note(code, key, value)
        if not -_TOP <= notes < _TOP:
            notes = (notes + _TOP) % _WRAP - _TOP
        self.notes = notes

    def step(self) -> None:
        """Serve the next event; SimPy's `run` calls this until it is told to stop."""
        queue = self._queue
        if not queue:
            raise EmptySchedule
        time, order, _, entry = heappop(queue)
        if entry.__class__ is not Entry and not self._looked(time, entry):
            return
        self.own -= 1
        wait = entry.wait
        if not wait.open:
            return
        if time >= self.duration and (self.open == 0 or time >= self.limit):
            raise StopSimulation(None)
        if time >= self.edge:
            self.on_edge(time)
        if time != self._instant:
            self._instant = time
            self._at_instant = 0
        self._at_instant += 1
        if self._at_instant > INSTANT_LIMIT:
            raise SimulationError(self._stuck(time))
        if self.strict:
            self._alone(time, order)
        self._now = self.last = time
        wait.fire(entry)
        entry.wait = DEAD
        if self.after is not None:
            self.after()
        self.events += 1
        self.digest = chain(self.digest, time, order, self.notes)
        if self.log is not None:
            self.log.append((time, entry.rank, entry.key, self.notes))
        self.notes = 0

    def look(self, time: int, rank: int, key: int, wait: Any, what: Any) -> None:
        """Put an entry on its way that is live if ``wait.comes_true(time)`` says so when its turn has come."""
        self.own += 1
        order = rank << KEY_BITS | key & KEY_MASK
        heappush(self._queue, (time, order, next(self._eid), Look(rank, key, wait, what)))

    def _looked(self, time: int, event: Any) -> bool:
        """Whether an event that is no plain entry is a live one: a look that has found something."""
        if event.__class__ is not Look:
            self._foreign(time, event)
            return False
        if not event.wait.comes_true(time):
            self.own -= 1
            return False
        return True

    def _foreign(self, time: int, event: simpy.Event) -> None:
        """An event of a user's process: nothing of it is counted."""
        if time >= self.limit or (time >= self.duration and (self.open == 0 or self.own == 0)):
            raise StopSimulation(None)
        if time >= self.edge:
            self.on_edge(time)
        self._now = time
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value

    def _alone(self, time: int, order: int) -> None:
        """No two live entries may share time and order: their turn would be a matter of luck."""
        queue = self._queue
        while queue and queue[0][0] == time and queue[0][1] == order:
            other = heappop(queue)[3]
            self.own -= 1
            assert not other.wait.open, f"two live entries at {time} with rank {other.rank}, key {other.key}"

    def _stuck(self, time: int) -> str:
        return (
            f"time does not advance: more than {INSTANT_LIMIT:,} events at {time / 1e9:.9f} s; "
            f"last seen: {self.subject()}. "
            "Users without think time who are refused at once do this: give them a think time or a back-off."
        )
