"""The plans of the Saturday experiments: each holds, no replica can go, and the first thing to break is as told."""

from __future__ import annotations

import pytest

import sysim
from sysim.report.capacity import plan_text

PLANS = [
    ("ordinary_saturday", {"history", "web"}),
    ("grand_national", {"web"}),
    ("zone_lost", {"history", "web"}),
    ("deploy_before_the_race", {"history", "web", "betting"}),
    ("autoscaler_or_prescaling", {"history", "web"}),
    ("ci_on_monday", {"runners"}),
    ("exchange_times_five", {"engine"}),
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "first"), PLANS, ids=[name for name, _ in PLANS])
def test_the_plan_of_an_experiment(name: str, first: set[str]) -> None:
    found = sysim.capacity_plan(sysim.load(f"experiments/saturday/{name}.yaml"), whole_day=False, workers=2)
    assert found.exit_code == 0, plan_text(found)
    assert found.certificate is not None and found.certificate.plan.word == "holds"
    assert {word for word in (some.word for some in found.certificate.fewer.values())} <= {"violated", "holds"}
    assert found.saturations[0].factor > 1.0
    assert {one.bottleneck for one in found.saturations} <= first, plan_text(found)
