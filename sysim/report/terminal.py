"""The summary at the end of ``sysim run``: readable at a glance on a terminal, plain text in a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sysim.analysis.checks import Verdict
from sysim.analysis.words import span
from sysim.report.console import PROSE_WIDTH, on_console
from sysim.report.terminal_tables import calls_table, causes_table, loads_table, services_table
from sysim.report.terminal_times import actions, clock_of, scalings, shown_windows, traces
from sysim.report.verdicts import facts, mark
from sysim.report.warm_up import warm_up_warnings
from sysim.result.result import Result


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
    on_console(out, lambda console: _show(console, result, command, brief))


def _show(console: Console, result: Result, command: Command | None, brief: bool) -> None:
    if brief:
        for verdict in result.checks:
            console.print(_verdict(verdict))
        return
    _head(console, result)
    loads_table(console, result)
    services_table(console, result)
    calls_table(console, result)
    causes_table(console, result)
    actions(console, result)
    scalings(console, result)
    _checks(console, result)
    console.print()
    console.print(Padding(Text(result.account), (0, 2)), width=min(PROSE_WIDTH, console.width))
    traces(console, result)
    _foot(console, result, command)


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
    clock = clock_of(result)
    spans = [f"{w.name} {clock(w.from_s)} – {clock(w.to_s)}" for w in shown_windows(result)]
    console.print(Text("windows: " + ", ".join(spans), style="dim"))
    if result.interrupted:
        console.print(Text("interrupted: fewer replications than were asked for", style="bold yellow"))
    console.print()


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
