"""What would help: mitigations that were tried, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sysim.analysis.words import span
from sysim.report.html.content import Json
from sysim.report.html.element import Markup
from sysim.report.html.tables import table
from sysim.report.plus_minus import difference


@dataclass(frozen=True)
class Tried:
    """One mitigation: its rank, in how many runs the system was well again, and what it saved."""

    rank: str
    name: str
    again: str
    after: str
    saved: str
    verdict: str


def adapted(some: Json) -> Tried:
    """One entry of `mitigations` in the JSON object of ``sysim what-if``."""
    after = some.get("recovered_after_s")
    saved = some.get("saved") or {}
    mean = saved.get("mean")
    return Tried(
        rank=f"{some.get('rank', '–')}{'=' if some.get('tied') else ''}",
        name=str(some["name"]),
        again=f"{some.get('recovered', 0)} of {some.get('judged', 0)} runs",
        after="–" if after is None else span(after),
        saved="–" if mean is None else difference(mean, saved.get("half_width"), "count"),
        verdict=str(some.get("verdict") or "–"),
    )


def ranking(some: Sequence[Json]) -> Markup | None:
    """The table; None where nothing was tried."""
    rows = [[t.rank, t.name, t.again, t.after, t.saved, t.verdict] for t in map(adapted, some)]
    if not rows:
        return None
    head = ["rank", "mitigation", "well again in", "after", "requests saved", "against doing nothing"]
    return table("What would help, the best first; saved beyond what doing nothing serves", head, rows, text=2)
