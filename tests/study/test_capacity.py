"""Capacity plans against the tables of traffic engineers, and what they say where there is no plan."""

from __future__ import annotations

from typing import Any

import pytest

import sysim
from sysim.errors import SysimError
from sysim.report.capacity import plan_dict, plan_text
from sysim.study.capacity.plan import CapacityPlan
from tests.theory.formulas import erlang_b

# M/M/n/n: a worker a replica, no queue, and a caller who finds an idle one if there is any.
LOSS = """
sysim: 1
name: exchange
time: {duration: 10m, warmup: 20s}
services:
  lines:
    concurrency: 1
    queue: {capacity: 0}
    cost: 2 GBP/h
    operations: {talk: [{work: {exponential: 100ms}}]}
load: {calls: {call: lines.talk, rate: 80/s, policy: {balancer: least_outstanding}}}
slos: {grade: {load: calls, success: 99%}}
"""


def plan(text: str, changes: dict[str, Any] | None = None, **options: Any) -> CapacityPlan:
    options = {"whole_day": False, "workers": 2, **options}
    return sysim.capacity_plan(sysim.loads(text, set=changes or {}), **options)


def lines(percent: float, offered: float) -> int:
    """The Erlang B table: the fewest lines that block at most so many per cent of the calls."""
    return next(n for n in range(1, 200) if erlang_b(n, offered) <= percent / 100)


@pytest.mark.parametrize("work", ["exponential: 100ms", "constant: 100ms", "lognormal: {mean: 100ms, cv: 1.5}"])
def test_the_erlang_b_table_whatever_the_work(work: str) -> None:
    kind, _, rest = work.partition(": ")
    found = plan(LOSS.replace("{exponential: 100ms}", "{" + f"{kind}: {rest}" + "}"))
    assert lines(1, 8.0) == 15
    assert found.sizes == (15,) and found.exit_code == 0
    assert found.certificate is not None and found.certificate.fewer["lines"].word == "violated"
    value = found.certificate.plan.verdicts[0][0].value
    assert value is not None and abs(1 - value - erlang_b(15, 8.0)) < 0.003


def test_a_lost_zone_leaves_as_many_as_are_needed() -> None:
    found = plan(LOSS, {"services.lines.zones": ["a", "b"]}, assume=["none", "zone"])
    # 29 lie 15 and 14 in the two zones: without the larger one 14 are left.
    assert found.sizes == (30,) and found.exit_code == 0
    assert [s.name for s in found.situations] == ["nothing fails", "zone a is lost", "zone b is lost"]


def test_one_more_where_a_replica_may_be_lost() -> None:
    found = plan(LOSS, assume=["replica"])
    assert found.sizes == (16,)


def test_the_point_of_saturation_is_where_the_table_says() -> None:
    found = plan(LOSS, {"services.lines.replicas": 40, "planning.services": {"lines": {"min": 18, "max": 40}}})
    # 18 lines block 1 % of 10.437 erlangs (tables of traffic engineers): 1.3046 times the 8 that are offered.
    assert found.sizes == (18,)
    assert found.saturations[0].factor == pytest.approx(10.437 / 8.0, rel=0.03)
    assert found.saturations[0].bottleneck == "lines"


def test_the_busiest_stretch_is_planned_for() -> None:
    stages = {"from": "20/s", "stages": [{"for": "4m", "to": "20/s"}, {"for": "0s", "to": "80/s"},
                                         {"for": "5m", "to": "80/s"}, {"for": "0s", "to": "20/s"}]}  # fmt: skip
    found = plan(LOSS, {"load.calls.rate": stages, "time.duration": "15m"})
    start, end = found.situations[0].start, found.situations[0].end
    assert end - start == 300_000_000_000 and abs(start - 240_000_000_000) <= 1_500_000_000
    assert found.sizes == (15,)
    least = plan(LOSS, {"load.calls.rate": stages, "time.duration": "15m"}, window="30s..3m30s")
    assert least.sizes == (lines(1, 2.0),)


def test_the_same_on_any_number_of_threads_and_on_both_engines() -> None:
    small = {"load.calls.rate": "20/s", "time.duration": "2m"}
    found = [plan(LOSS, small, workers=workers, engine=engine) for workers, engine in
             ((1, "compiled"), (2, "compiled"), (1, "reference"))]  # fmt: skip
    told = [plan_dict(one) for one in found]
    assert told[0] == told[1] == told[2]


def test_the_cheapest_of_two_services() -> None:
    text = """
sysim: 1
name: two
time: {duration: 3m}
services:
  front: {concurrency: 4, cost: 1 GBP/h, operations: {get: [{work: {exponential: 20ms}}, {call: back.get}]}}
  back: {concurrency: 2, cost: 5 GBP/h, queue: {capacity: 50}, operations: {get: [{work: {exponential: 20ms}}]}}
load: {users: {call: front.get, rate: 100/s, policy: {balancer: least_outstanding}}}
slos: {fast: {load: users, success: 99.9%, latency: {p95: 300ms}}}
defaults: {policy: {balancer: least_outstanding}}
"""
    found = plan(text)
    # Two workers' worth of work at each; the front holds its workers while it waits, so four of it are held.
    assert found.sizes is not None and found.room.names == ("back", "front")
    back, front = found.sizes
    assert back == 2 and front == 2
    assert found.per_hour == back * 5 + front * 1


# --- no plan ------------------------------------------------------------------------------------------------


def test_a_database_that_may_not_grow_is_in_the_way() -> None:
    text = LOSS.replace("[{work: {exponential: 100ms}}]", "[{work: {exponential: 100ms}}, {call: db.q}]").replace(
        "services:\n", "services:\n  db: {kind: database, concurrency: 1, queue: {capacity: 5}, operations: "
        "{q: [{work: {exponential: 50ms}}]}}\n"
    )  # fmt: skip
    found = plan(text)
    assert found.sizes is None and found.exit_code == 1
    assert "db is full, and may not grow" in found.problem
    assert plan_dict(found)["found"] is False and "There is no plan" in plan_text(found)


def test_the_most_replicas_are_in_the_way() -> None:
    found = plan(LOSS, {"planning.services": {"lines": {"max": 10}}})
    assert found.sizes is None and "lines has the 10 replicas that it may have at most" in found.problem


def test_errors_are_not_mended_by_replicas() -> None:
    found = plan(LOSS.replace("{work: {exponential: 100ms}}", "{work: {exponential: 100ms}}, {fail: 5%}"),
                 {"services.lines.queue": None})  # fmt: skip
    assert found.sizes is None and "more replicas would not help" in found.problem
    assert "lines" in found.problem


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({"slos": None}, {}, "found no slos"),
        ({}, {"slos": ["grde"]}, "found the slo 'grde', expected one of grade"),
        ({}, {"assume": ["zone"]}, "found no zones"),
        ({}, {"assume": ["slow"]}, "found no external service"),
        ({}, {"assume": ["zone=x"]}, "found the failure 'zone=x'"),
        ({}, {"assume": ["slow=lines:many"]}, "many"),
        ({}, {"window": "9m..11m"}, "window"),
        ({"services.lines.concurrency": None, "services.lines.queue": None}, {}, "found no service that may grow"),
        ({"load.calls": {"call": "lines.talk", "users": 8, "rate": None}}, {}, "found users at the load 'calls'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(changes: dict[str, Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises((SysimError, ValueError)) as caught:
        plan(LOSS, changes, **options)
    assert says in str(caught.value)
