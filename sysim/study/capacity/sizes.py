"""How many replicas: which services may change, how far, and where a search begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from sysim.errors import SysimError
from sysim.model import Planning, Scenario, ServiceTarget, ZoneTarget
from sysim.model.demand import servers
from sysim.model.holding import replicas_busy
from sysim.study.capacity.situations import Situation

AIM = 0.75
"""The share of its workers that a service is first given to hold: above it, waiting begins to be felt."""
ROOM = 10
"""A service may grow to so many times what the file says, or what it needs at first, unless the file says more."""

Sizes = tuple[int, ...]
"""Replicas of each service of a `Room`, in its order."""


@dataclass(frozen=True)
class Room:
    """The services that a plan may change, sorted by name, and how far each may go.

    `prices` are what a replica costs an hour, 0 where the file does not say; `currency` is None where it never does.
    """

    names: tuple[str, ...]
    least: Sizes
    most: Sizes
    prices: tuple[float, ...]
    currency: str | None
    minimise: str

    def weight(self, sizes: Sizes) -> float:
        """What is minimised: money an hour, or the number of replicas."""
        each = self.prices if self.minimise == "cost" else (1.0,) * len(self.names)
        return sum(n * w for n, w in zip(sizes, each, strict=True))

    def applied(self, scenario: Scenario, sizes: Sizes) -> Scenario:
        """The scenario with so many replicas, all the time: without autoscalers and schedules of these services."""
        services = dict(scenario.services)
        for name, n in zip(self.names, sizes, strict=True):
            services[name] = services[name].model_copy(update={"replicas": n, "autoscaler": None, "schedule": ()})
        return scenario.model_copy(update={"services": services})

    def written(self, scenario: Scenario) -> Sizes:
        """The sizes that the file has."""
        return tuple(scenario.services[name].replicas for name in self.names)


def room(scenario: Scenario, planning: Planning) -> Room:
    """The services that a plan may change: those of the file's `planning`, or all that have limited workers or cores
    and are neither external nor a database (which does not grow by replicas alone).
    """
    chosen = planning.services
    names = sorted(chosen) or [
        name for name, body in sorted(scenario.services.items())
        if body.kind not in ("external", "database", "broker") and servers(body) is not None
    ]  # fmt: skip
    if not names:
        raise SysimError(
            "found no service that may grow, expected one with limited workers: name some in planning.services"
        )
    for name in names:
        body = scenario.services[name]
        if servers(body) is None:
            raise SysimError(
                f"found {name!r} in planning.services, which has unlimited workers: one replica is always enough; "
                "give it a concurrency, or leave it out"
            )
    currencies = {body.cost.currency for body in scenario.services.values() if body.cost is not None}
    if len(currencies) > 1:
        raise SysimError(f"found costs in {' and '.join(sorted(currencies))}, expected one currency to add them up")
    costs = [scenario.services[name].cost for name in names]
    prices = tuple(0.0 if cost is None else cost.amount for cost in costs)
    free = [name for name, price in zip(names, prices, strict=True) if not price]
    by_cost = planning.minimise == "cost" and bool(currencies)
    if by_cost and free:
        raise SysimError(
            f"found no cost of {' and '.join(free)}, expected one for every service that may grow: write "
            "cost: 0.20 GBP/h, or minimise: replicas"
        )
    least, most = [], []
    for name in names:
        given = chosen.get(name)
        least.append(given.least if given else 1)
        most.append(given.most if given else 0)
    return Room(tuple(names), tuple(least), tuple(most), prices, next(iter(currencies), None),
                "cost" if by_cost else "replicas")  # fmt: skip


def need(scenario: Scenario, room: Room) -> tuple[float, ...]:
    """How many replicas of each service of `room` would be held all the time, if nothing ever waited."""
    busy = replicas_busy(scenario)
    return tuple(busy[name] for name in room.names)


def start(scenarios: Mapping[Situation, Scenario], room: Room, aim: float = AIM) -> tuple[Sizes, Sizes]:
    """Where to begin: so many that the share `aim` of the workers left by each failure is held; and the most to try."""
    first = list(room.least)
    for situation, scenario in scenarios.items():
        zones = {broken.target.zone for broken in situation.breaks if isinstance(broken.target, ZoneTarget)}
        singles = {
            broken.target.service for broken in situation.breaks
            if broken.replicas and isinstance(broken.target, ServiceTarget)
        }  # fmt: skip
        for k, wanted in enumerate(need(scenario, room)):
            left = max(1, ceil(wanted / aim))
            body = scenario.services[room.names[k]]
            n = left + (room.names[k] in singles)
            if zones & set(body.zones):
                n = next(n for n in range(left, 10 * left + 10) if _survivors(n, body.zones, zones) >= left)
            first[k] = max(first[k], n)
    written = room.written(next(iter(scenarios.values())))
    most = tuple(given or max(ROOM * max(n, w), 20) for given, n, w in zip(room.most, first, written, strict=True))
    return tuple(min(n, m) for n, m in zip(first, most, strict=True)), most


def _survivors(n: int, zones: Sequence[str], lost: set[str]) -> int:
    """How many of `n` replicas, dealt to the zones in turn, lie outside of those lost; all where no zone is left."""
    if set(zones) <= lost:
        return n
    return sum(zones[i % len(zones)] not in lost for i in range(n))


__all__ = ["Room", "Sizes", "need", "room", "start"]
