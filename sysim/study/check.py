"""Run the variants of a file side by side until their checks are decided.

All variants take the same number of replications, round by round: replication 0 of every variant, then
replication 1 of every variant, and so on. What ends a study early (a condition of `abort_when`, the budget,
Ctrl-C) therefore leaves pairs behind, and but for the clock it does so at the same run on any number of
workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

from sysim.analysis.checks import holds_in
from sysim.analysis.corrections import CORRECTIONS, Correction
from sysim.analysis.headline import HEADLINES, cell, windows_asked_for
from sysim.analysis.strictness import Strictness
from sysim.result.result import Result
from sysim.result.run import Run
from sysim.study.replications import in_order
from sysim.study.sequential import Budget, Reason, Sampling
from sysim.study.study import Abort, Study
from sysim.study.verdicts import Judged, Member, decided, judge_study, place_of, precise

SERIES = 20  # replications that keep their time series, which are most of what a run weighs
Progress = Callable[[float], None]
Task = tuple[int, Member]


def study(
    members: Sequence[Member],
    *,
    name: str,
    baseline: str,
    engine: str,
    sampling: Sampling,
    correction: Correction = "holm",
    workers: int = 1,
    progress: Progress | None = None,
) -> Study:
    """The study of some variants; raises KeyboardInterrupt only where no run at all was finished."""
    if correction not in CORRECTIONS:
        raise ValueError(f"found the correction {correction!r}, expected one of {', '.join(CORRECTIONS)}")
    runs: dict[str, list[Run]] = {member.name: [] for member in members}
    rounds = _Rounds(members, runs, sampling, workers, progress)
    reason: Reason = "most" if sampling.sequential else "fixed"
    judged: tuple[Judged, ...] = ()
    strictness = sampling.strictness(0)
    for number, look in enumerate(sampling.planned):
        ended = rounds.up_to(look)
        strictness = sampling.strictness(number)
        judged = judge_study([m for m in members if runs[m.name]], runs, strictness, correction)
        if ended is not None:
            reason = ended
            break
        if sampling.sequential and decided(judged) and _precise(members, runs, judged, sampling, strictness):
            reason = "decided"
            break
        if rounds.budget.spent and look != sampling.planned[-1]:
            reason = "budget"
            break
    results = _results(members, runs, judged, engine, reason)
    return Study(
        name=name,
        results=results,
        baseline=baseline if baseline in results else next(iter(results)),
        verdicts=tuple(one.verdict for one in judged),
        checks=tuple(one.check for one in judged),
        sampling=sampling,
        strictness=strictness,
        reason=reason,
        correction=correction,
        abort=rounds.abort,
    )


class _Rounds:
    """Replications of all members, in rounds."""

    def __init__(
        self,
        members: Sequence[Member],
        runs: dict[str, list[Run]],
        sampling: Sampling,
        workers: int,
        progress: Progress | None,
    ) -> None:
        self.members, self.runs, self.workers, self.progress = members, runs, workers, progress
        self.budget = Budget(sampling.budget_s)
        self.least = 2 if sampling.sequential else 1
        self.done = 0
        self.abort: Abort | None = None

    def up_to(self, look: int) -> Reason | None:
        """Run until every member has `look` replications; why it ended before, if it did."""
        tasks: list[Task] = [(number, member) for number in range(self.done, look) for member in self.members]
        shares = dict.fromkeys(((number, member.name) for number, member in tasks), 0.0)

        def one(task: Task, stop: Event) -> Run:
            number, member = task
            if self.progress is None:
                return member.simulate(number, stop, None)

            def note(share: float) -> None:
                shares[number, member.name] = share
                assert self.progress is not None
                self.progress(sum(shares.values()) / len(shares))

            return member.simulate(number, stop, note)

        source = in_order(tasks, one, self.workers)
        try:
            for (number, member), run in source:
                if number >= SERIES:
                    run = replace(run, series=run.series.emptied())
                self.runs[member.name].append(run)
                if member.keep is not None:
                    member.keep(run)
                self.abort = _abort(member, run)
                if self.abort is not None:
                    return "abort"
                if member is self.members[-1]:
                    self.done = number + 1
                    if self.least <= self.done < look and self.budget.spent:
                        return "budget"
        except KeyboardInterrupt:
            if not any(self.runs.values()):
                raise
            return "interrupted"
        finally:
            source.close()
        return None


def _abort(member: Member, run: Run) -> Abort | None:
    for number, condition in enumerate(member.scenario.abort_when):
        if condition.applies_to(member.variant) and holds_in(condition, run):
            place = place_of(member.abort_places, number)
            return Abort(condition.text, member.name, run.replication, place)
    return None


def _precise(
    members: Sequence[Member],
    runs: dict[str, list[Run]],
    judged: Sequence[Judged],
    sampling: Sampling,
    strictness: Strictness,
) -> bool:
    """Whether all is as narrow as asked: the values of the checks, or without any, the headline numbers."""
    if sampling.precision is None:
        return True
    if any(one.verdict.p is not None for one in judged):
        return precise(judged, sampling.precision)
    level = strictness.level(0.95)
    for member in members:
        some = runs[member.name]
        for load in some[0].windows["all"].loads:
            for window in windows_asked_for(member.scenario.checks, list(some[0].windows)):
                for metric in HEADLINES:
                    own = cell(some, None, metric, load, window, level).own
                    if own and own.half_width and own.half_width > sampling.precision * abs(own.mean):
                        return False
    return True


def _results(
    members: Sequence[Member],
    runs: dict[str, list[Run]],
    judged: Sequence[Judged],
    engine: str,
    reason: Reason,
) -> dict[str, Result]:
    return {
        member.name: Result(
            scenario=member.scenario,
            digest=member.digest,
            engine=engine,
            variant=member.variant,
            runs=tuple(runs[member.name]),
            warnings=member.warnings,
            interrupted=reason == "interrupted",
            judged=tuple(one.verdict for one in judged if one.verdict.variant == member.variant),
        )
        for member in members
        if runs[member.name]
    }
