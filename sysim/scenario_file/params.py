"""Parameters: ``$peak`` and ``${peak}`` in any value are replaced, ``$$`` is a dollar."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq, Source
from sysim.scenario_file.reporter import Reporter, found, join
from sysim.scenario_file.shapes import NAME
from sysim.scenario_file.yaml_core import core_value, parse

_USE = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_-]*)\})")


def parameters(root: Map, given: Mapping[str, object], reporter: Reporter) -> dict[str, Scalar]:
    """The parameters of the file with those given from outside in their place; an unknown one is reported."""
    declared = root.get("params")
    values: dict[str, Scalar] = {}
    if isinstance(declared, Map):
        for name, node in declared.items():
            at = join("params", name)
            if not NAME.fullmatch(name):
                reporter.add(declared.key_mark(name), "bad-name", at, f"found {name[:80]!r}, expected a name")
            elif isinstance(node, Scalar):
                values[name] = node
            else:
                reporter.add(node, "bad-value", at, f"found {found(node)}, expected a single value")
    elif declared is not None:
        reporter.add(
            declared, "bad-value", "params", f"found {found(declared)}, expected a map of parameters"
        )
    for name, value in given.items():
        source = Source(f"--param {name}", (str(value),))
        if name not in values:
            hint = reporter.nearest(str(name), values)
            reporter.add(
                Mark(source), "unknown-param", "", f"found {name!r}, expected a parameter of the file", hint
            )
        elif isinstance(value, str):
            values[name] = Scalar(core_value(value), Mark(source, 1, 1), value)
        elif isinstance(value, (bool, int, float)):
            values[name] = Scalar(
                value, Mark(source, 1, 1), str(value).lower() if isinstance(value, bool) else str(value)
            )
        else:
            reporter.add(
                Mark(source), "bad-value", "", f"found a {type(value).__name__}, expected a single value"
            )
    return values


def substitute(root: Map, values: Mapping[str, Scalar], reporter: Reporter) -> Map:
    """`root` without its `params`, every use of one replaced. A scalar that is nothing but a use takes its
    value.
    """
    done = _Substitution(values, reporter).node(root.without("params"), "")
    assert isinstance(done, Map)
    return done


class _Substitution:
    def __init__(self, values: Mapping[str, Scalar], reporter: Reporter) -> None:
        self.values = values
        self.reporter = reporter
        self.unchanged: dict[int, Node] = {}

    def node(self, node: Node, at: str) -> Node:
        if isinstance(node, Scalar):
            return self.scalar(node, at) if isinstance(node.value, str) and "$" in node.value else node
        if id(node) in self.unchanged:
            # An alias shares its node: what needed no change once needs none again.
            return node
        if isinstance(node, Seq):
            items = tuple(self.node(child, join(at, i)) for i, child in enumerate(node.items))
            if all(new is old for new, old in zip(items, node.items, strict=True)):
                self.unchanged[id(node)] = node
                return node
            return Seq(items, node.mark)
        entries = {
            key: child if key.startswith("x-") else self.node(child, join(at, key))
            for key, child in node.entries.items()
        }
        if all(new is old for new, old in zip(entries.values(), node.entries.values(), strict=True)):
            self.unchanged[id(node)] = node
            return node
        return Map(entries, node.mark, node.keys)

    def scalar(self, node: Scalar, at: str) -> Node:
        text = str(node.value)
        whole = _USE.fullmatch(text)
        if whole and not whole[1]:
            value = self.value(whole, node, at)
            return node if value is None else Scalar(value.value, node.mark, value.text, value.plain)
        good = True

        def replacement(use: re.Match[str]) -> str:
            nonlocal good
            if use[1]:
                return "$"
            value = self.value(use, node, at)
            good = good and value is not None
            return "" if value is None else value.text

        replaced = _USE.sub(replacement, text)
        if not good:
            return node
        return Scalar(core_value(replaced) if node.plain else replaced, node.mark, replaced, node.plain)

    def value(self, use: re.Match[str], node: Scalar, at: str) -> Scalar | None:
        name = use[2] or use[3]
        if name not in self.values:
            hint = self.reporter.nearest(name, self.values) or "write $$ for a dollar"
            message = f"found {use[0]!r}, expected a parameter of this file"
            self.reporter.add(node, "unknown-param", at, message, hint)
            return None
        return self.values[name]


def value_of_text(text: str, name: str, reporter: Reporter) -> Node | None:
    """The node of a value given as text, as in ``--set a.b=3``; None after a report."""
    if not text.strip():
        return Scalar("", Mark(Source(name, (text,)), 1, 1), "", False)
    return parse(text, name, reporter)
