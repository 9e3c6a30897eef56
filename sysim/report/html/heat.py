"""The latency heat map: time from left to right, latency upwards, darker where more requests ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log

from sysim.analysis.words import count, span
from sysim.report.html.axes import Frame, fault_bands, faults, scrolling, stairs, time_axis
from sysim.report.html.content import Content, Json
from sysim.report.html.element import Markup, el, place

WIDTH, HEIGHT = 1000.0, 280.0
MOST_COLUMNS = 160
LEVELS = 7
LEAST = 1e-5  # seconds; the lowest band of the picture holds what is quicker, too
DECADES = tuple(f * 10.0**k for k in range(-9, 7) for f in (1, 2, 5))


def heat_map(content: Content, run: Json, load: str) -> Markup | None:
    """The figure of one load; None where the series have no counts of latencies."""
    latency = run["series"]["latency"]
    rows = latency["loads"].get(load, {})
    edges = latency.get("edges_s", [])
    if len(edges) < 2 or "succeeded" not in rows:
        return None
    per = max(1, -(-len(latency["t_s"]) // MOST_COLUMNS))
    moments = [*latency["t_s"][::per], content.length_s]
    good, bad = (_joined(rows[name], per) for name in ("succeeded", "failed"))
    low, high = _used([*good, *bad])
    if high <= low:
        return None
    least = next((k for k, edge in enumerate(edges) if edge >= LEAST), 0)
    below = low < least < high - 1
    if below:  # what fails at once would stretch the scale
        good, bad = (
            [[*[0] * least, sum(row[: least + 1]), *row[least + 1 :]] for row in table] for table in (good, bad)
        )
        low = least
    frame = Frame(WIDTH, HEIGHT, content.length_s, left=84)
    # the lowest edge may be 0: a logarithm needs more
    heights = [log(max(edge, 1e-9)) for edge in edges[low : high + 1]]
    ys = [frame.y((h - heights[0]) / ((heights[-1] - heights[0]) or 1.0)) for h in heights]
    most = max(max(row) for table in (good, bad) for row in table)
    picture = el(
        "svg",
        el("title", f"Latency of requests of {load} over time"),
        _scale(frame, edges[low], edges[high]),
        fault_bands(frame, faults(run, content.length_s), content.clock, names=True),
        _cells(frame, moments, ys, [row[low:high] for row in bad], most, "var(--fault)"),
        _cells(frame, moments, ys, [row[low:high] for row in good], most, "var(--heat)"),
        _line(frame, latency["t_s"], rows.get("p99_s", []), (edges[low], edges[high]), content.length_s),
        time_axis(frame, content),
        _hits(frame, content, moments, good, bad, rows, per),
        viewBox=f"0 0 {place(WIDTH)} {place(HEIGHT)}",
        class_="chart",
        role="img",
    )
    legend = el(
        "ul",
        el("li", _swatch("var(--heat)"), "successes, few … many (logarithmic)"),
        el("li", _swatch("var(--fault)"), "failures, by the time until they failed") if any(map(any, bad)) else None,
        el("li", el("svg", el("path", d="M0 8H15", stroke="var(--ink)", stroke_width="2"),
                    aria_hidden="true"), "99 % of successes are quicker"),
        class_="legend",
    )  # fmt: skip
    caption = (
        f"Requests of {load} by the moment they arrived and by the time until they ended; darker where more of them"
        f" did.{f' The lowest band holds all that took less than {span(edges[low + 1])}.' if below else ''}"
    )
    return el("figure", el("h3", load), legend, scrolling(picture, f"latency of {load}"), el("figcaption", caption))


def _joined(table: Sequence[Sequence[int]], per: int) -> list[list[int]]:
    return [[sum(column) for column in zip(*table[k : k + per], strict=True)] for k in range(0, len(table), per)]


def _used(table: Sequence[Sequence[int]]) -> tuple[int, int]:
    bands = [k for k, column in enumerate(zip(*table, strict=True)) if any(column)]
    return (bands[0], bands[-1] + 1) if bands else (0, 0)


def _cells(
    frame: Frame, moments: Sequence[float], ys: Sequence[float], table: Sequence[Sequence[int]], most: int,
    colour: str, 
) -> list[Markup]:  # fmt: skip
    """One path for each level, of rectangles a column; neighbours of the same level above each other are one."""
    paths: dict[int, list[str]] = {}
    for row, (a, b) in zip(table, pairwise(moments), strict=True):
        levels = [_level(n, most) for n in row]
        x, width = round(frame.x(a)), round(frame.x(b)) - round(frame.x(a))
        k = 0
        while k < len(levels):
            first, level = k, levels[k]
            while k < len(levels) and levels[k] == level:
                k += 1
            if level:
                paths.setdefault(level, []).append(
                    f"M{place(x)} {place(ys[k])}h{place(width)}V{place(ys[first])}h-{place(width)}z"
                )
    return [
        el(
            "path",
            d="".join(parts),
            fill=colour,
            fill_opacity=f"{0.12 + 0.88 * level / LEVELS:.2f}",
            shape_rendering="crispEdges",
        )
        for level, parts in sorted(paths.items())
    ]


def _level(n: int, most: int) -> int:
    return 0 if n <= 0 else 1 + min(LEVELS - 1, int(LEVELS * log(n) / log(most + 1)))


def _share(seconds: float, ends: tuple[float, float]) -> float:
    low, high = (log(max(edge, 1e-9)) for edge in ends)
    return min(1.0, max(0.0, (log(max(seconds, 1e-9)) - low) / ((high - low) or 1.0)))


def _scale(frame: Frame, low: float, high: float) -> list[Markup]:
    wide = high > 300 * max(low, 1e-9)
    marks = [x for x in DECADES if low <= x <= high and (not wide or f"{x:e}".startswith("1.0"))]
    made = [el("text", "latency", x=2, y=12, class_="faint tiny")]
    for x in marks:
        y = frame.y(_share(x, (low, high)))
        made.append(el("line", x1=frame.left, x2=frame.x1, y1=y, y2=y, class_="grid"))
        made.append(el("text", span(x), x=frame.left - 7, y=y + 4, text_anchor="end", class_="faint"))
    return made


def _line(
    frame: Frame, t: Sequence[float], values: Sequence[float | None], ends: tuple[float, float], length_s: float
) -> Markup:
    """A percentile over time, with gaps where nothing succeeded."""
    edges = [*t, length_s]
    parts, k = [], 0
    while k < len(values):
        if values[k] is None:
            k += 1
            continue
        first = k
        while k < len(values) and values[k] is not None:
            k += 1
        some = [frame.y(_share(float(v), ends)) for v in values[first:k] if v is not None]
        parts.append(stairs([frame.x(x) for x in edges[first : k + 1]], some))
    return el("path", d="".join(parts) or "M0 0", fill="none", stroke="var(--ink)", stroke_width="1.2")  # fmt: skip


def _hits(
    frame: Frame, content: Content, moments: Sequence[float], good: Sequence[Sequence[int]],
    bad: Sequence[Sequence[int]], rows: Json, per: int,
) -> list[Markup]:  # fmt: skip
    made = []
    for k, (a, b) in enumerate(pairwise(moments)):
        text = [
            f"{content.clock(a)} to {content.clock(b)}",
            f"{count(sum(good[k]))} succeeded, {count(sum(bad[k]))} failed",
        ]
        if per == 1:
            text += [f"{name} {span(rows[f'{name}_s'][k])}" for name in ("p50", "p95", "p99") if f"{name}_s" in rows]
        made.append(
            el(
                "rect", el("title", "\n".join(text)), x=frame.x(a), y=frame.top, width=frame.x(b) - frame.x(a),
                height=frame.y1 - frame.top, class_="hit",
            )
        )  # fmt: skip
    return made


def _swatch(colour: str) -> Markup:
    steps = [
        el("rect", x=5 * k, width=5, height=15, fill=colour, fill_opacity=f"{0.25 + 0.37 * k:.2f}") for k in range(3)
    ]
    return el("svg", steps, aria_hidden="true")
