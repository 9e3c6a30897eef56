"""How well a fitted calendar foretells weeks that it has not seen, beside two plain guesses.

Errors are of hours (of days for a trace of days), mean absolute percentage errors: the mean of |foretold - came| / came
over hours in which anything came. The guesses: an hour has what the same hour had a week before, and an hour has the
mean of all hours. Where a fit does no better than these, it says nothing that they do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sysim.traffic.estimate import Bools, Estimate, estimate
from sysim.traffic.noise import Noise, interval, measure
from sysim.traffic.trace import DAY, HOUR, Floats, Ints, Trace

WEEK = 7 * DAY
COVER = 0.9


@dataclass(frozen=True)
class Score:
    """Of one stretch that was held out. Errors are shares (0.1 is ten percent), None where they cannot be formed.

    `error` of the calendar, `last_week` and `mean` of the guesses; `bias` is what came over what was foretold, less 1;
    `peak` the highest hour foretold over the highest that came, less 1; `coverage` the share of hours within the 90 %
    interval of the stated noise, `fine_coverage` that of single spans.
    """

    hours: int
    error: float | None
    last_week: float | None
    mean: float | None
    bias: float | None
    peak: float | None
    coverage: float | None
    fine_coverage: float | None


@dataclass(frozen=True)
class Prediction:
    """`held_out` is the score of the last weeks together, from `first_day` on; `rolling` has one a week, each foretold
    from all weeks before it.
    """

    first_day: int
    weeks: int
    held_out: Score
    rolling: tuple[Score, ...]

    def mean_of(self, name: str) -> float | None:
        """The mean of a number over the rolling weeks that have it."""
        values = [value for score in self.rolling if (value := getattr(score, name)) is not None]
        return sum(values) / len(values) if values else None


def predict(trace: Trace, share: float = 0.25, bursts: bool = True) -> Prediction | None:
    """The last `share` of the weeks (at least one) foretold from those before; None if that leaves less than one."""
    age = trace.days - trace.days[0]
    known = age[trace.known]
    weeks = (int(known.max()) + 1) // 7
    held = max(1, round(weeks * share))
    if weeks < 2 or held >= weeks:
        return None
    last = int(known.max()) + 1
    first = last - 7 * held
    rolling = tuple(_foretold(trace, age, at, at + 7, bursts) for at in range(first, last - 6, 7))
    return Prediction(int(trace.days[0]) + first, held, _foretold(trace, age, first, last, bursts), rolling)


def _foretold(trace: Trace, age: Ints, first: int, last: int, bursts: bool) -> Score:
    past = trace.part(age < first)
    found = estimate(past, bursts)
    return score(trace, found, measure(past, found), (age >= first) & (age < last))


def score(trace: Trace, found: Estimate, noise: Noise, which: Bools) -> Score:
    """How `found`, from other data, does on these spans."""
    use = which & trace.known
    y, mu = np.where(use, trace.counts, 0.0), np.where(use, found.expected(trace, dates=False), 0.0)
    hours, whole = _blocks(trace, use)
    came, said = np.bincount(hours, y).astype(float), np.bincount(hours, mu).astype(float)
    week_before = _week_before(trace, hours, whole)
    level = _mean_before(trace, hours, which)
    some = np.flatnonzero(whole & (came > 0.0))
    seen = np.flatnonzero(whole & ((came > 0.0) | (said > 0.0)))  # of closed hours nothing can be wrong
    open_now = use & ((y > 0.0) | (mu > 0.0))
    if not len(some):
        return Score(0, None, None, None, None, None, None, None)

    def error(guess: Floats) -> float | None:
        there = some[~np.isnan(guess[some])]
        return float(np.mean(np.abs(guess[there] - came[there]) / came[there])) if len(there) else None

    per = max(HOUR, trace.width)
    low, high = interval(said[seen], noise.at(per), COVER)
    fine_low, fine_high = interval(mu[open_now], noise.at(trace.width), COVER)
    return Score(
        hours=len(some), error=error(said), last_week=error(week_before), mean=error(np.full(len(came), level)),
        bias=float(came[seen].sum() / said[seen].sum() - 1.0) if said[seen].sum() > 0.0 else None,
        peak=float(said[seen].max() / came[seen].max() - 1.0),
        coverage=float(np.mean((came[seen] >= low) & (came[seen] <= high))),
        fine_coverage=float(np.mean((y[open_now] >= fine_low) & (y[open_now] <= fine_high))),
    )  # fmt: skip


def _blocks(trace: Trace, use: Bools) -> tuple[Ints, Bools]:
    """The hour of each span, by elapsed time, and which hours are known as far as they ever are."""
    per = max(1, HOUR // trace.width)
    offset = int(trace.local[0] % HOUR // trace.width) if trace.width < HOUR else 0
    hours = (np.arange(len(use), dtype=np.int64) + offset) // per
    seen = np.bincount(hours, use)
    return hours, (seen >= 0.9 * per) & (seen > 0)


def _week_before(trace: Trace, hours: Ints, whole: Bools) -> Floats:
    known = np.bincount(hours, trace.known)
    all_of_it = np.bincount(hours, np.where(trace.known, trace.counts, 0.0))
    all_of_it[known < known.max()] = np.nan
    back = WEEK // max(HOUR, trace.width)
    return np.concatenate((np.full(min(back, len(whole)), np.nan), all_of_it[: max(0, len(whole) - back)]))


def _mean_before(trace: Trace, hours: Ints, which: Bools) -> float:
    """The mean of the hours before the stretch in which anything came."""
    before = trace.known & (np.arange(len(which)) < int(np.argmax(which)))
    came = np.bincount(hours[before], trace.counts[before])
    return float(came[came > 0.0].mean()) if (came > 0.0).any() else math.nan
