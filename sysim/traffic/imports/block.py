"""What an import comes to: loads as YAML to paste, and what they do not say any more."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sysim.units import format_duration

SECOND = 1_000_000_000


@dataclass
class Imported:
    """`loads` maps names to the lines of their YAML; `lost` says in sentences what is not in it; `length` (ns) is how
    long it goes on, None where it does not say.
    """

    source: str
    loads: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    length: int | None = None
    call: str | None = None

    def lose(self, what: str) -> None:
        """Note something that is lost, once."""
        if what not in self.lost:
            self.lost.append(what)

    @property
    def yaml(self) -> str:
        """The block to paste."""
        lines = [f"# imported from {self.source}"]
        if self.length is not None:
            lines.append(f"# needs time: {{duration: {format_duration(self.length)}}}")
        lines.append("load:")
        for name, body in self.loads.items():
            lines.append(f"  {name}:")
            target = self.call or "service.operation"
            lines.append(f"    call: {target}" if self.call else f"    # call: {target}: what one iteration calls")
            lines += [f"    {line}" for line in body]
        return "\n".join(lines) + "\n"


def name_of(text: str, taken: Any = ()) -> str:
    """A name of the file's grammar that is near to `text` and not taken."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-") or "users"
    base = base if not base[0].isdigit() else f"load_{base}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def rate_of(count: float, per: int) -> str:
    """A rate of so many in `per` ns."""
    for unit, length in (("/s", SECOND), ("/m", 60 * SECOND), ("/h", 3_600 * SECOND), ("/d", 86_400 * SECOND)):
        if per == length:
            return f"{count:g}{unit}" if f"{count:g}" == repr(count).removesuffix(".0") else f"{count!r}{unit}"
    value = count * SECOND / per
    return f"{round(value, 12):.12f}".rstrip("0").rstrip(".") + "/s"
