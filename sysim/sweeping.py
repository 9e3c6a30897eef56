"""The verb `sweep`: a scenario at many points, on any executor, and what becomes of it there."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from sysim import api, model, running, storing
from sysim.api import Progress, Scenario
from sysim.errors import Problem, ScenarioError, SysimError
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.analysis.measures import Measure
    from sysim.plan.plan import Plan
    from sysim.result import Run
    from sysim.result.series import Series
    from sysim.store import Keeping
    from sysim.study.design import Design, Point
    from sysim.study.executors import Kind, Place
    from sysim.study.swept import Found, Swept

FEW_REPLICATIONS = 5
KEPT = 32  # points that are ready to be run
_warming = Lock()


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


@dataclass(frozen=True)
class Ready:
    """A point that was read and found valid."""

    point: Point
    label: str
    seed: int
    digest: str
    scenario: bytes
    plan: str


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
    facade = api.load(scenario) if isinstance(scenario, (str, Path)) else scenario
    if not isinstance(facade, Scenario) or facade._loaded is None:
        raise ValueError("a scenario made in code has no paths to vary: loop over model_copy(update=...)")
    first_seed = facade.model.seed if seed is None else seed
    if not 0 <= first_seed < 2**64:
        raise ValueError(f"found the seed {first_seed}, expected a whole number from 0 to 2**64 - 1")
    count = replications
    if count is None:
        given = "replications" in facade.model.model_fields_set
        count = facade.model.replications if given else FEW_REPLICATIONS
    if count < 1:
        raise ValueError(f"found {count} replications, expected at least 1")

    design = _design(vary, points, random, lhs, sobol, one_at_a_time, first_seed)
    looked_at = measures_of(facade, measures)
    ready = _ready(facade, design, first_seed, independent)
    judged = tuple(
        check for check in facade.model.checks if check.of_variant is None and check.applies_to(facade.variant)
    )
    where = place(executor, workers, cluster, _build)
    work = _Points(ready, engine)
    with storing.opened(store, resume) as keeping:
        if keeping is not None:
            _begin(keeping, facade, engine, first_seed, count, ready)
        found, interrupted = _collected(work, where, keeping, looked_at, judged, facade, count, confidence, progress)
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
            _conclude(keeping, swept)
        return swept


# --- what is asked -------------------------------------------------------------------------------------------------


def _design(
    vary: Mapping[str, Any] | Iterable[str],
    listed: Iterable[Mapping[str, Any]] | str | Path | None,
    random: int | None,
    lhs: int | None,
    sobol: int | None,
    one_at_a_time: bool,
    seed: int,
) -> Design:
    from sysim.study import design
    from sysim.study.factors import factors

    varied = vary if isinstance(vary, Mapping) else list(vary)
    ways = {
        "points": listed is not None, "random": random is not None, "lhs": lhs is not None,
        "sobol": sobol is not None, "one_at_a_time": one_at_a_time,
    }  # fmt: skip
    chosen = [name for name, is_set in ways.items() if is_set]
    if len(chosen) > 1:
        raise SysimError(f"found {' and '.join(chosen)}, expected one way to choose points")
    if listed is not None:
        if varied:
            raise SysimError("found a list of points and paths to vary, expected one of the two")
        if isinstance(listed, (str, Path)):
            from sysim.study.points import read

            listed = read(Path(listed))
        return design.points(listed)
    some = factors(varied)
    if random is not None:
        return design.random(some, random, seed)
    if lhs is not None:
        return design.latin(some, lhs, seed)
    if sobol is not None:
        return design.sobol(some, sobol, seed)
    return design.one_at_a_time(some) if one_at_a_time else design.grid(some)


def measures_of(facade: Scenario, texts: Iterable[str]) -> tuple[Measure, ...]:
    """The numbers to look at; without any texts, what customers get of each load, what it loses, and what all costs.

    Raises `ScenarioError` for texts that cannot be read.
    """
    from sysim import scenario_file
    from sysim.analysis.measures import EVERYTHING, Measure
    from sysim.scenario_file.metrics import SHARES, is_duration

    wanted = list(dict.fromkeys(texts)) or list(_usual(facade.model))
    prices = {service.cost.currency for service in facade.model.services.values() if service.cost is not None}
    values = {name: load.value.currency for name, load in facade.model.load.items() if load.value is not None}
    found = []
    for check in scenario_file.measures(facade._loaded, wanted):
        metric, subject = check.metric, check.subject
        if subject == EVERYTHING and len(prices) != 1:
            what = f"prices in {' and '.join(sorted(prices))}" if prices else "no service with a cost"
            problem = f"found {what}, expected prices in one currency to add up"
            raise ScenarioError([Problem("--measure", 1, 1, "bad-measure", "", problem, source=check.text)])
        if metric == "cost":
            service = facade.model.services.get(subject)
            priced = service.cost if service is not None else None
            currency = priced.currency if priced is not None else next(iter(sorted(prices)), None)
            found.append(Measure(check.text, "money", check, currency))
        elif metric.startswith("value_"):
            found.append(Measure(check.text, "money", check, values.get(subject)))
        elif metric in SHARES or metric == "error_budget":
            found.append(Measure(check.text, "share", check))
        elif metric == "recovers" or is_duration(metric):
            found.append(Measure(check.text, "seconds", check))
        else:
            rate = metric == "goodput" or metric.endswith("_per_s")
            found.append(Measure(check.text, "per_second" if rate else "number", check))
    return tuple(found)


def _usual(scenario: model.Scenario) -> Iterator[str]:
    for name, load in scenario.load.items():
        yield from (f"success({name})", f"p99({name})", f"goodput({name})")
        if load.value is not None:
            yield f"value_lost({name})"
    if len({service.cost.currency for service in scenario.services.values() if service.cost is not None}) == 1:
        yield "cost"


def _ready(facade: Scenario, design: Design, seed: int, independent: bool) -> tuple[Ready, ...]:
    """Every point, read and lowered once; raises `ScenarioError` with what is wrong at any of them."""
    from sysim import scenario_file
    from sysim.plan.fingerprint import fingerprint
    from sysim.study.design import label

    found: list[Ready] = []
    problems: dict[Problem, tuple[Problem, list[Point]]] = {}
    for point in design.points:
        try:
            loaded = scenario_file.with_(facade._loaded, point.values, others=False)
            plan = api.plan_of(replace(facade, model=loaded.scenario))
        except ScenarioError as error:
            for problem in error.problems:
                # A path that leads nowhere is one problem, whatever was to be put there.
                problems.setdefault(replace(problem, source=""), (problem, []))[1].append(point)
            continue
        text = zlib.compress(loaded.scenario.model_dump_json().encode(), 6)
        own = _seed_at(seed, point.number) if independent else seed
        found.append(Ready(point, label(point.values), own, loaded.digest, text, fingerprint(plan)))
    if problems:
        raise ScenarioError([_at_points(problem, some, design) for problem, some in problems.values()])
    return tuple(found)


def _at_points(problem: Problem, some: Sequence[Point], design: Design) -> Problem:
    """A problem with the points that make it."""
    n, of = len(some), len(design.points)
    where = f"at point {some[0].number + 1} of {of}: {design.told(some[0])}" if n < of else f"at all {of} points"
    more = f", and at {n - 1} more" if 1 < n < of else ""
    file = f"--vary {problem.file.removeprefix('--set ')}" if problem.file.startswith("--set ") else problem.file
    return replace(problem, file=file, message=f"{problem.message} ({where}{more})")


def _seed_at(seed: int, point: int) -> int:
    """The seed of a point whose random numbers are its own."""
    return int.from_bytes(hashlib.sha256(f"sweep {seed} {point}".encode()).digest()[:8], "big")


# --- carrying it out -----------------------------------------------------------------------------------------------

Sent = tuple[bytes, "Series"]
"""A run as it comes back from a worker: its bytes, and the axes of its series."""
Answer = tuple["Run | Sent | None", str]
"""A run, or why there is none."""


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


class _Points:
    """The points as models and plans, of which only a few are kept at a time."""

    def __init__(self, ready: Sequence[Ready], engine: Engine) -> None:
        self.ready, self.engine = ready, engine
        self._lock = Lock()
        self._prepared: OrderedDict[int, tuple[model.Scenario, Plan]] = OrderedDict()

    def prepared(self, point: int) -> tuple[model.Scenario, Plan]:
        from sysim.plan.lower import lower

        with self._lock:
            if point not in self._prepared:
                scenario = _model_of(self.ready[point].scenario)
                self._prepared[point] = scenario, lower(scenario)
                while len(self._prepared) > KEPT:
                    self._prepared.popitem(last=False)
            return self._prepared[point]

    def job(self, point: int, replication: int) -> Job:
        one = self.ready[point]
        return Job(point, replication, one.seed, self.engine, one.scenario, one.plan)

    def here(self, job: Job, stop: Event, note: Callable[[Job, float], None]) -> Answer:
        """Run a job on a thread of this process."""
        from sysim.study.replications import Stopped

        def noted(now: float) -> None:
            if stop.is_set():
                raise Stopped
            note(job, min(1.0, now / plan.duration))

        try:
            scenario, plan = self.prepared(job.point)
            return _simulated(scenario, plan, job, noted), ""
        except Stopped:
            raise
        except Exception as error:
            return None, _why(error)


def _collected(
    work: _Points,
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
                found = _recalled(keeping, work, point, replication)
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


# --- the store -----------------------------------------------------------------------------------------------------


def _recalled(keeping: Keeping | None, work: _Points, point: int, replication: int) -> Run | None:
    if keeping is None:
        return None
    return keeping.recall(
        work.ready[point].label, replication, series=False, plan=lambda: work.prepared(point)[1]
    )


def _begin(
    keeping: Keeping, facade: Scenario, engine: Engine, seed: int, count: int, ready: Sequence[Ready]
) -> None:
    from sysim.store import Question

    keeping.begin(
        "sweep", scenario=facade.name, engine=engine, seed=seed, asked=count, sources=facade.sources,
        questions=[
            Question(one.label, one.digest, None, one.seed, _changes(one.point), fingerprint=one.plan) for one in ready
        ],
    )  # fmt: skip


def _changes(point: Point) -> str:
    """What a point changes, as it would stand among the variants of the file."""
    return "".join(f"{path}: {json.dumps(value, ensure_ascii=False)}\n" for path, value in point.values.items())


def _conclude(keeping: Keeping, swept: Swept) -> None:
    from sysim.report.sweep import sweep_dict

    verdicts = [replace(verdict, variant=one.label) for one in swept.points for verdict in one.verdicts]
    keeping.conclude(sweep_dict(swept), verdicts, None, exit_code(swept), swept.interrupted)


def exit_code(swept: Swept) -> int:
    """0: every point was run, 3: some could not be, 130: interrupted."""
    return 130 if swept.interrupted else 3 if swept.failed else 0


def _build() -> str:
    from sysim.store import origin

    return origin.build()
