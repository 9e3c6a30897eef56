"""The models and experiments that come with sysim, and how a name leads to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Entry:
    """A shipped model or experiment: its name, what it is, where it lies, and its own description."""

    name: str
    kind: Literal["model", "experiment"]
    path: Path
    description: str = ""


def library() -> tuple[Entry, ...]:
    """The models and experiments that come with sysim, in a checkout or in an installed package."""
    here = Path(__file__).resolve().parent
    found: list[Entry] = []
    kinds: tuple[tuple[str, Literal["model", "experiment"]], ...] = (
        ("models", "model"),
        ("experiments", "experiment"),
    )
    for folder, kind in kinds:
        for base in (here / "_library" / folder, here.parent / folder):
            files = sorted(base.rglob("*.yaml"), key=lambda path: path.stem) if base.is_dir() else []
            found += [Entry(path.stem, kind, path, _description(path)) for path in files]
            if files:
                break
    return tuple(found)


def _description(path: Path) -> str:
    import yaml

    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    return " ".join(str(tree.get("description") or "").split()) if isinstance(tree, dict) else ""


def locate(path: str | Path) -> Path:
    """The file that is meant: the one at a path, or the shipped one of that name."""
    place = Path(path)
    if place.exists() or place.suffix in (".yaml", ".yml") or place.parent != Path("."):
        return place
    for entry in library():
        if entry.name == str(path):
            return entry.path
    return place
