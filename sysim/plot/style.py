"""The look of all pictures: the Okabe-Ito palette with line styles, units on axes, deterministic files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sysim.zones import local

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#888888"
CLOCK_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
    604_800,
)  # fmt: skip
"""Seconds between the marks of an axis with clock times."""
LINES: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, (0, (5, 1, 1, 1, 1, 1))), (ORANGE, (0, (3, 1))),
    (SKY, ":"), (BLACK, (0, (1, 1))),
)  # fmt: skip
"""Colour and line style of the first, second, … line; both differ, so that neither is needed alone."""

OUTCOME_STYLE: dict[str, tuple[str, str]] = {
    "ok": (GREEN, ""), "degraded": (SKY, ""), "error": (PURPLE, "//"), "timeout": (VERMILLION, ""),
    "deadline": ("#8C3B00", "\\\\"), "rejected": (ORANGE, ".."), "shed": (YELLOW, ""),
    "circuit_open": (BLUE, "xx"),
    "rate_limited": ("#5B4B8A", ""), "bulkhead_full": ("#A0522D", "++"), "unreachable": ("#444444", ""),
    "lost": (BLACK, "//"), "cancelled": ("#BBBBBB", ""), "in_flight": ("#DDDDDD", "oo"),
}  # fmt: skip
"""Fill and hatch of each outcome."""

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "sysim",
    "svg.fonttype": "path",
    "figure.dpi": 100,
    "savefig.dpi": 140,
    "path.simplify": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Within it, nothing of the user's own matplotlib settings applies."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for name, value in SETTINGS.items():
            matplotlib.rcParams[name] = value  # type: ignore[index]
        yield


def figure(width: float, height: float) -> Figure:
    """A figure of its own, known to no pyplot."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def write(drawn: Figure, path: Path) -> Path:
    """Write a figure without dates, so that the same figure gives the same bytes."""
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with styled():
        drawn.savefig(path, metadata=metadata)
    return path


def time_unit(seconds: float) -> tuple[float, str]:
    """Divisor and name of the unit for an axis that is `seconds` long."""
    if seconds > 3 * 86_400:
        return 86_400.0, "days"
    if seconds > 3 * 3_600:
        return 3_600.0, "hours"
    if seconds > 900:
        return 60.0, "minutes"
    return 1.0, "seconds"


def time_axis(
    axes: Axes, start: str | None, duration_s: float, unit: float, unit_name: str, zone: str | None = None
) -> None:
    """The axis of a run's time: elapsed, or by the clock where the run has a calendar."""
    axes.set_xlim(0, duration_s / unit)
    axes.set_xlabel(f"time ({unit_name})" if start is None else "clock time")
    if start is None:
        return
    begin = datetime.fromisoformat(start)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = (begin - midnight).total_seconds()
    step = next((step for step in CLOCK_STEPS if duration_s <= 8 * step), 7 * 86_400 * ceil(duration_s / 4e6))
    times = [step * k - offset for k in range(ceil(offset / step), int((offset + duration_s) / step) + 1)]
    moments = [local(begin, zone, timedelta(seconds=t)) for t in times]
    form = "%a %d %b" if step >= 86_400 else "%H:%M:%S" if step < 60 else "%H:%M"
    labels = [f"{moment:{form}}" for moment in moments]
    for number, moment in enumerate(moments):
        if step < 86_400 and duration_s > 86_400 and moment.hour == moment.minute == 0:
            labels[number] += f"\n{moment:%a %d %b}"
    axes.set_xticks([t / unit for t in times], labels)


def seconds_axis(axes: Axes) -> None:
    """A logarithmic axis of latencies, labelled as one says them: 2 ms, 1 s."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high < 300 * low else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_time(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def grouped_axis(axes: Axes) -> None:
    """An axis of counts, labelled 1,000 and not 10³."""
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def mark_silence(axes: Axes, edges: Any, silent: Any, label: str) -> None:
    """Hatch the stretches between `edges` in which there is nothing to draw, and say why."""
    if silent.any():
        axes.fill_between(
            edges, 0, 1, where=[*silent, silent[-1]], step="post", transform=axes.get_xaxis_transform(),
            facecolor="none", edgecolor="#C8C8C8", hatch="///", lw=0, label=label, zorder=0.2,
        )  # fmt: skip


def short_time(seconds: float) -> str:
    """A latency in its own unit."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")):
        if seconds >= factor * 0.9995:
            return f"{seconds / factor:.3g} {unit}"
    return "0" if seconds <= 0 else f"{seconds:.1e} s"
