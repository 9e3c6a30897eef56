"""A progress bar with the time left, on stderr and only on a terminal; elsewhere one line if it will take long."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

COMPILING = "compiling the engine for this machine, once; this takes up to a minute"


@contextmanager
def progress(engine: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A function that takes the share that is done, or None where nobody would see it."""
    cold = not quiet and engine == "compiled" and _cold()
    if quiet or not sys.stderr.isatty():
        if cold:
            click.echo(COMPILING, err=True)
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling the engine, once" if cold else "simulating", total=1.0)
        lock = threading.Lock()

        def note(share: float) -> None:
            with lock:
                bar.update(task, completed=share, description="simulating")

        yield note


def _cold() -> bool:
    from sysim.semantics.jit import cache_is_cold

    return cache_is_cold()
