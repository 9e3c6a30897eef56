"""The caller's side of a call, as one pipeline: deadline, tries, hedges, breaker, rate limit, timeout,
bulkhead.

A `Call` is what the caller's story waits for as long as the call lasts. Each `Attempt` is a wait of its
own: what reaches it is told to the call, or, once that is over, settles the attempt alone.
"""

from __future__ import annotations

from typing import Any

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.causes import Causes
from sysim.engine.reference.clock import DEAD, Entry, Wait
from sysim.engine.reference.laws import derive, sample, uniform
from sysim.engine.reference.network import Attempt, Network
from sysim.engine.reference.policy_state import PolicyState
from sysim.engine.reference.stories import Programs, Stopped, Story, Telling
from sysim.engine.reference.world import Home, Site, World
from sysim.plan.tables import (
    BULKHEAD_FULL,
    CANCELLED,
    CIRCUIT_OPEN,
    DEADLINE,
    DEGRADED,
    IN_FLIGHT,
    NEVER,
    NONE,
    R_BACKOFF,
    R_HEDGE,
    R_PERMIT,
    R_REPLY,
    R_TIMEOUT,
    RATE_LIMITED,
    SHED,
    TIMEOUT,
    UNREACHABLE,
)
from sysim.record.columns import CC_REFUSED, N_CC, SPAN_CALL, SPAN_REQUEST
from sysim.semantics.causes import M_CIRCUIT_OPEN, M_SPENT, M_TURNED_AWAY
from sysim.semantics.digest import NOTE_ATTEMPT, NOTE_CALL, NOTE_REQUEST
from sysim.semantics.salts import (
    SALT_FALLBACK,
    X_BACKOFF,
    X_DEADLINE,
    X_DOOR,
    X_FALLBACK,
    X_GIVE_UP,
    X_HEDGE,
    X_TIMEOUT,
)

PENDING = -1  # instead of an outcome: the attempt is under way
NOTICED = frozenset({TIMEOUT, DEADLINE, CANCELLED})
_FALLBACK = int(SALT_FALLBACK)


class Call(Wait):
    """A call that is not over."""

    __slots__ = (
        "attempts", "begun", "calls", "child", "deadline", "group", "hedge", "home", "key", "opened", "owner", "policy",
        "request", "row", "scope", "site", "timer", "trace", "tried", "tries",
    )  # fmt: skip

    def __init__(self, calls: Calls, story: Story, site: Site, key: int) -> None:
        super().__init__(story.thread)
        self.calls = calls
        self.owner = story
        self.child: Story | None = None  # the story of the fallback
        self.home: Home = story.home
        self.site = site
        self.policy = site.policy
        self.scope = site.scope + story.home.number
        self.key = key
        self.begun: int = calls.clock._now
        book = calls.book
        self.row = book.cell * book.n_stats + site.stat if site.stat >= 0 else book.scratch
        self.deadline = NEVER  # what the callees inherit
        self.tries = 0
        self.attempts = 0
        self.group = 0  # attempts of the present try
        self.tried = 0  # bits of the replicas that were picked
        self.opened: dict[Attempt, None] = {}
        self.timer: Entry | None = None
        self.hedge: Entry | None = None
        self.request: tuple[int, int, int] | None = None
        self.trace = 0

    def fire(self, entry: Entry) -> None:
        """The deadline, a back-off or the time for a hedge."""
        self.story.resume(entry)

    def heard(self, attempt: Attempt, entry: Entry) -> None:
        """Something has reached an attempt: the caller hears of it, or the attempt goes its own way."""
        if self.open:
            self.story.resume(entry)
        else:
            self.calls.hear(entry)


class Calls:
    """Makes calls, for stories of any kind."""

    def __init__(self, world: World, book: Book, programs: Programs, network: Network) -> None:
        self.world = world
        self.clock = world.clock
        self.book = book
        self.programs = programs
        self.network = network
        self.serves = world.serves
        self.causes = Causes(len(world.plan.sites))
        self.state = PolicyState(world, book, network)
        self.open: dict[Call, None] = {}
        self.last: Call | None = None  # the last request that ended, and how
        self.last_outcome = NONE

    # --- the call ---------------------------------------------------------------------------------------

    def call(self, story: Story, site: Site, key: int, fallback: int) -> Telling:
        """The story of a call; its outcome."""
        call = Call(self, story, site, key)
        story.call = call
        self.open[call] = None
        call.trace = story.trace
        if site.stream >= 0:
            call.request = self.book.offered(site.stream)
            if self.book.samples:
                call.trace = self.book.sampled(story.key if story.one_call else key)
            self.clock.open += 1
        try:
            outcome = yield from self.attempts(call, story.deadline)
            self.call_off(call)
            if call.policy.fallback_on >> outcome & 1:
                outcome = yield from self.fall_back(call, story, outcome, fallback)
        except Stopped as stopped:
            for attempt in list(call.opened):
                self.settle(attempt, stopped.outcome)
            self.end(call, story, stopped.outcome)
            raise
        self.end(call, story, outcome)
        return outcome

    def attempts(self, call: Call, inherited: int) -> Telling:
        """Try, and try again; the outcome of the last attempt, or `DEADLINE`."""
        clock, policy = self.clock, call.policy
        if inherited <= call.begun:
            call.owner.cause = self.causes.at(M_SPENT, 0, call.site)
            return DEADLINE
        door = self.world.doors[call.site.stream] if call.request is not None else 0.0
        if door > 0.0 and uniform(call.key, X_DOOR) < door:
            call.owner.cause = self.causes.at(M_TURNED_AWAY, 0, call.site)
            return SHED
        if policy.fallback_forced:
            call.owner.cause = self.causes.at(M_CIRCUIT_OPEN, 0, call.site)
            return CIRCUIT_OPEN
        deadline = min(inherited, call.begun + policy.deadline)
        if policy.deadline_drawn >= 0:
            drawn = sample(*self.world.draws, policy.deadline_drawn, call.key, X_DEADLINE)
            deadline = min(deadline, call.begun + drawn)
        call.deadline = deadline if policy.propagate else inherited
        if deadline < NEVER:
            call.timer = clock.enter(deadline, R_TIMEOUT, call.key, call)
        if policy.budget:
            self.state.budget(laws.budget_tried, call)
        delay = 0
        while True:
            call.tries += 1
            call.group = 0
            outcome = self.launch(call, 0)
            while call.opened:
                entry = yield call
                if entry.rank == R_HEDGE:
                    outcome = self.launch(call, 1)
                elif entry.wait is call:
                    return self.expire(call)
                else:
                    outcome = self.hear(entry)
                if 0 <= outcome <= DEGRADED:
                    self.release_losers(call)
                    return outcome
            if call.hedge is not None:
                call.hedge.wait = DEAD
            if call.tries >= policy.max_attempts or not policy.retry_on >> outcome & 1:
                return outcome
            if policy.give_up > 0.0 and uniform(call.key, X_GIVE_UP - call.tries) < policy.give_up:
                return outcome
            if policy.budget and not self.state.budget(laws.budget_allow, call):
                self.book.refusals[call.row * N_CC + CC_REFUSED] += 1
                return outcome
            if policy.backoff:
                jitter = uniform(call.key, X_BACKOFF + call.tries)
                delay = self.state.backoff(policy.row, call.tries, delay, jitter)
                if delay > 0:
                    pause = clock.enter(clock._now + delay, R_BACKOFF, call.key, call)
                    entry = yield call
                    if entry is not pause:
                        pause.wait = DEAD
                        return self.expire(call)

    def expire(self, call: Call) -> int:
        """The deadline has come: nothing is waited for any more."""
        for attempt in list(call.opened):
            self.settle(attempt, DEADLINE)
        return DEADLINE

    def release_losers(self, call: Call) -> None:
        """An attempt has succeeded: the others are cancelled, or run on by themselves."""
        for attempt in list(call.opened):
            if call.policy.hedge_cancel:
                self.settle(attempt, CANCELLED, tell=1)
            else:
                call.home.orphans[attempt] = None

    def call_off(self, call: Call) -> None:
        """The attempts are over: deadline and hedge timer with them."""
        if call.timer is not None:
            call.timer.wait = DEAD
        if call.hedge is not None:
            call.hedge.wait = DEAD

    def fall_back(self, call: Call, story: Story, outcome: int, pc: int) -> Telling:
        """The fallback of a failed call: `DEGRADED` if it succeeds, else the old outcome."""
        policy = call.policy
        if policy.fallback_latency >= 0:
            latency = sample(*self.world.draws, policy.fallback_latency, call.key, X_FALLBACK)
            wait = Wait(story.thread)
            self.clock.enter(self.clock._now + latency, R_BACKOFF, call.key, wait)
            yield wait
        if pc >= 0:
            other = Story(derive(call.key, _FALLBACK), story.home, story.deadline, story.visit)
            other.thread = story.thread
            other.trace = call.trace
            other.priority = story.priority
            other.span = call.key
            call.child = other
            if (yield from self.programs.follow(other, pc)) > DEGRADED:
                return outcome
        return DEGRADED

    def end(self, call: Call, story: Story, outcome: int) -> None:
        """Close the call and write it down."""
        clock = self.clock
        call.open = False
        self.call_off(call)
        story.call = None
        del self.open[call]
        laws.call_ended(self.book.call_cells, call.row, outcome)
        clock.note(NOTE_CALL, call.key, outcome)
        if call.request is not None:
            self.last, self.last_outcome = call, outcome
            self.book.request_ended(call.site.stream, call.request, outcome, clock._now - call.begun)
            if outcome > DEGRADED:
                self.book.failed(call.site.stream, call.request, outcome, story.cause)
            key = story.key if story.one_call else call.key
            if call.trace:
                self.book.span(call.trace, call.key, key, SPAN_CALL, call.site.number, call.begun, outcome)
                self.book.span(call.trace, key, NONE, SPAN_REQUEST, call.site.stream, call.begun, outcome)
            clock.open -= 1
            clock.note(NOTE_REQUEST, key, outcome)
        elif call.trace:
            self.book.span(call.trace, call.key, story.span, SPAN_CALL, call.site.number, call.begun, outcome)

    # --- an attempt -------------------------------------------------------------------------------------

    def launch(self, call: Call, hedge: int) -> int:
        """Make the next attempt; `PENDING`, or the outcome with which it was refused here."""
        clock, policy = self.clock, call.policy
        key = derive(call.key, call.attempts)
        attempt = Attempt(call, key, hedge, 1 if call.group == 0 and call.tries > 1 else 0, clock._now)
        call.attempts += 1
        call.group += 1
        outcome = self.admit(attempt)
        if call.group < policy.hedge_max and call.opened:
            delay = sample(*self.world.draws, policy.hedge_delay, call.key, X_HEDGE + 64 * call.attempts)
            call.hedge = clock.enter(clock._now + delay, R_HEDGE, call.key, call)
        return outcome

    def admit(self, attempt: Attempt) -> int:
        """Through breaker, rate limit, timeout and bulkhead to the network."""
        clock, call = self.clock, attempt.call
        policy = call.policy
        state = self.state
        if policy.breaker and not state.breaker_admits(call):
            return self.refuse(attempt, CIRCUIT_OPEN)
        if policy.rate_limit and not state.limit_admits(call):
            return self.refuse(attempt, RATE_LIMITED)
        waits = policy.bulkhead < NEVER and not state.takes_permit(attempt)
        if waits and policy.bulkhead_wait <= 0:
            state.release(call)
            return self.refuse(attempt, BULKHEAD_FULL)
        call.opened[attempt] = None
        self.network.open[attempt] = None
        timeout = policy.timeout
        if policy.timeout_drawn >= 0:
            timeout = sample(*self.world.draws, policy.timeout_drawn, attempt.key, X_TIMEOUT)
        if timeout < NEVER:
            clock.enter(clock._now + timeout, R_TIMEOUT, attempt.key, attempt)
        if waits:
            state.queue_for_permit(attempt)
            return PENDING
        return self.dispatch(attempt)

    def refuse(self, attempt: Attempt, outcome: int) -> int:
        """The attempt is over before it began."""
        call = attempt.call
        if outcome == CIRCUIT_OPEN:
            call.owner.cause = self.causes.through_breaker(self.state.last_failure(call), call.site)
        else:
            call.owner.cause = self.causes.refusal(outcome, call.site)
        attempt.open = False
        laws.attempt_ended(self.book.call_cells, call.row, outcome, 0, attempt.retry, attempt.hedge)
        self.clock.note(NOTE_ATTEMPT, attempt.key, outcome)
        return outcome

    def dispatch(self, attempt: Attempt) -> int:
        """Choose a replica and send; settled as `UNREACHABLE` where there is none, or it refuses."""
        call = attempt.call
        service = call.site.callee
        n = len(service.replicas)
        local = laws.pick(
            self.state.scope, call.scope, self.state.policies, call.policy.row, self.serves,
            service.replicas[0].row, n, self.state.outstanding, call.tried if call.open else 0, attempt.key,
        )  # fmt: skip
        if local >= 0:
            call.tried |= 1 << local % 62
            attempt.replica = service.replicas[local]
            attempt.picked = local
            if self.network.send(attempt):
                return PENDING
        self.settle(attempt, UNREACHABLE)
        return UNREACHABLE

    def hear(self, entry: Entry) -> int:
        """What an entry means for the attempt that it reaches: `PENDING`, or settled with an outcome."""
        attempt: Any = entry.wait
        rank = entry.rank
        if rank == R_REPLY:
            outcome = attempt.answer
            attempt.unspent = None
        elif rank == R_TIMEOUT:
            outcome = TIMEOUT
        elif rank == R_PERMIT:
            return self.dispatch(attempt)
        else:
            outcome = BULKHEAD_FULL
        self.settle(attempt, outcome)
        return int(outcome)

    def settle(self, attempt: Attempt, outcome: int, tell: int = 0) -> None:
        """Close the caller's side of an attempt. With `tell` the callee hears of it in any case."""
        call = attempt.call
        cause = 0
        if laws.has_cause(outcome):
            cause = self.causes.why(attempt, outcome)
            if call.open:
                call.owner.cause = cause
        attempt.open = False
        del call.opened[attempt]
        del self.network.open[attempt]
        if not call.open:
            call.home.orphans.pop(attempt, None)
        if call.home.up:  # the policy state of a crashed replica is gone
            self.state.put_back(attempt, outcome, cause)
        laws.attempt_ended(
            self.book.call_cells, call.row, outcome, attempt.sent, attempt.retry, attempt.hedge
        )
        self.clock.note(NOTE_ATTEMPT, attempt.key, outcome)
        if outcome in NOTICED and (tell or call.policy.cancel):
            self.network.notify(attempt)
        if attempt.unspent is not None:
            self.network.forfeit(attempt)

    # --- the end of the run -----------------------------------------------------------------------------

    def close(self) -> None:
        """Everything that is still open is in flight."""
        for call in self.open:
            laws.call_ended(self.book.call_cells, call.row, IN_FLIGHT)
            if call.request is not None:
                self.book.request_in_flight(call.request)
                self.book.failed(call.site.stream, call.request, IN_FLIGHT, self.causes.stuck_call(call))
        for attempt in self.network.open:
            laws.attempt_ended(
                self.book.call_cells, attempt.call.row, IN_FLIGHT, attempt.sent, attempt.retry, attempt.hedge
            )
