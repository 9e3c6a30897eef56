"""Collecting problems: nothing stops at the first one, and a wrong word is answered with the nearest right
one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from sysim.errors import Problem, ScenarioError, Severity
from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq
from sysim.units import show

_MOST_PROBLEMS = 500
_MOST_HINTS = 100


class Reporter:
    """The problems found so far. The same finding at the same place is kept once."""

    def __init__(self) -> None:
        self.problems: dict[Problem, None] = {}
        # Where a parameter is missing, whatever else is said about the text it should have replaced is noise.
        self._unresolved: set[tuple[str, int, int]] = set()

    def add(
        self,
        at: Mark | Node,
        code: str,
        path: str,
        message: str,
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        """Note a finding at a node or mark."""
        mark = at if isinstance(at, Mark) else at.mark
        place = mark.source.name, mark.line, mark.column
        if place in self._unresolved and code != "unknown-param":
            return
        if code == "unknown-param":
            self._unresolved.add(place)
        problem = Problem(
            file=mark.source.name, line=mark.line, column=mark.column, code=code, path=path,
            message=message, hint=hint, severity=severity, source=mark.source.line(mark.line),
        )  # fmt: skip
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems[problem] = None

    def nearest(self, word: str, candidates: Iterable[str]) -> str:
        """A hint such as ``did you mean 'capacity'?``, or what there is when nothing comes close."""
        if len(self.problems) > _MOST_HINTS:
            return ""
        return nearest(word, candidates)

    @property
    def errors(self) -> list[Problem]:
        """All findings that are errors, in the order of the text."""
        return in_order(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> list[Problem]:
        """All findings that are warnings, in the order of the text."""
        return in_order(problem for problem in self.problems if problem.severity == "warning")

    def stop_on_errors(self) -> None:
        """Raise ScenarioError with all errors, if there are any."""
        if errors := self.errors:
            raise ScenarioError(errors)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems file by file (in the order the files first appear), then by line and column."""
    listed = list(problems)
    files = {name: number for number, name in enumerate(dict.fromkeys(problem.file for problem in listed))}
    return sorted(listed, key=lambda p: (files[p.file], p.line, p.column))


def nearest(word: str, candidates: Iterable[str]) -> str:
    """``did you mean …?`` for the closest candidate; else the candidates themselves when they are few."""
    known = sorted({name for name in candidates if name})
    if not known:
        return ""
    lowered = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(word[:80].lower(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    return f"known: {', '.join(known)}" if len(known) <= 8 else ""


def found(node: Node) -> str:
    """What a node is, for the words after ``found``."""
    if isinstance(node, Map):
        return "a map" if node.entries else "an empty map"
    if isinstance(node, Seq):
        return "a list"
    return show(node.value)


def text_of(node: Node) -> Any:
    """The value of a scalar node; None for maps and lists."""
    return node.value if isinstance(node, Scalar) else None


def join(path: str, key: str | int) -> str:
    """`path` with one more key; a key with a dot or a quote is put in double quotes."""
    part = str(key)
    if "." in part or '"' in part or not part:
        part = '"' + part.replace('"', '\\"') + '"'
    return f"{path}.{part}" if path else part
