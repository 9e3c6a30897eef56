"""Paths such as ``services.bets.operations.place.1.policy.timeout``: reading them, and setting a value at
one.
"""

from __future__ import annotations

import re

from sysim.scenario_file.merge import merge
from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq, is_null, name_of
from sysim.scenario_file.policies import POLICY, POLICY_REF
from sysim.scenario_file.reporter import join, nearest
from sysim.scenario_file.shapes import MapOf, Shape

_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
_DEEPEST = 60


class PathError(ValueError):
    """A path that leads nowhere; `message` and `hint` as in a problem."""

    def __init__(self, message: str, hint: str = "", code: str = "unknown-path") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


def split(path: str) -> list[str]:
    """The keys of a path; a key with a dot stands in double quotes. Raises PathError."""
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(path, position)
        if match is None:
            break
        parts.append(match[1].replace('\\"', '"') if match[1] is not None else match[2])
        position = match.end()
        if position == len(path):
            if len(parts) > _DEEPEST:
                break
            return parts
        if path[position] != ".":
            break
        position += 1
    raise PathError(f"found the path {path[:80]!r}, expected keys joined by dots", code="bad-path")


def set_path(root: Map, shape: Shape, path: str, value: Node, mark: Mark) -> Map:
    """`root` with `value` merged in at `path`; null removes. Raises PathError, which says what the path
    met.
    """
    done = _put(root, shape, split(path), value, mark, "")
    assert isinstance(done, Map)
    return done


def _put(node: Node | None, shape: Shape | None, keys: list[str], value: Node, mark: Mark, at: str) -> Node:
    if not keys:
        return merge(node, value, shape)
    key, rest = keys[0], keys[1:]
    if isinstance(node, Seq):
        return _into_list(node, shape, keys, value, mark, at)
    if isinstance(node, Map) and key in node.entries and not is_null(node.entries[key]):
        if not rest and is_null(value):
            return node.without(key)
        inner = _put(node.entries[key], _child(shape, key), rest, value, mark, join(at, key))
        return node.put(key, inner, mark if not rest else node.key_mark(key))
    if isinstance(node, Scalar) and not is_null(node):
        _refuse_named_policy(node, shape, keys, at)
    return _make(node, shape, keys, value, mark, at)


def _make(node: Node | None, shape: Shape | None, keys: list[str], value: Node, mark: Mark, at: str) -> Node:
    """Go on where the tree ends, creating the maps the grammar knows."""
    key, rest = keys[0], keys[1:]
    inner = _child(shape, key)
    if inner is None and key in getattr(_unnamed(shape), "later", ()):
        raise PathError(f"{key!r} is not supported yet", code="not-supported-yet")
    if inner is None or (rest and _chosen_by_user(shape)):
        known = list(node.entries) if isinstance(node, Map) else []
        known += [name for name in (shape.known() if shape else ())]
        where = f"{at!r}" if at else "the top level"
        if _lists(shape):
            raise PathError(f"found {key!r} in a list that is not there: {where}", code="bad-index")
        raise PathError(f"found {key!r} in the path, expected a key of {where}", nearest(key, known))
    if not rest and is_null(value):
        return node if node is not None else Map({}, mark)
    if _lists(inner) and rest:
        message = f"found {rest[0]!r} in a list that is not there: {join(at, key)!r}"
        raise PathError(message, code="bad-index")
    below = _put(None, inner, rest, value, mark, join(at, key))
    return merge(node, Map({key: below}, mark, {key: mark}), shape)


def _into_list(node: Seq, shape: Shape | None, keys: list[str], value: Node, mark: Mark, at: str) -> Node:
    key, rest = keys[0], keys[1:]
    names = [name_of(element) for element in node.items]
    if key in names:
        index = names.index(key)
    elif key.isascii() and key.isdigit() and len(key) < 10:
        index = int(key)
    else:
        message = f"found {key!r} in the path, expected the number or name of an element of {at!r}"
        raise PathError(message, nearest(key, [name for name in names if name]), "bad-index")
    if index >= len(node.items):
        count = len(node.items)
        reach = f"{at}.0 to {at}.{count - 1}" if count else "nothing, for the list is empty"
        raise PathError(
            f"found {join(at, key)!r}, past the end of {count} elements", f"use {reach}", "bad-index"
        )
    items = list(node.items)
    if not rest and is_null(value):
        del items[index]
    else:
        element = getattr(_unnamed(shape), "element", None)
        items[index] = _put(items[index], element, rest, value, mark, join(at, key))
    return Seq(tuple(items), node.mark)


def _refuse_named_policy(node: Scalar, shape: Shape | None, keys: list[str], at: str) -> None:
    if shape is POLICY_REF and isinstance(node.value, str) and POLICY.child(keys[0]) is not None:
        tail = ".".join(join("", key) for key in keys)
        if node.value == "none":
            raise PathError(
                f"found a path into {at!r}, which is none", f"set {at} to a policy", "named-policy"
            )
        message = f"found a path into {at!r}, which is the policy named {node.value!r}"
        raise PathError(message, f"use {join('policies', node.value)}.{tail}", "named-policy")


def _unnamed(shape: Shape | None) -> Shape | None:
    return getattr(shape, "shape", shape)


def _child(shape: Shape | None, key: str) -> Shape | None:
    return None if shape is None else shape.child(key)


def _chosen_by_user(shape: Shape | None) -> bool:
    return isinstance(_unnamed(shape), MapOf)


def _lists(shape: Shape | None) -> bool:
    inner = _unnamed(shape)
    return hasattr(inner, "element") and not isinstance(inner, MapOf) and not getattr(inner, "single", False)
