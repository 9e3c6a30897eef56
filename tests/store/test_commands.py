"""``--store``, ``--resume``, ``sysim runs``, ``sysim show``, and stored runs in ``sysim compare``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sysim.cli import cli
from tests.store.same import canonical
from tests.study.files import STALL

FAST = ("--engine", "reference", "-n", "3")


@pytest.fixture
def stall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("GITHUB_ACTIONS", "SYSIM_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("stall.yaml").write_text(STALL)
    return "stall.yaml"


def sysim(*args: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, list(args), env=environment)


def test_show_prints_what_was_printed(stall: str) -> None:
    run = sysim("run", stall, *FAST, "--store", "runs.db", "--set", "load.web.rate=30/s")
    check = sysim("check", stall, *FAST, "--store", "runs.db")
    assert (run.exit_code, check.exit_code) == (3, 3) and "stored as run 1 in runs.db" in run.stderr
    assert sysim("show", "1", "--store", "runs.db").stdout == run.stdout
    assert sysim("show", "last", SYSIM_STORE="runs.db").stdout == check.stdout
    assert sysim("show", "runs.db#2").stdout == check.stdout


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_show_json_prints_the_same_object(stall: str, command: str, quiet: tuple[str, ...]) -> None:
    series = ("--series",) if command == "run" else ()
    printed = sysim(command, stall, *FAST, "--store", "runs.db", "--json", *series, *quiet)
    shown = sysim("show", "1", "--store", "runs.db", "--json", *series)
    assert shown.stdout == printed.stdout
    assert "What customers see" in sysim("show", "1", "--store", "runs.db").stdout or command == "check"
    assert canonical(json.loads(shown.stdout))


def test_the_list(stall: str) -> None:
    sysim("run", stall, *FAST, "--store", "runs.db", "--seed", "77")
    sysim("check", stall, *FAST, "--variant", "slow", SYSIM_STORE="runs.db")
    lines = sysim("runs", "--store", "runs.db").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "2", "1"]
    assert lines[1].split()[3:] == ["check", "stall", "baseline", "patient", "slow", "reference", "1", "3", "complete",
                                    "fail"]  # fmt: skip
    assert "77" in lines[2].split() and all(line == line.rstrip() for line in lines)
    listed = json.loads(sysim("runs", "--store", "runs.db", "--json").stdout)
    assert [entry["id"] for entry in listed] == [2, 1]
    assert listed[1]["command"] == "sysim run stall.yaml --engine reference -n 3 --store runs.db --seed 77"
    assert listed[1]["started"].endswith("Z")
    done = sysim("runs", "--store", "runs.db", "--delete", "1", "--delete", "last")
    assert done.exit_code == 0 and "deleted run 1: stall" in done.stderr
    assert sysim("runs", "--store", "runs.db").stdout == "no runs\n"


def test_resume_says_what_it_used(stall: str) -> None:
    first = sysim("run", stall, *FAST, "--store", "runs.db", "--json")
    second = sysim("run", stall, *FAST, "--store", "runs.db", "--json", "--resume")
    assert "3 replications of it stored before" in second.stderr and second.stdout == first.stdout
    assert sysim("run", stall, *FAST, "--store", "runs.db", "-q").stderr == ""


def test_the_scenario_of_a_run_runs_again(stall: str) -> None:
    sysim("run", stall, *FAST, "--store", "runs.db", "--set", "load.web.rate=30/s", "--variant", "patient")
    Path("again.yaml").write_text(sysim("show", "1", "--store", "runs.db", "--scenario").stdout)
    first, second = (
        json.loads(text)["runs"][0]["digest"]
        for text in (
            sysim("show", "1", "--store", "runs.db", "--json").stdout,
            sysim("run", "again.yaml", *FAST, "--json").stdout,
        )
    )
    assert first == second


def test_comparing_stored_runs(stall: str) -> None:
    sysim("run", stall, *FAST, "--store", "runs.db")
    sysim("check", stall, *FAST, "--store", "runs.db")
    fresh = json.loads(sysim("compare", stall, f"{stall}@slow", *FAST, "--json").stdout)
    for a, b, environment in (
        ("1", "2@slow", {"SYSIM_STORE": "runs.db"}),
        ("runs.db#1", "runs.db#last@slow", {}),
        ("runs.db#2@baseline", f"{stall}@slow", {}),
    ):
        done = sysim("compare", a, b, *FAST, "--json", **environment)
        found = json.loads(done.stdout)
        assert found["paired"] and found["differences"] == fresh["differences"], done.stderr
        assert found["changes"] == fresh["changes"] and found["changes"][0]["new"] == "9ms"
    for args, told in (
        (("runs.db#2", "runs.db#1"), "found no variant of run 2, expected runs.db#2@NAME with one of baseline"),
        (("runs.db#2@none", "runs.db#1"), "found the variant 'none' of run 2"),
        (("runs.db#1@slow", "runs.db#1"), "run 1 was 'baseline'"),
        (("runs.db#9", "runs.db#1"), "found no run 9"),
        (("none.db#1", "runs.db#1"), "found no store"),
    ):
        done = sysim("compare", *args)
        assert done.exit_code == 2 and told in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("run", "stall.yaml", "--resume"), "it needs --store PATH, or SYSIM_STORE"),
        (("run", "stall.yaml", "--store", "stall.yaml"), "found a file that is not a store"),
        (("check", "stall.yaml", "--store", "no/runs.db"), "found no folder no"),
        (("runs",), "which store? Give --store PATH, or set SYSIM_STORE"),
        (("runs", "--store", "none.db"), "found no store"),
        (("show", "1"), "found the run '1', but no store"),
        (("show", "stall.yaml#1"), "found a file that is not a store"),
        (("show", "one", "--store", "none.db"), "found no store"),
    ],
)
def test_mistakes(stall: str, args: tuple[str, ...], told: str) -> None:
    before = Path(stall).read_bytes()
    done = sysim(*args)
    assert done.exit_code == 2 and told in " ".join(done.stderr.split()) and "Traceback" not in done.output
    assert done.stdout == "" and Path(stall).read_bytes() == before
    assert [path.name for path in Path().iterdir()] == [stall]
