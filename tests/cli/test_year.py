"""``sysim year``, as one types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sysim.cli import cli
from tests.study.test_year import SHOP

WORDS = ["--days", "10", "--warmup", "15m", "--checks", "2"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    place = tmp_path / "shop.yaml"
    place.write_text(SHOP)
    return str(place)


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    done = CliRunner().invoke(cli, list(words))
    return done.exit_code, done.stdout, done.stderr


def test_year(file: str, tmp_path: Path) -> None:
    code, out, err = run("year", file, *WORDS, "--simulate", "5d", "--out", str(tmp_path / "out"))
    assert code == 0, out + err
    assert "shop: 10 days from 2026-04-06" in out
    assert "2026-04-11" in out and "Held against 2 stretches" in " ".join(out.split())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "year.json", "year.csv", "year.png", "year.svg",
    }  # fmt: skip
    assert len((tmp_path / "out" / "year.csv").read_text().splitlines()) == 11
    code, out, _ = run("year", file, *WORDS, "--simulate", "5d", "--json")
    assert code == 0 and json.loads(out) == json.loads((tmp_path / "out" / "year.json").read_text())
    assert json.loads(out)["trusted"]


def test_what_is_not_to_be_trusted_has_an_exit_code_of_its_own(file: str) -> None:
    code, out, _ = run("year", file, *WORDS, "--simulate", "6h", "--quiet", "--from", "2026-04-08")
    assert code == 3
    assert "Do not trust this" in out and "could not be simulated whole" in " ".join(out.split())


@pytest.mark.parametrize(
    "words, told",
    [
        (["--cell", "7m"], "divides a day"), (["--simulate", "much"], "much"), (["--from", "soon"], "soon"),
        (["--near", "x"], "x"), (["--check-for", "1m"], "at least as long as a cell"), (["--days", "0"], "0"),
        (["--from", "2020-01-01"], "at or after time.start"),
    ],
)  # fmt: skip
def test_mistakes(file: str, words: list[str], told: str) -> None:
    code, _, err = run("year", file, *words)
    assert code == 2 and told in err and "Traceback" not in err
