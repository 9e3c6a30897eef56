"""The verbs of the file layer: load, loads, with_ and dump, and the value they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from sysim.errors import Place, Problem, ScenarioError
from sysim.model import CalendarRate, Check, OpenLoad, ReplayRate, Scenario, StepsRate
from sysim.model.workload import Load, RateProfile
from sysim.scenario_file.checks import compares_variants
from sysim.scenario_file.files import read_file, read_text
from sysim.scenario_file.measures import read_measures
from sysim.scenario_file.nodes import Map, Mark, Node, Seq, Source, node_of, plain
from sysim.scenario_file.params import value_of_text
from sysim.scenario_file.reading import Reading
from sysim.scenario_file.reporter import Reporter
from sysim.scenario_file.resolve import Document, build, digest, params_of
from sysim.scenario_file.yaml_core import core_value

Settings = Iterable[str | tuple[str, Any]] | Mapping[str, Any]
"""Values for paths: ``"a.b=3"`` texts, (path, value) pairs, or a mapping."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid scenario and where it came from.

    `tree` is the merged plain tree (maps, lists, scalars) that `scenario` was read from, after includes,
    variant, settings and parameters; `digest` a sha256 in hex of all that can change a run; `warnings`
    never stop one. `check_places` and `abort_places` say where the checks stand, one place each.
    """

    scenario: Scenario
    warnings: tuple[Problem, ...]
    tree: dict[str, Any]
    digest: str
    variants: tuple[str, ...]
    variant: str | None = None
    check_places: tuple[Place, ...] = ()
    abort_places: tuple[Place, ...] = ()
    _document: Document | None = field(default=None, repr=False, compare=False)


def load(
    path: str | Path,
    *,
    variant: str | None = None,
    set: Settings = (),
    params: Mapping[str, Any] | None = None,
) -> Loaded:
    """The scenario of a file. Raises ScenarioError with everything that is wrong with it."""
    reporter = Reporter()
    root = read_file(Path(path), str(path), reporter)
    return _loaded(root, variant, set, params, reporter)


def loads(
    text: str,
    name: str = "<text>",
    base_dir: str | Path | None = None,
    *,
    variant: str | None = None,
    set: Settings = (),
    params: Mapping[str, Any] | None = None,
) -> Loaded:
    """The scenario of a text; its includes are relative to `base_dir` (default: where one is). Raises
    ScenarioError.
    """
    reporter = Reporter()
    root = read_text(text, name, Path(base_dir or "."), reporter)
    return _loaded(root, variant, set, params, reporter)


def with_(loaded: Loaded, patch: Mapping[str, Any], others: bool = True) -> Loaded:
    """`loaded` with further values at paths, under the rules of ``--set``; with `others` every other variant is tried
    as well. Raises ScenarioError.
    """
    document = loaded._document
    if document is None:
        raise ValueError("this scenario does not come from a text: change its model with model_copy instead")
    reporter = Reporter()
    patches = document.patches + tuple(_patches(patch, reporter))
    return _finish(Document(document.root, document.variant, patches, document.params), reporter, others)


def measures(loaded: Loaded, texts: Iterable[str]) -> tuple[Check, ...]:
    """Numbers of a result in the words of checks, as ``p99(bets) during rush``; each is a check whose limit means
    nothing. Raises ScenarioError with everything that is wrong with them.
    """
    if loaded._document is None:
        raise ValueError("this scenario does not come from a text, so there are no names to find metrics by")
    reporter = Reporter()
    _, tree = build(loaded._document, Reporter(), others=False)
    found = read_measures(texts, Reading.of(tree, reporter))
    reporter.stop_on_errors()
    return found


def value(text: str, name: str) -> Any:
    """The plain value that a text gives in YAML, as on the command line. Raises ScenarioError."""
    reporter = Reporter()
    node = value_of_text(text, name, reporter)
    reporter.stop_on_errors()
    return None if node is None else plain(node)


def variant_of(loaded: Loaded, variant: str) -> Loaded:
    """Another variant of the same text, under the same settings and parameters. Raises ScenarioError."""
    document = loaded._document
    if document is None:
        raise ValueError("this scenario does not come from a text, so it has no variants")
    other = Document(document.root, variant, document.patches, document.params)
    return _finish(other, Reporter(), others=False)


def sources(loaded: Loaded) -> dict[str, str]:
    """The texts that a scenario was read from, by the name of their file; of `include`, those that had a say."""
    found: dict[str, str] = {}
    pending: list[Node] = [] if loaded._document is None else [loaded._document.root]
    while pending:
        node = pending.pop()
        source = node.mark.source
        if source.lines:
            found.setdefault(source.name, "\n".join(source.lines) + "\n")
        if isinstance(node, Map):
            pending += reversed(node.entries.values())
        elif isinstance(node, Seq):
            pending += reversed(node.items)
    return found


def dump(loaded: Loaded) -> str:
    """The resolved scenario as YAML without includes and parameters; it loads back to the same digest.

    Where a variant has been applied, the others are gone, and of the checks those that are meant for it
    are left.
    """
    tree = dict(loaded.tree)
    if loaded.variant is not None:
        tree.pop("variants", None)
        for key in ("checks", "abort_when"):
            if key in tree:
                checks = [_for_variant(check, loaded.variant) for check in tree[key] or []]
                tree[key] = [check for check in checks if check is not None]
    if isinstance(tree.get("load"), dict):
        tree["load"] = {name: _with_rows(load, loaded.scenario.load.get(name)) for name, load in tree["load"].items()}
    text: str = yaml.dump(
        _escaped(tree),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=110,
    )
    return text


def _loaded(
    root: Map | None,
    variant: str | None,
    settings: Settings,
    params: Mapping[str, Any] | None,
    reporter: Reporter,
) -> Loaded:
    patches = tuple(_patches(settings, reporter))
    if root is None:
        raise ScenarioError(reporter.errors)
    return _finish(Document(root, variant, patches, params_of(params)), reporter)


def _finish(document: Document, reporter: Reporter, others: bool = True) -> Loaded:
    scenario, tree = build(document, reporter, others)
    reporter.stop_on_errors()
    assert scenario is not None
    return Loaded(
        scenario=scenario,
        warnings=tuple(reporter.warnings),
        tree=plain(tree),
        digest=digest(scenario),
        variants=tuple(scenario.variants),
        variant=document.variant,
        check_places=_places(tree, "checks"),
        abort_places=_places(tree, "abort_when"),
        _document=document,
    )


def _places(tree: Map, key: str) -> tuple[Place, ...]:
    node = tree.get(key)
    marks = [item.mark for item in node.items] if isinstance(node, Seq) else []
    return tuple(Place(mark.source.name, mark.line, mark.column) for mark in marks)


def _patches(settings: Settings, reporter: Reporter) -> list[tuple[str, Node, Mark]]:
    """Settings as nodes that stand in a text of their own, so that their problems can be shown like any
    other.
    """
    pairs: list[Any] = list(settings.items()) if isinstance(settings, Mapping) else list(settings)
    patches: list[tuple[str, Node, Mark]] = []
    for pair in pairs:
        if isinstance(pair, str):
            path, equals, text = pair.partition("=")
            name = f"--set {path.strip()}"
            mark = Mark(Source(name, (text,)), 1, 1)
            if not equals:
                reporter.add(mark, "bad-set", "", f"found {pair[:80]!r}, expected path=value")
                continue
            value = value_of_text(text, name, reporter)
        else:
            path, given = pair
            mark = Mark(Source(f"--set {path}", (str(given)[:200],)), 1, 1)
            try:
                value = node_of(given, mark)
            except (TypeError, RecursionError) as error:
                reporter.add(mark, "bad-set", str(path), str(error))
                continue
        if value is not None:
            patches.append((str(path).strip(), value, mark))
    return patches


def _for_variant(check: Any, variant: str) -> Any:
    """A check without its choice of variants, or None when `variant` is not among them, or when it means
    another variant, which is gone.
    """
    text = check.get("expect") if isinstance(check, dict) else check
    if isinstance(text, str) and compares_variants(text):
        return None
    if not isinstance(check, dict):
        return check
    wanted, unwanted = check.get("variants"), check.get("except")
    if wanted is not None and variant not in ([wanted] if isinstance(wanted, str) else wanted):
        return None
    if unwanted is not None and variant in ([unwanted] if isinstance(unwanted, str) else unwanted):
        return None
    return {key: value for key, value in check.items() if key not in ("variants", "except")}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(child) for key, child in value.items()}
    return [_escaped(child) for child in value] if isinstance(value, list) else value


class _Dumper(yaml.SafeDumper):
    """Writes texts so that a reader of YAML 1.2 core gets them back; never anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # What YAML 1.2 takes for a number or a truth value needs quotes even where YAML 1.1 does not see one.
    style = "'" if core_value(text) is None or not isinstance(core_value(text), str) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


def _with_rows(load: Any, made: Load | None) -> Any:
    """A load with the rows of its CSV file in the file's place: what is written stands alone."""
    if not isinstance(load, dict) or not isinstance(made, OpenLoad):
        return load
    base = made.rate.base if isinstance(made.rate, CalendarRate) else made.rate
    return {**load, "rate": _rate_with_rows(load.get("rate"), base)}


def _rate_with_rows(rate: Any, base: RateProfile) -> Any:
    if not isinstance(rate, dict):
        return rate
    if "csv" in rate and isinstance(base, StepsRate):
        rows = [{"at": f"{step.at}ns", "rate": f"{Decimal(repr(step.rate)):f}/s"} for step in base.steps]
        return {"steps": rows, **{key: value for key, value in rate.items() if key != "csv"}}
    if isinstance(rate.get("replay"), dict) and "csv" in rate["replay"] and isinstance(base, ReplayRate):
        return {**rate, "replay": [f"{at}ns" for at in base.instants]}
    return {**rate, "base": _rate_with_rows(rate["base"], base)} if "base" in rate else rate
