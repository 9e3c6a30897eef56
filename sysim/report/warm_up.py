"""A word about the warm-up, where the beginning of the runs is not like the rest."""

from __future__ import annotations

from collections.abc import Mapping

from sysim.analysis.warm_up import warm_up
from sysim.analysis.words import listed
from sysim.result.result import Result


def warm_up_warnings(results: Mapping[str, Result]) -> list[str]:
    """One sentence for all results whose warm-up is too short; none where it is enough or cannot be told."""
    short = {name: found for name, result in results.items() if (found := warm_up(result)).enough is False}
    if not short:
        return []
    worst = max(short.values(), key=lambda found: found.proposed_s or 0.0)
    who = "" if len(short) == len(results) else f" (in {listed(list(short))})"
    return [f"Warm-up: {worst}{who}. Set time.warmup."]
