"""Lanes: one a distinct constant delay of timers, so that a timer is appended instead of sorted in."""

from __future__ import annotations

from sysim.plan.tables import NONE


class Lanes:
    """The delays (ns) that have a lane, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self.delays: list[int] = []
        self._number: dict[int, int] = {}

    def add(self, delay: int | None) -> int:
        """The lane of a delay, -1 for None; equal delays share a lane."""
        if delay is None:
            return NONE
        if delay not in self._number:
            self._number[delay] = len(self.delays)
            self.delays.append(delay)
        return self._number[delay]
