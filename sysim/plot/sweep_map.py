"""A measure over two factors of a sweep, as a map with its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from sysim.analysis.measures import Measure
from sysim.plot.style import BLACK, GREY, VERMILLION, figure, styled
from sysim.plot.sweep_scale import Scale, limits, scale_of, title
from sysim.study.swept import Swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
NUMBERED = 12  # a map with more cells on a side has no numbers in them


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
        axes.set_title(title(found, measure))
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
