"""Numbers of a result to look at, in the words of checks: ``p99(bets) during rush``, and ``cost`` of everything."""

from __future__ import annotations

from collections.abc import Iterable

from sysim.model import Check
from sysim.scenario_file.checks import Refused, parse_measure
from sysim.scenario_file.nodes import Mark, Source
from sysim.scenario_file.reading import Reading


def read_measures(texts: Iterable[str], ctx: Reading) -> tuple[Check, ...]:
    """A check for each text, with a limit that means nothing; what is wrong goes to the reporter of `ctx`."""
    found: list[Check] = []
    for text in texts:
        try:
            found.append(Check(**parse_measure(text, ctx)))
        except Refused as refused:
            mark = Mark(Source("--measure", (text,)), 1, 1)
            ctx.report(mark, refused.code, "", refused.message, refused.hint)
    return tuple(found)
