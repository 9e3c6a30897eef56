"""What happened over time, in panels that share their axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sysim.plan.tables import OUTCOMES
from sysim.plot.events import mark_transitions, shade_faults
from sysim.plot.style import (
    BLACK,
    LINES,
    OUTCOME_STYLE,
    figure,
    grouped_axis,
    mark_silence,
    seconds_axis,
    styled,
    time_axis,
    time_unit,
)
from sysim.result.result import Result
from sysim.result.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 600
MOST_LOADS = 4
MOST_LINES = 5
Floats = NDArray[np.float64]


def timeline(result: Result, replication: int = 0) -> Figure:
    """Outcomes, latency, fullest services and amplification of one replication."""
    run = result.runs[replication]
    loads = sorted(run.series.loads, key=lambda name: -int(run.series.loads[name]["offered"].sum()))[
        :MOST_LOADS
    ]
    calls = _amplified(run)
    services = _fullest(run)
    scaled = _scaled(run)
    heights = [1.5] * len(loads) + [1.2] * bool(loads) + [1.2] * bool(services) + [0.9] * bool(scaled)
    heights += [0.9] * bool(calls)
    with styled():
        drawn = figure(9.5, 1.4 + 1.55 * sum(heights))
        panels = drawn.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[
            :, 0
        ].tolist()
        unit, unit_name = time_unit(run.plan.duration / 1e9)
        grid = _Grid(run, unit)
        rest = list(panels)
        for load in loads:
            _outcomes(rest.pop(0), grid, load)
        if loads:
            _latency(rest.pop(0), run, loads, unit)
        if services:
            axes = rest.pop(0)
            _levels(axes, grid, services)
        if scaled:
            _replicas(rest.pop(0), grid, scaled)
        if calls:
            _amplification(rest.pop(0), grid, calls)
        shade_faults(run, panels, unit)
        if mark_transitions(run, panels[-1], unit):
            panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        time = result.scenario.time
        time_axis(panels[-1], time.start, run.plan.duration / 1e9, unit, unit_name, time.zone)
        variant = f" · {result.variant}" if result.variant else ""
        drawn.suptitle(f"{result.scenario.name}{variant} · seed {run.seed}", fontsize=11, x=0.01, ha="left")
    return drawn


class _Grid:
    """Buckets joined until few enough are left to draw."""

    def __init__(self, run: Run, unit: float) -> None:
        self.run = run
        n = len(run.series.t)
        self.starts = np.arange(0, n, max(1, -(-n // MOST_POINTS)))
        self.width = np.add.reduceat(run.series.width, self.starts)
        self.edges = np.append(run.series.t[self.starts], run.plan.duration / 1e9) / unit

    def rate(self, counts: NDArray[np.int64] | Floats) -> Floats:
        """Counts as a rate per second, with the last value repeated for the closing edge."""
        return self._closed(np.add.reduceat(counts, self.starts) / self.width)

    def level(self, averages: NDArray[np.int64] | Floats) -> Floats:
        """Time averages, averaged further."""
        return self._closed(np.add.reduceat(averages * self.run.series.width, self.starts) / self.width)

    def ratio(self, part: NDArray[np.int64] | Floats, whole: NDArray[np.int64] | Floats) -> Floats:
        """A ratio of sums, NaN where there is nothing to divide by."""
        top, bottom = (np.add.reduceat(x, self.starts).astype(np.float64) for x in (part, whole))
        return self._closed(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))

    @staticmethod
    def _closed(values: Floats) -> Floats:
        return np.append(values, values[-1])


def _outcomes(axes: Axes, grid: _Grid, load: str) -> None:
    columns = grid.run.series.loads[load]
    base = np.zeros(len(grid.edges))
    for name in OUTCOMES:
        if not columns[name].any():
            continue
        colour, hatch = OUTCOME_STYLE[name]
        top = base + grid.rate(columns[name])
        axes.fill_between(
            grid.edges,
            base,
            top,
            step="post",
            facecolor=colour,
            hatch=hatch or None,
            edgecolor="white",
            lw=0,
            label=name,
        )
        base = top
    axes.step(grid.edges, grid.rate(columns["offered"]), where="post", color=BLACK, lw=0.9, label="offered")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("requests per second")
    axes.set_title(f"{load}: requests by outcome, at the moment they arrived", pad=14)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _latency(axes: Axes, run: Run, loads: list[str], unit: float) -> None:
    t = np.append(run.series.latency_t, run.plan.duration / 1e9) / unit
    styles = {"p50": "-", "p95": "--", "p99": ":"}
    drawn = False
    for number, load in enumerate(loads):
        colour = LINES[number][0]
        for name, style in styles.items():
            values = run.series.latency[load][name]
            if np.isnan(values).all():
                continue
            drawn = True
            label = name if len(loads) == 1 else f"{load} {name}"
            axes.step(
                t, np.append(values, values[-1]), where="post", color=colour, ls=style, lw=1.2, label=label
            )
    axes.set_ylabel("latency")
    axes.set_title("Latency of successes, at the moment they arrived")
    silent = np.all([np.isnan(run.series.latency[load]["p50"]) for load in loads], axis=0)
    mark_silence(axes, t, silent, "no success")
    if drawn:
        seconds_axis(axes)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.text(0.5, 0.5, "no request succeeded", transform=axes.transAxes, ha="center", va="center")


def _fullest(run: Run) -> list[str]:
    most = {name: float(columns["in_system"].max()) for name, columns in run.series.services.items()}
    return sorted((name for name in most if most[name] > 0), key=lambda name: -most[name])[:MOST_LINES]


def _levels(axes: Axes, grid: _Grid, services: list[str]) -> None:
    for number, name in enumerate(services):
        colour, style = LINES[number]
        columns: Mapping[str, NDArray[np.int64] | Floats] = grid.run.series.services[name]
        values = grid.level(columns["in_system"])
        axes.step(grid.edges, values, where="post", color=colour, ls=style, lw=1.2, label=name)
    top = max(float(grid.level(grid.run.series.services[name]["in_system"]).max()) for name in services)
    if top > 100:
        axes.set_yscale("symlog", linthresh=10)
    axes.set_ylim(bottom=0)
    grouped_axis(axes)
    axes.set_ylabel("requests in system")
    axes.set_title("Requests waiting or in progress, the fullest services")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _scaled(run: Run) -> list[str]:
    """Services whose number of replicas changes, those that change most first."""
    spread = {}
    for name, columns in run.series.services.items():
        ready = columns["up"]
        if float(columns["starting"].max()) > 0 or float(np.ptp(ready)) > 0:
            spread[name] = float(np.ptp(ready))
    return sorted(spread, key=lambda name: -spread[name])[:MOST_LINES]


def _replicas(axes: Axes, grid: _Grid, services: list[str]) -> None:
    for number, name in enumerate(services):
        colour, style = LINES[number]
        columns: Mapping[str, NDArray[np.int64] | Floats] = grid.run.series.services[name]
        ready = grid.level(columns["up"])
        axes.step(grid.edges, ready, where="post", color=colour, ls=style, lw=1.2, label=name)
        there = ready + grid.level(columns["starting"])
        axes.fill_between(grid.edges, ready, there, step="post", color=colour, alpha=0.3, lw=0)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("replicas")
    axes.set_title("Ready replicas; shaded: starting")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _amplified(run: Run) -> list[str]:
    most: dict[str, float] = {}
    for name, columns in run.series.calls.items():
        calls, sent = columns["calls"], columns["sent"]
        if calls.sum() and abs(int(sent.sum()) - int(calls.sum())) > 0.001 * int(calls.sum()):
            most[name] = abs(float(sent.sum()) / float(calls.sum()) - 1.0)
    return sorted(most, key=lambda name: -most[name])[:MOST_LINES]


def _amplification(axes: Axes, grid: _Grid, calls: list[str]) -> None:
    for number, name in enumerate(calls):
        colour, style = LINES[number]
        columns = grid.run.series.calls[name]
        values = grid.ratio(columns["sent"], columns["calls"])
        axes.step(
            grid.edges,
            values,
            where="post",
            color=colour,
            ls=style,
            lw=1.2,
            label=name.replace(" -> ", " → "),
        )
    axes.axhline(1.0, color=BLACK, lw=0.6)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("sent per call")
    axes.set_title("Amplification: attempts sent for each call")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
