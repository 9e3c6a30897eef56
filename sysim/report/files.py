"""A folder with everything about a result: result.json, report.html, series as CSV, pictures as PNG and SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sysim.report.csv_file import write_rows
from sysim.result.result import Result
from sysim.result.series import Column, Series

if TYPE_CHECKING:
    from sysim.study.study import Study

MOST_GRAPHS = 6  # windows that get a graph of their own


def write_all(result: Result, folder: str | Path, scenario: str = "") -> list[Path]:
    """Write the files and return their paths, in the order in which they were written.

    `scenario` is the resolved scenario as YAML, kept beside the result so that one can compare it later.
    """
    base = Path(folder)
    base.mkdir(parents=True, exist_ok=True)
    written = [_text(base / "result.json", result.to_json(series=True, indent=1) + "\n")]
    if scenario:
        written.append(_text(base / "scenario.yaml", scenario))
    for name, table in (
        ("loads", result.loads()),
        ("services", result.services()),
        ("calls", result.calls()),
        ("causes", result.causes()),
    ):
        if table:
            written.append(write_rows(base / f"{name}.csv", list(table[0]), ([*row.values()] for row in table)))
    for run in result.runs:
        for kind in ("loads", "services", "calls"):
            subjects = getattr(run.series, kind)
            if subjects:
                suffix = "" if len(result.runs) == 1 else f"-{run.replication}"
                path = base / f"series-{kind}{suffix}.csv"
                head, rows = _series(run.series, subjects)
                written.append(write_rows(path, head, rows))
    from sysim import plot
    from sysim.report.html import of_result, page

    written.append(_text(base / "report.html", page(of_result(result, scenario))))
    figures = {
        "timeline": plot.timeline(result),
        "latency": plot.latency(result),
        "graph": plot.graph(result),
    }
    if result.causes():
        figures["causes"] = plot.causes(result)
    for window in list(result.windows)[1 : 1 + MOST_GRAPHS]:
        figures[f"graph-{window}"] = plot.graph(result, window)
    for name, figure in figures.items():
        written += [plot.save(figure, base / f"{name}{suffix}") for suffix in (".png", ".svg")]
    return written


def write_study(study: Study, folder: str | Path, scenarios: Mapping[str, str]) -> list[Path]:
    """Write check.json, report.html, differences.csv, and for each variant a folder with all about it.

    `scenarios` has the resolved scenario of each variant as YAML.
    """
    base = Path(folder)
    base.mkdir(parents=True, exist_ok=True)
    written = [_text(base / "check.json", study.to_json(indent=1) + "\n")]
    table = study.differences()
    if table:
        written.append(
            write_rows(base / "differences.csv", list(table[0]), ([*row.values()] for row in table))
        )
    from sysim.report.html import of_study, page

    content = of_study(study, scenarios.get(study.baseline, ""))
    written.append(_text(base / "report.html", page(content)))
    for name, result in study.results.items():
        written += write_all(result, base / name, scenarios.get(name, ""))
    return written


def _series(
    series: Series, subjects: Mapping[str, Mapping[str, Column]]
) -> tuple[list[str], Iterator[list[object]]]:
    names = list(next(iter(subjects.values())))

    def rows() -> Iterator[list[object]]:
        for subject, columns in subjects.items():
            for values in zip(series.t.tolist(), *(columns[name].tolist() for name in names), strict=True):
                yield [subject, *values]

    return ["name", "t_s", *names], rows()


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
