"""The days of a year: each begins at the same time of day, so where clocks change some have 23 hours and some 25."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sysim.model import CalendarRate, OpenLoad, Scenario
from sysim.model.calendar import DAY, MINUTE
from sysim.model.scenario import Time
from sysim.zones import local, ns, utc


class Days:
    """`number` days from `start` (ns) on, and the cells of the year (each so many ns): day k has those from `edges[k]`
    to before `edges[k + 1]`. Without a clock days are numbered.

    Where a cell is longer than what clocks are put forward or back, the edge is the nearest one of a cell.
    """

    def __init__(self, time: Time, start: int, number: int, cell: int) -> None:
        self.cell, self._start, self._zone = cell, start, time.zone
        self._zero = None if time.start is None else datetime.fromisoformat(time.start)
        self._first: datetime | None = None
        begins = [start + k * DAY for k in range(number + 1)]
        if self._zero is not None:
            # A day begins by the clock; the first does where it was said to, also in an hour that comes twice.
            self._first = self._shown(start)
            moments = (self._first + timedelta(days=k) for k in range(1, number + 1))
            begins[1:] = [ns(utc(self._zone, moment) - utc(self._zone, self._zero)) for moment in moments]
        self.edges = tuple(round((at - start) / cell) for at in begins)

    @property
    def number(self) -> int:
        """How many days."""
        return len(self.edges) - 1

    @property
    def cells(self) -> int:
        """How many cells in all."""
        return self.edges[-1]

    def day(self, number: int) -> str:
        """The date of a day."""
        return f"day {number + 1}" if self._first is None else f"{self._first + timedelta(days=number):%Y-%m-%d}"

    def moment(self, cell: int) -> str:
        """When a cell begins."""
        at = cell * self.cell
        if self._first is None:
            minutes = at % DAY // MINUTE
            return f"day {at // DAY + 1} {minutes // 60:02d}:{minutes % 60:02d}"
        return f"{self._shown(self._start + at):%Y-%m-%d %H:%M}"

    def sums(self, cells: NDArray[np.float64], first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """What a table of all cells comes to in each of the days from `first` to before `last`."""
        edges = self._inner(first, last)
        return np.add.reduceat(cells[: self.edges[self.number if last is None else last]], edges, axis=0)

    def means(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of a table of all cells over each day."""
        found: NDArray[np.float64] = self.sums(cells) / np.diff(self.edges)
        return found

    def _inner(self, first: int, last: int | None) -> Sequence[int]:
        return self.edges[first : self.number if last is None else last]

    def _shown(self, at: int) -> datetime:
        assert self._zero is not None
        return local(self._zero, self._zone, timedelta(microseconds=at // 1_000))


def first_midnight(scenario: Scenario) -> int:
    """The first midnight at or after time 0 (ns)."""
    time = scenario.time
    calendars = [load.rate for load in scenario.load.values()
                 if isinstance(load, OpenLoad) and isinstance(load.rate, CalendarRate)]  # fmt: skip
    gone = calendars[0].elapsed if calendars else 0
    start = time.start or next((rate.start for rate in calendars), None)
    if start is None:  # then the days of calendars begin at their time 0
        return -gone % DAY
    zero = datetime.fromisoformat(start)
    now = local(zero, time.zone, timedelta(microseconds=gone // 1_000))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = midnight if midnight == now else midnight + timedelta(days=1)
    return ns(utc(time.zone, midnight) - utc(time.zone, zero)) - gone


__all__ = ["Days", "first_midnight"]
