"""A load trace and the calendar fitted to it: the whole of it by days, the held-out weeks by hours, and a week."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sysim.plot.style import BLUE, GREY, ORANGE, VERMILLION, figure, styled
from sysim.traffic.estimate import estimate
from sysim.traffic.noise import interval, measure
from sysim.traffic.trace import DAY, HOUR, Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sysim.traffic.fit import Fit

MOST_WEEKS = 3
COVER = 0.9


def fitted(found: Fit) -> Figure:
    """Above, counts a day with the fit and its special days; below, the held-out weeks (the last ones of many) hour by
    hour, as foretold from the days before them.
    """
    trace = found.trace
    with styled():
        drawn = figure(10.0, 6.2 if found.prediction else 3.4)
        panels = drawn.subplots(2 if found.prediction else 1, 1, squeeze=False)[:, 0]
        _days(panels[0], found)
        if found.prediction is not None:
            _held_out(panels[1], found)
        for axes in panels:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
            locator: Any = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
            axes.margins(x=0.01)
            axes.set_ylim(0, 1.04 * axes.get_ylim()[1])
        drawn.suptitle(f"{trace.name}: what came, and what the calendar says", fontsize=11, x=0.01, ha="left")
    return drawn


def _days(axes: Axes, found: Fit) -> None:
    trace, model = found.trace, found.estimate
    first = int(trace.days[0])
    day = trace.days - first
    known = trace.known
    often = np.bincount(day, known)
    whole = np.flatnonzero(often >= 0.9 * often.max())
    came = np.bincount(day, np.where(known, trace.counts, 0.0))[whole]
    said = np.bincount(day, np.where(known, model.expected(trace, dates=False), 0.0))[whole]
    seen = (came > 0.0) | (said > 0.0)
    moments = np.array([datetime.combine(date.fromordinal(first + int(d)), datetime.min.time()) for d in whole[seen]])
    axes.plot(moments, came[seen], ".", color=GREY, ms=4, label="came")
    axes.plot(moments, said[seen], "-", color=BLUE, lw=1.2, label="calendar, without special days")
    odd = [n for n, d in enumerate(whole[seen]) if first + int(d) in model.special]
    if odd:
        axes.plot(moments[odd], came[seen][odd], "o", mfc="none", color=VERMILLION, ms=6, label="special days")
    if found.prediction is not None:
        begin = datetime.combine(date.fromordinal(found.prediction.first_day), datetime.min.time())
        end = begin + timedelta(weeks=found.prediction.weeks)
        axes.axvspan(begin, end, color=ORANGE, alpha=0.15, lw=0, label="held out")  # type: ignore[arg-type]
    axes.set_ylabel("a day")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _held_out(axes: Axes, found: Fit) -> None:
    """What was foretold from the past alone; of many weeks the last."""
    trace, prediction = found.trace, found.prediction
    assert prediction is not None
    past = trace.part(trace.days < prediction.first_day)
    model = estimate(past)
    noise = measure(past, model)
    weeks = min(prediction.weeks, MOST_WEEKS)
    end = prediction.first_day + 7 * prediction.weeks
    which = (trace.days >= end - 7 * weeks) & (trace.days < end)
    per = max(HOUR, trace.width)
    step = max(1, HOUR // trace.width)
    inside = np.flatnonzero(which)
    block = (inside - inside[0]) // step
    known = np.bincount(block, trace.known[inside]) == np.bincount(block)
    came = np.bincount(block, np.nan_to_num(trace.counts[inside])).astype(float)
    said = np.bincount(block, model.expected(trace, dates=False)[inside]).astype(float)
    start = date.fromordinal(int(trace.days[inside[0]]))
    begin = datetime.combine(start, datetime.min.time()) + timedelta(seconds=int(trace.local[inside[0]] % DAY))
    moments: Any = [begin + timedelta(seconds=per * int(n)) for n in range(len(came))]
    low, high = interval(said, noise.at(per), COVER)
    unit = "a day" if per == DAY else "an hour"
    sure = f"{100 * COVER:.0f} % interval"
    axes.fill_between(moments, low, high, color=BLUE, alpha=0.2, lw=0, step="post", label=sure)
    axes.step(moments, _gaps(came, known), where="post", color=GREY, lw=1.0, label="came")
    axes.step(moments, said, where="post", color=BLUE, lw=1.2, label="foretold")
    told = "held out" if weeks == prediction.weeks else f"the last {weeks} of {prediction.weeks} held-out weeks"
    axes.set_title(f"{told}, foretold from the days before {date.fromordinal(prediction.first_day)}", fontsize=9)
    axes.set_ylabel(unit)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)


def _gaps(values: Floats, known: Any) -> Floats:
    return np.where(known, values, np.nan)
