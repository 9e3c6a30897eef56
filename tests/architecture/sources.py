"""The sources of the package as syntax trees, and what they import: what the architecture tests look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sysim"


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    """How a file is called in a message."""
    return path.relative_to(ROOT).as_posix()


def under(*folders: str) -> list[Path]:
    """The modules in some folders of the package, or those modules themselves."""
    places = [PACKAGE / folder for folder in folders]
    found = [path for path in modules() if any(place == path or place in path.parents for place in places)]
    assert found, f"nothing is there: {folders}"
    return found


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that is imported, at the top, in functions and for type checking alike.

    ``from a import b`` is both ``a`` and ``a.b``, as `b` may be a module.
    """
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else ()
            base = ".".join((*above, *(node.module or "").split("."))).strip(".")
            yield node.lineno, base
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def importing(paths: list[Path], *forbidden: str) -> list[str]:
    """Where one of the forbidden modules, or something in it, is imported."""
    return [
        f"{name(path)}:{line}: {what}"
        for path in paths
        for line, what in imports(path)
        if any(what == module or what.startswith(f"{module}.") for module in forbidden)
    ]
