"""``sysim report``: from a scenario, from JSON, from a store; what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sysim.cli import cli
from tests.report.test_html import TEXT, parsed

FAST = ("--engine", "reference", "-n", "2", "--workers", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "small.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYSIM_STORE", raising=False)
    return tmp_path


def sysim(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


def without_commands(path: Path) -> str:
    """The page but the command that made it, and what only the study knows of its own making."""
    text = path.read_text(encoding="utf-8")
    parsed(text)
    return text[: text.index('id="again"')]


def test_a_scenario_its_json_and_the_store_give_the_same_page(folder: Path) -> None:
    done = sysim("report", "small.yaml", *FAST)
    verdict = done.exit_code
    assert done.stderr == "wrote report.html\n" and done.stdout == "" and verdict in (0, 1, 3)
    kept = sysim("check", "small.yaml", *FAST, "--store", "runs.db", "-q")
    assert kept.exit_code == verdict
    assert sysim("report", "last", "--store", "runs.db", "--out", "stored.html").exit_code == verdict
    assert without_commands(folder / "report.html") == without_commands(folder / "stored.html")
    assert "sysim report small.yaml --seed 1 --replications 2" in (folder / "report.html").read_text()
    stored = sysim("check", "small.yaml", *FAST, "--out", "out", "-q")
    assert stored.exit_code == verdict and (folder / "out" / "report.html").is_file()
    one = sysim("report", "out/patient/result.json", "--out", "one.html")
    assert one.exit_code in (0, 1, 3), one.stderr
    text = (folder / "one.html").read_text()
    assert "services:" in text and 'id="timeline"' in text, "scenario.yaml lies beside result.json"


def test_another_variant_in_detail(folder: Path) -> None:
    sysim("report", "small.yaml", *FAST, "--variant", "patient", "-o", "p.html")
    text = (folder / "p.html").read_text()
    assert "Variant patient" in text and "--variant patient" in text
    wrong = sysim("report", "small.yaml", *FAST, "--variant", "patent")
    assert wrong.exit_code == 2 and "patient" in wrong.stderr and "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("no.json",), "no.json"),
        (("text.json",), "found no JSON"),
        (("other.json",), "expected a result of sysim run or sysim check"),
        (("other.json", "--seed", "1"), "a stored result is told as it is"),
        (("other.json", "--what-if", "other.json"), "expected"),
        (("last",), "give --store PATH"),
        (("3", "--store", "none.db"), "none.db"),
        (("small.yaml", "-n", "1", "--engine", "reference", "--out", "no/where.html"), "no/where.html"),
        (("small.yaml", "--what-if", "none.json"), "none.json"),
    ],
)
def test_mistakes_are_told(folder: Path, args: tuple[str, ...], said: str) -> None:
    (folder / "text.json").write_text("{", encoding="utf-8")
    (folder / "other.json").write_text('{"format": 1}', encoding="utf-8")
    done = sysim("report", *args)
    assert done.exit_code == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
