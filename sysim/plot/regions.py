"""Tipping points and vulnerability maps.

A place of the map is filled by the share of its runs that stay down, and says so with a letter as well, so that
it can be read without colours.
"""

from __future__ import annotations

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sysim.plot.style import BLACK, BLUE, GREY, VERMILLION, figure, styled
from sysim.study.bisection import Bisection
from sysim.study.metastability import Map, Spot
from sysim.study.quantity import Axis

FILL = LinearSegmentedColormap.from_list("down", ["#FFFFFF", "#F6C9A6", VERMILLION, "#7A3300"])
WORDS = {
    "healthy": "·", "degraded": "d", "recovered": "r", "inconclusive": "?", "metastable": "M", "unstable": "U",
}  # fmt: skip


def vulnerability(found: Map) -> Figure:
    """Columns of load, rows of the trigger; the letters are those of `sysim.report.tipping`."""
    spots = {(spot.factor, spot.value): spot for spot in found.spots}
    columns, rows = len(found.factors), len(found.values)
    with styled():
        drawn = figure(2.6 + 0.75 * max(columns, 4), 2.0 + 0.42 * max(rows, 3))
        axes = drawn.subplots()
        for i, factor in enumerate(found.factors):
            for j, value in enumerate(found.values):
                _cell(axes, i, j, spots.get((factor, value)))
        axes.set_xlim(-0.5, columns - 0.5)
        axes.set_ylim(-0.5, rows - 0.5)
        axes.set_xticks(range(columns), [f"{factor * 100:.3g} %" for factor in found.factors])
        axes.set_yticks(range(rows), [found.axis.show(value) for value in found.values])
        axes.set_xlabel("load, as a share of the scenario's")
        axes.set_ylabel(found.axis.path)
        axes.grid(False)
        axes.tick_params(length=0)
        axes.set_title(f"{found.scenario}: what stays down for good")
        bar = drawn.colorbar(ScalarMappable(Normalize(0, 1), FILL), ax=axes, shrink=0.9, pad=0.02)
        bar.set_label("share of runs that stay down")
        bar.set_ticks([0, 0.5, 1], labels=["none", "half", "all"])
        note = "· healthy   d degraded   r recovers   M metastable   U unstable before any fault   ? too short to tell"
        drawn.supxlabel(note, fontsize=7.5, color="#444444")
    return drawn


def _cell(axes: object, i: int, j: int, spot: Spot | None) -> None:
    assert hasattr(axes, "add_patch") and hasattr(axes, "text")
    if spot is None:
        axes.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fc="none", ec="#DDDDDD", hatch="///", lw=0.5))
        return
    share = spot.tipped / spot.runs
    axes.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fc=FILL(share), ec="white", lw=1.2))
    n = spot.states[spot.state]
    text = WORDS[spot.state] + ("" if n == spot.runs else f" {n}/{spot.runs}")
    axes.text(i, j, text, ha="center", va="center", color="white" if share > 0.6 else BLACK, fontsize=9)


def tipping(found: Bisection, title: str) -> Figure:
    """The share of runs that stay down at each value that was tried, and the interval of the tipping point."""
    axis, divisor = found.axis, 1e9 if found.axis.kind == "duration" else 1.0
    with styled():
        drawn = figure(7.5, 3.2)
        axes = drawn.subplots()
        if found.median is not None and found.tips:
            low, high = (min(max(x, axis.low), axis.high) / divisor for x in found.median.interval)
            label = f"tipping point, {found.median.confidence * 100:.3g} % interval"
            axes.axvspan(low, high, color=GREY, alpha=0.35, lw=0, label=label)
            for end in (low, high):
                axes.axvline(end, color=GREY, lw=0.8)
        values = np.array([probe.value for probe in found.probes]) / divisor
        # At a value in the middle only those were run whose threshold was still open: brackets tell of all.
        shares = [found.share(probe.value) for probe in found.probes]
        axes.plot(values, shares, color=BLUE, ls="-", lw=1, marker="o", ms=4, label="runs that stay down")
        axes.set_ylim(-0.05, 1.05)
        axes.set_yticks([0, 0.5, 1], ["none", "half", "all"])
        axes.set_ylabel("runs that stay down")
        positive = values[values > 0]
        if len(positive) > 2 and positive.max() > 30 * positive.min():
            axes.set_xscale("symlog", linthresh=float(positive.min()))
        axes.set_xticks(*_marks(axis, values, divisor, log=axes.get_xscale() != "linear"))
        axes.set_xticks([], minor=True)
        axes.set_xlim(axis.low / divisor, axis.high / divisor)
        axes.set_xlabel(axis.path)
        axes.set_title(title)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    return drawn


def _marks(axis: Axis, values: NDArray[np.float64], divisor: float, log: bool) -> tuple[list[float], list[str]]:
    """Marks at some of the values tried, far enough apart to be read."""
    found: list[float] = []
    width = float(values.max() - values.min())
    for value in sorted(set(values.tolist())):
        if not found or (value >= 2 * found[-1] if log else value >= found[-1] + 0.12 * width):
            found.append(value)
    return found, [axis.show(value * divisor) for value in found]
