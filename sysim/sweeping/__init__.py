"""The verb `sweep`: a scenario at many points, on any executor, and what becomes of it there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import running, storing
from sysim.api import Progress, Scenario, load, seed_of
from sysim.running import Engine
from sysim.sweeping.asked import design_of, measures_of
from sysim.sweeping.collecting import collected
from sysim.sweeping.jobs import Points
from sysim.sweeping.reading import ready
from sysim.sweeping.stored import begin, build, conclude, exit_code

if TYPE_CHECKING:
    from sysim.store import Keeping
    from sysim.study.executors import Kind
    from sysim.study.swept import Swept

__all__ = ["FEW_REPLICATIONS", "exit_code", "sweep"]

FEW_REPLICATIONS = 5


def sweep(
    scenario: Scenario | str | Path,
    vary: Mapping[str, Any] | Iterable[str] = (),
    *,
    points: Iterable[Mapping[str, Any]] | str | Path | None = None,
    random: int | None = None,
    lhs: int | None = None,
    sobol: int | None = None,
    one_at_a_time: bool = False,
    measures: Iterable[str] = (),
    replications: int | None = None,
    independent: bool = False,
    confidence: float = 0.95,
    seed: int | None = None,
    engine: Engine = "compiled",
    executor: Kind | Executor = "threads",
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
    store: Keeping | str | Path | None = None,
    resume: bool = False,
) -> Swept:
    """Run a scenario at many points and keep some numbers of each, with the verdicts of its checks.

    `vary` has values for paths: ``{"services.web.replicas": "2..8", "load.web.rate": ["100/s", "200/s"]}``, or texts as
    on the command line. All combinations are run, unless `random`, `lhs` (a Latin hypercube) or `sobol` say how many
    points to draw, or `one_at_a_time` is set; `points` are those of a list, or of a CSV file with a column a path.
    `measures` are numbers in the words of checks, ``p99(bets) during rush``, or ``cost`` of all services.

    Each point has so many `replications` (those of the file, or 5), and all points meet the same random numbers unless
    they are `independent`. Jobs run on `workers` ``threads`` or ``processes``, on any executor that is given, or on the
    Dask `cluster` at an address; the result depends on none of it. `store` is the file of a store that every
    replication is put into; with `resume`, those that are in it already are not run again. Ctrl-C leaves a sweep marked
    `interrupted`; raises KeyboardInterrupt only where nothing was finished.

    Raises `ScenarioError` with all problems of all points before anything is run. A point that fails while it runs is
    recorded as failed.
    """
    from sysim.study.executors import place
    from sysim.study.swept import Swept

    running.check_known(engine)
    if not 0 < confidence < 1:
        raise ValueError(f"found the confidence {confidence}, expected more than 0 and less than 1")
    facade = load(scenario) if isinstance(scenario, (str, Path)) else scenario
    if not isinstance(facade, Scenario) or facade._loaded is None:
        raise ValueError("a scenario made in code has no paths to vary: loop over model_copy(update=...)")
    first_seed = seed_of(facade, seed)
    count = replications
    if count is None:
        given = "replications" in facade.model.model_fields_set
        count = facade.model.replications if given else FEW_REPLICATIONS
    if count < 1:
        raise ValueError(f"found {count} replications, expected at least 1")

    design = design_of(vary, points, random, lhs, sobol, one_at_a_time, first_seed)
    looked_at = measures_of(facade, measures)
    there = ready(facade, design, first_seed, independent)
    judged = tuple(
        check for check in facade.model.checks if check.of_variant is None and check.applies_to(facade.variant)
    )
    where = place(executor, workers, cluster, build)
    work = Points(there, engine)
    with storing.opened(store, resume) as keeping:
        if keeping is not None:
            begin(keeping, facade, engine, first_seed, count, there)
        found, interrupted = collected(work, where, keeping, looked_at, judged, facade, count, confidence, progress)
        swept = Swept(
            scenario=facade.name,
            digest=facade.digest,
            variant=facade.variant,
            engine=engine,
            design=design,
            measures=looked_at,
            checks=judged,
            points=found,
            seed=first_seed,
            replications=count,
            common=not independent,
            confidence=confidence,
            left_out=tuple(check.text for check in facade.model.checks if check.of_variant is not None),
            interrupted=interrupted,
            warnings=facade.warnings,
        )
        if keeping is not None:
            conclude(keeping, swept)
        return swept
