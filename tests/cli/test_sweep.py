"""``sysim sweep``: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sysim.cli import cli
from tests.study.test_sweep import QUEUE

VARY = ("--vary", "load.people.rate=20/s..100/s/5")
TWO = (*VARY, "--vary", "services.desk.replicas=1..2")


@pytest.fixture
def queue(tmp_path: Path) -> str:
    path = tmp_path / "queue.yaml"
    path.write_text(QUEUE)
    return str(path)


def invoke(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, ["sweep", *words])
    assert done.exit_code == code, done.output
    return done


def test_one_factor(queue: str) -> None:
    done = invoke(queue, *VARY, "-n", "3")
    lines = done.stdout.splitlines()
    assert lines[0] == "queue@baseline: load.people.rate; a grid of 5 points"
    assert lines[2].split() == [
        "rate", "success(people)", "p99(people)", "goodput(people)", "value_lost(people)", "cost", "checks",
    ]  # fmt: skip
    assert lines[3].split()[0] == "20/s" and lines[3].endswith(" ✓") and lines[7].split()[-2] == "✗"
    assert "`p99(people) < 60ms`" in done.stdout and "Not judged, as they compare variants" in done.stdout
    assert "seed 1, 3 replications of each point, all on the same random numbers" in done.stdout
    assert done.stderr == "" or "compiling" in done.stderr, "no progress where nobody sees it"
    short = invoke(queue, *VARY, "-n", "3", "-q")
    assert "load.people.rate; a grid" not in short.stdout and "`p99(people) < 60ms`" in short.stdout
    few = invoke(queue, *VARY, "-n", "1", "--rows", "2")
    assert "and 3 more points" in few.stdout and "one run each" in few.stdout


def test_two_factors_and_their_effects(queue: str) -> None:
    done = invoke(queue, *TWO, "-n", "2", "--measure", "p99(people)")
    assert "What each factor does to p99(people) (mean over all points with the value)" in done.stdout
    assert "holds at" in done.stdout and "of 10 points" in done.stdout


def test_names_are_as_short_as_they_can_be(queue: str) -> None:
    done = invoke(
        queue, "--vary", "load.people.policy.timeout=1s,2s", "--vary", "services.desk.queue.capacity=5,10", "--vary",
        "services.desk.operations.ask.0.work=1ms,2ms", "-n", "1", "--measure", "success(people)",
    )  # fmt: skip
    assert "\n  timeout  capacity  work  success(people)  checks\n" in done.stdout.replace("  success", "  success")


def test_json_csv_and_parquet_say_the_same(queue: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table, columns = tmp_path / "t.csv", tmp_path / "t.parquet"
    done = invoke(queue, *TWO, "-n", "2", "--json", "--csv", str(table), "--parquet", str(columns))
    found = json.loads(done.stdout)
    assert found["format"] == 1 and found["study"] == "sweep" and len(found["points"]) == 10
    with table.open() as file:
        rows = list(csv.DictReader(file))
    typed = parquet.read_table(columns).to_pylist()
    assert len(rows) == len(typed) == 10
    for point, row, other in zip(found["points"], rows, typed, strict=True):
        assert row["load.people.rate"] == other["load.people.rate"] == point["values"]["load.people.rate"]
        assert int(row["services.desk.replicas"]) == other["services.desk.replicas"]
        measured = point["measured"]["p99(people)"]
        assert float(row["p99(people)"]) == other["p99(people)"] == measured["mean"]
        assert other["p99(people) high"] == pytest.approx(measured["mean"] + measured["half_width"])
        assert row["p99(people) < 60ms"] == other["p99(people) < 60ms"] == point["checks"][0]["verdict"]
        assert row["state"] == "complete" and row["replications"] == "2" and row["failure"] == ""


def test_a_point_without_data_is_empty(queue: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    done = invoke(
        queue, "--set", "load.people.policy.timeout=100us", "--vary", "load.people.rate=50/s,60/s", "-n", "2", "--csv",
        str(table), "--measure", "p99(people)",
    )  # fmt: skip
    assert done.stdout.splitlines()[3].split()[1] in ("–", "97.9", "90.0") or "µs" in done.stdout
    assert table.read_text().splitlines()[0].startswith("point,load.people.rate,state,replications,p99(people)")


FIGURES: list[tuple[tuple[str, ...], str]] = [
    (VARY, "line"), (TWO, "map"), ((*TWO, "--one-at-a-time"), "tornado"), ((*TWO, "--lhs", "9"), "tornado"),
    ((*TWO, "--sobol", "8"), "sobol"), ((*TWO, "--random", "9"), "tornado"),
    (("--vary", "services.desk.queue.discipline=fifo,lifo"), "line"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "kind"), FIGURES, ids=[" ".join(words[-2:]) for words, _ in FIGURES])
def test_figures(queue: str, tmp_path: Path, words: tuple[str, ...], kind: str) -> None:
    for name in ("a", "b"):
        invoke(queue, *words, "-n", "2", "--measure", "p99(people)", "--out", str(tmp_path / name))
    made = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert made == sorted([f"{kind}-p99-people.png", f"{kind}-p99-people.svg", "sweep.csv", "sweep.json"])
    for name in made:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_points_of_a_file(queue: str, tmp_path: Path) -> None:
    place = tmp_path / "points.csv"
    place.write_text("load.people.rate,services.desk.replicas\n20/s,1\n80/s,2\n")
    done = invoke(queue, "--points", str(place), "-n", "1", "--json")
    assert [point["values"] for point in json.loads(done.stdout)["points"]] == [
        {"load.people.rate": "20/s", "services.desk.replicas": 1},
        {"load.people.rate": "80/s", "services.desk.replicas": 2},
    ]


WRONG: list[tuple[tuple[str, ...], str]] = [
    ((), "what is to be varied"),
    (("--vary", "load.people.rate"), "expected path=values"),
    (("--vary", "load.people.rat=1/s..2/s"), "did you mean 'rate'?"),
    (("--vary", "services.desk.replicas=0..2"), "(at point 1 of 3: services.desk.replicas = 0)"),
    ((*VARY, "--measure", "p98(people)"), "--measure: unknown-metric: found the metric 'p98'"),
    ((*VARY, "--random", "3", "--lhs", "3"), "expected one way to choose points"),
    ((*TWO, "--sobol", "100"), "a power of two, at least 8, such as 128"),
    ((*VARY, "--cluster", "tcp://x:1", "--executor", "threads"), "give one of the two"),
    ((*VARY, "--csv", "/nowhere/t.csv"), "expected a file in a folder that can be written"),
    ((*VARY, "--resume"), "it needs --store"),
    ((*VARY, "--points", "nothing.csv"), "does not exist"),
    ((*VARY, "--confidence", "100%"), "less than 100%"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_refused(queue: str, words: tuple[str, ...], said: str) -> None:
    done = invoke(queue, *words, code=2)
    assert said in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_parquet_without_its_package_is_refused_before_anything_runs(
    queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyarrow" else real(name))
    done = invoke(queue, *VARY, "--parquet", str(tmp_path / "t.parquet"), code=2)
    assert "pip install 'sysim[parquet]'" in done.stderr and not (tmp_path / "t.parquet").exists()


def test_a_stored_sweep_is_listed_and_shown_again(queue: str, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "runs.db"))
    first = invoke(queue, *TWO, "-n", "2", *store)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
        return done

    assert run("show", "last", *store).stdout == first.stdout
    listed = run("runs", *store).stdout.splitlines()
    assert "sweep" in listed[1] and "10 points" in listed[1] and len(listed[1]) < 160
    assert json.loads(run("show", "last", "--json", *store).stdout)["study"] == "sweep"
    refused = CliRunner().invoke(cli, ["compare", "last", "last", *store])
    assert refused.exit_code == 2 and "sweep" in refused.stderr and "Traceback" not in refused.stderr
    refused = CliRunner().invoke(cli, ["report", "last", *store, "--out", str(tmp_path / "r.html")])
    assert refused.exit_code == 2 and "sweep" in refused.stderr and "Traceback" not in refused.stderr
