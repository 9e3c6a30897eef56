"""Warm-up and batch means of simulated queues whose long-run behaviour is known."""

from __future__ import annotations

import pytest

import sysim
from sysim.analysis.batches import batch_means_of
from sysim.analysis.warm_up import warm_up

QUEUE = """
sysim: 1
time: {duration: 400s, warmup: $warmup, bucket: 1s}
params: {warmup: 0s}
services: {s: {concurrency: 1, operations: {o: [{work: {exponential: 10ms}}]}}}
load: {x: {call: s.o, rate: $rate}}
"""
SLOW_START = QUEUE.replace("$rate", "{steps: [{at: 0s, rate: 10/s}, {at: 60s, rate: 70/s}]}")


def test_a_beginning_unlike_the_rest_is_found() -> None:
    found = warm_up(sysim.simulate(sysim.loads(SLOW_START), replications=3))
    assert found.proposed_s is not None and 55 <= found.proposed_s <= 120 and found.enough is False
    covered = warm_up(sysim.simulate(sysim.loads(SLOW_START, params={"warmup": "130s"}), replications=3))
    assert covered.enough is True and "is enough" in str(covered)


def test_a_steady_beginning_needs_none() -> None:
    found = warm_up(sysim.simulate(sysim.loads(QUEUE.replace("$rate", "30/s")), replications=3))
    assert found.proposed_s == 0.0 and found.enough is True


def test_only_the_time_before_the_first_fault_counts() -> None:
    text = QUEUE.replace("$rate", "30/s") + "faults: [{at: 30s, for: 10s, on: s, pause: true}]\n"
    found = warm_up(sysim.simulate(sysim.loads(text)))
    assert found.proposed_s is None and found.until_s == 30 and "at least 50 are needed" in str(found)


def test_a_study_warns_of_a_warm_up_that_is_too_short() -> None:
    from io import StringIO

    from sysim.report.study import show_study
    from sysim.report.terminal import show

    study = sysim.check(sysim.loads(SLOW_START), replications=2)
    out = StringIO()
    show_study(study, out)
    assert "Warm-up: a warm-up of " in out.getvalue() and "Set time.warmup." in out.getvalue()
    out = StringIO()
    show(study["baseline"], None, out)
    assert "Warm-up: a warm-up of " in out.getvalue()


def test_batch_means_of_one_run_hold_the_rate() -> None:
    run = sysim.simulate(sysim.loads(QUEUE.replace("$rate", "50/s"), params={"warmup": "5s"})).run
    goodput = batch_means_of(run, "goodput", "x")
    assert goodput.estimate.low is not None and goodput.estimate.high is not None
    assert goodput.estimate.low <= 50 <= goodput.estimate.high and goodput.batches == 20
    # 395 buckets after the warm-up: the first 15 do not fill the batches
    assert goodput.estimate.mean == pytest.approx(sum(run.series.loads["x"]["ok"][20:].tolist()) / 380)
    assert batch_means_of(run, "success", "x").estimate.mean == 1.0
    with pytest.raises(ValueError, match="goodput or success"):
        batch_means_of(run, "p99", "x")
