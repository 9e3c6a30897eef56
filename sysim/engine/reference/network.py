"""The network between caller and callee: what is sent, how long it takes, what gets lost, what is answered.

Where a shared queue has another replica serve an attempt than the one it was sent to, it is there that it
belongs from then on; the balancer goes on counting it for the one that it picked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book, flat
from sysim.engine.reference.clock import DEAD, Entry, Wait
from sysim.engine.reference.laws import derive, sample, uniform
from sysim.engine.reference.world import Fault, World
from sysim.plan.tables import (
    FAULT_BLACKHOLE,
    FAULT_LATENCY,
    FAULT_LOSS,
    FAULT_REFUSE,
    FAULT_RESET,
    K_OUT,
    N_K,
    NONE,
    R_ARRIVE,
    R_CANCEL,
    R_REPLY,
    UNREACHABLE,
)
from sysim.semantics.digest import NOTE_SENT
from sysim.semantics.salts import X_BACK, X_CANCEL, X_LOSS_BACK, X_LOSS_CANCEL, X_LOSS_OUT, X_OUT

if TYPE_CHECKING:
    from sysim.engine.reference.calls import Call
    from sysim.engine.reference.visits import Visit

LOSING = frozenset({FAULT_LOSS, FAULT_BLACKHOLE})
REFUSING = frozenset({FAULT_REFUSE, FAULT_RESET})


class Attempt(Wait):
    """One attempt of a call: what its caller knows of it, and what is on the network."""

    __slots__ = (
        "answer", "begun", "call", "cause", "early", "hedge", "key", "notice", "over", "permit", "picked",
        "queued", "replica", "reply", "retry", "sent", "sure", "unspent", "visit",
    )  # fmt: skip

    def __init__(self, call: Call, key: int, hedge: int, retry: int, now: int) -> None:
        super().__init__()
        self.call = call
        self.key = key
        self.hedge = hedge
        self.retry = retry
        self.begun = now
        self.permit = False  # holds one of the bulkhead
        self.queued = False  # waits for one
        self.sent = 0
        self.picked = NONE  # local number of the replica it was sent to
        self.replica: Any = None  # where it belongs now
        self.visit: Visit | None = None
        self.early = False  # a cancel notice came before it
        self.over = False  # the callee is done with it, or will never see it
        self.notice: Entry | None = None  # the cancel notice on its way
        self.answer = NONE
        self.cause = 0  # why the callee failed at it
        self.reply: Entry | None = None  # the answer on its way
        self.sure = False  # no fault of the network can lose that answer
        self.unspent: Visit | None = None  # whose work is for nothing unless the answer is used

    def fire(self, entry: Entry) -> None:
        """A reply, a timeout, a permit, or the end of the wait for one."""
        self.call.heard(self, entry)


class Network:
    """Carries attempts, replies and cancel notices. `open` holds every attempt that is not settled."""

    def __init__(self, world: World, book: Book) -> None:
        self.draws = world.draws
        self.clock = world.clock
        self.book = book
        self.open: dict[Attempt, None] = {}
        self.look_again(world)
        self.door: Wait = DEAD  # where attempts arrive

    def look_again(self, world: World) -> None:
        """Take the tables of policy state from the world."""
        self.outstanding = flat(world.outstanding)
        self.scopes = flat(world.scope)

    # --- what each message undergoes --------------------------------------------------------------------

    def trip(self, attempt: Attempt, draw: int) -> int:
        """How long a message takes one way, without faults."""
        site = attempt.call.site
        policy = site.policy
        latency = 0
        if policy.latency >= 0:
            latency = sample(*self.draws, policy.latency, attempt.key, draw)
        if policy.cross_zone:
            zone = attempt.call.home.zone if site.caller >= 0 else site.zone
            if zone >= 0 and attempt.replica.zone >= 0 and zone != attempt.replica.zone:
                latency += policy.cross_zone
        return latency

    def swallows(self, attempt: Attempt, draw: int) -> bool:
        """Whether a message gets lost."""
        site = attempt.call.site
        kept = 1.0 - site.policy.loss
        for fault in site.faults:
            if attempt.replica in fault.struck and fault.kind in LOSING:
                kept = laws.kept(kept, fault.kind, fault.value)
        loss = 1.0 - kept
        return loss > 0.0 and uniform(attempt.key, draw) < loss

    # --- there ------------------------------------------------------------------------------------------

    def send(self, attempt: Attempt) -> bool:
        """Put an attempt on the network; False if its replica refuses connections."""
        replica, site = attempt.replica, attempt.call.site
        added = 0
        for fault in site.faults:
            if replica in fault.struck:
                if fault.kind in REFUSING:
                    return False
                if fault.kind == FAULT_LATENCY:
                    added += sample(*self.draws, fault.dist, derive(attempt.key, fault.key), 0)
        clock = self.clock
        clock.note(NOTE_SENT, attempt.key, replica.number)
        attempt.sent = 1
        out = self.scopes[attempt.call.scope * N_K + K_OUT]
        if out >= 0:
            self.outstanding[out + replica.number] += 1
        latency = self.trip(attempt, X_OUT) + added
        if self.swallows(attempt, X_LOSS_OUT):
            attempt.over = True
        else:
            replica.coming += 1
            clock.enter(clock._now + latency, R_ARRIVE, attempt.key, self.door, attempt)
        return True

    def closed(self, attempt: Attempt) -> None:
        """An attempt that was sent is settled: one fewer outstanding."""
        out = self.scopes[attempt.call.scope * N_K + K_OUT]
        if out >= 0:
            self.outstanding[out + attempt.picked] -= 1

    def notify(self, attempt: Attempt) -> None:
        """Tell the callee that nobody waits any more, unless it is done or nothing was sent."""
        if attempt.sent and attempt.reply is None and not attempt.over:
            latency = self.trip(attempt, X_CANCEL)
            if not self.swallows(attempt, X_LOSS_CANCEL):
                clock = self.clock
                attempt.notice = clock.enter(clock._now + latency, R_CANCEL, attempt.key, self.door, attempt)

    def done(self, attempt: Attempt) -> None:
        """The callee has nothing to do with an attempt any more: a cancel notice on its way means nothing."""
        attempt.over = True
        if attempt.notice is not None:
            attempt.notice.wait = DEAD

    # --- back -------------------------------------------------------------------------------------------

    def answer(self, attempt: Attempt, outcome: int, visit: Visit | None) -> None:
        """Send a reply. The work of `visit` is for nothing if it does not arrive or comes too late."""
        latency = self.trip(attempt, X_BACK)
        attempt.unspent = visit
        if self.swallows(attempt, X_LOSS_BACK):
            self.forfeit(attempt)
            return
        self.deliver(attempt, outcome, latency)

    def deliver(self, attempt: Attempt, outcome: int, latency: int) -> None:
        """An answer is on its way, and will be there in `latency`."""
        clock = self.clock
        attempt.answer = outcome
        attempt.reply = clock.enter(clock._now + latency, R_REPLY, attempt.key, attempt)

    def forfeit(self, attempt: Attempt) -> None:
        """The answer is not used: neither is the work for it."""
        visit, attempt.unspent = attempt.unspent, None
        if visit is not None:
            self.book.wasted(visit.row, visit.cost)

    # --- faults -----------------------------------------------------------------------------------------

    def cut(self, fault: Fault) -> None:
        """A blackhole begins: what is on the network between these sites and replicas is lost, both ways."""
        for _, _, _, entry in self.clock._queue:
            if not isinstance(entry, Entry) or not entry.wait.open:
                continue
            if entry.rank == R_REPLY:
                attempt: Any = entry.wait
            elif entry.rank == R_ARRIVE or entry.rank == R_CANCEL:
                attempt = entry.what
            else:
                continue
            if attempt.replica not in fault.struck or fault not in attempt.call.site.faults:
                continue
            if entry.rank != R_REPLY:
                entry.wait = DEAD
                if entry.rank == R_ARRIVE:
                    attempt.replica.coming -= 1
                    self.done(attempt)
            elif not attempt.sure:
                entry.wait = DEAD
                attempt.reply = None
                self.forfeit(attempt)

    def reset(self, fault: Fault) -> None:
        """A reset begins: every open attempt from these sites to these replicas is `UNREACHABLE` now."""
        for attempt in self.open:
            if (
                not attempt.sent
                or attempt.replica not in fault.struck
                or fault not in attempt.call.site.faults
            ):
                continue
            if attempt.reply is not None:
                attempt.reply.wait = DEAD
                self.forfeit(attempt)
            attempt.sure = True
            self.deliver(attempt, UNREACHABLE, 0)
