"""How latency and losses rise with the load, up to the point of saturation and beyond; and where the knee is.

The saturation point is the factor of the load up to which all goals hold. Each replication has its own, found by
bisection on the same random numbers; told is their median, with an interval by order statistics. The bottleneck is
looked for a little beyond it: of the services that are full while nothing that they call is, the one at which most
failures begin, or where most time is spent waiting.

The knee is where power, goodput over mean latency, is greatest (Kleinrock 1979): below it one waits little for little
throughput, above it each further request costs all others more than it brings. Of an M/M/1 queue it lies at half the
capacity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sysim.analysis.statistics import mean
from sysim.analysis.thresholds import Bracket, Median, median
from sysim.study.capacity.lab import PAIR, Case, Lab, Seen
from sysim.study.capacity.sizes import Sizes

HIGHEST = 16.0
NEAR = 0.02
"""How near a bisection comes, as a share of the factor."""
POINTS = (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.15, 1.3)
"""Where a curve is looked at, as shares of the saturation point."""
ABOVE = 1.15
"""Where a bottleneck is looked for, as a share of the point of saturation: beyond doubt, and not yet everywhere."""
TELLING = 0.2
"""The share of the failures that has to begin at a service for that to tell."""
ASKED = 6
"""Replications of a saturation point: the fewest whose extremes are a 95 % interval of the median."""


@dataclass(frozen=True)
class Saturation:
    """The factor of the load at which the goals are no longer kept; infinite interval ends where that was not found.

    `bottleneck` is None where nothing tells. `limit` says in words which goal goes first.
    """

    situation: int
    found: Median
    bottleneck: str | None
    how: str

    @property
    def factor(self) -> float:
        """The middle of the median's bracket; infinite where the goals hold at the highest load tried."""
        low, high = self.found.bracket
        return low if math.isinf(high) else (low + high) / 2


@dataclass(frozen=True)
class Point:
    """One load: its factor, and of a load of the scenario the rates offered and good (per second) and latencies (s)."""

    factor: float
    offered: float
    good: float
    mean_s: float | None
    p50_s: float | None
    p99_s: float | None

    @property
    def power(self) -> float:
        """Goodput over mean latency."""
        return self.good / self.mean_s if self.mean_s else 0.0


@dataclass(frozen=True)
class Curve:
    """The points of a load, from little to more than the system can take."""

    load: str
    points: tuple[Point, ...]

    @property
    def knee(self) -> Point:
        """The point of the greatest power."""
        return max(self.points, key=lambda point: (point.power, -point.factor))


def saturation(lab: Lab, sizes: Sizes, situation: int, confidence: float = 0.95) -> Saturation:
    """The saturation point of some sizes in a situation."""

    def kept(factor: float, replications: Sequence[int]) -> dict[int, bool]:
        case = Case(sizes, situation, factor)
        return {k: lab.kept([seen]) for _, k, seen in lab.see((case, k) for k in replications)}

    brackets: dict[int, Bracket] = {}
    for replications in (range(PAIR), range(PAIR, ASKED)):
        # Where the first ones break, the others will break nearly, which saves half of the steps.
        guess = brackets.get(0)
        waiting = dict.fromkeys(replications, (0.0, math.inf))
        while waiting:
            factors = {k: _next(bracket, guess) for k, bracket in waiting.items()}
            for k, factor in factors.items():
                if factor is None:
                    brackets[k] = waiting.pop(k)
            for factor in sorted({factor for factor in factors.values() if factor is not None}):
                asked = [k for k in waiting if factors[k] == factor]
                for k, good in kept(factor, asked).items():
                    low, high = waiting[k]
                    waiting[k] = (factor, high) if good else (low, factor)
    found = median([brackets[k] for k in sorted(brackets)], confidence)
    high = found.bracket[1]
    bottleneck, how = (None, "") if math.isinf(high) else _bottleneck(lab, sizes, situation, high)
    return Saturation(situation, found, bottleneck, how)


def _next(bracket: Bracket, guess: Bracket | None = None) -> float | None:
    """The factor to try next, None when it is near enough: away from a `guess` in steps that grow threefold, or from 1
    by doubling, until there is one that holds and one that does not; then halving.
    """
    low, high = bracket
    if guess is not None and guess[0] > 0.0 and not math.isinf(guess[1]):
        below, above = guess
        if math.isinf(high) and low < HIGHEST:
            return round(below if low == 0.0 else above if low <= below else below + 3.0 * (low - below), 6)
        if low == 0.0 and (further := above - 3.0 * (above - high)) > 0.0 and high >= 0.01:
            return round(further, 6)
    if math.isinf(high):
        return None if low >= HIGHEST else 1.0 if low == 0.0 else low * 1.5 if low < 2.0 else low * 2.0
    if high - low <= NEAR * high or high < 0.01:
        return None
    return round((low + high) / 2, 6)


def _bottleneck(lab: Lab, sizes: Sizes, situation: int, factor: float) -> tuple[str | None, str]:
    """What breaks first, seen a little above the point where it does."""
    case = Case(sizes, situation, round(factor * ABOVE, 6))
    seen = [one for _, _, one in lab.see((case, k) for k in range(PAIR))]
    began: dict[str, float] = {}
    for one in seen:
        for name, share in one.began.items():
            began[name] = began.get(name, 0.0) + share / len(seen)
    full = lab.in_the_way(seen[0])
    failing = {name: began[name] for name in full if began.get(name, 0.0) >= TELLING}
    if failing:
        name = max(failing, key=lambda name: (failing[name], name))
        return name, f"{failing[name] * 100:.0f} % of the failures begin there"
    waited = {name: sum(one.services[name].waited_s for one in seen) for name in seen[0].services}
    name = max(full or waited, key=lambda name: (waited[name], name))
    if full:
        return name, "it is full, and nothing that it calls is"
    total = sum(waited.values())
    return (name, f"{waited[name] / total * 100:.0f} % of all waiting is done there") if total > 0 else (None, "")


def curve(lab: Lab, sizes: Sizes, situation: int, factor: float, load: str) -> Curve:
    """Latency and goodput of `load` from a fifth of the saturation point `factor` to beyond it."""
    factors = [round(share * factor, 6) for share in POINTS]
    cases = [Case(sizes, situation, x) for x in factors]
    seen: dict[float, list[Seen]] = {}
    for case, _, one in lab.see((case, k) for case in cases for k in range(PAIR)):
        seen.setdefault(case.factor, []).append(one)
    return Curve(load, tuple(_point(x, seen[x], load) for x in factors))


def _point(factor: float, seen: Sequence[Seen], load: str) -> Point:
    def over(pick: Callable[[Seen], float | None]) -> float | None:
        values = [value for one in seen if (value := pick(one)) is not None]
        return mean(values) if values else None

    return Point(
        factor,
        over(lambda one: one.flow[load][0] / one.length_s) or 0.0,
        over(lambda one: one.flow[load][1] / one.length_s) or 0.0,
        over(lambda one: one.flow[load][2]),
        over(lambda one: one.flow[load][3]),
        over(lambda one: one.flow[load][4]),
    )


__all__ = ["Curve", "Point", "Saturation", "curve", "saturation"]
