"""Actions: levers that operators pull, at an instant or when a condition has come true.

A lever that is not pulled leaves no trace: the entry of a look at a condition is dead unless it is met.
"""

from __future__ import annotations

import numpy as np

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.faults import Faults
from sysim.engine.reference.laws import derive, sample
from sysim.engine.reference.visits import Visits
from sysim.engine.reference.world import Replica, World
from sysim.plan.tables import (
    AC_AFTER,
    AC_AT,
    AC_EVERY,
    AC_FIRST_LEVER,
    AC_KEY,
    AC_LEVERS,
    AC_METRIC,
    ACTION_CARRIED_OUT,
    ACTION_DECIDED,
    ACTION_DUE,
    ACTION_LOOK,
    ACTION_PULL,
    AS_SINCE,
    LE_ARG,
    LE_COLUMN,
    LE_FIRST_HIT,
    LE_HITS,
    LE_KIND,
    LE_STRIKE,
    LE_VALUE,
    LEF_VALUE,
    LEVER_CLEAR_QUEUE,
    LEVER_DRAIN,
    LEVER_FLAG,
    LEVER_RESTART,
    LEVER_SCALE,
    LEVER_SHED,
    N_AS,
    N_SEEN,
    NEVER,
    R_ACTION,
    SHED,
    WANTED,
    X_AFTER,
)
from sysim.record.columns import EV_ACTION
from sysim.record.histogram import BINS
from sysim.semantics.digest import NOTE_ACTION


class Action(Wait):
    """A row of `actions`. Never closed."""

    __slots__ = ("actions", "after", "every", "first", "key", "levers", "number")

    def __init__(self, actions: Actions, number: int, of: list[int], seed_key: int) -> None:
        super().__init__()
        self.actions = actions
        self.number = number
        self.key = derive(seed_key, of[AC_KEY])
        self.after = of[AC_AFTER]
        self.every = of[AC_EVERY]
        self.first, self.levers = of[AC_FIRST_LEVER], of[AC_LEVERS]

    def comes_true(self, time: int) -> bool:
        """Look at the condition."""
        return self.actions.look(self, time)

    def fire(self, entry: Entry) -> None:
        """The condition is met, or the lever is pulled."""
        if entry.what == ACTION_LOOK and self.after >= 0:
            self.actions.decide(self)
        else:
            self.actions.carry_out(self)


class Actions:
    """Pulls the levers of the plan."""

    def __init__(self, world: World, book: Book, visits: Visits, faults: Faults) -> None:
        plan = world.plan
        self.world = world
        self.clock = world.clock
        self.book = book
        self.visits = visits
        self.faults = faults
        self.plan = plan
        self.levers = plan.levers.tolist()
        self.shares = plan.leversF[:, LEF_VALUE].tolist()
        self.state = np.zeros((len(plan.actions), N_AS), dtype=np.int64)
        self.state[:, AS_SINCE] = NEVER
        self.seen = np.zeros((max(1, plan.n_slots), N_SEEN), dtype=np.int64)
        self.seen_hist = np.zeros((max(1, plan.n_bins), BINS), dtype=np.int64)

    def schedule(self) -> None:
        """The instant, or the first look, of every action."""
        clock = self.clock
        for number, of in enumerate(self.plan.actions.tolist()[: self.plan.n_actions]):
            action = Action(self, number, of, self.world.seed_key)
            if of[AC_METRIC] >= 0:
                self.next_look(action, 0)
            elif of[AC_AT] < clock.duration:
                at = of[AC_AT] + self.delay(action)
                clock.enter(at, R_ACTION, derive(action.key, ACTION_DUE), action, ACTION_DUE)

    def next_look(self, action: Action, now: int) -> None:
        """The next look at the condition, if that is before the load is over."""
        at = now + action.every
        if at < self.clock.duration:
            self.clock.look(at, R_ACTION, derive(action.key, ACTION_LOOK), action, ACTION_LOOK)

    def look(self, action: Action, now: int) -> bool:
        """Whether the condition is met; if not, look again later."""
        plan, record = self.plan, self.book.record
        met = laws.look(
            plan.actions, plan.actionsF, action.number, self.state, self.seen, self.seen_hist, plan.svc, plan.loads,
            record.level, record.load_cells, record.load_hist, self.book.cell, self.book.n_streams, now,
        )  # fmt: skip
        if not met:
            self.next_look(action, now)
        return bool(met)

    def delay(self, action: Action) -> int:
        """How long people take."""
        return sample(*self.world.draws, action.after, action.key, X_AFTER) if action.after >= 0 else 0

    def decide(self, action: Action) -> None:
        """The condition is met, and the lever will be pulled."""
        clock = self.clock
        self.tell(action, ACTION_DECIDED)
        clock.enter(clock._now + self.delay(action), R_ACTION, derive(action.key, ACTION_PULL), action, ACTION_PULL)

    def carry_out(self, action: Action) -> None:
        """Pull all levers of an action."""
        self.tell(action, ACTION_CARRIED_OUT)
        for number in range(action.first, action.first + action.levers):
            self.pull(self.levers[number], self.shares[number])

    def tell(self, action: Action, what: int) -> None:
        """Write it down."""
        self.clock.note(NOTE_ACTION, action.key, what)
        self.book.transition(EV_ACTION, action.number, what)

    # --- levers -----------------------------------------------------------------------------------------

    def pull(self, lever: list[int], share: float) -> None:
        """One lever."""
        kind, arg = lever[LE_KIND], lever[LE_ARG]
        if kind == LEVER_FLAG:
            self.world.flags[arg] = lever[LE_VALUE]
        elif kind == LEVER_SHED:
            self.world.doors[arg] = share
        elif kind == LEVER_CLEAR_QUEUE:
            self.visits.clear_queue(self.world.services[arg], SHED)
        elif kind == LEVER_RESTART:
            self.restart(self.struck(lever, share))
        elif kind == LEVER_DRAIN:
            replicas = self.among(lever)
            for replica in replicas[: self.strikes(lever, share, replicas)]:
                self.drain(replica, lever[LE_VALUE] != 0)
        elif kind == LEVER_SCALE:
            self.faults.scale(self.world.services[arg], lever[LE_VALUE])
        else:
            self.world.set_policy(arg, lever[LE_COLUMN], lever[LE_VALUE])

    def among(self, lever: list[int]) -> list[Replica]:
        """The replicas that a lever may strike, lowest number first."""
        first = lever[LE_FIRST_HIT]
        rows = self.plan.lever_hits[first : first + lever[LE_HITS]].tolist()
        replicas = [self.world.replicas[row] for row in rows]
        return [replica for replica in replicas if replica.standing == WANTED]

    def strikes(self, lever: list[int], share: float, replicas: list[Replica]) -> int:
        """How many of these it strikes at most."""
        if lever[LE_STRIKE] >= 0:
            return lever[LE_STRIKE]
        return len(replicas) if share < 0.0 else laws.struck(share, len(replicas))

    def struck(self, lever: list[int], share: float) -> list[Replica]:
        """The replicas that a restart strikes: the lowest-numbered of those that are up, or wait to be started."""
        replicas = self.among(lever)
        some = [replica for replica in replicas if replica.up or self.faults.waits(replica)]
        return some[: self.strikes(lever, share, replicas)]

    def drain(self, replica: Replica, out: bool) -> None:
        """A replica is taken out of service, or comes back into it."""
        replica.drained = out
        self.world.serves[replica.row] = int(replica.serves)
        self.visits.open_up(replica)

    def restart(self, replicas: list[Replica]) -> None:
        """Kill them, where they are not down anyway, and start them."""
        for replica in replicas:
            if replica.up:
                self.faults.crash(replica)
            else:
                self.faults.release(replica)
            self.faults.restart(replica, 0)
