"""Tipping points, vulnerability maps and reliefs: a short table, a sentence in plain English, JSON, CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sysim.analysis.stability import STATES, State
from sysim.analysis.thresholds import Bracket
from sysim.analysis.words import counted, instant, listed, percent, span
from sysim.report.csv_file import write_rows
from sysim.result.result import FORMAT
from sysim.study.bisection import Bisection, Probe
from sysim.study.metastability import Map, Relief, Tipping
from sysim.study.quantity import Axis

LETTERS: dict[State, str] = {
    "healthy": "·", "degraded": "d", "recovered": "r", "inconclusive": "?", "metastable": "M", "unstable": "U",
}  # fmt: skip
"""How a state is written in a map; capital letters do not get up again."""
LEGEND = (
    "· healthy   d degraded   r recovers by itself   M metastable: stays down   U unstable before any fault   "
    "? too short to tell; M2: in two of the runs, otherwise in all"
)


# --- the tipping point ------------------------------------------------------------------------------------


def tipping_text(found: Tipping) -> str:
    """The table of what was tried, and the sentence."""
    axis = found.found.axis
    lines = [
        f"{found.scenario}: what {axis.path} between {axis.show(axis.low)} and {axis.show(axis.high)} does to "
        f"{Loads(found.loads).name}",
        *_probes(found.found, axis.path),
        "",
        tipping_sentence(found),
        *_notes(found),
    ]
    return "\n".join(lines)


def tipping_sentence(found: Tipping) -> str:
    """The answer in plain English."""
    bisection, axis = found.found, found.found.axis
    path, loads = axis.path, Loads(found.loads)
    if bisection.median is None:
        return f"The runs contradict each other at the two ends of {path}; more replications may tell."
    low, high = bisection.median.bracket
    if not bisection.tips and _undecided(bisection):
        return f"It cannot be told whether {loads.name} {loads.gets} up again: {UNTOLD}."
    if not bisection.tips:
        ends = f"from {axis.show(axis.low)} to {axis.show(axis.high)} of {path}"
        if (high == math.inf) == bisection.rising:
            most = max(probe.tipped for probe in bisection.probes)
            but = f", though {most} of {counted(found.replications, 'run')} stay down at one end"
            return f"Nothing tips {ends}: {loads.name} {loads.gets} up again{but if most else ''}."
        unstable = all(probe.states.get("unstable", 0) * 2 > probe.runs for probe in bisection.probes)
        why = ", and so before any fault: there is too much load or too little capacity" if unstable else ""
        return f"{loads.start} {loads.stays} down everywhere {ends}{why}."
    down, up = (high, low) if bisection.rising else (low, high)
    more, less = ("more", "less") if bisection.rising else ("less", "more")
    return (
        f"With {path} of {axis.show(down)} or {more}, {loads.name} {loads.stays} down for good in most runs; with "
        f"{axis.show(up)} or {less}, {loads.it} {loads.gets} up again in most. {_between(bisection, axis)}"
    )


class Loads:
    """Some loads as the subject of a sentence."""

    def __init__(self, names: tuple[str, ...]) -> None:
        one = len(names) == 1
        self.name = f"the {'load' if one else 'loads'} {listed(names)}"
        self.start = self.name[0].upper() + self.name[1:]
        self.it, self.gets, self.stays = ("it", "gets", "stays") if one else ("they", "get", "stay")



UNTOLD = "there is nothing before the fault to compare with, or too little time or load after it"


def _undecided(bisection: Bisection) -> bool:
    """Whether most runs could not be judged."""
    runs = sum(probe.runs for probe in bisection.probes)
    return 2 * sum(probe.states.get("inconclusive", 0) for probe in bisection.probes) > runs


def _between(bisection: Bisection, axis: Axis) -> str:
    assert bisection.median is not None
    (low, high), sure = bisection.median.interval, bisection.median.confidence
    a = f"below {axis.show(axis.low)}" if low == -math.inf else axis.show(low)
    b = f"beyond {axis.show(axis.high)}" if high == math.inf else axis.show(high)
    return (
        f"The tipping point, at which half of all runs stay down, lies between {a} and {b}, with "
        f"{sure * 100:.3g} % confidence from {counted(bisection.median.n, 'replication')}."
    )


def _probes(bisection: Bisection, head: str) -> list[str]:
    rows = [("value" if len(head) > 24 else head, "stay down", "tried", "what became of those tried")]
    for probe in bisection.probes:
        tip = bisection.known(probe.value)[0]
        stay = f"{tip} of {len(bisection.brackets)}"
        rows.append((bisection.axis.show(probe.value), stay, str(probe.runs), _states(probe)))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return [
        "",
        *(
            f"  {row[0]:>{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
            for row in rows
        ),
    ]


def _states(probe: Probe) -> str:
    found = sorted(probe.states.items(), key=lambda pair: STATES.index(pair[0]))
    return ", ".join(state if n == probe.runs else f"{n} {state}" for state, n in found)


def _notes(found: Tipping | Relief) -> list[str]:
    lines = []
    if found.lengthened:
        lines.append(
            f"Runs go on for up to {span(found.duration_s)}, longer than the file says, so that it can be told "
            "whether the loads recover."
        )
    short = sum(probe.states.get("inconclusive", 0) for probe in found.found.probes)
    if short:
        lines.append(f"{counted(short, 'run')} could not be judged and counted as one that gets up again.")
    if found.found.contrary:
        lines.append(f"{counted(found.found.contrary, 'replication')} went the other way and were left out.")
    lines.append(f"seed {found.seed}, {counted(found.replications, 'replication')}, {counted(found.runs, 'run')}")
    return lines


# --- relief -----------------------------------------------------------------------------------------------


def relief_text(found: Relief) -> str:
    """The table of what was tried, and the sentence."""
    until = "for good" if found.until_s is None else f"until {instant(found.until_s)}"
    lines = [
        f"{found.scenario}: how much of {Loads(found.loads).name} may stay from {instant(found.at_s)} on, {until}",
        *_probes(found.found, "load that stays"),
        "",
        relief_sentence(found),
        *_notes(found),
    ]
    return "\n".join(lines)


def relief_sentence(found: Relief) -> str:
    """The answer in plain English."""
    bisection, loads = found.found, Loads(found.loads)
    first, last = bisection.probes[0], bisection.probes[-1]
    if not bisection.tips and _undecided(bisection):
        return f"It cannot be told whether {loads.name} {loads.gets} up again: {UNTOLD}."
    if bisection.median is None or (not bisection.tips and last.tipped * 2 <= last.runs):
        return f"There is nothing to relieve: {loads.name} {loads.gets} up again under the whole load."
    if not bisection.tips:
        return (
            f"Less load does not help: {loads.name} {loads.stays} down even when only {percent(first.value)} of it "
            f"is left, as far as {span(found.duration_s)} can tell. What holds it has to be restarted or cleared."
        )
    median = bisection.median
    needed, least = 1 - median.bracket[0], max(0.0, 1 - median.interval[1])
    safe = 1 - max(median.interval[0], bisection.axis.low)
    back = "" if found.until_s is None else f", and {loads.stays} up when all of it is back at {instant(found.until_s)}"
    return (
        f"{loads.start} {loads.gets} up again in most runs when {percent(needed)} of the load is taken away at "
        f"{instant(found.at_s)}{back}. The least cut that helps in half of all runs lies between {percent(least)} "
        f"and {percent(safe)}, with {median.confidence * 100:.3g} % confidence from "
        f"{counted(median.n, 'replication')}."
    )


# --- the map ----------------------------------------------------------------------------------------------


def map_text(found: Map) -> str:
    """The map in letters, the largest trigger on top, and what it says."""
    spots = {(spot.factor, spot.value): spot for spot in found.spots}
    head = [_factor(factor) for factor in found.factors]
    cells = []
    for value in reversed(found.values):
        row = [found.axis.show(value)]
        for factor in found.factors:
            spot = spots.get((factor, value))
            if spot is None:
                row.append("")
                continue
            n = spot.states[spot.state]
            row.append(LETTERS[spot.state] if n == spot.runs else f"{LETTERS[spot.state]}{n}")
        cells.append(row)
    first = max(len(row[0]) for row in cells)
    width = max(len(text) for row in [head, *cells] for text in row[-len(found.factors) :])
    lines = [
        f"{found.scenario}: {found.axis.path} against load, {counted(found.replications, 'run')} a place",
        "",
        f"  {'load':>{first}}  " + "  ".join(f"{text:>{width}}" for text in head),
        *(f"  {row[0]:>{first}}  " + "  ".join(f"{text:>{width}}" for text in row[1:]) for row in cells),
        "",
        f"  {LEGEND}",
        "",
        map_sentence(found),
    ]
    if found.lengthened:
        lines.append(f"Runs go on for {span(found.duration_s)}, so that it can be told whether the loads recover.")
    if found.interrupted:
        lines.append("Interrupted: places without a letter were not reached.")
    return "\n".join(line.rstrip() for line in lines)


def map_sentence(found: Map) -> str:
    """From which load on it is vulnerable, and from which it falls by itself."""
    tips = sorted(spot.factor for spot in found.spots if spot.state == "metastable")
    falls = sorted(spot.factor for spot in found.spots if spot.state == "unstable")
    safe = [factor for factor in found.factors if not tips or factor < tips[0]]
    safe = [factor for factor in safe if not falls or factor < falls[0]]
    parts = []
    if safe:
        parts.append(f"Up to {_factor(max(safe))} of the load nothing that was tried tips it")
    if tips:
        least = min(spot.value for spot in found.spots if spot.state == "metastable")
        parts.append(
            f"from {_factor(tips[0])} on it is vulnerable: a large enough {found.axis.path} keeps it down for good "
            f"(the least that did: {found.axis.show(least)})"
        )
    if falls:
        parts.append(f"from {_factor(falls[0])} on it needs no trigger")
    return "; ".join(parts) + "."


def _factor(share: float) -> str:
    """A share of the load, which may be more than the whole."""
    return f"{share * 100:.3g} %"


# --- for programs -----------------------------------------------------------------------------------------


def tipping_dict(found: Tipping) -> dict[str, Any]:
    """The JSON object of ``sysim tip --json``."""
    return {
        "format": FORMAT,
        "study": "tipping point",
        "scenario": found.scenario,
        **_bisection(found.found),
        "sentence": tipping_sentence(found),
        **_circumstances(found),
    }


def relief_dict(found: Relief) -> dict[str, Any]:
    """The JSON object of ``sysim relief --json``; values are shares of the load that may stay."""
    return {
        "format": FORMAT,
        "study": "relief",
        "scenario": found.scenario,
        "at_s": found.at_s,
        "until_s": found.until_s,
        **_bisection(found.found),
        "sentence": relief_sentence(found),
        **_circumstances(found),
    }


def map_dict(found: Map) -> dict[str, Any]:
    """The JSON object of the map."""
    return {
        "format": FORMAT,
        "study": "vulnerability map",
        "scenario": found.scenario,
        "path": found.axis.path,
        "unit": _unit(found.axis),
        "factors": list(found.factors),
        "values": [_plain(found.axis, value) for value in found.values],
        "spots": [
            {"factor": spot.factor, "value": _plain(found.axis, spot.value), "runs": spot.runs,
             "tipped": spot.tipped, "state": spot.state, "states": _all(spot.states)}
            for spot in found.spots
        ],
        "sentence": map_sentence(found),
        "loads": list(found.loads),
        "seed": found.seed,
        "replications": found.replications,
        "duration_s": found.duration_s,
        **({"interrupted": True} if found.interrupted else {}),
    }  # fmt: skip


def write_map(found: Map, path: Path) -> Path:
    """The map as CSV, a row a place."""
    return write_rows(
        path,
        ["load_factor", f"{found.axis.path} ({_unit(found.axis)})", "runs", "tipped", "state", *STATES],
        (
            [spot.factor, _plain(found.axis, spot.value), spot.runs, spot.tipped, spot.state,
             *(spot.states.get(state, 0) for state in STATES)]
            for spot in found.spots
        ),
    )  # fmt: skip


def _bisection(found: Bisection) -> dict[str, Any]:
    axis, median = found.axis, found.median

    def both(bracket: Bracket) -> list[float | None]:
        return [_plain(axis, value) if math.isfinite(value) else None for value in bracket]

    return {
        "path": axis.path,
        "unit": _unit(axis),
        "from": _plain(axis, axis.low),
        "to": _plain(axis, axis.high),
        "tips": found.tips,
        "more_tips": found.rising,
        "between": both(median.bracket) if median else None,
        "interval": both(median.interval) if median else None,
        "confidence": median.confidence if median else None,
        "thresholds": [both(bracket) for bracket in found.brackets],
        "probes": [
            {"value": _plain(axis, probe.value), "runs": probe.runs, "tipped": probe.tipped,
             "states": _all(probe.states)}
            for probe in found.probes
        ],
    }  # fmt: skip


def _circumstances(found: Tipping | Relief) -> dict[str, Any]:
    return {
        "loads": list(found.loads),
        "seed": found.seed,
        "replications": found.replications,
        "duration_s": found.duration_s,
        "runs": found.runs,
    }


def _all(states: Mapping[State, int]) -> dict[str, int]:
    return {state: states.get(state, 0) for state in STATES}


def _unit(axis: Axis) -> str:
    return {"duration": "s", "rate": "/s", "share": "share"}.get(axis.kind, "number")


def _plain(axis: Axis, value: float) -> float:
    return value / 1e9 if axis.kind == "duration" else int(value) if axis.kind == "count" else value
