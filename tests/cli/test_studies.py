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
from sysim.study.mitigations import KINDS as MITIGATIONS
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


def test_what_if(file: str, tmp_path: Path) -> None:
    words = ["what-if", file, "--at", "23s", "--watch", "60s", "-n", "3", "--kind", "retries", "--kind", "combined"]
    code, out, err = run(*words, "--out", str(tmp_path / "out"), "--workers", "2")
    text = " ".join(out.split())
    assert code == 0 and "Best: turn all retries off and clear the queue of api until 53 s" in text
    assert "Left alone, it is well again in none of 3 runs by 83 s" in text and "GBP saved" in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "what-if.json", "what-if.csv", "what-if.png", "what-if.svg",
    }  # fmt: skip
    assert err.count("wrote") == 4
    code, out, _ = run(*words, "--json")
    told = json.loads(out)
    assert code == 0 and told == json.loads((tmp_path / "out" / "what-if.json").read_text())
    assert told["mitigations"][0]["verdict"] == "better" and told["moment"]["services"][0]["service"] == "api"
    assert " ".join(run(*words, "--quiet")[1].split()) == " ".join(told["sentences"])


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
        (["what-if", "FILE"], "--at"),
        (["what-if", "FILE", "--at", "soon"], "found 'soon'"),
        (["what-if", "FILE", "--at", "41s"], "in the run of 40s"),
        (["what-if", "FILE", "--at", "35s"], "5s left to watch"),
        (["what-if", "FILE", "--at", "15:06"], "time.start"),
        (["what-if", "FILE", "--at", "23s", "--for", "9"], "9s"),
        (["what-if", "FILE", "--at", "23s", "--kind", "pray"], "pray"),
    ],
)
def test_mistakes_are_told(file: str, words: list[str], told: str) -> None:
    code, out, err = run(*(file if word == "FILE" else word for word in words))
    assert code == 2 and not out and told in err and "Traceback" not in err


def test_the_kinds_are_those_of_the_studies() -> None:
    """A command does not import its study before it is used, and so has a list of its own."""
    assert import_module("sysim.cli.break").KINDS == KINDS
    assert tuple(MITIGATIONS) == import_module("sysim.cli.what_if").KINDS


def test_ctrl_c(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.study import metastability

    def at_once(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(metastability, "worst", at_once)
    assert run("tip", file, *TIP)[0] == 130
