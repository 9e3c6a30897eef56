"""Shapes: the building blocks the grammar of the file is written in.

A shape says one thing in four ways, so that they cannot drift apart: how a node is read into a model
value, how two layers of it are merged (`form_of`), which path leads where (`child`, `known`), and its JSON
Schema. Reading never raises for a mistake of the user: it reports, returns `INVALID`, and goes on with the
rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sysim.model.values import NAME_PATTERN
from sysim.scenario_file.nodes import Map, Node, Scalar, Seq, is_null
from sysim.scenario_file.reporter import found, join
from sysim.units import UnitError

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

NAME: Final = re.compile(NAME_PATTERN.strip("^$"))
Schema = dict[str, Any]


class _Invalid:
    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()
"""What reading gives for a node whose problems have been reported."""


class Shape:
    """The base of all shapes. `noun` completes "expected …"."""

    noun = "a value"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        """The model value of `node`, which stands at path `at`; `INVALID` after a report."""
        raise NotImplementedError

    def schema(self, defs: dict[str, Schema]) -> Schema:
        """The JSON Schema; named shapes put theirs into `defs`."""
        raise NotImplementedError

    def child(self, key: str) -> Shape | None:
        """The shape of what stands under `key`, None when no such key can stand here."""
        return None

    def known(self) -> Iterable[str]:
        """The keys that can stand here, for hints."""
        return ()

    def form_of(self, node: Node) -> str:
        """Which of several forms `node` has; two layers of different forms are not merged but replaced."""
        return type(node).__name__

    def wrong(self, node: Node, at: str, ctx: Reading, hint: str = "") -> Any:
        """Report that `node` is not what this shape expects."""
        ctx.report(node, "bad-value", at, f"found {found(node)}, expected {self.noun}", hint)
        return INVALID


class Value(Shape):
    """A scalar read by a function of `sysim.units` or one like it, which raises UnitError."""

    def __init__(
        self, reader: Callable[[Any], Any], noun: str, schema: Schema, code: str = "bad-value"
    ) -> None:
        self.reader, self.noun, self._schema, self.code = reader, noun, schema, code

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Scalar):
            return self.wrong(node, at, ctx)
        try:
            return self.reader(node.value)
        except UnitError as error:
            ctx.report(node, self.code, at, f"found {found(node)}, expected {error.expected}", error.hint)
            return INVALID

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return dict(self._schema)


class Timed(Value):
    """A scalar that needs the run's own times to be read: an instant or a window."""

    def __init__(self, reader: Callable[[Any, Reading], Any], noun: str, schema: Schema) -> None:
        super().__init__(lambda value: value, noun, schema, "bad-instant")
        self.timed = reader

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Scalar):
            return self.wrong(node, at, ctx)
        try:
            return self.timed(node.value, ctx)
        except UnitError as error:
            ctx.report(node, self.code, at, f"found {found(node)}, expected {error.expected}", error.hint)
            return INVALID


class Word(Shape):
    """One of a few words. `later` are words of the format that are not supported yet."""

    def __init__(self, noun: str, words: Collection[str], later: Collection[str] = ()) -> None:
        self.noun, self.words, self.later = noun, tuple(words), tuple(later)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value in self.words:
                return node.value
            if node.value in self.later:
                return not_yet(node, at, ctx, f"{self.noun} {node.value!r}")
            listed = ", ".join(self.words)
            hint = ctx.reporter.nearest(node.value, self.words)
            hint = hint if hint.startswith("did") else ""
            ctx.report(node, "unknown-word", at, f"found {found(node)}, expected {self.noun}: {listed}", hint)
            return INVALID
        ctx.report(
            node, "bad-value", at, f"found {found(node)}, expected {self.noun}: {', '.join(self.words)}"
        )
        return INVALID

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"enum": list(self.words)}


class Record(Shape):
    """A map with known keys, built into a model by `build`, which gets each key under `names` of it, or
    its own.

    `later` are keys of the format that are not supported yet. What `build` refuses is reported at the key
    concerned.
    """

    def __init__(
        self,
        noun: str,
        build: Callable[..., Any],
        fields: Mapping[str, Shape],
        required: Collection[str] = (),
        names: dict[str, str] | None = None,
        later: Collection[str] = (),
        order: Collection[str] = (),
    ) -> None:
        self.noun, self.build, self.fields = noun, build, dict(fields)
        self.required, self.names, self.later = tuple(required), names or {}, tuple(later)
        self.order = tuple(order)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        values = self.read_fields(node, at, ctx)
        return INVALID if values is None else self.construct(values, node, at, ctx)

    def read_fields(self, node: Node, at: str, ctx: Reading) -> dict[str, Any] | None:
        """The read value of each key, or None after a report."""
        if not isinstance(node, Map):
            self.wrong(node, at, ctx)
            return None
        values, good = self._read_known(node, at, ctx)
        if not good:
            # What could be read may still be out of its range: say so now rather than in the next round.
            self._check_ranges(values, node, at, ctx)
        return values if good else None

    def _read_known(self, node: Map, at: str, ctx: Reading) -> tuple[dict[str, Any], bool]:
        values: dict[str, Any] = {}
        good = True
        entries = dict(node.items())
        for key in (*(k for k in self.order if k in entries), *(k for k in entries if k not in self.order)):
            child, path = entries[key], join(at, key)
            if key in self.fields:
                if is_null(child):
                    continue
                values[key] = self.fields[key].read(child, path, ctx)
                good = good and values[key] is not INVALID
            elif key in self.later:
                not_yet(node.key_mark(key), path, ctx, repr(key))
                good = False
            else:
                unknown_key(key, node, at, ctx, self.fields, self.noun)
                good = False
        later = any(key in self.later for key in entries)
        for key in self.required:
            if key not in values and not later:
                message = f"found no {key!r}, expected it in {self.noun}"
                ctx.report(node, "missing-key", at, message)
                good = False
        return values, good

    def _check_ranges(self, values: dict[str, Any], node: Map, at: str, ctx: Reading) -> None:
        fields = getattr(self.build, "model_fields", {})
        readable = {key: value for key, value in values.items() if value is not INVALID}
        given = {self.names.get(key, key): (key, value) for key, value in readable.items()}
        try:
            self.build(**{name: value for name, (_, value) in given.items() if name in fields})
        except ValidationError as error:
            for detail in error.errors():
                if detail["type"] in _LIMITS and detail["loc"] and detail["loc"][0] in given:
                    key = given[str(detail["loc"][0])][0]
                    child = node.entries[key]
                    ctx.report(child, "bad-value", join(at, key), refusal(detail, child))
        except (TypeError, ValueError):
            return

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        """Build the model; its own refusals become problems at their keys."""
        given = {self.names.get(key, key): value for key, value in values.items()}
        try:
            return self.build(**given)
        except ValidationError as error:
            back = {self.names.get(key, key): key for key in self.fields}
            for detail in error.errors():
                key = next((back[part] for part in detail["loc"] if part in back), None)
                child = node.get(key) if isinstance(node, Map) and key else None
                path = at if child is None or key is None else join(at, key)
                ctx.report(child or node, "bad-value", path, refusal(detail, child))
            return INVALID

    def schema(self, defs: dict[str, Schema]) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {key: shape.schema(defs) for key, shape in self.fields.items()},
            "patternProperties": {"^x-": {}},
            "additionalProperties": False,
        }
        if self.required:
            schema["required"] = list(self.required)
        return schema

    def child(self, key: str) -> Shape | None:
        return self.fields.get(key)

    def known(self) -> Iterable[str]:
        return self.fields


class MapOf(Shape):
    """A map from names the user chooses to values of one shape."""

    def __init__(
        self, noun: str, element: Shape, keys: re.Pattern[str] = NAME, key_noun: str = "a name"
    ) -> None:
        self.noun, self.element, self.keys, self.key_noun = noun, element, keys, key_noun

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Map):
            return self.wrong(node, at, ctx)
        values: dict[str, Any] = {}
        good = True
        for key, child in node.items():
            if not self.keys.fullmatch(key):
                expected = f"{self.key_noun}: letters, digits, _ and -, not beginning with a digit or -"
                message = f"found {key[:80]!r}, expected {expected if self.keys is NAME else self.key_noun}"
                ctx.report(node.key_mark(key), "bad-name", join(at, key), message)
                good = False
            with self.enter(key, ctx):
                values[key] = self.element.read(child, join(at, key), ctx)
            good = good and values[key] is not INVALID
        return values if good else INVALID

    def enter(self, key: str, ctx: Reading) -> AbstractContextManager[None]:
        """What holds while the element `key` is read."""
        return nullcontext()

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {
            "type": "object",
            "patternProperties": {"^x-": {}, f"^(?!x-)(?:{self.keys.pattern})$": self.element.schema(defs)},
            "additionalProperties": False,
        }

    def child(self, key: str) -> Shape | None:
        return self.element if self.keys.fullmatch(key) else None


class ListOf(Shape):
    """A list of values of one shape; `single` also takes one value without a list around it."""

    def __init__(self, noun: str, element: Shape, least: int = 0, single: bool = False) -> None:
        self.noun, self.element, self.least, self.single = noun, element, least, single

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Seq):
            if self.single:
                value = self.element.read(node, at, ctx)
                return INVALID if value is INVALID else (value,)
            return self.wrong(node, at, ctx)
        values = tuple(self.element.read(child, join(at, i), ctx) for i, child in enumerate(node.items))
        if len(values) < self.least:
            ctx.report(node, "bad-value", at, f"found {len(values)} elements, expected at least {self.least}")
            return INVALID
        return INVALID if any(value is INVALID for value in values) else values

    def schema(self, defs: dict[str, Schema]) -> Schema:
        element = self.element.schema(defs)
        schema: Schema = {"type": "array", "items": element}
        if self.least:
            schema["minItems"] = self.least
        return {"anyOf": [schema, element]} if self.single else schema

    def child(self, key: str) -> Shape | None:
        return self.element.child(key) if self.single else None

    def known(self) -> Iterable[str]:
        return self.element.known() if self.single else ()


class Named(Shape):
    """A shape under a name of the schema's ``$defs``; made on first use, so that shapes may contain
    themselves.
    """

    def __init__(self, name: str, make: Callable[[], Shape]) -> None:
        self.name, self.make = name, make
        self._shape: Shape | None = None

    @property
    def shape(self) -> Shape:
        """The shape itself."""
        if self._shape is None:
            self._shape = self.make()
        return self._shape

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        return self.shape.read(node, at, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        if self.name not in defs:
            defs[self.name] = {}
            defs[self.name] = self.shape.schema(defs)
        return {"$ref": f"#/$defs/{self.name}"}

    def child(self, key: str) -> Shape | None:
        return self.shape.child(key)

    def known(self) -> Iterable[str]:
        return self.shape.known()

    def form_of(self, node: Node) -> str:
        return self.shape.form_of(node)


def not_yet(at: Any, path: str, ctx: Reading, what: str) -> Any:
    """Report a part of the format that this version does not run."""
    ctx.report(at, "not-supported-yet", path, f"{what} is not supported yet")
    return INVALID


def unknown_key(key: str, node: Map, at: str, ctx: Reading, known: Iterable[str], noun: str) -> None:
    """Report a key that nothing expects, with the nearest one that is."""
    hint = ctx.reporter.nearest(key, [name for name in known if name not in node.entries] or known)
    ctx.report(
        node.key_mark(key),
        "unknown-key",
        join(at, key),
        f"found {key[:80]!r}, expected a key of {noun}",
        hint,
    )


_LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def refusal(detail: Any, child: Node | None) -> str:
    """What pydantic refused, in the words of this file."""
    kind, message = detail["type"], str(detail["msg"])
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        stood = found(child) if child is not None else repr(detail["input"])
        return f"found {stood}, expected {words} {detail['ctx'][limit]}"
    return message.removeprefix("Value error, ")
