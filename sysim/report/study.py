"""The summary of ``sysim check``: what each variant does, the verdicts, and a sentence for each.

One table a load and window: a row with each variant's numbers and, below it, a row with the differences from
the baseline. On a narrow terminal the ± goes into a line of its own.
"""

from __future__ import annotations

from itertools import groupby
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sysim.analysis import words
from sysim.analysis.headline import Cell, ends
from sysim.report.console import PROSE_WIDTH, on_console
from sysim.report.plus_minus import Kind, difference, plus_minus
from sysim.report.verdicts import MARK, confidence, facts, mark
from sysim.report.warm_up import warm_up_warnings
from sysim.study.study import Study

NARROW = 110
COLUMNS: dict[str, tuple[str, Kind]] = {
    "success": ("success", "share"),
    "goodput": ("goodput/s", "count"),
    "p99": ("p99", "seconds"),
    "amplification": ("sent each", "factor"),
    "recovery": ("well again after", "seconds"),
    "value_lost": ("lost", "money"),
}


def show_study(study: Study, out: IO[str], brief: bool = False, again: str = "") -> None:
    """Write the summary; only the verdicts and sentences when `brief`. `again` is the command to repeat it."""
    on_console(out, lambda console: _show(console, study, brief, again))


def _show(console: Console, study: Study, brief: bool, again: str) -> None:
    if not brief:
        _head(console, study)
        for load in study.loads:
            for window in study.windows:
                console.print(_table(study, load, window, console.width < NARROW))
    _warnings(console, study)
    _verdicts(console, study)
    console.print()
    for sentence in study.sentences:
        console.print(Padding(Text(sentence), (0, 2)), width=min(PROSE_WIDTH, console.width))
    if not brief:
        console.print()
        for text in (study.method, *warm_up_warnings(study.results)):
            console.print(Text(text, style="dim"), width=min(PROSE_WIDTH, console.width))
        if again:
            console.print(Text(f"again: {again}", style="dim"), soft_wrap=True)


def _head(console: Console, study: Study) -> None:
    first = next(iter(study.results.values()))
    count, n = len(study.results), study.replications
    told = [
        f"{count} variants" if count > 1 else f"variant {first.variant}" if first.variant else "no variants",
        f"{n} replication{'s' if n > 1 else ''}{' each' if count > 1 else ''}",
        f"seed {first.run.seed}",
        f"engine {first.engine}",
    ]
    console.print(Text.assemble((study.name, "bold"), "  ", (", ".join(told), "dim")))
    console.print()


def _warnings(console: Console, study: Study) -> None:
    if study.abort is not None:
        at = f" ({study.abort.place})" if study.abort.place else ""
        text = f"aborted: {study.abort.condition}{at} holds in replication {study.abort.replication}"
        console.print(Text(f"{text} of {study.abort.variant}", style="bold red"))
    elif study.interrupted:
        console.print(
            Text("interrupted: these are the replications that were finished", style="bold yellow")
        )


def _table(study: Study, load: str, window: str, narrow: bool) -> Table:
    first = next(iter(study.results.values()))
    clock = words.Clock(first.scenario.time.start, first.scenario.time.duration / 1e9, first.scenario.time.zone)
    span = first.run.windows[window]
    when = "" if window == "all" else f" during {window}"
    title = f"{load}{when} ({clock(span.from_s)} – {clock(span.to_s)}), ± at {confidence(study.level)}"
    less = f"  less {study.baseline}"
    if narrow and len(study.results) > 1:
        title, less = f"{title}; less: difference from {study.baseline}", "  less"
    cells = {
        name: {metric: study.cell(name, metric, load, window) for metric in COLUMNS} for name in study.results
    }
    shown = [m for m in COLUMNS if m not in ("recovery", "value_lost") or _any(study, cells, m)]
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("variant", overflow="fold")
    currencies = {stats.currency for r in study.results.values() if (stats := r.windows["all"].loads.get(load))}
    for metric in shown:
        head = COLUMNS[metric][0]
        if metric == "value_lost" and len(currencies) == 1:
            head = f"{head} ({currencies.pop()})"
        table.add_column(head, justify="right", no_wrap=not narrow)
    for name in study.results:
        own = [_own(study, name, load, cells[name][metric], narrow) for metric in shown]
        only = len(study.results) == 1 or name == study.baseline
        table.add_row(name, *own, end_section=only)
        if not only:
            against = [_against(cells[name][metric], narrow) for metric in shown]
            table.add_row(less, *against, style="dim", end_section=True)
    return table


def _any(study: Study, cells: dict[str, dict[str, Cell]], metric: str) -> bool:
    if metric == "recovery":
        return any(ends(result.runs, load).of for result in study.results.values() for load in study.loads)
    return any(some[metric].own is not None for some in cells.values())


def _own(study: Study, name: str, load: str, cell: Cell, narrow: bool) -> str:
    if cell.metric == "recovery":
        found = ends(study.results[name].runs, load)
        if found.down:
            runs = f"{found.of} run{'s' if found.of > 1 else ''}"
            return f"never ({runs})" if not found.times else f"never in {found.down} of {found.of}"
        bucket = study.results[name].run.series.bucket_s
        if cell.own is not None and cell.own.mean < bucket:
            return f"<{words.span(bucket)}"  # it is known to a bucket only
    if cell.own is None:
        return "–"
    return plus_minus(cell.own.mean, cell.own.half_width, COLUMNS[cell.metric][1], narrow)


def _against(cell: Cell, narrow: bool) -> str:
    found = cell.difference
    if found is None or (cell.metric == "recovery" and found.n < cell.of):
        return "–"
    return difference(found.mean, found.half_width, COLUMNS[cell.metric][1], narrow)


def _verdicts(console: Console, study: Study) -> None:
    if not study.verdicts:
        console.print(Text("no checks in this file: nothing to hold or fail", style="dim"))
        return
    console.print(Text("Checks", style="bold"))
    widest = max(len(name) for name in study.results)
    several = len(study.results) > 1
    for (text, place), some in groupby(study.verdicts, key=lambda verdict: (verdict.check, verdict.place)):
        where = f"  {place}" if place else ""
        console.print(Text.assemble("  ", text, (where, "dim")), soft_wrap=True)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, min_width=max(map(len, MARK)) + 2)
        if several:
            grid.add_column(min_width=widest, no_wrap=widest < 40)
        grid.add_column(style="dim")
        for verdict in some:
            sign, style = mark(verdict.verdict)
            who = [verdict.variant or ""] if several else []
            grid.add_row(Text(sign, style), *who, ", ".join(facts(verdict)))
        console.print(Padding(grid, (0, 0, 0, 4)))
