"""A study in words: one sentence a variant, and how the numbers were come by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sysim.analysis.checks import Verdict
from sysim.analysis.headline import ends
from sysim.analysis.statistics import mean
from sysim.analysis.words import counted, listed, recovered, span
from sysim.report.verdicts import confidence, number

if TYPE_CHECKING:
    from sysim.model import Check
    from sysim.result.result import Result
    from sysim.study.study import Study

MOST_REASONS = 2


def sentences(study: Study) -> tuple[str, ...]:
    """One sentence a variant: whether it holds, and why one says so."""
    return tuple(_sentence(study, name, result) for name, result in study.results.items())


def _sentence(study: Study, name: str, result: Result) -> str:
    judged = [
        (check, verdict)
        for check, verdict in zip(study.checks, study.verdicts, strict=True)
        if verdict.variant == result.variant
    ]
    wanted = _worst(judged)
    alone = name == study.baseline and not any(result.scenario.variants.get(name, {}))
    word = _word(wanted, alone and bool(result.scenario.variants))
    found = [_reason(check, verdict) for check, verdict in judged if verdict.verdict == wanted]
    reasons = [reason for reason in found if reason]
    told = reasons[:MOST_REASONS]
    if len(reasons) > MOST_REASONS:
        told.append(f"{counted(len(reasons) - MOST_REASONS, 'further check')} likewise")
    loads = list(dict.fromkeys(check.subject for check, _ in judged if check.subject in study.loads))
    told += _state(result, loads or list(study.loads))
    return f"{name} {word}" + (f": {'; '.join(told)}." if told else ".")


def _worst(judged: Sequence[tuple[Check, Verdict]]) -> str:
    found = {verdict.verdict for _, verdict in judged}
    return next((name for name in ("fail", "inconclusive", "pass") if name in found), "")


def _word(outcome: str, unchanged: bool) -> str:
    if unchanged:
        return {
            "fail": "is not as claimed",
            "inconclusive": "is undecided",
            "pass": "is as claimed",
            "": "is not judged",
        }[outcome]
    return {
        "fail": "does not hold",
        "inconclusive": "is undecided",
        "pass": "holds",
        "": "is not judged, no check is meant for it",
    }[outcome]


def _reason(check: Check, verdict: Verdict) -> str:
    if verdict.value is None:
        return f"{verdict.check}: {verdict.note}" if verdict.note else ""
    if check.metric == "metastable" or (check.metric == "recovers" and verdict.verdict == "pass"):
        return ""  # what became of the load is told for every variant
    what = f"{check.metric}({check.subject})"
    if check.window != "all":
        what += f" during {check.window}"
    value = number(verdict, verdict.value)
    if check.metric == "recovers":
        return f"recovers after {value}{_between(verdict)}, asked for within {span(check.value)}"
    if verdict.metric == "ratio":
        value += f" of {check.of_window or check.of_variant}"
    elif check.of_variant is not None:
        value += f" beyond {check.of_variant}" if verdict.value >= 0 else f" against {check.of_variant}"
    asked = "" if verdict.verdict == "pass" else f", asked for {_limit(check, verdict)}"
    return f"{what} is {value}{_between(verdict)}{asked}"


def _between(verdict: Verdict) -> str:
    if verdict.interval is None or verdict.interval[0] == verdict.interval[1]:
        return ""
    low, high = (number(verdict, end) for end in verdict.interval)
    return f" ({low} to {high})"


def _limit(check: Check, verdict: Verdict) -> str:
    text = verdict.check
    place = text.find(f" {check.op} ")
    limit = text[place + 1 :] if place >= 0 else text
    return f"not {limit}" if check.negated else limit


def _state(result: Result, loads: Sequence[str]) -> list[str]:
    """What became of the loads after the faults: the last thing one wants to know."""
    told = []
    for load in loads:
        found = ends(result.runs, load)
        if not found.of:
            continue
        who = f"{load} " if len(loads) > 1 else ""
        if found.down:
            told.append(f"{who}still down at the end in {found.down} of {counted(found.of, 'run')}")
        else:
            bucket = result.run.series.bucket_s
            average = " on average" if found.of > 1 and mean(found.times) >= bucket else ""
            told.append(f"{who}well again {recovered(mean(found.times), bucket)}{average}")
    return told


def method(study: Study) -> str:
    """How replications and confidence were chosen, in a few sentences."""
    sampling, n = study.sampling, study.replications
    parts = [f"{counted(n, 'replication')} of {_each(study)}."]
    if sampling.sequential:
        looks = listed([str(look) for look in sampling.planned])
        parts.append(f"Looks are planned at {looks} replications; {_stopped(study)}.")
        parts.append(
            f"The looks divide the permitted error among them (this one has {study.strictness.share * 100:.2g} % of "
            "it), and intervals are widened where values are skewed, so that looking more than once makes no "
            "verdict less sure than it says."
        )
    elif study.reason != "fixed":
        parts.append(f"{_stopped(study)[0].upper()}{_stopped(study)[1:]}.")
    if n == 1:
        parts.append("One run has no interval: verdicts are of that run only.")
        return " ".join(parts)
    if (rare := _rarest(n)) is not None:
        parts.append(f"What happens in fewer than 1 of {rare} runs may not have shown itself in {n}.")
    tested = sum(verdict.p is not None for verdict in study.verdicts)
    if tested > 1:
        pairs = zip(study.checks, study.verdicts, strict=True)
        level = confidence(min(check.confidence for check, verdict in pairs if verdict.p is not None))
        if study.correction == "holm":
            parts.append(f"Corrected for {tested} verdicts by Holm's method: all are right together with {level}.")
        else:
            parts.append(f"Not corrected for {tested} verdicts: each is right with {level} by itself.")
    return " ".join(parts)


def _rarest(n: int) -> int | None:
    """1 in so many runs is what n runs show with 95 %; None where that is rarer than 1 in 50."""
    often = 1 - 0.05 ** (1 / n)
    return int(1 / often) if 1 / 50 <= often <= 1 / 2 else None


def _each(study: Study) -> str:
    count = len(study.results)
    return "the scenario" if count == 1 else f"each of {count} variants"


def _stopped(study: Study) -> str:
    budget = study.sampling.budget_s
    if study.reason == "decided":
        narrow = "" if study.sampling.precision is None else " and every interval is narrow enough"
        return f"all is decided{narrow} at {study.replications}"
    if study.reason == "budget":
        assert budget is not None
        return f"the budget of {span(budget)} is spent, so the number of replications depends on this machine"
    if study.reason == "abort":
        return "given up on a condition of abort_when"
    if study.reason == "interrupted":
        return "interrupted"
    return "not all is decided at the last of them"
