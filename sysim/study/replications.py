"""Runs in their order, one after the other or on threads.

Whatever the number of workers, a study sees its runs in the order in which it asked for them. So a decision
taken between two runs (to stop, to give up) does not depend on which thread was faster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import TypeVar

Task = TypeVar("Task")
Seen = TypeVar("Seen")
AHEAD = 2
"""Tasks a worker that may be under way, or done before their turn: what they give is kept so long."""


class Stopped(Exception):
    """Ends a run that nobody waits for any more."""


def ends_with(stop: Event, note: Callable[[float], None] | None = None) -> Callable[[float], None]:
    """What is told the progress of a run: it tells `note`, and ends the run soon after nobody waits for it any more."""

    def told(now: float) -> None:
        if stop.is_set():
            raise Stopped
        if note is not None:
            note(now)

    return told


def in_order(
    tasks: Iterable[Task], one: Callable[[Task, Event], Seen], workers: int = 1, ahead: int = AHEAD
) -> Generator[tuple[Task, Seen], None, None]:
    """What each task gives, in order. Closing the iterator, or Ctrl-C, sets the event given to `one`, which
    should then raise `Stopped`.
    """
    stop = Event()
    if workers == 1:
        try:
            for task in tasks:
                yield task, one(task, stop)
        finally:
            stop.set()
        return
    waiting: deque[tuple[Task, Future[Seen]]] = deque()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sysim")
    source = iter(tasks)
    try:
        while True:
            for new in islice(source, ahead * workers - len(waiting)):
                waiting.append((new, pool.submit(one, new, stop)))
            if not waiting:
                return
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
