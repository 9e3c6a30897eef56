"""Rolling deploys on either engine: who comes and goes when, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.tables import OUTCOMES
from sysim.record.columns import EV_REPLICA, EV_ROLLED, LC_OUT
from sysim.record.record import Record
from tests.agreement.test_replicas import run
from tests.agreement.test_scalers import planned, replicas

Node = dict[str, Any]
Engine = Callable[..., Record]
ENGINES = pytest.mark.parametrize("engine", [compiled, reference], ids=["compiled", "reference"])
S = 1_000_000_000
BASE = """
sysim: 1
time: {duration: 300s, bucket: 10s}
services:
  api: {replicas: 10, concurrency: 4, startup: 20s, operations: {get: [{work: 100ms}]}}
load: {web: {call: api, arrivals: evenly, rate: 20/s}}
"""


def base(*actions: Node, **service: Any) -> Node:
    node: Node = yaml.safe_load(BASE)
    node["services"]["api"] |= service
    node["actions"] = list(actions)
    return node


def deploy(at: str = "100s", **how: Any) -> Node:
    return {"at": at, "deploy": {"service": "api", **how}}


def moves(engine: Engine, node: Node) -> tuple[dict[int, int], dict[int, int], list[int]]:
    """How many replicas came up in each second, how many were gone, and when all were replaced."""
    plan = planned(node)
    record = engine(plan, seed=1)
    up: dict[int, int] = {}
    gone: dict[int, int] = {}
    for at, _, what in replicas(record, plan):
        if what:
            found = up if what == 1 else gone
            found[int(at)] = found.get(int(at), 0) + 1
    rows = record.events[: record.n_transitions].tolist()
    return up, gone, [at // S for at, kind, _, _ in rows if kind == EV_ROLLED]


@ENGINES
def test_ten_replicas(engine: Engine) -> None:
    """Surge 3, two may be missing. At 100 s three start, two leave, two more start; at 120 s these five are ready, five
    old ones leave and the last five start; at 140 s the last three leave.
    """
    node = base(deploy())
    assert moves(engine, node) == ({120: 5, 140: 5}, {100: 2, 120: 5, 140: 3}, [140])
    record = engine(planned(node), seed=1)
    outcomes = record.load_cells[:, LC_OUT : LC_OUT + len(OUTCOMES)].sum(axis=0)
    assert outcomes[0] == outcomes.sum() == 300 * 20 - 1


@ENGINES
@pytest.mark.parametrize(
    ("how", "up", "gone", "done"),
    [
        ({"max_surge": 10, "max_unavailable": 0}, {120: 10}, {120: 10}, 120),
        ({"max_surge": 0, "max_unavailable": "100%"}, {120: 10}, {100: 10}, 120),
        ({"max_surge": 0, "max_unavailable": 5}, {120: 5, 140: 5}, {100: 5, 120: 5}, 140),
        ({"max_surge": "50%", "max_unavailable": 0}, {120: 5, 140: 5}, {120: 5, 140: 5}, 140),
    ],
)
def test_surges(engine: Engine, how: Node, up: dict[int, int], gone: dict[int, int], done: int) -> None:
    assert moves(engine, base(deploy(**how))) == (up, gone, [done])


@ENGINES
def test_nothing_to_spare_is_one_at_a_time(engine: Engine) -> None:
    node = base(deploy(max_surge=0, max_unavailable=0), replicas=3)
    assert moves(engine, node) == ({120: 1, 140: 1, 160: 1}, {100: 1, 120: 1, 140: 1}, [160])
    node = base(deploy(), replicas=1)  # a surge of one, none may be missing
    assert moves(engine, node) == ({120: 1}, {120: 1}, [120])


@ENGINES
def test_the_new_version_is_slow_and_fails_until_it_is_rolled_back(engine: Engine) -> None:
    node = base(deploy("50s", slowdown=3, error="100%"), {"at": "150s", "rollback": "api"}, startup="10s")
    node["load"]["web"]["rate"] = "10/s"
    visits = run(engine, node)
    for visit in visits:
        if visit.begin < 60_000 or visit.begin > 180_000:
            assert (visit.outcome, visit.end - visit.begin) == ("ok", pytest.approx(100)), visit
        elif 80_000 < visit.begin < 150_000:
            assert (visit.outcome, visit.end) == ("error", visit.begin), visit
    node["actions"][0]["deploy"]["error"] = "30%"
    middle = [visit for visit in run(engine, node) if 80_000 < visit.begin < 150_000]
    failed = sum(visit.outcome == "error" for visit in middle)
    assert failed / len(middle) == pytest.approx(0.3, abs=0.06)
    assert {round(visit.end - visit.begin) for visit in middle} == {0, 300}


@ENGINES
def test_cores_are_as_slow(engine: Engine) -> None:
    node = base(deploy("50s", slowdown=3), startup="10s", cores=2, replicas=2)
    node["load"]["web"]["rate"] = "10/s"
    visits = [visit for visit in run(engine, node) if visit.begin > 80_000]
    assert {round(visit.end - visit.begin, 3) for visit in visits} == {300.0}


@ENGINES
def test_a_rollback_goes_as_the_deploy_did_and_back_again(engine: Engine) -> None:
    node = base(deploy(), {"at": "200s", "rollback": "api"}, {"at": "270s", "rollback": "api"})
    up, _, done = moves(engine, node)
    assert up == {120: 5, 140: 5, 220: 5, 240: 5, 290: 5}
    assert done == [140, 240]  # the third would be over at 310 s
    assert moves(engine, base({"at": "100s", "rollback": "api"})) == ({}, {}, [])


@ENGINES
def test_a_rollback_in_the_middle(engine: Engine) -> None:
    """At 110 s five new ones start: they go at once, and two of the old version come instead of those that left."""
    node = base(deploy(), {"at": "110s", "rollback": "api"})
    assert moves(engine, node) == ({130: 2}, {100: 2, 110: 5}, [130])


@ENGINES
def test_a_version_that_does_not_get_ready_leaves_the_old_ones_standing(engine: Engine) -> None:
    node = base(deploy(), startup="1h")
    plan = planned(node)
    told = replicas(engine(plan, seed=1), plan)
    assert sorted((who, what) for _, who, what in told) == [("api#8", 2), ("api#9", 2)]


@ENGINES
def test_scaling_in_the_middle(engine: Engine) -> None:
    """Six at 110 s: a surge of 2, one may be missing. Three old ones leave, and five are left; with the new five ready
    at 120 s all of these leave, and there is room for the sixth.
    """
    node = base(deploy(), {"at": "110s", "scale": {"service": "api", "replicas": 6}})
    assert moves(engine, node) == ({120: 5, 140: 1}, {100: 2, 110: 3, 120: 5}, [140])
    node = base(deploy(), {"at": "110s", "scale": {"service": "api", "replicas": 20}})
    # twenty, a surge of 5: twelve more start at once; with these ready all old ones leave, and the last three start
    assert moves(engine, node) == ({120: 5, 130: 12, 150: 3}, {100: 2, 130: 8}, [150])


@ENGINES
def test_zones_stay_level(engine: Engine) -> None:
    node = base(deploy(), zones=["a", "b", "c"])
    plan = planned(node)
    record = engine(plan, seed=1)
    there = set(range(10))
    for row in record.events[: record.n_transitions].tolist():
        if row[1] == EV_REPLICA:
            there = there | {row[2]} if row[3] == 1 else there - {row[2]}
    zones = [plan.replicas[row, 1] for row in there]
    assert sorted(zones.count(zone) for zone in set(zones)) == [3, 3, 4]


@ENGINES
def test_old_replicas_finish_what_they_have(engine: Engine) -> None:
    node = base(deploy(max_surge=0, max_unavailable="100%"), startup="1s")
    node["services"]["api"]["operations"]["get"] = [{"work": "30s"}]
    node["services"]["api"] |= {"concurrency": 100}
    node["load"]["web"]["rate"] = "5/s"
    visits = run(engine, node)
    assert {visit.outcome for visit in visits} <= {"ok", "unreachable", "in_flight"}
    up, gone, done = moves(engine, node)
    assert up == {101: 10}  # the room of those that leave is not theirs alone
    assert min(gone) > 125
    assert done == [101]


@ENGINES
def test_an_autoscaler_and_a_crash_beside_it(engine: Engine) -> None:
    scaler = {"target": "30%", "min": 2, "max": 12, "stabilise": "0s"}
    node = base(deploy(), autoscaler=scaler, replicas=4)
    node["services"]["api"]["concurrency"] = 2
    node["faults"] = [{"at": "125s", "on": "api", "replicas": "50%", "crash": {"restart_after": "5s"}}]
    one, two = (moves(which, node) for which in (compiled, reference))
    assert one == two
    assert len(one[2]) == 1
