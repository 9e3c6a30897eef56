"""A sweep in words: a table of points, where the checks hold, what each factor does; and as JSON, CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sysim.analysis.words import counted, listed
from sysim.errors import SysimError
from sysim.report.csv_file import write_rows
from sysim.report.sweep_names import whereabouts
from sysim.report.sweep_sentences import explained, extremes, where
from sysim.report.sweep_tables import effect_tables, point_table
from sysim.result.result import FORMAT
from sysim.study.design import Design
from sysim.study.effects import effects, sobol_of
from sysim.study.factors import Factor
from sysim.study.swept import Found, Swept

MOST_ROWS = 40


def sweep_text(found: Swept, rows: int = MOST_ROWS) -> str:
    """Table, effects and sentences. Lines that begin with a space are not to be wrapped."""
    lines = [_head(found), "", *point_table(found, rows)]
    shown = [*(f"  {check.text}" for check in found.checks)]
    if shown:
        lines += ["", "  checks, in the order of the columns: ✓ holds, ✗ fails, ? inconclusive", *shown]
    if len(found.design.factors) > 1:
        lines += effect_tables(found)
    lines += ["", *sweep_sentences(found)]
    how = "all on the same random numbers" if found.common else "each with random numbers of its own"
    chance = "; one run each, so small differences are chance" if found.replications == 1 else ""
    lines += ["", f"seed {found.seed}, {counted(found.replications, 'replication')} of each point, {how}{chance}"]
    return "\n".join(lines)


def sweep_sentences(found: Swept) -> list[str]:
    """Where the checks hold, what matters most, and what one should know."""
    told = [where(found, check) for check in found.checks]
    told += [extremes(found, k) for k in range(len(found.measures)) if not found.checks]
    told += [sentence for k in range(len(found.measures)) if (sentence := explained(found, k))]
    lost = [one for one in found.points if one.state == "failed"]
    if lost:
        why = f"the first {whereabouts(found, lost[0])}: {lost[0].failure}"
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
    return write_rows(path, rows[0], (row.values() for row in rows))


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
