"""The service graph over one window: where it is full, which callers see errors, where retries multiply
requests.

A node is filled by its saturation, not by its errors: the slow culprit is dark and its callers are framed.
The frame of a node shows the share of attempts to it that its callers saw fail. An edge is labelled with the
calls a second and, where it is not 1, with the attempts sent for each call; a badge tells how often breakers
on it opened, and a tag on a service that a fault strikes it, or the calls to it, in this window.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path

from sysim.analysis.metrics import labels_of
from sysim.analysis.words import Clock, count, per_second, percent
from sysim.model.graph import layers, service_graph, struck_by
from sysim.plan.tables import DEGRADED, OUTCOMES
from sysim.plot.layout import Point, layered
from sysim.plot.style import BLACK, BLUE, GREY, SKY, VERMILLION, figure, styled
from sysim.result.result import Result
from sysim.result.stats import CallStats, ServiceStats, WindowStats, merged

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILL = LinearSegmentedColormap.from_list("saturation", ["#FFFFFF", "#D6ECF8", SKY, BLUE])
# Inches: of a box, from column to column, from row to row, and around the whole.
WIDTH, HEIGHT = 1.62, 0.74
COLUMN, ROW = 2.75, 1.02
SIDE, TOP, BOTTOM, EDGE = 0.35, 0.55, 1.0, 0.1
NARROWEST = 7.6
NS = 1_000_000_000


@dataclass(frozen=True)
class Seen:
    """What callers saw of a service: attempts and how many failed."""

    attempts: int
    failed: int

    @property
    def share(self) -> float:
        """Share of failed attempts."""
        return self.failed / self.attempts if self.attempts else 0.0


def graph(result: Result, window: str = "all", replication: int = 0) -> Figure:
    """The graph over a window of one replication."""
    run = result.runs[replication]
    stats = run.windows[window]
    shape = service_graph(result.scenario)
    nodes, edges = sorted(shape.nodes), sorted(shape.edges)
    places = layered(nodes, edges, layers(shape))
    inner = ((places.columns - 1) * COLUMN + WIDTH, (places.rows - 1) * ROW + HEIGHT)
    width, height = max(NARROWEST, inner[0] + 2 * SIDE), inner[1] + TOP + BOTTOM

    def inches(point: Point) -> Point:
        return point[0] * COLUMN, point[1] * ROW

    with styled():
        drawn = figure(width, height)
        drawn.set_layout_engine("none")
        axes = drawn.add_axes((0.0, (BOTTOM - EDGE) / height, 1.0, (inner[1] + 2 * EDGE) / height))
        axes.set_axis_off()
        spare = (width - inner[0]) / 2
        axes.set_xlim(-WIDTH / 2 - spare, inner[0] - WIDTH / 2 + spare)
        axes.set_ylim(inner[1] - HEIGHT / 2 + EDGE, -HEIGHT / 2 - EDGE)
        for edge in edges:
            published = bool(shape.edges[edge]["published"])
            _edge(axes, stats, edge, tuple(inches(point) for point in places.routes[edge]), published)
        struck = _struck(result, replication, stats)
        for name in nodes:
            _node(axes, stats, name, inches(places.nodes[name]), shape.nodes[name].get("replicas"))
            if name in struck:
                _fault(axes, inches(places.nodes[name]), struck[name])
        _legend(drawn, width, height)
        variant = f" · {result.variant}" if result.variant else ""
        clock = Clock(result.scenario.time.start, result.run.plan.duration / 1e9, result.scenario.time.zone)
        drawn.text(
            SIDE / width, 1 - 0.16 / height,
            f"{result.scenario.name}{variant} · {window}: {clock(stats.from_s)} to {clock(stats.to_s)}",
            fontsize=11, va="top",
        )  # fmt: skip
    return drawn


def _legend(drawn: Figure, width: float, height: float) -> None:
    place = drawn.add_axes((SIDE / width, 0.52 / height, 1.5 / width, 0.12 / height))
    bar = drawn.colorbar(ScalarMappable(Normalize(0, 1), FILL), cax=place, orientation="horizontal")
    bar.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
    bar.set_label("fill: workers or cores busy", fontsize=8)
    bar.ax.tick_params(labelsize=7, length=2)
    handles = [
        Patch(facecolor="white", edgecolor=VERMILLION, lw=3, label="frame: callers see errors"),
        Line2D([], [], color=VERMILLION, lw=3, label="retries multiply requests"),
        Line2D([], [], color=GREY, lw=1.2, ls="--", label="messages, nobody waits"),
        Line2D([], [], color=BLACK, marker="o", ls="", ms=8, label="circuit breaker, times opened"),
    ]
    drawn.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1 - SIDE / width, 0.1 / height),
        ncols=2,
        fontsize=8,
    )


def _node(axes: Axes, stats: WindowStats, name: str, at: Point, replicas: int | None) -> None:
    x, y = at
    if name in stats.loads:
        load = stats.loads[name]
        failing = 1.0 - load.success if load.success is not None else 0.0
        _box(axes, at, "#F2F2F2", failing, rounding=0.3)
        lines = [f"{per_second(load.offered / load.length_s)}", f"success {percent(load.success)}"]
    else:
        service = stats.services[name]
        full = _saturation(service)
        seen = _seen(stats, name)
        colour = "#FFFFFF" if full is None else FILL(min(1.0, full))
        _box(axes, at, colour, seen.share, rounding=0.06)
        queue = (
            ""
            if not service.queue_mean or service.queue_mean < 0.05
            else f", queue {count(service.queue_mean)}"
        )
        busy = f"{count(service.in_system_mean)} inside" if full is None else f"busy {percent(full)}"
        lines = [busy + queue] if service.arrivals or service.in_system_max else ["not called"]
        if seen.failed:
            lines.append(f"callers see {percent(seen.share)} fail")
    dark = name in stats.services and (_saturation(stats.services[name]) or 0.0) > 0.85
    ink = "white" if dark else BLACK
    title = name if not replicas or replicas == 1 else f"{name} ×{replicas}"
    title = title if len(title) <= 24 else title[:23] + "…"
    size = 9 if len(title) <= 18 else 7.5
    axes.text(x, y - 0.2, title, ha="center", va="center", weight="bold", fontsize=size, color=ink, zorder=6)
    axes.text(x, y + 0.1, "\n".join(lines), ha="center", va="center", fontsize=7, color=ink, zorder=6)


def _struck(result: Result, replication: int, stats: WindowStats) -> dict[str, str]:
    """Service -> which faults on it, or on calls to it, were active in the window."""
    kinds: dict[str, Counter[str]] = {}
    for fault in sorted(result.runs[replication].faults, key=lambda fault: (fault.begin, fault.number)):
        end = stats.to_s if fault.end is None else fault.end / NS
        if fault.begin / NS >= stats.to_s or end < stats.from_s:
            continue
        for name in struck_by(result.scenario, fault.number):
            kinds.setdefault(name, Counter())[fault.kind] += 1
    return {
        name: "fault: " + ", ".join(f"{kind} {n}×" if n > 1 else kind for kind, n in found.items())
        for name, found in kinds.items()
    }


def _fault(axes: Axes, at: Point, text: str) -> None:
    axes.text(
        at[0], at[1] - HEIGHT / 2, text if len(text) <= 32 else text[:31] + "…",
        fontsize=7, ha="center", va="center", color="white", weight="bold", zorder=8,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": VERMILLION, "edgecolor": "white"},
    )  # fmt: skip


def _box(axes: Axes, at: Point, colour: object, failing: float, rounding: float) -> None:
    frame = VERMILLION if failing > 0.001 else GREY
    width = 1.0 if failing <= 0.001 else 1.6 + 3.4 * min(1.0, failing) ** 0.5
    axes.add_patch(
        FancyBboxPatch(
            (at[0] - WIDTH / 2, at[1] - HEIGHT / 2),
            WIDTH,
            HEIGHT,
            boxstyle=f"round,pad=0,rounding_size={rounding}",
            facecolor=colour,
            edgecolor=frame,
            lw=width,
            zorder=4,
        )
    )


def _saturation(service: ServiceStats) -> float | None:
    known = [x for x in (service.utilisation, service.cpu_utilisation) if x is not None]
    return max(known) if known else None


def _seen(stats: WindowStats, service: str) -> Seen:
    attempts = failed = 0
    for label, calls in stats.calls.items():
        target = label.split("->")[1].strip()
        if target.partition(".")[0] == service:
            facts = calls.to_dict()["attempt_outcomes"]
            attempts += calls.attempts - facts["in_flight"]
            failed += sum(
                facts[name] for name in OUTCOMES[DEGRADED + 1 :] if name not in ("in_flight", "cancelled")
            )
    return Seen(attempts, failed)


def _edge(
    axes: Axes, stats: WindowStats, edge: tuple[str, str], route: tuple[Point, ...], published: bool
) -> None:
    calls = _calls(stats, edge)
    factor = calls.amplification if calls is not None else None
    used = calls is not None and calls.calls > 0
    multiplied = factor is not None and factor > 1.02
    colour = VERMILLION if multiplied else GREY if used else "#CCCCCC"
    width = 1.2 if factor is None or not multiplied else min(5.0, 1.2 + 1.5 * (factor - 1.0))
    path = _path(route)
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>",
            mutation_scale=9.0 + 2.2 * width,
            color=colour,
            lw=width,
            ls="--" if published else "-",
            zorder=2,
            capstyle="butt",
            shrinkA=0,
            shrinkB=0,
            joinstyle="miter",
        )
    )
    if calls is None or not used:
        return
    text = per_second(calls.calls / stats.length_s)
    if factor is not None and abs(factor - 1.0) > 0.005:
        text += f"\n×{factor:.2f}"
    pieces = 2 * len(route) - 3
    x, y = _on(path, 0.5 / pieces)
    axes.text(
        x, y, text, fontsize=7, ha="center", va="center", color=VERMILLION if multiplied else BLACK, zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
    )  # fmt: skip
    if calls.opened:
        bx, by = _on(path, 1.0 - 0.15 / pieces)
        axes.text(
            bx, by, f"{count(calls.opened)}", fontsize=6.5, ha="center", va="center", color="white", zorder=7,
            bbox={"boxstyle": "circle,pad=0.25", "facecolor": BLACK, "edgecolor": "white"},
        )  # fmt: skip


def _calls(stats: WindowStats, edge: tuple[str, str]) -> CallStats | None:
    labels = labels_of(stats, f"{edge[0]} -> {edge[1]}")
    return merged(stats.calls[label] for label in labels) if labels else None


def _path(route: tuple[Point, ...]) -> Path:
    """A smooth line through the points of a route, level at each of them, from box to box."""
    points = [(route[0][0] + WIDTH / 2, route[0][1])]
    for x, y in route[1:-1]:
        points += [(x - WIDTH / 2, y), (x + WIDTH / 2, y)]
    points.append((route[-1][0] - WIDTH / 2 - 0.04, route[-1][1]))
    vertices: list[Point] = [points[0]]
    codes: list[int] = [int(Path.MOVETO)]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [int(Path.CURVE4)] * 3
    return Path(vertices, codes)


def _on(path: Path, share: float) -> Point:
    """The point at a share of a path's pieces."""
    vertices = np.asarray(path.vertices, dtype=np.float64)
    pieces = (len(vertices) - 1) // 3
    piece = min(int(share * pieces), pieces - 1)
    t = share * pieces - piece
    p0, p1, p2, p3 = vertices[3 * piece : 3 * piece + 4]
    point = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3
    return float(point[0]), float(point[1])
