"""Where the jobs of a study run: threads of this process, other processes, or a Dask cluster; opened and let go of."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from sysim.errors import SysimError

Kind = Literal["threads", "processes"]
KINDS: tuple[Kind, ...] = ("threads", "processes")
PATIENCE_S = 20
"""How long a cluster may take to answer."""
FOREIGN = 64  # jobs under way on an executor of which one does not know how many workers it has


@dataclass(frozen=True)
class Place:
    """`open` makes an executor, `close` lets go of it (``now``: without waiting), `ahead` jobs may be under way.

    `local` is true of threads of this process, which need nothing sent to them.
    """

    open: Callable[[], Executor]
    close: Callable[[Executor, bool], None]
    ahead: int
    local: bool = False


def place(executor: Kind | Executor, workers: int, cluster: str | None, build: Callable[[], str]) -> Place:
    """Where jobs run. `build` tells which sysim this is, so that a cluster with another one is refused.

    An `executor` that is given is used as it is, and left open. Raises `SysimError` for a cluster that cannot be used.
    """
    if workers < 1:
        raise ValueError(f"found {workers} workers, expected at least 1")
    if cluster is not None:
        return _cluster(cluster, build)
    if isinstance(executor, Executor):
        return Place(lambda: executor, lambda some, now: None, max(FOREIGN, 2 * workers))
    if executor == "threads":
        return Place(
            lambda: ThreadPoolExecutor(workers, thread_name_prefix="sysim"), _let_go, 2 * workers, local=True
        )
    if executor == "processes":
        return Place(lambda: _processes(workers), _stop_processes, 2 * workers)
    raise ValueError(f"found the executor {executor!r}, expected {' or '.join(KINDS)}, or an Executor")


def _let_go(executor: Executor, now: bool) -> None:
    executor.shutdown(wait=not now, cancel_futures=True)


def _processes(workers: int) -> Executor:
    """Fresh processes: nothing of this one's threads and locks is copied into them."""
    import multiprocessing

    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that waits; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop_processes(executor: Executor, now: bool) -> None:
    workers = list((getattr(executor, "_processes", None) or {}).values())  # 3.14 has `terminate_workers`
    executor.shutdown(wait=not now, cancel_futures=True)
    if now:
        for worker in workers:
            worker.terminate()


def _cluster(address: str, build: Callable[[], str]) -> Place:
    try:
        from distributed import Client
    except ImportError:
        raise SysimError(
            "a cluster needs the package distributed, here and on the workers: pip install 'sysim[cluster]'"
        ) from None
    try:
        connect: Any = Client
        client = connect(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SysimError(f"found no Dask scheduler at {address!r} ({error}), expected one as tcp://host:8786") from None
    try:
        _same_everywhere(client, build)
    except BaseException:
        client.close()
        raise

    def close(executor: Executor, now: bool) -> None:
        client.close()

    threads = sum(client.nthreads().values())
    return Place(lambda: client.get_executor(pure=False), close, max(8, 2 * threads))


def _same_everywhere(client: Any, build: Callable[[], str]) -> None:
    """Whether the workers have this sysim, to the last line of what decides a run."""
    told = client.run(build, on_error="return")
    if not told:
        client.wait_for_workers(1, timeout=PATIENCE_S)
        told = client.run(build, on_error="return")
    own = build()
    for worker, theirs in sorted(told.items()):
        if isinstance(theirs, BaseException):
            raise SysimError(f"the worker {worker} has no sysim ({theirs}), expected the same as here")
        if theirs != own:
            raise SysimError(f"the worker {worker} has another sysim, expected the same version and sources as here")
