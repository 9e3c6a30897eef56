"""What became of each load, as a word, over all replications."""

from __future__ import annotations

from collections import Counter

from sysim.analysis.stability import STATES
from sysim.analysis.words import recovered
from sysim.result.result import Result


def states(result: Result) -> list[tuple[str, str]]:
    """For each load the word, and how often it holds where replications differ: ``metastable in 4 of 5 runs``."""
    return [(load, _of_load(result, load)) for load in result.run.states]


def _of_load(result: Result, load: str) -> str:
    found = Counter(run.states[load] for run in result.runs)
    n = len(result.runs)
    parts = []
    for state in sorted(found, key=lambda state: (-found[state], STATES.index(state))):
        word = str(state)
        if state == "recovered":
            word += _after(result, load)
        elif state == "unstable":
            word = "unstable before any fault"
        parts.append(word if len(found) == 1 else f"{word} in {found[state]} of {n} runs")
    return ", ".join(parts)


def _after(result: Result, load: str) -> str:
    times = [
        found.recovered_after_s
        for run in result.runs
        if run.states[load] == "recovered" and (found := run.recovery[load]).recovered_after_s is not None
    ]
    bucket = result.run.series.bucket_s
    shortest, longest = recovered(min(times), bucket), recovered(max(times), bucket)
    if shortest == longest:
        return f" {shortest}"
    return f" {shortest} to {longest.removeprefix('after ')}"
