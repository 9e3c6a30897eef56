"""The grammar of `set` in an action: values of policies, by the paths where the policies are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim import model, units
from sysim.scenario_file.nodes import Map, Node, Scalar, Seq, name_of
from sysim.scenario_file.paths import PathError, split
from sysim.scenario_file.policies import NO_POLICY
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, Schema, Shape, Value, Word
from sysim.scenario_file.values import COUNT, DURATION, RATE

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading


def _positive(shape: Value, expected: str, hint: str) -> Value:
    def read(value: Any) -> Any:
        number = shape.reader(value)
        if number <= 0:
            raise units.UnitError(value, expected, hint)
        return number

    return Value(read, shape.noun, shape.schema({}), shape.code)


_ATTEMPTS = _positive(COUNT, "1 or more", "1 means none but the first")
SETTINGS: dict[model.SettingKey, Shape] = {
    "timeout": _positive(DURATION, "more than 0s", ""),
    "retry.max_attempts": _ATTEMPTS,
    "hedge.max_attempts": _ATTEMPTS,
    "rate_limit.rate": _positive(RATE, "more than 0/s", ""),
    "fallback": Word("how a fallback is forced", ("always", "auto")),
    "circuit_breaker": Word("how a breaker is forced", ("open", "closed", "auto")),
}
"""What can be set while a run goes on, of a policy, and its values."""


class Settings(Shape):
    """A map from paths into policies to values."""

    noun = "a map such as {policies.careful.retry.max_attempts: 1}"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Map) or not node.entries:
            return self.wrong(node, at, ctx)
        settings: dict[tuple[str, str], Any] = {}
        good = True
        for path, child in node.items():
            setting = self._setting(path, child, node, join(at, path), ctx)
            if setting is INVALID:
                good = False
                continue
            place = setting.scope, setting.key
            if place in settings:
                message = f"found {path!r} and {settings[place].path!r}, the same value, expected one of them"
                ctx.report(node.key_mark(path), "ambiguous", join(at, path), message)
                good = False
            settings[place] = setting
        # in an order that is not that of the text, which has no meaning
        return tuple(sorted(settings.values(), key=lambda setting: setting.path)) if good else INVALID

    def _setting(self, path: str, child: Node, node: Map, at: str, ctx: Reading) -> Any:
        mark = node.key_mark(path)
        try:
            parts = split(path)
        except PathError as error:
            ctx.report(mark, error.code, at, error.message, error.hint)
            return INVALID
        key = next((key for key in SETTINGS if parts[-len(key.split(".")) :] == key.split(".")), None)
        if key is None:
            message = f"found {path[:80]!r}, expected the path of a policy's {', '.join(SETTINGS)}"
            tail = ".".join(parts[-2:]) if parts[-2:-1] in (["retry"], ["hedge"], ["rate_limit"]) else parts[-1]
            hint = ctx.reporter.nearest(tail, SETTINGS)
            ctx.report(mark, "unknown-path", at, message, hint if hint.startswith("did") else "")
            return INVALID
        scope = self._scope(parts[: -len(key.split("."))], key, mark, at, ctx)
        value = SETTINGS[key].read(child, at, ctx)
        if scope is INVALID or value is INVALID:
            return INVALID
        return model.Setting(path=path, scope=scope, key=key, value=value)

    def _scope(self, parts: list[str], key: str, mark: Any, at: str, ctx: Reading) -> Any:
        """The name of the policy at a path, or the place where it is written; INVALID after a report."""
        if len(parts) == 2 and parts[0] == "policies":
            if parts[1] in ctx.policies:
                return parts[1]
            hint = ctx.reporter.nearest(parts[1], ctx.policies)
            message = f"found {parts[1][:80]!r}, expected a policy of this file"
            ctx.report(mark, "unknown-policy", at, message, hint)
            return INVALID
        node: Node | None = ctx.root
        place, missing = "", ""
        for part in parts:
            below, part, known = _below(node, part)
            if below is None:
                missing = f"found {part[:80]!r} in the path, expected a key of {place or 'the top level'}"
                if part == "policy":
                    message = f"found no policy at {place}, expected one written out there"
                    hint = "set the policy that its calls use, such as policies.NAME or defaults.policy"
                    ctx.report(mark, "unknown-path", at, message, hint)
                else:
                    ctx.report(mark, "unknown-path", at, missing, ctx.reporter.nearest(part, known))
                return INVALID
            node, place = below, join(place, part)
        if isinstance(node, Map) and parts and parts[-1] == "policy":
            return place
        if isinstance(node, Scalar) and parts[-1] == "policy" and isinstance(node.value, str):
            if node.value == NO_POLICY:
                ctx.report(mark, "named-policy", at, f"found a path into {place!r}, which is none")
                return INVALID
            message = f"found a path into {place!r}, which is the policy named {node.value!r}"
            hint = f"use {join('policies', node.value)}.{key}"
            ctx.report(mark, "named-policy", at, message, hint)
            return INVALID
        message = f"found {place or 'the top level'}, expected the path of a policy"
        ctx.report(mark, "unknown-path", at, message, "such as policies.NAME or load.NAME.policy")
        return INVALID

    def schema(self, defs: dict[str, Schema]) -> Schema:
        properties = {
            rf"^(?:.*\.)?{key.replace('.', '[.]')}$": shape.schema(defs) for key, shape in SETTINGS.items()
        }
        return {
            "type": "object",
            "patternProperties": {"^x-": {}, **properties},
            "additionalProperties": False,
            "minProperties": 1,
        }

    def child(self, key: str) -> Shape | None:
        return next((shape for tail, shape in SETTINGS.items() if key.endswith(tail)), None)


def _below(node: Node | None, part: str) -> tuple[Node | None, str, list[str]]:
    """What stands under a key, or under the number or name of an element; the key itself; and all there are."""
    if isinstance(node, Seq):
        names = [name_of(element) for element in node.items]
        if part in names:
            part = str(names.index(part))
        if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < len(node.items):
            return node.items[int(part)], str(int(part)), []
        return None, part, [name for name in names if name]
    if isinstance(node, Map):
        return node.get(part), part, list(node.entries)
    return None, part, []


__all__ = ["SETTINGS", "Settings"]
