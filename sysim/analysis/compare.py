"""What differs between two results, and between the scenarios that they come from.

Works on the JSON objects of runs, so that a stored result compares as well as a fresh one. Runs with the same
seed and replication number have the same random numbers and are compared in pairs; where not all runs have
their counterpart, the two sides are taken as independent samples (Welch), and the result says which it was. Many
numbers are compared at once, so which of them differ is decided by Holm's method: all are right together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sysim.analysis.corrections import holm
from sysim.analysis.estimates import Estimate, estimate, paired, welch

METRICS: dict[str, dict[str, tuple[str, ...]]] = {
    "loads": {
        "success": ("success",),
        "goodput": ("goodput_per_s",),
        "p50": ("latency_s", "p50"),
        "p99": ("latency_s", "p99"),
        "amplification": ("amplification",),
        "value_lost": ("value_lost",),
    },
    "services": {
        "utilisation": ("utilisation",),
        "queue_mean": ("queue_mean",),
        "wait_p99": ("wait_s", "p99"),
        "wasted_s": ("wasted_s",),
    },
    "calls": {"success": ("success",), "amplification": ("amplification",)},
}
"""The headline numbers of each kind of subject: name -> keys of the JSON object."""
IGNORED = ("name", "description", "variants", "checks", "abort_when")
"""What changes no run."""


@dataclass(frozen=True)
class Side:
    """One of two results: what it is called, the `runs` of its JSON object, its resolved scenario if known."""

    name: str
    runs: Sequence[Mapping[str, Any]] = field(repr=False)
    scenario: Mapping[str, Any] | None = field(default=None, repr=False)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One number on both sides. `difference` is b less a; None where no run has data on both sides.

    `real`: it differs beyond chance, all numbers of the comparison taken together; of single runs, at all.
    """

    window: str
    kind: str
    subject: str
    metric: str
    a: Estimate | None
    b: Estimate | None
    difference: Estimate | None
    real: bool = False


@dataclass(frozen=True)
class Change:
    """A value of the scenario that differs: a dotted path, and what stands there on both sides (None: not
    there).
    """

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Comparison:
    """Two results side by side. `changes` is None where a scenario is not known."""

    a: Side
    b: Side
    pairs: int
    paired: bool
    confidence: float
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``sysim compare --json``."""

        def number(found: Estimate | None) -> dict[str, float | int | None] | None:
            if found is None:
                return None
            return {"mean": found.mean, "half_width": found.half_width, "n": found.n}

        return {
            "format": 1,
            "a": {"name": self.a.name, "replications": len(self.a.runs), "digest": self.a.digest},
            "b": {"name": self.b.name, "replications": len(self.b.runs), "digest": self.b.digest},
            "paired": self.paired,
            "pairs": self.pairs,
            "confidence": self.confidence,
            "correction": "holm",
            "changes": None
            if self.changes is None
            else [{"path": c.path, "old": c.old, "new": c.new} for c in self.changes],
            "differences": [
                {
                    "window": d.window, "kind": d.kind, "subject": d.subject, "metric": d.metric,
                    "a": number(d.a), "b": number(d.b), "difference": number(d.difference), "real": d.real,
                }
                for d in self.differences
            ],
        }  # fmt: skip


def compare(a: Side, b: Side, confidence: float = 0.95) -> Comparison:
    """All headline numbers of the windows, loads, services and calls that both sides have."""
    theirs = {_key(run): run for run in b.runs}
    common = [(run, theirs[_key(run)]) for run in a.runs if _key(run) in theirs]
    in_pairs = len(common) == len(a.runs) == len(b.runs)
    first, second = ([p for p, _ in common], [q for _, q in common]) if in_pairs else (a.runs, b.runs)
    differences = []
    for window, kind, subject, metric, path in _subjects(a.runs[0], b.runs[0]):
        x = [_at(run, ("windows", window, kind, subject, *path)) for run in first]
        y = [_at(run, ("windows", window, kind, subject, *path)) for run in second]
        differences.append(_difference(window, kind, subject, metric, x, y, in_pairs, confidence))
    for load in a.runs[0].get("recovery", {}):
        if load in b.runs[0].get("recovery", {}):
            path = ("recovery", load, "recovered_after_s")
            x, y = [_at(run, path) for run in first], [_at(run, path) for run in second]
            differences.append(_difference("all", "loads", load, "recovery", x, y, in_pairs, confidence))
    known = a.scenario is not None and b.scenario is not None
    return Comparison(
        a, b, len(common) if in_pairs else 0, in_pairs, confidence, _marked(differences, confidence),
        tuple(changes(a.scenario or {}, b.scenario or {})) if known else None,
    )  # fmt: skip


def _marked(differences: Sequence[Difference], confidence: float) -> tuple[Difference, ...]:
    """The differences with what is real; a test on each, held to its share of the error by Holm's method."""
    tested = [k for k, d in enumerate(differences) if d.difference is not None and d.difference.p is not None]
    p_values = [_p(differences[k]) for k in tested]
    alpha = 1 - confidence
    shares = dict(zip(tested, holm(p_values, [alpha] * len(tested)), strict=True))
    marked = []
    for k, d in enumerate(differences):
        if k in shares:
            real = _p(d) <= alpha * shares[k]
        elif d.difference is not None:
            real = d.difference.mean != 0
        else:
            real = (d.a is None) != (d.b is None)
        marked.append(replace(d, real=real))
    return tuple(marked)


def _p(d: Difference) -> float:
    found = d.difference.p if d.difference is not None else None
    assert found is not None
    return found


def _difference(
    window: str,
    kind: str,
    subject: str,
    metric: str,
    x: Sequence[float | None],
    y: Sequence[float | None],
    in_pairs: bool,
    confidence: float,
) -> Difference:
    found = paired(y, x, confidence) if in_pairs else welch(y, x, confidence)
    return Difference(
        window, kind, subject, metric, estimate(x, confidence), estimate(y, confidence), found
    )


def _subjects(
    a: Mapping[str, Any], b: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    for window, facts in a["windows"].items():
        if window not in b["windows"]:
            continue
        for kind, wanted in METRICS.items():
            for subject in facts[kind]:
                if subject in b["windows"][window][kind]:
                    for metric, path in wanted.items():
                        yield window, kind, subject, metric, path


def _key(run: Mapping[str, Any]) -> tuple[Any, Any]:
    return run["seed"], run["replication"]


def _at(facts: Any, path: Sequence[str]) -> float | None:
    for key in path:
        if not isinstance(facts, Mapping) or key not in facts:
            return None
        facts = facts[key]
    return None if facts is None else float(facts)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The values that differ between two resolved scenarios, in the order of the paths' first appearance."""
    before = {path: value for key, item in old.items() if key not in IGNORED for path, value in _flat(key, item)}
    after = {path: value for key, item in new.items() if key not in IGNORED for path, value in _flat(key, item)}
    return [
        Change(path, before.get(path), after.get(path))
        for path in dict.fromkeys((*before, *after))
        if before.get(path) != after.get(path)
    ]


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Paths of the leaves. A list element goes by its name where it has one, as in ``--set``."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(f"{path}.{_quoted(str(key))}", item)
    elif isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list)) for item in value):
        for number, item in enumerate(value):
            name = item.get("name", number) if isinstance(item, Mapping) else number
            yield from _flat(f"{path}.{name}", item)
    else:
        yield path, value


def _quoted(key: str) -> str:
    return f'"{key}"' if "." in key or " " in key else key
