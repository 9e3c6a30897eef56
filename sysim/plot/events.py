"""Faults as shaded bands, breakers, actions and crashes as marks: the same on every picture over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sysim.plot.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION
from sysim.result.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NS = 1_000_000_000
MOST_BANDS = 200
MOST_LABELS = 6


def shade_faults(run: Run, panels: Sequence[Axes], unit: float) -> None:
    """A band for each fault on every panel, its name above the first."""
    end_of_run = run.plan.duration / NS
    labelled: list[tuple[float, float, str]] = []
    spans: dict[tuple[float, float], list[str]] = {}
    for fault in run.faults:
        begin = fault.begin / NS
        if begin < end_of_run:
            end = end_of_run if fault.end is None else min(fault.end / NS, end_of_run)
            names = spans.setdefault((begin, end), [])
            if fault.label not in names:
                names.append(fault.label)
    for number, ((begin, end), names) in enumerate(sorted(spans.items())):
        if number >= MOST_BANDS:
            break
        for axes in panels:
            if end > begin:
                axes.axvspan(begin / unit, end / unit, color=VERMILLION, alpha=0.12, lw=0, zorder=0)
            axes.axvline(begin / unit, color=VERMILLION, lw=0.8, alpha=0.7, zorder=0.5)
        labelled.append((begin, end, ", ".join(names)))
    shown: set[str] = set()
    last = -1e18
    for begin, _, name in labelled:
        if name in shown or len(shown) >= MOST_LABELS:
            continue
        shown.add(name)
        level = 1.0 if begin - last > 0.16 * end_of_run else 1.07
        last = begin
        panels[0].annotate(
            name if len(name) <= 32 else name[:31] + "…",
            (begin / unit, level), xycoords=("data", "axes fraction"),
            xytext=(2, 2), textcoords="offset points",
            color=VERMILLION, fontsize=8, ha="left", va="bottom", annotation_clip=False,
        )  # fmt: skip


def mark_transitions(run: Run, axes: Axes, unit: float) -> list[str]:
    """Marks along the bottom for breakers that open, actions, and replicas that go down or come up; what they mean."""
    kinds = (
        ("breaker", "open", "v", BLUE, "a breaker opens"),
        ("action", "carried out", "D", GREEN, "an operator acts"),
        ("replica", "down", "x", BLACK, "a replica goes down"),
        ("replica", "up", "^", GREY, "a replica is up again"),
    )
    told = []
    scaled = sorted({round(scaling.at_s / unit, 6) for scaling in run.scalings})
    if scaled:
        axes.plot(
            scaled[:2000], [0.0] * len(scaled[:2000]), "s", color=PURPLE, ms=4,
            transform=axes.get_xaxis_transform(), clip_on=False, label="replicas are scaled", zorder=5,
        )  # fmt: skip
        told.append("replicas are scaled")
    for kind, what, marker, colour, label in kinds:
        at = sorted({round(t.at_s / unit, 6) for t in run.transitions if t.kind == kind and t.what == what})
        if at:
            axes.plot(
                at[:2000], [0.0] * len(at[:2000]), marker, color=colour, ms=5,
                transform=axes.get_xaxis_transform(),
                clip_on=False, label=label, zorder=5,
            )  # fmt: skip
            told.append(label)
    return told
