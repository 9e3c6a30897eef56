"""The tree of a file as nodes that know where they stand. Nodes are never changed: edits make new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """One text that nodes come from: a file, or an argument such as ``--set a.b=3``."""

    name: str
    lines: tuple[str, ...] = ()

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1, or an empty string."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a source; line and column count from 1, 0 means none."""

    source: Source
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, with the text it was written as; `plain` when it stood without quotes."""

    value: str | int | float | bool | None
    mark: Mark
    text: str = ""
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Map:
    """A map from text keys to nodes; `keys` holds where each key stands."""

    entries: dict[str, Node]
    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)

    def key_mark(self, key: str) -> Mark:
        """Where `key` is written, or the map itself where that is not known."""
        return self.keys.get(key, self.mark)

    def items(self) -> Iterator[tuple[str, Node]]:
        """All entries but those whose key starts with ``x-``, which are the user's own."""
        return ((key, node) for key, node in self.entries.items() if not key.startswith("x-"))

    def get(self, key: str) -> Node | None:
        """The node under `key`; None when it is absent or null."""
        node = self.entries.get(key)
        return None if node is None or is_null(node) else node

    def put(self, key: str, node: Node, mark: Mark | None = None) -> Map:
        """A copy with `key` set."""
        return Map({**self.entries, key: node}, self.mark, {**self.keys, key: mark or node.mark})

    def without(self, key: str) -> Map:
        """A copy that lacks `key`."""
        return Map({k: v for k, v in self.entries.items() if k != key}, self.mark, self.keys)


@dataclass(frozen=True, slots=True)
class Seq:
    """A list of nodes."""

    items: tuple[Node, ...]
    mark: Mark


Node = Scalar | Map | Seq


def is_null(node: Node) -> bool:
    """Whether a node is ``null`` or left empty."""
    return isinstance(node, Scalar) and node.value is None


def plain(node: Node) -> Any:
    """The node as plain dicts, lists and scalars, without ``x-`` keys."""
    if isinstance(node, Map):
        return {key: plain(child) for key, child in node.items()}
    if isinstance(node, Seq):
        return [plain(child) for child in node.items]
    return node.value


def node_of(value: Any, mark: Mark) -> Node:
    """Nodes for plain values, all standing at `mark`. Raises TypeError for anything YAML has no form for."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return Scalar(value, mark, "" if value is None else str(value), plain=not isinstance(value, str))
    if isinstance(value, dict):
        return Map({str(key): node_of(child, mark) for key, child in value.items()}, mark)
    if isinstance(value, (list, tuple)):
        return Seq(tuple(node_of(child, mark) for child in value), mark)
    raise TypeError(
        f"found a {type(value).__name__}, expected a map, a list, a text, a number, true, false or null"
    )


def name_of(node: Node) -> str | None:
    """The ``name:`` of a list element, if it has one."""
    if isinstance(node, Map):
        name = node.entries.get("name")
        if isinstance(name, Scalar) and isinstance(name.value, str):
            return name.value
    return None
