"""Literals of JavaScript, read and never executed: what can be said without a program.

Objects, arrays, strings, templates without `${…}`, numbers, true, false, null, undefined, comments and trailing commas.
"""

from __future__ import annotations

import re
from typing import Any

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)")
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_TOKEN = re.compile(r"\S+")
_OPTIONS = re.compile(r"export\s+(?:const|let|var)\s+options\s*(?::[^=]*)?=\s*")
_SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_DEEPEST = 64


class NotLiteral(ValueError):
    """Something that only a program could evaluate, or no JavaScript; with its line and column, from 1."""

    def __init__(self, text: str, at: int, expected: str) -> None:
        found = _TOKEN.match(text, at)
        self.found = "the end of the file" if found is None else repr(found[0][:40])
        self.expected = expected
        self.line = text.count("\n", 0, at) + 1
        self.column = at - (text.rfind("\n", 0, at) + 1) + 1
        super().__init__(f"found {self.found}, expected {expected}")


def options_of(text: str) -> tuple[Any, int] | None:
    """The value of `export const options = …` and where it begins; None if there is no such line outside of comments
    and strings. Raises `NotLiteral`.
    """
    bare = _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    found = _OPTIONS.search(bare)
    if found is None:
        return None
    value, end = _value(text, found.end(), 0)
    after = _SPACE.match(text, end)
    assert after is not None
    rest = text[after.end() : after.end() + 1]
    broken = "\n" in text[end : after.end()]
    if rest not in ("", ";") and (not broken or rest in ".([+-*/%?&|=<>`,"):
        raise NotLiteral(text, after.end(), "the end of a literal")
    return value, found.end()


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    at = _space(text, at)
    if depth > _DEEPEST:
        raise NotLiteral(text, at, f"at most {_DEEPEST} levels")
    first = text[at : at + 1]
    if first == "{":
        return _object(text, at + 1, depth)
    if first == "[":
        return _array(text, at + 1, depth)
    if first and first in "'\"`":
        return _string(text, at)
    if number := _NUMBER.match(text, at):
        digits = number[0].replace("_", "")
        value = float(int(digits, 16)) if "x" in digits.lower() else float(digits)
        return (int(value) if value.is_integer() else value), number.end()
    if word := _WORD.match(text, at):
        known = {"true": True, "false": False, "null": None, "undefined": None}
        if word[0] in known:
            return known[word[0]], word.end()
    raise NotLiteral(text, at, "a literal: an object, an array, a text, a number, true, false or null")


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while True:
        at = _space(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        if text[at : at + 1] in ("'", '"'):
            key, at = _string(text, at)
        elif word := re.compile(r"[\w$]+").match(text, at):
            key, at = word[0], word.end()
        else:
            raise NotLiteral(text, at, "a key")
        at = _space(text, at)
        if text[at : at + 1] != ":":
            raise NotLiteral(text, at, "':' after a key")
        found[key], at = _value(text, at + 1, depth + 1)
        at = _separator(text, at, "}")


def _array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        at = _space(text, at)
        if text[at : at + 1] == "]":
            return found, at + 1
        value, at = _value(text, at, depth + 1)
        found.append(value)
        at = _separator(text, at, "]")


def _separator(text: str, at: int, end: str) -> int:
    at = _space(text, at)
    if text[at : at + 1] == ",":
        return at + 1
    if text[at : at + 1] != end:
        raise NotLiteral(text, at, f"',' or '{end}' after a literal")
    return at


def _string(text: str, begin: int) -> tuple[str, int]:
    parts: list[str] = []
    quote, at = text[begin], begin + 1
    while at < len(text):
        char = text[at]
        if char == quote:
            return "".join(parts), at + 1
        if char == "\n" and quote != "`":
            break
        if quote == "`" and text.startswith("${", at):
            raise NotLiteral(text, at, "a text without ${…}")
        if char == "\\":
            escape = text[at + 1 : at + 2]
            if escape in "xu":
                raise NotLiteral(text, at, "a text without escapes by number")
            parts.append(_ESCAPES.get(escape, escape))
            at += 2
            continue
        parts.append(char)
        at += 1
    raise NotLiteral(text, begin, f"a closing {quote}")
