"""Where texts for people go: a terminal with its colour and width, or plain text of a fixed width."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import IO

from rich.console import Console

PLAIN_WIDTH = 150
PROSE_WIDTH = 100


def on_console(out: IO[str], draw: Callable[[Console], None]) -> None:
    """Have `draw` write to `out`. Colour and width suit a terminal; anything else gets plain text."""
    if hasattr(out, "isatty") and out.isatty():
        draw(Console(file=out, highlight=False))
        return
    text = StringIO()
    draw(Console(file=text, highlight=False, width=PLAIN_WIDTH, color_system=None))
    out.write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))
