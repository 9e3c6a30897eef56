"""``sysim tip``, ``relief`` and ``break``, as one types them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sysim.cli import cli
from sysim.study.faultlist import KINDS
from tests.study.storm import TEXT

TIP = ["--path", "faults.stall.for", "--from", "0s", "--to", "4s", "-n", "3"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    place = tmp_path / "storm.yaml"
    place.write_text(TEXT)
    return str(place)


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    done = CliRunner().invoke(cli, list(words))
    return done.exit_code, done.stdout, done.stderr


def test_tip(file: str, tmp_path: Path) -> None:
    code, out, err = run("tip", file, *TIP, "--out", str(tmp_path / "out"))
    assert code == 0
    assert "the load clients stays down for good" in " ".join(out.split())
    assert "confidence" in out and "stay down" in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"tipping.json", "tipping.png", "tipping.svg"}
    assert err.count("wrote") == 3


def test_tip_for_programs(file: str) -> None:
    code, out, _ = run("tip", file, *TIP, "--json", "--workers", "2")
    told = json.loads(out)
    assert code == 0 and told["tips"] and told["unit"] == "s"
    low, high = told["between"]
    assert 0.2 < low < high < 1.5 and len(told["thresholds"]) == 3
    assert told["sentence"] == run("tip", file, *TIP, "--quiet")[1].strip()


def test_map(file: str, tmp_path: Path) -> None:
    code, out, _ = run(
        "tip", file, *TIP, "--map", "20%..120%", "--grid", "3x2", "--out", str(tmp_path), "-n", "1"
    )
    assert code == 0 and "vulnerable" in out and "70 %" in out
    assert {"vulnerability.json", "vulnerability.csv", "vulnerability.png"} <= {p.name for p in tmp_path.iterdir()}


def test_relief(file: str, tmp_path: Path) -> None:
    code, out, _ = run("relief", file, "-n", "3", "--at", "30s", "--for", "20s", "--out", str(tmp_path))
    assert code == 0 and "is taken away at 30 s" in " ".join(out.split()) and "back at 50 s" in " ".join(out.split())
    assert {"relief.json", "relief.png"} <= {p.name for p in tmp_path.iterdir()}
    told = json.loads(run("relief", file, "-n", "3", "--json")[1])
    assert told["study"] == "relief" and told["unit"] == "share" and 0 < told["between"][0] < 0.45


def test_break(file: str, tmp_path: Path) -> None:
    words = ["break", file, "--settle", "6s", "--for", "2s", "--out", str(tmp_path)]
    code, out, err = run(*words)
    assert not code, err
    assert code == 0 and "api hangs" in out and "does not get up" in " ".join(out.split())
    assert {"break.json", "break.csv", "break.png", "break.svg"} <= {p.name for p in tmp_path.iterdir()}
    code, out, err = run(*words, "--json")
    assert not code, err
    told = json.loads(out)
    assert [single["verdict"] for single in told["singles"]].count("stays down") >= 1
    assert told["singles"][0]["lost"].keys() == {"GBP"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tip", "FILE", "--path", "faults.stall.for", "--from", "0s"], "--to"),
        (["tip", "FILE", "--path", "faults.stall.for", "--from", "0s", "--to", "9"], "two durations"),
        (["tip", "FILE", "--path", "faults.stal.for", "--from", "0s", "--to", "9s"], "stall"),
        (["tip", "FILE", *TIP, "--map", "much"], "50%..120%"),
        (["tip", "FILE", *TIP, "--map", "90%..20%"], "rising"),
        (["tip", "FILE", *TIP, "--grid", "1x1000"], "8x8"),
        (["tip", "FILE", *TIP, "--confidence", "100%"], "less than 100%"),
        (["tip", "FILE", *TIP, "--load", "client"], "clients"),
        (["relief", "FILE", "--at", "soon"], "found 'soon'"),
        (["relief", "FILE", "--at", "1s"], "before the last fault ends"),
        (["break", "FILE", "--pairs", "some"], "a number of pairs, or all"),
        (["break", "FILE", "--on", "ap"], "expected one of api"),
        (["break", "FILE", "--for", "20"], "20s"),
        (["break", "FILE", "--kind", "flood"], "flood"),
    ],
)
def test_mistakes_are_told(file: str, words: list[str], told: str) -> None:
    code, out, err = run(*(file if word == "FILE" else word for word in words))
    assert code == 2 and not out and told in err and "Traceback" not in err


def test_the_kinds_of_faults_are_those_of_the_study() -> None:
    """The command does not import the study before it is used, and so has a list of its own."""
    assert import_module("sysim.cli.break").KINDS == KINDS


def test_ctrl_c(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.study import metastability

    def at_once(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(metastability, "worst", at_once)
    assert run("tip", file, *TIP)[0] == 130
