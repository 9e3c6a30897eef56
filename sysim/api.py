"""The public verbs for one scenario: load it, change it, simulate it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sysim import model, running, storing
from sysim.errors import Problem, ScenarioError, UnsupportedByEngine
from sysim.running import Engine
from sysim.shipped import locate

if TYPE_CHECKING:
    from sysim.plan.plan import Plan
    from sysim.result import Result, Run
    from sysim.store import Keeping

Progress = Callable[[float], None]
Settings = Mapping[str, Any] | Iterable[str | tuple[str, Any]]

__all__ = [
    "Interrupted", "Progress", "Scenario", "facade_of", "from_model", "load", "loads", "plan_of", "seed_of", "simulate",
]  # fmt: skip


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during `simulate`; `result` holds the replications that were finished, None if none was. During a study
    that has no result without its end, `finished` says how many runs there were.
    """

    def __init__(self, result: Result | None, finished: int = 0) -> None:
        super().__init__()
        self.result, self.finished = result, finished


@dataclass(frozen=True)
class Scenario:
    """A scenario that was read: `model` is its meaning, `tree` the resolved file as plain maps and lists.

    ``scenario.with_({"load.web.rate": "500/s"})`` is a changed copy; ``load(path, variant="no_retries")`` one
    of the `variants` that the file defines. `warnings` did not stop it from being read.
    """

    model: model.Scenario
    tree: Mapping[str, Any] = field(repr=False)
    digest: str
    variant: str | None = None
    variants: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = field(default=(), repr=False)
    path: Path | None = None
    _loaded: Any = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.model.name

    def with_(self, changes: Mapping[str, Any]) -> Scenario:
        """A copy with values replaced: path -> plain value, as ``--set`` does; validated anew."""
        from sysim import scenario_file

        if self._loaded is None:
            raise ValueError("a scenario made in code is changed with model_copy(update=...)")
        return _facade(scenario_file.with_(self._loaded, changes), self.path, self.variant)

    def as_variant(self, name: str) -> Scenario:
        """Another of the `variants` of the same file, under the same settings and parameters."""
        return _variant(self, name)

    def to_yaml(self) -> str:
        """The resolved scenario as a file without includes and parameters."""
        from sysim import scenario_file

        if self._loaded is None:
            raise ValueError("a scenario made in code has no file to write")
        return scenario_file.dump(self._loaded)

    @property
    def sources(self) -> dict[str, str]:
        """The texts that the scenario was read from, by file name, the files it includes among them."""
        from sysim import scenario_file

        return {} if self._loaded is None else scenario_file.sources(self._loaded)

    def simulate(self, **options: Any) -> Result:
        """The same as ``sysim.simulate(scenario, ...)``."""
        return simulate(self, **options)

    def _repr_html_(self) -> str:
        from html import escape

        text = escape(self.model.description)
        return f"<div><b>{escape(self.name)}</b> <code>{self.digest[:12]}</code><p>{text}</p></div>"


def load(
    path: str | Path,
    variant: str | None = None,
    set: Settings = (),
    params: Mapping[str, Any] | None = None,
) -> Scenario:
    """The scenario in a file, or the shipped one of that name; raises `ScenarioError` with all its problems.

    `set` replaces values by path (a mapping, or ``"path=value"`` texts), `params` those of the file's own
    `params`.
    """
    from sysim import scenario_file

    place = locate(path)
    loaded = scenario_file.load(place, variant=variant, set=set, params=dict(params or {}))
    return _facade(loaded, place, variant)


def loads(
    text: str,
    variant: str | None = None,
    set: Settings = (),
    params: Mapping[str, Any] | None = None,
) -> Scenario:
    """The scenario written in `text`; as `load` otherwise."""
    from sysim import scenario_file

    loaded = scenario_file.loads(text, variant=variant, set=set, params=dict(params or {}))
    return _facade(loaded, None, variant)


def _facade(loaded: Any, path: Path | None, variant: str | None) -> Scenario:
    if variant is None:
        # A file that gives the unchanged scenario a name among its variants is run under that name.
        variant = next((name for name, patch in loaded.scenario.variants.items() if not patch), None)
    return Scenario(
        model=loaded.scenario,
        tree=loaded.tree,
        digest=loaded.digest,
        variant=variant,
        variants=tuple(loaded.variants),
        warnings=tuple(loaded.warnings),
        path=path,
        _loaded=loaded,
    )


def _variant(facade: Scenario, name: str) -> Scenario:
    from sysim import scenario_file

    if facade._loaded is None:
        raise ValueError("a scenario made in code has no variants: change it with model_copy(update=...)")
    if name == facade.variant and not facade.model.variants.get(name):
        return facade
    return _facade(scenario_file.variant_of(facade._loaded, name), facade.path, name)


def simulate(
    scenario: Scenario | model.Scenario | str | Path,
    seed: int | None = None,
    replications: int | None = None,
    engine: Engine = "compiled",
    variant: str | None = None,
    traces: int = 0,
    progress: Progress | None = None,
    workers: int = 1,
    processes: Iterable[Any] = (),
    operations: Mapping[str, Any] | None = None,
    store: Keeping | str | Path | None = None,
    resume: bool = False,
) -> Result:
    """Run all replications of a scenario and return what they found out.

    `scenario` is what `load` returns, a `sysim.model.Scenario` made in code, a path, or the name of a shipped
    model. `seed` and `replications` are the scenario's own unless given. `engine` is ``compiled`` or
    ``reference``; both give the same result, and neither ever stands in for the other. `traces` requests are
    kept in full detail. `progress` is called with the share that is done. With `workers` the replications run
    on as many threads; the result does not depend on it. `processes` and `operations` are Python generators
    of the user, which only the reference engine can run. Ctrl-C raises `Interrupted`, which keeps the
    replications that were finished. `store` is the file of a store that the run is put into, replication by
    replication; with `resume`, those that are in it already are not simulated again.
    """
    running.check_known(engine)
    extras: dict[str, Any] = {}
    if processes:
        extras["processes"] = processes
    if operations:
        extras["operations"] = operations
    if extras and engine != "reference":
        what = " and ".join(extras)
        raise UnsupportedByEngine(f"the {engine} engine cannot run user {what}; pass engine='reference'")
    facade = facade_of(scenario, variant)
    plan = plan_of(facade)
    count = facade.model.replications if replications is None else replications
    if count < 1:
        raise ValueError(f"found {count} replications, expected at least 1")
    first_seed = seed_of(facade, seed)
    run = running.run_of(engine)
    shares = [0.0] * count
    stop = Event()
    label = facade.variant or ""

    def one(replication: int) -> Run:
        from sysim.result import summarise
        from sysim.study.replications import ends_with

        found = None if keeping is None else keeping.recall(label, replication)
        if found is not None:
            shares[replication] = 1.0
            return found

        def note(now: float) -> None:
            shares[replication] = min(1.0, now / plan.duration)
            if progress is not None:
                progress(sum(shares) / count)

        told = ends_with(stop, note)
        record = run(
            plan,
            seed=first_seed,
            replication=replication,
            traces=traces,
            progress=told if progress or workers > 1 else None,
            **extras,
        )
        told(plan.duration)
        return summarise(plan, facade.model, record, first_seed, replication)

    done: dict[int, Run] = {}

    def keep(replication: int, finished: Run) -> None:
        done[replication] = finished
        if keeping is not None:
            keeping.keep(label, finished)

    with storing.opened(store, resume) as keeping:
        if keeping is not None:
            asked = storing.question(facade, label, plan, first_seed, traces, repeatable=not extras)
            storing.begin(keeping, "run", facade, engine, count, [asked])
        interrupted = False
        try:
            if engine == "compiled" or min(workers, count) > 1:
                running.warm_up(engine)
            if min(workers, count) > 1:
                _on_threads(one, count, min(workers, count), keep)
            else:
                for replication in range(count):
                    keep(replication, one(replication))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop.set()
        if not done:
            raise Interrupted(None)
        result = _result(facade, engine, done, interrupted)
        if keeping is not None:
            keeping.finish(result)
        if interrupted:
            raise Interrupted(result)
        return result


def _on_threads(one: Callable[[int], Run], count: int, workers: int, keep: Callable[[int, Run], None]) -> None:
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sysim")
    try:
        waiting = {pool.submit(one, replication): replication for replication in range(count)}
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                keep(waiting.pop(future), future.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(facade: Scenario, engine: Engine, done: Mapping[int, Run], interrupted: bool) -> Result:
    from sysim.result import Result

    return Result(
        scenario=facade.model,
        digest=facade.digest,
        engine=engine,
        variant=facade.variant,
        runs=tuple(done[replication] for replication in sorted(done)),
        warnings=facade.warnings,
        interrupted=interrupted,
    )


def facade_of(scenario: Scenario | model.Scenario | str | Path, variant: str | None = None) -> Scenario:
    """The scenario that a caller means, or a variant of it."""
    if isinstance(scenario, (str, Path)):
        return load(scenario, variant=variant)
    if isinstance(scenario, model.Scenario):
        if variant is not None:
            raise ValueError("a scenario made in code has no variants: change it with model_copy(update=...)")
        return from_model(scenario)
    if variant is None or variant == scenario.variant:
        return scenario
    return _variant(scenario, variant)


def seed_of(facade: Scenario, seed: int | None) -> int:
    """The seed given, or that of the scenario."""
    found = facade.model.seed if seed is None else seed
    if not 0 <= found < 2**64:
        raise ValueError(f"found the seed {found}, expected a whole number from 0 to 2**64 - 1")
    return found


def from_model(scenario: model.Scenario) -> Scenario:
    """The facade of a scenario made in code; its digest is that of its own JSON form."""
    tree = scenario.model_dump(mode="json")
    digest = hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()
    return Scenario(model=scenario, tree=tree, digest=digest)


def plan_of(scenario: Scenario) -> Plan:
    """The plan of a scenario; raises `ScenarioError` where it cannot be simulated."""
    from sysim.plan.lower import lower

    try:
        return lower(scenario.model)
    except ScenarioError as error:
        file = str(scenario.path or scenario.name)
        raise ScenarioError([replace(p, file=file) if not p.line else p for p in error.problems]) from error
