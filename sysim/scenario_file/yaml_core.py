"""Text to nodes: YAML 1.2 core, read from the events of PyYAML's C parser.

The events are put together here rather than by PyYAML's composer, for three reasons: that one recurses in
C (a file of nested brackets ends the process), it reads YAML 1.1 (``on`` is a truth value there and
``22:22`` a number), and it keeps the last of two equal keys. Aliases share nodes, so what they expand to
is counted, not built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq, Source
from sysim.scenario_file.reporter import Reporter, join

MAX_BYTES = 5_000_000
MAX_DEPTH = 64
MAX_NODES = 250_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NOT_A_TEXT = frozenset("0123456789+-.~nNtTfF")
"""What the scalars that are not texts begin with; everything else needs no further look."""
_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,40}")
_OCTAL = re.compile(r"0o[0-7]{1,40}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,6})?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")


def core_value(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar under the YAML 1.2 core schema."""
    if text and text[0] not in _NOT_A_TEXT:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if match := _INFINITE.fullmatch(text):
        return float(f"{match[1]}inf")
    return float("nan") if _NAN.fullmatch(text) else text


def decode(data: bytes, name: str, reporter: Reporter) -> str | None:
    """The text of a file's bytes, or None after a report: too large, not UTF-8, or not text at all."""
    mark = Mark(Source(name))
    if len(data) > MAX_BYTES:
        reporter.add(
            mark, "too-large", "", f"found a file of {len(data)} bytes, expected at most {MAX_BYTES}"
        )
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        reporter.add(mark, "bad-encoding", "", "found UTF-16, expected UTF-8", "save the file as UTF-8")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        where = Mark(Source(name), line, column)
        message = f"found the byte 0x{data[error.start]:02x}, expected UTF-8 text"
        reporter.add(where, "bad-encoding", "", message, "save the file as UTF-8")
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        reporter.add(
            Mark(Source(name), line, 1), "not-text", "", "found a NUL character, expected a text file"
        )
        return None
    return text


def parse(text: str, name: str, reporter: Reporter) -> Node | None:
    """The one document of `text` as nodes, or None after a report."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        reporter.add(
            Mark(Source(name)), "bad-encoding", "", "found a lone surrogate, expected valid Unicode text"
        )
        return None
    if size > MAX_BYTES:
        message = f"found a text of {size} bytes, expected at most {MAX_BYTES}"
        reporter.add(Mark(Source(name)), "too-large", "", message)
        return None
    source = Source(name, tuple(text.splitlines()))
    try:
        return _Composer(source, reporter).document(text)
    except _Refused:
        return None
    except yaml.YAMLError as error:
        _report_syntax(error, source, reporter)
        return None


def _report_syntax(error: yaml.YAMLError, source: Source, reporter: Reporter) -> None:
    position = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML")
    offset = getattr(error, "position", None)
    if position is not None:
        mark = Mark(source, position.line + 1, position.column + 1)
    elif isinstance(offset, int):
        before = "\n".join(source.lines).encode()[:offset]
        mark = Mark(source, before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1)
    else:
        mark = Mark(source)
    context = getattr(error, "context", None)
    line = source.line(mark.line)
    hint = ""
    if "\t" in line[: mark.column] or "'\\t'" in problem:
        hint = "indent with spaces, not with tabs"
    elif "mapping values are not allowed" in problem:
        hint = "put a text that contains ': ' in quotes, or check the indentation"
    elif "%" in problem or "@" in problem or "`" in problem:
        hint = "put this text in quotes"
    reporter.add(mark, "yaml-syntax", "", f"{problem} {context}".strip() if context else problem, hint)


class _Refused(Exception):
    """The text was refused and the reason reported."""


@dataclass(slots=True)
class _Open:
    """A map or list whose end has not been seen yet."""

    mark: Mark
    is_map: bool
    anchor: str | None
    entries: dict[str, Node]
    keys: dict[str, Mark]
    items: list[Node]
    size: int = 1
    height: int = 1
    key: str | None = None
    duplicate: bool = False


class _Composer:
    """Puts events together without recursion. One instance reads one text."""

    def __init__(self, source: Source, reporter: Reporter) -> None:
        self.source = source
        self.reporter = reporter
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        self.root: Node | None = None
        self.documents = 0

    def document(self, text: str) -> Node | None:
        for event in yaml.parse(text, Loader=_LOADER):
            self.take(event)
        if self.root is None:
            message = "found nothing, expected a scenario: a map that begins with 'sysim: 1'"
            self.reporter.add(Mark(self.source, 1, 1), "empty-file", "", message)
        return self.root

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.refuse(
                    self.mark(event), "many-documents", "found a second document, expected one to a file"
                )
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self.scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self.check_tag(event)
            self.check_size(event, 1, 1)
            mapping = isinstance(event, yaml.MappingStartEvent)
            if self.stack and self.stack[-1].is_map and self.stack[-1].key is None:
                self.refuse(self.mark(event), "bad-key", "found a map or list as a key, expected a text")
            self.stack.append(_Open(self.mark(event), mapping, event.anchor, {}, {}, []))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self.stack.pop()
            node: Node = (
                Map(done.entries, done.mark, done.keys) if done.is_map else Seq(tuple(done.items), done.mark)
            )
            self.place(node, done.size, done.height, done.anchor)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        self.check_tag(event)
        self.check_size(event, 1, 1)
        mark = self.mark(event)
        if self.stack and self.stack[-1].is_map and self.stack[-1].key is None:
            if event.anchor is not None:
                self.anchors[event.anchor] = (Scalar(event.value, mark, event.value, False), 1, 1)
            self.open_key(event.value, mark)
            return
        unquoted = event.style is None or event.style == ""
        value = core_value(event.value) if unquoted and event.implicit[0] else event.value
        self.place(Scalar(value, mark, event.value, unquoted), 1, 1, event.anchor)

    def open_key(self, key: str, mark: Mark) -> None:
        parent = self.stack[-1]
        parent.key = key
        parent.duplicate = key in parent.entries
        if parent.duplicate:
            first = parent.keys[key]
            message = f"found {key!r} a second time, expected each key once"
            self.reporter.add(
                mark, "duplicate-key", self.path(key), message, f"it is also on line {first.line}"
            )
        else:
            parent.keys[key] = mark

    def path(self, key: str) -> str:
        """The path of `key` in the map that is open now."""
        path = ""
        for parent in self.stack[:-1]:
            path = join(path, parent.key or "" if parent.is_map else len(parent.items))
        return join(path, key)

    def alias(self, event: yaml.AliasEvent) -> None:
        mark = self.mark(event)
        anchor = event.anchor or ""
        if anchor not in self.anchors:
            inside = any(parent.anchor == anchor for parent in self.stack)
            wrong = f"*{anchor} inside itself" if inside else f"*{anchor} without &{anchor} before it"
            self.refuse(mark, "bad-alias", f"found {wrong}, expected an anchor that is complete")
        node, size, height = self.anchors[anchor]
        if self.stack and self.stack[-1].is_map and self.stack[-1].key is None:
            if not isinstance(node, Scalar):
                self.refuse(mark, "bad-key", "found a map or list as a key, expected a text")
            else:
                self.open_key(node.text, mark)
            return
        self.check_size(event, size, height)
        self.place(node, size, height, None)

    def place(self, node: Node, size: int, height: int, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = (node, size, height)
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if parent.size > MAX_NODES:
            self.refuse(
                node.mark, "too-large", f"found more than {MAX_NODES} values, counting what aliases repeat"
            )
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is not None:
            if not parent.duplicate:
                parent.entries[parent.key] = node
            parent.key = None

    def check_size(self, event: yaml.Event, size: int, height: int) -> None:
        if len(self.stack) + height > MAX_DEPTH:
            message = f"found more than {MAX_DEPTH} levels of nesting, expected a flatter file"
            self.refuse(self.mark(event), "too-deep", message)
        if sum(parent.size for parent in self.stack) + size > MAX_NODES:
            message = f"found more than {MAX_NODES} values, counting what aliases repeat"
            self.refuse(self.mark(event), "too-large", message)

    def check_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            self.refuse(
                self.mark(event), "yaml-tag", f"found the tag {tag}, expected a plain value without tags"
            )

    def refuse(self, mark: Mark, code: str, message: str) -> None:
        self.reporter.add(mark, code, "", message)
        raise _Refused

    def mark(self, event: yaml.Event) -> Mark:
        start = event.start_mark
        return Mark(self.source, start.line + 1, start.column + 1) if start else Mark(self.source)
