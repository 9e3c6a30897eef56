"""What happened, in plain English: what broke, in which order, what customers saw, what it cost, and whether
it ended.

Written for someone who has not seen the scenario. Numbers come from the first replication, which the text
says when there are others; a single run is called one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.levers import because, decides, pulls
from sysim.analysis.recovery import NS, Occurrence, Recovery
from sysim.analysis.scaling import sentences
from sysim.analysis.why import why
from sysim.analysis.words import Clock, amount, count, listed, percent, recovered, span
from sysim.plan.tables import OUTCOMES

if TYPE_CHECKING:
    from sysim.result.result import Result
    from sysim.result.run import Run, Transition
    from sysim.result.series import Column
    from sysim.result.stats import LoadStats

Mask = NDArray[np.bool_]
SUCCESSES = OUTCOMES[:2]
MANY = 4  # events of one kind that are told one by one


@dataclass(frozen=True)
class Phases:
    """The buckets before the first fault, from its begin to the end of the last, and after; a mask each."""

    before: Mask
    during: Mask
    after: Mask
    end_s: float | None


def account(result: Result) -> str:
    """What happened and what customers saw, why, and how it ended: up to three paragraphs, a blank line between.

    One sentence a fact; facts that did not occur are not mentioned.
    """
    run = result.run
    phases = _phases(run)
    clock = Clock(result.scenario.time.start, run.plan.duration / NS, result.scenario.time.zone)
    paragraphs = [
        [*_order(result, run, clock), *_customers(run, phases)],
        why(run, clock),
        [*_money(run), *_outcome(result, run, phases), _caveat(result)],
    ]
    if not paragraphs[1]:
        paragraphs = [[*paragraphs[0], *paragraphs[2]]]
    return "\n\n".join(" ".join(sentence for sentence in some if sentence) for some in paragraphs)


def _phases(run: Run) -> Phases:
    start, stop = run.series.t, run.series.t + run.series.width
    measured = start >= run.plan.warmup / NS - 1e-9
    faults = [fault for fault in run.faults if fault.begin < run.plan.duration]
    if not faults:
        nothing = np.zeros(len(start), dtype=np.bool_)
        return Phases(measured, nothing, nothing, None)
    begin = min(fault.begin for fault in faults) / NS
    ends = [fault.end for fault in faults]
    known = [end for end in ends if end is not None]
    end = run.plan.duration / NS if len(known) < len(ends) else min(max(known), run.plan.duration) / NS
    before = measured & (stop <= begin + 1e-9)
    after = start >= end - 1e-9
    return Phases(before, measured & ~before & ~after, after, end)


# --- in which order ---------------------------------------------------------------------------------------


def _order(result: Result, run: Run, clock: Clock) -> list[str]:
    told: list[tuple[float, str]] = []
    told += _told_faults(run)
    told += _told_actions(result, run)
    told += sentences(run)
    rolled = [t for t in run.transitions if t.kind == "deploy"]
    told += [(t.at_s, f"all replicas of {t.subject} are of the version that they shall have") for t in rolled]
    breakers = [t for t in run.transitions if t.kind == "breaker" and t.what == "open"]
    told += _told_breakers(breakers)
    struck = {fault.begin / NS for fault in run.faults if fault.kind == "crash"}
    levers = [action.lever.kind for action in result.scenario.actions]
    struck |= {p.at_s for p in run.actions if p.at_s is not None and levers[p.number] == "restart"}
    crashed = [
        t for t in run.transitions if t.kind == "replica" and t.what == "down" and t.at_s not in struck
    ]
    told += _told_crashes(crashed)
    for service, stats in run.windows["all"].services.items():
        full = stats.queue_full
        if full:
            more = f" and turns away {count(full.count)} requests until {clock(full.last_s)}"
            told.append((full.first_s, f"the queue of {service} is full{more if full.count > 1 else ''}"))
    told.sort(key=lambda item: item[0])
    return [f"At {clock(at)} {text}." for at, text in told]


def _told_faults(run: Run) -> list[tuple[float, str]]:
    groups: dict[int, list[Occurrence]] = {}
    for fault in run.faults:
        groups.setdefault(fault.number, []).append(fault)
    told = []
    for faults in groups.values():
        first = faults[0]
        if first.end is None:
            how_long = "and does not end within the run"
        elif first.end == first.begin:
            how_long = "for an instant"
        else:
            how_long = f"for {span((first.end - first.begin) / NS)}"
        again = len({fault.begin for fault in faults}) - 1
        more = f", and {count(again)} times more later" if again > 0 else ""
        what = f"{first.kind}{_taken_down(run, first)}"
        told.append((first.begin / NS, f"the fault {first.label} ({what}) strikes {how_long}{more}"))
    return told


def _told_actions(result: Result, run: Run) -> list[tuple[float, str]]:
    told = []
    for pulled in run.actions:
        action = result.scenario.actions[pulled.number]
        if pulled.decided_s is not None:
            told.append((pulled.decided_s, f"an operator {decides(action)}{because(action)}"))
        if pulled.at_s is not None:
            why = because(action) if pulled.decided_s is None else ""
            told.append((pulled.at_s, f"an operator {pulls(action)}{why}"))
    return told


def _taken_down(run: Run, fault: Occurrence) -> str:
    at = fault.begin / NS
    replicas = [
        t.subject for t in run.transitions if t.kind == "replica" and t.what == "down" and t.at_s == at
    ]
    if fault.kind != "crash" or not replicas:
        return ""
    return f" of {listed(replicas)}" if len(replicas) <= 3 else f" of {len(replicas)} replicas"


def _told_breakers(opened: list[Transition]) -> list[tuple[float, str]]:
    first: dict[str, float] = {}
    for transition in opened:
        first.setdefault(transition.subject, transition.at_s)
    times = Counter(transition.subject for transition in opened)
    told = []
    for label, at in list(first.items())[:MANY]:
        more = f" ({count(times[label])} openings in all)" if times[label] > 1 else ""
        told.append((at, f"a circuit breaker of {label} opens{more}"))
    if len(first) > MANY:
        at = list(first.values())[MANY]
        told.append((at, f"breakers of {len(first) - MANY} further calls begin to open"))
    return told


def _told_crashes(crashed: list[Transition]) -> list[tuple[float, str]]:
    by_instant: dict[float, list[str]] = {}
    for transition in crashed:
        by_instant.setdefault(transition.at_s, []).append(transition.subject)
    told = []
    for at, replicas in list(by_instant.items())[:MANY]:
        some = (
            listed(replicas[:3])
            if len(replicas) <= 3
            else f"{len(replicas)} replicas, {replicas[0]} among them,"
        )
        told.append((at, f"{some} {'crashes' if len(replicas) == 1 else 'crash'}"))
    return told


# --- what customers saw -----------------------------------------------------------------------------------


def _customers(run: Run, phases: Phases) -> list[str]:
    sentences = []
    for load, columns in run.series.loads.items():
        offered = columns["offered"]
        good = columns[SUCCESSES[0]] + columns[SUCCESSES[1]]

        def failed(mask: Mask, good: Column = good, offered: Column = offered) -> float | None:
            total = float(offered[mask].sum())
            return 1.0 - float(good[mask].sum()) / total if total else None

        stats = run.windows["all"].loads[load]
        if not stats.offered:
            sentences.append(f"No request of {load} arrived.")
            continue
        if stats.success == 1.0:
            sentences.append(f"No request of {load} failed{_latency(stats)}.")
            continue
        told = (
            (failed(phases.before), "before the fault"),
            (failed(phases.during), "while it lasted"),
            (failed(phases.after), "afterwards"),
        )
        known = [(share, when) for share, when in told if share is not None]
        parts = [
            f"{percent(share)} {'' if number else 'failed '}{when}"
            for number, (share, when) in enumerate(known)
        ]
        overall = 1.0 - (stats.success or 0.0)
        if phases.end_s is None or len(parts) == 1:
            text = f"Of the {count(stats.offered)} requests of {load}, {percent(overall)} failed"
        else:
            text = f"Of the requests of {load} {listed(parts)}"
        text += _main_reasons(stats.outcomes, stats.offered)
        text += _latency(stats)
        sentences.append(text + "." + _journeys(load, stats))
    return sentences


def _journeys(load: str, stats: LoadStats) -> str:
    """How many journeys broke off, and at which call most of them."""
    found = stats.journeys
    if found is None or not found.broken_off:
        return ""
    failed = {name: part.offered - part.ok - part.degraded for name, part in stats.operations.items()}
    worst = max(failed, key=lambda name: (failed[name], name), default="")
    where = f", most of them at {worst}" if worst and failed[worst] * 2 > sum(failed.values()) else ""
    return f" Of {count(found.begun)} journeys of {load} {count(found.broken_off)} broke off{where}."


def _latency(stats: LoadStats) -> str:
    if stats.latency.p50 is None:
        return ""
    return f"; the median success took {span(stats.latency.p50)}, p99 {span(stats.latency.p99)}"


def _main_reasons(outcomes: object, offered: int) -> str:
    assert hasattr(outcomes, "items")
    failed = sorted(
        ((number, name) for name, number in outcomes.items() if name not in SUCCESSES and number),
        reverse=True,
    )
    if not failed:
        return ""
    return f" (mostly by {failed[0][1]})" if len(failed) > 1 else f" (all by {failed[0][1]})"


def _money(run: Run) -> list[str]:
    lost: dict[str, float] = {}
    for stats in run.windows["all"].loads.values():
        if stats.value_lost is not None and stats.currency is not None:
            lost[stats.currency] = lost.get(stats.currency, 0.0) + stats.value_lost
    lost = {currency: total for currency, total in lost.items() if total > 0}
    if not lost:
        return []
    return [f"Failures cost {listed([amount(total, currency) for currency, total in lost.items()])}."]


# --- did it end -------------------------------------------------------------------------------------------


def _outcome(result: Result, run: Run, phases: Phases) -> list[str]:
    if phases.end_s is None:
        return []
    faults = [fault for fault in run.faults if fault.begin < run.plan.duration]
    last = max(faults, key=lambda fault: fault.begin)
    length = span(((last.end if last.end is not None else run.plan.duration) - last.begin) / NS)
    sentences = []
    back: dict[str, list[str]] = {}
    for load, found in run.recovery.items():
        if found.recovered_after_s is not None:
            if not _suffered(run, phases, load):
                continue
            when = recovered(found.recovered_after_s, run.series.bucket_s).removeprefix("after ")
            back.setdefault(f"{when} after the fault ended{_agreeing(result, load)}", []).append(load)
        elif found.after_s is not None and found.judged:
            sentences += _still_down(result, run, phases, load, found, f"the {length} {last.label}")
    told = [
        f"{listed(loads)} {'is' if len(loads) == 1 else 'are'} back to normal {when}."
        for when, loads in back.items()
    ]
    return told + sentences


def _suffered(run: Run, phases: Phases, load: str) -> bool:
    """Whether a load did noticeably worse from the first fault on than before it."""
    columns = run.series.loads[load]
    good, offered = columns["ok"] + columns["degraded"], columns["offered"]
    since = phases.during | phases.after
    before, later = float(offered[phases.before].sum()), float(offered[since].sum())
    if not before or not later:
        return bool(later)
    return float(good[since].sum()) / later < 0.995 * float(good[phases.before].sum()) / before


def _still_down(
    result: Result, run: Run, phases: Phases, load: str, found: Recovery, fault: str
) -> list[str]:
    columns = run.series.loads[load]
    tail = phases.after & (run.series.t >= run.plan.duration / NS - max(10 * run.series.bucket_s, 10.0))
    tail = tail if tail.any() else phases.after
    good = float((columns["ok"] + columns["degraded"])[tail].sum())
    offered = float(columns["offered"][tail].sum())
    state = (
        "zero" if good == 0 else f"only {percent(good / offered) if offered else 'a part'} of what is offered"
    )
    lead = f"Goodput of {load} is still {state} {span(found.observed_s)} after {fault} ended"
    if found.metastable:
        sentences = [f"{lead}: the system does not recover by itself{_agreeing(result, load)}."]
    else:
        sentences = [f"{lead}; the run is too short to say whether it would recover by itself."]
    return sentences + _sustained_by(run, phases)


def _sustained_by(run: Run, phases: Phases) -> list[str]:
    """What keeps it down: the call that multiplies requests, the service where they wait, work for nobody."""
    sentences = []
    best, factor, normal = "", 1.0, 1.0
    for label, columns in run.series.calls.items():
        calls, sent = float(columns["calls"][phases.after].sum()), float(columns["sent"][phases.after].sum())
        if calls and sent / calls > factor:
            before = float(columns["calls"][phases.before].sum())
            best, factor = label, sent / calls
            normal = float(columns["sent"][phases.before].sum()) / before if before else 1.0
    if factor > 1.05:
        sentences.append(f"Each call {best} is then sent {factor:.2f} times ({normal:.2f} before).")
    holder, level = "", 0.0
    for service, columns in run.series.services.items():
        some = float(columns["in_system"][phases.after].mean()) if phases.after.any() else 0.0
        if some > level:
            holder, level = service, some
    if holder:
        columns = run.series.services[holder]
        usual = float(columns["in_system"][phases.before].mean()) if phases.before.any() else 0.0
        text = f"{holder} holds {count(level)} requests on average ({count(usual)} before)"
        busy = float((columns["busy"] * run.series.width)[phases.after].sum())
        wasted = float(columns["wasted_s"][phases.after].sum())
        if busy > 0 and wasted / busy > 0.05:
            text += f", and {percent(min(1.0, wasted / busy))} of its work is for callers who have given up"
        sentences.append(text + ".")
    return sentences


def _agreeing(result: Result, load: str) -> str:
    if len(result.runs) == 1:
        return ""
    first = result.run.recovery[load].recovered_after_s is None
    same = sum((run.recovery[load].recovered_after_s is None) == first for run in result.runs)
    return f" (so in {same} of {len(result.runs)} replications)"


def _caveat(result: Result) -> str:
    if result.interrupted:
        return f"The simulation was interrupted; it rests on {_runs(len(result.runs))}."
    if len(result.runs) == 1:
        return "This is one run with one seed; replications show how much of it is chance."
    return f"Told of the first of {len(result.runs)} replications."


def _runs(n: int) -> str:
    return "one run" if n == 1 else f"{n} runs"
