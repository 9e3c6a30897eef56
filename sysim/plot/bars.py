"""The impact of faults as horizontal bars, the worst on top; colour and hatch say what becomes of the system."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from sysim.plot.style import BLACK, ORANGE, SKY, VERMILLION, figure, styled
from sysim.study.breaking import Impact, Sweep, Verdict

STYLE: dict[Verdict, tuple[str, str]] = {
    "survives": (SKY, ""), "recovers": (ORANGE, "//"), "unclear": ("#CCCCCC", ".."), "stays down": (VERMILLION, "xx"),
}  # fmt: skip
MEANING: dict[Verdict, str] = {
    "survives": "survives", "recovers": "hurt, and recovers by itself", "unclear": "not watched long enough",
    "stays down": "does not get up again",
}  # fmt: skip
MOST_BARS = 25


def impact(found: Sweep, most: int = MOST_BARS) -> Figure:
    """The worst faults and pairs."""
    shown = [worst for worst in found.all() if worst.failed > 0][:most]
    with styled():
        drawn = figure(9.5, 1.5 + 0.24 * max(4, len(shown)))
        axes = drawn.subplots()
        for row, worst in enumerate(shown):
            colour, hatch = STYLE[worst.verdict]
            error = worst.half_width
            axes.barh(
                row, worst.failed, height=0.72, color=colour, hatch=hatch, edgecolor="white", lw=0.4,
                xerr=error, error_kw={"ecolor": BLACK, "elinewidth": 0.8, "capsize": 2},
            )  # fmt: skip
            axes.annotate(
                _money(worst), (worst.failed + (error or 0.0), row), (4, 0), textcoords="offset points",
                va="center", fontsize=7.5,
            )  # fmt: skip
        axes.set_yticks(range(len(shown)), [worst.name for worst in shown], fontsize=8)
        axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
        longest = max((worst.failed + (worst.half_width or 0.0) for worst in shown), default=1.0)
        axes.set_xlim(0, 1.16 * longest)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        axes.set_xlabel(f"requests that fail besides those that fail anyway, of {found.offered:,.0f}")
        axes.set_title(f"{found.scenario}: what each fault of {found.terms.lasts / 1e9:g} s does to customers")
        kinds = [verdict for verdict in STYLE if any(worst.verdict == verdict for worst in shown)]
        patches = [Patch(fc=STYLE[kind][0], hatch=STYLE[kind][1], ec="white", label=MEANING[kind]) for kind in kinds]
        if patches:
            axes.legend(handles=patches, loc="lower right")
        else:
            axes.text(0.5, 0.5, "no fault fails a request", transform=axes.transAxes, ha="center")
    return drawn


def _money(worst: Impact) -> str:
    return ", ".join(f"{total:,.0f} {currency}" for currency, total in worst.lost.items() if total >= 1)
