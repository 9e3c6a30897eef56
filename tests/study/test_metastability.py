"""Tipping points, maps and relief against the published law of retries without cancelling."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.errors import SysimError
from sysim.plot import save, tipping, vulnerability
from sysim.report.tipping import map_dict, map_text, relief_dict, relief_text, tipping_dict, tipping_text, write_map
from tests.study.storm import ATTEMPTS, LAM, MU, storm

LONG = pytest.mark.long


def test_the_tipping_stall_is_a_little_longer_than_the_timeout() -> None:
    """Law: a stall shorter than the timeout of 500 ms makes nobody give up; a threshold a little above it does."""
    found = sysim.tipping_point(storm(), "faults.stall.for", "0s", "10s", replications=6)
    assert found.found.tips and found.found.rising
    assert found.found.median is not None
    low, high = found.found.median.interval
    assert 0.25e9 < low < high < 1.5e9
    assert found.found.median.confidence == 0.96875
    assert found.lengthened and found.duration_s == pytest.approx(20 + 10 + 100 + 20)
    assert found.runs == sum(probe.runs for probe in found.found.probes)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_result_does_not_depend_on_the_number_of_workers(workers: int) -> None:
    one, many = (
        sysim.tipping_point(storm(), "faults.stall.for", "0s", "4s", replications=4, workers=n) for n in (1, workers)
    )
    assert tipping_dict(one) == tipping_dict(many)


def test_the_boundary_of_the_load() -> None:
    """lam (1 + r) = mu: with a stall of 3 s the load tips at 50/3 a second, and not far beside."""
    found = sysim.tipping_point(storm(faults__stall__for="3s"), "load.clients.rate", "5/s", "40/s", replications=6)
    assert found.found.median is not None
    low, high = found.found.median.bracket
    assert low == pytest.approx(MU / ATTEMPTS, rel=0.15) and high == pytest.approx(MU / ATTEMPTS, rel=0.15)


def test_attempts_and_budgets_tip_as_the_law_says() -> None:
    """A budget of retries tips above mu/lam - 1 = 25 %; capacity saves from lam (1 + r) on."""
    budget = {"load.clients.policy.retry.budget": {"ratio": "10%"}}
    found = sysim.tipping_point(
        storm(faults__stall__for="3s", **{key.replace(".", "__"): value for key, value in budget.items()}),
        "load.clients.policy.retry.budget.ratio", "5%", "100%", replications=5,
    )  # fmt: skip
    assert found.found.tips
    assert found.found.median is not None
    assert found.found.median.bracket[0] == pytest.approx(MU / LAM - 1, abs=0.08)
    workers = sysim.tipping_point(storm(), "services.api.concurrency", 1, 4, replications=3)
    assert not workers.found.rising and workers.found.tips
    assert "or less" in tipping_text(workers)


def test_nothing_tips_without_retries() -> None:
    scenario = storm(load__clients__policy__retry__max_attempts=1)
    found = sysim.tipping_point(scenario, "faults.stall.for", "0s", "4s", replications=3)
    assert not found.found.tips and "Nothing tips" in tipping_text(found)
    told = tipping_dict(found)
    assert told["tips"] is False and told["between"] == [4.0, None]
    json.dumps(told, allow_nan=False)


def test_an_overloaded_system_is_down_everywhere() -> None:
    found = sysim.tipping_point(storm(load__clients__rate="60/s"), "faults.stall.for", "1s", "4s", replications=2)
    assert "down everywhere" in tipping_text(found) and "before any fault" in tipping_text(found)


def test_what_cannot_be_judged_is_not_called_well() -> None:
    """A fault from the first instant on leaves nothing to compare with."""
    at_once = storm(faults__stall__at="0s")
    found = sysim.tipping_point(at_once, "faults.stall.for", "2s", "4s", replications=2)
    assert "cannot be told" in tipping_text(found)
    assert "cannot be told" in relief_text(sysim.least_relief(at_once, replications=2))


def test_a_path_or_a_load_that_is_not_there() -> None:
    with pytest.raises(sysim.ScenarioError, match="stal"):
        sysim.tipping_point(storm(), "faults.stal.for", "0s", "4s")
    with pytest.raises(SysimError, match="expected one of clients"):
        sysim.tipping_point(storm(), "faults.stall.for", "0s", "4s", loads=["client"])


# --- the map ----------------------------------------------------------------------------------------------


def test_the_map_has_three_regions(tmp_path: Path) -> None:
    """Stable below the boundary whatever the trigger, vulnerable above it, down by itself above capacity."""
    factors = (0.2, 1.4)  # 8 to 56 a second; the boundary is at 0.42, capacity at 1.25
    found = sysim.vulnerability_map(
        storm(), "faults.stall.for", "0s", "4s", factors=factors, grid=(4, 3), replications=2, workers=2
    )
    state = {(round(spot.factor, 2), spot.value / 1e9): spot.state for spot in found.spots}
    assert len(state) == 12 and all(spot.runs == 2 for spot in found.spots)
    assert {state[0.2, value] for value in (0.0, 2.0, 4.0)} <= {"healthy", "recovered"}
    assert state[1.0, 0.0] == "healthy" and state[1.0, 4.0] == "metastable" and state[0.6, 4.0] == "metastable"
    assert {state[1.4, value] for value in (0.0, 2.0, 4.0)} == {"unstable"}
    text = map_text(found)
    assert "vulnerable" in text and "needs no trigger" in text
    rows = list(csv.DictReader(write_map(found, tmp_path / "map.csv").read_text().splitlines()))
    assert len(rows) == 12 and {row["state"] for row in rows} == set(state.values())
    assert sum(int(row["metastable"]) for row in rows) == sum(spot.states.get("metastable", 0) for spot in found.spots)
    json.dumps(map_dict(found), allow_nan=False)
    picture = save(vulnerability(found), tmp_path / "map.png")
    assert picture.stat().st_size > 10_000


# --- relief -----------------------------------------------------------------------------------------------


def test_the_load_that_may_stay_is_below_the_boundary() -> None:
    """Relief for good heals below lam (1 + r) = mu, and the backlog has to drain in time: a little less."""
    found = sysim.least_relief(storm(), replications=5)
    assert found.found.tips and found.found.median is not None
    low, high = found.found.median.bracket
    boundary = MU / ATTEMPTS / LAM
    assert 0.5 * boundary < low < high < 1.05 * boundary
    assert found.at_s == 32.0 and found.until_s is None
    assert "taken away" in relief_text(found)
    assert relief_dict(found)["between"] == [pytest.approx(low), pytest.approx(high)]


def test_a_short_relief_has_to_be_deeper() -> None:
    for_good, short = (sysim.least_relief(storm(), at="32s", lasts=lasts, replications=4) for lasts in (None, "20s"))
    assert for_good.found.median is not None and short.found.median is not None
    assert short.found.median.bracket[1] < for_good.found.median.bracket[0]
    assert short.until_s == 52.0


def test_what_gets_up_again_needs_no_relief() -> None:
    found = sysim.least_relief(storm(load__clients__policy__retry__max_attempts=1), replications=2)
    assert "nothing to relieve" in relief_text(found)


@pytest.mark.parametrize(
    ("changes", "options", "told"),
    [
        ({"faults__stall": None}, {}, "no fault that ends"),
        ({"faults__stall__for": None}, {}, "no fault that ends"),
        ({}, {"at": "5s"}, "before the last fault ends"),
        ({"load__clients__rate": {"sine": {"mean": "40/s", "amplitude": "10%", "period": "10s"}}}, {}, "stages"),
    ],
)
def test_relief_that_cannot_be_had(changes: dict[str, Any], options: dict[str, Any], told: str) -> None:
    with pytest.raises(SysimError, match=told):
        sysim.least_relief(storm(**changes), replications=1, **options)


def test_a_figure_of_the_tipping_point(tmp_path: Path) -> None:
    found = sysim.tipping_point(storm(), "faults.stall.for", "0s", "2s", replications=2)
    picture = save(tipping(found.found, "storm"), tmp_path / "tipping.png")
    again = save(tipping(found.found, "storm"), tmp_path / "again.png")
    assert picture.read_bytes() == again.read_bytes() and picture.stat().st_size > 5_000


# --- published figures ------------------------------------------------------------------------------------

HOTOS = """
sysim: 1
name: hotos
time: {duration: 600s, bucket: 1s}
services: {db: {concurrency: 1, operations: {serve: [{work: {exponential: 3333333ns}}]}}}
load: {web: {call: db.serve, rate: 280/s, policy: {timeout: 1s, retry: {max_attempts: 2}}}}
faults: [{name: outage, at: 30s, for: 10s, on: db, pause: true}]
"""


@LONG
@pytest.mark.parametrize(
    ("rate", "state", "least"),
    [
        (100, "recovered", 20), (140, "recovered", 20), (149, "metastable", 17), (155, "metastable", 20),
        (160, "metastable", 20), (170, "metastable", 20), (200, "metastable", 20), (280, "metastable", 20),
    ],
)  # fmt: skip
def test_hotos_21_by_its_word(rate: int, state: str, least: int) -> None:
    """mu = 300, one retry: stable below 150 a second; at 149, near critical, published runs give 19 of 20 down."""
    result = sysim.simulate(sysim.loads(HOTOS, set={"load.web.rate": f"{rate}/s"}), replications=20)
    found = [run.state for run in result.runs]
    assert found.count(state) >= least, found


@LONG
def test_hotos_21_tips_at_150_a_second() -> None:
    found = sysim.tipping_point(sysim.loads(HOTOS), "load.web.rate", "100/s", "280/s", replications=20, workers=2)
    assert found.found.median is not None
    low, high = found.found.median.interval
    assert low > 140 and high < 156 and found.found.median.confidence >= 0.95
