"""`Study`: variants side by side, with their verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from sysim.analysis.checks import Verdict, exit_code
from sysim.analysis.corrections import Correction
from sysim.analysis.headline import HEADLINES, Cell, cell, windows_asked_for
from sysim.analysis.strictness import Strictness
from sysim.errors import Place
from sysim.model import Check
from sysim.result.result import FORMAT, Result
from sysim.result.tables import Row, Table, shown
from sysim.study.sequential import Reason, Sampling


@dataclass(frozen=True, slots=True)
class Abort:
    """The condition of `abort_when` on which a study was given up, and the run in which it held."""

    condition: str
    variant: str
    replication: int
    place: Place | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        at = self.place and {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        return {
            "condition": self.condition,
            "variant": self.variant,
            "replication": self.replication,
            "place": at,
        }


@dataclass(frozen=True)
class Study:
    """What `sysim.check` found out: a `Result` a variant, and the verdicts on all of them.

    Replication k of every variant has the same random numbers, so `baseline` and the others are compared in
    pairs. `verdicts` are in the order of the checks, then of the variants; `checks` holds the check of each.
    `sampling` says how replications were planned, `strictness` how sure each verdict had to be, `reason` why
    there are no more, `correction` how the number of verdicts was allowed for. `differences()` is a tidy
    table, `sentences` one line of English a variant, `to_dict()` the JSON object of ``sysim check --json``.
    """

    name: str
    results: Mapping[str, Result] = field(repr=False)
    baseline: str
    verdicts: tuple[Verdict, ...]
    checks: tuple[Check, ...] = field(repr=False)
    sampling: Sampling
    strictness: Strictness
    reason: Reason
    correction: Correction
    abort: Abort | None = None

    @property
    def replications(self) -> int:
        """How many replications every variant has."""
        return min(len(result.runs) for result in self.results.values())

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the study before it was done."""
        return self.reason == "interrupted"

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        """That of ``sysim check``: 0 all hold, 1 any fails, 3 some are inconclusive, 130 interrupted."""
        return 130 if self.interrupted else 1 if self.abort is not None else exit_code(self.verdicts)

    @property
    def level(self) -> float:
        """The confidence of each interval of the tables, looks allowed for: 95 % over all of them together."""
        return self.strictness.level(0.95)

    def __getitem__(self, variant: str) -> Result:
        return self.results[variant]

    @cached_property
    def windows(self) -> tuple[str, ...]:
        """The windows that the tables show: those that the checks look at, else the whole run."""
        first = next(iter(self.results.values()))
        return windows_asked_for(self.checks, list(first.windows))

    @cached_property
    def loads(self) -> tuple[str, ...]:
        """The loads of any variant, in the order of the file."""
        return tuple(
            dict.fromkeys(load for r in self.results.values() for load in r.windows["all"].loads)
        )

    def cell(self, variant: str, metric: str, load: str, window: str) -> Cell:
        """A headline number of a variant, with its paired difference against the baseline."""
        against = None if variant == self.baseline else self.results[self.baseline].runs
        return cell(self.results[variant].runs, against, metric, load, window, self.level)

    def differences(self) -> Table:
        """A row a variant, load, window and headline number: the mean, and how it differs from the baseline."""
        rows: list[Row] = []
        for variant in self.results:
            for load in self.loads:
                for window in self.windows:
                    for metric in HEADLINES:
                        rows.append(self._row(variant, load, window, metric))
        return Table(rows)

    def _row(self, variant: str, load: str, window: str, metric: str) -> Row:
        found = self.cell(variant, metric, load, window)
        own, difference = found.own, found.difference
        return {
            "variant": variant,
            "load": load,
            "window": window,
            "metric": metric,
            "mean": own.mean if own else None,
            "half_width": own.half_width if own else None,
            "replications": found.of,
            "with_data": own.n if own else 0,
            "baseline": None if variant == self.baseline else self.baseline,
            "difference": difference.mean if difference else None,
            "difference_half_width": difference.half_width if difference else None,
            "pairs": difference.n if difference else 0,
            "confidence": self.level,
        }

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """One sentence a variant: whether it holds, and why one says so."""
        from sysim.report.mitigations import sentences

        return sentences(self)

    @cached_property
    def method(self) -> str:
        """How replications and confidence were chosen, in words."""
        from sysim.report.mitigations import method

        return method(self)

    def to_dict(self, series: bool = False) -> dict[str, Any]:
        """The JSON object of ``sysim check --json``."""
        out: dict[str, Any] = {
            "format": FORMAT,
            "variants": {name: result.to_dict(series) for name, result in self.results.items()},
            "checks": [verdict.to_dict() for verdict in self.verdicts],
            "differences": list(self.differences()),
            "study": {
                "replications": self.replications,
                "baseline": self.baseline,
                "looks": list(self.sampling.planned),
                "precision": self.sampling.precision,
                "budget_s": self.sampling.budget_s,
                "stopped": self.reason,
                "correction": self.correction,
                "method": self.method,
                "exit_code": self.exit_code,
            },
            "sentences": list(self.sentences),
        }
        if self.abort is not None:
            out["aborted"] = self.abort.to_dict()
        if self.interrupted:
            out["interrupted"] = True
        return out

    def to_json(self, series: bool = False, indent: int | None = None) -> str:
        """`to_dict` as text; without data there is null, never NaN."""
        return json.dumps(self.to_dict(series), allow_nan=False, ensure_ascii=False, indent=indent)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(metric)}</th>" for metric in HEADLINES)
        blocks = []
        for load in self.loads:
            for window in self.windows:
                rows = []
                for variant in self.results:
                    cells = [self._html_cell(variant, metric, load, window) for metric in HEADLINES]
                    rows.append(f"<tr><th>{escape(variant)}</th>{''.join(cells)}</tr>")
                title = f"{escape(load)}, {escape(window)}"
                blocks.append(f"<table><caption>{title}</caption><tr><th></th>{head}</tr>{''.join(rows)}</table>")
        verdicts = "".join(
            f"<li>{escape(v.verdict)}: {escape(v.variant or '')} {escape(v.check)}</li>" for v in self.verdicts
        )
        told = "".join(f"<li>{escape(text)}</li>" for text in self.sentences)
        return (
            f"<div><b>{escape(self.name)}</b> {escape(self.method)}{''.join(blocks)}"
            f"<ul>{told}</ul><ul>{verdicts}</ul></div>"
        )

    def _html_cell(self, variant: str, metric: str, load: str, window: str) -> str:
        own = self.cell(variant, metric, load, window).own
        if own is None:
            return "<td>–</td>"
        half = "" if own.half_width is None else f" ± {shown(own.half_width)}"
        return f"<td>{shown(own.mean)}{half}</td>"
