"""Where each replication tips: bisection along an axis, on the same random numbers at every value.

Each replication has a threshold of its own, for it meets the same customers and the same work at every value.
Bisection assumes that what tips a replication still tips it when there is more of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sysim.analysis.stability import State
from sysim.analysis.thresholds import Bracket, Median, median
from sysim.study.quantity import Axis
from sysim.study.trials import Progress, Trials


@dataclass(frozen=True)
class Probe:
    """The replications that were run at one value, and what became of them."""

    value: float
    states: Mapping[State, int]
    tipped: int

    @property
    def runs(self) -> int:
        """How many replications."""
        return sum(self.states.values())


@dataclass(frozen=True)
class Bisection:
    """`brackets` has one (low, high) a replication, between which it tips; infinite where it tips at neither end
    or at both. `rising`: more of it tips. `contrary` replications tip at the wrong end only and are left out.
    """

    axis: Axis
    rising: bool
    brackets: tuple[Bracket, ...]
    contrary: int
    probes: tuple[Probe, ...]
    median: Median | None = field(default=None)

    @property
    def tips(self) -> bool:
        """Whether half of the replications tip somewhere between the ends."""
        return self.median is not None and all(map(math.isfinite, self.median.bracket))

    def known(self, value: float) -> tuple[int, int]:
        """How many replications tip at `value` and how many do not, as far as their brackets tell."""
        above = sum(value >= high for _, high in self.brackets)
        below = sum(value <= low for low, _ in self.brackets)
        return (above, below) if self.rising else (below, above)

    def share(self, value: float) -> float:
        """The share of replications that tip at `value`; one whose bracket it cuts counts half."""
        tip, hold = self.known(value)
        return (tip + (len(self.brackets) - tip - hold) / 2) / max(1, len(self.brackets))


def bisect(
    axis: Axis,
    replications: int,
    trials: Trials[float, State],
    tips: Callable[[State], bool],
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> Bisection:
    """The threshold of each replication between the ends of `axis`."""
    seen: dict[tuple[float, int], State] = {}
    planned = replications * (2 + axis.rounds)

    def ask(tasks: Sequence[tuple[float, int]]) -> None:
        for task, state in trials(tasks):
            seen[task] = state
            if progress is not None:
                progress(min(1.0, len(seen) / planned))

    everyone = range(replications)
    ask([(value, k) for value in (axis.low, axis.high) for k in everyone])
    ends = [(tips(seen[axis.low, k]), tips(seen[axis.high, k])) for k in everyone]
    rising = sum(high for _, high in ends) >= sum(low for low, _ in ends)
    wrong = (True, False) if rising else (False, True)
    kept = [k for k in everyone if ends[k] != wrong]
    open_ones = {k: (axis.low, axis.high) for k in kept if ends[k][0] != ends[k][1]}
    closed: dict[int, Bracket] = {}
    for k in kept:
        if k not in open_ones:
            beyond = ends[k][0] != rising  # it tips nowhere when more tips, or everywhere when less does
            closed[k] = (axis.high, math.inf) if beyond else (-math.inf, axis.low)
    while open_ones:
        asked = {k: axis.middle(*bracket) for k, bracket in open_ones.items()}
        closed |= {k: open_ones.pop(k) for k, value in asked.items() if value is None}
        values = sorted({value for value in asked.values() if value is not None})
        ask([(value, k) for value in values for k in kept if asked.get(k) == value])
        for k, (low, high) in list(open_ones.items()):
            value = asked[k]
            assert value is not None
            open_ones[k] = (low, value) if tips(seen[value, k]) == rising else (value, high)
    brackets = tuple(closed[k] for k in kept)
    return Bisection(
        axis=axis,
        rising=rising,
        brackets=brackets,
        contrary=replications - len(kept),
        probes=_probes(seen, tips),
        median=median(brackets, confidence) if brackets else None,
    )


def _probes(seen: Mapping[tuple[float, int], State], tips: Callable[[State], bool]) -> tuple[Probe, ...]:
    found = []
    for value in sorted({value for value, _ in seen}):
        states = Counter(state for (at, _), state in seen.items() if at == value)
        found.append(Probe(value, dict(states), sum(n for state, n in states.items() if tips(state))))
    return tuple(found)
