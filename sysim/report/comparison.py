"""The text of ``sysim compare``: what was changed, and what that did."""

from __future__ import annotations

from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sysim.analysis.compare import METRICS, Comparison, Difference
from sysim.analysis.estimates import Estimate
from sysim.report.console import PROSE_WIDTH, on_console
from sysim.report.plus_minus import Kind, difference, plus_minus
from sysim.units import show

KINDS: dict[str, Kind] = {
    "success": "share", "utilisation": "share", "goodput": "count", "queue_mean": "count", "p50": "seconds",
    "p99": "seconds", "wait_p99": "seconds", "recovery": "seconds", "amplification": "factor",
    "value_lost": "money", "wasted_s": "seconds",
}  # fmt: skip
NARROW = 100


def show_comparison(found: Comparison, out: IO[str], everything: bool = False) -> None:
    """Write the comparison; with `everything` also the numbers that do not differ."""
    on_console(out, lambda console: _show(console, found, everything))


def _show(console: Console, found: Comparison, everything: bool) -> None:
    console.print(Text.assemble("A  ", (found.a.name, "bold")), soft_wrap=True)
    console.print(Text.assemble("B  ", (found.b.name, "bold")), soft_wrap=True)
    console.print()
    _changes(console, found)
    windows = list(dict.fromkeys(d.window for d in found.differences))
    for window in [*windows[1:], *windows[:1]]:
        rows = [d for d in found.differences if d.window == window and (everything or d.real) and _known(d)]
        rows.sort(key=lambda d: list(METRICS).index(d.kind))
        if rows:
            console.print(_table(window, rows, console.width < NARROW))
    n = len([d for d in found.differences if _known(d)])
    real = len([d for d in found.differences if d.real])
    chance = "" if _single(found) else " beyond chance, by Holm's method at 95 % for all of them together"
    text = f"{real} of {n} numbers differ{chance}. {_how(found)}"
    console.print(Text(text), width=min(PROSE_WIDTH, console.width))


def _known(d: Difference) -> bool:
    return d.a is not None or d.b is not None


def _single(found: Comparison) -> bool:
    return min(len(found.a.runs), len(found.b.runs)) == 1


def _changes(console: Console, found: Comparison) -> None:
    if found.changes is None:
        same = found.a.digest == found.b.digest
        text = "The scenarios are the same (by digest)." if same else (
            "The scenarios differ; what in is not known, as no scenario.yaml lies beside a result."
        )  # fmt: skip
        console.print(Text(text, style="dim"))
    elif not found.changes:
        console.print(Text("The scenarios are the same.", style="dim"))
    for change in found.changes or ():
        line = Text.assemble(f"  {change.path}: ", (_value(change.old), "red"), " -> ", (_value(change.new), "green"))
        console.print(line, soft_wrap=True)
    console.print()


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(item) for item in value) + "]"
    return "–" if value is None else str(value) if isinstance(value, str) else show(value)


def _table(window: str, rows: list[Difference], narrow: bool) -> Table:
    title = "whole run" if window == "all" else f"during {window}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    table.add_column("", no_wrap=True)
    for name in ("A", "B", "B less A"):
        table.add_column(name, justify="right", no_wrap=True)
    before = ""
    for d in rows:
        kind = KINDS[d.metric]
        table.add_row(
            d.subject if d.subject != before else "", d.metric, _cell(d.a, kind, narrow), _cell(d.b, kind, narrow),
            "–" if d.difference is None
            else difference(d.difference.mean, d.difference.half_width, kind, narrow),
            style="" if d.real else "dim",
        )  # fmt: skip
        before = d.subject
    return table


def _cell(found: Estimate | None, kind: Kind, narrow: bool) -> str:
    return "–" if found is None else plus_minus(found.mean, found.half_width, kind, narrow)


def _how(found: Comparison) -> str:
    level = f"{found.confidence * 100:g} %"
    a, b = len(found.a.runs), len(found.b.runs)
    if found.paired:
        if a == 1:
            return "One run of each, with the same random numbers; what is chance cannot be told from one run."
        return f"± is the half width at {level}, over {a} pairs of runs with the same random numbers."
    if min(a, b) == 1:
        return "The runs share no random numbers, and what is chance cannot be told from one run."
    return f"± is the half width at {level}; {a} and {b} runs that share no random numbers (Welch)."
