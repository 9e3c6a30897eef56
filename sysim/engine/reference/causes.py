"""Why attempts fail: finding where one is stuck at the moment when its caller gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim.engine.reference import laws
from sysim.engine.reference.stories import GONE, Story
from sysim.engine.reference.world import Replica, Site
from sysim.plan.tables import DEADLINE, FAULT_ERROR, TIMEOUT, UNREACHABLE
from sysim.semantics.causes import BEHIND, DISTURBED, M_BULKHEAD_WAIT, M_NETWORK, M_QUEUED, M_WORKING, MOST_HOPS

if TYPE_CHECKING:
    from sysim.engine.reference.calls import Call
    from sysim.engine.reference.network import Attempt
    from sysim.engine.reference.visits import Visit


class Causes:
    """Makes causes, for a plan with so many call sites."""

    def __init__(self, sites: int) -> None:
        self.sites = sites

    def at(self, mechanism: int, circumstances: int, site: Site) -> int:
        """The cause of this mechanism at a site."""
        return laws.cause(mechanism, circumstances, site.number, self.sites)

    def refusal(self, outcome: int, site: Site) -> int:
        """The cause of an attempt that was refused with this outcome."""
        return self.at(laws.mechanism_of(outcome), 0, site)

    def through_breaker(self, first: int, site: Site) -> int:
        """The cause of an attempt that an open breaker refused; `first` is that of the last failure it counted."""
        return laws.through_breaker(first, site.number, self.sites)

    def network(self, attempt: Attempt) -> int:
        """The cause of an attempt that is on the network, or was lost there."""
        return self.at(M_NETWORK, network_disturbed(attempt), attempt.call.site)

    def why(self, attempt: Attempt, outcome: int) -> int:
        """The cause of an attempt that is about to end with this outcome, a failure, for its caller."""
        if outcome in (TIMEOUT, DEADLINE):
            return self.stuck(attempt)
        if attempt.cause and laws.known_to_visit(outcome):
            return attempt.cause
        disturbed = network_disturbed(attempt) if outcome == UNREACHABLE else 0
        return self.at(laws.mechanism_of(outcome), disturbed, attempt.call.site)

    def stuck_call(self, call: Call) -> int:
        """Where time goes at this moment, of an open call of a client."""
        following = self.follow(call.owner)
        if isinstance(following, int):
            return following or self.at(M_WORKING, 0, call.site)
        return self.stuck(following)

    def waiting(self, visit: Visit, mechanism: int) -> int:
        """The cause of a visit that waits for a worker, or is refused because others do."""
        return self.stuck(visit.attempt, visit, mechanism)

    def stuck(self, attempt: Attempt, waits: Visit | None = None, mechanism: int = M_QUEUED) -> int:
        """Where time goes at this moment.

        From attempt to attempt along the calls that are waited for, and from a queue to a visit that holds a worker
        there, to the one that waits for nobody. `waits` is known to wait for a worker, or to be refused for that.
        """
        behind, hops = False, 0
        while True:
            visit, site = waits or attempt.visit, attempt.call.site
            if not attempt.sent:
                found = self.at(M_BULKHEAD_WAIT, 0, site)
                break
            if visit is None:
                found = attempt.cause or self.network(attempt)
                break
            queue = 0  # the cause that the queue would be, if the holder of the worker works itself
            if waits or not visit.started or visit.place is not None:
                disturbed = work_disturbed(visit)
                queue = self.at(mechanism if waits else M_QUEUED, disturbed, site)
                waits = None
                hops += 1
                other = longest_holder(visit.home)
                if disturbed or other is None or hops > MOST_HOPS:
                    found = queue
                    break
                visit, site = other, other.attempt.call.site
            following = self.follow(visit)
            if following == 0:
                disturbed = work_disturbed(visit)
                found = self.at(M_WORKING, disturbed, site) if disturbed or not queue else queue
                break
            behind = behind or queue != 0
            if isinstance(following, int):
                found = following
                break
            attempt = following
        return laws.with_circumstance(found, BEHIND, self.sites) if behind else found

    def follow(self, story: Story) -> Attempt | int:
        """The attempt that a story waits for; or a cause, 0 where it waits for no call at all."""
        while True:
            call = story.call
            if call is None:
                group = story.parallel
                branches = group.running if group is not None else ()
                branch = next((branch for branch in branches if branch.outcome == GONE), None)
                if branch is None:
                    return 0
                story = branch
            elif call.opened:
                return next(iter(call.opened))
            elif call.child is None:  # between two tries, or before the fallback
                return story.cause
            else:
                story = call.child


def longest_holder(replica: Replica) -> Visit | None:
    """Of the watched visits that hold a worker of this replica the one that has held it longest, if there is one."""
    watched: list[Visit] = [visit for visit in replica.watched if visit is not None]
    return min(watched, key=lambda visit: visit.granted, default=None)


def work_disturbed(visit: Visit) -> int:
    """`DISTURBED` if the replica is paused, slow or short of cores for this operation, else 0."""
    replica: Any = visit.home
    cpu = replica.cpu
    if cpu is not None:
        return DISTURBED if cpu.paused or cpu.factor != 1.0 or cpu.cores != visit.service.cores else 0
    return DISTURBED if replica.paused[visit.operation] or replica.factor[visit.operation] != 1.0 else 0


def network_disturbed(attempt: Attempt) -> int:
    """`DISTURBED` if a fault is at work on the network between caller and replica, else 0."""
    for fault in attempt.call.site.faults:
        if fault.kind != FAULT_ERROR and attempt.replica in fault.struck:
            return DISTURBED
    return 0
