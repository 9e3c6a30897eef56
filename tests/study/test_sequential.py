"""Sequential sampling and the order of runs, without an engine."""

from __future__ import annotations

import random
import threading
import time
from threading import Event
from typing import Any

import pytest

from sysim.analysis.strictness import Strictness
from sysim.study.replications import Stopped, in_order
from sysim.study.sequential import Sampling, until


def test_until_stops_at_the_first_look_that_is_narrow_enough() -> None:
    source = random.Random(1)
    found = until(lambda k: source.gauss(100, 1), precision=0.02)
    assert found.reason == "decided" and len(found.values) == 10
    source = random.Random(1)
    narrow = until(lambda k: source.gauss(100, 10), precision=0.03)
    assert narrow.reason == "decided" and len(narrow.values) in (100, 200)
    assert (narrow.interval[1] - narrow.interval[0]) / 2 <= 0.03 * narrow.mean


def test_until_gives_up_at_the_most() -> None:
    source = random.Random(1)
    found = until(lambda k: source.gauss(0, 1), precision=0.001, most=60)
    assert found.reason == "most" and len(found.values) == 60


def test_until_spends_its_budget_and_says_so() -> None:
    clock = iter(range(1000))
    found = until(lambda k: float(k), precision=1e-9, budget_s=7.5, clock=lambda: float(next(clock)))
    assert found.reason == "budget" and 2 <= len(found.values) < 10
    at_once = until(lambda k: float(k), budget_s=0.0)
    assert at_once.reason == "budget" and len(at_once.values) == 2


def test_until_asks_enough() -> None:
    asked: list[float] = []

    def enough(mean: float, interval: tuple[float, float]) -> bool:
        asked.append(mean)
        return mean > 20

    assert until(lambda k: float(k), enough=enough).reason == "decided"
    assert asked == [4.5, 9.5, 24.5]


def test_a_plan_of_looks() -> None:
    assert Sampling.fixed(7).planned == (7,) and not Sampling.fixed(7).sequential
    assert Sampling.fixed(7).strictness(0) == Strictness(1.0, guarded=False)
    assert Sampling.adaptive().planned == (10, 20, 50, 100, 200)
    assert Sampling.adaptive().strictness(1) == Strictness(4 / 55, guarded=True)
    assert Sampling.adaptive(5).planned == (5,)
    for wrong in (lambda: Sampling.fixed(0), lambda: Sampling.adaptive(1)):
        with pytest.raises(ValueError, match="replications"):
            wrong()


@pytest.mark.parametrize("workers", [1, 3])
def test_runs_come_in_order_whatever_is_done_first(workers: int) -> None:
    def one(task: int, stop: Event) -> Any:
        time.sleep(0.01 * (task % 3 == 0))
        return task * 10

    assert list(in_order(range(20), one, workers)) == [(k, k * 10) for k in range(20)]


@pytest.mark.parametrize("workers", [1, 3])
def test_closing_stops_what_is_under_way(workers: int) -> None:
    started: list[int] = []

    def one(task: int, stop: Event) -> Any:
        started.append(task)
        if task > 0:
            while not stop.wait(0.001):
                pass
            raise Stopped
        return task

    source = in_order(range(1000), one, workers)
    assert next(source) == (0, 0)
    source.close()
    deadline = time.monotonic() + 5
    while any(t.name.startswith("sysim") for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(started) <= 2 * 3 + 1
    assert not any(t.name.startswith("sysim") for t in threading.enumerate())


def test_an_error_of_one_run_ends_them_all() -> None:
    def one(task: int, stop: Event) -> Any:
        if task == 2:
            raise RuntimeError("broken")
        return task

    with pytest.raises(RuntimeError, match="broken"):
        list(in_order(range(10), one, 2))
