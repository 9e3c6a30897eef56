"""The verbs of studies: what takes many runs of one scenario, changed.

Each reads what its caller wrote (paths, durations, shares), and gives a study scenarios, an engine and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.api import Progress, Scenario, facade_of, seed_of
from sysim.running import Engine
from sysim.simulations import futures, simulation

if TYPE_CHECKING:
    from sysim.study.breaking import Sweep
    from sysim.study.metastability import Map, Relief, Tipping
    from sysim.study.quantity import Axis
    from sysim.study.whatif import WhatIf

LEAST_LOAD = "2%"
"""The lightest load that `least_relief` tries: without any, nothing shows that a system is well again."""


def tipping_point(
    scenario: Scenario | str | Path,
    path: str,
    low: Any,
    high: Any,
    *,
    resolution: Any = None,
    replications: int = 10,
    loads: Iterable[str] = (),
    confidence: float = 0.95,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
) -> Tipping:
    """How much of something tips a scenario for good: bisection of the value at `path` between `low` and `high`.

    Values are as in a file, ``"0s"`` and ``"30s"``. A replication has tipped when one of the `loads` (all unless
    given) is metastable, or unstable before any fault. All replications meet the same random numbers at every
    value, so each has its own threshold; the result is their median, with an interval. Runs are lengthened where
    the file's are too short to tell. Raises `ScenarioError` and `SysimError` for a path or values that do not fit.
    """
    from sysim.study.metastability import tipping_point as study
    from sysim.study.quantity import axis

    facade = facade_of(scenario)
    along = axis(path, low, high, resolution)
    return study(
        _at_path(facade, along), along, simulation(engine, seed_of(facade, seed)), seed=seed_of(facade, seed),
        replications=_counted(replications), loads=tuple(loads), confidence=confidence, workers=workers,
        progress=progress,
    )  # fmt: skip


def vulnerability_map(
    scenario: Scenario | str | Path,
    path: str,
    low: Any,
    high: Any,
    *,
    factors: tuple[float, float] = (0.5, 1.2),
    grid: tuple[int, int] = (8, 8),
    replications: int = 3,
    loads: Iterable[str] = (),
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
) -> Map:
    """What becomes of a scenario over a `grid` of loads and values at `path`: (columns, rows).

    The whole load is multiplied by `factors[0]` to `factors[1]`. Ctrl-C leaves a map marked `interrupted`.
    """
    from sysim.study.metastability import vulnerability as study
    from sysim.study.quantity import axis

    facade = facade_of(scenario)
    along = axis(path, low, high)
    across = axis("the load", float(factors[0]), float(factors[1]))
    columns = [round(across.low + (across.high - across.low) * k / max(1, grid[0] - 1), 9) for k in range(grid[0])]
    return study(
        _at_path(facade, along), along, columns, along.steps(grid[1]), simulation(engine, seed_of(facade, seed)),
        seed=seed_of(facade, seed), replications=_counted(replications), loads=tuple(loads), workers=workers,
        progress=progress,
    )  # fmt: skip


def least_relief(
    scenario: Scenario | str | Path,
    *,
    at: Any = None,
    lasts: Any = None,
    resolution: str = "1%",
    replications: int = 10,
    loads: Iterable[str] = (),
    confidence: float = 0.95,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
) -> Relief:
    """How much of the load has to go before a scenario that stays down gets up again.

    The rate of the `loads` (all unless given) is cut at the instant `at` (unless given: as long after the last
    fault as that lasted, and at least 10 s) for the time `lasts` (unless given: for good).
    """
    from sysim import units
    from sysim.study.metastability import least_relief as study
    from sysim.study.quantity import axis

    facade = facade_of(scenario)
    begin = None if at is None else _instant(facade, at)
    return study(
        facade.model, axis("the load", LEAST_LOAD, "100%", resolution), simulation(engine, seed_of(facade, seed)),
        seed=seed_of(facade, seed), at=begin, lasts=None if lasts is None else units.duration(lasts),
        replications=_counted(replications), loads=tuple(loads), confidence=confidence, workers=workers,
        progress=progress,
    )  # fmt: skip


def fault_sweep(
    scenario: Scenario | model.Scenario | str | Path,
    *,
    settle: Any = "30s",
    lasts: Any = "20s",
    watch: Any = None,
    slowdown: float = 20.0,
    error: float = 1.0,
    pairs: int | None = 10,
    kinds: Iterable[str] = (),
    on: Iterable[str] = (),
    replications: int = 1,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Break everything, one thing at a time and then two, and rank what that does to customers.

    Each fault strikes after `settle`, lasts for `lasts`, and is watched for `watch` after its end (ten times its
    length and 10 s unless given). `pairs` is how many pairs to try, None for all. `kinds` are some of ``crash``,
    ``lost``, ``slowdown``, ``pause``, ``error``, ``blackhole``, ``zone``; `on` some of the services and zones.
    Ctrl-C leaves a sweep marked `interrupted`, with what was finished.
    """
    from sysim import units
    from sysim.study.breaking import sweep as study
    from sysim.study.faultlist import KINDS, Terms

    facade = facade_of(scenario)
    chosen = tuple(kinds) or KINDS
    for kind in chosen:
        if kind not in KINDS:
            raise ValueError(f"found the kind of fault {kind!r}, expected one of {', '.join(KINDS)}")
    terms = Terms(
        units.duration(settle), units.duration(lasts), None if watch is None else units.duration(watch),
        slowdown, error,
    )  # fmt: skip
    return study(
        facade.model, simulation(engine, seed_of(facade, seed)), seed=seed_of(facade, seed), terms=terms,
        most_pairs=pairs, kinds=chosen, on=tuple(on), replications=_counted(replications), workers=workers,
        progress=progress,
    )  # fmt: skip


def what_if(
    scenario: Scenario | model.Scenario | str | Path,
    at: Any,
    *,
    delay: Any = "0s",
    lasts: Any = None,
    watch: Any = None,
    kinds: Iterable[str] = (),
    replications: int = 10,
    confidence: float = 0.95,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
) -> WhatIf:
    """What would help if it were done now: a running scenario is copied at the instant `at` and goes on under each
    generic mitigation, on the same random numbers; they are ranked.

    `at` is an instant as in a file (``"90s"``, ``"15:06"`` where the scenario has a calendar). Levers are pulled
    `delay` after it, and what is held is put back after `lasts` (half of what is left of the run, at most ten
    minutes, unless given). The run goes on for `watch` after the instant, or to its end. `kinds` are some of
    ``rollback``, ``flag``, ``shed``, ``retries``, ``breaker``, ``restart``, ``clear``, ``combined``. Ctrl-C keeps the
    replications that were finished, marked `interrupted`.
    """
    from sysim import units
    from sysim.study.whatif import what_if as study

    facade = facade_of(scenario)
    chosen = seed_of(facade, seed)
    return study(
        facade.model, simulation(engine, chosen), futures(engine, chosen), seed=chosen,
        at=_instant(facade, at), delay=units.duration(delay),
        lasts=None if lasts is None else units.duration(lasts),
        watch=None if watch is None else units.duration(watch), kinds=tuple(kinds),
        replications=_counted(replications), confidence=confidence, workers=workers, progress=progress,
    )  # fmt: skip


def _counted(replications: int) -> int:
    if replications < 1:
        raise ValueError(f"found {replications} replications, expected at least 1")
    return replications


def _at_path(facade: Scenario, along: Axis) -> Callable[[float], model.Scenario]:
    return lambda value: facade.with_({along.path: along.write(value)}).model


def _instant(facade: Scenario, written: Any) -> int:
    """An instant (ns) as it is written in the file: by the clock, where the scenario has one."""
    from datetime import datetime

    from sysim import units

    time = facade.model.time
    return units.instant(written, None if time.start is None else datetime.fromisoformat(time.start), time.zone)
