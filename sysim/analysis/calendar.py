"""Calendars in plain English, and the hour in which they are busiest."""

from __future__ import annotations

from collections.abc import Callable

from sysim.analysis.words import listed, per_second, percent, span
from sysim.model import CalendarRate, ConstantRate, DailyCurve, DailyFactors, Window
from sysim.model.calendar import DAYS, HOUR, SECOND, clocks, into_the_day
from sysim.model.demand import mean_rate

_NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MOST_HOURS = 24 * 400


def told(rate: CalendarRate, window: Window, when: Callable[[int], str]) -> str:
    """What a calendar is made of; `when` puts an instant (ns) into words."""
    base = rate.base
    parts = [per_second(base.value) if isinstance(base, ConstantRate) else f"a base of {base.kind}"]
    if isinstance(rate.daily, DailyCurve):
        minutes = rate.daily.peak_at // (60 * SECOND)
        parts.append(f"a day that peaks at {minutes // 60:02d}:{minutes % 60:02d} with {rate.daily.peak_to_mean:g} "
                     "times its mean")  # fmt: skip
    elif isinstance(rate.daily, DailyFactors):
        factors = rate.daily.factors
        top = factors.index(max(factors))
        parts.append(f"24 factors of the hour, the highest {max(factors):g} from {top:02d}:00")
    if rate.weekly is not None:
        odd = [(name, getattr(rate.weekly, day)) for day, name in zip(DAYS, _NAMES, strict=True)]
        listed_days = [f"{factor:g} on {name}" for name, factor in odd if factor != 1.0]
        if listed_days:
            parts.append(f"a week with {listed(listed_days)}")
    if rate.dates:
        parts.append(listed([f"{factor:g} on {day}" for day, factor in sorted(rate.dates.items())]))
    if rate.growth is not None:
        since = f" since {rate.growth.since}" if rate.growth.since is not None else ""
        parts.append(_growth(rate.growth.monthly) + since)
    for burst in rate.bursts:
        begins = max(0, burst.at - rate.elapsed)
        if begins >= window.end or (burst.every is None and burst.at + burst.duration <= rate.elapsed):
            continue
        every = f" every {span(burst.every / SECOND)}" if burst.every is not None else ""
        parts.append(f"{burst.factor:g} for {span(burst.duration / SECOND)}{every} from {when(begins)} on")
    if rate.noise is not None:
        cv, every = percent(rate.noise.cv), span(rate.noise.every / SECOND)
        parts.append(f"noise of {cv} that is new every {every}, left out of these figures")
    text = f"{parts[0]} times {listed(parts[1:])}" if len(parts) > 1 else parts[0]
    return text if rate.zone is None else f"{text}, by the clock of {rate.zone}"


def busiest_hour(rate: CalendarRate, window: Window) -> tuple[float, int] | None:
    """The highest mean rate (per second) of a clock hour that lies wholly in the window, and its beginning (ns).

    None in windows without one, or with more hours than anybody wants to look through.
    """
    first = -(-(window.start + _past_the_hour(rate)) // HOUR) * HOUR - _past_the_hour(rate)
    begins = range(first, window.end - HOUR + 1, HOUR)
    if not 2 <= len(begins) <= _MOST_HOURS:
        return None
    best = max(((mean_rate(rate, at, at + HOUR), -at) for at in begins), key=lambda pair: (round(pair[0], 9), pair[1]))
    return best[0], -best[1]


def _past_the_hour(rate: CalendarRate) -> int:
    return (into_the_day(rate) + rate.elapsed + clocks(rate, 0, 1)[0].ahead) % HOUR


def _growth(monthly: float) -> str:
    return f"{'growth' if monthly >= 0 else 'a fall'} of {percent(abs(monthly))} a month"
