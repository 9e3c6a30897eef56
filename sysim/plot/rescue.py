"""What mitigations save as horizontal bars, the best on top; colour and hatch say whether it is well again."""

from __future__ import annotations

from math import inf

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from sysim.analysis.words import Clock, span
from sysim.plot.style import BLACK, ORANGE, SKY, VERMILLION, figure, styled
from sysim.study.whatif import Effect, WhatIf

STYLE: dict[str, tuple[str, str]] = {
    "well": (SKY, ""), "some": (ORANGE, "//"), "down": (VERMILLION, "xx"), "unknown": ("#CCCCCC", ".."),
}  # fmt: skip
MEANING = {
    "well": "well again in most runs", "some": "well again in some runs", "down": "not well again in any run",
    "unknown": "cannot be judged",
}  # fmt: skip


def what_if(found: WhatIf) -> Figure:
    """Customers saved by each mitigation, with intervals, and when it is well again."""
    clock = Clock(found.start, found.terms.end / 1e9, found.zone)
    shown = found.effects
    with styled():
        drawn = figure(9.5, 1.7 + 0.27 * max(4, len(shown)))
        axes = drawn.subplots()
        ends = [0.0]
        for row, effect in enumerate(shown):
            colour, hatch = STYLE[_state(effect)]
            saved = effect.saved
            mean, half = (saved.mean, saved.half_width) if saved is not None else (0.0, None)
            axes.barh(
                row, mean, height=0.7, color=colour, hatch=hatch, edgecolor="white", lw=0.4,
                xerr=half or None, error_kw={"ecolor": BLACK, "elinewidth": 0.8, "capsize": 2},
            )  # fmt: skip
            ends += [mean - (half or 0.0), mean + (half or 0.0)]
            axes.plot([1.015], [row], "s", color=colour, ms=6, transform=axes.get_yaxis_transform(), clip_on=False)
            axes.text(1.035, row, _when(effect), transform=axes.get_yaxis_transform(), va="center", fontsize=7.5)
        axes.text(
            1.0, 1.02, "well again", transform=axes.transAxes, fontsize=8, fontweight="bold", va="bottom", ha="left"
        )
        axes.axvline(0, color=BLACK, lw=0.8)
        names = [f"{effect.rank}{'=' if effect.tied else ''}  {effect.name}" for effect in shown]
        axes.set_yticks(range(len(shown)), names, fontsize=8)
        axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
        low, high = min(ends), max(ends)
        room = 0.04 * (high - low or 1.0)
        axes.set_xlim(low - room, high + room)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        sure = f", {found.confidence:.0%} intervals" if found.replications > 1 else ", one run"
        axes.set_xlabel(f"customers served beyond those served if nobody does anything{sure}")
        at, end = (clock(ns / 1e9) for ns in (found.terms.at, found.terms.end))
        title = f"{found.scenario}: what would help at {at}, counted until {end}"
        drawn.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
        kinds = [kind for kind in STYLE if any(_state(effect) == kind for effect in shown)]
        patches = [Patch(fc=STYLE[kind][0], hatch=STYLE[kind][1], ec="white", label=MEANING[kind]) for kind in kinds]
        drawn.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return drawn


def _state(effect: Effect) -> str:
    if not effect.judged:
        return "unknown"
    return "well" if effect.recovers else "some" if effect.recovered else "down"


def _when(effect: Effect) -> str:
    if not effect.judged:
        return "?"
    of = f"{effect.recovered} of {effect.judged}"
    if not effect.recovers or effect.after_s is None or effect.after_s == inf:
        return of
    return f"{of}, {'at once' if effect.after_s == 0 else f'after {span(effect.after_s)}'}"
