"""Rates from CSV files: what rows mean, and where what is wrong with them is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.errors import ScenarioError
from sysim.scenario_file import csv_rate
from sysim.units import NS_PER_SECOND as S


def load(folder: Path, data: str | bytes, options: str = "", start: str | None = None, beside: str = "") -> Any:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "rate.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    begin = f"start: {start}, " if start else ""
    (folder / "s.yaml").write_text(
        f"sysim: 1\ntime: {{{begin}duration: 60s}}\n"
        "services: {api: {operations: {get: [{work: 1ms}]}}}\n"
        f"load: {{web: {{call: api, rate: {{csv: {{path: data/rate.csv{options}}}{beside}}}}}}}\n"
    )
    return sysim.load(folder / "s.yaml").model.load["web"].rate


def steps(rate: Any) -> list[tuple[float, float]]:
    return [(step.at / S, step.rate) for step in rate.steps]


def said(folder: Path, data: str | bytes, options: str = "", start: str | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        load(folder, data, options, start)
    shown = str(folder / "data" / "rate.csv")
    return [problem.headline().replace(shown, "rate.csv") for problem in error.value.problems]


def test_rows_hold_until_the_next(tmp_path: Path) -> None:
    assert steps(load(tmp_path, "time,rate\n0,10\n20,5.5\n40,0\n")) == [(0, 10), (20, 5.5), (40, 0)]


def test_columns_units_a_byte_order_mark_and_empty_lines(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfwhere,t, orders\r\nx,1.5,120\r\n\r\n\"y, z\",30,60\r\n"
    assert steps(load(tmp_path, data, ", time: t, value: orders, unit: /m")) == [(1.5, 2), (30, 1)]


def test_counts_become_rates(tmp_path: Path) -> None:
    assert steps(load(tmp_path, "time,rate\n0,20\n10,50\n20,0\n", ", unit: count")) == [(0, 2), (10, 5), (20, 0)]


def test_moments_are_anchored_to_the_start(tmp_path: Path) -> None:
    data = "time,rate\n2026-04-11T15:00,1\n2026-04-11 15:01:00,2\n2026-04-11T15:01:30.5,3\n"
    assert steps(load(tmp_path, data, start="2026-04-11T15:01:10")) == [(0, 2), (20.5, 3)]
    assert steps(load(tmp_path, data, start="2026-04-11T14:59:50")) == [(10, 1), (70, 2), (100.5, 3)]


def test_a_series_that_repeats(tmp_path: Path) -> None:
    found = steps(load(tmp_path, "time,rate\n5,1\n15,2\n", ", repeat: true"))
    assert [at for at in found if at[0] < 60] == [(0, 2), (5, 1), (15, 2), (25, 1), (35, 2), (45, 1), (55, 2)]


def test_a_calendar_beside_it(tmp_path: Path) -> None:
    rate = load(tmp_path, "time,rate\n0,10\n", beside=", weekly: {sat: 2}", start="2026-04-11T15:00")
    assert rate.kind == "calendar" and steps(rate.base) == [(0, 10)] and rate.weekly.sat == 2


def test_both_engines_send_what_the_file_says(tmp_path: Path) -> None:
    load(tmp_path, "time,rate\n0,20\n10,0\n50,7\n")
    scenario = sysim.load(tmp_path / "s.yaml")
    found = [sysim.simulate(scenario, engine=engine) for engine in ("compiled", "reference")]
    assert found[0].runs[0].digest == found[1].runs[0].digest
    offered = found[0].to_dict()["runs"][0]["windows"]["all"]["loads"]["web"]["offered"]
    assert abs(offered - 270) < 4 * 270**0.5


def test_what_is_kept_of_a_run_holds_the_rows(tmp_path: Path) -> None:
    load(tmp_path, "time,rate\n0,0.1\n10.000000001,3e-7\n", beside=", daily: {peak_at: 15:00, peak_to_mean: 2}")
    scenario = sysim.load(tmp_path / "s.yaml")
    again = sysim.loads(scenario.to_yaml())
    assert again.model == scenario.model and again.digest == scenario.digest
    load(tmp_path, "time,rate\n0,0.2\n", beside=", daily: {peak_at: 15:00, peak_to_mean: 2}")
    assert sysim.load(tmp_path / "s.yaml").digest != scenario.digest


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        ("time,rate\n0,1\n5,x\n6,-2\n7,inf\n8,1_0\n", "", [
            "rate.csv:3:1: bad-csv: load.web.rate.csv.path: found 'x', expected a number of at least 0",
            "rate.csv:4:1: bad-csv: load.web.rate.csv.path: found '-2', expected a number of at least 0",
            "rate.csv:5:1: bad-csv: load.web.rate.csv.path: found 'inf', expected a number of at least 0",
            "rate.csv:6:1: bad-csv: load.web.rate.csv.path: found '1_0', expected a number of at least 0",
        ]),
        ("time,rate\n0,1\n5,1\n5,2\n3,1\n", "", [
            "found the same time as line 3, expected rising times, sort the rows",
            "rate.csv:5:1: bad-csv: load.web.rate.csv.path: found a time before line 3",
        ]),
        ("time,rate\n0,1,2\n", "", ["rate.csv:2:1: bad-csv: load.web.rate.csv.path: found 3 cells, expected 2"]),
        ("time,rates\n0,1\n", "", ["rate.csv:1:1: bad-csv", "no column 'rate'", "did you mean 'rates'?"]),
        ("", "", ["rate.csv:1:1: bad-csv", "no column 'time'"]),
        ("time,rate\n", "", ["found no rows"]),
        ("time,rate\n2026-04-11T15:00,1\n", "", ["rate.csv:2:1", "needs time.start"]),
        ("time,rate\nnoon,1\n", "", ["found 'noon', expected seconds from time 0"]),
        ("time,rate\n1e30,1\n", "", ["within 73 years"]),
        (b"time,rate\n0,1\n\xe9,1\n", "", ["rate.csv:3:1: bad-encoding", "expected UTF-8"]),
        ("time,rate\n0,1\n".encode("utf-16"), "", ["bad-encoding", "UTF-16"]),
        ('time,rate\n0,"1\n', "", ["rate.csv:2:1: bad-csv", "found no CSV"]),
        ("time,rate\n0,1\n10,1\n30,1\n", ", unit: count", ["rate.csv:4:1", "found a row 20s after the one before"]),
        ("time,rate\n0,1\n", ", unit: count", ["found one row, expected at least two"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(
    tmp_path: Path, data: str | bytes, options: str, expected: list[str]
) -> None:
    found = "\n".join(said(tmp_path, data, options))
    for line in expected:
        assert line in found, found


def test_a_time_zone_is_refused(tmp_path: Path) -> None:
    found = said(tmp_path, "time,rate\n2026-04-11T15:00Z,1\n", start="2026-04-11T15:00")
    assert "without a time zone" in found[0]


def test_files_that_are_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rate, "MOST_ROWS", 3)
    assert "rate.csv:5:1: bad-csv" in said(tmp_path, "time,rate\n0,1\n1,1\n2,1\n3,1\n")[0]
    assert "repeats to more than 3 rows" in said(tmp_path, "time,rate\n0,1\n1,2\n", ", repeat: true")[0]
    monkeypatch.setattr(csv_rate, "MAX_BYTES", 10)
    found = said(tmp_path, "time,rate\n0,1\n")[0]
    assert "s.yaml:4:44: too-large" in found and "of 14 bytes" in found
    (tmp_path / "data" / "rate.csv").unlink()
    with pytest.raises(ScenarioError, match="found no file"):
        sysim.load(tmp_path / "s.yaml")
