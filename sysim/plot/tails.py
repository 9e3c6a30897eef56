"""Latency: percentiles over time, and how it is distributed in each window."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from sysim.analysis.latency import middles
from sysim.plot.events import shade_faults
from sysim.plot.style import (
    LINES,
    figure,
    mark_silence,
    seconds_axis,
    short_time,
    styled,
    time_axis,
    time_unit,
)
from sysim.result.result import Result

STYLES = {"p50": "-", "p95": "--", "p99": ":"}


def latency(result: Result, replication: int = 0) -> Figure:
    """One row a load: on the left over time, on the right the share of successes that took longer."""
    run = result.runs[replication]
    loads = list(run.series.latency)
    with styled():
        drawn = figure(11.0, 0.7 + 3.1 * max(1, len(loads)))
        panels = drawn.subplots(max(1, len(loads)), 2, squeeze=False, width_ratios=(1.5, 1))
        unit, unit_name = time_unit(run.plan.duration / 1e9)
        t = np.append(run.series.latency_t, run.plan.duration / 1e9) / unit
        for row, load in enumerate(loads):
            over_time, tail = panels[row]
            for number, (name, style) in enumerate(STYLES.items()):
                values = run.series.latency[load][name]
                over_time.step(
                    t,
                    np.append(values, values[-1]),
                    where="post",
                    color=LINES[number][0],
                    ls=style,
                    lw=1.2,
                    label=name,
                )
            silent = np.isnan(run.series.latency[load]["p50"])
            mark_silence(over_time, t, silent, "no success")
            over_time.set_title(f"{load}: latency of successes, by arrival", pad=14)
            over_time.set_ylabel("latency")
            time = result.scenario.time
            time_axis(over_time, time.start, run.plan.duration / 1e9, unit, unit_name, time.zone)
            if not all(np.isnan(run.series.latency[load][name]).all() for name in STYLES):
                seconds_axis(over_time)
                over_time.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
            shade_faults(run, [over_time], unit)
            equal = False
            for number, window in enumerate(result.windows):
                histogram = run.histograms[window][load]
                if not len(histogram.bins):
                    continue
                values = middles()[histogram.bins] / 1e9
                above = 1.0 - np.cumsum(histogram.counts) / histogram.counts.sum()
                keep = above > 0
                if not keep.any():  # all took the same time, to within a bin
                    equal = True
                    continue
                colour, line = LINES[number % len(LINES)]
                tail.step(
                    values[keep], above[keep], where="post", color=colour, ls=line, lw=1.2, label=window
                )
            tail.set_title("share of successes that took longer")
            tail.set_xlabel("latency")
            tail.set_ylabel("share (log)")
            if tail.lines:
                tail.set_xscale("log")
                tail.set_yscale("log")
                tail.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_time(value)))
                tail.xaxis.set_minor_formatter(NullFormatter())
                tail.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g} %"))
                tail.legend(loc="lower left")
            else:
                why = "all successes took equally long" if equal else "no request succeeded"
                tail.text(0.5, 0.5, why, transform=tail.transAxes, ha="center", va="center")
        variant = f" · {result.variant}" if result.variant else ""
        drawn.suptitle(f"{result.scenario.name}{variant} · seed {run.seed}", fontsize=11, x=0.01, ha="left")
    return drawn
