"""A progress bar with the time left, on stderr and only on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(engine: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A function that takes the share that is done, or None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        cold = engine == "compiled" and _cold()
        task = bar.add_task("compiling the engine, once" if cold else "simulating", total=1.0)
        lock = threading.Lock()

        def note(share: float) -> None:
            with lock:
                bar.update(task, completed=share, description="simulating")

        yield note


def _cold() -> bool:
    from sysim.semantics.jit import cache_is_cold

    return cache_is_cold()
