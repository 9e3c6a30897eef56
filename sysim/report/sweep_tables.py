"""The tables of a sweep: its points, and what each factor does."""

from __future__ import annotations

from collections.abc import Sequence

from sysim.analysis.estimates import Estimate
from sysim.analysis.measures import Measure
from sysim.analysis.sobol import Indices
from sysim.analysis.words import count, counted
from sysim.report.plus_minus import Kind, plus_minus
from sysim.report.sweep_names import names, number, value_at
from sysim.report.verdicts import MARK
from sysim.study.effects import WAYS, Effects, effects, sobol_of
from sysim.study.swept import Swept

KINDS: dict[str, Kind] = {
    "share": "share", "seconds": "seconds", "per_second": "count", "money": "money", "number": "count",
}  # fmt: skip


def point_table(found: Swept, most: int) -> list[str]:
    """A row a point, of which at most so many are shown."""
    design = found.design
    head = [*names(design), *(measure.text for measure in found.measures)]
    if found.checks:
        head.append("checks")
    rows = [head]
    for one in found.points[:most]:
        row = [value_at(design, one, k) for k in range(len(design.factors))]
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


def _cell(known: Estimate | None, measure: Measure) -> str:
    if known is None:
        return "–"
    text = plus_minus(known.mean, known.half_width, KINDS[measure.unit])
    return f"{text} ({known.n} of {known.n + known.missing})" if known.missing else text


def effect_tables(found: Swept) -> list[str]:
    """For each measure what its factors do to it, where that can be told."""
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
