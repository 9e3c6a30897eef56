"""Queues that are not served in order of arrival: the least rank first, in order of arrival among equals."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any

from sysim.plan.tables import LINE_EDF, LINE_PRIORITY


class Ranked:
    """What an `OrderedDict` of waiting visits does, in another order: the least `rank` goes first."""

    __slots__ = ("count", "heap", "live", "rank")

    def __init__(self, rank: Callable[[Any], int]) -> None:
        self.rank = rank
        self.heap: list[tuple[int, int, Any]] = []
        self.live: dict[Any, int] = {}  # the number of each one's entry in the heap; others have left
        self.count = 0

    def __setitem__(self, visit: Any, nothing: None) -> None:
        self.count += 1
        self.live[visit] = self.count
        heappush(self.heap, (self.rank(visit), self.count, visit))

    def __delitem__(self, visit: Any) -> None:
        del self.live[visit]

    def __len__(self) -> int:
        return len(self.live)

    def __iter__(self) -> Iterator[Any]:
        waiting = sorted(entry for entry in self.heap if self.live.get(entry[2]) == entry[1])
        return (visit for _, _, visit in waiting)

    def popitem(self, last: bool) -> tuple[Any, None]:
        """Who is served next."""
        while True:
            _, number, visit = heappop(self.heap)
            if self.live.get(visit) == number:
                del self.live[visit]
                return visit, None


Line = OrderedDict[Any, None] | Ranked


def line(discipline: int) -> Line:
    """An empty queue of one of the disciplines LINE_*."""
    if discipline == LINE_PRIORITY:
        return Ranked(lambda visit: int(visit.priority))
    if discipline == LINE_EDF:
        return Ranked(lambda visit: int(visit.deadline))
    return OrderedDict()
