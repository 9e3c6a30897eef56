"""What can go wrong, as a small tree of exceptions and one value type.

``SysimError`` is the root of everything sysim raises on purpose:

- ``ScenarioError``: the scenario is not valid; carries every `Problem` that was found, not only the first.
- ``UnsupportedByEngine``: the scenario is valid, but the chosen engine cannot run it.
- ``SimulationError``: a run had to stop, for example because time no longer advances.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a scenario, with the place where it was found.

    `line` and `column` count from 1; both are 0 where there is no text behind the scenario. `source` is the
    offending line, shown with a caret under `column`. A problem of severity ``warning`` never stops a run.
    """

    file: str
    line: int
    column: int
    code: str
    path: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    source: str = ""

    def headline(self) -> str:
        """The finding in one line: ``file:line:column: code: path: message, hint``.

        A value given on the command line has no line: ``--set path: code: …``.
        """
        on_command_line = self.file.startswith(("--set ", "--param ", "--vary", "--measure"))
        where = f"{self.file}:{self.line}:{self.column}" if self.line and not on_command_line else self.file
        label = f"warning: {self.code}" if self.severity == "warning" else self.code
        parts = [where, label, self.path, self.message] if self.path else [where, label, self.message]
        text = ": ".join(parts)
        return f"{text}, {self.hint}" if self.hint else text

    def __str__(self) -> str:
        """The headline, followed by the offending line and a caret where the line is known."""
        if not self.source.strip() or self.column < 1:
            return self.headline()
        line, column = _clip(self.source.replace("\t", " "), self.column)
        return f"{self.headline()}\n    {line}\n    {' ' * (column - 1)}^"


def _clip(line: str, column: int, width: int = 120) -> tuple[str, int]:
    """Cut a long line down to `width` characters around `column`, so that one bad file cannot fill a
    screen.
    """
    if len(line) <= width:
        return line.rstrip(), column
    start = min(max(0, column - width // 2), max(0, len(line) - width))
    return line[start : start + width].rstrip(), column - start


class SysimError(Exception):
    """The root of all exceptions that sysim raises on purpose."""


class ScenarioError(SysimError):
    """The scenario is not valid. `problems` holds every finding, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UnsupportedByEngine(SysimError):
    """The scenario is valid, but the chosen engine cannot run it; the message says what it lacks."""


class SimulationError(SysimError):
    """A run had to be stopped; the message names what kept it from going on."""
