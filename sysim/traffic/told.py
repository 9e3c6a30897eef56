"""A fit in words: what was found, how well it foretells, and when not to believe it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sysim.analysis.words import count, listed, per_second, percent, span
from sysim.traffic.predict import COVER, Prediction, Score
from sysim.traffic.trace import DAY, HOUR

if TYPE_CHECKING:
    from sysim.traffic.fit import Fit

NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
BETTER = 0.95
"""A fit foretells better than a guess if its error is at most this share of the guess's."""


def told(fit: Fit) -> Iterator[str]:
    """Lines for a terminal."""
    trace, found = fit.trace, fit.estimate
    known = int(trace.known.sum())
    days = len(np.unique(trace.days[trace.known]))
    what = "events" if trace.events else "requests"
    yield (
        f"{trace.name}: {count(round(float(np.nansum(trace.counts))))} {what} in {count(known)} spans of "
        f"{span(trace.width)}, {days} days from {date.fromordinal(int(trace.days[0]))} on"
    )
    yield from (f"  {note}" for note in trace.notes)
    if found.silent:
        yield f"  {len(found.silent):,} spans of zero where many were expected: left out as not counted"
    yield f"an ordinary week has {per_second(found.base)} on average"
    if trace.width < DAY:
        top = int(found.hours.argmax())
        closed = np.flatnonzero((found.hours == 0.0) & (np.roll(found.hours, 1) > 0.0))
        opens = np.flatnonzero((found.hours > 0.0) & (np.roll(found.hours, 1) == 0.0))
        spans = [f"{low:02d}:00 to {min(opens, key=lambda at: (at - low) % 24):02d}:00" for low in closed]
        shut = f"; nothing comes from {listed(spans)}" if spans else ""
        yield f"the busiest hour of a day is {top:02d}:00, {found.hours[top]:.3g} times the mean of its day{shut}"
    if found.weekly:
        order = np.argsort(-found.week)
        yield "the week: " + listed([f"{found.week[day]:.3g} on {NAMES[day]}" for day in order])
    if found.growth:
        yield f"it grows by {100 * found.growth:.2g} % a month (standard error {100 * found.growth_error:.1g} %)"
    if found.special:
        unlike = [f"{date.fromordinal(day)} ({factor:.2g})" for day, factor in sorted(found.special.items())]
        more = f" and {len(unlike) - 8} more" if len(unlike) > 8 else ""
        yield f"{len(unlike)} {'day' if len(unlike) == 1 else 'days'} unlike the others: {', '.join(unlike[:8])}{more}"
    for burst in found.bursts:
        at = f"at {burst.at // HOUR:02d}:{burst.at % HOUR // 60:02d}" if burst.every == DAY else (
            f"{span(burst.at)} past every full hour" if burst.at else "at every full hour"
        )
        yield f"{at} there are {burst.factor:.3g} times as many for {span(burst.length)}"
    measured = [f"{percent(cv)} over {span(width)}" for width, cv in fit.noise.measured.items()]
    yield f"beyond chance, counts vary by {listed(measured)}" if measured else "too short to measure noise"
    yield from _worth(fit)


def _worth(fit: Fit) -> Iterator[str]:
    found = fit.prediction
    if found is None:
        yield "too short to say how well it foretells: it takes two weeks to hold one of them out"
        return
    unit = "days" if fit.trace.width >= DAY else "hours"
    score = found.held_out
    if score.error is None:
        yield "nothing came in the weeks held out: they cannot say how well it foretells"
        return
    first = date.fromordinal(found.first_day)
    weeks = "the last week" if found.weeks == 1 else f"the last {found.weeks} weeks"
    yield f"{weeks}, from {first} on, foretold from those before ({score.hours:,} {unit}):"
    for label, name in (("this calendar", "error"), ("same hour last week", "last_week"), ("overall mean", "mean")):
        if unit == "days":
            label = label.replace("same hour", "same day")
        rolling = found.mean_of(name)
        value = getattr(score, name)
        if value is not None:
            week_by_week = f", week by week {_error(rolling)}" if rolling is not None and found.weeks > 1 else ""
            yield f"  {label:<20} mean error {_error(value)}{week_by_week}"
    if score.bias is not None and score.peak is not None:
        off = "too high" if score.peak > 0.0 else "too low"
        highest = f"the highest {unit[:-1]} was foretold {100 * abs(score.peak):.1f} % {off}"
        yield f"  what came in all differs by {_signed(score.bias)} from what was foretold; {highest}"
    if score.coverage is not None and score.fine_coverage is not None:
        width = fit.trace.width
        fine = "" if width >= HOUR else f" ({percent(score.fine_coverage)} of spans of {span(width)})"
        yield f"  {percent(score.coverage)} of {unit}{fine} within the {100 * COVER:.0f} % interval of the stated noise"
    yield verdict(found, unit)


def _error(share: float) -> str:
    return f"{100 * share:.3g} %" if share < 10.0 else f"{100 * share:,.0f} %"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f} %".replace("-0.0", "0.0").replace("+0.0", "0.0").replace("-", "−")


def verdict(found: Prediction, unit: str) -> str:
    """Whether to believe it, in one sentence."""
    score = found.held_out
    assert score.error is not None
    guess = min((value for value in (score.last_week, score.mean) if value is not None), default=None)
    if guess is None:
        return "there was nothing to compare it with"
    if score.error <= BETTER * guess:
        good = f"it foretells {unit} better than either guess, by {percent(1.0 - score.error / guess)}"
        return good + _doubts(score)
    if score.last_week is not None and guess == score.last_week:
        return (
            f"it does not foretell {unit} better than the week before does: believe its shape and its noise, and take "
            "the level from the last weeks" + _doubts(score)
        )
    return f"this load is not foretold by its calendar: the overall mean does as well{_doubts(score)}"


def _doubts(score: Score) -> str:
    if score.coverage is not None and score.coverage < COVER - 0.15:
        return "; its noise is stated too low for these weeks"
    return ""
