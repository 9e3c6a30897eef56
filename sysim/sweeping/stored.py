"""What a sweep puts into a store, and what it finds there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sysim.api import Scenario
from sysim.running import Engine

if TYPE_CHECKING:
    from sysim.result import Run
    from sysim.store import Keeping
    from sysim.study.design import Point
    from sysim.study.swept import Swept
    from sysim.sweeping.jobs import Points
    from sysim.sweeping.reading import Ready


def begin(keeping: Keeping, facade: Scenario, engine: Engine, seed: int, count: int, ready: Sequence[Ready]) -> None:
    """Note the questions of a sweep, one a point."""
    from sysim.store import Question

    keeping.begin(
        "sweep", scenario=facade.name, engine=engine, seed=seed, asked=count, sources=facade.sources,
        questions=[
            Question(one.label, one.digest, None, one.seed, _changes(one.point), fingerprint=one.plan) for one in ready
        ],
    )  # fmt: skip


def _changes(point: Point) -> str:
    """What a point changes, as it would stand among the variants of the file."""
    return "".join(f"{path}: {json.dumps(value, ensure_ascii=False)}\n" for path, value in point.values.items())


def conclude(keeping: Keeping, swept: Swept) -> None:
    """Put what the sweep came to beside its runs."""
    from sysim.report.sweep import sweep_dict

    verdicts = [replace(verdict, variant=one.label) for one in swept.points for verdict in one.verdicts]
    keeping.conclude(sweep_dict(swept), verdicts, None, exit_code(swept), swept.interrupted)


def exit_code(swept: Swept) -> int:
    """0: every point was run, 3: some could not be, 130: interrupted."""
    return 130 if swept.interrupted else 3 if swept.failed else 0


def recalled(keeping: Keeping | None, work: Points, point: int, replication: int) -> Run | None:
    """The run that was stored before, None where there is none."""
    if keeping is None:
        return None
    return keeping.recall(work.ready[point].label, replication, series=False, plan=lambda: work.prepared(point)[1])


def build() -> str:
    """The text by which one sysim is told from another."""
    from sysim.store import origin

    return origin.build()
