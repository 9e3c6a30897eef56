"""From a path or a text to one tree: reading bytes, following `include`, laying file upon file."""

from __future__ import annotations

from pathlib import Path

from sysim.scenario_file import yaml_core
from sysim.scenario_file.grammar import SCENARIO
from sysim.scenario_file.merge import merge_file
from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq, Source
from sysim.scenario_file.reporter import Reporter, found, join, nearest

_MOST_FILES = 100


def read_file(path: Path, shown: str, reporter: Reporter, mark: Mark | None = None) -> Map | None:
    """The tree of a file with all it includes, or None after a report at `mark`, where the file was asked
    for.
    """
    return _Includes(reporter).file(path, shown, mark)


def read_text(text: str, name: str, base: Path, reporter: Reporter) -> Map | None:
    """The tree of a text whose includes are relative to the folder `base`, or None after a report."""
    return _Includes(reporter).text(text, name, base, None)


class _Includes:
    """Follows includes. A file reached twice counts once, one that reaches itself is an error."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.open: list[Path] = []
        self.done: set[Path] = set()

    def file(self, path: Path, shown: str, mark: Mark | None) -> Map | None:
        where = mark or Mark(Source(shown))
        try:
            resolved = path.resolve()
            if resolved.is_dir():
                self.reporter.add(where, "not-a-file", "", f"found the folder {shown}, expected a file")
                return None
            size = resolved.stat().st_size
            if size > yaml_core.MAX_BYTES:
                message = f"found a file of {size} bytes, expected at most {yaml_core.MAX_BYTES}"
                self.reporter.add(where, "too-large", "", message)
                return None
            if not resolved.is_file():
                self.reporter.add(where, "not-a-file", "", f"found {shown}, expected an ordinary file")
                return None
            data = resolved.read_bytes()
        except FileNotFoundError:
            hint = _similar(path)
            self.reporter.add(where, "no-such-file", "", f"found no file {shown}, expected a scenario", hint)
            return None
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.reporter.add(where, "unreadable", "", f"found {shown[:200]}, but cannot read it: {reason}")
            return None
        text = yaml_core.decode(data, shown, self.reporter)
        return None if text is None else self.text(text, shown, resolved.parent, resolved)

    def text(self, text: str, name: str, base: Path, path: Path | None) -> Map | None:
        node = yaml_core.parse(text, name, self.reporter)
        if node is None:
            return None
        if not isinstance(node, Map):
            message = f"found {found(node)}, expected a map that begins with 'sysim: 1'"
            self.reporter.add(node, "not-a-map", "", message)
            return None
        if path is not None:
            self.open.append(path)
        below = self.included(node, name, base)
        if path is not None:
            self.open.pop()
            self.done.add(path)
        return merge_file(below, node.without("include"), SCENARIO)

    def included(self, node: Map, name: str, base: Path) -> Map | None:
        """All included files of one file, merged in their order."""
        listed = node.get("include")
        if listed is None:
            return None
        merged: Map | None = None
        for number, element in enumerate(listed.items if isinstance(listed, Seq) else (listed,)):
            at = join("include", number)
            if not isinstance(element, Scalar) or not isinstance(element.value, str):
                self.reporter.add(element, "bad-value", at, f"found {found(element)}, expected a file name")
                continue
            tree = self.one(element, element.value, at, name, base)
            merged = merged if tree is None else merge_file(merged, tree, SCENARIO)
        return merged

    def one(self, element: Node, written: str, at: str, name: str, base: Path) -> Map | None:
        shown = _shown(name, written)
        try:
            path = (base / written).resolve()
        except (OSError, ValueError, RuntimeError):
            path = base / "?"
        if path in self.open:
            self.reporter.add(
                element, "include-cycle", at, f"found {written[:200]!r}, a file that includes this one"
            )
            return None
        if path in self.done:
            return None
        if len(self.done) + len(self.open) > _MOST_FILES:
            self.reporter.add(element, "too-large", at, f"found more than {_MOST_FILES} included files")
            return None
        return self.file(base / written, shown, element.mark)


def _shown(including: str, written: str) -> str:
    """The included file's name as the user would write it from where the including one is named."""
    folder = Path(including).parent
    return written if including.startswith("<") or str(folder) == "." else str(folder / written)


def _similar(path: Path) -> str:
    try:
        hint = nearest(
            path.name, [entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml")]
        )
    except (OSError, ValueError):
        return ""
    return hint if hint.startswith("did") else ""
