"""The points of a sweep as scenarios: each read and lowered once, before anything is run."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sysim.api import Scenario, plan_of
from sysim.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from sysim.study.design import Design, Point


@dataclass(frozen=True)
class Ready:
    """A point that was read and found valid."""

    point: Point
    label: str
    seed: int
    digest: str
    scenario: bytes
    plan: str


def ready(facade: Scenario, design: Design, seed: int, independent: bool) -> tuple[Ready, ...]:
    """Every point, read and lowered once; raises `ScenarioError` with what is wrong at any of them."""
    from sysim import scenario_file
    from sysim.plan.fingerprint import fingerprint
    from sysim.study.design import label

    found: list[Ready] = []
    problems: dict[Problem, tuple[Problem, list[Point]]] = {}
    for point in design.points:
        try:
            loaded = scenario_file.with_(facade._loaded, point.values, others=False)
            plan = plan_of(replace(facade, model=loaded.scenario))
        except ScenarioError as error:
            for problem in error.problems:
                # A path that leads nowhere is one problem, whatever was to be put there.
                problems.setdefault(replace(problem, source=""), (problem, []))[1].append(point)
            continue
        text = zlib.compress(loaded.scenario.model_dump_json().encode(), 6)
        own = _seed_at(seed, point.number) if independent else seed
        found.append(Ready(point, label(point.values), own, loaded.digest, text, fingerprint(plan)))
    if problems:
        raise ScenarioError([_at_points(problem, some, design) for problem, some in problems.values()])
    return tuple(found)


def _at_points(problem: Problem, some: Sequence[Point], design: Design) -> Problem:
    """A problem with the points that make it."""
    n, of = len(some), len(design.points)
    where = f"at point {some[0].number + 1} of {of}: {design.told(some[0])}" if n < of else f"at all {of} points"
    more = f", and at {n - 1} more" if 1 < n < of else ""
    file = f"--vary {problem.file.removeprefix('--set ')}" if problem.file.startswith("--set ") else problem.file
    return replace(problem, file=file, message=f"{problem.message} ({where}{more})")


def _seed_at(seed: int, point: int) -> int:
    """The seed of a point whose random numbers are its own."""
    return int.from_bytes(hashlib.sha256(f"sweep {seed} {point}".encode()).digest()[:8], "big")
