"""The service graph of one window: who is full, who fails, where retries multiply requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from sysim.analysis.words import count, factor, per_second, percent
from sysim.plot.layout import Edge, Point, layered
from sysim.report.html.axes import scrolling
from sysim.report.html.content import Json
from sysim.report.html.element import Markup, el, place
from sysim.report.html.tables import callee, caller, failed_at, few, times

BOX, TALL = 166.0, 74.0
COLUMN, ROW = 250.0, 102.0
SIDE = 18.0
SCALE = ((0.0, "var(--box)"), (0.25, "#d6ecf8"), (0.5, "#9dd0ee"), (0.75, "#56b4e9"), (0.9, "#0072b2"))


def graph(window: Json, name: str, struck: Mapping[str, list[str]]) -> Markup:
    """The figure; `struck` has the kinds of the faults on a service."""
    nodes = [*window["loads"], *(s for s in window["services"] if s not in window["loads"])]
    merged = _edges(window)
    edges = [edge for edge in merged if edge[0] in nodes and edge[1] in nodes]
    places = layered(nodes, edges, depths(nodes, edges))
    width = (places.columns - 1) * COLUMN + BOX + 2 * SIDE
    height = (places.rows - 1) * ROW + TALL + 2 * SIDE

    def at(point: Point) -> Point:
        return SIDE + BOX / 2 + point[0] * COLUMN, SIDE + TALL / 2 + point[1] * ROW

    length = window["to_s"] - window["from_s"]
    lines, labels = [], []
    for edge in edges:
        line, label = _edge(merged[edge], [at(point) for point in places.routes[edge]], length, edge)
        lines.append(line)
        labels.append(label)
    boxes = [_node(window, node, at(places.nodes[node]), length) for node in nodes]
    tags = [_fault(at(places.nodes[node]), struck[node]) for node in nodes if node in struck]
    picture = el(
        "svg",
        el("title", f"Service graph, {name}"),
        lines,
        boxes,
        labels,
        tags,
        viewBox=f"0 0 {place(width)} {place(height)}",
        class_="chart",
        style=f"max-width:{place(width)}px;min-width:{place(min(width, max(480.0, 0.7 * width)))}px",
        role="img",
    )
    return el("figure", _legend(), scrolling(picture, f"service graph, {name}"))


def depths(nodes: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """How many calls away from the loads each is, at most; calls in a circle are counted once."""
    after: dict[str, list[str]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
    found = dict.fromkeys(nodes, 0)
    on_the_way: list[str] = []

    def visit(name: str) -> None:
        on_the_way.append(name)
        for other in after.get(name, ()):
            if other not in on_the_way and found[other] < found[name] + 1:
                found[other] = found[name] + 1
                visit(other)
        on_the_way.pop()

    called = {b for a, b in edges if a != b}
    for name in [name for name in found if name not in called] or list(found)[:1]:
        visit(name)
    return found


class _Calls:
    """All calls from one node to another."""

    def __init__(self) -> None:
        self.calls = self.sent = self.opened = 0

    def add(self, some: Json) -> None:
        self.calls += some["calls"]
        self.sent += some["sent"]
        self.opened += (some.get("breaker") or {}).get("opened") or 0

    @property
    def factor(self) -> float:
        return self.sent / self.calls if self.calls else 1.0


def _edges(window: Json) -> Mapping[Edge, _Calls]:
    merged: dict[Edge, _Calls] = {}
    for label, some in window["calls"].items():
        merged.setdefault((caller(label), callee(label)), _Calls()).add(some)
    return merged


def _edge(calls: _Calls, route: list[Point], length: float, edge: Edge) -> tuple[Markup, Markup]:
    points = [(route[0][0] + BOX / 2, route[0][1])]
    for x, y in route[1:-1]:
        points += [(x - BOX / 2, y), (x + BOX / 2, y)]
    points.append((route[-1][0] - BOX / 2 - 7, route[-1][1]))
    d = f"M{place(points[0][0])} {place(points[0][1])}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        d += f"C{place(middle)} {place(y0)} {place(middle)} {place(y1)} {place(x1)} {place(y1)}"
    multiplied = calls.factor > 1.02
    colour = "var(--fault)" if multiplied else "var(--soft)"
    thick = min(6.0, 1.4 + 2.0 * (calls.factor - 1.0)) if multiplied else 1.4
    x, y = points[-1]
    title = f"{edge[0]} → {edge[1]}: {count(calls.calls)} calls, {count(calls.sent)} attempts sent" + (
        f", breakers opened {count(calls.opened)} times" if calls.opened else ""
    )
    faded = None if calls.calls else 0.45
    line = el(
        "g",
        el("title", title),
        el("path", d=d, fill="none", stroke=colour, stroke_width=f"{thick:.1f}", opacity=faded),
        el("path", d=f"M{place(x)} {place(y - 4.5)}l8 4.5l-8 4.5z", fill=colour, opacity=faded),
    )
    if not calls.calls:
        return line, Markup("")
    (x0, y0), (x1, y1) = points[0], points[1]
    t = 0.5  # of the first piece, where the lines of one caller have parted
    mx = _bezier(x0, (x0 + x1) / 2, (x0 + x1) / 2, x1, t)
    my = _bezier(y0, y0, y1, y1, t)
    text = per_second(calls.calls / length)
    told = [_haloed(text, mx, my + (0 if multiplied else 4), "medium")]
    if multiplied:
        told.append(_haloed(f"×{factor(calls.factor)}", mx, my + 13, "medium strong", "var(--fault)"))
    if calls.opened:
        r = 9 if calls.opened < 100 else 13
        told += [
            el("circle", cx=x - 12, cy=y - 15, r=r, fill="#111", stroke="#fff", stroke_width="1.2"),
            el("text", count(calls.opened), x=x - 12, y=y - 11, text_anchor="middle", class_="tiny", style="fill:#fff"),
        ]
    return line, el("g", told)


def _haloed(text: str, x: float, y: float, class_: str, fill: str | None = None) -> Markup:
    style = "paint-order:stroke;stroke:var(--card);stroke-width:4px" + (f";fill:{fill}" if fill else "")
    return el("text", text, x=x, y=y, text_anchor="middle", class_=class_, style=style)


def _bezier(a: float, b: float, c: float, d: float, t: float) -> float:
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _node(window: Json, name: str, at: Point, length: float) -> Markup:
    x, y = at
    if name in window["loads"]:
        load = window["loads"][name]
        failing = 1.0 - load["success"] if load["success"] is not None else 0.0
        fill, ink, round_ = "var(--zebra)", "var(--ink)", 22
        lines = [f"offered {per_second(load['offered'] / length)}", f"success {percent(load['success'])}"]
        title = f"load {name}"
    else:
        service = window["services"][name]
        attempts, failed = failed_at(window, name)
        failing = failed / attempts if attempts else 0.0
        busy = [v for v in (service["utilisation"], service["cpu_utilisation"]) if v is not None]
        full = max(busy) if busy else None
        fill, ink = _fill(full)
        round_ = 6
        state = f"busy {percent(full)}" if full is not None else f"{few(service['in_system_mean'])} inside"
        lines = [state if service["arrivals"] or service["in_system_max"] else "not called"]
        if service["queue_mean"] >= 0.05:
            lines.append(f"queue {few(service['queue_mean'])}")
        if failed:
            lines.append(f"fails {percent(failing)}")
        title = f"service {name}: {'; '.join(lines)}"
        name += times(service["replicas_mean"])
    frame = "var(--fault)" if failing > 0.001 else "var(--soft)"
    thick = 1.2 if failing <= 0.001 else 2.0 + 3.5 * min(1.0, failing) ** 0.5
    shown = name if len(name) <= 22 else name[:21] + "…"
    return el(
        "g",
        el("title", title),
        el("rect", x=x - BOX / 2, y=y - TALL / 2, width=BOX, height=TALL, rx=round_, fill=fill, stroke=frame,
           stroke_width=f"{thick:.1f}"),
        el("text", shown, x=x, y=y - 15, text_anchor="middle", class_="strong large" if len(shown) <= 16 else "strong",
            style=f"fill:{ink}"),
        [el("text", line, x=x, y=y + 2 + 14.5 * k, text_anchor="middle", class_="medium", style=f"fill:{ink}")
         for k, line in enumerate(lines)],
    )  # fmt: skip


def _fault(at: Point, kinds: list[str]) -> Markup:
    text = "fault: " + ", ".join(kinds[:2]) + (" …" if len(kinds) > 2 else "")
    width = 7.2 * len(text) + 12
    x, y = at[0], at[1] - TALL / 2
    return el(
        "g",
        el("rect", x=x - width / 2, y=y - 14, width=width, height=18, rx=9, fill="#b54a00", stroke="#fff"),
        el("text", text, x=x, y=y - 0.5, text_anchor="middle", class_="strong", style="fill:#fff"),
    )


def _fill(full: float | None) -> tuple[str, str]:
    if full is None:
        return SCALE[0][1], "var(--ink)"
    level = max(k for k, (least, _) in enumerate(SCALE) if full >= least)
    ink = "var(--ink)" if level == 0 else "#fff" if level == len(SCALE) - 1 else "#111"
    return SCALE[level][1], ink


def _legend() -> Markup:
    ramp = el(
        "svg",
        [el("rect", x=15 * k, width=15, height=15, fill=colour, stroke="var(--soft)", stroke_width=0.5)
         for k, (_, colour) in enumerate(SCALE)],
        aria_hidden="true", style=f"width:{15 * len(SCALE)}px",
    )  # fmt: skip

    def icon(*drawn: Markup) -> Markup:
        return el("svg", *drawn, aria_hidden="true")

    return el(
        "ul",
        el("li", ramp, "workers or cores busy: 0, 25, 50, 75, 90 % and more"),
        el("li", icon(el("rect", x=2, y=2, width=11, height=11, fill="none", stroke="var(--fault)", stroke_width=3)),
           "callers see failures"),
        el("li", icon(el("path", d="M0 8H15", stroke="var(--fault)", stroke_width=4)),
           "retries multiply requests: ×attempts sent for each call"),
        el("li", icon(el("circle", cx=7.5, cy=7.5, r=6.5, fill="#111")), "circuit breaker, times opened"),
        class_="legend",
    )  # fmt: skip
