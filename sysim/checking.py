"""The verbs `check` and `compare`: variants side by side, with verdicts and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from sysim import api, model, running, storing
from sysim.api import Progress, Scenario, facade_of, seed_of
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.analysis.compare import Comparison
    from sysim.analysis.corrections import Correction
    from sysim.plan.plan import Plan
    from sysim.result import Result, Run
    from sysim.store import Keeping
    from sysim.study.study import Study
    from sysim.study.verdicts import Member, Simulate

FEW_REPLICATIONS, MOST_REPLICATIONS = 10, 200


def check(
    scenario: Scenario | model.Scenario | str | Path,
    *,
    variants: Sequence[str] = (),
    seed: int | None = None,
    replications: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    correct: Correction = "holm",
    precision: float | None = None,
    max_replications: int | None = None,
    budget_s: float | None = None,
    progress: Progress | None = None,
    store: Keeping | str | Path | None = None,
    resume: bool = False,
) -> Study:
    """Run every variant of a scenario under the same random numbers, and judge its checks.

    `variants` are all of the file unless given. With `replications`, here or in the file, each variant has so
    many; otherwise the study is sequential: from 10 up to `max_replications` (200), until every verdict is
    decided and, with `precision` (a share), every interval that narrow. `budget_s` ends it after so many
    seconds of wall time, and the result says so. `correct` is ``holm``, so that all verdicts are right
    together with 95 %, or ``none``. Conditions of `abort_when` end a study when one holds in a run. Ctrl-C
    leaves a study marked `interrupted`, with the replications that were finished. `store` is the file of a
    store that the study is put into, replication by replication; with `resume`, those that are in it already
    are not simulated again. Raises `ScenarioError`
    where a variant cannot be read or simulated.
    """
    from sysim.study.check import study
    from sysim.study.sequential import Sampling
    from sysim.study.variants import AS_IT_STANDS, baseline_of, chosen

    running.check_known(engine)
    facade = facade_of(scenario)
    patches = facade.model.variants
    if patches and facade._loaded is None:
        raise ValueError("a scenario made in code has no variants: its patches can only be applied to a file")
    wanted = chosen(patches, variants)
    needed = chosen(patches, [*wanted, *_held_against(facade.model, wanted)]) if wanted else ()
    first_seed = seed_of(facade, seed)
    facades = [facade.as_variant(name) for name in needed] or [facade]
    sequential = precision is not None or max_replications is not None
    count = replications
    if count is not None and sequential:
        raise ValueError("found a number of replications and how to choose one, expected one of the two")
    if count is None and not sequential and "replications" in facade.model.model_fields_set:
        count = facade.model.replications
    if count is None:
        sampling = Sampling.adaptive(max_replications or MOST_REPLICATIONS, precision, budget_s)
    else:
        sampling = Sampling.fixed(count, budget_s)
    if engine == "compiled" or workers > 1:
        running.warm_up(engine)
    plans = {some.variant or AS_IT_STANDS: api.plan_of(some) for some in facades}
    with storing.opened(store, resume) as keeping:
        if keeping is not None:
            asked = [
                storing.question(some, name, plan, first_seed)
                for some, (name, plan) in zip(facades, plans.items(), strict=True)
            ]
            storing.begin(keeping, "check", facade, engine, None if sampling.sequential else count, asked)
        members = [
            _member(some, name, plan, engine, first_seed, some.variant in (*wanted, None), keeping)
            for some, (name, plan) in zip(facades, plans.items(), strict=True)
        ]
        found = study(
            members,
            name=facade.name,
            baseline=baseline_of(patches, needed) or AS_IT_STANDS,
            engine=engine,
            sampling=sampling,
            correction=correct,
            workers=workers,
            progress=progress,
        )
        if keeping is not None:
            keeping.finish(found)
        return found


def compare(
    a: Scenario | model.Scenario | Result | str | Path,
    b: Scenario | model.Scenario | Result | str | Path,
    *,
    seed: int | None = None,
    replications: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> Comparison:
    """Two scenarios, or two results, side by side: what differs in their numbers, and in what they say.

    Scenarios are simulated with the same seed (that of `a` unless given) and so many replications (those of
    `a`, or 10). Runs with the same seed and replication are compared in pairs; other results as independent
    samples.
    """
    from sysim.analysis.compare import Side
    from sysim.analysis.compare import compare as compared
    from sysim.result import Result

    scenarios = [some if isinstance(some, Result) else facade_of(some) for some in (a, b)]
    first = next((some for some in scenarios if isinstance(some, Scenario)), None)
    if first is not None:
        seed = seed_of(first, seed)
        given = "replications" in first.model.model_fields_set
        replications = replications or (first.model.replications if given else FEW_REPLICATIONS)
    sides = []
    for k, some in enumerate(scenarios):
        share = None if progress is None else (lambda x, k=k: progress((k + x) / 2))
        if isinstance(some, Scenario):
            result = api.simulate(
                some, seed=seed, replications=replications, engine=engine, workers=workers, progress=share
            )
            tree: Mapping[str, Any] | None = some.tree
        else:
            result, tree = some, None
        name = result.scenario.name + (f"@{result.variant}" if result.variant else "")
        sides.append(Side(name, result.to_dict()["runs"], tree, result.digest))
    return compared(sides[0], sides[1], confidence)


def _held_against(scenario: model.Scenario, judged: Sequence[str]) -> list[str]:
    """The variants that checks of the judged ones are compared with."""
    return [
        check.of_variant
        for check in scenario.checks
        if check.of_variant is not None and any(check.applies_to(name) for name in judged)
    ]


def _member(
    facade: Scenario, name: str, plan: Plan, engine: Engine, seed: int, judged: bool, keeping: Keeping | None
) -> Member:
    from sysim.study.verdicts import Member

    return Member(
        name=name,
        variant=facade.variant,
        scenario=facade.model,
        digest=facade.digest,
        simulate=_simulation(facade, name, plan, engine, seed, keeping),
        warnings=facade.warnings,
        check_places=facade._loaded.check_places if facade._loaded else (),
        abort_places=facade._loaded.abort_places if facade._loaded else (),
        judged=judged,
        keep=None if keeping is None else partial(keeping.keep, name),
    )


def _simulation(
    facade: Scenario, name: str, plan: Plan, engine: Engine, seed: int, keeping: Keeping | None
) -> Simulate:
    """One replication of a scenario, that can be asked to stop; the stored one where it is to be used again."""
    from sysim.result import summarise
    from sysim.study.check import SERIES
    from sysim.study.replications import ends_with

    run = running.run_of(engine)

    def one(replication: int, stop: Event, progress: Progress | None) -> Run:
        found = None if keeping is None else keeping.recall(name, replication, series=replication < SERIES)
        if found is not None:
            if progress is not None:
                progress(1.0)
            return found

        def note(now: float) -> None:
            if progress is not None:
                progress(min(1.0, now / plan.duration))

        told = ends_with(stop, note)
        record = run(plan, seed=seed, replication=replication, traces=0, progress=told)
        told(plan.duration)
        return summarise(plan, facade.model, record, seed, replication)

    return one
