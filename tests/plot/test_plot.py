"""Pictures: they are made of any result, the same bytes every time, and nothing lies on anything else."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sysim import plot
from sysim.plot.layout import layered
from tests.result.fabricate import PLAIN, fabricate


def _made() -> object:
    made = fabricate(PLAIN)
    for second in range(100):
        made.request(second + 0.5, 0.1 + second / 1000, "timeout" if 40 < second < 50 else "ok", times=3)
        made.call(second + 0.5, tries=("timeout", "ok") if 40 < second < 50 else ("ok",))
    made.fault(40, 43)
    made.replica(60, up=False)
    made.breaker(41, 1)
    return made.result()


@pytest.mark.parametrize("kind", ["timeline", "latency", "graph", "causes"])
def test_the_same_result_gives_the_same_svg(kind: str, tmp_path: Path) -> None:
    first, second = (
        plot.save(getattr(plot, kind)(_made()), tmp_path / f"{number}.svg").read_bytes() for number in (1, 2)
    )
    assert first == second and b"<dc:date>" not in first


@pytest.mark.parametrize("kind", ["timeline", "latency", "graph", "causes"])
def test_an_empty_result_can_be_drawn(kind: str, tmp_path: Path) -> None:
    path = plot.save(getattr(plot, kind)(fabricate(PLAIN).result()), tmp_path / "empty.png")
    assert path.stat().st_size > 1_000


def test_latencies_that_are_all_equal_can_be_drawn(tmp_path: Path) -> None:
    made = fabricate(PLAIN)
    for second in range(100):
        made.request(second + 0.5, 0.001, "ok", times=3)
    figure = plot.latency(made.result())
    assert "all successes took equally long" in [text.get_text() for axes in figure.axes for text in axes.texts]
    assert plot.save(figure, tmp_path / "equal.png").stat().st_size > 1_000


def test_bars_of_causes_are_as_long_as_the_failures_are_many() -> None:
    import sysim

    result = sysim.simulate(sysim.load(Path(__file__).parents[2] / "experiments" / "thread_pool_exhaustion.yaml"))
    figure = plot.causes(result)
    for axes, stats in zip(figure.axes, result.window().loads.values(), strict=True):
        drawn = sum(bar.get_width() for bar in axes.patches)
        assert drawn == pytest.approx(sum(some.count for some in stats.failures), rel=0.01)
    assert sum(row["count"] for row in result.causes() if row["window"] == "all") == sum(
        stats.offered - stats.ok - stats.degraded for stats in result.window().loads.values()
    )


def test_axes_have_units() -> None:
    figure = plot.timeline(_made())  # type: ignore[arg-type]
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert all(labels) and "time (seconds)" in [axes.get_xlabel() for axes in figure.axes]


@pytest.mark.parametrize(("window", "told"), [("before", False), ("during", True), ("after", False)])
def test_the_graph_says_where_a_fault_was_in_its_window(window: str, told: bool) -> None:
    text = """
sysim: 1
time: {duration: 30s}
services:
  a: {operations: {o: [{call: b.o}]}}
  b: {replicas: 2, zones: [x, y], operations: {o: [{work: 1ms}]}}
load: {l: {call: a.o, rate: 5/s}}
faults: [{at: 10s, for: 5s, on: a -> b, latency: 1ms}, {at: 10s, for: 5s, on: zone y, slowdown: 2}]
windows: {before: 0s..10s, during: 10s..15s, after: 20s..30s}
"""
    import sysim

    result = sysim.simulate(sysim.loads(text), engine="reference")
    words = [text.get_text() for axes in plot.graph(result, window).axes for text in axes.texts]
    assert [word for word in words if word.startswith("fault")] == ["fault: latency, slowdown"] * told


def test_the_user_s_matplotlib_settings_are_left_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot.timeline(_made())  # type: ignore[arg-type]
    assert dict(matplotlib.rcParams) == before


def test_no_two_nodes_share_a_place() -> None:
    names = [chr(97 + i) for i in range(12)]
    depth = {name: i // 3 for i, name in enumerate(names)}
    edges = [
        (a, b)
        for a, b in itertools.product(names, names)
        if depth[a] < depth[b] and (ord(a) * ord(b)) % 3 == 0
    ]
    places = layered(names, edges, depth)
    for a, b in itertools.combinations(names, 2):
        (ax, ay), (bx, by) = places.nodes[a], places.nodes[b]
        assert ax != bx or abs(ay - by) >= 1 - 1e-9
    for (a, b), route in places.routes.items():
        assert route[0] == places.nodes[a] and route[-1] == places.nodes[b]
        assert len(route) == depth[b] - depth[a] + 1
