"""Jobs on executors: each is done once, whatever dies."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sysim.study.executors import place
from sysim.study.pool import Lost, Pool

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")


def let_go(executor: Executor, now: bool) -> None:
    executor.shutdown(wait=not now, cancel_futures=True)


def threads(workers: int) -> Callable[[], Executor]:
    return lambda: ThreadPoolExecutor(workers)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("ahead", [1, 4, 100])
def test_every_job_is_done_once(workers: int, ahead: int) -> None:
    done: list[int] = []
    lock = threading.Lock()

    def work(job: int) -> int:
        with lock:
            done.append(job)
        return job * job

    found = dict(Pool(work, threads(workers), let_go, ahead)(range(20)))
    assert found == {n: n * n for n in range(20)} and Counter(done) == Counter(range(20))


def test_no_more_are_under_way_than_asked() -> None:
    most, now, lock = 0, 0, threading.Lock()

    def work(job: int) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        with lock:
            now -= 1

    asked: list[int] = []

    def jobs() -> Any:
        for n in range(30):
            asked.append(n)
            yield n

    source = Pool(work, threads(8), let_go, 3)(jobs())
    next(source)
    assert len(asked) <= 4
    assert len(list(source)) == 29 and most <= 3


def test_what_a_job_raises_is_its_own() -> None:
    def work(job: int) -> int:
        if job == 2:
            raise ValueError("two")
        return job

    found = dict(Pool(work, threads(2), let_go, 4)(range(4)))
    assert str(found.pop(2)) == "ValueError: two" and found == {0: 0, 1: 1, 3: 3}


def test_leaving_early_gives_up_the_rest() -> None:
    closed: list[bool] = []

    def close(executor: Executor, now: bool) -> None:
        closed.append(now)
        executor.shutdown(wait=True, cancel_futures=True)

    source = Pool(lambda job: job, threads(1), close, 2)(range(100))
    next(source)
    source.close()
    assert closed == [True]
    list(Pool(lambda job: job, threads(1), close, 2)(range(3)))
    assert closed == [True, False]


def dies_at_seven(job: tuple[int, str]) -> int:
    number, folder = job
    with open(Path(folder) / "log", "a") as log:
        log.write(f"{number}\n")
    if number == 7 or (number == 3 and not (Path(folder) / "died").exists()):
        (Path(folder) / "died").touch()
        os._exit(1)
    return number


@POSIX
def test_a_worker_that_dies_takes_no_other_job_with_it(tmp_path: Path) -> None:
    """Job 3 dies once, and is done the second time; job 7 dies always, and is lost."""
    context = multiprocessing.get_context("forkserver")

    def opened() -> Executor:
        return ProcessPoolExecutor(2, mp_context=context)

    jobs = [(n, str(tmp_path)) for n in range(12)]
    answers = list(Pool(dies_at_seven, opened, let_go, 4)(jobs))
    assert len(answers) == 12
    found = {job[0]: answer for job, answer in answers}
    assert isinstance(found.pop(7), Lost)
    assert found == {n: n for n in range(12) if n != 7}


class Broken(Executor):
    """Takes no job at all."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenExecutor("broken")


class Closing(ThreadPoolExecutor):
    """Is closed by the death of a worker while it begins another one."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if args == (2,):
            raise OSError(errno.EBADF, "Bad file descriptor")
        return super().submit(fn, *args, **kwargs)


def test_an_executor_that_breaks_while_it_takes_a_job() -> None:
    made: list[Executor] = []

    def opened() -> Executor:
        made.append(ThreadPoolExecutor(1) if made else Closing(1))
        return made[-1]

    answers = list(Pool(lambda job: job * job, opened, let_go, 2)(range(5)))
    assert sorted(answers) == [(n, n * n) for n in range(5)] and len(made) == 2


def test_an_executor_that_never_works_ends_with_its_error() -> None:
    with pytest.raises(BrokenExecutor):
        list(Pool(lambda job: job, Broken, let_go, 2)(range(3)))


def test_places() -> None:
    def build() -> str:
        return ""

    assert place("threads", 2, None, build).local and not place("processes", 1, None, build).local
    with ThreadPoolExecutor(1) as own:
        where = place(own, 1, None, build)
        executor = where.open()
        assert executor is own and not where.local
        where.close(executor, True)
        assert own.submit(int, 3).result() == 3, "it is left open"
    with pytest.raises(ValueError, match="expected threads or processes"):
        place("fibres", 1, None, build)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        place("threads", 0, None, build)
