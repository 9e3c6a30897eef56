"""Where failures began: a bar for each origin, in the colours of the outcomes that customers saw."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from sysim.analysis.causes import WORDS, Origin, origins
from sysim.analysis.words import percent
from sysim.plan.tables import OUTCOMES
from sysim.plot.style import OUTCOME_STYLE, figure, styled
from sysim.result.result import Result

MOST_BARS = 8  # of a load
LEAST = 0.001  # of its failures


def causes(result: Result, window: str = "all") -> Figure:
    """The origins of the failed requests of each load over one window of the first replication."""
    loads = {name: origins(stats.failures) for name, stats in result.windows[window].loads.items()}
    loads = {name: _shown(found) for name, found in loads.items() if found}
    rows = [max(len(found), 2) for found in loads.values()]
    with styled():
        drawn = figure(10.0, 1.2 + sum(0.5 + 0.34 * n for n in rows))
        if not loads:
            axes = drawn.subplots()
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no request failed", transform=axes.transAxes, ha="center")
            return drawn
        panels = drawn.subplots(len(loads), 1, squeeze=False, height_ratios=rows)[:, 0]
        for axes, (load, found) in zip(panels, loads.items(), strict=True):
            for row, origin in enumerate(found):
                left = 0
                for outcome, count in origin.outcomes.items():
                    colour, hatch = OUTCOME_STYLE[outcome]
                    axes.barh(row, count, left=left, height=0.7, color=colour, hatch=hatch, edgecolor="white", lw=0.4)
                    left += count
                axes.annotate(
                    _said(origin), (left, row), (4, 0), textcoords="offset points", va="center", fontsize=7.5
                )
            axes.set_yticks(
                range(len(found)), [f"{origin.service}: {WORDS[origin.mechanism]}" for origin in found], fontsize=8
            )
            axes.set_ylim(max(len(found), 2) - 0.4, -0.6)
            axes.set_xlim(0, 1.7 * max(origin.count for origin in found))
            axes.grid(False, axis="y")
            axes.tick_params(axis="y", length=0)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
            axes.set_title(f"{load}: where its failed requests began to fail")
        panels[-1].set_xlabel("failed requests, in the colours of what customers saw")
        seen = {outcome for found in loads.values() for origin in found for outcome in origin.outcomes}
        patches = [
            Patch(fc=OUTCOME_STYLE[name][0], hatch=OUTCOME_STYLE[name][1], ec="white", label=name)
            for name in OUTCOMES
            if name in seen
        ]
        drawn.legend(handles=patches, loc="outside lower right", ncols=min(6, len(patches)))
        drawn.suptitle(_title(result, window), x=0.01, ha="left", fontsize=11)
    return drawn


def _shown(found: tuple[Origin, ...]) -> tuple[Origin, ...]:
    return tuple(origin for origin in found[:MOST_BARS] if origin is found[0] or origin.share >= LEAST)


def _said(origin: Origin) -> str:
    more = [percent(origin.share)]
    if origin.disturbed >= 0.005:
        more.append(f"fault at work {percent(origin.disturbed)}")
    if origin.queued >= 0.005:
        more.append(f"behind a queue {percent(origin.queued)}")
    return ", ".join(more)


def _title(result: Result, window: str) -> str:
    parts = [result.scenario.name, *([result.variant] if result.variant else [])]
    return " · ".join([*parts, *([] if window == "all" else [window])])
