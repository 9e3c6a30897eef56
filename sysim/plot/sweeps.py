"""A sweep in pictures: a line with its band over one factor, a map over two, and what each of many does.

Every measure has a picture of its own. Limits of the checks on that measure are drawn where they lie. Bars of effects
say below them how they came about.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from sysim.analysis.measures import Measure
from sysim.analysis.words import counted, percent
from sysim.plot.style import BLACK, BLUE, GREY, ORANGE, VERMILLION, figure, short_time, styled
from sysim.study.effects import WAYS, Effects, effects, sobol_of
from sysim.study.factors import Factor
from sysim.study.swept import Found, Swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sysim.analysis.sobol import Indices

Floats = NDArray[np.float64]
NUMBERED = 12  # a map with more cells on a side has no numbers in them
MOST_FIGURES = 24


def sweep(found: Swept) -> dict[str, Figure]:
    """The figures by the name of their file, without suffix."""
    drawn: dict[str, Figure] = {}
    grid = found.design.kind == "grid" or (found.design.kind == "list" and len(found.design.factors) <= 2)
    for k, measure in enumerate(found.measures[:MOST_FIGURES]):
        name = re.sub(r"[^a-z0-9]+", "-", measure.text.lower()).strip("-")
        if not any(value is not None for value in found.means(k)):
            continue
        some = found.design.factors
        got = sobol_of(found, k)
        moved = None if got is not None else effects(found, k)
        if len(some) == 1:
            drawn[f"line-{name}"] = line(found, k)
        elif len(some) == 2 and grid and found.design.kind == "grid":
            drawn[f"map-{name}"] = heat(found, k)
        elif got is not None:
            drawn[f"sobol-{name}"] = bars(found, k, got)
        elif moved is not None:
            drawn[f"tornado-{name}"] = tornado(found, k, moved)
    return drawn


# --- what is common ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """The numbers of a measure as they are drawn, and what stands on their axis."""

    factor: float
    label: str
    money: str = ""

    def show(self, value: float) -> str:
        """A drawn number as one reads it in a cell."""
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def scale_of(measure: Measure, values: Sequence[float | None]) -> Scale:
    """In the unit in which the greatest value is easy to read."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    text = measure.text
    if measure.unit == "share":
        return Scale(100.0, f"{text} (%)")
    if measure.unit == "seconds":
        for unit, size in (("h", 3_600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
            if most >= size * (2 if unit in ("h", "min") else 1):
                return Scale(1 / size, f"{text} ({unit})")
        return Scale(1e6, f"{text} (µs)") if most else Scale(1.0, f"{text} (s)")
    if measure.unit == "money":
        return Scale(1.0, f"{text} ({measure.currency or 'money'})")
    return Scale(1.0, f"{text} (per second)" if measure.unit == "per_second" else text)


def limits(found: Swept, measure: Measure) -> list[tuple[float, str]]:
    """The limits that checks set to a measure, in its own unit, and the texts of the checks."""
    own = measure.check
    return [
        (check.value, check.text)
        for check in found.checks
        if check.value is not None and check.op in ("<", "<=", ">", ">=") and check.of_window is None
        and (check.metric, check.subject, check.window) == (own.metric, own.subject, own.window)
    ]  # fmt: skip


def _positions(factor: Factor, some: Sequence[Found]) -> tuple[Floats, bool]:
    """Where the points lie along a factor, and whether that is a scale; otherwise by number."""
    values = [one.point.values.get(factor.path) for one in some]
    places = [factor.place(value) for value in values]
    if factor.axis is not None and all(place is not None for place in places):
        divisor = 1e9 if factor.axis.kind == "duration" else 0.01 if factor.axis.kind == "share" else 1.0
        return np.array(places, dtype=np.float64) / divisor, True
    levels = [str(level) for level in factor.levels]
    return np.array([levels.index(str(value)) if str(value) in levels else -1 for value in values], dtype=float), False


def _axis_label(factor: Factor) -> str:
    unit = "" if factor.axis is None else {"duration": " (s)", "rate": " (per second)", "share": " (%)"}.get(
        factor.axis.kind, ""
    )  # fmt: skip
    return factor.path + unit


def _note(found: Swept) -> str:
    n = found.replications
    band = f"{found.confidence * 100:g} % interval over {n} replications" if n > 1 else "one replication"
    return f"{band}, seed {found.seed}"


def _title(found: Swept, measure: Measure) -> str:
    return f"{found.scenario}{f'@{found.variant}' if found.variant else ''}: {measure.text}"


# --- one factor ----------------------------------------------------------------------------------------------------


def line(found: Swept, k: int) -> Figure:
    """A measure over the only factor, with its interval; points whose checks fail are marked."""
    measure, factor = found.measures[k], found.design.factors[0]
    some = [
        one for one in found.points
        if one.measured and one.measured[k] is not None and factor.path in one.point.values
    ]  # fmt: skip
    scale = scale_of(measure, found.means(k))
    x, metric = _positions(factor, some)
    order = np.argsort(x, kind="stable")
    x = x[order]
    known = [some[number] for number in order]
    estimates = [one.measured[k] for one in known]
    mean = np.array([one.mean for one in estimates if one is not None]) * scale.factor
    half = np.array([(one.half_width or 0.0) for one in estimates if one is not None]) * scale.factor
    with styled():
        drawn = figure(7.2, 3.8)
        axes = drawn.subplots()
        if metric:
            if found.replications > 1:
                axes.fill_between(x, mean - half, mean + half, color=BLUE, alpha=0.2, lw=0, label=_note(found))
            axes.plot(x, mean, color=BLUE, ls="-", marker="o", ms=4, label="mean")
            if factor.log or (x.min() > 0 and x.max() > 50 * x.min()):
                axes.set_xscale("log")
            if factor.axis is not None and factor.axis.kind == "count":
                from matplotlib.ticker import MaxNLocator

                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            else:
                axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        else:
            axes.errorbar(x, mean, half, color=BLUE, fmt="o", ms=5, capsize=3, label=f"mean, {_note(found)}")
            axes.set_xticks(range(len(factor.levels)), [factor.show(level) for level in factor.levels])
        _marks(axes, x, mean, known)
        _silent(axes, found, k, metric)
        _limits(axes, found, measure, scale)
        _value_axis(axes, measure, mean + half, mean - half)
        axes.set_ylabel(scale.label)
        axes.set_xlabel(_axis_label(factor))
        axes.set_title(_title(found, measure))
        drawn.legend(loc="outside lower center", ncols=3)
    return drawn


def _marks(axes: Axes, x: Floats, mean: Floats, known: Sequence[Found]) -> None:
    failing = np.array([any(v.verdict == "fail" for v in one.verdicts) for one in known])
    if failing.any():
        axes.plot(
            x[failing], mean[failing], ls="", marker="x", ms=8, mew=1.6, color=VERMILLION, label="a check fails",
            zorder=4,
        )  # fmt: skip


def _silent(axes: Axes, found: Swept, k: int, metric: bool) -> None:
    """Points without a value, at the foot of the picture."""
    factor = found.design.factors[0]
    some = [one for one in found.points if one.measured and one.measured[k] is None]
    if some and metric:
        x, _ = _positions(factor, some)
        axes.plot(
            x, np.full(len(x), 0.02), ls="", marker="x", ms=6, color=GREY, label="no data",
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip


def _limits(axes: Axes, found: Swept, measure: Measure, scale: Scale) -> None:
    for value, text in limits(found, measure):
        axes.axhline(value * scale.factor, color=VERMILLION, lw=1.2, ls="--", label=f"limit: {text}")


def _value_axis(axes: Axes, measure: Measure, high: Floats, low: Floats) -> None:
    """Logarithmic where the values go over more than two orders of magnitude; from 0 where that is near."""
    if measure.unit != "share" and low.min() > 0 and high.max() > 100 * low.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        return
    if measure.unit != "share" and low.min() >= 0 and low.min() < 0.5 * high.max():
        axes.set_ylim(bottom=0)
    if measure.unit == "share":
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, -2.0), min(top, 102.0))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


# --- two factors ---------------------------------------------------------------------------------------------------


def heat(found: Swept, k: int) -> Figure:
    """A measure over two factors: a cell for each point, and a line where the limit of a check is crossed."""
    measure = found.measures[k]
    across, up = found.design.factors
    means = found.means(k)
    scale = scale_of(measure, means)
    column = {str(level): number for number, level in enumerate(across.levels)}
    row = {str(level): number for number, level in enumerate(up.levels)}
    values = np.full((len(row), len(column)), np.nan)
    failing = np.zeros(values.shape, dtype=bool)
    for one, mean in zip(found.points, means, strict=True):
        place = row[str(one.point.values[up.path])], column[str(one.point.values[across.path])]
        values[place] = np.nan if mean is None else mean * scale.factor
        failing[place] = any(verdict.verdict == "fail" for verdict in one.verdicts)
    rows, columns = values.shape
    with styled():
        drawn = figure(min(14.0, 3.4 + 0.62 * max(columns, 4)), min(10.0, 2.4 + 0.42 * max(rows, 3)))
        axes = drawn.subplots()
        norm, note = _norm(measure, values)
        image = axes.imshow(values, origin="lower", aspect="auto", cmap="cividis", norm=norm)
        missing = np.argwhere(np.isnan(values))
        for j, i in missing.tolist():
            axes.text(i, j, "– ✗" if failing[j, i] else "–", ha="center", va="center", color=GREY)
        if rows <= NUMBERED and columns <= NUMBERED:
            _numbers(axes, values, failing, scale, norm)
        labels = []
        for number, (value, text) in enumerate(limits(found, measure)):
            style = ("-", "--", ":")[number % 3]
            if _crossed(axes, values, value * scale.factor, style):
                labels.append((text, style))
        axes.set_xticks(range(columns), [across.show(level) for level in across.levels])
        axes.set_yticks(range(rows), [up.show(level) for level in up.levels])
        _thin(axes, rows, columns)
        axes.grid(False)
        axes.set_xlabel(across.path)
        axes.set_ylabel(up.path)
        axes.set_title(_title(found, measure))
        bar = drawn.colorbar(image, ax=axes, shrink=0.95, pad=0.02)
        bar.set_label(scale.label + note)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        _legend(drawn, axes, labels, bool(failing.any()) and rows <= NUMBERED and columns <= NUMBERED, found)
    return drawn


def _norm(measure: Measure, values: Floats) -> tuple[Normalize, str]:
    known = values[~np.isnan(values)]
    if measure.unit != "share" and known.min() > 0 and known.max() > 10 * known.min():
        return LogNorm(known.min(), known.max()), ", logarithmic"
    low, high = float(known.min()), float(known.max())
    return Normalize(low, high if high > low else low + 1), ""


def _numbers(axes: Axes, values: Floats, failing: NDArray[np.bool_], scale: Scale, norm: Normalize) -> None:
    rows, columns = values.shape
    for j in range(rows):
        for i in range(columns):
            if np.isnan(values[j, i]):
                continue
            dark = float(norm(values[j, i])) < 0.55
            text = scale.show(float(values[j, i])) + (" ✗" if failing[j, i] else "")
            axes.text(i, j, text, ha="center", va="center", fontsize=7.5, color="white" if dark else BLACK)


def _crossed(axes: Axes, values: Floats, limit: float, style: str) -> bool:
    """Draw the edges between cells on either side of a limit; whether there are any."""
    below = values < limit
    known = ~np.isnan(values)
    rows, columns = values.shape
    segments = [
        ((i + 0.5, j - 0.5), (i + 0.5, j + 0.5))
        for j in range(rows) for i in range(columns - 1)
        if known[j, i] and known[j, i + 1] and below[j, i] != below[j, i + 1]
    ] + [
        ((i - 0.5, j + 0.5), (i + 0.5, j + 0.5))
        for j in range(rows - 1) for i in range(columns)
        if known[j, i] and known[j + 1, i] and below[j, i] != below[j + 1, i]
    ]  # fmt: skip
    for color, width in (("white", 4.0), (VERMILLION, 2.2)):
        for (x0, y0), (x1, y1) in segments:
            axes.plot((x0, x1), (y0, y1), color=color, lw=width, ls="-" if color == "white" else style,
                      solid_capstyle="round", zorder=3)  # fmt: skip
    return bool(segments)


def _thin(axes: Axes, rows: int, columns: int) -> None:
    """Not more labels than can be read."""
    for count, most, axis in ((columns, 14, axes.xaxis), (rows, 24, axes.yaxis)):
        step = -(-count // most)
        for number, label in enumerate(axis.get_ticklabels()):
            label.set_visible(number % step == 0)
    longest = max((len(label.get_text()) for label in axes.get_xticklabels()), default=0)
    if longest > 6:
        for label in axes.get_xticklabels():
            label.set_rotation(35)
            label.set_horizontalalignment("right")


def _legend(drawn: Figure, axes: Axes, labels: Sequence[tuple[str, str]], marked: bool, found: Swept) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=VERMILLION, lw=2.2, ls=style, label=f"limit: {text}") for text, style in labels]
    if marked:
        handles.append(Line2D([], [], color=BLACK, marker="x", ls="", label="a check fails"))
    if handles:
        drawn.legend(handles=handles, loc="outside lower center", ncols=3)


# --- many factors --------------------------------------------------------------------------------------------------


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
        axes.set_title(_title(found, measure))
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
        axes.set_title(_title(found, measure))
        drawn.legend(loc="outside lower center", ncols=2)
        spread = short_time(got.variance**0.5) if measure.unit == "seconds" else (
            percent(got.variance**0.5) if measure.unit == "share" else f"{got.variance**0.5:.3g}"
        )  # fmt: skip
        level = f"{got.confidence * 100:g} %"
        note = f"its standard deviation is {spread}; lines are {level} bootstrap intervals over {got.rows} rows"
        axes.set_xlabel(f"share of the variance of {measure.text}\n{_wrapped(note)}")
    return drawn
