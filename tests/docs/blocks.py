"""Fenced blocks, tables and links of a page of documentation, and the rules by which a block is tried.

- ``console``: lines that begin with ``$`` are run: ``sysim …`` (also with ``> file``), ``echo $?`` and ``ls``.
  What stands below a command has to come in its output, in this order; a line ``…`` or a ``…`` in a line stands
  for anything, and numbers may differ a little, as they do from one machine to another. A command that exits with
  anything but 0 must be followed by ``$ echo $?``.
- ``yaml``: with ``sysim: 1`` a scenario, otherwise a part of one, which is put on top of ``shop.yaml``. Both have
  to be valid. A first line ``# name.yaml`` puts the file where the commands find it; one called ``broken…`` is not
  checked, so that a command can say what is wrong with it.
- ``python``: executed, all blocks of a page in one namespace. A ``text`` block right after it is what it prints.
- ``json``: one value, as `json` reads it.
- ``sh``: lines of ``make`` name targets that exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```([a-z{}]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Block:
    """One fenced block, and the line where it begins."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(text)]


def links(page: Path) -> list[str]:
    """The targets of a page's links, code blocks left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from the headings' words."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            assert found, f"line {block.line}: output before the first command"
            found[-1][1].append(line)
    return found


def missing(shown: list[str], printed: str) -> str | None:
    """The first shown line that the output does not have after the ones before it; None if it has all."""
    rest = iter(" ".join(line.split()) for line in printed.splitlines())
    for line in shown:
        wanted = " ".join(line.split())
        if wanted != "…" and not any(alike(wanted, line) for line in rest):
            return line
    return None


def alike(shown: str, printed: str) -> bool:
    """Whether two lines say the same, numbers that are close taken as equal and ``…`` as anything."""
    parts = [re.escape(_NUMBER.sub("0", part)) for part in shown.split("…")]
    if "…" in shown:
        return re.fullmatch(".*".join(parts), _NUMBER.sub("0", printed)) is not None
    if not re.fullmatch(parts[0], _NUMBER.sub("0", printed)):
        return False
    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(printed), strict=True)
    return all(_close(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 0.1 * max(a, b) + 0.011


def tables(page: Path, kind: str) -> dict[str, list[str]]:
    """The tables announced by ``<!-- kind: what -->``: what -> the code words of the first column, in order."""
    found: dict[str, list[str]] = {}
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(rf"<!-- {kind}: (\S+) -->\n+((?:\|.*\n)+)", text):
        rows = [line.split("|")[1] for line in match[2].splitlines()[2:]]
        assert match[1] not in found, f"{page}: two tables for {match[1]}"
        found[match[1]] = [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
    return found
