"""Elements of HTML and SVG as text. Everything is escaped unless it was made here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = frozenset(("br", "meta", "hr", "col", "wbr"))


class Markup(str):
    """Text that is HTML already: made by `el`, or written in this package."""

    __slots__ = ()


Child = object


def el(tag: str, /, *children: Child, **attributes: object) -> Markup:
    """An element. Children are text, elements, or lists of them; None is left out.

    Names of attributes lose a closing underscore, and others become hyphens: ``class_``, ``stroke_width``. An
    attribute that is None or False is left out, one that is True has no value.
    """
    told = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        name = name.rstrip("_").replace("_", "-")
        told.append(f" {name}" if value is True else f' {name}="{escape(_text(value))}"')
    head = f"<{tag}{''.join(told)}>"
    return Markup(head if tag in VOID else f"{head}{joined(children)}</{tag}>")


def joined(children: Iterable[Child]) -> Markup:
    """Children one after the other."""
    return Markup("".join(_child(child) for child in children))


def place(x: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int | float):
        return escape(_text(child))
    if isinstance(child, Iterable):
        return joined(child)
    raise TypeError(f"found {type(child).__name__}, expected text, an element or a list of them")


def _text(value: object) -> str:
    return place(value) if isinstance(value, float) else str(value)
