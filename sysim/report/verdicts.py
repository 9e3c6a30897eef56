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
        return f"{_digits(verdict, value, 100.0, 5)} %"
    if verdict.metric == "recovers" or is_duration(verdict.metric):
        return span(value) if value >= 0 else f"-{span(-value)}"
    return _digits(verdict, value, 1.0, 6)


def _digits(verdict: Verdict, value: float, scale: float, significant: int) -> str:
    """With two digits of half the interval's width, which is all that is known; else so many of its own."""
    half = 0.0 if verdict.interval is None else (verdict.interval[1] - verdict.interval[0]) / 2 * scale
    if half <= 0:
        return f"{value * scale:.{significant}g}"
    digits = min(6, max(0, 1 - math.floor(math.log10(half))))
    return f"{value * scale:.{digits}f}"


def confidence(level: float) -> str:
    """A confidence as a percentage with two digits of what is missing to certainty: ``95 %``, ``99.86 %``."""
    missing = (1 - level) * 100
    digits = min(9, max(0, 1 - math.floor(math.log10(missing)))) if missing > 0 else 0
    text = f"{level * 100:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
