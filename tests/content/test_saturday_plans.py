"""The plans of the Saturday experiments: each holds, no replica can go, and the first thing to break is as told."""

from __future__ import annotations

from pathlib import Path

import pytest

import sysim
from sysim.report.capacity import plan_text
from sysim.study.capacity.plan import CapacityPlan

ROOT = Path(__file__).parents[2]

PLANS = [
    ("ordinary_saturday", ["web", "web"]),
    ("grand_national", ["web", "web"]),
    ("zone_lost", ["history"]),
    ("deploy_before_the_race", ["history"]),
    ("autoscaler_or_prescaling", ["wallet"]),
    ("ci_on_monday", ["runners"]),
    ("exchange_times_five@orders_first_few_looks", ["engine"]),
]
"""The plan of a file (and variant), and what breaks first: when nothing fails, and in the hardest situation."""


def plan(name: str) -> CapacityPlan:
    file, _, variant = name.partition("@")
    scenario = sysim.load(ROOT / "experiments" / "saturday" / f"{file}.yaml", variant=variant or None)
    return sysim.capacity_plan(scenario, whole_day=False, workers=2)


@pytest.mark.long
@pytest.mark.parametrize(("name", "first"), PLANS, ids=[name for name, _ in PLANS])
def test_the_plan_of_an_experiment(name: str, first: list[str]) -> None:
    found = plan(name)
    assert found.exit_code == 0, plan_text(found)  # it holds, and no replica can go
    assert [one.bottleneck for one in found.saturations] == first, plan_text(found)
    assert all(one.factor > 1.0 for one in found.saturations)


@pytest.mark.parametrize("variant", ["one_queue", "orders_first"])
def test_no_replicas_help_an_exchange_whose_engine_may_not_grow(variant: str) -> None:
    found = plan(f"exchange_times_five@{variant}")
    assert found.exit_code == 1 and found.sizes is None
    assert "engine is full, and may not grow" in found.problem
