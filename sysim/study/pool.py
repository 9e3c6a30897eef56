"""Jobs on any executor, handed back as they are done.

Anything that fulfils the protocol of `concurrent.futures.Executor` will do; only `submit`, the callbacks of a future
and `cancel` are used. At most `ahead` jobs are under way, so that a long list of them fills no memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from queue import SimpleQueue
from typing import Generic, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")
STUBBORN = 5  # executors in a row that take no job at all


class Lost(Exception):
    """A job whose worker died of it, or that the executor gave up."""


class Pool(Generic[Job, Answer]):
    """`work` is what is done with a job, `opened` makes the executor, and again where its workers have died.

    `close` is told to let go of an executor; with ``now`` it must not wait for what is under way.
    """

    def __init__(
        self,
        work: Callable[[Job], Answer],
        opened: Callable[[], Executor],
        close: Callable[[Executor, bool], None],
        ahead: int,
    ) -> None:
        self._work, self._opened, self._close, self._ahead = work, opened, close, max(1, ahead)
        self._done: SimpleQueue[Future[Answer]] = SimpleQueue()
        self._under_way: dict[Future[Answer], Job] = {}

    def __call__(self, jobs: Iterable[Job]) -> Generator[tuple[Job, Answer | Lost], None, None]:
        """Each job with its answer, in the order in which they are done.

        When workers die, the jobs that were under way are done again, one at a time: the one with which they die again
        is `Lost`, and no other. Closing the iterator, or Ctrl-C, gives up what is under way.
        """
        source = iter(jobs)
        suspects: deque[Job] = deque()
        executor = self._opened()
        finished, broken = False, 0
        try:
            while True:
                alone = bool(suspects)
                while len(self._under_way) < (1 if alone else self._ahead):
                    job = suspects.popleft() if suspects else next(source, None)
                    if job is None:
                        break
                    try:
                        self._submit(executor, job)
                    except (BrokenExecutor, OSError):  # OSError: it was breaking while it began a worker
                        suspects.append(job)
                        broken += 1
                        if broken > STUBBORN:
                            raise
                        break
                    if alone:
                        break
                if not self._under_way:
                    if not suspects:
                        finished = True
                        return
                    executor = self._again(executor)
                    continue
                future = self._done.get()
                if future not in self._under_way:
                    continue  # of an executor that is gone
                job = self._under_way.pop(future)
                try:
                    answer: Answer | Lost = future.result()
                    broken = 0
                except BrokenExecutor as error:
                    executor = self._again(executor)
                    if not alone:
                        suspects.extend((job, *self._under_way.values()))
                        self._under_way.clear()
                        continue
                    answer = Lost(f"the process that ran it died ({error})")
                except CancelledError:
                    answer = Lost("the executor gave it up")
                except Exception as error:
                    answer = Lost(f"{type(error).__name__}: {error}")
                yield job, answer
        finally:
            for future in self._under_way:
                future.cancel()
            self._under_way.clear()
            self._close(executor, not finished)

    def _submit(self, executor: Executor, job: Job) -> None:
        future = executor.submit(self._work, job)
        self._under_way[future] = job
        future.add_done_callback(self._done.put)

    def _again(self, executor: Executor) -> Executor:
        self._close(executor, True)
        return self._opened()
