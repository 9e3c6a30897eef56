"""Which variants a study runs, and which of them the others are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sysim.errors import SysimError

AS_IT_STANDS = "baseline"
"""The name that a file without variants goes by where a name is needed."""


def chosen(patches: Mapping[str, Mapping[str, Any]], wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The variants to run, in the order of the file: those wanted, or all; () where the file has none."""
    names = tuple(patches)
    unknown = [name for name in wanted if name not in patches]
    if unknown:
        known = f"expected one of {', '.join(names)}" if names else "but the file has no variants"
        raise SysimError(f"found the variant {unknown[0]!r}, {known}")
    return tuple(name for name in names if not wanted or name in wanted)


def baseline_of(patches: Mapping[str, Mapping[str, Any]], ran: Sequence[str]) -> str | None:
    """The variant that the others are held against: the one without changes, if it is run, else the first."""
    unchanged = [name for name in ran if not patches.get(name)]
    return unchanged[0] if unchanged else ran[0] if ran else None
