"""The runs of a sweep come in, and each point is reduced to what is kept of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from sysim import model, running
from sysim.api import Progress, Scenario
from sysim.sweeping.jobs import Answer, Job, Points, carry_out
from sysim.sweeping.stored import recalled

if TYPE_CHECKING:
    from sysim.analysis.measures import Measure
    from sysim.result import Run
    from sysim.store import Keeping
    from sysim.study.executors import Place
    from sysim.study.swept import Found


def collected(
    work: Points,
    where: Place,
    keeping: Keeping | None,
    measures: Sequence[Measure],
    checks: Sequence[model.Check],
    facade: Scenario,
    count: int,
    confidence: float,
    progress: Progress | None,
) -> tuple[tuple[Found, ...], bool]:
    """Every point, and whether it was interrupted."""
    from sysim.store.parts import put_together
    from sysim.study.pool import Lost, Pool
    from sysim.study.swept import reduced

    stop = Event()
    runs: dict[int, list[Run]] = defaultdict(list)
    failures: dict[int, str] = {}
    done: dict[int, Found] = {}
    shares: dict[tuple[int, int], float] = {}
    finished = 0
    total = len(work.ready) * count

    def finish(point: int) -> None:
        one = work.ready[point]
        done[point] = reduced(
            one.point, one.label, one.seed, runs.pop(point, []), failures.get(point, ""),
            scenario=work.prepared(point)[0], measures=measures, checks=checks, asked=count, variant=facade.variant,
            confidence=confidence,
        )  # fmt: skip

    def note(job: Job, share: float) -> None:
        shares[job.point, job.replication] = share
        if progress is not None:
            progress(min(1.0, (finished + sum(list(shares.values()))) / total))

    def keep(point: int, run: Run) -> None:
        nonlocal finished
        finished += 1
        shares.pop((point, run.replication), None)
        runs[point].append(run)
        if keeping is not None:
            keeping.keep(work.ready[point].label, run)
        if len(runs[point]) == count:
            finish(point)
        if progress is not None:
            progress(finished / total)

    def asked() -> Iterator[Job]:
        for point in range(len(work.ready)):
            for replication in range(count):
                if point in failures:
                    break
                found = recalled(keeping, work, point, replication)
                if found is None:
                    yield work.job(point, replication)
                else:
                    keep(point, found)

    act: Callable[[Job], Answer] = carry_out
    if where.local:
        running.warm_up(work.engine)
        act = partial(work.here, stop=stop, note=note)
    source = Pool(act, where.open, where.close, where.ahead)(asked())
    interrupted = False
    try:
        for job, answer in source:
            run, failure = (None, str(answer)) if isinstance(answer, Lost) else answer
            if run is None:
                finished += 1
                failures.setdefault(job.point, failure)
                continue
            if isinstance(run, tuple):
                run = put_together(run[0], work.prepared(job.point)[1], run[1])
            keep(job.point, run)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        stop.set()
        source.close()
    if interrupted and not done and not runs:
        raise KeyboardInterrupt
    for point in range(len(work.ready)):
        if point not in done:
            finish(point)
    return tuple(done[point] for point in range(len(work.ready))), interrupted
