"""A capacity plan: load, capacity and loss over the whole run, and latency over load with the knee and the limit."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sysim.analysis.words import percent, span
from sysim.model import OpenLoad
from sysim.model.demand import mean_rate
from sysim.plot.style import (
    BLACK,
    GREY,
    LINES,
    figure,
    grouped_axis,
    seconds_axis,
    styled,
    time_axis,
    time_unit,
)
from sysim.study.capacity.plan import CapacityPlan
from sysim.zones import local

NS = 1_000_000_000


def day(found: CapacityPlan) -> Figure:
    """Above the rate offered and what the plan can take, below the share that is lost with and without a failure."""
    assert found.day is not None
    slots = found.day.slots
    length_s = found.scenario.time.duration / NS
    unit, name = time_unit(length_s)
    edges = np.array([*(slot.start_s for slot in slots), slots[-1].end_s]) / unit
    with styled():
        drawn = figure(9.5, 5.6)
        above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(1.5, 1))
        load = found.loads[0]
        offered = [slot.offered[load] for slot in slots]
        above.fill_between(edges, [*offered, offered[-1]], step="post", color=LINES[0][0], alpha=0.25, lw=0)
        above.step(edges, [*offered, offered[-1]], where="post", color=LINES[0][0], lw=1.4, label=f"{load} offered")
        _capacities(found, above, load)
        above.set_ylim(0)
        above.set_ylabel("requests a second")
        grouped_axis(above)
        above.set_title(f"{found.scenario.name}: load and capacity of the plan")
        lost = {kind: [slot.lost[kind] for slot in slots] for kind in slots[0].lost}
        for number, (kind, values) in enumerate(lost.items()):
            shares = np.array([math.nan if x is None else x for x in values])
            colour, line = LINES[(1, 2, 3, 4)[number % 4]]
            below.step(
                edges, [*shares, shares[-1]], where="post", color=colour, ls=line, lw=1.4, label=f"when {kind}"
            )  # fmt: skip
        promised = max((1.0 - goal.limit for goal in found.goals if goal.kind == "success"), default=None)
        if promised is not None:
            below.axhline(promised, color=BLACK, lw=0.8, ls=":", label=f"promised: at most {percent(promised)}")
        _loss_axis(below, [x for values in lost.values() for x in values if x is not None], promised)
        below.set_ylabel(f"{', '.join(found.loads)} lost")
        below.set_title("lost, if it happens in this hour" if length_s > 3_600 else "lost, if it happens then")
        first = found.situations[0]
        for axes in (above, below):
            axes.axvspan(first.start / NS / unit, first.end / NS / unit, color=GREY, alpha=0.3, lw=0)
        time_axis(below, found.scenario.time.start, length_s, unit, name, found.scenario.time.zone)
        for axes in (above, below):
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        note = f"shaded: the stretch that is judged. Lost: from {span(found.day.looked_s)} of each slot"
        drawn.supxlabel(note, fontsize=7.5, color="#444444")
    return drawn


def _capacities(found: CapacityPlan, axes: Axes, load: str) -> None:
    for number, one in enumerate(found.saturations):
        situation = found.situations[one.situation]
        body = found.scenario.load[load]
        if math.isinf(one.found.bracket[1]) or not isinstance(body, OpenLoad):
            continue
        rate = one.factor * mean_rate(body.rate, situation.start, situation.end)
        colour, line = LINES[number + 1]
        axes.axhline(rate, color=colour, ls=line, lw=1.4, label=f"capacity when {situation.name}")


def _loss_axis(axes: Axes, values: list[float], promised: float | None) -> None:
    """Linear up to a tenth of what is promised, logarithmic above: nothing and a little are both to be seen."""
    least = (promised or 0.001) / 10
    axes.set_yscale("symlog", linthresh=least, linscale=0.5)
    highest = max([*values, promised or 0.0, least])
    axes.set_ylim(-least / 3, min(1.5, highest * 3))
    marks = [0.0, *(10.0**k for k in range(-5, 1) if least <= 10.0**k <= highest * 3)]
    axes.set_yticks(marks)
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g} %"))


def supply(found: CapacityPlan) -> Figure:
    """The climb to the peak under each way to have replicas: load, ready replicas of the largest service, losses."""
    assert found.supplies is not None and found.sizes is not None
    ways = found.supplies.ways
    name = found.room.names[int(np.argmax(found.sizes))]
    t = ways[0].t_s
    begin = (found.supplies.start / NS) - (t[-1] + t[1] - t[0] - (found.supplies.end - found.supplies.start) / NS)
    width = float(t[1] - t[0])
    length_s = float(t[-1]) + width
    unit, unit_name = time_unit(length_s)
    edges = np.array([*t, length_s]) / unit
    with styled():
        drawn = figure(9.5, 5.6)
        above, below = drawn.subplots(2, 1, sharex=True)
        for number, way in enumerate(ways):
            colour, line = LINES[number]
            up = way.up[name]
            above.step(edges, [*up, up[-1]], where="post", color=colour, ls=line, lw=1.4, label=way.name)
            rate = way.lost_over / width
            below.step(edges, [*rate, rate[-1]], where="post", color=colour, ls=line, lw=1.4, label=way.name)
        above.set_ylabel(f"ready replicas of {name}")
        above.set_ylim(0)
        above.set_title(f"{found.scenario.name}: the climb to the peak, nothing broken")
        below.set_ylabel("requests lost a second")
        below.set_ylim(0)
        grouped_axis(below)
        start = found.scenario.time.start
        moment = None
        if start is not None:
            gone = timedelta(seconds=max(0.0, begin))
            moment = local(datetime.fromisoformat(start), found.scenario.time.zone, gone).isoformat()
        time_axis(below, moment, length_s, unit, unit_name, found.scenario.time.zone)
        for axes in (above, below):
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return drawn


def curve(found: CapacityPlan) -> Figure:
    """Latency and goodput over the rate offered, the knee, today's load and the point of saturation."""
    assert found.curve is not None
    points = found.curve.points
    offered = [point.offered for point in points]
    with styled():
        drawn = figure(8.0, 5.4)
        above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(1.4, 1))
        for number, (label, values) in enumerate(
            (
                ("mean", [p.mean_s for p in points]),
                ("p50", [p.p50_s for p in points]),
                ("p99", [p.p99_s for p in points]),
            )
        ):
            colour, line = LINES[number]
            shown = [math.nan if x is None else x for x in values]
            above.plot(offered, shown, color=colour, ls=line, lw=1.4, marker="o", ms=3, label=label)
        for goal in found.goals:
            if goal.kind == "latency" and goal.load == found.curve.load:
                above.axhline(goal.limit, color=BLACK, ls=":", lw=0.9, label=f"promised: {goal.text}")
        above.set_ylabel("latency of successes")
        seconds_axis(above)
        above.set_title(f"{found.scenario.name}: {found.curve.load} under more and less load, nothing else changed")
        below.plot(offered, offered, color=GREY, ls="--", lw=1.0, label="offered")
        below.plot(offered, [p.good for p in points], color=LINES[2][0], lw=1.4, marker="o", ms=3, label="goodput")
        below.set_ylabel("requests a second")
        below.set_xlabel(f"{found.curve.load} offered, requests a second")
        below.set_ylim(0)
        grouped_axis(below)
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        now = points[0].offered / points[0].factor
        marks = [("this load", now, BLACK, "-"), ("knee", found.curve.knee.offered, LINES[3][0], "--")]
        if found.saturations and math.isfinite(found.saturations[0].found.bracket[1]):
            marks.append(("saturation", found.saturations[0].factor * now, LINES[1][0], "-."))
        for axes in (above, below):
            for label, at, colour, line in marks:
                axes.axvline(at, color=colour, ls=line, lw=1.0, label=label if axes is below else None)
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return drawn


__all__ = ["curve", "day", "supply"]
