"""A year as a calendar: a column a week, a row a day of the week; and below, the utilisation at its peak."""

from __future__ import annotations

from datetime import date, timedelta
from math import log10

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from sysim.plot.style import BLACK, BLUE, GREY, VERMILLION, figure, styled
from sysim.study.year_result import Year

FILL = LinearSegmentedColormap.from_list("lost", ["#FDF3EA", "#F6C9A6", VERMILLION, "#7A3300"])
NOTHING = "#EEF3EE"
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def year(found: Year) -> Figure:
    """Failed requests of each day, those that matter and were simulated in a frame, and the peak of utilisation."""
    failed = np.array([sum(day.failed.values()) for day in found.days])
    first = None if found.first.startswith("day") else date.fromisoformat(found.first)
    shift = 0 if first is None else first.weekday()
    weeks = -(-(len(failed) + shift) // 7)
    some = failed[failed >= 0.5]
    high = float(some.max()) if len(some) else 1.0
    low = float(some.min()) if len(some) else 0.5
    norm: Normalize = LogNorm(low, high) if high > 20 * low else Normalize(0, high)
    with styled():
        drawn = figure(max(7.0, 1.6 + 0.21 * weeks), 4.6)
        top, below = drawn.subplots(2, 1, height_ratios=[1.25, 1.0])
        for number, (day, value) in enumerate(zip(found.days, failed.tolist(), strict=True)):
            column, row = divmod(number + shift, 7)
            colour = FILL(norm(value)) if value >= 0.5 else NOTHING
            top.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc=colour, ec="white", lw=1.0))
            if day.matters:
                top.add_patch(Rectangle((column - 0.38, row - 0.38), 0.76, 0.76, fc="none", ec=BLACK, lw=0.9))
            elif day.simulated > 0:
                top.plot([column], [row], ".", color=BLACK, ms=2.5)
        top.set_xlim(-0.6, weeks - 0.4)
        top.set_ylim(6.6, -0.6)
        top.set_aspect("equal" if weeks > 20 else "auto")
        top.grid(False)
        top.tick_params(length=0)
        top.set_yticks(range(7), WEEK if first is not None else [str(k + 1) for k in range(7)])
        top.set_xticks(*_months(first, len(failed), shift))
        for side in ("left", "bottom"):
            top.spines[side].set_visible(False)
        total = sum(load.failed.value for load in found.loads.values())
        top.set_title(f"{found.scenario}: {total:,.0f} requests fail in {len(failed)} days")
        bar = drawn.colorbar(ScalarMappable(norm, FILL), ax=top, shrink=0.85, pad=0.01)
        bar.set_label("failed a day")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.6g}"))
        bar.ax.minorticks_off()
        if isinstance(norm, LogNorm):
            bar.set_ticks([10.0**k for k in range(int(np.ceil(log10(low))), int(log10(high)) + 1)] or [low, high])
        peaks = np.array([day.peak for day in found.days])
        days = np.arange(len(peaks))
        below.axhline(1.0, color=GREY, lw=0.8, ls="--")
        below.plot(days, peaks, color=BLUE, lw=1.0, drawstyle="steps-mid", label="highest minute of the day")
        most = np.array([day.matters for day in found.days])
        some_ = ~most & np.array([day.simulated > 0 for day in found.days])
        below.plot(days[most], peaks[most], "s", mfc="none", mec=BLACK, ms=4.5, label="simulated because it matters")
        below.plot(days[some_], peaks[some_], ".", color=BLACK, ms=3, label="sampled")
        below.set_xlim(-0.5, len(peaks) - 0.5)
        below.set_ylim(0, max(1.05, 1.05 * float(peaks.max())))
        below.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x * 100:.0f} %"))
        below.set_ylabel("utilisation of the\nbusiest service")
        below.set_xticks(*_starts(first, len(failed)))
        below.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)
    return drawn


def _months(first: date | None, days: int, shift: int) -> tuple[list[float], list[str]]:
    starts, labels = _starts(first, days)
    return [(start + shift) // 7 for start in starts], labels


def _starts(first: date | None, days: int) -> tuple[list[float], list[str]]:
    """The days on which a month begins, or every thirtieth."""
    if first is None:
        step = max(1, days // 12)
        return [float(k) for k in range(0, days, step)], [f"day {k + 1}" for k in range(0, days, step)]
    moments = [(k, first + timedelta(days=k)) for k in range(days)]
    found = [(k, day) for k, day in moments if day.day == 1 or (k == 0 and day.day < 20)]
    if days < 60:
        found = [(k, day) for k, day in moments if k % 7 == 0]
        return [float(k) for k, _ in found], [f"{day:%d %b}" for _, day in found]
    labels = [f"{day:%b}\n{day:%Y}" if n == 0 or day.month == 1 else f"{day:%b}" for n, (_, day) in enumerate(found)]
    return [float(k) for k, _ in found], labels
