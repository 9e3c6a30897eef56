"""The points of a list, read from a CSV file: a column for each path, a row for each point."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

from sysim.errors import Problem, ScenarioError
from sysim.units import show


def read(path: Path) -> list[dict[str, Any]]:
    """Written values by path, row by row; a cell that is empty leaves its path as it is in the scenario.

    Raises `ScenarioError` with everything that cannot be read.
    """
    from sysim.scenario_file import value

    problems: list[Problem] = []

    def wrong(line: int, message: str) -> None:
        problems.append(Problem(str(path), line, 1, "bad-points", "", message))

    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            rows = [(reader.line_num, row) for reader in [csv.reader(file, skipinitialspace=True)] for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ScenarioError([Problem(str(path), 1, 1, "bad-points", "", f"found no CSV: {error}")]) from None
    rows = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        wrong(1, "found no points, expected a line with paths and below it a line for each point")
        raise ScenarioError(problems)
    paths = [cell.strip() for cell in rows[0][1]]
    for number, name in enumerate(paths):
        if not name:
            wrong(rows[0][0], f"found no path in column {number + 1}, expected one")
        elif name in paths[:number]:
            wrong(rows[0][0], f"found the path {show(name)} twice, expected it once")
    found: list[dict[str, Any]] = []
    for line, row in rows[1:]:
        if len(row) != len(paths):
            wrong(line, f"found {len(row)} cells, expected {len(paths)} as in the first line")
            continue
        point = {}
        for name, cell in zip(paths, row, strict=True):
            try:
                if cell.strip():
                    point[name] = value(cell.strip(), str(path))
            except ScenarioError as error:
                problems += [replace(problem, line=line) for problem in error.problems]
        found.append(point)
    if problems:
        raise ScenarioError(problems)
    return found
