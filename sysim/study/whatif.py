"""What if somebody did this now? One past, and from an instant on a future for each mitigation, on the same random
numbers.

Every replication runs to the instant once and goes on from there in as many ways as there are mitigations. What is
counted is what arrives from the instant on. A mitigation's worth is a difference to doing nothing, replication by
replication: requests served beyond those served anyway, and money. A load is well again when, from some moment on,
every span of `HOLD` is as good as `recovers` asks of it (`sysim.analysis.recovery`); a run is when all its loads are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock

import numpy as np

from sysim.analysis.corrections import holm
from sysim.analysis.estimates import Estimate, estimate
from sysim.analysis.recovery import HOLD, NS, by_bucket, first_recovered
from sysim.analysis.statistics import mean
from sysim.analysis.thresholds import Bracket, median
from sysim.errors import SysimError
from sysim.model import Scenario
from sysim.model.scenario import Window, default_bucket
from sysim.plan.tables import T_LOAD
from sysim.result.run import Run
from sysim.study.mitigations import KINDS, Mitigation, Scene, applied, mitigations, scalable
from sysim.study.moment import LOOK, WELL, Moment, Terms, mean_of, moment, together, usual
from sysim.study.replications import in_order
from sysim.study.trials import Progress, Simulation

Futures = Callable[[Sequence[Scenario], int], Callable[[int, Event], Iterator[Run]]]
"""Takes scenarios with the same past until an instant (ns); gives what runs one replication of each of them."""

LONGEST_HOLD = 600 * NS
PROBES = 3  # replications that are asked what hurts


@dataclass(frozen=True)
class Seen:
    """What is kept of a run: requests from the instant on by load, money earned with them by currency, and when it was
    well again (s after the instant; infinity: not within the run; None where it cannot be judged).
    """

    offered: Mapping[str, int]
    good: Mapping[str, int]
    earned: Mapping[str, float]
    well_after_s: float | None

    @property
    def served(self) -> float:
        """Requests served."""
        return float(sum(self.good.values()))


@dataclass(frozen=True)
class Effect:
    """What one mitigation did. `saved` customers and `earned` money, by currency, are those beyond doing nothing, with
    intervals corrected for the number of mitigations; None for doing nothing. `verdict` is of `saved`.

    `served` is a share, by load in `served_by`. It was well again in `recovered` of the `judged` runs, after the median
    `after_s`, which lies in `after_interval` (infinity: not within the run).
    """

    mitigation: Mitigation
    rank: int
    tied: bool
    served: float | None
    served_by: Mapping[str, float | None]
    saved: Estimate | None
    earned: Mapping[str, Estimate]
    verdict: str
    recovered: int
    judged: int
    after_s: float | None
    after_interval: Bracket | None
    seen: tuple[Seen, ...]

    @property
    def recovers(self) -> bool:
        """Whether the system is well again in most runs."""
        return 2 * self.recovered > self.judged

    @property
    def name(self) -> str:
        """What is done."""
        return self.mitigation.name


@dataclass(frozen=True)
class WhatIf:
    """The result: `effects` from the best on, doing nothing among them; effects with the same `rank` cannot be told
    apart. `comparisons` is how many pairs the ties allow for.
    """

    scenario: str
    start: str | None
    zone: str | None
    terms: Terms
    moment: Moment
    effects: tuple[Effect, ...]
    bucket_s: float
    confidence: float
    seed: int
    replications: int
    interrupted: bool

    @property
    def nothing(self) -> Effect:
        """Doing nothing."""
        return next(effect for effect in self.effects if effect.mitigation.kind == "nothing")

    @property
    def best(self) -> tuple[Effect, ...]:
        """What is best, and all that cannot be told from it."""
        return tuple(effect for effect in self.effects if effect.rank == 1)

    @property
    def comparisons(self) -> int:
        """How many pairs of mitigations there are."""
        return math.comb(len(self.effects), 2)


def what_if(
    scenario: Scenario,
    simulation: Simulation,
    futures: Futures,
    *,
    at: int,
    seed: int,
    delay: int = 0,
    lasts: int | None = None,
    watch: int | None = None,
    kinds: Sequence[str] = (),
    replications: int = 10,
    confidence: float = 0.95,
    workers: int = 1,
    progress: Progress | None = None,
) -> WhatIf:
    """Rank the mitigations of the `kinds` at the instant `at` (ns).

    They are carried out after `delay`, held for `lasts` (None: half of what is left, at most ten minutes), and
    watched for `watch` after the instant (None: to the end of the run).
    """
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"found the kind of mitigation {kind!r}, expected one of {', '.join(KINDS)}")
    terms = _terms(scenario, at, delay, lasts, watch)
    base = _measured(scenario, terms)
    scene = _scene(base, terms, simulation, min(PROBES, replications))
    found = mitigations(scene, kinds)
    run = futures([applied(base, mitigation, terms.act) for mitigation in found], terms.act)
    moments: list[Moment] = []
    seen: list[tuple[Seen, ...]] = []
    lock, done = Lock(), 0

    def one(replication: int, stop: Event) -> tuple[Moment, tuple[Seen, ...]]:
        nonlocal done
        now, kept = None, []
        for future in run(replication, stop):
            now = now or moment(future, base, terms)
            kept.append(look(future, terms))
            with lock:
                done += 1
                if progress is not None:
                    progress(done / (len(found) * replications))
        assert now is not None
        return now, tuple(kept)

    interrupted = False
    try:
        for _, (now, kept) in in_order(range(replications), one, workers):
            moments.append(now)
            seen.append(kept)
    except KeyboardInterrupt:
        if not seen:
            raise
        interrupted = True
    return WhatIf(
        scenario=scenario.name, start=scenario.time.start, zone=scenario.time.zone, terms=terms,
        moment=together(moments),
        effects=_ranked(found, list(zip(*seen, strict=True)), confidence), bucket_s=base.time.bucket / NS,
        confidence=confidence, seed=seed, replications=len(seen), interrupted=interrupted,
    )  # fmt: skip


# --- the instant ------------------------------------------------------------------------------------------


def _terms(scenario: Scenario, at: int, delay: int, lasts: int | None, watch: int | None) -> Terms:
    time = scenario.time
    end = time.duration if watch is None else at + watch
    if at >= time.duration:
        raise SysimError(f"found the instant {_s(at)} after the start, expected one in the run of {_s(time.duration)}")
    if at <= time.warmup:
        what = "within the warm-up" if time.warmup else "at the start of the run"
        raise SysimError(f"found an instant {what}, expected one after {_s(time.warmup)}: nothing is known before")
    least = max(HOLD, time.bucket)
    if end - at - delay < 2 * least:
        raise SysimError(
            f"found {_s(max(0, end - at - delay))} left to watch, expected at least {_s(2 * least)}: a system is well "
            "when it has been for a while; watch for longer, or choose an earlier instant"
        )
    if lasts == 0:
        raise SysimError("found a hold of 0s, expected how long a shed and the like lasts")
    act = at + delay
    hold = min((end - act) // 2, LONGEST_HOLD) if lasts is None else lasts
    return Terms(at, act, min(act + hold, end), end)


def _s(ns: int) -> str:
    from sysim.units import format_duration

    return format_duration(ns)


def _measured(scenario: Scenario, terms: Terms) -> Scenario:
    """The scenario with the windows of this study, without checks; what happens in it until its end is the same."""
    time = scenario.time
    bucket = min(time.bucket, default_bucket(terms.end))
    windows = {
        "what_if_now": Window(start=max(time.warmup, terms.at - LOOK), end=terms.at),
        "what_if_after": Window(start=terms.at, end=terms.end),
    }
    actions = (*scenario.actions, *scalable(scenario, terms.end))
    changes = {"windows": windows, "checks": (), "abort_when": (), "actions": actions,
               "time": time.model_copy(update={"duration": terms.end, "bucket": bucket})}  # fmt: skip
    return scenario.model_copy(update=changes)


def _scene(base: Scenario, terms: Terms, simulation: Simulation, probes: int) -> Scene:
    """What hurts, from a few runs that end at the instant."""
    windows = {"what_if_now": base.windows["what_if_now"]}
    time = base.time.model_copy(update={"duration": terms.at, "drain": 0})
    run = simulation(base.model_copy(update={"windows": windows, "time": time}))
    now = together([moment(run(replication, Event()), base, terms) for replication in range(probes)])
    full = tuple(row.service for row in now.services if row.full)
    return Scene(base, terms.act, terms.until, now.faults, tuple(row.service for row in now.services), full)


# --- what becomes of it -----------------------------------------------------------------------------------


def look(run: Run, terms: Terms) -> Seen:
    """What is kept of a run."""
    loads = run.windows["what_if_after"].loads
    earned: dict[str, float] = {}
    for stats in loads.values():
        if stats.currency is not None:
            earned[stats.currency] = earned.get(stats.currency, 0.0) + (stats.value_earned or 0.0)
    return Seen(
        offered={name: stats.offered for name, stats in loads.items()},
        good={name: stats.ok + stats.degraded for name, stats in loads.items()},
        earned=earned,
        well_after_s=_well_after(run, terms),
    )


def _well_after(run: Run, terms: Terms) -> float | None:
    """When all loads that anybody asks for are well again."""
    plan, latest = run.plan, 0.0
    judged = False
    for load, name in enumerate(plan.names.loads[: plan.n_loads]):
        if not run.windows["what_if_after"].loads[name].offered:
            continue
        streams = [stream for stream in range(plan.n_streams) if int(plan.streams[stream, T_LOAD]) == load]
        before = usual(run, streams, terms)
        if before is None:
            continue
        judged = True
        good, offered = by_bucket(plan, run.load_cells, streams)
        edges = np.arange(plan.n_buckets, dtype=np.int64) * plan.bucket_ns
        at = first_recovered(edges, good, offered, WELL * before, terms.at, HOLD, plan.bucket_ns)
        latest = max(latest, math.inf if at is None else (at - terms.at) / NS)
    return latest if judged else None


def _ranked(found: Sequence[Mitigation], seen: Sequence[tuple[Seen, ...]], confidence: float) -> tuple[Effect, ...]:
    """The effects, the best first: those that recover before those that do not, then by customers saved."""
    calm = seen[0]
    saved = _corrected([_beyond([s.served for s in runs], calm, lambda s: s.served) for runs in seen[1:]], confidence)
    currencies = sorted({name for one in calm for name in one.earned})
    money = {
        name: _corrected(
            [_beyond([s.earned[name] for s in runs], calm, lambda s, name=name: s.earned[name])  # type: ignore[misc]
             for runs in seen[1:]], confidence,
        )
        for name in currencies
    }  # fmt: skip
    effects = [_effect(mitigation, runs) for mitigation, runs in zip(found, seen, strict=True)]
    effects[1:] = [
        replace(effect, saved=estimate, verdict=_verdict(estimate),
                earned={name: money[name][k] for name in currencies})
        for k, (effect, estimate) in enumerate(zip(effects[1:], saved, strict=True))
    ]  # fmt: skip
    order = sorted(
        range(len(effects)),
        key=lambda k: (not effects[k].recovers, -mean([s.served for s in seen[k]]), effects[k].after_s or 0.0, k),
    )
    # Which pairs are looked at is chosen by what was found, so all that there are have to be allowed for.
    pairs = math.comb(len(order), 2)
    heads: list[int] = []
    ranks: dict[int, int] = {}
    for place, k in enumerate(order):
        head = heads[-1] if heads else None
        if head is None or effects[head].recovers != effects[k].recovers or _differ(
            seen[head], seen[k], confidence, pairs
        ):  # fmt: skip
            heads.append(k)
            ranks[k] = place + 1
        else:
            ranks[k] = ranks[head]
    tied = Counter(ranks.values())
    return tuple(replace(effects[k], rank=ranks[k], tied=tied[ranks[k]] > 1) for k in order)


def _beyond(values: Sequence[float], calm: Sequence[Seen], what: Callable[[Seen], float]) -> list[float]:
    return [value - what(one) for value, one in zip(values, calm, strict=True)]


def _corrected(differences: Sequence[Sequence[float]], confidence: float) -> list[Estimate]:
    """Estimates with intervals that hold together: each at the share of the error that Holm's method gives it."""
    plain = [_estimate(row, confidence) for row in differences]
    tested = [k for k, one in enumerate(plain) if one.p is not None]
    shares = holm([plain[k].p or 0.0 for k in tested], [1 - confidence] * len(tested))
    for k, share in zip(tested, shares, strict=True):
        plain[k] = _estimate(differences[k], 1 - (1 - confidence) * share)
    return plain


def _estimate(row: Sequence[float], confidence: float) -> Estimate:
    found = estimate(row, confidence)
    assert found is not None
    return found


def _differ(one: Sequence[Seen], two: Sequence[Seen], confidence: float, pairs: int) -> bool:
    """Whether two mitigations can be told apart, of so many pairs (Bonferroni); one run each tells what it tells."""
    difference = [a.served - b.served for a, b in zip(one, two, strict=True)]
    found = _estimate(difference, 1 - (1 - confidence) / max(1, pairs))
    return found.mean != 0 if found.half_width is None else found.differs


def _verdict(saved: Estimate) -> str:
    if saved.half_width is None:
        return "untested"
    if not saved.differs:
        return "no difference"
    return "better" if saved.mean > 0 else "worse"


def _effect(mitigation: Mitigation, runs: Sequence[Seen]) -> Effect:
    times = [s.well_after_s for s in runs if s.well_after_s is not None]
    found = median([(x, x) for x in times]) if times else None
    by_load = {
        load: mean_of([s.good[load] / s.offered[load] if s.offered[load] else None for s in runs])
        for load in runs[0].offered
    }
    offered = [sum(s.offered.values()) for s in runs]
    return Effect(
        mitigation=mitigation, rank=0, tied=False,
        served=mean_of([s.served / total if total else None for s, total in zip(runs, offered, strict=True)]),
        served_by=by_load, saved=None, earned={}, verdict="nothing",
        recovered=sum(x < math.inf for x in times), judged=len(times),
        after_s=sum(found.bracket) / 2 if found else None, after_interval=found.interval if found else None,
        seen=tuple(runs),
    )  # fmt: skip
