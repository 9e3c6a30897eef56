"""A fault sweep in words: what the design survives, what it does not, where it is weak; and as JSON and CSV."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sysim.analysis.stability import STATES
from sysim.analysis.words import amount, count, counted, listed, percent, span
from sysim.report.csv_file import write_rows
from sysim.result.result import FORMAT
from sysim.study.breaking import Impact, Sweep
from sysim.study.weakness import Weakness

MOST_ROWS = 15
MOST_WEAK = 10
WHOLLY = {
    "crash": "the crash of any one replica", "lost": "the loss of any one service", "slowdown": "any slow service",
    "pause": "any service that hangs", "error": "errors of any service",
    "blackhole": "silence between any two services", "zone": "the loss of any zone",
}  # fmt: skip
HARMLESS = 0.001
"""A fault that fails less than this share of all requests is not told among those that hurt."""


def sweep_text(found: Sweep, rows: int = MOST_ROWS) -> str:
    """Table, verdict and weak points. Lines that begin with a space are not to be wrapped."""
    terms = found.terms
    lines = [
        f"{found.scenario}: every single fault for {span(terms.lasts / 1e9)}, after {span(terms.settle / 1e9)} "
        f"without any, and then {span(terms.watched / 1e9)} to recover; beside the same customers without a fault",
    ]
    lines += ["", f"  The worst single faults ({min(rows, len(found.singles))} of {len(found.singles)})"]
    lines += _table(found.singles[:rows])
    if found.pairs:
        lines += ["", f"  Two faults at once ({len(found.pairs)} of {count(found.possible_pairs)} pairs were run)"]
        lines += _table(found.pairs[:rows])
    elif found.possible_pairs:
        lines += ["", f"No pairs of faults were run (--pairs); there would be {count(found.possible_pairs)}."]
    weak = found.weak[:MOST_WEAK]
    if weak:
        lines += ["", "  Where it is weak"]
        lines += [f"- {weakness_sentence(weakness)}" for weakness in weak]
        if len(found.weak) > len(weak):
            lines.append(f"- and {listed([weakness.service for weakness in found.weak[len(weak):]])}")
    lines += ["", sweep_sentence(found)]
    done = len(found.singles) + len(found.pairs)
    if found.interrupted:
        lines.append(f"Interrupted: {done} of {found.planned} faults and pairs were finished.")
    one = "; one run of each, so small differences are chance" if found.replications == 1 else ""
    lines.append(f"seed {found.seed}, {counted(found.replications, 'replication')}{one}")
    return "\n".join(lines)


def sweep_sentence(found: Sweep) -> str:
    """What it survives and what it does not."""
    parts = [_survival(found.singles, "single fault")]
    if not found.interrupted:  # of what was not tried nothing is said
        parts += _survived(found.singles)
    if found.pairs:
        parts.append(_survival(found.pairs, "pair"))
        new = [impact for impact in found.pairs if _worse_together(found, impact)]
        if new:
            names = "; ".join(impact.name for impact in new[:3])
            parts.append(
                f"{counted(len(new), 'pair')} of faults that it survives one by one {_does(len(new))} hurt together: "
                f"{names}{' and others' if len(new) > 3 else ''}."
            )
    return " ".join(parts)


def weakness_sentence(weakness: Weakness) -> str:
    """One weak point: the worst fault, whom it hits, and why."""
    hit = [(load, share) for load, share in weakness.failing.items() if share >= HARMLESS]
    hit.sort(key=lambda pair: -pair[1])
    text = f"{weakness.service}: when {weakness.fault.name}, "
    text += listed([f"{percent(share)} of {load}" for load, share in hit]) + " fail"
    if weakness.spreads:
        asks = [
            f"{'none' if (share := weakness.asking[load]) < HARMLESS else 'only ' + percent(share)} of {load}"
            for load in weakness.spreads
        ]
        text += f", though {listed(asks)} ask for it"
    facts = []
    if weakness.shared:
        facts.append(f"{listed(weakness.callers)} share it")
    if weakness.single:
        facts.append("it is a single machine")
    if weakness.external:
        facts.append("it belongs to someone else")
    return f"{text}; {listed(facts)}." if facts else f"{text}."


def _survival(impacts: tuple[Impact, ...], noun: str) -> str:
    found = Counter(impact.verdict for impact in impacts)
    n = len(impacts)
    parts = [f"Of {counted(n, noun)} the design survives {found['survives'] or 'none'}"]
    if found["recovers"]:
        parts.append(f"is hurt by {found['recovers']} but recovers by itself")
    if found["stays down"]:
        first = next(impact for impact in impacts if impact.verdict == "stays down")
        parts.append(f"does not get up from {found['stays down']} (the worst: {first.name})")
    if found["unclear"]:
        parts.append(f"was not watched long enough after {found['unclear']}")
    return f"{', '.join(parts)}."


def _survived(impacts: tuple[Impact, ...]) -> list[str]:
    """Which kinds of faults, and which places, it survives throughout."""
    fine: dict[str, bool] = {}
    for impact in impacts:
        single, well = impact.faults[0], impact.verdict == "survives"
        for key in (f"kind {single.kind}", f"place {single.place}"):
            fine[key] = fine.get(key, True) and well
    told = [WHOLLY[kind] for kind in WHOLLY if fine.get(f"kind {kind}")]
    places = sorted(key.removeprefix("place ") for key, well in fine.items() if well and key.startswith("place "))
    if fine.get("kind zone"):
        places = [place for place in places if not place.startswith("zone ")]
    if places:
        told.append(f"whatever happens to {listed(places)}")
    return [f"It survives {listed(told)}."] if told else []


def _worse_together(found: Sweep, pair: Impact) -> bool:
    alone = {impact.faults[0]: impact for impact in found.singles}
    return pair.verdict != "survives" and all(
        single in alone and alone[single].verdict == "survives" for single in pair.faults
    )


def _does(n: int) -> str:
    return "does" if n == 1 else "do"


def _table(impacts: tuple[Impact, ...]) -> list[str]:
    money = any(impact.lost for impact in impacts)
    rows = [["fault", "failed more", *(["lost more"] if money else []), "failed while it lasted", "and then"]]
    for impact in impacts:
        failed = count(round(impact.failed))
        if impact.half_width is not None:
            failed += f" ± {count(round(impact.half_width))}"
        lost = ", ".join(amount(round(total, 2), currency) for currency, total in impact.lost.items())
        during = ", ".join(
            f"{load} {percent(max(0.0, share))}" for load, share in impact.during.items() if share >= HARMLESS
        )
        rows.append([impact.name, failed, *([lost] if money else []), during or "–", _then(impact)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    right = range(1, 3 if money else 2)
    return [
        "  " + "  ".join(
            f"{cell:>{width}}" if k in right else f"{cell:<{width}}"
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]  # fmt: skip


def _then(impact: Impact) -> str:
    if impact.verdict != "recovers":
        return impact.verdict
    after = impact.recovered_after_s
    if after is None:
        return "recovers"
    return "recovers within 1 s" if after < 1 else f"recovers after {span(after)}"


# --- for programs -----------------------------------------------------------------------------------------


def sweep_dict(found: Sweep) -> dict[str, Any]:
    """The JSON object of ``sysim break --json``."""
    terms = found.terms
    return {
        "format": FORMAT,
        "study": "fault sweep",
        "scenario": found.scenario,
        "settle_s": terms.settle / 1e9,
        "fault_s": terms.lasts / 1e9,
        "watch_s": terms.watched / 1e9,
        "baseline": {"offered": found.offered, "success": found.baseline_success},
        "singles": [_impact(impact) for impact in found.singles],
        "pairs": [_impact(impact) for impact in found.pairs],
        "possible_pairs": found.possible_pairs,
        "weak_points": [
            {"service": weak.service, "fault": weak.fault.name, "failed": weak.failed,
             "failing": dict(weak.failing), "asking": dict(weak.asking), "spreads": list(weak.spreads),
             "callers": list(weak.callers), "shared": weak.shared, "single": weak.single,
             "external": weak.external, "sentence": weakness_sentence(weak)}
            for weak in found.weak
        ],
        "sentence": sweep_sentence(found),
        "seed": found.seed,
        "replications": found.replications,
        **({"interrupted": True} if found.interrupted else {}),
    }  # fmt: skip


def _impact(impact: Impact) -> dict[str, Any]:
    return {
        "name": impact.name,
        "faults": [
            {"kind": single.kind, "place": single.place, "caller": single.caller} for single in impact.faults
        ],
        "failed": impact.failed,
        "half_width_95": impact.half_width,
        "lost": dict(impact.lost),
        "failing": dict(impact.during),
        "verdict": impact.verdict,
        "states": {state: impact.states.get(state, 0) for state in STATES},
        "recovered_after_s": impact.recovered_after_s,
    }


def write_sweep(found: Sweep, path: Path) -> Path:
    """A row for each fault and pair, the worst first."""
    impacts = found.all()
    currencies = sorted({name for impact in impacts for name in impact.lost})
    loads = sorted({name for impact in impacts for name in impact.during})
    head = ["faults", "failed", *(f"lost_{name}" for name in currencies),
            *(f"failing_{load}" for load in loads), "verdict", "recovered_after_s"]  # fmt: skip
    return write_rows(
        path,
        head,
        (
            [impact.name, impact.failed, *(impact.lost.get(name) for name in currencies),
             *(impact.during.get(load) for load in loads), impact.verdict, impact.recovered_after_s]
            for impact in impacts
        ),
    )  # fmt: skip
