"""Merging layers: maps key by key, everything else replaced, ``null`` removes, another form replaces
whole.
"""

from __future__ import annotations

from sysim.scenario_file.nodes import Map, Node, Seq, is_null
from sysim.scenario_file.shapes import Shape

APPENDED = ("faults", "actions", "checks", "abort_when")
"""The lists of an included file that are kept, with new elements after them."""


def merge(base: Node | None, over: Node, shape: Shape | None) -> Node:
    """`over` laid upon `base`; `shape` knows where another form means another value."""
    if (
        base is None
        or not isinstance(base, Map)
        or not isinstance(over, Map)
        or _other_form(base, over, shape)
    ):
        return without_nulls(over) if base is not None and not is_null(base) else over
    entries = dict(base.entries)
    keys = dict(base.keys)
    for key, child in over.entries.items():
        if is_null(child):
            entries.pop(key, None)
            continue
        below = entries.get(key)
        inner = None if shape is None else shape.child(key)
        entries[key] = child if below is None else merge(below, child, inner)
        keys[key] = over.key_mark(key)
    return Map(entries, over.mark if over.keys else base.mark, keys)


def merge_file(base: Map | None, over: Map, shape: Shape) -> Map:
    """`over` laid upon an included `base`; faults, actions, checks and abort_when are appended instead of replaced."""
    if base is None:
        return over
    appended = {}
    for key in APPENDED:
        below, above = base.entries.get(key), over.entries.get(key)
        if isinstance(below, Seq) and isinstance(above, Seq):
            appended[key] = Seq(below.items + above.items, above.mark)
    # Variants are patches: a null in one of them belongs to the patch and is not applied here.
    below, above = base.entries.get("variants"), over.entries.get("variants")
    if isinstance(below, Map) and isinstance(above, Map):
        appended_variants = Map({**below.entries, **above.entries}, above.mark, {**below.keys, **above.keys})
    else:
        appended_variants = None
    merged = merge(base, over, shape)
    assert isinstance(merged, Map)
    for key, node in appended.items():
        merged = merged.put(key, node, over.key_mark(key))
    if appended_variants is not None:
        merged = merged.put("variants", appended_variants, over.key_mark("variants"))
    return merged


def without_nulls(node: Node) -> Node:
    """`node` without entries that are null, at every depth of its maps; a null that removes nothing is no
    value.
    """
    if not isinstance(node, Map) or not any(
        is_null(child) or isinstance(child, Map) for child in node.entries.values()
    ):
        return node
    entries = {key: without_nulls(child) for key, child in node.entries.items() if not is_null(child)}
    return Map(entries, node.mark, node.keys)


def _other_form(base: Map, over: Map, shape: Shape | None) -> bool:
    if shape is None:
        return False
    before, after = shape.form_of(base), shape.form_of(over)
    # An empty form name means that only keys common to all forms are given.
    return before != after and bool(before) and bool(after)
