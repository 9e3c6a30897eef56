"""Batch jobs by the clock, and where they cannot be."""

from __future__ import annotations

import pytest

import sysim
from sysim.errors import ScenarioError
from sysim.model import OpenLoad, ReplayRate

FRAME = """\
sysim: 1
time: {{start: 2026-04-11T00:00, duration: {duration}}}
services: {{db: {{concurrency: 1, operations: {{report: [{{work: 1s}}]}}}}}}
load: {{jobs: {{call: db, rate: {{replay: {{{jobs}}}}}}}}}
"""
HOUR = 3_600_000_000_000
SECOND = 1_000_000_000


def instants(jobs: str, duration: str = "50h") -> list[int]:
    load = sysim.loads(FRAME.format(jobs=jobs, duration=duration)).model.load["jobs"]
    assert isinstance(load, OpenLoad) and isinstance(load.rate, ReplayRate)
    return list(load.rate.instants)


def test_when_they_come() -> None:
    assert instants("at: 02:00") == [2 * HOUR]
    assert instants("at: 02:00, count: 3") == 3 * [2 * HOUR]
    assert instants("at: 02:00, every: 24h, count: 2") == [2 * HOUR, 2 * HOUR, 26 * HOUR, 26 * HOUR]
    assert instants("at: 02:00, count: 4, spread: 1s") == [2 * HOUR + k * SECOND // 4 for k in range(4)]
    assert len(instants("at: 0s, every: 1h, count: 100, spread: 1m")) == 5_000


def test_both_engines_have_them_all_at_once() -> None:
    text = FRAME.format(jobs="at: 10s, every: 1m, count: 20", duration="3m")
    found = [
        sysim.simulate(sysim.loads(text), engine=engine).to_dict()["runs"][0]  # type: ignore[arg-type]
        for engine in ("compiled", "reference")
    ]
    assert found[0]["digest"] == found[1]["digest"]
    jobs = found[0]["windows"]["all"]["loads"]["jobs"]
    assert jobs["offered"] == 60 and jobs["latency_s"]["mean"] == pytest.approx(10.5) and jobs["latency_s"]["max"] == 20


@pytest.mark.parametrize(
    ("jobs", "code", "path"),
    [
        ("at: 51h", "bad-value", "replay.at"),
        ("at: 1h, count: 0", "bad-value", "replay.count"),
        ("at: 1h, every: 0s", "bad-value", "replay.every"),
        ("at: 1h, every: 1m, spread: 2m", "bad-value", "replay.spread"),
        ("at: 0s, every: 1s, count: 10", "too-large", "replay"),
        ("at: 1h, csv: log.csv", "unknown-key", "replay.csv"),
    ],
)
def test_what_is_refused(jobs: str, code: str, path: str) -> None:
    with pytest.raises(ScenarioError) as error:
        instants(jobs)
    assert [(problem.code, problem.path) for problem in error.value.problems] == [(code, f"load.jobs.rate.{path}")]
