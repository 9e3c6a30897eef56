"""A capacity plan in words: the replicas, what they cost, what breaks first; and as JSON, CSV and a scenario file."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sysim.analysis.checks import Verdict
from sysim.analysis.estimates import Estimate
from sysim.analysis.words import Clock, amount, counted, listed, per_second, percent, span
from sysim.model import OpenLoad
from sysim.model.demand import mean_rate
from sysim.result.result import FORMAT
from sysim.study.capacity.curve import Saturation
from sysim.study.capacity.plan import HOURS_A_MONTH, CapacityPlan
from sysim.study.capacity.search import Certificate
from sysim.study.capacity.situations import Situation
from sysim.study.capacity.supply import STARTUP, Supplies, Supply

NS = 1_000_000_000
FEWER = {"violated": "breaks it", "overloaded": "overloads it", "undecided": "cannot tell", "holds": "would do"}
WORDS = {"holds": "kept", "violated": "broken", "undecided": "cannot tell"}


def plan_text(found: CapacityPlan) -> str:
    """Table, verdicts and sentences. Lines that begin with a space are not to be wrapped."""
    lines = [_asked(found), ""]
    lines += _table(found)
    lines += ["", *_kept(found)] if found.certificate is not None else []
    lines += ["", *_ways(found.supplies, found.room.currency)] if found.supplies is not None else []
    lines += ["", *sentences(found), method(found)]
    return "\n".join(lines)


def plan_sentence(found: CapacityPlan) -> str:
    """The answer alone."""
    return sentences(found)[0]


def sentences(found: CapacityPlan) -> tuple[str, ...]:
    """What to buy, how sure that is, what breaks first, and where latency begins to climb."""
    if found.sizes is None or found.certificate is None:
        return (f"There is no plan: {found.problem}.",)
    told = [_answer(found), _sure(found)]
    if found.saturations:
        told.append(_saturated(found))
    if found.curve is not None:
        knee = found.curve.knee
        told.append(
            f"The knee of the latency curve of {found.curve.load} lies at {knee.factor:.2g} times this load: up to "
            f"there goodput rises faster than the mean latency ({span(knee.mean_s)} there, p99 {span(knee.p99_s)})."
        )
    if found.supplies is not None:
        told += [_supply(found, found.supplies, way) for way in found.supplies.ways[1:]]
        told += _assumed(found.supplies)
    return tuple(told)


def _supply(found: CapacityPlan, ways: Supplies, way: Supply) -> str:
    """What one way costs and loses beside replicas that are there all the time."""
    static, more = ways.ways[0], way.more
    assert more is not None
    if way.cost is not None and static.cost:
        less = 1 - way.cost / static.cost
        share = f"{abs(less) * 100:.0f} %"
        word = "as much" if share == "0 %" else f"{share} less" if less > 0 else f"{share} more"
        cost = f"would cost {word} over the whole run"
    else:
        cost = "would do"
    clock = _clock(found)
    when = f"between {clock(ways.start / NS)} and {clock(ways.end / NS)}"
    if not more.differs:
        what = listed(found.loads)
        return f"{way.name.capitalize()} replicas {cost}, and lose no more {what} {when} that could be told."
    sure = "" if more.half_width is None else f" ± {more.half_width:,.0f}"
    word = "more" if more.mean > 0 else "fewer"
    return (
        f"{way.name.capitalize()} replicas {cost}, and lose {abs(more.mean):,.0f}{sure} {word} of {way.offered:,} "
        f"{listed(found.loads)} {when}."
    )


def _assumed(ways: Supplies) -> list[str]:
    if not ways.assumed:
        return []
    return [f"The file has no startup of {listed(ways.assumed)}: {span(STARTUP / NS)} was assumed for these two ways."]


def _asked(found: CapacityPlan) -> str:
    first = found.situations[0]
    clock = _clock(found)
    rates = [
        f"{per_second(mean_rate(load.rate, first.start, first.end))} of {name}"
        for name, load in sorted(found.scenario.load.items()) if isinstance(load, OpenLoad)
    ]  # fmt: skip
    which = "the stretch" if found.planning.window is not None else "the busiest stretch"
    return (
        f"{found.scenario.name}: {which} from {clock(first.start / NS)} to {clock(first.end / NS)}, {listed(rates)}; "
        f"promised: {listed([goal.text for goal in found.goals])}; whether {listed([s.name for s in found.situations])}"
    )


def _clock(found: CapacityPlan) -> Clock:
    return Clock(found.scenario.time.start, found.scenario.time.duration / NS, found.scenario.time.zone)


def _answer(found: CapacityPlan) -> str:
    room, sizes = found.room, found.sizes
    assert sizes is not None
    replicas = listed([f"{n} of {name}" for name, n in zip(room.names, sizes, strict=True)])
    text = f"The plan: {replicas}"
    if found.per_hour is not None and found.written_per_hour is not None:
        month, before = (x * HOURS_A_MONTH for x in (found.per_hour, found.written_per_hour))
        text += f", {amount(month, room.currency)} a month for everything"
        if abs(month - before) >= 0.005:
            than = f"{'less' if month < before else 'more'} than the file's"
            text += f" ({amount(abs(month - before), room.currency)} {than})"
    return f"{text}."


def _sure(found: CapacityPlan) -> str:
    certificate = found.certificate
    assert certificate is not None
    sure = f"{certificate.plan.confidence * 100:.3g} % confidence"
    held = certificate.plan.word == "holds"
    what = "It keeps what is promised" if held else "Whether it keeps what is promised cannot be told"
    when = listed([f"when {s.name}" for s in found.situations])
    text = f"{what}, {when}, with {sure} in a check on other random numbers."
    if not held:
        return text
    least = [
        name for name, n, low in zip(found.room.names, certificate.sizes, found.room.least, strict=True) if n <= low
    ]
    words = {word: [name for name in certificate.fewer if _fewer(certificate, name) == word] for word in FEWER}
    if words["violated"]:
        every = not least and len(words["violated"]) == len(certificate.fewer)
        which = "any of them" if every and len(certificate.fewer) > 1 else listed(words["violated"])
        text += f" With one replica fewer of {which} it is broken, with the same confidence."
    if words["overloaded"]:
        text += f" One fewer of {listed(words['overloaded'])} breaks no promise, but gives it more work than it can do."
    if words["undecided"]:
        text += f" Whether one fewer of {listed(words['undecided'])} would do cannot be told: it is too close."
    if words["holds"]:
        text += f" One fewer of {listed(words['holds'])} would do."
    if least:
        text += f" Of {listed(least)} there are as few as there may be."
    return text


def _saturated(found: CapacityPlan) -> str:
    parts: list[str] = []
    for one in found.saturations:
        situation = found.situations[one.situation]
        parts.append(_point(one, situation, not parts))
    return " ".join(parts)


def _point(one: Saturation, situation: Situation, first: bool) -> str:
    when = f"when {situation.name}"
    if math.isinf(one.found.bracket[1]):
        return f"{'It' if first else 'And it'} takes {_times(one.factor)} times this load and more {when}."
    low, high = one.found.interval
    interval = (
        f"{_times(one.factor)} times this load ({_times(low)} to {_times(high)}, {one.found.confidence * 100:.0f} % "
        "interval)"
    )
    if one.bottleneck is None:
        return f"It saturates at {interval} {when}."
    return f"{one.bottleneck} is what breaks first, at {interval} {when}: {one.how}."


def _times(factor: float) -> str:
    return f"{factor:.2f}" if factor < 10 else f"{factor:.3g}"


def _fewer(certificate: Certificate, name: str) -> str:
    """What becomes of the plan with one replica fewer of a service."""
    return "overloaded" if name in certificate.overloaded else certificate.fewer[name].word


def _table(found: CapacityPlan) -> list[str]:
    scenario, room = found.scenario, found.room
    sizes = dict(zip(room.names, found.sizes or found.written, strict=True))
    shown = list(found.busy)
    head = ["service", "file", "plan", *(f"busy, {name}" for name in shown)]
    priced = found.per_hour is not None
    if priced:
        head.append(f"{room.currency} a month")
    if found.certificate is not None:
        head.append("with one fewer")
    rows = [head]
    for name, body in sorted(scenario.services.items(), key=lambda item: (item[0] not in sizes, item[0])):
        if body.kind == "external":
            continue
        n = sizes.get(name, body.replicas)
        row = [name, str(body.replicas), str(n) if name in sizes else f"({n})"]
        row += [_share(found.busy[situation].get(name)) for situation in shown]
        if priced:
            row.append("–" if body.cost is None else f"{n * body.cost.amount * HOURS_A_MONTH:,.2f}")
        if found.certificate is not None:
            row.append(FEWER[_fewer(found.certificate, name)] if name in found.certificate.fewer else "")
        rows.append(row)
    if priced:
        assert found.per_hour is not None
        total = f"{found.per_hour * HOURS_A_MONTH:,.2f}"
        rows.append(["in all", "", "", *[""] * len(shown), total, *([""] if found.certificate is not None else [])])
    return aligned(rows)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with the first column to the left and the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    found = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
        found.append(f"  {'  '.join(cells)}".rstrip())
    return found


def _kept(found: CapacityPlan) -> list[str]:
    assert found.certificate is not None
    rows = [["promise", "when", "found", f"{found.certificate.plan.confidence * 100:.3g} % interval", ""]]
    for number, verdicts in sorted(found.certificate.plan.verdicts.items()):
        for goal, verdict in zip(found.goals, verdicts, strict=True):
            interval = "–" if verdict.interval is None else " to ".join(goal.show(x) for x in verdict.interval)
            word = WORDS[{"pass": "holds", "fail": "violated", "inconclusive": "undecided"}[verdict.verdict]]
            rows.append([goal.text, found.situations[number].name, goal.show(verdict.value), interval, word])
    return aligned(rows)


def _ways(ways: Supplies, currency: str | None) -> list[str]:
    rows = [["replicas", "lost at the peak", "more than static", *([f"{currency} for the run"] if currency else [])]]
    for way in ways.ways:
        more = "" if way.more is None else _around(way.more)
        cost = [] if way.cost is None else [f"{way.cost:,.2f}"]
        rows.append([way.name, f"{_around(way.lost)} of {way.offered:,}", more, *cost])
    return aligned(rows)


def _around(one: Estimate) -> str:
    return f"{one.mean:,.0f}" if not one.half_width else f"{one.mean:,.0f} ± {one.half_width:,.0f}"


def method(found: CapacityPlan) -> str:
    """How the answer was come by."""
    room = found.room
    what = "the cost" if room.minimise == "cost" else "the number of replicas"
    return (
        f"searched with seed {found.seed}, checked with seed {found.fresh_seed}; {counted(found.tried, 'set')} of "
        f"sizes tried, {counted(found.runs, 'run')} in all. The search makes {what} small by taking away single "
        "replicas, the dearest services first: another mix may be as cheap. A month has 730 hours; all replicas "
        "run all the time."
    )


# --- for programs -----------------------------------------------------------------------------------------


def plan_dict(found: CapacityPlan) -> dict[str, Any]:
    """The JSON object of ``sysim plan --json``."""
    certificate, room = found.certificate, found.room
    return {
        "format": FORMAT,
        "study": "capacity plan",
        "scenario": found.scenario.name,
        "found": found.sizes is not None,
        "problem": found.problem or None,
        "promises": [
            {"slo": goal.slo, "load": goal.load, "kind": goal.kind, "limit": goal.limit,
             "quantile": goal.quantile or None, "text": goal.text}
            for goal in found.goals
        ],
        "situations": [
            {"name": s.name, "from_s": s.start / NS, "to_s": s.end / NS, "busy": dict(found.busy.get(s.name, {})),
             "verdicts": [] if certificate is None else
             [_verdict(one) for one in certificate.plan.verdicts.get(number, ())]}
            for number, s in enumerate(found.situations)
        ],
        "minimise": room.minimise,
        "services": {
            name: {"written": before, "replicas": None if found.sizes is None else found.sizes[k],
                   "price_per_hour": room.prices[k],
                   "with_one_fewer": None if certificate is None or name not in certificate.fewer
                   else _fewer(certificate, name)}
            for k, (name, before) in enumerate(zip(room.names, found.written, strict=True))
        },
        "holds": None if certificate is None else certificate.plan.word,
        "confidence": found.planning.confidence,
        "currency": room.currency,
        "cost_per_hour": found.per_hour,
        "cost_per_month": None if found.per_hour is None else found.per_hour * HOURS_A_MONTH,
        "written_cost_per_month": None if found.written_per_hour is None else found.written_per_hour * HOURS_A_MONTH,
        "saturation": [
            {"when": found.situations[one.situation].name, "factor": _finite(one.factor),
             "interval": [_finite(x) for x in one.found.interval], "confidence": one.found.confidence,
             "bottleneck": one.bottleneck}
            for one in found.saturations
        ],
        "curve": None if found.curve is None else {
            "load": found.curve.load,
            "knee": found.curve.knee.factor,
            "points": [
                {"factor": p.factor, "offered_per_s": p.offered, "goodput_per_s": p.good, "mean_s": p.mean_s,
                 "p50_s": p.p50_s, "p99_s": p.p99_s}
                for p in found.curve.points
            ],
        },
        "day": None if found.day is None else {
            "looked_s": found.day.looked_s,
            "slots": [
                {"from_s": s.start_s, "to_s": s.end_s, "offered_per_s": dict(s.offered), "lost": dict(s.lost)}
                for s in found.day.slots
            ],
        },
        "ways": None if found.supplies is None else {
            "from_s": found.supplies.start / NS,
            "to_s": found.supplies.end / NS,
            "startup_assumed": list(found.supplies.assumed),
            "each": [
                {"name": way.name, "offered": way.offered, "lost": way.lost.mean, "half_width": way.lost.half_width,
                 "more_than_static": None if way.more is None else way.more.mean,
                 "more_half_width": None if way.more is None else way.more.half_width, "cost_of_run": way.cost}
                for way in found.supplies.ways
            ],
        },
        "sentences": list(sentences(found)),
        "seed": found.seed,
        "fresh_seed": found.fresh_seed,
        "runs": found.runs,
    }  # fmt: skip


def _verdict(one: Verdict) -> dict[str, Any]:
    interval = None if one.interval is None else list(one.interval)
    return {"check": one.check, "verdict": one.verdict, "value": one.value, "interval": interval}


def _finite(x: float) -> float | None:
    return None if math.isinf(x) else x


def write_day(found: CapacityPlan, path: Path) -> Path:
    """A row for each slot: rates offered, and the share lost in each situation."""
    assert found.day is not None
    loads = list(found.day.slots[0].offered)
    kinds = list(found.day.slots[0].lost)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["from_s", "to_s", *(f"offered_per_s_{x}" for x in loads), *(f"lost when {x}" for x in kinds)])
        for slot in found.day.slots:
            writer.writerow([slot.start_s, slot.end_s, *slot.offered.values(), *slot.lost.values()])
    return path


def write_scenario(found: CapacityPlan, path: Path, file: Path) -> Path:
    """A scenario file that includes `file` and has the replicas of the plan, ready to be run and checked."""
    assert found.sizes is not None
    include = os.path.relpath(file.resolve(), path.parent.resolve())
    lines = ["# The replicas of a capacity plan, over the file that it was made for.", "sysim: 1",
             f"include: [{include!r}]".replace("'", '"'), "services:"]  # fmt: skip
    lines += [f"  {name}: {{replicas: {n}}}" for name, n in zip(found.room.names, found.sizes, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


__all__ = ["method", "percent", "plan_dict", "plan_sentence", "plan_text", "sentences", "write_day", "write_scenario"]
