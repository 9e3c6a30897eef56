"""The two engines: their names, and what runs a plan on one. No other module outside of them imports an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sysim.plan.plan import Plan
    from sysim.record.record import Record

Engine = Literal["compiled", "reference"]
ENGINES: tuple[Engine, ...] = ("compiled", "reference")
WARM_UP = """
sysim: 1
time: {duration: 20ms}
services: {s: {concurrency: 1, operations: {o: [{work: 1ms}]}}}
load: {open: {call: s.o, rate: 1000/s}, closed: {call: s.o, users: 1, think: 1ms}}
faults: [{at: 1ms, for: 1ms, on: s, pause: true}, {every: 5ms, for: 1ms, on: s, pause: true}]
"""


def check_known(engine: str) -> None:
    """Raise `ValueError` unless there is an engine of that name."""
    if engine not in ENGINES:
        raise ValueError(f"found the engine {engine!r}, expected one of {', '.join(ENGINES)}")


def run_of(engine: Engine) -> Callable[..., Record]:
    """The function of an engine that runs a plan."""
    if engine == "compiled":
        from sysim.engine.compiled.run import simulate as compiled

        return compiled
    from sysim.engine.reference.run import simulate as reference

    return reference


@cache
def warm_up(engine: Engine) -> None:
    """Run next to nothing once a process: then the time of a run is the run's own, without compiling or
    loading the engine, and no two threads find the same function not yet compiled.
    """
    from sysim import scenario_file
    from sysim.plan.lower import lower

    tiny = scenario_file.loads(WARM_UP).scenario
    run_of(engine)(lower(tiny), seed=1, replication=0)


def branches(
    engine: Engine, plans: Sequence[Plan], at: int, seed: int, replication: int, note: Callable[[float], None]
) -> Iterator[Record]:
    """One replication of each of some plans that are the same until the instant `at` (ns), in their order.

    The compiled engine runs the past once and copies itself there, the reference engine begins anew; the runs are the
    same.
    """
    if engine == "reference":
        for plan in plans:
            yield run_of(engine)(plan, seed=seed, replication=replication, progress=note)
        return
    from sysim.engine.compiled.run import Execution

    past = Execution(plans[0], seed=seed, replication=replication)
    past.advance(until=at, progress=note)
    for plan in plans:
        branch = past.copy(plan)
        branch.advance(progress=note)
        yield branch.finish()
