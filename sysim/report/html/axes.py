"""Scales, ticks and the frame that charts over time share: axes, fault bands, names of faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10

from sysim.analysis.words import Clock
from sysim.report.html.content import Content, Json
from sysim.report.html.element import Markup, el, place

STEPS = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800,
)  # fmt: skip
DAY = 86_400
MOST_BANDS = 120


@dataclass(frozen=True)
class Frame:
    """A chart of `width` x `height` pixels with room around its plot; `length_s` is what its width shows."""

    width: float
    height: float
    length_s: float
    left: float = 58.0
    right: float = 12.0
    top: float = 22.0
    bottom: float = 26.0

    @property
    def x1(self) -> float:
        """Right end of the plot."""
        return self.width - self.right

    @property
    def y1(self) -> float:
        """Lower end of the plot."""
        return self.height - self.bottom

    def x(self, seconds: float) -> float:
        """Where a moment is, kept inside the plot."""
        share = min(1.0, max(0.0, seconds / self.length_s)) if self.length_s else 0.0
        return self.left + share * (self.x1 - self.left)

    def y(self, share: float) -> float:
        """Where a share of the plot's height is, from below."""
        return self.y1 - share * (self.y1 - self.top)


def ceiling(highest: float) -> tuple[float, float]:
    """A round number not below the highest value, and the step between marks: four to six of them."""
    if highest <= 0:
        return 1.0, 0.5
    raw = highest / 4
    size = 10.0 ** floor(log10(raw))
    step = next(size * f for f in (1, 2, 2.5, 5, 10) if size * f >= raw * 0.999)
    return step * ceil(highest / step - 1e-9), step


def time_marks(length_s: float, start: str | None, most: int = 8) -> list[float]:
    """Round moments within a run: from midnight where it has a calendar."""
    step = next((s for s in STEPS if length_s <= most * s), DAY * 7 * ceil(length_s / (DAY * 7 * most)))
    offset = 0.0
    if start is not None:
        begin = datetime.fromisoformat(start)
        offset = (begin - begin.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    first = ceil(offset / step - 1e-9)
    return [step * k - offset for k in range(first, floor((offset + length_s) / step + 1e-9) + 1)]


def time_axis(frame: Frame, content: Content, most: int = 8, labels: bool = True) -> list[Markup]:
    """The axis of time: its line, marks and labels."""
    clock = content.clock
    made = [el("line", x1=frame.left, x2=frame.x1, y1=frame.y1, y2=frame.y1, class_="axis")]
    for moment in time_marks(frame.length_s, content.result["scenario"].get("start"), most):
        x = frame.x(moment)
        made.append(el("line", x1=x, x2=x, y1=frame.y1, y2=frame.y1 + 4, class_="axis"))
        if labels:
            anchor = "start" if x < frame.left + 14 else "end" if x > frame.x1 - 14 else "middle"
            made.append(el("text", short(clock, moment), x=x, y=frame.y1 + 17, text_anchor=anchor, class_="faint"))
    return made


def short(clock: Clock, moment: float) -> str:
    """A moment on an axis; of a date, the month and the day are enough."""
    text = clock(moment)
    return text[5:] if len(text) > 10 and text[4] == "-" else text


def value_axis(frame: Frame, top: float, step: float, unit: str) -> list[Markup]:
    """Lines and labels for values from 0 to `top`."""
    made = []
    for k in range(round(top / step) + 1):
        y = frame.y(k * step / top)
        made.append(el("line", x1=frame.left, x2=frame.x1, y1=y, y2=y, class_="grid"))
        made.append(el("text", f"{k * step:,.6g}", x=frame.left - 7, y=y + 4, text_anchor="end", class_="faint"))
    made.append(el("text", unit, x=2, y=12, class_="faint tiny"))
    return made


def faults(run: Json, length_s: float) -> list[tuple[float, float, str]]:
    """When faults were at work: begin, end, name; the end of the run where one does not end."""
    open_since: dict[str, list[float]] = {}
    found = []
    for some in run.get("transitions", ()):
        if some["kind"] != "fault":
            continue
        if some["what"] == "begins":
            open_since.setdefault(some["subject"], []).append(some["at_s"])
        elif open_since.get(some["subject"]):
            found.append((open_since[some["subject"]].pop(0), some["at_s"], some["subject"]))
    found += [(at, length_s, name) for name, moments in open_since.items() for at in moments]
    return sorted(found)


def fault_bands(frame: Frame, spans: Sequence[tuple[float, float, str]], clock: Clock, names: bool) -> list[Markup]:
    """Bands of faults, their names above; the first of each name is labelled where there is room."""
    made, shown, free_from = [], set(), 0.0
    for begin, end, name in spans[:MOST_BANDS]:
        a, b = frame.x(begin), max(frame.x(end), frame.x(begin) + 1.5)
        title = f"fault {name}: {clock(begin)}" + (f" to {clock(end)}" if end > begin else "")
        made.append(
            el("rect", el("title", title), x=a, y=frame.top, width=b - a, height=frame.y1 - frame.top, class_="fault")
        )
        made += [el("line", x1=x, x2=x, y1=frame.top, y2=frame.y1, class_="fault-edge") for x in {a: 0, b: 0}]
        if names and name not in shown:
            text = name if len(name) <= 34 else name[:33] + "…"
            width = 6.4 * len(text)
            x = min(a, frame.x1 - width)
            if x >= free_from:
                shown.add(name)
                made.append(el("text", text, x=max(frame.left, x), y=frame.top - 6, class_="fault-name"))
                free_from = x + width + 10
    return made


def stairs(xs: Sequence[float], ys: Sequence[float]) -> str:
    """A path that holds each y from its x to the next; `xs` has one more."""
    parts = [f"M{place(xs[0])} {place(ys[0])}"]
    for k, y in enumerate(ys):
        parts.append(f"{'' if k == 0 else f'V{place(y)}'}H{place(xs[k + 1])}")
    return "".join(parts)


def scrolling(picture: Markup, name: str) -> Markup:
    """A chart that a narrow screen moves sideways rather than shrinks."""
    return el("div", picture, class_="scroll", tabindex=0, role="group", aria_label=name)
