"""A measure over the only factor of a sweep, as a line with its band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from sysim.analysis.measures import Measure
from sysim.plot.style import BLUE, GREY, VERMILLION, figure, styled
from sysim.plot.sweep_scale import Scale, limits, scale_of, title
from sysim.study.factors import Factor
from sysim.study.swept import Found, Swept

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


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
        axes.set_title(title(found, measure))
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
