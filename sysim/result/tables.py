"""Tidy tables: a row a load, service or call, with columns for replication and window."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

Row = dict[str, Any]


class Table(list[Row]):
    """A list of rows (dicts with the same keys). `to_frame` makes a pandas DataFrame, where pandas is
    installed.
    """

    def to_frame(self) -> Any:
        """A pandas DataFrame of these rows."""
        try:
            import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas") from error
        return pandas.DataFrame(list(self))

    def _repr_html_(self) -> str:
        if not self:
            return "<p>no rows</p>"
        head = "".join(f"<th>{escape(key)}</th>" for key in self[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in self[:60]
        )
        more = f"<p>… and {len(self) - 60} more rows</p>" if len(self) > 60 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def shown(value: Any) -> str:
    """A cell for people."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def flat(facts: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The entries of a nested object, their names joined by ``_``; operations and causes are left out."""
    for key, value in facts.items():
        if key in ("operations", "causes"):
            continue
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}_")
        else:
            yield before + key, value
