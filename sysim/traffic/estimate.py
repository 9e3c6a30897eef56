"""The multiplicative model of a load, estimated from counts.

In span i, on day d, the expected count is

    mu_i = base * w * hour[h(i)] * week[k(i)] * date[d] * burst[b(i)] * (1 + g)^((d - d0)/30.4375),

w the length of a span. Estimates are those of Poisson quasi-likelihood: they solve, for each level l of each factor,

    sum over i in l of y_i = sum over i in l of mu_i,

found by iterative proportional scaling (Deming & Stephan 1940; for Poisson likelihoods Darroch & Ratcliff 1972): each
factor in turn is multiplied by the ratio of both sums until nothing changes. That needs the mean to be right and
nothing else of the distribution; the variance is estimated afterwards. Growth solves sum t_i y_i = sum t_i mu_i by
Newton steps.

Special days. One day of ten times the load would lift the factor of its weekday, so that the others look low. The first
round therefore takes medians: of day totals by weekday, the trend by Theil and Sen's median of slopes. A day is special
if the logarithm of its ratio to what is expected lies further out than `OUTLYING` robust deviations (1.4826 times the
median absolute one) and further than `LEAST_RATIO`. Then special days are left out, the rest is fitted, and the ratios
are formed again, until the same days are special. They get a factor of their own. A stretch of nothing where many were
expected is left out as unknown: somebody forgot to count.

Standard errors are clustered by day, as counts of one day go together: of the logarithm of an hour's factor,
sqrt(n/(n - 7) sum over days of (sum of y - mu)^2) / (sum of mu), n the number of days (Liang & Zeger 1986, with
independence between levels). For weekdays, of which there are few, that square is shared by all days, as one of shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sysim.model.calendar import DAYS_A_MONTH
from sysim.traffic.trace import DAY, HOUR, Floats, Ints, Trace

OUTLYING = 4.0
LEAST_RATIO = 1.25
SILENCE = 20.0
"""So many are expected at least in a stretch without any before it counts as unknown: exp(-20) is the chance of it."""
ROUNDS, PASSES = 12, 200
WEEKS_FOR_GROWTH, DAYS_FOR_WEEK = 8, 14
Bools = NDArray[np.bool_]


@dataclass(eq=False)
class Estimate:
    """What was estimated. Factors of hours and weekdays have mean 1; `base` is the mean rate (per second) of an
    ordinary week on the first day; without `weekly` the trace is too short to know one; `se` has the standard errors of
    logarithms, as arrays like the factors.
    """

    base: float
    hours: Floats
    week: Floats
    growth: float = 0.0
    growth_error: float = math.inf
    first_day: int = 0
    special: dict[int, float] = field(default_factory=dict)
    silent: list[int] = field(default_factory=list)
    bursts: list[Recurring] = field(default_factory=list)
    se: dict[str, Floats] = field(default_factory=dict)
    used: int = 0
    weekly: bool = True

    def expected(self, trace: Trace, dates: bool = True) -> Floats:
        """The expected count of each span of a trace; without `dates`, as if every day were an ordinary one."""
        local, days = trace.local, trace.days
        mu = self.base * trace.width * _by_hour(self.hours, local, trace.width) * self.week[(days - 1) % 7]
        if self.growth:
            mu = mu * np.exp(math.log1p(self.growth) * (days - self.first_day) / DAYS_A_MONTH)
        if dates:
            for day, factor in self.special.items():
                mu[days == day] *= factor
        for burst in self.bursts:
            mu[burst.covers(local)] *= burst.factor
        return mu


@dataclass(frozen=True)
class Recurring:
    """A rush of `length` s, `at` s after midnight (or the full hour), every `every` s."""

    at: int
    length: int
    every: int
    factor: float

    def covers(self, local: Ints) -> Bools:
        """Which spans lie in it."""
        phase = (local - self.at) % self.every
        return np.asarray(phase < self.length)


def _by_hour(hours: Floats, local: Ints, width: int) -> Floats:
    """The mean of hourly factors over each span."""
    first = local % DAY // HOUR
    if width <= HOUR:
        return np.asarray(hours[first])
    wide = width // HOUR
    means = np.array([hours[np.arange(hour, hour + wide) % 24].mean() for hour in range(24)])
    return np.asarray(means[first])


def estimate(trace: Trace, bursts: bool = True) -> Estimate:
    """The model of a trace; at least one span has to be known and not empty."""
    days = trace.days
    y = np.where(trace.known, trace.counts, 0.0)
    ok = trace.known.copy()
    found = Estimate(1.0, np.ones(24), np.ones(7), first_day=int(days[0]))
    length = int(days[ok].max() - days[ok].min()) + 1
    found.weekly = length >= DAYS_FOR_WEEK
    ordinary = ok & ~np.isin(days, _first_outliers(trace))
    spans_weeks = length >= 7 * WEEKS_FOR_GROWTH
    for attempt in range(ROUNDS):
        _scale(found, trace, y, ordinary, grows=False)
        silent = _silence(found, trace, y, ok) if attempt < 2 else np.zeros(len(y), dtype=bool)
        if silent.any():
            found.silent = sorted({*found.silent, *np.flatnonzero(silent).tolist()})
            ok &= ~silent
        if spans_weeks:
            _scale(found, trace, y, ordinary & ok, grows=True)
        special = _special(found, trace, y, ok)
        now = ok & ~np.isin(days, list(special))
        same = bool((now == ordinary).all())
        found.special, ordinary = special, now if now.any() else ok
        if same:
            break
    if spans_weeks:
        _growth_error(found, trace, y, ordinary)
        if not abs(math.log1p(found.growth)) > 2.0 * found.growth_error:
            found.growth = 0.0
            _scale(found, trace, y, ordinary, grows=False)
            found.special = {day: ratio for day, ratio in _ratios(found, trace, y, ok).items() if day in found.special}
    if bursts and trace.width <= 900:
        found.bursts = _bursts(found, trace, y, ordinary)
        if found.bursts:
            _scale(found, trace, y, ordinary, grows=found.growth != 0.0)
    _normalise(found)
    _errors(found, trace, y, ordinary)
    found.used = int(ordinary.sum())
    return found


def _scale(found: Estimate, trace: Trace, y: Floats, use: Bools, grows: bool) -> None:
    """Proportional scaling over the spans in use, in place. Levels without any data are 0: closed."""
    local, days = trace.local[use], trace.days[use]
    count = y[use]
    hour, week = local % DAY // HOUR, (days - 1) % 7
    wide = max(1, trace.width // HOUR)
    months = (days - found.first_day) / DAYS_A_MONTH
    fixed = np.full(len(count), float(trace.width))
    for burst in found.bursts:
        fixed[burst.covers(local)] *= burst.factor
    base, hours, weeks = found.base, np.ones(24), np.ones(7)
    slope = math.log1p(found.growth) if grows else 0.0
    for _ in range(PASSES):
        mu = base * fixed * hours[hour] * weeks[week] * np.exp(slope * months)
        before = (base, hours.copy(), weeks.copy(), slope)
        total = mu.sum()
        base *= count.sum() / total if total > 0.0 else 0.0
        mu = base * fixed * hours[hour] * weeks[week] * np.exp(slope * months)
        hours *= _ratio(hour, count, mu, 24)
        mu = base * fixed * hours[hour] * weeks[week] * np.exp(slope * months)
        if found.weekly:
            weeks *= _ratio(week, count, mu, 7)
        if grows:
            mu = base * fixed * hours[hour] * weeks[week] * np.exp(slope * months)
            centre = (mu * months).sum() / mu.sum()
            spread = (mu * (months - centre) ** 2).sum()
            if spread > 0.0:
                slope += float(np.clip(((count - mu) * (months - centre)).sum() / spread, -0.2, 0.2))
        moved = max(
            abs(base - before[0]) / max(base, 1e-300), float(np.abs(hours - before[1]).max()),
            float(np.abs(weeks - before[2]).max()), abs(slope - before[3]),
        )  # fmt: skip
        if moved < 1e-9:
            break
    if wide > 1:  # a span of several hours says the same of each
        first = int(trace.local[0] % DAY // HOUR) % wide
        hours = hours[[(first + (h - first) // wide * wide) % 24 for h in range(24)]]
    found.base, found.hours, found.week, found.growth = float(base), hours, weeks, math.expm1(slope)
    _normalise(found)


def _ratio(level: Ints, count: Floats, mu: Floats, levels: int) -> Floats:
    have, want = np.bincount(level, count, levels), np.bincount(level, mu, levels)
    return np.divide(have, want, out=np.zeros(levels), where=want > 0.0)


def _normalise(found: Estimate) -> None:
    """Factors of mean 1, and the base with what that takes away."""
    for factors in (found.hours, found.week):
        mean = float(factors.mean())
        if mean > 0.0:
            factors /= mean
            found.base *= mean


def _first_outliers(trace: Trace) -> list[int]:
    """Days far from the median of their weekday, trend removed, before anything is fitted; whole days only."""
    known = trace.known
    days = trace.days - trace.days[0]
    seen = np.bincount(days, known)
    total = np.bincount(days, np.where(known, trace.counts, 0.0))
    full = np.flatnonzero((seen >= 0.9 * seen.max()) & (total > 0.0))
    if len(full) < 14:
        return []
    logs = np.log(total[full])
    week = (full + int(trace.days[0]) - 1) % 7
    for _ in range(3):
        level = np.array([np.median(logs[week == k]) if (week == k).any() else 0.0 for k in range(7)])
        rest = logs - level[week]
        if len(full) >= 7 * WEEKS_FOR_GROWTH:
            logs = logs - _trend(full, rest) * (full - full[0])
    scale = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    far = np.abs(rest - np.median(rest)) > max(OUTLYING * scale, math.log(LEAST_RATIO))
    logs_of = {int(day + trace.days[0]): float(rest[n]) for n, day in enumerate(full) if far[n]}
    return list(_furthest(logs_of, len(full)))


def _furthest(far: dict[int, float], days: int) -> dict[int, float]:
    """Of far days (with logarithms) the furthest: where more than a tenth of the days, or half of those of a weekday,
    were special, the load would be one that varies much, and have no ordinary days.
    """
    kept: dict[int, float] = {}
    for day in sorted(far, key=lambda day: -abs(far[day]))[: max(1, days // 10)]:
        if sum(1 for other in kept if other % 7 == day % 7) < max(1, days // 14):
            kept[day] = far[day]
    return kept


def _trend(at: Ints, value: Floats) -> float:
    """Theil and Sen's slope, of at most 500 points."""
    step = max(1, len(at) // 500)
    x, y = at[::step].astype(float), value[::step]
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])))


def _ratios(found: Estimate, trace: Trace, y: Floats, ok: Bools) -> dict[int, float]:
    """What came over what was expected, of each day of which enough is known."""
    mu = found.expected(trace, dates=False)
    days = trace.days - trace.days[0]
    have, want = np.bincount(days, np.where(ok, y, 0.0)), np.bincount(days, np.where(ok, mu, 0.0))
    enough = (want >= 5.0) & (want >= 0.25 * np.bincount(days, mu))
    return {int(day + trace.days[0]): float(have[day] / want[day]) for day in np.flatnonzero(enough)}


def _special(found: Estimate, trace: Trace, y: Floats, ok: Bools) -> dict[int, float]:
    ratios = _ratios(found, trace, y, ok)
    if len(ratios) < 14:
        return {}
    logs = np.log(np.maximum(np.array(list(ratios.values())), 1e-3))
    centre = float(np.median(logs))
    scale = 1.4826 * float(np.median(np.abs(logs - centre)))
    limit = max(OUTLYING * scale, math.log(LEAST_RATIO))
    far = {day: float(log - centre) for day, log in zip(ratios, logs, strict=True) if abs(log - centre) > limit}
    return {day: ratios[day] for day in sorted(_furthest(far, len(ratios)))}


def _silence(found: Estimate, trace: Trace, y: Floats, ok: Bools) -> Bools:
    """Stretches of nothing, shorter than a day, in which more than `SILENCE` were expected."""
    mu = found.expected(trace, dates=False)
    empty = ok & (y == 0.0)
    slot = trace.local % (7 * DAY) // trace.width
    often = np.bincount(slot, ok & ~empty) > np.bincount(slot, empty)
    empty &= often[slot]  # at this time of the week there is mostly something
    edges = np.flatnonzero(np.diff(np.concatenate(([0], empty.astype(np.int8), [0]))))
    silent = np.zeros(len(y), dtype=bool)
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        if mu[low:high].sum() > SILENCE and (high - low) * trace.width < DAY:
            silent[low:high] = True
    return silent


def _growth_error(found: Estimate, trace: Trace, y: Floats, use: Bools) -> None:
    """Of the logarithm of a month's growth, clustered by day."""
    mu = found.expected(trace, dates=False)[use]
    days = trace.days[use] - found.first_day
    months = days / DAYS_A_MONTH
    centre = (mu * months).sum() / mu.sum()
    by_day = np.bincount(days, (y[use] - mu) * (months - centre))
    spread = (mu * (months - centre) ** 2).sum()
    found.growth_error = float(math.sqrt((by_day**2).sum()) / spread) if spread > 0.0 else math.inf


def _errors(found: Estimate, trace: Trace, y: Floats, use: Bools) -> None:
    mu = found.expected(trace)[use]
    rest = y[use] - mu
    days = trace.days[use] - trace.days[0]
    hour = trace.local[use] % DAY // HOUR
    few = freedom(len(np.unique(days)), found.weekly)
    by_both = np.bincount(hour + 24 * days, rest, 24 * (int(days.max()) + 1)).reshape(-1, 24)
    found.se["hours"] = _over(np.sqrt(few * (by_both**2).sum(axis=0)), np.bincount(hour, mu, 24).astype(float))
    # there are too few days of one weekday to tell how far these vary: all days vary alike, as shares
    came, want = np.bincount(days, rest), np.bincount(days, mu)
    spread = few * float((came**2).sum()) / float((want**2).sum())
    week = (np.arange(len(want)) + int(trace.days[0]) - 1) % 7
    squares, total = np.bincount(week, want**2, 7), np.bincount(week, want, 7).astype(float)
    found.se["week"] = _over(np.sqrt(spread * squares), total)
    found.se["base"] = _over(np.sqrt(np.array([spread * squares.sum()])), np.array([total.sum()]))


def _over(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0.0))


def freedom(days: int, weekly: bool) -> float:
    """What squares of days' residuals are multiplied by, because the week (or the base alone) was fitted to them."""
    fitted = 7 if weekly else 1
    return days / (days - fitted) if days > fitted else math.inf


def _bursts(found: Estimate, trace: Trace, y: Floats, use: Bools) -> list[Recurring]:
    """Rushes within the hour: spans at one place of the hour, or of the day, far above those around them."""
    mu = found.expected(trace)[use]
    local, count = trace.local[use], y[use]
    result: list[Recurring] = []
    for every, least in ((HOUR, 1.3), (DAY, 2.0)):
        slots = every // trace.width
        if every % trace.width or slots < 4:
            continue
        phase = local % every // trace.width
        have, want = np.bincount(phase, count, slots), np.bincount(phase, mu, slots)
        often = np.bincount(phase, minlength=slots)
        ratio = np.divide(have, want, out=np.ones(slots), where=want > 0.0)
        around = np.array([np.median(np.take(ratio, range(k - 3, k + 4), mode="wrap")) for k in range(slots)])
        relative = ratio / np.maximum(around, 1e-9)
        noise = 1.0 / np.sqrt(np.maximum(want, 1e-9))
        high = (relative > least) & (relative - 1.0 > 6.0 * noise) & (often >= 5) & (want > 0.0)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], high.astype(np.int8), [0]))))
        for low, top in zip(edges[::2], edges[1::2], strict=True):
            if top - low > max(1, slots // 6):
                continue
            factor = float(have[low:top].sum() / (want[low:top] * around[low:top]).sum())
            burst = Recurring(int(low * trace.width), int((top - low) * trace.width), every, factor)
            result.append(burst)
            mu = np.where(burst.covers(local), mu * factor, mu)
    return result
