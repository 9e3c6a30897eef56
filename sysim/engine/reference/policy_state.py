"""What a caller keeps from call to call: breaker, rate limit, bulkhead, budget, each a row of `scope`.

Laws decide; here it is known which row is meant, who waits for a permit, and what is written down.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book, flat
from sysim.engine.reference.clock import DEAD, Entry
from sysim.engine.reference.network import Attempt, Network
from sysim.engine.reference.world import World
from sysim.plan.tables import (
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN,
    BREAKER_OPEN,
    DEADLINE,
    DEGRADED,
    ERROR,
    K_CAUSE,
    K_KEY,
    K_PERMITS_USED,
    K_SINCE,
    K_STAT,
    K_STATE,
    LOST,
    N_K,
    R_PATIENCE,
    R_PERMIT,
    REJECTED,
    SHED,
    TIMEOUT,
    UNREACHABLE,
)
from sysim.record.columns import EV_BREAKER
from sysim.semantics.digest import NOTE_BREAKER

if TYPE_CHECKING:
    from sysim.engine.reference.calls import Call

FAILURES = frozenset({ERROR, TIMEOUT, DEADLINE, REJECTED, SHED, UNREACHABLE, LOST})


class PolicyState:
    """The policy state of all callers."""

    def __init__(self, world: World, book: Book, network: Network) -> None:
        self.world = world
        self.clock = world.clock
        self.book = book
        self.network = network
        self.policies, self.policies_f = world.policy_rows, world.plan.policiesF
        self.lines: dict[int, OrderedDict[Attempt, Entry]] = {}  # who waits for a permit, by scope
        self.look_again()

    def look_again(self) -> None:
        """Take the tables of policy state from the world; it makes larger ones when a user needs more."""
        world = self.world
        self.scope, self.ring, self.outstanding = world.scope, world.ring, world.outstanding
        self.scopes = flat(world.scope)
        self.network.look_again(world)

    def forget(self, k: int) -> None:
        """The owner of row `k` has crashed: it begins anew."""
        self.lines.pop(k, None)
        self.world.renew(k, self.clock._now)

    # --- budget and back-off ----------------------------------------------------------------------------

    def budget(self, law: Any, call: Call) -> Any:
        """Ask a law of the retry budget."""
        return law(
            self.scope,
            call.scope,
            self.ring,
            self.policies,
            self.policies_f,
            call.policy.row,
            self.clock._now,
        )

    def backoff(self, policy: int, tries: int, delay: int, jitter: float) -> int:
        """How long to wait before the next try, after `delay` before this one."""
        return laws.backoff_delay(self.policies, self.policies_f, policy, tries, delay, jitter)

    # --- on the way out ---------------------------------------------------------------------------------

    def breaker_admits(self, call: Call) -> bool:
        """Ask the breaker."""
        k = call.scope
        answer = laws.breaker_acquire(self.scope, k, self.policies, call.policy.row, self.clock._now)
        if answer == 2:
            self.turned(k, BREAKER_HALF_OPEN)
        return answer != 0

    def last_failure(self, call: Call) -> int:
        """The cause of the last failure that the breaker counted."""
        return int(self.scopes[call.scope * N_K + K_CAUSE])

    def limit_admits(self, call: Call) -> bool:
        """Ask the rate limit; where it refuses, the breaker has its admission back."""
        if laws.rate_acquire(self.scope, call.scope, self.policies, call.policy.row, self.clock._now):
            return True
        self.release(call)
        return False

    def takes_permit(self, attempt: Attempt) -> bool:
        """Take a permit of the bulkhead, if there is one."""
        at = attempt.call.scope * N_K + K_PERMITS_USED
        if self.scopes[at] >= attempt.call.policy.bulkhead:
            return False
        self.scopes[at] += 1
        attempt.permit = True
        return True

    def queue_for_permit(self, attempt: Attempt) -> None:
        """Wait for a permit as long as patience lasts."""
        clock = self.clock
        until = clock._now + attempt.call.policy.bulkhead_wait
        line = self.lines.setdefault(attempt.call.scope, OrderedDict())
        line[attempt] = clock.enter(until, R_PATIENCE, attempt.key, attempt)
        attempt.queued = True

    # --- when an attempt is over ------------------------------------------------------------------------

    def put_back(self, attempt: Attempt, outcome: int, cause: int) -> None:
        """Permit, place in the line, breaker, budget and balancer learn that the attempt is over."""
        clock, call = self.clock, attempt.call
        policy, k = call.policy, call.scope
        if attempt.permit:
            self.hand_over(k)
        elif attempt.queued:
            self.lines[k].pop(attempt).wait = DEAD
        if attempt.sent:
            self.network.closed(attempt)
        if policy.breaker:
            if outcome <= DEGRADED or outcome in FAILURES:
                if outcome > DEGRADED:
                    self.scopes[k * N_K + K_CAUSE] = cause
                self.judge(call, 1 if outcome in FAILURES else 0, clock._now - attempt.begun)
            else:
                self.release(call)
        if policy.budget and outcome <= DEGRADED:
            self.budget(laws.budget_succeeded, call)

    def hand_over(self, k: int) -> None:
        """A permit is free: the first who waits has it at once, and learns of it by an entry."""
        line = self.lines.get(k)
        if not line:
            self.scopes[k * N_K + K_PERMITS_USED] -= 1
            return
        attempt, patience = line.popitem(last=False)
        patience.wait = DEAD
        attempt.permit = True
        attempt.queued = False
        self.clock.enter(self.clock._now, R_PERMIT, attempt.key, attempt)

    def judge(self, call: Call, failed: int, duration: int) -> None:
        """The breaker learns a result."""
        now, k = self.clock._now, call.scope
        since = self.scopes[k * N_K + K_SINCE]
        was_closed = self.scopes[k * N_K + K_STATE] == BREAKER_CLOSED
        state = laws.breaker_record(
            self.scope, k, self.ring, self.policies, self.policies_f, call.policy.row, now, failed, duration
        )
        if state < 0:
            return
        stat = self.scopes[k * N_K + K_STAT]
        row = self.book.cell * self.book.n_stats + stat if stat >= 0 else self.book.scratch
        if state == BREAKER_OPEN:
            laws.breaker_opened(self.book.call_cells, row, now - since if was_closed else -1)
        else:
            laws.breaker_closed(self.book.call_cells, row, now - since)
        self.turned(k, state)

    def release(self, call: Call) -> None:
        """The attempt has no result for the breaker."""
        if call.policy.breaker:
            laws.breaker_release(self.scope, call.scope)

    def turned(self, k: int, state: int) -> None:
        """The breaker of row `k` has a new state."""
        self.clock.note(NOTE_BREAKER, self.scopes[k * N_K + K_KEY], state)
        if k < self.world.plan.n_scopes:
            self.book.transition(EV_BREAKER, k, state)
