"""What a sweep found, point by point, and how the runs of a point become that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sysim.analysis.checks import Outcome, Verdict, judge_all
from sysim.analysis.estimates import Estimate, estimate
from sysim.analysis.measures import Measure
from sysim.errors import Problem
from sysim.model import Check, Scenario
from sysim.result.run import Run
from sysim.study.design import Design, Point

State = Literal["complete", "partial", "failed", "not run"]


@dataclass(frozen=True)
class Found:
    """One point. `values` has for each measure its number in each replication that was run, `measured` their mean with
    its interval; None where no replication has data.

    `state` is ``partial`` where only some of the replications were finished, ``failed`` where one could not be run;
    `failure` says why, and the point then counts for nothing.
    """

    point: Point
    label: str
    seed: int
    state: State
    replications: tuple[int, ...] = ()
    values: tuple[tuple[float | None, ...], ...] = ()
    measured: tuple[Estimate | None, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    failure: str = ""

    def verdict(self, check: Check) -> Outcome | None:
        """The outcome of a check at this point, None where it was not judged."""
        return next((one.verdict for one in self.verdicts if one.check == check.text), None)


@dataclass(frozen=True)
class Swept:
    """The points of a sweep in the order of its design.

    `common` is True where all points met the same random numbers. `left_out` are checks that compare variants, which
    no single point can tell. `interrupted` marks a sweep with points that were not run to the end.
    """

    scenario: str
    digest: str
    variant: str | None
    engine: str
    design: Design
    measures: tuple[Measure, ...]
    checks: tuple[Check, ...]
    points: tuple[Found, ...] = field(repr=False)
    seed: int
    replications: int
    common: bool = True
    confidence: float = 0.95
    left_out: tuple[str, ...] = ()
    interrupted: bool = False
    warnings: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def failed(self) -> tuple[Found, ...]:
        """The points that could not be run."""
        return tuple(one for one in self.points if one.state == "failed")

    def means(self, measure: int) -> list[float | None]:
        """The mean of a measure at each point, None where there is none."""
        return [
            None if one.state == "failed" or not one.measured or (known := one.measured[measure]) is None
            else known.mean
            for one in self.points
        ]  # fmt: skip

    @property
    def rows(self) -> Iterator[dict[str, Any]]:
        """A row a point for tables: what was set, and of each measure its mean and interval."""
        for one in self.points:
            row: dict[str, Any] = {"point": one.point.number}
            row |= {factor.path: one.point.values.get(factor.path) for factor in self.design.factors}
            row |= {"state": one.state, "replications": len(one.replications)}
            for k, measure in enumerate(self.measures):
                known = one.measured[k] if one.measured else None
                row[measure.text] = None if known is None else known.mean
                row[f"{measure.text} low"] = None if known is None else known.low
                row[f"{measure.text} high"] = None if known is None else known.high
            row |= {check.text: one.verdict(check) for check in self.checks}
            yield row | {"failure": one.failure}

    def table(self) -> list[dict[str, Any]]:
        """`rows` as a list, for ``pandas.DataFrame`` and the like."""
        return list(self.rows)


def reduced(
    point: Point,
    label: str,
    seed: int,
    runs: Sequence[Run],
    failure: str,
    *,
    scenario: Scenario,
    measures: Sequence[Measure],
    checks: Sequence[Check],
    asked: int,
    variant: str | None,
    confidence: float,
) -> Found:
    """A point from its runs, which are sorted by replication here."""
    if failure or not runs:
        return Found(point, label, seed, "failed" if failure else "not run", failure=failure)
    runs = sorted(runs, key=lambda run: run.replication)
    values = tuple(tuple(measure.of(run) for run in runs) for measure in measures)
    wanted = {check.text for check in checks}
    return Found(
        point=point,
        label=label,
        seed=seed,
        state="complete" if len(runs) == asked else "partial",
        replications=tuple(run.replication for run in runs),
        values=values,
        measured=tuple(_estimate(some, confidence) for some in values),
        verdicts=judge_all([check for check in scenario.checks if check.text in wanted], runs, variant),
    )


def _estimate(values: Sequence[float | None], confidence: float) -> Estimate | None:
    """Mean and interval; those of equal values are exactly that."""
    known = [value for value in values if value is not None]
    found = estimate(values, confidence)
    if found is not None and len(known) > 1 and min(known) == max(known):
        return replace(found, mean=known[0], half_width=0.0)
    return found
