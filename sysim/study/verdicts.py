"""The verdicts of a study: every check on every variant that it is meant for, corrected for their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from sysim.analysis.checks import Verdict, judge_named
from sysim.analysis.corrections import Correction, holm
from sysim.analysis.looks import narrow_enough
from sysim.analysis.strictness import Strictness
from sysim.errors import Place, Problem
from sysim.model import Check, Scenario
from sysim.result.run import Run

Simulate = Callable[[int, Event, Callable[[float], None] | None], Run]
"""One replication: its number, an event that asks it to stop, and where to note the share that is done."""


@dataclass(frozen=True)
class Member:
    """One variant of a study. `variant` is None where the file has no variants. `judged` is False for one that
    runs only because others are held against it. `keep` is given every run of the study, in order.
    """

    name: str
    variant: str | None
    scenario: Scenario = field(repr=False)
    digest: str
    simulate: Simulate = field(repr=False)
    warnings: tuple[Problem, ...] = ()
    check_places: tuple[Place, ...] = ()
    abort_places: tuple[Place, ...] = ()
    judged: bool = True
    keep: Callable[[Run], None] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the check that it is about."""

    check: Check
    verdict: Verdict


def judge_study(
    members: Sequence[Member],
    runs: Mapping[str, Sequence[Run]],
    strictness: Strictness,
    correction: Correction,
) -> tuple[Judged, ...]:
    """All verdicts, check by check and within a check variant by variant."""
    asked = [
        (member, number, member.scenario.checks[number])
        for number in range(max(len(member.scenario.checks) for member in members))
        for member in members
        if member.judged and runs[member.name] and number < len(member.scenario.checks)
        and member.scenario.checks[number].applies_to(member.variant)
    ]  # fmt: skip

    def judged(shares: Sequence[float]) -> list[Verdict]:
        return [
            judge_named(check, runs[member.name], member.variant, strictness=strictness.of(share), others=runs)
            for (member, _, check), share in zip(asked, shares, strict=True)
        ]

    verdicts = judged([1.0] * len(asked))
    if correction == "holm":
        verdicts = judged(_holm_shares(asked, verdicts, strictness))
    return tuple(
        Judged(check, replace(verdict, place=place_of(member.check_places, number)))
        for (member, number, check), verdict in zip(asked, verdicts, strict=True)
    )


def _holm_shares(
    asked: Sequence[tuple[Member, int, Check]], verdicts: Sequence[Verdict], strictness: Strictness
) -> list[float]:
    tests = [k for k, verdict in enumerate(verdicts) if verdict.p is not None]
    p_values = [verdicts[k].p or 0.0 for k in tests]
    alphas = [(1 - asked[k][2].confidence) * strictness.share for k in tests]
    shares = [1.0] * len(asked)
    for k, share in zip(tests, holm(p_values, alphas), strict=True):
        shares[k] = share
    return shares


def place_of(places: Sequence[Place], number: int) -> Place | None:
    """Where a check is written; None for one that comes from the command line or from code."""
    found = places[number] if number < len(places) else None
    return None if found is None or found.file.startswith("--") else found


def decided(judged: Sequence[Judged]) -> bool:
    """Whether further replications could change no verdict from inconclusive to another."""
    return all(one.verdict.verdict != "inconclusive" or one.verdict.settled for one in judged)


def precise(judged: Sequence[Judged], precision: float) -> bool:
    """Whether every tested value is known to the share `precision` of itself."""
    return all(
        narrow_enough(verdict.interval, verdict.value, precision)
        for verdict in (one.verdict for one in judged)
        if verdict.p is not None and verdict.interval is not None and verdict.value is not None
    )
