"""A run taken apart and put together again is the same run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sysim
from sysim.api import plan_of
from sysim.result import Run
from sysim.store.arrays import packed, unpacked
from sysim.store.parts import put_together, taken_apart
from sysim.store.timelines import rows, series_of
from tests.agreement.generate import scenario
from tests.store.same import canonical, differs
from tests.study.files import STALL

EVERYTHING = Path(__file__).parents[1] / "scenario_file" / "everything.yaml"


def again(run: Run) -> Run:
    kept = [(kind, subject, metric, unpacked(*packed(array))) for kind, subject, metric, array in rows(run.series)]
    return put_together(taken_apart(run), run.plan, series_of(run.series.bucket_s, kept))


def check(run: Run) -> None:
    found = again(run)
    assert differs(run, found) is None
    assert canonical(run.to_dict(series=True)) == canonical(found.to_dict(series=True))
    assert (run.state, run.transitions, run.actions) == (found.state, found.transitions, found.actions)


@pytest.mark.parametrize("ten", range(4))
def test_generated_scenarios(ten: int) -> None:
    for number in range(10 * ten, 10 * ten + 10):
        loaded = sysim.loads(scenario(random.Random(number)))
        for run in sysim.simulate(loaded, seed=number, engine="reference", traces=3).runs:
            check(run)


def test_levers_money_and_several_loads() -> None:
    for entry in sysim.library():
        if entry.name in ("shed_to_recover", "third_party_outage"):
            some = sysim.load(entry.path, set={"time.duration": "40s"} if entry.name == "x" else {})
            check(sysim.simulate(some, engine="compiled", replications=1).run)


def test_a_run_whose_series_were_not_kept() -> None:
    from dataclasses import replace

    run = sysim.simulate(sysim.loads(STALL), engine="reference").run
    check(replace(run, series=run.series.emptied()))


def test_verdicts_on_the_run_put_together_are_the_same() -> None:
    from sysim.analysis.checks import judge_all

    facade = sysim.loads(STALL)
    runs = sysim.simulate(facade, engine="reference", replications=3).runs
    checks = facade.model.checks[:1]
    assert judge_all(checks, runs, None) == judge_all(checks, tuple(again(run) for run in runs), None)


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, -(2**63), 2**63 - 1]),
        np.array([0.1, -0.0, np.inf, np.nan, 5e-324]),
        np.array([], dtype=np.int64),
        np.arange(5, dtype=">i8"),
        np.arange(10)[::2],
    ],
)
def test_arrays_to_the_last_bit(array: Any) -> None:
    dtype, data = packed(array)
    found = unpacked(dtype, data)
    assert dtype.startswith("<") and not found.flags.writeable
    assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_the_plan_of_a_stored_run_is_that_of_its_scenario() -> None:
    facade = sysim.loads(STALL)
    run = sysim.simulate(facade, engine="reference").run
    plan = plan_of(facade)
    assert put_together(taken_apart(run), plan, run.series).plan is plan


def test_what_cannot_be_kept_is_said() -> None:
    from dataclasses import replace

    run = sysim.simulate(sysim.loads(STALL), engine="reference").run
    with pytest.raises(TypeError, match="a set"):
        taken_apart(replace(run, fault_numbers={"x": {1}}))  # type: ignore[dict-item]
