"""From a merged tree to a `Scenario`: patches, parameters, reading, cross checks, and every variant tried
once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sysim.errors import Problem
from sysim.model import Scenario
from sysim.scenario_file.crosscheck import check_edges, warn
from sysim.scenario_file.grammar import SCENARIO
from sysim.scenario_file.levers import check_actions
from sysim.scenario_file.nodes import Map, Mark, Node
from sysim.scenario_file.params import parameters, substitute
from sysim.scenario_file.paths import PathError, set_path
from sysim.scenario_file.reading import Reading, map_of
from sysim.scenario_file.reporter import Reporter, join
from sysim.scenario_file.scalers import check_scalers
from sysim.scenario_file.shapes import INVALID

Patch = list[tuple[str, Node, Mark]]
"""Paths with the values to put there, and where each was asked for."""


@dataclass(frozen=True, slots=True)
class Document:
    """Files merged into one tree, and what is still to be laid upon it, in the order of the format."""

    root: Map
    variant: str | None
    patches: tuple[tuple[str, Node, Mark], ...]
    params: tuple[tuple[str, Any], ...]


def build(
    document: Document, reporter: Reporter, others: bool = True
) -> tuple[Scenario | None, Map]:
    """The scenario and the tree it was read from; None after a report. With `others` every variant is tried
    as well.
    """
    variants = map_of(document.root, "variants", nulls=True)
    if document.variant is not None and document.variant not in variants:
        hint = reporter.nearest(document.variant, variants)
        mark = document.root.key_mark("variants") if variants else document.root.mark
        message = f"found {document.variant!r}, expected a variant of this file"
        reporter.add(mark, "unknown-variant", "variants", message, hint)
    scenario, tree = _one(document, variants.get(document.variant or ""), document.variant, reporter)
    for name, patch in variants.items():
        if others and name != document.variant and isinstance(patch, Map) and patch.entries:
            _try_variant(document, name, patch, reporter)
    return scenario, tree


def _one(
    document: Document, patch: Node | None, variant: str | None, reporter: Reporter
) -> tuple[Scenario | None, Map]:
    root = document.root
    if isinstance(patch, Map):
        root = _patched(root, _patch_of(patch), reporter, join("variants", variant or ""))
    root = _patched(root, list(document.patches), reporter, "")
    root = substitute(root, parameters(root, dict(document.params), reporter), reporter)
    ctx = Reading.of(root, reporter)
    scenario = SCENARIO.read(root, "", ctx)
    check_edges(ctx)
    if scenario is INVALID or reporter.errors:
        return None, root
    check_actions(scenario, ctx)
    check_scalers(scenario, ctx)
    if reporter.errors:
        return None, root
    warn(scenario, ctx)
    return scenario, root


def _try_variant(document: Document, name: str, patch: Map, reporter: Reporter) -> None:
    """Report what is wrong with a variant and is not wrong without it. Its warnings wait until it is
    chosen.
    """
    own = Reporter()
    _one(document, patch, name, own)
    known = {_place(problem) for problem in reporter.problems}
    for problem in own.errors:
        if _place(problem) not in known:
            path = problem.path
            label = join("variants", name)
            if not path.startswith(label):
                problem = _with_message(problem, f"{problem.message} (in variant {name!r})")
            reporter.problems.setdefault(problem)


def _place(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.file, problem.line, problem.column, problem.code, problem.path


def _with_message(problem: Problem, message: str) -> Problem:
    return Problem(
        problem.file, problem.line, problem.column, problem.code, problem.path, message, problem.hint,
        problem.severity, problem.source,
    )  # fmt: skip


def _patch_of(patch: Map) -> Patch:
    return [(path, node, patch.key_mark(path)) for path, node in patch.items()]


def _patched(root: Map, patch: Patch, reporter: Reporter, at: str) -> Map:
    for path, value, mark in patch:
        try:
            root = set_path(root, SCENARIO, path, value, mark)
        except PathError as error:
            reporter.add(mark, error.code, join(at, path) if at else path, error.message, error.hint)
    return root


def digest(scenario: Scenario) -> str:
    """A sha256 in hex of all that can change a run: not of names, descriptions, checks and other variants."""
    content = scenario.model_dump(mode="json", exclude={"name", "description", "checks", "abort_when", "variants"})
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def params_of(given: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    """Parameters from outside, in a form that can be kept."""
    return tuple((given or {}).items())


__all__ = ["Document", "Patch", "build", "digest", "params_of"]
