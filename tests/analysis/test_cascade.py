"""How trouble spreads, on the shipped experiments and on a run in which nothing happens."""

from __future__ import annotations

from pathlib import Path

import pytest

import sysim
from sysim.analysis.causes import by_service, origins
from sysim.result.failures import merged
from sysim.result.run import Run

ROOT = Path(__file__).parents[2]


def run_of(name: str, **changes: object) -> Run:
    return sysim.simulate(sysim.load(ROOT / "experiments" / f"{name}.yaml").with_(changes)).run


def culprit(run: Run) -> str:
    failures = [some for stats in run.windows["all"].loads.values() for some in stats.failures]
    return next(iter(by_service(origins(merged(failures)))))


def test_a_slow_leaf_goes_bad_first_and_its_caller_looks_worse() -> None:
    run = run_of("thread_pool_exhaustion")
    assert [bad.service for bad in run.cascade.order] == ["reports", "api"]
    assert culprit(run) == "reports"
    misleading = run.cascade.misleading("reports")
    assert misleading is not None
    assert (misleading.looks_worst, misleading.culprit_failed) == ("api", 0.0)
    assert misleading.worst_failed > 0.1
    (blast,) = run.cascade.blasts
    assert set(blast.services) == {"reports", "api"}
    assert set(blast.loads) == {"readers", "reporters"}, "those who need no report suffer too"
    assert "users" not in blast.services


def test_time_moves_into_the_queue_of_the_caller() -> None:
    before, during = run_of("thread_pool_exhaustion").cascade.critical_paths
    assert before[0][0] == during[0][0] == "api"
    assert during[0][1] > 20 * before[0][1]


def test_a_culprit_that_looks_sick_misleads_nobody() -> None:
    run = run_of("retry_storm")
    assert [bad.service for bad in run.cascade.order] == ["api"]
    assert run.cascade.misleading("api") is None
    assert run.cascade.blasts[0].loads["clients"] == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("name", ["queue_too_long"])
def test_without_a_fault_there_is_no_cascade(name: str) -> None:
    cascade = run_of(name).cascade
    assert not cascade.judged
    assert cascade.to_dict() == {
        "order": [], "blast_radius": [], "critical_path": {"before": [], "during": []},
    }  # fmt: skip


def test_the_account_says_why() -> None:
    text = sysim.simulate(sysim.load(ROOT / "experiments" / "thread_pool_exhaustion.yaml")).account
    assert "failures began at reports (requests it was working on, while a fault was at work)" in text
    assert "Services go bad in this order: reports (at 1 min," in text
    assert "A picture of error rates would mislead: api fails" in text
