"""The runs of a sweep: jobs of plain data, and how one is carried out, here or on a worker."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import TYPE_CHECKING

from sysim import model, running
from sysim.errors import SysimError
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.plan.plan import Plan
    from sysim.result import Run
    from sysim.result.series import Series
    from sysim.sweeping.reading import Ready

KEPT = 32  # points that are ready to be run
_warming = Lock()

Sent = tuple[bytes, "Series"]
"""A run as it comes back from a worker: its bytes, and the axes of its series."""
Answer = tuple["Run | Sent | None", str]
"""A run, or why there is none."""


@dataclass(frozen=True)
class Job:
    """One replication at one point, as it is sent to a worker: plain data, a few kilobytes.

    `scenario` is the model as compressed JSON; `plan` the fingerprint of what it has to become there as here.
    """

    point: int
    replication: int
    seed: int
    engine: Engine
    scenario: bytes
    plan: str


def carry_out(job: Job) -> tuple[Sent | None, str]:
    """Run a job in a process of its own or on another machine: the run as plain data, or why it failed."""
    from sysim.plan.fingerprint import fingerprint
    from sysim.plan.lower import lower
    from sysim.store.parts import taken_apart

    try:
        scenario = _model_of(job.scenario)
        plan = lower(scenario)
        if fingerprint(plan) != job.plan:
            return None, "the worker has another version of sysim"
        with _warming:
            running.warm_up(job.engine)
        run = _simulated(scenario, plan, job, None)
        return (taken_apart(run), run.series), ""
    except Exception as error:
        return None, _why(error)


def _simulated(scenario: model.Scenario, plan: Plan, job: Job, note: Callable[[float], None] | None) -> Run:
    """One run, without its time series, which would weigh more than all else."""
    from sysim.result import summarise

    record = running.run_of(job.engine)(plan, seed=job.seed, replication=job.replication, traces=0, progress=note)
    run = summarise(plan, scenario, record, job.seed, job.replication)
    return replace(run, series=run.series.emptied())


def _model_of(text: bytes) -> model.Scenario:
    return model.Scenario.model_validate_json(zlib.decompress(text))


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, SysimError) else f"{type(error).__name__}: {error}"


class Points:
    """The points as models and plans, of which only a few are kept at a time."""

    def __init__(self, ready: Sequence[Ready], engine: Engine) -> None:
        self.ready, self.engine = ready, engine
        self._lock = Lock()
        self._prepared: OrderedDict[int, tuple[model.Scenario, Plan]] = OrderedDict()

    def prepared(self, point: int) -> tuple[model.Scenario, Plan]:
        """The scenario and the plan of a point."""
        from sysim.plan.lower import lower

        with self._lock:
            if point not in self._prepared:
                scenario = _model_of(self.ready[point].scenario)
                self._prepared[point] = scenario, lower(scenario)
                while len(self._prepared) > KEPT:
                    self._prepared.popitem(last=False)
            return self._prepared[point]

    def job(self, point: int, replication: int) -> Job:
        """One replication at a point, as it is sent."""
        one = self.ready[point]
        return Job(point, replication, one.seed, self.engine, one.scenario, one.plan)

    def here(self, job: Job, stop: Event, note: Callable[[Job, float], None]) -> Answer:
        """Run a job on a thread of this process."""
        from sysim.study.replications import Stopped, ends_with

        try:
            scenario, plan = self.prepared(job.point)
            noted = ends_with(stop, lambda now: note(job, min(1.0, now / plan.duration)))
            return _simulated(scenario, plan, job, noted), ""
        except Stopped:
            raise
        except Exception as error:
            return None, _why(error)
