"""What a sweep varies, and where it looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysim.errors import ScenarioError, SysimError
from sysim.study import design
from sysim.study.factors import factor, factors
from sysim.study.points import read

WRITTEN: list[tuple[str, tuple[Any, ...]]] = [
    ("2..8", (2, 3, 4, 5, 6, 7, 8)),
    ("2..8/3", (2, 5, 8)),
    ("8..2/3", (2, 5, 8)),
    ("2,3,4", (2, 3, 4)),
    ("4, 2 ,4", (4, 2)),
    ("7", (7,)),
    ("1.0..2.0/3", (1.0, 1.5, 2.0)),
    ("0.5..1.5/3", (0.5, 1.0, 1.5)),
    ("10ms..1s/3log", ("10ms", "100ms", "1s")),
    ("1..100/3 log", (1, 10, 100)),
    ("100/s..500/s/5", ("100/s", "200/s", "300/s", "400/s", "500/s")),
    ("60/m..3/s/2", ("1/s", "3/s")),
    ("0%..20%/3", ("0%", "10%", "20%")),
    ("0s..1s", ("0s", "250ms", "500ms", "750ms", "1s")),
    ("none,retry", ("none", "retry")),
    ("true,false", (True, False)),
    ("{exponential: 5ms},{pareto: {mean: 5ms, shape: 2}}",
     ({"exponential": "5ms"}, {"pareto": {"mean": "5ms", "shape": 2}})),
    ("'10s..20s','20s..30s'", ("10s..20s", "20s..30s")),
    ("null,5", (None, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "levels"), WRITTEN, ids=[written for written, _ in WRITTEN])
def test_values_as_they_are_written(written: str, levels: tuple[Any, ...]) -> None:
    assert factor("a.b", written).levels == levels


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "found ''"), ("2,,3", "found '2,,3'"), ("1s..5", "expected two durations"), ("a..b", "expected two"),
        ("3..3", "two different values"), ("1..9/1", "from 2 to"), ("0s..1s/5log", "above 0"),
        ("0..1000000", "say how many"), ("{a", "expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(written: str, said: str) -> None:
    with pytest.raises(SysimError, match=said.replace("(", r"\(")):
        factor("a", written)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        factors(["a=1..x", "no path", "b=1,2", "b=3", "=3"])
    assert len(caught.value.problems) == 4
    assert "--vary a: bad-vary: found '1' and 'x'" in str(caught.value)


def test_plain_values_and_how_they_read() -> None:
    made = factor("t", ["100ms", "2s"])
    assert made.levels == ("100ms", "2s") and made.axis is not None and made.axis.kind == "duration"
    assert made.show("100ms") == "100 ms" and made.place("2s") == 2e9
    words = factor("d", ["fifo", "lifo"])
    assert words.axis is None and words.show("lifo") == "lifo" and words.place("lifo") is None
    assert factor("n", 5).levels == (5,) and factor("n", range(3)).levels == (0, 1, 2)


@given(st.floats(0, 1, exclude_max=True))
def test_a_share_of_the_way(share: float) -> None:
    assert factor("n", "2..8").at(share) == 2 + int(share * 7)
    assert factor("n", "2..8/3").at(share) in (2, 5, 8)
    assert 1e7 <= (factor("t", "10ms..1s").place(factor("t", "10ms..1s").at(share)) or 0) <= 1e9
    assert factor("d", "a,b,c,d").at(share) == "abcd"[int(share * 4)]


def test_ends_of_a_range_are_reached() -> None:
    made = factor("t", "1ms..1s log")
    assert made.between and made.at(0.0) == "1ms"
    assert factor("t", "1ms..1s/4").between is False


# --- designs -------------------------------------------------------------------------------------------------------

TWO = factors({"services.web.replicas": "1..3", "load.web.rate": "10/s..20/s/2"})
WIDE = factors({"a": "0s..10s", "b": "0.0..1.0", "c": "1..1000"})


def test_a_grid_has_every_combination_the_last_factor_first() -> None:
    made = design.grid(TWO)
    assert [tuple(point.values.values()) for point in made.points] == [
        (1, "10/s"), (1, "20/s"), (2, "10/s"), (2, "20/s"), (3, "10/s"), (3, "20/s"),
    ]  # fmt: skip
    assert [point.number for point in made.points] == list(range(6))
    assert made.told(made.points[1]) == "services.web.replicas = 1, load.web.rate = 20/s"
    assert design.label(made.points[1].values) == "services.web.replicas=1, load.web.rate=20/s"


def test_a_grid_that_is_too_large_is_refused_before_it_is_made() -> None:
    with pytest.raises(SysimError, match="at most 200,000"):
        design.grid(factors({name: "1..100" for name in "abcdef"}))
    with pytest.raises(SysimError, match="nothing to vary"):
        design.grid(())


def test_one_at_a_time_begins_with_the_file() -> None:
    made = design.one_at_a_time(TWO)
    assert [dict(point.values) for point in made.points] == [
        {}, *({"services.web.replicas": n} for n in (1, 2, 3)), {"load.web.rate": "10/s"}, {"load.web.rate": "20/s"},
    ]  # fmt: skip
    assert made.told(made.points[0]) == "as in the file"


def test_equal_points_are_one() -> None:
    made = design.random(factors({"n": "1..3"}), 50, 1)
    assert {point.values["n"] for point in made.points} == {1, 2, 3} and len(made.points) == 3
    listed = design.points([{"n": 1}, {"n": 2}, {"n": 1}, {}])
    assert [dict(point.values) for point in listed.points] == [{"n": 1}, {"n": 2}, {}]


def test_draws_depend_on_the_seed_and_the_path_alone() -> None:
    first = design.random(WIDE, 20, 1)
    assert first == design.random(WIDE, 20, 1) != design.random(WIDE, 20, 2)
    alone = design.random(WIDE[1:2], 20, 1)
    assert [p.values["b"] for p in alone.points] == [p.values["b"] for p in first.points]
    assert [p.values["b"] for p in design.random(WIDE, 30, 1).points][:20] == [p.values["b"] for p in first.points]


@pytest.mark.parametrize("count", [2, 7, 40])
def test_a_latin_hypercube_has_one_point_in_each_slice(count: int) -> None:
    made = design.latin(WIDE, count, 5)
    for one, low, high in ((WIDE[0], 0, 1e10), (WIDE[1], 0, 1)):
        places = [one.place(point.values[one.path]) or 0.0 for point in made.points]
        slices = sorted(int((place - low) / (high - low) * count * (1 - 1e-12)) for place in places)
        assert slices == list(range(count))
    one, other = ([f.place(point.values[f.path]) or 0.0 for point in made.points] for f in WIDE[:2])
    orders = [sorted(range(count), key=places.__getitem__) for places in (one, other)]
    assert count == 2 or orders[0] != orders[1]


def test_the_matrices_of_a_sobol_design() -> None:
    made = design.sobol(WIDE, 16, 3)
    n, k = 16, 3
    assert made.base == n and len(made.rows) == n * (k + 2)
    rows = [made.points[number].values for number in made.rows]
    a, b, mixed = rows[:n], rows[n : 2 * n], [rows[n * (2 + i) : n * (3 + i)] for i in range(k)]
    for i, one in enumerate(WIDE):
        for row in range(n):
            for j, other in enumerate(WIDE):
                assert mixed[i][row][other.path] == (b if i == j else a)[row][other.path]
        # balanced: each sixteenth of the range has one value of A, and one of B
        for matrix in (a, b):
            low, high = (one.axis.low, one.axis.high) if one.axis else (0, 1)
            places = sorted(((one.place(row[one.path]) or 0) - low) / (high - low) for row in matrix)
            assert one.path == "c" or [int(place * n) for place in places] == list(range(n))


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_a_sobol_design_has_a_power_of_two(count: int) -> None:
    with pytest.raises(SysimError, match="a power of two"):
        design.sobol(WIDE, count, 1)


# --- lists ---------------------------------------------------------------------------------------------------------


def test_points_of_a_file(tmp_path: Path) -> None:
    place = tmp_path / "points.csv"
    place.write_text("services.web.replicas, load.web.rate\n2, 10/s\n\n3,\n")
    assert read(place) == [{"services.web.replicas": 2, "load.web.rate": "10/s"}, {"services.web.replicas": 3}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "points.csv:1:1: bad-points: found no points"),
        ("a,a\n1,2\n", "points.csv:1:1: bad-points: found the path 'a' twice"),
        ("a,\n1,2\n", "found no path in column 2"),
        ("a,b\n1,2\n1\n", "points.csv:3:1: bad-points: found 1 cells, expected 2"),
        ("a\n{b\n", "points.csv:2:"),
    ],
)
def test_a_file_of_points_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    place = tmp_path / "points.csv"
    place.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read(place)
    assert said in str(caught.value)
