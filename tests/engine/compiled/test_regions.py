"""What `Table` promises the optimiser: no index is negative or beyond the end, regions apart, the plan untouched."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sysim.engine.compiled import world
from sysim.plan.lower import lower
from sysim.scenario_file import loads
from tests.agreement.generate import scenario

ROOT = Path(__file__).parents[3]


class Strict(np.ndarray[Any, Any]):
    """An array that takes row and column numbers from 0 only, as the compiled tables do."""

    def _check(self, index: Any) -> None:
        for part, size in zip(index if isinstance(index, tuple) else (index,), self.shape, strict=False):
            if isinstance(part, int | np.integer) and not 0 <= part < size:
                raise IndexError(f"index {index} of a table of {self.shape}")

    def __getitem__(self, index: Any) -> Any:
        self._check(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check(index)
        super().__setitem__(index, value)


def strictly(first: int, last: int) -> None:
    """Run generated scenarios with the JIT off on tables of that kind; for a process of its own."""
    from sysim.engine.compiled import entries as event_set
    from sysim.engine.compiled import loop, run, tables

    event_set.LARGE = loop.LARGE = 0  # look ahead always
    build = world.build

    def strict_build(some: Any) -> Any:
        return tuple(table.view(Strict) for table in build(some))

    world.build = tables.world.build = strict_build
    entries = 0
    for number in range(first, last):
        plan = lower(loads(scenario(random.Random(number))).scenario)
        entries += run.simulate(plan, seed=number).n_events
    print(entries)


@pytest.mark.parametrize(("first", "last"), [(40_000, 40_016), pytest.param(40_016, 40_060, marks=pytest.mark.long)])
def test_no_index_is_out_of_range(first: int, last: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.engine.compiled.test_regions import strictly; strictly({first}, {last})"],
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 400 * (last - first)


def test_strict_tables_refuse_what_numpy_takes() -> None:
    table = np.zeros((3, 2), dtype=np.int64).view(Strict)
    for index in ((-1, 0), (0, -1), (3, 0)):
        with pytest.raises(IndexError):
            table[index]
        with pytest.raises(IndexError):
            table[index] = 1
    table[2, 1] = 5
    assert table[2, 1] == 5


def test_tables_of_different_regions_do_not_overlap() -> None:
    from sysim.engine.compiled.tables import allocate
    from sysim.record.record import allocate as allocate_record

    plan = lower(loads(scenario(random.Random(1))).scenario)
    record = allocate_record(plan, 3)
    run = allocate(plan, record, 1, 0)
    run.connect(plan, record)
    known = {**{name: getattr(plan, name) for name in vars(plan) if hasattr(getattr(plan, name), "ctypes")}}
    places: list[tuple[int, int, str, str]] = []
    for name, (_, _, region) in world.TABLES.items():
        table = getattr(run, name, known.get(name))
        if isinstance(table, np.ndarray) and table.nbytes:
            begin = table.ctypes.data
            places.append((begin, begin + table.nbytes, name, region))
            if region == world.PLAN and name in known:
                assert not table.flags.writeable, name
    assert len(places) > 30
    places.sort()
    for one, two in itertools.pairwise(places):
        assert one[1] <= two[0] or one[2] == two[2], (one, two)
