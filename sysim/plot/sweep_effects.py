"""What each of many factors of a sweep does to a measure, as bars that say below them how they came about."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sysim.analysis.words import counted, percent
from sysim.plot.style import BLACK, BLUE, ORANGE, VERMILLION, figure, short_time, styled
from sysim.plot.sweep_scale import limits, scale_of, title
from sysim.study.effects import WAYS, Effects
from sysim.study.swept import Swept

if TYPE_CHECKING:
    from sysim.analysis.sobol import Indices


def tornado(found: Swept, k: int, moved: Effects) -> Figure:
    """From where to where each factor moves a measure, the one that moves it most on top."""
    measure = found.measures[k]
    scale = scale_of(measure, [end for one in moved.factors for end in one.ends])
    some = moved.factors[::-1]
    with styled():
        drawn = figure(8.4, 1.9 + 0.55 * len(some))
        axes = drawn.subplots()
        base = moved.base * scale.factor
        spread = max(one.swing for one in some) * scale.factor or 1.0
        for j, one in enumerate(some):
            low, high = (end * scale.factor for end in one.ends)
            axes.barh(j, min(base, high) - low, left=low, color=BLUE, height=0.6)
            axes.barh(j, high - max(base, low), left=max(base, low), color=ORANGE, height=0.6, hatch="//")
            if one.swing:
                axes.annotate(one.at[0], (low, j), (-4, 0), textcoords="offset points", ha="right", va="center")
                axes.annotate(one.at[1], (high, j), (4, 0), textcoords="offset points", ha="left", va="center")
        axes.axvline(base, color=BLACK, lw=1)
        lows, highs = (min(one.ends[0] for one in some), max(one.ends[1] for one in some))
        axes.set_xlim(lows * scale.factor - 0.3 * spread, highs * scale.factor + 0.3 * spread)
        axes.set_yticks(range(len(some)), [broken(one.path) for one in some])
        axes.grid(axis="y", visible=False)
        for value, text in limits(found, measure):
            if axes.get_xlim()[0] <= value * scale.factor <= axes.get_xlim()[1]:
                axes.axvline(value * scale.factor, color=VERMILLION, lw=1.2, ls="--", label=f"limit: {text}")
        least, most = min(0.0, lows * scale.factor), 100.0 if measure.unit == "share" else float("inf")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.6g}" if least <= x <= most else ""))
        axes.set_title(title(found, measure))
        middle = "the file as it is" if moved.way == "one at a time" else "the mean over all points"
        axes.set_xlabel(f"{scale.label}\n{_wrapped(f'{WAYS[moved.way]}; the black line is {middle}{_unknown(moved)}')}")
        if axes.get_legend_handles_labels()[0]:
            drawn.legend(loc="outside lower center", ncols=2)
    return drawn


def broken(path: str, most: int = 26) -> str:
    """A path in lines of a readable length, broken at its dots."""
    lines = [""]
    for part in path.split("."):
        if lines[-1] and len(lines[-1]) + 1 + len(part) > most:
            lines.append("")
        lines[-1] += f".{part}" if lines != [""] else part
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 84)


def _unknown(moved: Effects) -> str:
    return f"; {counted(moved.missing, 'point')} without a value left out" if moved.missing else ""


def bars(found: Swept, k: int, got: Indices) -> Figure:
    """First-order and total Sobol indices of each factor, with their intervals."""
    measure = found.measures[k]
    order = sorted(range(len(got.factors)), key=lambda i: got.factors[i].total)
    names = [broken(found.design.factors[i].path) for i in order]
    with styled():
        drawn = figure(7.8, 2.0 + 0.62 * len(order))
        axes = drawn.subplots()
        for j, i in enumerate(order):
            one = got.factors[i]
            for value, interval, place, color, hatch, label in (
                (one.first, one.first_interval, j + 0.19, BLUE, "", "first order: alone"),
                (one.total, one.total_interval, j - 0.19, ORANGE, "//", "total: with all others"),
            ):
                told = label if j == 0 else None
                axes.barh(place, max(value, 0.0), height=0.36, color=color, hatch=hatch, label=told)
                # A bootstrap interval need not hold the estimate, and an index is at least 0.
                low, high = max(0.0, min(interval[0], value)), max(interval[1], value, 0.0)
                axes.plot((low, high), (place, place), color=BLACK, lw=1.2)
        axes.set_yticks(range(len(order)), names)
        # Wide intervals are cut off: they say "not known", and the table has their ends.
        axes.set_xlim(0, max(1.05, 1.2 * max(max(one.first, one.total) for one in got.factors)))
        axes.grid(axis="y", visible=False)
        axes.set_title(title(found, measure))
        drawn.legend(loc="outside lower center", ncols=2)
        spread = short_time(got.variance**0.5) if measure.unit == "seconds" else (
            percent(got.variance**0.5) if measure.unit == "share" else f"{got.variance**0.5:.3g}"
        )  # fmt: skip
        level = f"{got.confidence * 100:g} %"
        note = f"its standard deviation is {spread}; lines are {level} bootstrap intervals over {got.rows} rows"
        axes.set_xlabel(f"share of the variance of {measure.text}\n{_wrapped(note)}")
    return drawn
