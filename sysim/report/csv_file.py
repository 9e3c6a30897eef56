"""Tables as CSV files: UTF-8, a head, lines that end in a line feed everywhere."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path


def write_rows(path: Path, head: Iterable[object], rows: Iterable[Iterable[object]]) -> Path:
    """Write a table; what is None is left empty. The path is returned."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    return path
