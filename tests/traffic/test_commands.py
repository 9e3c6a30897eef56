"""``sysim fit``, as one types it."""

from __future__ import annotations

import json

import yaml
from click.testing import CliRunner

from sysim.cli import cli
from tests.traffic.synthetic import csv, synthetic


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_yaml_on_stdout_and_its_worth_on_stderr(tmp_path):
    (tmp_path / "t.csv").write_text(csv(synthetic(weeks=6, special={12: 3.0})))
    done = run("fit", tmp_path / "t.csv", "--load", "web")
    assert done.exit_code == 0, done.output
    rate = yaml.safe_load(done.stdout)["load"]["web"]["rate"]
    assert len(rate["daily"]) == 24 and set(rate["weekly"]) == {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert "same hour last week" in done.stderr and "1 day unlike the others: 2026-01-17 (3)" in done.stderr


def test_files_and_json(tmp_path):
    (tmp_path / "t.csv").write_text(csv(synthetic(weeks=6)))
    out, plot = tmp_path / "new" / "load.yaml", tmp_path / "new" / "fit.png"
    done = run("fit", tmp_path / "t.csv", "--out", out, "--plot", plot)
    assert done.exit_code == 0 and done.stdout == ""
    assert "base:" in out.read_text() and plot.read_bytes()[:4] == b"\x89PNG"
    first = plot.read_bytes()
    run("fit", tmp_path / "t.csv", "--plot", plot)
    assert plot.read_bytes() == first
    told = json.loads(run("fit", tmp_path / "t.csv", "--json").stdout)
    assert told["prediction"]["held_out"]["hours"] == 2 * 168 and len(told["hours"]) == 24


def test_mistakes_end_in_a_sentence(tmp_path):
    (tmp_path / "t.csv").write_text("time,count\n2026-04-11T15:00,1\nsoon,1\n")
    (tmp_path / "good.csv").write_text(csv(synthetic(weeks=2)))
    for words, said in (
        (("t.csv",), "t.csv:3:1: bad-csv: found 'soon', expected a moment"),
        (("none.csv",), "found no file that can be read"),
        (("t.csv", "--held-out", "150%"), "expected a share"),
        (("good.csv", "--every", "7m"), "that divide a day"),
    ):
        done = run("fit", tmp_path / words[0], *words[1:])
        assert done.exit_code == 2 and said in done.output.replace("\n", " "), done.output
        assert "Traceback" not in done.output
