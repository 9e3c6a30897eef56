"""Values that have one of several forms: a bare name, a scalar, or a map told apart by one of its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, Record, Schema, Shape, not_yet, refusal, unknown_key

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading


class Form:
    """One keyed form: the shape of what stands under the key, and how the model is built from it and
    siblings.
    """

    def __init__(self, shape: Shape, build: Callable[..., Any], siblings: Collection[str] = ()) -> None:
        self.shape, self.build, self.siblings = shape, build, tuple(siblings)


class OneOf(Shape):
    """A bare word, a scalar, or a map with exactly one of the keys of `keyed`, perhaps with `siblings`
    beside it.
    """

    def __init__(
        self,
        noun: str,
        *,
        scalar: Shape | None = None,
        words: dict[str, Callable[[], Any]] | None = None,
        keyed: dict[str, Form] | None = None,
        siblings: dict[str, Shape] | None = None,
        later: Collection[str] = (),
        subform: Callable[[str, Node], str] | None = None,
    ) -> None:
        self.noun, self.scalar, self.words, self.keyed = noun, scalar, words or {}, keyed or {}
        self.siblings, self.later, self.subform = siblings or {}, tuple(later), subform

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map):
            return self._read_map(node, at, ctx)
        if not isinstance(node, Scalar):
            return self.wrong(node, at, ctx)
        if isinstance(node.value, str):
            if node.value in self.words:
                return self.words[node.value]()
            if node.value in self.later:
                return not_yet(node, at, ctx, f"{self.noun} {node.value!r}")
        if self.scalar is not None:
            return self.scalar.read(node, at, ctx)
        hint = ctx.reporter.nearest(str(node.value), [*self.words, *self.keyed])
        ctx.report(node, "unknown-word", at, f"found {found(node)}, expected {self.noun}", hint)
        return INVALID

    def _read_map(self, node: Map, at: str, ctx: Reading) -> Any:
        keys = [key for key, _ in node.items()]
        forms = [key for key in keys if key in self.keyed]
        later = [key for key in keys if key in self.later]
        for key in later:
            not_yet(
                node.key_mark(key),
                join(at, key),
                ctx,
                f"{self.noun} {key!r}" if key in self.words else repr(key),
            )
        if later:
            return INVALID
        allowed = {*forms, *(self.keyed[forms[0]].siblings if forms else ()), *self.siblings}
        odd = [key for key in keys if key not in allowed]
        if len(forms) == 1 and not odd:
            return self._read_form(forms[0], node, at, ctx)
        for key in odd:
            unknown_key(key, node, at, ctx, [*self.keyed, *self.words, *self.siblings], self.noun)
        if len(forms) > 1:
            listed = " and ".join(repr(key) for key in forms)
            ctx.report(node, "ambiguous", at, f"found {listed}, expected only one of them")
        elif not forms and not odd:
            message = (
                f"found {found(node)}, expected {self.noun}: one of {', '.join([*self.words, *self.keyed])}"
            )
            ctx.report(node, "bad-value", at, message)
        return INVALID

    def _read_form(self, key: str, node: Map, at: str, ctx: Reading) -> Any:
        form = self.keyed[key]
        value = form.shape.read(node.entries[key], join(at, key), ctx)
        extra: dict[str, Any] = {}
        for name in (*form.siblings, *self.siblings):
            child = node.get(name)
            if child is not None:
                extra[name] = self.sibling(name).read(child, join(at, name), ctx)
        if value is INVALID or INVALID in extra.values():
            return INVALID
        try:
            return form.build(value, **extra)
        except ValidationError as error:
            for detail in error.errors():
                child, path = _place(node, key, at, detail["loc"])
                ctx.report(child, "bad-value", path, refusal(detail, child))
            return INVALID

    def sibling(self, name: str) -> Shape:
        """The shape of a key that stands beside the form's own."""
        return self.siblings[name]

    def schema(self, defs: dict[str, Schema]) -> Schema:
        options: list[Schema] = []
        if self.scalar is not None:
            options.append(self.scalar.schema(defs))
        if self.words:
            options.append({"enum": list(self.words)})
        beside = {name: shape.schema(defs) for name, shape in self.siblings.items()}
        for key, form in self.keyed.items():
            options.append(
                {
                    "type": "object",
                    "properties": {key: form.shape.schema(defs), **beside},
                    "required": [key],
                    "patternProperties": {"^x-": {}},
                    "additionalProperties": False,
                }
            )
        return options[0] if len(options) == 1 else {"anyOf": options}

    def child(self, key: str) -> Shape | None:
        if key in self.keyed:
            return self.keyed[key].shape
        return self.siblings.get(key)

    def known(self) -> Iterable[str]:
        return [*self.keyed, *self.siblings]

    def form_of(self, node: Node) -> str:
        if not isinstance(node, Map):
            return type(node).__name__
        for key in node.entries:
            if key in self.keyed or key in self.later:
                return self.subform(key, node.entries[key]) if self.subform else key
        # Only siblings, such as a new `max`: they join whatever form is there.
        return ""


def _place(node: Map, key: str, at: str, loc: tuple[int | str, ...]) -> tuple[Node, str]:
    """The node that a refusal is about: a field of the form's own map, a sibling, or the form as a whole."""
    name = str(loc[0]) if loc else ""
    inner = node.entries[key]
    if isinstance(inner, Map) and name in inner.entries:
        return inner.entries[name], join(join(at, key), name)
    if name != key and name in node.entries:
        return node.entries[name], join(at, name)
    return inner, join(at, key)


class Either(Shape):
    """One of a few shapes, told apart by looking at the node."""

    def __init__(self, noun: str, pick: Callable[[Node], str], options: dict[str, Shape]) -> None:
        self.noun, self.pick, self.options = noun, pick, options

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        return self.options[self.pick(node)].read(node, at, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"anyOf": [shape.schema(defs) for shape in self.options.values()]}

    def child(self, key: str) -> Shape | None:
        return next(
            (found for shape in self.options.values() if (found := shape.child(key)) is not None), None
        )

    def known(self) -> Iterable[str]:
        return list(dict.fromkeys(key for shape in self.options.values() for key in shape.known()))

    def form_of(self, node: Node) -> str:
        return self.pick(node)


def map_or_scalar(node: Node) -> str:
    """For an `Either` whose forms are told apart by whether a map stands there."""
    return "map" if isinstance(node, Map) else "scalar"


class Tagged(Shape):
    """A map whose kind shows in which of its keys is there, as `work:` or `call:` in a step."""

    def __init__(self, noun: str, records: dict[str, Record], later: Collection[str] = ()) -> None:
        self.noun, self.records, self.later = noun, records, tuple(later)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Map):
            return self.wrong(node, at, ctx)
        tags = [key for key, child in node.items() if key in self.records]
        for key, _ in node.items():
            if key in self.later:
                return not_yet(node.key_mark(key), join(at, key), ctx, repr(key))
        if len(tags) == 1:
            return self.records[tags[0]].read(node, at, ctx)
        if tags:
            listed = " and ".join(repr(key) for key in tags)
            ctx.report(node.key_mark(tags[1]), "ambiguous", at, f"found {listed}, expected only one of them")
            return INVALID
        self._without_tag(node, at, ctx)
        return INVALID

    def _without_tag(self, node: Map, at: str, ctx: Reading) -> None:
        common = set(self.known())
        odd = [key for key, _ in node.items() if key not in common]
        for key in odd:
            unknown_key(key, node, at, ctx, common, self.noun)
        if not odd:
            listed = ", ".join(self.records)
            ctx.report(node, "missing-key", at, f"found {found(node)}, expected {self.noun}: one of {listed}")

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"anyOf": [record.schema(defs) for record in self.records.values()]}

    def child(self, key: str) -> Shape | None:
        return next((record.fields[key] for record in self.records.values() if key in record.fields), None)

    def known(self) -> Iterable[str]:
        return list(dict.fromkeys(key for record in self.records.values() for key in record.fields))
