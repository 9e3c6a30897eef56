"""A rate as people know it: a base, times the hour of the day, the day of the week, dates and bursts.

Time 0 is `start`, or midnight of an unnamed day where there is none. The calendar is one of local time: of a clock
that is never put forward or back, or of a time zone; then pieces are made for each span between two changes of the
clock, in which local time is elapsed time plus a constant. Its factors multiply, and are told here as straight pieces;
`noise` is left to the plan, because it is drawn.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sysim.model.shapes import BaseRate, ReplayRate
from sysim.model.values import Duration, Factor, Instant, Model, PositiveDuration
from sysim.zones import Shift, local, ns, shifts, utc

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAYS_A_MONTH = 365.25 / 12.0
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_PIECES = 2_000_000
RAMP_PIECES = 16
"""Of each ramp of a burst: where two ramps meet, the chord of their product errs by 1/1024 of both climbs at most."""


class DailyCurve(Model):
    """exp(k·cos(2π(t − peak_at)/24h)) with mean 1, k such that its peak is `peak_to_mean`; `peak_at` in ns after
    midnight.
    """

    kind: Literal["curve"] = "curve"
    peak_at: Annotated[int, Field(ge=0, lt=DAY)]
    peak_to_mean: float = Field(ge=1, le=24)


class DailyFactors(Model):
    """A factor for each of the 24 hours from midnight on; each holds for its hour."""

    kind: Literal["factors"] = "factors"
    factors: tuple[Factor, ...] = Field(min_length=24, max_length=24)


class Weekly(Model):
    """A factor for each day of the week, from midnight to midnight."""

    mon: Factor = 1.0
    tue: Factor = 1.0
    wed: Factor = 1.0
    thu: Factor = 1.0
    fri: Factor = 1.0
    sat: Factor = 1.0
    sun: Factor = 1.0


class Burst(Model):
    """From `at` (ns) on, for `duration` (in the file `for`), the rate is `factor` times what it is otherwise.

    It climbs to that within the first `ramp` and falls within the last one. `every` (from beginning to beginning)
    repeats it to the end of the run; in a time zone, an `every` of whole days keeps to the same time of day.
    """

    at: Instant
    duration: PositiveDuration
    factor: Factor
    ramp: Duration = 0
    every: PositiveDuration | None = None

    @model_validator(mode="after")
    def _fits(self) -> Burst:
        if 2 * self.ramp > self.duration:
            raise ValueError("found a ramp longer than half of `for`, expected both ramps within the burst")
        if self.every is not None and self.every < self.duration:
            raise ValueError("found `every` shorter than `for`, expected one burst to end before the next begins")
        return self


class Growth(Model):
    """The rate grows by the share `monthly` in a month of 365.25/12 days: day by day, at midnight, compounding.

    The factor is 1 on the day `since` (None: that of time 0), and below 1 before it if the load grows.
    """

    monthly: float = Field(gt=-1.0, le=10.0)
    since: str | None = None

    @field_validator("since")
    @classmethod
    def _real_date(cls, since: str | None) -> str | None:
        return since if since is None else _real(since)


class Noise(Model):
    """An independent lognormal factor of mean 1 and coefficient of variation `cv` for each slot of `every` (ns).

    It is drawn for each run, or is the noise of the run with the key `of_run` in all of them. Files do not say that: it
    is how a study of one year keeps to one noisy year (`sysim.model.stretch.with_noise_of`).
    """

    cv: Factor
    every: PositiveDuration
    of_run: int | None = None


def _base(value: Any) -> Any:
    if isinstance(value, CalendarRate):
        raise ValueError("found a calendar within a calendar, expected its parts beside one base")
    if isinstance(value, ReplayRate):
        raise ValueError("found exact instants, expected a rate: a calendar cannot multiply a replay")
    return value


class CalendarRate(Model):
    """`base` times everything else that is given. `start` is the scenario's `time.start`, which days of the week and
    dates need, on the clock of `home`, its `time.zone`. Hours and days are those of `zone`.

    `elapsed` (ns) says that time 0 lies so long after `start`, and after the moment from which bursts are counted;
    `base` alone is counted from time 0. Files do not say that: it is how `sysim.model.stretch` begins in the middle.
    """

    kind: Literal["calendar"] = "calendar"
    base: Annotated[Annotated[BaseRate, Field(discriminator="kind")], BeforeValidator(_base)]
    start: str | None = None
    home: str | None = None
    zone: str | None = None
    daily: Annotated[DailyCurve | DailyFactors, Field(discriminator="kind")] | None = None
    weekly: Weekly | None = None
    dates: dict[str, Factor] = Field(default_factory=dict)
    growth: Growth | None = None
    bursts: tuple[Burst, ...] = ()
    noise: Noise | None = None
    elapsed: Duration = 0

    @field_validator("dates")
    @classmethod
    def _real_dates(cls, dates: dict[str, float]) -> dict[str, float]:
        for day in dates:
            _real(day)
        return dates

    @model_validator(mode="after")
    def _one_world(self) -> CalendarRate:
        if (self.zone is None) != (self.home is None) or (self.home is not None and self.start is None):
            raise ValueError("found a zone of its own, expected time.start and time.zone to say when time 0 is there")
        return self

    @property
    def needs_dates(self) -> bool:
        """Whether it has to be known which day time 0 is."""
        dated = self.growth is not None and self.growth.since is not None
        return self.weekly is not None or bool(self.dates) or dated or self.zone is not None


def _real(day: str) -> str:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"found {day!r}, expected a date such as 2026-04-11") from None
    return day


class Piece(NamedTuple):
    """From `start` to `end` (ns) a factor goes in a straight line from `first` to `last`."""

    start: int
    end: int
    first: float
    last: float


class TooManyPieces(ValueError):
    """The calendar changes so often that no table could hold it."""


def concentration(peak_to_mean: float) -> float:
    """The k at which exp(k·cos θ) has that ratio of its maximum to its mean: e^k/I0(k) = `peak_to_mean`."""
    low, high = 0.0, 1.0
    while _peak(high) < peak_to_mean:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _peak(middle) < peak_to_mean else (low, middle)
    return (low + high) / 2.0


def _peak(k: float) -> float:
    """e^k/I0(k), from the series I0(k) = sum of (k/2)^2n/(n!)^2."""
    term = total = 1.0
    n = 0
    while term > 1e-17 * total:
        n += 1
        term *= (k / (2.0 * n)) * (k / (2.0 * n))
        total += term
    return math.exp(k - math.log(total))


def into_the_day(rate: CalendarRate) -> int:
    """How long after midnight of its `home` `start` is, in ns."""
    if rate.start is None:
        return 0
    clock = datetime.fromisoformat(rate.start).time()
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND


def ordinal(rate: CalendarRate) -> int:
    """The number of the day of `start`, as `date.toordinal` counts; 0 without one."""
    return 0 if rate.start is None else datetime.fromisoformat(rate.start).toordinal()


def clocks(rate: CalendarRate, start: int, end: int) -> list[Shift]:
    """How far the calendar's clock is ahead of `start` plus `elapsed` plus the time since time 0 (ns), between two
    instants (ns).
    """
    zero = datetime.min if rate.start is None else datetime.fromisoformat(rate.start)
    gone = rate.elapsed
    found = shifts(zero, rate.home, rate.zone, start + gone, end + gone)
    return [Shift(low - gone, high - gone, ahead) for low, high, ahead in found]


def moments(first: int, every: int, start: int, end: int) -> range:
    """first + n·every for all whole n, where they lie strictly between `start` and `end`."""
    count = (end - start) // every + 1
    if count > MOST_PIECES:
        raise TooManyPieces(f"found {count} changes of the rate, expected at most {MOST_PIECES}")
    return range(first + ((start - first) // every + 1) * every, end, every)


def pieces(rate: CalendarRate, start: int, end: int, width: int = MINUTE) -> list[Piece]:
    """The product of all factors but `noise` and `base` between two instants (ns, start < end).

    `width` is that of the chords of a daily curve; at a minute they err by 2e-6 of the factor for each unit of k.
    """
    if rate.elapsed:
        return _later(rate, start, end, width)
    bursts = [(burst, _begins(rate, burst, start, end)) for burst in rate.bursts]
    curve = _curve(rate.daily) if isinstance(rate.daily, DailyCurve) else None
    days = _days(rate)
    found: list[Piece] = []
    for low, high, ahead in clocks(rate, start, end):
        found += _between(rate, low, high, -into_the_day(rate) - ahead, width, bursts, curve, days)
        if len(found) > MOST_PIECES:
            raise TooManyPieces(f"found {len(found)} changes of the rate, expected at most {MOST_PIECES}")
    return found


def _between(
    rate: CalendarRate, start: int, end: int, midnight: int, width: int,
    bursts: list[tuple[Burst, Sequence[int]]], curve: Callable[[int], float] | None, days: Callable[[int], float],
) -> Iterator[Piece]:  # fmt: skip
    """The pieces of a span without a change of the clock; `midnight` is that of the day of `start` (ns)."""
    edges = {start, end}
    if rate.weekly is not None or rate.dates or rate.growth is not None:
        edges.update(moments(midnight, DAY, start, end))
    if rate.daily is not None:
        edges.update(moments(midnight, HOUR if curve is None else width, start, end))
    for burst, begins in bursts:
        edges.update(corner for corner in _corners(burst, begins) if start < corner < end)
    if len(edges) > MOST_PIECES:
        raise TooManyPieces(f"found {len(edges)} changes of the rate, expected at most {MOST_PIECES}")
    for low, high in pairwise(sorted(edges)):
        middle = low + (high - low) // 2
        day, within = divmod(middle - midnight, DAY)
        level = days(day)
        if isinstance(rate.daily, DailyFactors):
            level *= rate.daily.factors[within // HOUR]
        first = last = level
        if curve is not None:
            first, last = level * curve(low - midnight), level * curve(high - midnight)
        for burst, begins in bursts:
            first *= _of_burst(burst, begins, low, middle)
            last *= _of_burst(burst, begins, high, middle)
        yield Piece(low, high, first, last)


def _later(rate: CalendarRate, start: int, end: int, width: int) -> list[Piece]:
    """The pieces that a calendar without `elapsed` has there: chords are cut, not drawn anew."""
    gone = rate.elapsed
    grid = -into_the_day(rate)
    first = max(0, grid + (start + gone - grid) // width * width)
    last = grid - (grid - end - gone) // width * width
    found = []
    for low, high, begin, finish in pieces(rate.model_copy(update={"elapsed": 0}), first, last, width):
        low, high = low - gone, high - gone
        slope = (finish - begin) / (high - low)
        if high > start and low < end:
            cut, until = max(low, start), min(high, end)
            found.append(Piece(
                cut, until,
                begin + slope * (cut - low) if cut > low else begin,
                begin + slope * (until - low) if until < high else finish,
            ))  # fmt: skip
    return found


def _curve(daily: DailyCurve) -> Callable[[int], float]:
    k = concentration(daily.peak_to_mean)
    turn = 2.0 * math.pi / DAY

    known: dict[int, float] = {}  # the same minutes come again every day

    def at(since_midnight: int) -> float:
        within = since_midnight % DAY
        found = known.get(within)
        if found is None:
            found = daily.peak_to_mean * math.exp(k * (math.cos(turn * (within - daily.peak_at)) - 1.0))
            if len(known) < 4_096:
                known[within] = found
        return found

    return at


def _days(rate: CalendarRate) -> Callable[[int], float]:
    """The factor of a day, counted from that of time 0."""
    weekly = [1.0] * 7 if rate.weekly is None else [getattr(rate.weekly, day) for day in DAYS]
    dated = {date.fromisoformat(day).toordinal(): factor for day, factor in rate.dates.items()}
    first = ordinal(rate)
    daily, since = 0.0, first
    if rate.growth is not None:
        daily = math.log1p(rate.growth.monthly) / DAYS_A_MONTH
        since = first if rate.growth.since is None else date.fromisoformat(rate.growth.since).toordinal()

    def of(day: int) -> float:
        number = first + day
        return weekly[(number - 1) % 7] * dated.get(number, 1.0) * math.exp(daily * (number - since))

    return of


def _begins(rate: CalendarRate, burst: Burst, start: int, end: int) -> Sequence[int]:
    """When the bursts begin that reach into the span, rising."""
    if burst.every is None:
        return [burst.at]
    if rate.zone is None or burst.every % DAY:
        all_of_them = moments(burst.at, burst.every, start - burst.every - 1, end)
        return all_of_them[max(0, -((all_of_them.start - burst.at) // burst.every)) :]
    assert rate.start is not None
    zero = datetime.fromisoformat(rate.start)
    shown = local(zero, rate.zone, timedelta(microseconds=burst.at // 1_000), rate.home)
    days = burst.every // DAY
    first = max(0, (start - burst.at - DAY) // burst.every - 1)
    found: list[int] = []
    for number in range(first, (end - burst.at + DAY) // burst.every + 2):
        gone = utc(rate.zone, shown + timedelta(days=number * days)) - utc(rate.home, zero)
        found.append(burst.at if number == 0 else ns(gone) + burst.at % 1_000)
    return found


def _corners(burst: Burst, begins: Sequence[int]) -> Iterator[int]:
    steps = range(RAMP_PIECES + 1) if burst.ramp else range(1)
    for begin in begins:
        for step in steps:
            yield begin + burst.ramp * step // RAMP_PIECES
            yield begin + burst.duration - burst.ramp * step // RAMP_PIECES


def _of_burst(burst: Burst, begins: Sequence[int], at: int, middle: int) -> float:
    """The factor of a burst at `at`, an end of the piece around `middle`."""
    number = bisect_right(begins, middle) - 1
    begin = begins[number] if number >= 0 else middle + 1
    if not begin <= middle < begin + burst.duration:
        return 1.0
    if not burst.ramp:
        return burst.factor
    climbed = min(at - begin, begin + burst.duration - at, burst.ramp) / burst.ramp
    return 1.0 + (burst.factor - 1.0) * climbed
