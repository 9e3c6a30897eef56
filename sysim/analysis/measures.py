"""Numbers that a study keeps of every run: metrics in the words of checks, each with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sysim.analysis import metrics
from sysim.analysis.checks import recovery_of, value_of
from sysim.model import Check

if TYPE_CHECKING:
    from sysim.result.run import Run

Unit = Literal["share", "seconds", "per_second", "money", "number"]
EVERYTHING = "*"
"""The subject of the cost of all services together."""


@dataclass(frozen=True)
class Measure:
    """A number of a run. `check` says which (its limit means nothing), `currency` belongs to the unit ``money``."""

    text: str
    unit: Unit
    check: Check
    currency: str | None = None

    def of(self, run: Run) -> float | None:
        """The number in one run: seconds, a share, per second, money, or a plain number; None without data.

        A time to recover is None where the load did not recover.
        """
        check = self.check
        if check.metric == "recovers":
            return recovery_of(check, run).recovered_after_s
        if check.subject == EVERYTHING:
            costs = [stats.cost for stats in run.windows[check.window].services.values() if stats.cost is not None]
            return sum(costs) if costs else None
        try:
            return value_of(check, run)
        except metrics.NoSuchMetric:
            return None
