"""When things were, in the summary: the clock, the windows, and what happened at which instant."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sysim.analysis.words import Clock, count, counted, instant, span
from sysim.result.result import Result
from sysim.result.stats import WindowStats

MOST_WINDOWS = 6


def clock_of(result: Result) -> Clock:
    """Instants as the scenario has them."""
    return Clock(result.scenario.time.start, result.scenario.time.duration / 1e9, result.scenario.time.zone)


def shown_windows(result: Result) -> list[WindowStats]:
    """The windows with columns or rows of their own, the whole run last."""
    windows = list(result.windows.values())
    named = sorted(windows[1:], key=lambda window: (window.from_s, window.to_s))
    return [*named[:MOST_WINDOWS], windows[0]]


def actions(console: Console, result: Result) -> None:
    """When each action was carried out, in the first replication."""
    if not result.scenario.actions:
        return
    done = {pulled.number: pulled for pulled in result.run.actions}
    several = " (first replication)" if len(result.runs) > 1 else ""
    console.print()
    console.print(Text(f"Actions{several}", style="bold"))
    clock = clock_of(result)
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


def scalings(console: Console, result: Result) -> None:
    """How many replicas services had that an autoscaler or a schedule changed, in the first replication."""
    run = result.run
    changed = sorted({scaling.service for scaling in run.scalings})
    if not changed:
        return
    several = " (first replication)" if len(result.runs) > 1 else ""
    console.print()
    console.print(Text(f"Replicas{several}", style="bold"))
    clock = clock_of(result)
    for name in changed:
        some = [scaling for scaling in run.scalings if scaling.service == name]
        text = f"{name}: {count(run.windows['all'].services[name].up_mean)} ready on average"
        if name in run.series.services:  # what is kept of many runs has no series
            ready = run.series.services[name]["up"]
            at = int(ready.argmax())
            text += f", at most {count(float(ready[at]))}, first at {clock(float(run.series.t[at]))}"
        text += f"; changed {counted(len(some), 'time')}"
        console.print(Padding(Text(text), (0, 2)))


def traces(console: Console, result: Result) -> None:
    """The requests that were followed, span by span."""
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
