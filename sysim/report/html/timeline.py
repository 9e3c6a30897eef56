"""What happened over time: requests by outcome, faults as bands, and a lane for each kind of event below."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sysim.analysis.words import count, per_second
from sysim.plan.tables import OUTCOMES
from sysim.report.html.axes import (
    Frame,
    ceiling,
    fault_bands,
    faults,
    scrolling,
    stairs,
    time_axis,
    value_axis,
)
from sysim.report.html.content import Content, Json
from sysim.report.html.element import Markup, el, place
from sysim.report.html.style import fill_of

WIDTH = 1000.0
MOST_BINS, MOST_SMALL_BINS = 240, 120
LANE = 20.0
MOST_MARKS = 300


def binned(series: Json, columns: Json, length_s: float, most: int) -> tuple[list[float], dict[str, list[float]]]:
    """Edges of at most so many spans, and counts a second in each; buckets are joined."""
    t = series["t_s"]
    per = max(1, -(-len(t) // most))
    edges = [*t[::per], length_s]
    rates = {}
    for name, values in columns.items():
        sums = [sum(values[k : k + per]) for k in range(0, len(t), per)]
        rates[name] = [total / (b - a) for total, (a, b) in zip(sums, pairwise(edges), strict=True)]
    return edges, rates


def outcome_names(columns: Json) -> list[str]:
    """The outcomes that occur, successes first."""
    return [name for name in OUTCOMES if any(columns.get(name, ()))]


def stack(content: Content, run: Json, load: str) -> Markup:
    """The figure of one load."""
    series = run["series"]
    columns = series["loads"][load]
    lanes = events(run)
    frame = Frame(WIDTH, 300 + LANE * len(lanes), content.length_s, left=84, bottom=28 + LANE * len(lanes))
    edges, rates = binned(series, columns, content.length_s, MOST_BINS)
    names = outcome_names(columns)
    top, step = ceiling(max(rates["offered"], default=0.0))
    clock = content.clock
    hits = []
    for k, (a, b) in enumerate(pairwise(edges)):
        lines = [f"{clock(a)} to {clock(b)}", f"offered {per_second(rates['offered'][k])}"]
        lines += [f"{_words(name)} {per_second(rates[name][k])}" for name in names if rates[name][k]]
        hits.append(
            el(
                "rect", el("title", "\n".join(lines)), x=frame.x(a), y=frame.top, class_="hit",
                width=frame.x(b) - frame.x(a), height=frame.y1 - frame.top,
            )
        )  # fmt: skip
    picture = el(
        "svg",
        el("title", f"Requests of {load} a second, by outcome, over time"),
        value_axis(frame, top, step, "requests/s"),
        fault_bands(frame, faults(run, content.length_s), clock, names=True),
        areas(frame, edges, rates, names, top),
        time_axis(Frame(WIDTH, frame.height - LANE * len(lanes), content.length_s, left=84, bottom=28), content),
        hits,
        [_lane(frame, frame.y1 + 28 + LANE * k + 8, name, marks, content) for k, (name, marks) in enumerate(lanes)],
        viewBox=f"0 0 {place(WIDTH)} {place(frame.height)}",
        class_="chart",
        role="img",
    )
    caption = (
        f"Requests of {load}, counted at the moment they arrived, by what became of them; the line is what was offered."
    )
    if faults(run, content.length_s):
        caption += " Shaded: a fault at work."
    return el(
        "figure", el("h3", f"{load}"), legend(names), scrolling(picture, f"timeline of {load}"),
        el("figcaption", caption),
    )  # fmt: skip


def areas(
    frame: Frame, edges: Sequence[float], rates: dict[str, list[float]], names: Sequence[str], top: float
) -> list[Markup]:
    """The outcomes on top of each other, and the line of what was offered."""
    xs = [frame.x(t) for t in edges]
    base = [0.0] * (len(edges) - 1)
    made = []
    for name in names:
        upper = [a + b for a, b in zip(base, rates[name], strict=True)]
        made.append(el("path", d=_band(frame, xs, base, upper, top), fill=fill_of(name), data_outcome=name))
        base = upper
    if base:
        line = stairs(xs, [frame.y(r / top) for r in rates["offered"]])
        made.append(el("path", d=line, fill="none", stroke="var(--offered)", stroke_width="1.2"))
    return made


def _band(frame: Frame, xs: Sequence[float], low: Sequence[float], high: Sequence[float], top: float) -> str:
    """One closed area a stretch in which it is not empty."""
    parts = []
    k, n = 0, len(high)
    while k < n:
        if high[k] <= low[k]:
            k += 1
            continue
        first = k
        while k < n and high[k] > low[k]:
            k += 1
        there = stairs(xs[first : k + 1], [frame.y(v / top) for v in high[first:k]])
        back = stairs(xs[first : k + 1][::-1], [frame.y(v / top) for v in low[first:k]][::-1])
        parts.append(f"{there}L{back[1:]}Z")
    return "".join(parts)


def legend(names: Sequence[str]) -> Markup:
    """Which fill is which outcome."""
    items = [
        el("li", el("svg", el("rect", width=15, height=15, rx=2, fill=fill_of(name)), aria_hidden="true"), _words(name))
        for name in names
    ]
    line = el("path", d="M0 8H15", stroke="var(--offered)", stroke_width="2", fill="none")
    return el("ul", items, el("li", el("svg", line, aria_hidden="true"), "offered"), class_="legend")


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")


# --- events -------------------------------------------------------------------------------------------------

Mark = tuple[float, str, str]  # when, shape, text


def events(run: Json) -> list[tuple[str, list[Mark]]]:
    """The lanes that have any event: breakers, operators' actions, replicas, full queues."""
    lanes: dict[str, list[Mark]] = {"breakers": [], "actions": [], "scaling": [], "replicas": [], "queues": []}
    for some in run.get("transitions", ()):
        kind, what, subject = some["kind"], some["what"], some["subject"]
        if kind == "breaker" and what != "half_open":
            lanes["breakers"].append((some["at_s"], "down" if what == "open" else "ring", f"{subject}: {what}"))
        elif kind == "replica":
            lanes["replicas"].append((some["at_s"], _REPLICAS.get(what, "ring"), f"{subject} {what}"))
        elif kind == "scaling":
            lanes["scaling"].append((some["at_s"], "square", f"{subject} is scaled to {what}"))
        elif kind == "action":
            lanes["actions"].append(
                (some["at_s"], "diamond" if what == "carried out" else "ring", f"{subject}: {what}")
            )
    for name, service in run["windows"]["all"]["services"].items():
        full = service.get("queue_full")
        if full:
            what = f"the queue of {name}"
            lanes["queues"].append((full["first_s"], "bar", f"{what} is full for the first time"))
            lanes["queues"].append(
                (full["last_s"], "bar", f"{what} turns a request away for the last of {count(full['count'])} times")
            )
    return [(name, sorted(marks)) for name, marks in lanes.items() if marks]


_REPLICAS = {"down": "cross", "up": "up"}
_SHAPES = {
    "down": ("M-5-4H5L0 5Z", "#0072B2", True),
    "ring": ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "#0072B2", False),
    "cross": ("M-4-4L4 4M-4 4L4-4", "var(--ink)", False),
    "up": ("M-5 4H5L0-5Z", "#888888", True),
    "square": ("M-4-4H4V4H-4Z", "#CC79A7", True),
    "diamond": ("M0-6L5 0L0 6L-5 0Z", "#009E73", True),
    "bar": ("M0-6V6", "#D55E00", False),
}
MARKS = {
    "breakers": "▼ a circuit breaker opens, ○ it closes",
    "actions": "◆ an operator acts, ○ decides to",
    "scaling": "■ an autoscaler or a schedule changes how many replicas there are",
    "replicas": "× a replica goes down, ▲ it is up, ○ it is gone for good",
    "queues": "| a queue turns a request away for the first and the last time",
}


def _lane(frame: Frame, y: float, name: str, marks: Sequence[Mark], content: Content) -> Markup:
    clock = content.clock
    drawn = []
    taken: dict[tuple[int, str], list[str]] = {}
    places: dict[tuple[int, str], float] = {}
    for at, shape, text in marks:
        key = (round(frame.x(at) / 3), shape)
        places.setdefault(key, frame.x(at))
        taken.setdefault(key, []).append(f"{clock(at)} {text}")
    for (key, texts), _ in zip(taken.items(), range(MOST_MARKS), strict=False):
        d, colour, full = _SHAPES[key[1]]
        told = texts[:6] + ([f"and {len(texts) - 6} more"] if len(texts) > 6 else [])
        drawn.append(
            el(
                "g", el("title", "\n".join(told)), el("rect", x=-6, y=-9, width=12, height=18, fill="transparent"),
                el("path", d=d, stroke=colour, stroke_width="1.8", fill=colour if full else "none"),
                transform=f"translate({place(places[key])} {place(y)})", class_="hit",
            )
        )  # fmt: skip
    return el(
        "g",
        el("text", name, x=2, y=y + 4, class_="faint"),
        el("line", x1=frame.left, x2=frame.x1, y1=y, y2=y, class_="grid"),
        drawn,
    )


def marks_explained(run: Json) -> Markup | None:
    """What the marks in the lanes mean."""
    lanes = [name for name, _ in events(run)]
    if not lanes:
        return None
    text = "; ".join(MARKS[name] for name in lanes)
    return el("p", f"Marks under the charts: {text}.", class_="soft")


def miniature(content: Content, run: Json, load: str, top: float, step: float) -> Markup:
    """A small picture of one load, to be compared with others of the same scale."""
    frame = Frame(420, 130, content.length_s, left=50, right=8, top=16, bottom=22)
    columns = run["series"]["loads"][load]
    edges, rates = binned(run["series"], columns, content.length_s, MOST_SMALL_BINS)
    return el(
        "svg",
        el("title", f"Requests of {load} a second, by outcome, over time"),
        value_axis(frame, top, step * 2, "/s") if round(top / step) % 2 == 0 else value_axis(frame, top, top, "/s"),
        fault_bands(frame, faults(run, content.length_s), content.clock, names=False),
        areas(frame, edges, rates, outcome_names(columns), top),
        time_axis(frame, content, most=4),
        viewBox="0 0 420 130",
        class_="chart small",
        role="img",
    )
