"""Arrivals at the instants of a CSV file: to the nanosecond, on both engines, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.analysis.explain import explain
from sysim.errors import ScenarioError
from sysim.model import OpenLoad, ReplayRate
from sysim.model.demand import mean_rate, peak_rate
from sysim.model.scaling import CannotScale, scaled
from sysim.plan import lower
from sysim.plan.passes.rates import rates
from sysim.plan.tables import Q_CUMULATED, Q_START
from sysim.semantics import arrivals
from sysim.units import NS_PER_SECOND as S

DATA = "time,who\n-3,x\n0,a\n0.25,b\n0.25,c\n0.25,d\n1.000000001,e\n1.000000002,f\n59.999999999,g\n60,late\n"
WITHIN = [0, S // 4, S // 4, S // 4, S + 1, S + 2, 60 * S - 1]


def written(folder: Path, data: str = DATA, rate: str = "{replay: {csv: log.csv}}", beside: str = "") -> Path:
    (folder / "log.csv").write_text(data)
    path = folder / "s.yaml"
    path.write_text(
        "sysim: 1\ntime: {start: 2026-04-11T15:00, duration: 60s}\n"
        "services: {api: {operations: {get: [{work: 1ms}]}}}\n"
        f"load: {{web: {{call: api, rate: {rate}{beside}}}}}\n"
    )
    return path


def said(path: Path) -> str:
    with pytest.raises(ScenarioError) as error:
        sysim.load(path)
    return "\n".join(problem.headline() + " " + (problem.hint or "") for problem in error.value.problems)


def arrived(rates: Any, duration: int) -> list[int]:
    """Every arrival, as the engines find it: target 1, 2, 3, …"""
    found, row, target = [], 0, 1.0
    while True:
        row = arrivals.seek(rates, 0, len(rates), row, target)
        at = int(arrivals.instant(rates, 0, len(rates), row, target))
        if at >= duration:
            return found
        found.append(at)
        target += 1.0


def test_each_arrival_is_at_its_nanosecond(tmp_path: Path) -> None:
    plan = lower(sysim.load(written(tmp_path)).model)
    assert arrived(plan.rates, 60 * S) == WITHIN
    assert plan.rates[:, Q_START].tolist()[:3] == [0.0, 0.25, 1.000000001]
    assert plan.rates[:, Q_CUMULATED].tolist() == [1, 2, 5, 6, 7, 8]


def test_any_instants_of_48_days_are_exact() -> None:
    draw = random.Random(1)
    days = 48 * 86_400 * S
    instants = [draw.randrange(days) for _ in range(5_000)]
    instants += [at + draw.choice((0, 0, 1, 2)) for at in instants[:1_000] if at < days - 2]
    rate = ReplayRate(instants=tuple(sorted(instants)))
    for duration in (days, days // 3, 1):
        rows = rates(OpenLoad(mix={"a.b": 1.0}, rate=rate), duration)
        assert arrived(rows, duration) == [at for at in rate.instants if at < duration]


def test_both_engines_replay(tmp_path: Path) -> None:
    scenario = sysim.load(written(tmp_path))
    found = [sysim.simulate(scenario, engine=engine, seed=seed) for engine, seed in (("compiled", 1), ("reference", 1))]
    assert found[0].runs[0].digest == found[1].runs[0].digest
    load = found[0].to_dict()["runs"][0]["windows"]["all"]["loads"]["web"]
    assert load["offered"] == len(WITHIN)
    assert sysim.simulate(scenario, seed=2).runs[0].windows["all"].loads["web"].offered == len(WITHIN)


def test_two_arrivals_of_one_instant_queue_behind_one_another(tmp_path: Path) -> None:
    """D/D/1 by hand: three at once before one worker of 1 ms wait 0, 1 and 2 ms; the others do not wait."""
    path = written(tmp_path)
    path.write_text(path.read_text().replace("{api: {operations", "{api: {concurrency: 1, operations"))
    for engine in ("compiled", "reference"):
        stats = sysim.simulate(sysim.load(path), engine=engine).to_dict()["runs"][0]["windows"]["all"]
        # two arrivals a nanosecond apart: the second waits all but one nanosecond
        expected = (7 * 1.0 + 1.0 + 2.0 + 1.0) / 7
        assert stats["loads"]["web"]["latency_s"]["mean"] == pytest.approx(expected / 1e3, rel=1e-5)


def test_moments_are_local_ones_around_the_start(tmp_path: Path) -> None:
    data = "at\n2026-04-11T14:59:59\n2026-04-11T15:00:07.5\n2026-04-11T15:00:07.5\n"
    rate = sysim.load(written(tmp_path, data, "{replay: {csv: log.csv, time: at}}")).model.load["web"].rate
    assert rate.instants == (15 * S // 2, 15 * S // 2)


def test_instants_can_be_written_out_and_a_file_is_where_a_run_is_kept(tmp_path: Path) -> None:
    scenario = sysim.load(written(tmp_path, rate="{replay: [0s, 15:00:02, 2s, 1h]}"))
    assert scenario.model.load["web"].rate.instants == (0, 2 * S, 2 * S, 3600 * S)
    scenario = sysim.load(written(tmp_path))
    (tmp_path / "log.csv").unlink()
    again = sysim.loads(scenario.to_yaml())
    assert again.model == scenario.model and again.digest == scenario.digest


def test_what_it_comes_to() -> None:
    rate = ReplayRate(instants=(0, S // 2, S - 1, S, 5 * S))
    assert mean_rate(rate, 0, S) == 3.0 and mean_rate(rate, 0, 10 * S) == 0.5
    assert peak_rate(rate) == 3.0 and peak_rate(rate, S // 2, 10 * S) == 3.0
    assert peak_rate(rate, 2 * S, 4 * S) == 0.0
    with pytest.raises(ValueError, match="out of order"):
        ReplayRate(instants=(2, 1))


def test_it_is_explained_and_not_scaled(tmp_path: Path) -> None:
    scenario = sysim.load(written(tmp_path)).model
    told = next(lines for title, lines in explain(scenario) if title == "The load")
    assert told[0].startswith("web: 7 arrivals replayed, 0.117/s on average, 5/s at its peak")  # 5 from 0.25 s on
    with pytest.raises(CannotScale, match="exact instants"):
        scaled(scenario, 2.0)
    assert type(scenario).model_validate(scenario.model_dump()) == scenario


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("time\n5\n3\n", "log.csv:3:1: bad-csv: load.web.rate.replay.csv: found a time before line 2"),
        ("when\n5\n", "log.csv:1:1: bad-csv: load.web.rate.replay.csv: found no column 'time'"),
        ("time\n1775919600\n", "log.csv:2:1: bad-csv: load.web.rate.replay.csv: found nothing within the run"),
        ("time\n-5\n", "this row is 5s before time 0"),
        ("time\nsoon\n", "log.csv:2:1: bad-csv: load.web.rate.replay.csv: found 'soon', expected seconds"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(tmp_path: Path, data: str, expected: str) -> None:
    assert expected in said(written(tmp_path, data)).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("rate", "beside", "expected"),
    [
        ("{replay: {csv: log.csv}}", ", arrivals: poisson", "found poisson arrivals of a replay, expected none"),
        ("{replay: {csv: log.csv}, weekly: {sat: 2}}", "", "a calendar cannot multiply a replay"),
        ("{base: {replay: {csv: log.csv}}, weekly: {sat: 2}}", "", "a calendar cannot multiply a replay"),
        ("{replay: log.csv}", "", "expected a replay {csv, time}"),
        ("{replay: []}", "", "found 0 elements, expected at least 1"),
        ("{replay: [2s, 1s]}", "", "load.web.rate.replay: found instants out of order"),
        ("{replay: {csv: nothing.csv}}", "", "found no file"),
    ],
)
def test_what_does_not_go_with_it(tmp_path: Path, rate: str, beside: str, expected: str) -> None:
    assert expected in said(written(tmp_path, rate=rate, beside=beside))


def test_a_load_that_is_a_replay_itself_is_shown_the_way(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("rate: {replay: {csv: log.csv}}", "replay: {csv: log.csv}"))
    assert "write rate: {replay: {csv: file.csv}}" in said(path)
