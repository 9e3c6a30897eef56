"""The tables of the summary: what customers see, where failures began, services and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sysim.analysis.causes import WORDS, origins
from sysim.analysis.words import amount, count, factor, percent, span
from sysim.report.figures import Figures, figures
from sysim.report.states import states
from sysim.report.terminal_times import clock_of, shown_windows
from sysim.result.result import Result
from sysim.result.stats import CallStats, failures

MOST_BUSY = 4
MOST_CALLS = 30
MOST_ORIGINS = 4
LEAST_SHARE = 0.001
LEAST_QUEUE = 0.1


def _table(title: str, columns: Iterable[str], text_columns: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        if number < text_columns:
            table.add_column(name, justify="left", overflow="fold", no_wrap=number == 1)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    return table


def loads_table(console: Console, result: Result) -> None:
    """What customers see, in each window."""
    columns = ["load", "window", "failed by", "offered/s", "success", "p50", "p95", "p99", "sent each"]
    money = any(stats.currency for stats in result.windows["all"].loads.values())
    table = _table("What customers see", columns + (["lost"] if money else []), 3)
    for load in result.windows["all"].loads:
        for number, window in enumerate(shown_windows(result)):
            found = figures(result, window.name, "loads", load)
            stats = window.loads[load]
            cells = [
                load if number == 0 else "",
                window.name,
                _failed_by(found, stats.offered),
                found.cell(count, "offered_per_s"),
                found.cell(percent, "success"),
                *(found.cell(span, "latency_s", q) for q in ("p50", "p95", "p99")),
                found.cell(factor, "amplification"),
            ]
            if money:
                value = found.number("value_lost")
                cells.append("–" if value is None else amount(value, stats.currency))
            table.add_row(*cells, style=_success_style(found.number("success")), end_section=window.name == "all")
    console.print(table)
    told = "; ".join(f"{load} {word}" for load, word in states(result))
    if told:
        console.print(Text(f"state of the loads: {told}"))


def _failed_by(found: Figures, offered: int) -> str:
    total = found.number("offered") or offered
    parts: list[str] = []
    for name in (*failures(found.facts["outcomes"]), "degraded"):
        number = found.number("outcomes", name)
        # What is rare is told only where there is nothing else to tell.
        if number and total and (not parts or number >= LEAST_SHARE * total):
            parts.append(f"{name} {percent(number / total)}")
    return ", ".join(parts[:3]) or "–"


def _success_style(success: float | None) -> str:
    if success is None:
        return "dim"
    return "red" if success < 0.95 else "yellow" if success < 0.999 else ""


def causes_table(console: Console, result: Result) -> None:
    """Where failures began, in the first replication."""
    rows = [
        (load, number, origin)
        for load, stats in result.windows["all"].loads.items()
        for number, origin in enumerate(origins(stats.failures)[:MOST_ORIGINS])
        if number == 0 or origin.share >= LEAST_SHARE
    ]
    if not rows:
        return
    first = "" if len(result.runs) == 1 else " (first replication)"
    columns = ["load", "began at", "by", "failures", "share", "fault at work", "behind a queue", "seen as"]
    table = _table(f"Where failures began{first}", columns, 3)
    for load, number, origin in rows:
        seen = list(origin.outcomes)
        table.add_row(
            load if number == 0 else "",
            origin.service,
            WORDS[origin.mechanism],
            count(origin.count),
            percent(origin.share),
            percent(origin.disturbed),
            percent(origin.queued),
            seen[0] + (", …" if len(seen) > 1 else ""),
        )
    console.print(table)


def services_table(console: Console, result: Result) -> None:
    """How full the services were, and what they turned away."""
    windows = shown_windows(result)[-MOST_BUSY:]
    columns = ["service", *(f"busy\n{window.name}" for window in windows)]
    columns += ["longest queue\n(mean)", f"most at once{_of_all(result)}", "longest wait\n(p99)"]
    columns += ["turned away", "work\nwasted"]
    table = _table("Services", columns)
    idle = []
    for service in result.windows["all"].services:
        cells = {window.name: figures(result, window.name, "services", service) for window in windows}
        whole = cells["all"]
        if not whole.facts["arrivals"] and not whole.facts["in_system_max"]:
            idle.append(service)
            continue
        table.add_row(
            service,
            *(_busy(found) for found in cells.values()),
            _worst(cells, _queue, "queue_mean"),
            _most_at_once(result, service),
            _worst(cells, span, "wait_s", "p99"),
            _turned_away(whole),
            _wasted(whole),
            style=_busy_style(max((found.number("utilisation") or 0.0) for found in cells.values())),
        )
    console.print(table)
    if idle:
        console.print(Text(f"never called: {', '.join(idle)}", style="dim"))


def _of_all(result: Result) -> str:
    return "" if len(result.runs) == 1 else f"\n(in {len(result.runs)} runs)"


def _most_at_once(result: Result, service: str) -> str:
    """The most of any replication, and when."""
    found = [run.windows["all"].services[service] for run in result.runs]
    most = max(found, key=lambda stats: stats.in_system_max)
    if most.in_system_max_at_s is None:
        return "–"
    return f"{count(most.in_system_max)} at {clock_of(result)(most.in_system_max_at_s)}"


def _worst(cells: Mapping[str, Figures], show_as: Callable[[float | None], str], *path: str) -> str:
    """The highest of the windows' values, with the window's name unless it is the whole run."""
    known = {name: value for name, found in cells.items() if (value := found.number(*path)) is not None}
    if not known or max(known.values()) == 0:
        return "–"
    name = max(known, key=lambda window: known[window])
    text = show_as(known[name])
    return text if name == "all" or text.startswith("<") else f"{text} in {name}"


def _queue(mean: float | None) -> str:
    return count(mean) if mean is None or mean >= LEAST_QUEUE else f"<{LEAST_QUEUE:g}"


def _wasted(found: Figures) -> str:
    wasted = found.number("wasted_s")
    return span(wasted) if wasted else "–"


def _busy(found: Figures) -> str:
    busy, cpu = found.number("utilisation"), found.number("cpu_utilisation")
    if cpu is None or (busy is not None and busy >= cpu):
        return percent(busy)
    return f"cpu {percent(cpu)}"


def _turned_away(found: Figures) -> str:
    names = ("rejected", "shed", "unreachable", "lost")
    away = {name: number for name in names if (number := found.number("outcomes", name))}
    return ", ".join(f"{count(number)} {name}" for name, number in away.items()) or "–"


def _busy_style(utilisation: float | None) -> str:
    if utilisation is None:
        return ""
    return "red" if utilisation > 0.95 else "yellow" if utilisation > 0.8 else ""


def calls_table(console: Console, result: Result) -> None:
    """What callers sent, the less eventful calls left out where there are many."""
    names = list(result.windows["all"].calls)
    shown = sorted(names, key=lambda name: _eventful(result.windows["all"].calls[name]))[-MOST_CALLS:]
    table = _table("Calls (whole run)", ["call", "calls", "success", "sent/call", "retries", "hedges", "breaker"])
    for name in [name for name in names if name in shown]:
        found = figures(result, "all", "calls", name)
        breaker = "–"
        if found.facts["breaker"] is not None:
            opened = found.number("breaker", "opened")
            breaker = f"opened {count(opened)}×, admitted {percent(found.number('breaker', 'admitted_fraction'))}"
        table.add_row(
            name, count(found.number("calls")), found.cell(percent, "success"),
            found.cell(factor, "amplification"), count(found.number("retries")),
            count(found.number("hedges")), breaker,
            style=_success_style(found.number("success")) if found.number("calls") else "dim",
        )  # fmt: skip
    console.print(table)
    if len(names) > len(shown):
        more = len(names) - len(shown)
        console.print(Text(f"{more} further calls, less eventful, are not shown", style="dim"))


def _eventful(calls: CallStats) -> tuple[bool, bool, int]:
    """What puts a call above others: breakers that opened, failures and retries, traffic."""
    return calls.opened > 0, (calls.success or 1.0) < 0.999 or calls.sent > 1.01 * calls.calls, calls.sent
