"""A sweep in words: a table of points, where the checks hold, what each factor does; and as JSON, CSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sysim.analysis.estimates import Estimate
from sysim.analysis.measures import Measure
from sysim.analysis.sobol import Indices
from sysim.analysis.words import amount, count, counted, listed, percent, span
from sysim.errors import SysimError
from sysim.model import Check
from sysim.report.plus_minus import Kind, plus_minus
from sysim.report.verdicts import MARK
from sysim.result.result import FORMAT
from sysim.study.design import Design
from sysim.study.effects import WAYS, Effects, effects, sobol_of
from sysim.study.factors import Factor
from sysim.study.swept import Found, Swept

MOST_ROWS = 40
VAGUE = 0.6
"""An interval of a Sobol index that is wider than this tells nothing."""
MOST_LISTED = 12  # values in a sentence
KINDS: dict[str, Kind] = {
    "share": "share", "seconds": "seconds", "per_second": "count", "money": "money", "number": "count",
}  # fmt: skip


def sweep_text(found: Swept, rows: int = MOST_ROWS) -> str:
    """Table, effects and sentences. Lines that begin with a space are not to be wrapped."""
    lines = [_head(found), "", *_table(found, rows)]
    shown = [*(f"  {check.text}" for check in found.checks)]
    if shown:
        lines += ["", "  checks, in the order of the columns: ✓ holds, ✗ fails, ? inconclusive", *shown]
    if len(found.design.factors) > 1:
        lines += _effects(found)
    lines += ["", *sweep_sentences(found)]
    how = "all on the same random numbers" if found.common else "each with random numbers of its own"
    chance = "; one run each, so small differences are chance" if found.replications == 1 else ""
    lines += ["", f"seed {found.seed}, {counted(found.replications, 'replication')} of each point, {how}{chance}"]
    return "\n".join(lines)


def sweep_sentences(found: Swept) -> list[str]:
    """Where the checks hold, what matters most, and what one should know."""
    told = [_where(found, check) for check in found.checks]
    told += [_extremes(found, k) for k in range(len(found.measures)) if not found.checks]
    told += [sentence for k in range(len(found.measures)) if (sentence := _explained(found, k))]
    lost = [one for one in found.points if one.state == "failed"]
    if lost:
        why = f"the first {_name(found, lost[0])}: {lost[0].failure}"
        told.append(f"{counted(len(lost), 'point')} could not be run, {why}.")
    if found.left_out:
        told.append(f"Not judged, as they compare variants: {listed(found.left_out)}.")
    if found.interrupted:
        done = sum(one.state == "complete" for one in found.points)
        told.append(f"Interrupted: {done} of {counted(len(found.points), 'point')} were finished.")
    return [sentence for sentence in told if sentence]


def _head(found: Swept) -> str:
    design = found.design
    name = found.scenario + (f"@{found.variant}" if found.variant else "")
    n = counted(len(design.points), "point")
    how = {
        "grid": f"a grid of {n}", "list": f"a list of {n}", "random": f"{n} drawn at random",
        "latin hypercube": f"a Latin hypercube of {n}", "one at a time": f"one factor at a time, {n}",
        "sobol": f"{n} for Sobol indices, from {design.base} base points",
    }[design.kind]  # fmt: skip
    return f"{name}: {listed([factor.path for factor in design.factors])}; {how}"


def names(design: Design) -> list[str]:
    """Each path as short as it can be told from the others: its last part, or more of them."""
    paths = [factor.path.split(".") for factor in design.factors]
    found = []
    for path in paths:
        n = next(
            (n for n in range(1, len(path) + 1) if sum(other[-n:] == path[-n:] for other in paths) == 1), len(path)
        )
        while n < len(path) and path[-n].isdigit():
            n += 1
        found.append(".".join(path[-n:]))
    return found


def _table(found: Swept, most: int) -> list[str]:
    design = found.design
    head = [*names(design), *(measure.text for measure in found.measures)]
    if found.checks:
        head.append("checks")
    rows = [head]
    for one in found.points[:most]:
        row = [_value(design, one, k) for k in range(len(design.factors))]
        if one.state in ("failed", "not run"):
            row += [one.state, *[""] * (len(head) - len(row) - 1)]
        else:
            row += [_cell(known, measure) for known, measure in zip(one.measured, found.measures, strict=True)]
            if found.checks:
                row.append(" ".join(MARK[v] if (v := one.verdict(check)) else "–" for check in found.checks))
        rows.append(row)
    lines = columns(rows, left=len(design.factors))
    if len(found.points) > most:
        lines.append(f"  … and {count(len(found.points) - most)} more points: --csv FILE has them all")
    return lines


def columns(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Cells under each other, the first `left` columns from the left and the others from the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  " + "  ".join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]  # fmt: skip


def _value(design: Design, one: Found, factor: int) -> str:
    path = design.factors[factor].path
    return design.factors[factor].show(one.point.values[path]) if path in one.point.values else "·"


def _cell(known: Estimate | None, measure: Measure) -> str:
    if known is None:
        return "–"
    text = plus_minus(known.mean, known.half_width, KINDS[measure.unit])
    return f"{text} ({known.n} of {known.n + known.missing})" if known.missing else text


def number(value: float, measure: Measure) -> str:
    """A value of a measure as one reads it."""
    if measure.unit == "share":
        return percent(value)
    if measure.unit == "seconds":
        return span(value)
    if measure.unit == "money":
        return amount(value, measure.currency)
    return f"{count(value)}/s" if measure.unit == "per_second" else count(value)


# --- sentences -----------------------------------------------------------------------------------------------------


def _where(found: Swept, check: Check) -> str:
    """At which points a check holds."""
    judged = [(one, outcome) for one in found.points if (outcome := one.verdict(check)) is not None]
    if not judged:
        return ""
    by = {word: [one for one, outcome in judged if outcome == word] for word in ("pass", "fail", "inconclusive")}
    text = f"`{check.text}`"
    if len(by["pass"]) == len(judged):
        return f"{text} holds at every point."
    if len(by["fail"]) == len(judged):
        return f"{text} fails at every point."
    if len(found.design.factors) == 1 and found.design.kind != "one at a time":
        parts = [
            f"{word} at {_values(found, some)}"
            for word, some in (("holds", by["pass"]), ("fails", by["fail"]), ("is inconclusive", by["inconclusive"]))
            if some
        ]
        return f"{text} {listed(parts)}."
    parts = [f"holds at {len(by['pass'])} of {counted(len(judged), 'point')}", f"fails at {len(by['fail'])}"]
    if by["inconclusive"]:
        parts.append(f"is inconclusive at {len(by['inconclusive'])}")
    return f"{text} {listed(parts)}."


def _values(found: Swept, some: Sequence[Found]) -> str:
    """Values of the only factor; neighbours as a range."""
    factor = found.design.factors[0]
    order = {one.point.number: k for k, one in enumerate(_sorted(found))}
    places = sorted(order[one.point.number] for one in some)
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    told = _sorted(found)

    def show(place: int) -> str:
        return factor.show(told[place].point.values[factor.path])

    parts = [show(run[0]) if len(run) == 1 else f"{show(run[0])} to {show(run[-1])}" for run in runs]
    return listed(parts if len(parts) <= MOST_LISTED else [*parts[:MOST_LISTED], f"{len(parts) - MOST_LISTED} more"])


def _sorted(found: Swept) -> list[Found]:
    factor = found.design.factors[0]
    if factor.axis is None:
        return list(found.points)
    return sorted(found.points, key=lambda one: factor.place(one.point.values.get(factor.path)) or 0.0)


def _extremes(found: Swept, measure: int) -> str:
    known = [(one, mean) for one, mean in zip(found.points, found.means(measure), strict=True) if mean is not None]
    if len(known) < 2:
        return ""
    (low, least), (high, most) = (pick(known, key=lambda pair: pair[1]) for pick in (min, max))
    one = found.measures[measure]
    if number(least, one) == number(most, one):
        return f"{one.text} is {number(least, one)} everywhere."
    return (
        f"{one.text} goes from {number(least, one)} ({_name(found, low)}) to {number(most, one)} "
        f"({_name(found, high)})."
    )


def _name(found: Swept, one: Found) -> str:
    shown = [
        f"{name} = {_value(found.design, one, k)}"
        for k, name in enumerate(names(found.design))
        if found.design.factors[k].path in one.point.values
    ]
    return f"at {', '.join(shown)}" if shown else "with the file as it is"


def _explained(found: Swept, measure: int) -> str:
    """What Sobol indices say, in a sentence."""
    got = sobol_of(found, measure)
    if got is None:
        return ""
    name = found.measures[measure].text
    order = sorted(range(len(got.factors)), key=lambda k: -got.factors[k].total)
    short = names(found.design)
    first = got.factors[order[0]]
    if any(one.total_interval[1] - one.total_interval[0] > VAGUE for one in got.factors):
        if first.total_interval[0] > max(got.factors[k].total_interval[1] for k in order[1:]):
            return f"{short[order[0]]} makes most of the variance of {name}; more base points would say how much."
        return f"What makes the variance of {name} cannot be told from {got.rows} base points: take more of them."
    alone = max(0.0, min(1.0, first.first))
    text = f"Of the variance of {name}, {short[order[0]]} alone makes {alone * 100:.0f} %"
    idle = [short[k] for k in order if got.factors[k].total_interval[1] < 0.05]
    together = 1 - sum(max(0.0, index.first) for index in got.factors)
    if together > 0.1:
        text += f", and {together * 100:.0f} % comes of factors working together"
    if idle:
        text += f"; {listed(idle)} {'makes' if len(idle) == 1 else 'make'} next to nothing of it"
    return text + "."


def _effects(found: Swept) -> list[str]:
    lines: list[str] = []
    for k, measure in enumerate(found.measures):
        got = sobol_of(found, k)
        if got is not None:
            lines += ["", *_indices(found, measure, got)]
        elif (moved := effects(found, k)) is not None:
            lines += ["", *_moved(found, measure, moved)]
    return lines


def _indices(found: Swept, measure: Measure, got: Indices) -> list[str]:
    left = f", {counted(got.missing, 'row')} without a value left out" if got.missing else ""
    lines = [f"  Sobol indices of {measure.text} ({got.confidence * 100:g} % intervals by bootstrap{left})"]
    rows = [["factor", "first order", "", "total", ""]]
    for k in sorted(range(len(got.factors)), key=lambda k: -got.factors[k].total):
        one = got.factors[k]
        rows.append(
            [names(found.design)[k], f"{one.first:.3f}", _between(one.first_interval), f"{one.total:.3f}",
             _between(one.total_interval)]
        )  # fmt: skip
    return lines + columns(rows, left=1)


def _between(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _moved(found: Swept, measure: Measure, moved: Effects) -> list[str]:
    short = dict(zip((factor.path for factor in found.design.factors), names(found.design), strict=True))
    left = f"; {counted(moved.missing, 'point')} without a value left out" if moved.missing else ""
    lines = [f"  What each factor does to {measure.text} ({WAYS[moved.way]}{left})"]
    rows = [["factor", "least", "at", "greatest", "at"]]
    for one in moved.factors:
        at = one.at if one.swing else ("–", "–")
        rows.append([short[one.path], number(one.ends[0], measure), at[0], number(one.ends[1], measure), at[1]])
    return lines + columns(rows, left=1)


# --- for programs --------------------------------------------------------------------------------------------------


def sweep_dict(found: Swept) -> dict[str, Any]:
    """The JSON object of ``sysim sweep --json``. It does not depend on where and in which order points were run."""
    design = found.design
    return {
        "format": FORMAT,
        "study": "sweep",
        "scenario": {"name": found.scenario, "digest": found.digest, "variant": found.variant},
        "seed": found.seed,
        "replications": found.replications,
        "random_numbers": "common" if found.common else "independent",
        "confidence": found.confidence,
        "design": {
            "kind": design.kind,
            "factors": [
                {"path": factor.path, "levels": list(factor.levels), "drawn_between": _range(design, factor)}
                for factor in design.factors
            ],
            "rows": list(design.rows) or None,
        },
        "measures": [{"measure": one.text, "unit": one.unit, "currency": one.currency} for one in found.measures],
        "points": [_point(found, one) for one in found.points],
        "effects": _effect_dicts(found),
        "sentences": sweep_sentences(found),
        **({"interrupted": True} if found.interrupted else {}),
    }  # fmt: skip


def _range(design: Design, factor: Factor) -> list[Any] | None:
    """The ends between which the values of a factor were drawn, None where they were not."""
    if not factor.between or factor.axis is None or design.kind not in ("random", "latin hypercube", "sobol"):
        return None
    return [factor.axis.write(factor.axis.low), factor.axis.write(factor.axis.high)]


def _point(found: Swept, one: Found) -> dict[str, Any]:
    out: dict[str, Any] = {
        "point": one.point.number, "values": dict(one.point.values), "state": one.state, "seed": one.seed,
        "replications": list(one.replications),
        "measured": {
            measure.text: None if known is None else {
                "mean": known.mean, "half_width": known.half_width, "n": known.n, "values": list(values),
            }
            for measure, known, values in zip(found.measures, one.measured, one.values, strict=True)
        } if one.measured else {},
        "checks": [verdict.to_dict() for verdict in one.verdicts],
    }  # fmt: skip
    if one.failure:
        out["failure"] = one.failure
    return out


def _effect_dicts(found: Swept) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    if len(found.design.factors) < 2:
        return told
    for k, measure in enumerate(found.measures):
        got = sobol_of(found, k)
        if got is not None:
            told.append({
                "measure": measure.text, "way": "sobol", "mean": got.mean, "variance": got.variance, "rows": got.rows,
                "missing": got.missing,
                "factors": [
                    {"path": factor.path, "first": one.first, "first_interval": list(one.first_interval),
                     "total": one.total, "total_interval": list(one.total_interval)}
                    for factor, one in zip(found.design.factors, got.factors, strict=True)
                ],
            })  # fmt: skip
        elif (moved := effects(found, k)) is not None:
            told.append({
                "measure": measure.text, "way": moved.way, "base": moved.base,
                "missing": moved.missing,
                "factors": [
                    {"path": one.path, "least": one.ends[0], "least_at": one.at[0], "greatest": one.ends[1],
                     "greatest_at": one.at[1], "points": one.of}
                    for one in moved.factors
                ],
            })  # fmt: skip
    return told


def write_csv(found: Swept, path: Path) -> Path:
    """A row a point; what is not there is empty. Values are as in the scenario file, numbers in units of the JSON."""
    rows = found.table()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
    return path


def need_parquet() -> None:
    """Raise `SysimError` where Parquet cannot be written."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise SysimError("Parquet needs the package pyarrow: pip install 'sysim[parquet]'")


def write_parquet(found: Swept, path: Path) -> Path:
    """The same table as Parquet: numbers as numbers, values that are not all numbers as text."""
    need_parquet()
    import pyarrow
    from pyarrow import parquet

    rows = found.table()
    table: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        known = [value for value in values if value is not None]
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)
        if name in (measure.text for measure in found.measures) or name.endswith((" low", " high")):
            table[name] = pyarrow.array(values, pyarrow.float64())
        elif known and numbers:
            whole = all(isinstance(value, int) for value in known)
            table[name] = pyarrow.array(values, pyarrow.int64() if whole else pyarrow.float64())
        else:
            table[name] = pyarrow.array([None if v is None else str(v) for v in values], pyarrow.string())
    parquet.write_table(pyarrow.table(table), path)
    return path
