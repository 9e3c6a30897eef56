"""How many replications: a fixed number, or as many as it takes, with looks fixed beforehand.

`until` is the rule by itself, for any source of values: it draws up to each look, asks whether that is enough,
and stops at the last look or when the budget of wall time is spent. A budget makes the number of replications,
and with it the result, depend on the machine; the outcome says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sysim.analysis.looks import FIRST, MOST, looks, narrow_enough, spent_at
from sysim.analysis.statistics import mean
from sysim.analysis.strictness import Strictness

Reason = Literal["fixed", "decided", "most", "budget", "abort", "interrupted"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many replications a study takes. `planned` holds the looks; a single one is a fixed number.

    `precision`: every interval has to be this narrow, as a share of its value, besides being decided.
    `budget_s`: seconds of wall time after which no further replication begins.
    """

    planned: tuple[int, ...]
    precision: float | None = None
    budget_s: float | None = None

    @property
    def sequential(self) -> bool:
        """Whether there is more than one look."""
        return len(self.planned) > 1

    def strictness(self, look: int) -> Strictness:
        """How sure verdicts at a look (from 0) have to be. A fixed number of runs is judged once, by t alone."""
        return Strictness(spent_at(self.planned, look), guarded=self.sequential)

    @classmethod
    def fixed(cls, n: int, budget_s: float | None = None) -> Sampling:
        """Exactly `n` replications."""
        if n < 1:
            raise ValueError(f"found {n} replications, expected at least 1")
        return cls((n,), budget_s=budget_s)

    @classmethod
    def adaptive(
        cls, most: int = MOST, precision: float | None = None, budget_s: float | None = None
    ) -> Sampling:
        """From 10 replications up to `most`, until all is decided."""
        if most < 2:
            raise ValueError(f"found at most {most} replications, expected at least 2")
        return cls(looks(min(FIRST, most), most), precision, budget_s)


class Budget:
    """Wall time that may be spent; None is no limit."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    @property
    def spent(self) -> bool:
        """Whether the time is up."""
        return self._end is not None and self._clock() >= self._end


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `until` found: the mean, its interval at the confidence of the whole procedure, and why it stopped."""

    mean: float
    interval: tuple[float, float]
    values: tuple[float, ...]
    reason: Reason


def until(
    draw: Callable[[int], float],
    *,
    precision: float | None = None,
    most: int = MOST,
    budget_s: float | None = None,
    confidence: float = 0.95,
    enough: Callable[[float, tuple[float, float]], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Draw values, ``draw(0)``, ``draw(1)``, …, until their mean is known well enough.

    Well enough is: half the interval is at most the share `precision` of the mean, or `enough` says so of mean
    and interval. The interval covers with probability `confidence` for the procedure as a whole, since each
    look is held to its share of the error.
    """
    sampling = Sampling.adaptive(most, precision, budget_s)
    budget = Budget(budget_s, clock)
    values: list[float] = []
    reason: Reason = "most"
    interval: tuple[float, float] | None = None
    for number, look in enumerate(sampling.planned):
        while len(values) < look and not (len(values) >= 2 and budget.spent):
            values.append(draw(len(values)))
        centre, interval = mean(values), sampling.strictness(number).interval(values, confidence)
        assert interval is not None
        if len(values) < look:
            reason = "budget"
            break
        narrow = precision is not None and narrow_enough(interval, centre, precision)
        if narrow or (enough is not None and enough(centre, interval)):
            reason = "decided"
            break
    assert interval is not None
    return Outcome(centre, interval, tuple(values), reason)
