"""The fault sweep: every single fault and the pairs most likely to matter, each injected into the same future.

A fault's impact is what fails, and what is lost in money, beyond the same replication without any fault: both meet
the same customers at the same instants. The scenario's own faults are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sysim.analysis.stability import State, worst
from sysim.analysis.statistics import half_width, mean
from sysim.errors import SysimError
from sysim.model import Scenario
from sysim.model.scenario import Window
from sysim.result.run import Run
from sysim.study.faultlist import KINDS, Single, Terms, pairs, singles
from sysim.study.trials import Progress, Simulation, Trials
from sysim.study.weakness import Weakness, weaknesses

Verdict = Literal["survives", "recovers", "unclear", "stays down"]
VERDICTS: tuple[Verdict, ...] = ("survives", "recovers", "unclear", "stays down")
"""Every span of 10 s holds 95 % of the usual success; hurt, and well again by itself; too short to tell; neither."""
NS = 1_000_000_000
BUCKET = NS


@dataclass(frozen=True)
class Seen:
    """What a sweep keeps of a run, by load; `during` is the share that failed of those that arrived while the fault
    lasted, `lost` is by currency.
    """

    offered: Mapping[str, int]
    failed: Mapping[str, int]
    during: Mapping[str, float]
    lost: Mapping[str, float]
    states: Mapping[str, State]
    recovered_after_s: float | None


@dataclass(frozen=True)
class Impact:
    """What one fault, or two at once, did: means over the replications of differences to the undisturbed run.

    `failed` requests and `lost` money by currency are those beyond it, `during` the share by load that failed
    while the fault lasted, beyond it. `recovered_after_s` is the longest time to recover of any replication and
    load, counted from the end of the fault; None where one did not.
    """

    faults: tuple[Single, ...]
    failed: float
    half_width: float | None
    lost: Mapping[str, float]
    during: Mapping[str, float]
    states: Mapping[State, int]
    recovered_after_s: float | None

    @property
    def name(self) -> str:
        """The faults in words."""
        return " and ".join(single.name for single in self.faults)

    @property
    def verdict(self) -> Verdict:
        """Whether the design survives it: the worst of the replications."""
        state = worst(self.states)
        if state in ("healthy", "degraded"):
            return "survives"
        if state == "recovered":
            return "recovers"
        return "unclear" if state == "inconclusive" else "stays down"


@dataclass(frozen=True)
class Sweep:
    """The result: impacts of single faults and of pairs, the worst first; `weak` points, the worst first.

    `possible_pairs` is how many pairs there are, `planned` how many impacts there would be without Ctrl-C.
    """

    scenario: str
    terms: Terms
    singles: tuple[Impact, ...]
    pairs: tuple[Impact, ...]
    weak: tuple[Weakness, ...]
    possible_pairs: int
    planned: int
    baseline_success: float | None
    offered: float
    seed: int
    replications: int
    interrupted: bool

    def all(self) -> tuple[Impact, ...]:
        """Single faults and pairs together, the worst first."""
        return tuple(sorted((*self.singles, *self.pairs), key=_rank))


def sweep(
    scenario: Scenario,
    simulation: Simulation,
    *,
    seed: int,
    terms: Terms,
    most_pairs: int | None = 10,
    kinds: tuple[str, ...] = KINDS,
    on: Sequence[str] = (),
    replications: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Inject every fault of the `kinds` at the places `on` (all unless given), then `most_pairs` pairs (None: all).

    Pairs come in the order in which they may teach something: first those of two faults that the design survives
    one by one; among them those at the two places whose worst single faults do most harm.
    """
    found = _wanted(scenario, singles(scenario, terms, kinds), on)
    base = undisturbed(scenario, terms)
    possible = pairs(found)
    few = len(possible) if most_pairs is None else min(most_pairs, len(possible))
    planned = 1 + len(found) + few

    trials: Trials[tuple[Single, ...], Seen] = Trials(
        lambda faults: base.model_copy(update={"faults": tuple(single.fault for single in faults)}),
        simulation, look, workers,
    )  # fmt: skip
    seen: dict[tuple[Single, ...], list[Seen]] = {}

    def ask(keys: Sequence[tuple[Single, ...]]) -> None:
        for (key, _), what in trials([(key, k) for key in keys for k in range(replications)]):
            seen.setdefault(key, []).append(what)
            if progress is not None:
                progress(min(1.0, sum(map(len, seen.values())) / (planned * replications)))

    interrupted = False
    try:
        ask([()])
        if not any(sum(what.offered.values()) for what in seen[()]):
            raise SysimError("no request arrives before the fault: let the system settle until there is load")
        if any(state == "unstable" for what in seen[()] for state in what.states.values()):
            raise SysimError("the system is unstable without any fault: give it less load or more capacity first")
        ask([(single,) for single in found])
        ask([(a, b) for a, b in _promising(possible, _impacts(seen, replications))[:few]])
    except KeyboardInterrupt:
        if not any(len(key) and len(what) == replications for key, what in seen.items()):
            raise
        interrupted = True
    impacts = _impacts(seen, replications)
    alone = [impact for key, impact in impacts.items() if len(key) == 1]
    calm = seen[()]
    offered = mean([float(sum(what.offered.values())) for what in calm])
    failed = mean([float(sum(what.failed.values())) for what in calm])
    return Sweep(
        scenario=scenario.name,
        terms=terms,
        singles=tuple(sorted(alone, key=_rank)),
        pairs=tuple(sorted((impact for key, impact in impacts.items() if len(key) == 2), key=_rank)),
        weak=weaknesses(scenario, [(impact.faults[0], impact.failed, impact.during) for impact in alone]),
        possible_pairs=len(possible),
        planned=planned - 1,
        baseline_success=1 - failed / offered if offered else None,
        offered=offered,
        seed=seed,
        replications=replications,
        interrupted=interrupted,
    )


def undisturbed(scenario: Scenario, terms: Terms) -> Scenario:
    """The scenario on the timeline of a sweep, without its own faults, windows and checks."""
    if terms.settle < 4 * BUCKET or terms.lasts < BUCKET or terms.watched < BUCKET:
        raise SysimError("expected at least 4 s to settle, 1 s of fault and 1 s to watch")
    time = scenario.time.model_copy(
        update={
            "duration": terms.duration,
            "warmup": min(scenario.time.warmup, terms.settle // 2 // BUCKET * BUCKET),
            "bucket": BUCKET,
        }
    )
    during = Window(start=terms.settle, end=terms.settle + terms.lasts)
    changes = {"time": time, "faults": (), "windows": {"fault": during}, "checks": ()}
    return scenario.model_copy(update=changes)


def look(run: Run) -> Seen:
    """What a sweep keeps of a run."""
    loads, during = run.windows["all"].loads, run.windows["fault"].loads
    lost: dict[str, float] = {}
    for stats in loads.values():
        if stats.currency is not None:
            lost[stats.currency] = lost.get(stats.currency, 0.0) + (stats.value_lost or 0.0)
    times = [found.recovered_after_s for found in run.recovery.values()]
    return Seen(
        offered={name: stats.offered for name, stats in loads.items()},
        failed={name: stats.offered - stats.ok - stats.degraded for name, stats in loads.items()},
        during={
            name: 1 - (stats.ok + stats.degraded) / stats.offered if stats.offered else 0.0
            for name, stats in during.items()
        },
        lost=lost,
        states=dict(run.states),
        recovered_after_s=None if None in times else max((x for x in times if x is not None), default=None),
    )


def _wanted(scenario: Scenario, found: tuple[Single, ...], on: Sequence[str]) -> tuple[Single, ...]:
    places = {single.place for single in found}
    for name in on:
        if name not in places:
            raise SysimError(f"found {name!r}, expected one of {', '.join(sorted(places))}")
    some = tuple(single for single in found if not on or single.place in on)
    if not some:
        raise SysimError("found no fault to inject: no service is called")
    return some


def _impacts(
    seen: Mapping[tuple[Single, ...], list[Seen]], replications: int
) -> dict[tuple[Single, ...], Impact]:
    """The impact of all faults whose replications are complete."""
    calm = seen.get((), [])
    return {
        key: _impact(key, what, calm) for key, what in seen.items() if key and len(what) == replications
    }


def _impact(faults: tuple[Single, ...], struck: list[Seen], calm: list[Seen]) -> Impact:
    both = list(zip(struck, calm, strict=True))
    failed = [float(sum(a.failed.values()) - sum(b.failed.values())) for a, b in both]
    times = [what.recovered_after_s for what in struck]
    return Impact(
        faults=faults,
        failed=mean(failed),
        half_width=half_width(failed),
        lost={name: mean([a.lost[name] - b.lost[name] for a, b in both]) for name in struck[0].lost},
        during={name: mean([a.during[name] - b.during[name] for a, b in both]) for name in struck[0].during},
        states=dict(Counter(worst(what.states.values()) for what in struck)),
        recovered_after_s=None if None in times else max(x for x in times if x is not None),
    )


def _rank(impact: Impact) -> tuple[float, float, str]:
    return -impact.failed, -sum(impact.lost.values()), impact.name


def _promising(
    possible: list[tuple[Single, Single]], impacts: Mapping[tuple[Single, ...], Impact]
) -> list[tuple[Single, Single]]:
    worst_of: dict[str, float] = {}
    for (single, *_), impact in impacts.items():
        worst_of[single.place] = max(worst_of.get(single.place, 0.0), impact.failed)

    def rank(pair: tuple[Single, Single]) -> tuple[bool, float, float, str, str]:
        a, b = (impacts[single,] for single in pair)
        survived = a.verdict == b.verdict == "survives"
        places = sum(worst_of[single.place] for single in pair)
        return not survived, -places, -(a.failed + b.failed), pair[0].name, pair[1].name

    return sorted(possible, key=rank)
