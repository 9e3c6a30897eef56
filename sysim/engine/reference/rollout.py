"""A service gets more replicas, or fewer, or those of another version: who comes, who leaves, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.laws import derive
from sysim.engine.reference.world import Replica, Service, World
from sysim.plan.scalers import rolls_at_first
from sysim.plan.tables import (
    GONE,
    LE_MISSING,
    LE_SURGE,
    LEAVING,
    LEF_MISSING,
    LEF_SURGE,
    R_ACTION,
    RO_BEFORE,
    RO_DESIRED,
    RO_LEVER,
    RO_ROLLING,
    RO_TARGET,
    ROLL_NO,
    ROLL_ON,
    ROLL_SHORT,
    S_ZONES,
    WANTED,
)
from sysim.record.columns import EV_ROLLED

if TYPE_CHECKING:
    from sysim.engine.reference.faults import Faults


class Roll(Wait):
    """What a service shall come to. Never closed; its entries go on with it. The columns of `rolls`, by name."""

    __slots__ = ("before", "desired", "due", "lever", "rolling", "rollout", "service", "target", "zones")

    def __init__(self, rollout: Rollout, service: Service, of: list[int], zones: int) -> None:
        super().__init__()
        self.rollout, self.service, self.zones = rollout, service, zones
        self.desired, self.target, self.before = of[RO_DESIRED], of[RO_TARGET], of[RO_BEFORE]
        self.lever, self.rolling = of[RO_LEVER], of[RO_ROLLING]
        self.due = False

    def fire(self, entry: Entry) -> None:
        """Replicas have become ready, gone down or gone: more may come and leave."""
        self.rollout.go_on(self)


class Rollout:
    """Brings services to the replicas that they shall have."""

    def __init__(self, world: World, book: Book, faults: Faults) -> None:
        plan = world.plan
        self.world = world
        self.clock = world.clock
        self.book = book
        self.faults = faults
        self.levers, self.shares = plan.levers.tolist(), plan.leversF.tolist()
        rows = rolls_at_first(plan).tolist()
        zones = plan.svc[:, S_ZONES].tolist()
        self.rolls = [Roll(self, service, rows[n], zones[n]) for n, service in enumerate(world.services)]

    def desired(self, service: Service) -> int:
        """How many replicas a service shall have."""
        return self.rolls[service.number].desired

    def scale(self, service: Service, count: int) -> None:
        """There shall be so many replicas of a service."""
        roll = self.rolls[service.number]
        roll.desired = count
        self.reach(roll)

    def deploy(self, service: Service, lever: int) -> None:
        """All replicas of a service are replaced by those of the version that a lever brings."""
        roll = self.rolls[service.number]
        roll.before, roll.target, roll.lever = roll.target, lever + 1, lever
        roll.rolling = ROLL_ON
        self.reach(roll)

    def roll_back(self, service: Service) -> None:
        """All replicas of a service are replaced by those of the version before; without one nothing happens."""
        roll = self.rolls[service.number]
        if roll.before != roll.target:
            roll.before, roll.target = roll.target, roll.before
            roll.rolling = ROLL_ON
            self.reach(roll)

    def stir(self, service: Service) -> None:
        """Something has changed for the replicas of a service: if they are being replaced, that goes on."""
        roll = self.rolls[service.number]
        if roll.rolling != ROLL_NO and not roll.due:
            roll.due = True
            key = derive(derive(self.world.seed_key, service.replicas[0].key), 0)
            self.clock.enter(self.clock._now, R_ACTION, key, roll)

    def go_on(self, roll: Roll) -> None:
        """More may come and leave, until all are there and none is old."""
        roll.due = False
        self.reach(roll)
        new, old = self._there(roll)
        if not old and sum(replica.up for replica in new) == roll.desired:
            if roll.rolling == ROLL_ON:
                self.book.transition(EV_ROLLED, roll.service.number, roll.target)
            roll.rolling = ROLL_NO

    def reach(self, roll: Roll) -> None:
        """As many replicas come and leave as may at this moment."""
        desired = roll.desired
        new, old = self._there(roll)
        if not old:
            there = len(new)
            if there < desired:
                there += self._come(roll, desired - there)
                if there < desired and roll.rolling == ROLL_NO:
                    roll.rolling = ROLL_SHORT
            elif there > desired:
                self._leave(roll, there - desired, True)
            return
        lever, shares = self.levers[roll.lever], self.shares[roll.lever]
        surges = laws.surge(desired, lever[LE_SURGE], shares[LEF_SURGE])
        missing = laws.unavailable(desired, lever[LE_MISSING], shares[LEF_MISSING], surges)
        self._leave(roll, max(0, len(new) - desired), True)
        self._start(roll, surges)
        new, old = self._there(roll)
        starting = sum(not replica.up for replica in new)
        down = laws.may_drop_unready(desired, len(new) + len(old), starting, missing)
        for replica in [replica for replica in reversed(old) if not replica.up][:down]:
            self.faults.send_away(replica)
        available = sum(replica.up for replica in (*new, *old))
        self._leave(roll, laws.may_drop(desired, available, missing), False)
        self._start(roll, surges)

    def _start(self, roll: Roll, surges: int) -> None:
        """So many replicas of the new version start as may beside a surge."""
        new, old = self._there(roll)
        self._come(roll, laws.may_start(roll.desired, len(new), len(new) + len(old), surges))

    def _there(self, roll: Roll) -> tuple[list[Replica], list[Replica]]:
        """Those that shall be there, of the version that they shall have and of others."""
        there = [replica for replica in roll.service.replicas if replica.standing == WANTED]
        new = [replica for replica in there if replica.version == roll.target]
        return new, [replica for replica in there if replica.version != roll.target]

    def _tally(self, roll: Roll, some: list[Replica]) -> list[int]:
        """How many of these lie in each place of the list of zones."""
        counts = [0] * roll.zones
        for replica in some:
            counts[replica.number % roll.zones] += 1
        return counts

    def _come(self, roll: Roll, number: int) -> int:
        """So many more come, as far as there is room: where the zone has the fewest, of these the lowest."""
        counts = self._tally(roll, self._there(roll)[0])
        for n in range(number):
            free = [
                replica for replica in roll.service.replicas
                if replica.standing == GONE or (replica.standing == LEAVING and replica.version == roll.target)
            ]  # fmt: skip
            if not free:
                return n
            best = min(free, key=lambda replica: (counts[replica.number % roll.zones], replica.number))
            counts[best.number % roll.zones] += 1
            self.faults.want(best, roll.target)
        return number

    def _leave(self, roll: Roll, number: int, new: bool) -> None:
        """So many leave, of the new version or ready ones of others: the highest where the zone has the most."""
        there = self._there(roll)
        counts = self._tally(roll, there[0] if new else there[1])
        some = there[0] if new else [replica for replica in there[1] if replica.up]
        for _ in range(min(number, len(some))):
            best = max(some, key=lambda replica: (counts[replica.number % roll.zones], replica.number))
            counts[best.number % roll.zones] -= 1
            some.remove(best)
            self.faults.send_away(best)
