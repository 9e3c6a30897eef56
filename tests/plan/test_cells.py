"""Time is cut so that buckets, segments and windows are sums of the same cells."""

import numpy as np
import pytest

from sysim.model import Scenario, Service, Time, Window
from sysim.plan import PlanError, lower


def plan_with(duration="10s", bucket="3s", warmup=0, **windows):
    time = Time(duration=duration, bucket=bucket, warmup=warmup)
    cuts = {name: Window(start=start, end=end) for name, (start, end) in windows.items()}
    return lower(Scenario(time=time, services={"a": Service(operations={"x": []})}, windows=cuts))


def seconds(edges):
    return [edge / 1e9 for edge in edges.tolist()]


def test_edges_are_those_of_buckets_warmup_and_windows():
    plan = plan_with(warmup="1s", w=("2500ms", "6s"))
    assert seconds(plan.cell_edges) == [0, 1, 2.5, 3, 6, 9, 10]
    assert seconds(plan.segment_edges) == [0, 1, 2.5, 6, 10]
    assert plan.cell_bucket.tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert plan.cell_segment.tolist() == [0, 1, 2, 2, 3, 3, 4]
    assert (plan.n_cells, plan.n_buckets, plan.n_segments) == (6, 4, 4)


def test_windows_are_whole_numbers_of_cells_and_segments():
    plan = plan_with(warmup="1s", w=("2500ms", "6s"), early=("0s", "4s"), late=("9s", "99s"))
    for name, (start, end) in plan.windows.items():
        first, last = plan.window_cells(name)
        assert plan.cell_edges[first] == start and plan.cell_edges[last] == end
        lengths = np.diff(plan.cell_edges)
        assert lengths[first:last].sum() == end - start
        first, last = plan.window_segments(name)
        assert np.diff(plan.segment_edges)[first:last].sum() == end - start
    assert plan.windows["all"] == (10**9, 10 * 10**9)
    assert plan.windows["late"] == (9 * 10**9, 10 * 10**9)


def test_there_are_at_most_512_columns_of_equal_width():
    plan = plan_with(duration="1025s", bucket="1s")
    assert (plan.n_columns, plan.buckets_per_column) == (342, 3)
    assert plan.cell_column[:7].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert plan.cell_column[-1] == 342
    assert plan_with(duration="512s", bucket="1s").n_columns == 512


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(PlanError, match="begins when the run is over"):
        plan_with(w=("10s", "12s"))
    with pytest.raises(PlanError, match="wider"):
        plan_with(duration="24h", bucket="1ms")
