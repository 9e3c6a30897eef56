"""What would help: mitigations that were tried, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sysim.analysis.words import percent
from sysim.report.html.content import Json
from sysim.report.html.element import Markup, el
from sysim.report.html.tables import table


@dataclass(frozen=True)
class Tried:
    """One change, and what it did: the share of failures that remain, and the state of the loads."""

    name: str
    success: float | None
    difference: float | None
    note: str


def adapted(some: Json) -> Tried:
    """One entry of the JSON object of ``sysim what-if``."""
    name = some.get("name") or some.get("change") or some.get("label") or "unnamed"
    note = some.get("sentence") or some.get("state") or ""
    return Tried(str(name), some.get("success"), some.get("difference"), str(note))


def ranking(some: Sequence[Json]) -> Markup | None:
    """The table; None where nothing was tried."""
    rows = []
    for number, entry in enumerate(map(adapted, some), 1):
        difference = "–"
        if entry.difference is not None:
            sign = "−" if entry.difference < 0 else "+"
            difference = f"{sign}{abs(entry.difference) * 100:.2g} points"
        rows.append([f"{number}. {entry.name}", entry.note or "–", percent(entry.success), difference])
    if not rows:
        return None
    head = ["change", "what it does", "success", "difference"]
    return el("div", table("Changes that were tried, the best first", head, rows, text=2))
