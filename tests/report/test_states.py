"""The word for each load, over replications that differ."""

from __future__ import annotations

import io

import sysim
from sysim.report.states import states
from sysim.report.terminal import show
from tests.study.storm import storm


def test_one_word_where_all_agree() -> None:
    result = sysim.simulate(storm(time__duration="60s"), replications=3)
    assert states(result) == [("clients", "metastable")]
    out = io.StringIO()
    show(result, None, out)
    assert "state of the loads: clients metastable" in out.getvalue()


def test_how_often_where_they_differ() -> None:
    result = sysim.simulate(storm(faults__stall__for="700ms", time__duration="60s"), replications=10)
    [(_, told)] = states(result)
    words = [run.state for run in result.runs]
    assert len(set(words)) > 1
    for word in set(words):
        assert f"in {words.count(word)} of 10 runs" in told


def test_how_long_recoveries_took() -> None:
    result = sysim.simulate(storm(load__clients__policy__retry__max_attempts=1), replications=5)
    [(_, told)] = states(result)
    times = sorted(run.recovery["clients"].recovered_after_s or 0.0 for run in result.runs)
    assert times[0] < times[-1]
    assert told.startswith("recovered after") and f"to {times[-1]:g} s" in told


def test_trouble_before_the_fault_is_called_so() -> None:
    assert states(sysim.simulate(storm(load__clients__rate="70/s"))) == [("clients", "unstable before any fault")]
