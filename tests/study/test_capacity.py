"""Capacity plans against the tables of traffic engineers, and what they say where there is no plan."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.errors import SysimError
from sysim.report.capacity import plan_dict, plan_text
from sysim.study.capacity import curve
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


@pytest.mark.parametrize(
    "work",
    ["exponential: 100ms", *(pytest.param(work, marks=pytest.mark.long) for work in
                             ("constant: 100ms", "lognormal: {mean: 100ms, cv: 1.5}"))],
)  # fmt: skip
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


@pytest.mark.long
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
    small = {"load.calls.rate": "20/s", "time.duration": "50s", "time.warmup": "10s"}
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


TOLD = """
sysim: 1
name: told
time: {duration: 5m, warmup: 20s}
services:
  front:
    concurrency: 4
    queue: {capacity: 100}
    operations: {ask: [{work: {exponential: 20ms}}, {publish: ledger.note}]}
  ledger:
    concurrency: 1
    queue: {capacity: 50}
    operations: {note: [{work: {exponential: 11ms}}]}
load: {asks: {call: front.ask, rate: 80/s}}
slos: {quick: {load: asks, success: 99%, latency: {p99: 200ms}}}
planning: {services: {front: {min: 1, max: 8}}}
"""


def test_who_receives_messages_does_not_fill_who_sends_them() -> None:
    # The ledger can note 91 a second, one front can do 200, and nobody who asks waits for the ledger.
    found = plan(TOLD)
    assert found.sizes == (1,)
    assert 1.6 < found.saturations[0].factor < 2.5
    assert found.saturations[0].bottleneck == "front"


RUSH = """
sysim: 1
name: rush
time: {duration: 4m, warmup: 20s}
services:
  front:
    concurrency: 60
    queue: {capacity: 0}
    operations: {ask: [{work: {exponential: 2ms}}, {call: back.look}]}
  back:
    concurrency: 10
    queue: {capacity: 5000}
    operations: {look: [{work: {exponential: 100ms}}]}
load:
  asks:
    call: front.ask
    rate: {steps: [{at: 0s, rate: 20/s}, {at: 2m20s, rate: 170/s}, {at: 3m, rate: 20/s}]}
slos: {served: {load: asks, success: 99%}}
planning: {window: 1m..4m}
"""


def test_what_is_full_for_a_while_only_is_in_the_way_all_the_same() -> None:
    # In the rush 17 workers of `back` are needed; of its 10 not one half is held over the whole stretch. It is `front`
    # that turns people away, since its workers wait, and more of it would not help.
    found = plan(RUSH)
    back, front = found.sizes or (0, 0)
    assert back >= 2 and front == 1 and found.exit_code == 0


def test_a_service_that_shares_cores_can_be_full() -> None:
    text = LOSS.replace("concurrency: 1\n    queue: {capacity: 0}", "cores: 1")
    text = text.replace("success: 99%", "success: 99%, latency: {p90: 1s}")
    found = plan(text, {"services.lines.operations.talk": [{"work": {"exponential": "40ms"}}]})
    assert found.sizes == (4,)  # 3.2 cores are needed
    assert found.saturations[0].bottleneck == "lines"
    share = found.busy["nothing fails"]["lines"]
    assert share == pytest.approx(0.8, abs=0.03)


def test_faults_of_the_file_are_told_from_those_assumed() -> None:
    fault = [{"name": "slow", "at": "4m", "for": "1m", "on": "lines", "slowdown": 1.1}]
    found = plan(LOSS, {"faults": fault}, window="3m..6m")
    assert [s.name for s in found.situations] == ["nothing else fails"]
    assert [s.name for s in plan(LOSS, {"faults": fault}, window="6m..8m").situations] == ["nothing fails"]


@pytest.mark.parametrize("guess", [None, (1.0, 1.01), (1.171875, 1.1875), (3.0, 3.05), (0.2, 0.203), (24.0, math.inf)])
@pytest.mark.parametrize("breaks", [0.03, 0.7, 1.18, 1.19, 2.9, 7.0, 15.0])
def test_a_saturation_is_closed_in_from_any_guess(guess: tuple[float, float] | None, breaks: float) -> None:
    low, high = bracket = (0.0, math.inf)
    steps = 0
    while (factor := curve._next(bracket, guess)) is not None:
        assert low < factor < high and steps < 40
        low, high = bracket = (factor, high) if factor < breaks else (low, factor)
        steps += 1
    assert low < breaks <= high and high - low <= curve.NEAR * high


def test_a_near_guess_saves_steps_and_nothing_is_looked_for_without_end() -> None:
    def steps(guess: tuple[float, float] | None, breaks: float) -> int:
        bracket, n = (0.0, math.inf), 0
        while (factor := curve._next(bracket, guess)) is not None:
            bracket, n = ((factor, bracket[1]) if factor < breaks else (bracket[0], factor)), n + 1
        return n

    assert steps((1.171875, 1.1875), 1.18) == 2 < steps(None, 1.18)
    assert steps((1.171875, 1.1875), 1.2) <= 4
    assert steps((1.171875, 1.1875), math.inf) < 10 and steps(None, math.inf) < 10


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


# --- curve, day, ways ---------------------------------------------------------------------------------------


def test_the_knee_of_a_single_queue_is_at_half_of_its_capacity() -> None:
    text = """
sysim: 1
name: single
time: {duration: 10m, warmup: 20s}
services: {s: {concurrency: 1, operations: {o: [{work: {exponential: 10ms}}]}}}
load: {l: {call: s.o, rate: 30/s}}
slos: {slow: {load: l, success: 99%, latency: {p99: 1s}}}
planning: {services: {s: {max: 1}}}
"""
    found = plan(text, whole_day=True)
    assert found.sizes == (1,) and found.curve is not None
    # p99 of the sojourn in M/M/1 is ln(100)/(mu - lambda): one second at 95.4/s of 100/s.
    assert found.saturations[0].factor == pytest.approx(95.4 / 30, rel=0.03)
    assert 0.4 < found.curve.knee.offered / 100 < 0.6
    assert [p.factor for p in found.curve.points] == sorted(p.factor for p in found.curve.points)


CLIMB = """
sysim: 1
name: climb
time: {duration: 40m, warmup: 1m}
services:
  web:
    replicas: 12
    concurrency: 4
    startup: 90s
    cost: 1 GBP/h
    queue: {capacity: 10}
    operations: {get: [{work: {exponential: 100ms}}]}
load:
  users:
    call: web.get
    policy: {balancer: least_outstanding}
    rate: {from: 40/s, stages: [{for: 25m, to: 40/s}, {for: 1m, to: 300/s}, {for: 5m, to: 300/s}, {for: 1m, to: 40/s}]}
slos: {fast: {load: users, success: 99.9%, latency: {p99: 500ms}}}
"""


def test_an_autoscaler_is_too_late_for_a_climb_of_a_minute_and_a_schedule_is_not() -> None:
    found = plan(CLIMB, whole_day=True)
    assert found.sizes is not None and found.supplies is not None and found.day is not None
    static, scheduled, autoscaled = found.supplies.ways
    assert (static.name, scheduled.name, autoscaled.name) == ("static", "scheduled", "autoscaled")
    assert static.cost is not None and scheduled.cost is not None and autoscaled.cost is not None
    # by hand: so many replicas for 40 minutes, at 1 GBP an hour each
    assert static.cost == pytest.approx(found.sizes[0] * 40 / 60)
    assert scheduled.cost < 0.6 * static.cost and autoscaled.cost < 0.6 * static.cost
    assert autoscaled.more is not None and scheduled.more is not None
    assert autoscaled.more.low is not None and autoscaled.more.low > 1_000
    assert abs(scheduled.more.mean) < 0.01 * autoscaled.more.mean
    assert found.supplies.assumed == ()
    # The slots cover the run, and offer what the file says.
    slots = found.day.slots
    assert slots[0].start_s == 60 and slots[-1].end_s == 2_400
    assert all(a.end_s == b.start_s for a, b in pairwise(slots))
    offered = sum(slot.offered["users"] * (slot.end_s - slot.start_s) for slot in slots)
    assert offered == pytest.approx(24 * 60 * 40 + 2 * 60 * 170 + 5 * 60 * 300 + 8 * 60 * 40, rel=1e-6)
    told = plan_text(found)
    assert "Autoscaled replicas would cost" in told and "The knee" in told


def test_files_and_exit_codes(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from sysim.cli import cli

    file = tmp_path / "exchange.yaml"
    file.write_text(LOSS.replace("rate: 80/s", "rate: 20/s").replace("10m", "3m"), encoding="utf-8")
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["plan", str(file), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {
        "plan.json", "plan.yaml", "day.csv", "day.png", "day.svg", "curve.png", "curve.svg", "supply.png", "supply.svg",
    }  # fmt: skip
    told = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    again = sysim.load(out / "plan.yaml")
    assert again.model.services["lines"].replicas == told["services"]["lines"]["replicas"] == lines(1, 2.0)
    assert told["found"] and told["services"]["lines"]["with_one_fewer"] == "violated"
    small = ["plan", str(file), "--no-day", "--quiet", "--set", "planning.services={lines: {max: 3}}"]
    none = CliRunner().invoke(cli, small)
    assert none.exit_code == 1 and "There is no plan" in none.output
