"""Verdicts as people read them: a mark, the value in the unit of its metric, the interval."""

from __future__ import annotations

import math

from sysim.analysis.checks import Outcome, Verdict
from sysim.analysis.words import listed, span

STYLE = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}
MARK = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


def mark(outcome: Outcome) -> tuple[str, str]:
    """A sign and the word, with its style."""
    return f"{MARK[outcome]} {outcome}", STYLE[outcome]


def facts(verdict: Verdict) -> list[str]:
    """What is known about a verdict besides its text, in short."""
    found = []
    if verdict.found:
        found.append(f"is: {verdict.found}")
    elif verdict.value is not None and verdict.metric != "metastable":
        found.append(f"is {number(verdict, verdict.value)}")
    if verdict.interval is not None and (verdict.metric != "recovers" or not verdict.found):
        low, high = (number(verdict, end) for end in verdict.interval)
        found.append(f"{confidence(verdict.confidence)} interval {low} to {high}")
    if verdict.expected_for:
        found.append(f"expected for {listed(verdict.expected_for)}")
    if verdict.note:
        found.append(verdict.note)
    return found


def number(verdict: Verdict, value: float) -> str:
    """A number in the unit of the verdict's metric."""
    from sysim.scenario_file.metrics import SHARES, is_duration

    if verdict.metric in SHARES or verdict.metric in ("ratio", "error_budget", "metastable"):
        return f"{_percentage(verdict, value * 100)} %"
    if verdict.metric == "recovers" or is_duration(verdict.metric):
        return span(value) if value >= 0 else f"-{span(-value)}"
    return f"{value:.6g}"


def _percentage(verdict: Verdict, value: float) -> str:
    """With two digits of half the interval's width, which is all that is known."""
    half = 0.0 if verdict.interval is None else (verdict.interval[1] - verdict.interval[0]) * 50
    if half <= 0:
        return f"{value:.5g}"
    digits = min(4, max(0, 1 - math.floor(math.log10(half))))
    return f"{value:.{digits}f}"


def confidence(level: float) -> str:
    """A confidence as a percentage with the digits that it needs: ``95 %``, ``99.86 %``."""
    return f"{level * 100:.4g} %"
