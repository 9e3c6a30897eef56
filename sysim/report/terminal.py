"""The summary at the end of ``sysim run``: readable at a glance on a terminal, plain text in a pipe."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sysim.analysis.causes import WORDS, origins
from sysim.analysis.checks import Verdict
from sysim.analysis.words import Clock, amount, count, counted, instant, percent, span
from sysim.report.figures import Figures, figures
from sysim.report.states import states
from sysim.report.verdicts import facts, mark
from sysim.report.warm_up import warm_up_warnings
from sysim.result.result import Result
from sysim.result.stats import CallStats, WindowStats, failures

PLAIN_WIDTH = 150
PROSE_WIDTH = 100
MOST_WINDOWS = 6
MOST_BUSY = 4
MOST_CALLS = 30
MOST_ORIGINS = 4
LEAST_SHARE = 0.001
LEAST_QUEUE = 0.1


@dataclass(frozen=True)
class Command:
    """How the run was asked for, so that the summary can say how to repeat it."""

    file: str
    variant: str | None = None
    settings: Sequence[str] = ()
    params: Sequence[str] = ()
    seed: int | None = None
    replications: int | None = None
    engine: str = "compiled"

    def text(self, result: Result) -> str:
        """A command line that gives the same numbers."""
        words = ["sysim", "run", self.file]
        if self.variant:
            words += ["--variant", self.variant]
        for setting in self.settings:
            words += ["--set", setting]
        for param in self.params:
            words += ["--param", param]
        words += ["--seed", str(result.run.seed)]
        if self.replications is not None:
            words += ["--replications", str(self.replications)]
        return shlex.join(words)


def show(result: Result, command: Command | None, out: IO[str], brief: bool = False) -> None:
    """Write the summary of a result; only the verdicts when `brief`. Colour and width suit a terminal."""
    if hasattr(out, "isatty") and out.isatty():
        _show(Console(file=out, highlight=False), result, command, brief)
        return
    text = StringIO()
    _show(Console(file=text, highlight=False, width=PLAIN_WIDTH, color_system=None), result, command, brief)
    out.write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))


def _show(console: Console, result: Result, command: Command | None, brief: bool) -> None:
    if brief:
        for verdict in result.checks:
            console.print(_verdict(verdict))
        return
    _head(console, result)
    _loads(console, result)
    _services(console, result)
    _calls(console, result)
    _causes(console, result)
    _actions(console, result)
    _scalings(console, result)
    _checks(console, result)
    console.print()
    console.print(Padding(Text(result.account), (0, 2)), width=min(PROSE_WIDTH, console.width))
    _traces(console, result)
    _foot(console, result, command)


def _table(title: str, columns: Iterable[str], text_columns: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        if number < text_columns:
            table.add_column(name, justify="left", overflow="fold", no_wrap=number == 1)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    return table


def _head(console: Console, result: Result) -> None:
    scenario = result.scenario
    facts = [f"variant {result.variant}"] if result.variant else []
    facts += [
        f"{span(scenario.time.duration / 1e9)} simulated",
        f"{len(result.runs)} replication{'s' if len(result.runs) > 1 else ''}",
        f"engine {result.engine}",
    ]
    console.print(Text.assemble((scenario.name, "bold"), "  ", (", ".join(facts), "dim")))
    if scenario.description:
        text = Text(" ".join(scenario.description.split()), style="italic")
        console.print(text, width=min(PROSE_WIDTH, console.width))
    clock = _clock(result)
    spans = [f"{w.name} {clock(w.from_s)} – {clock(w.to_s)}" for w in _windows(result)]
    console.print(Text("windows: " + ", ".join(spans), style="dim"))
    if result.interrupted:
        console.print(Text("interrupted: fewer replications than were asked for", style="bold yellow"))
    console.print()


def _clock(result: Result) -> Clock:
    return Clock(result.scenario.time.start, result.scenario.time.duration / 1e9, result.scenario.time.zone)


def _windows(result: Result) -> list[WindowStats]:
    windows = list(result.windows.values())
    named = sorted(windows[1:], key=lambda window: (window.from_s, window.to_s))
    return [*named[:MOST_WINDOWS], windows[0]]


def _loads(console: Console, result: Result) -> None:
    columns = ["load", "window", "failed by", "offered/s", "success", "p50", "p95", "p99", "sent each"]
    money = any(stats.currency for stats in result.windows["all"].loads.values())
    table = _table("What customers see", columns + (["lost"] if money else []), 3)
    for load in result.windows["all"].loads:
        for number, window in enumerate(_windows(result)):
            found = figures(result, window.name, "loads", load)
            stats = window.loads[load]
            cells = [
                load if number == 0 else "",
                window.name,
                _failed_by(found, stats.offered),
                found.cell(count, "offered_per_s"),
                found.cell(percent, "success"),
                *(found.cell(span, "latency_s", q) for q in ("p50", "p95", "p99")),
                found.cell(_factor, "amplification"),
            ]
            if money:
                value = found.number("value_lost")
                cells.append("–" if value is None else amount(value, stats.currency))
            table.add_row(
                *cells, style=_success_style(found.number("success")), end_section=window.name == "all"
            )
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


def _causes(console: Console, result: Result) -> None:
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


def _factor(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _services(console: Console, result: Result) -> None:
    windows = _windows(result)[-MOST_BUSY:]
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
    return f"{count(most.in_system_max)} at {_clock(result)(most.in_system_max_at_s)}"


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


def _calls(console: Console, result: Result) -> None:
    names = list(result.windows["all"].calls)
    shown = sorted(names, key=lambda name: _eventful(result.windows["all"].calls[name]))[-MOST_CALLS:]
    table = _table(
        "Calls (whole run)", ["call", "calls", "success", "sent/call", "retries", "hedges", "breaker"]
    )
    for name in [name for name in names if name in shown]:
        found = figures(result, "all", "calls", name)
        breaker = "–"
        if found.facts["breaker"] is not None:
            opened = found.number("breaker", "opened")
            breaker = (
                f"opened {count(opened)}×, admitted {percent(found.number('breaker', 'admitted_fraction'))}"
            )
        table.add_row(
            name, count(found.number("calls")), found.cell(percent, "success"),
            found.cell(_factor, "amplification"), count(found.number("retries")),
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


def _actions(console: Console, result: Result) -> None:
    """When each action was carried out, in the first replication."""
    if not result.scenario.actions:
        return
    done = {pulled.number: pulled for pulled in result.run.actions}
    several = " (first replication)" if len(result.runs) > 1 else ""
    console.print()
    console.print(Text(f"Actions{several}", style="bold"))
    clock = _clock(result)
    for number, action in enumerate(result.scenario.actions):
        pulled = done.get(number)
        when = "never" if pulled is None or pulled.at_s is None else clock(pulled.at_s)
        what = result.run.plan.names.actions[number]
        text = Text.assemble((f"{when:>12}", "dim" if when == "never" else ""), "  ", what)
        if pulled is not None and pulled.decided_s is not None:
            text.append(f"  (decided at {clock(pulled.decided_s)})", style="dim")
        elif action.when is not None:
            text.append(f"  ({action.when.text})", style="dim")
        console.print(Padding(text, (0, 2)))


def _scalings(console: Console, result: Result) -> None:
    """How many replicas services had that an autoscaler or a schedule changed, in the first replication."""
    run = result.run
    changed = sorted({scaling.service for scaling in run.scalings})
    if not changed:
        return
    several = " (first replication)" if len(result.runs) > 1 else ""
    console.print()
    console.print(Text(f"Replicas{several}", style="bold"))
    clock = _clock(result)
    for name in changed:
        some = [scaling for scaling in run.scalings if scaling.service == name]
        text = f"{name}: {count(run.windows['all'].services[name].up_mean)} ready on average"
        if name in run.series.services:  # what is kept of many runs has no series
            ready = run.series.services[name]["up"]
            at = int(ready.argmax())
            text += f", at most {count(float(ready[at]))}, first at {clock(float(run.series.t[at]))}"
        text += f"; changed {counted(len(some), 'time')}"
        console.print(Padding(Text(text), (0, 2)))


def _checks(console: Console, result: Result) -> None:
    if not result.checks:
        return
    console.print()
    console.print(Text("Checks", style="bold"))
    for verdict in result.checks:
        console.print(Padding(_verdict(verdict), (0, 2)))


def _verdict(verdict: Verdict) -> Text:
    text = Text.assemble(mark(verdict.verdict), "  ", verdict.check)
    found = facts(verdict)
    if found:
        text.append(f"  ({', '.join(found)})", style="dim")
    return text


def _traces(console: Console, result: Result) -> None:
    for trace in result.run.to_dict().get("traces", [])[:20]:
        spans = trace["spans"]
        begin = spans[0]["begin_s"]
        console.print()
        console.print(Text(f"Request {trace['request']} at {instant(begin)}", style="bold"))
        depth: dict[str, int] = {}
        for found in spans:
            level = depth.get(found["parent"], 0)
            depth[found["key"]] = level + 1
            label = f"{'  ' * level}{found['kind']} {found['what']}"
            when = f"{span(found['begin_s'] - begin):>10} → {span(found['end_s'] - begin):>10}"
            console.print(Text(f"  {label:<56} {when}  {found['outcome']}"))


def _foot(console: Console, result: Result, command: Command | None) -> None:
    console.print()
    runs = result.runs
    wall, events = sum(run.wall_s for run in runs), sum(run.events for run in runs)
    for text in warm_up_warnings({result.variant or "": result}):
        console.print(Text(text, style="dim"), width=min(PROSE_WIDTH, console.width))
    speed = f", {events:,} events in {wall:.2f} s" if wall else ""
    digests = runs[0].digest if len(runs) == 1 else f"{runs[0].digest} (first replication)"
    console.print(Text(f"seed {runs[0].seed}, digest {digests}{speed}", style="dim"))
    if command is not None:
        others = [name for name in result.scenario.variants if name != result.variant]
        if others:
            text = f"{'other variants' if result.variant else 'variants'}: {', '.join(others)}; --variant NAME"
            console.print(Text(text, style="dim"), soft_wrap=True)
        console.print(Text(f"again: {command.text(result)}", style="dim"), soft_wrap=True)


def print_result(result: Result) -> None:
    """The summary on stdout."""
    show(result, None, sys.stdout)
