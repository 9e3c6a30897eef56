"""Whom a fault strikes, and which calls feel it."""

import pytest

from sysim.model import (
    Call,
    CrashFault,
    EdgeTarget,
    Fault,
    OperationTarget,
    PauseFault,
    Scenario,
    Service,
    ServiceTarget,
    Time,
    ZoneTarget,
)
from sysim.plan import PlanError, lower
from sysim.plan import tables as t

SYSTEM = """
services:
  web:
    replicas: 3
    zones: [a, b]
    operations: {go: [{call: db.get}, {call: db.put}], look: [{call: db.get}]}
  db: {replicas: 4, zones: [a, b], operations: {get: [{work: 1ms}], put: [{work: 1ms}]}}
  cpu: {cores: 2, operations: {x: [{work: 1ms}], y: [{work: 1ms}]}}
load: {users: {call: web.go, rate: 1/s}, direct: {call: db.get, rate: 1/s}}
faults:
"""
ALL_DB = ["db#0", "db#1", "db#2", "db#3"]


@pytest.fixture
def plan_with(plan_of):
    return lambda *faults: plan_of(SYSTEM + "".join(f"  - {fault}\n" for fault in faults))


def hits(plan, row=0):
    first = plan.faults[row, t.F_FIRST_HIT]
    return [plan.names.replicas[hit] for hit in plan.hits[first : first + plan.faults[row, t.F_HITS]]]


def calls(plan, row=0):
    sites = plan.fault_sites[plan.fault_sites_at[row] : plan.fault_sites_at[row + 1]]
    return sorted(plan.names.sites[site] for site in sites)


def test_a_service_is_all_its_replicas_and_all_calls_to_it(plan_with):
    plan = plan_with("{at: 1s, on: db, latency: 1s}")
    assert hits(plan) == ALL_DB
    assert calls(plan) == ["direct -> db.get", "web.go -> db.get", "web.go -> db.put", "web.look -> db.get"]


def test_an_operation_is_the_calls_to_it(plan_with):
    plan = plan_with("{at: 1s, on: db.put, error: 30%}")
    assert hits(plan) == ALL_DB
    assert calls(plan) == ["web.go -> db.put"]
    assert plan.faults[0, t.F_OP] == -1


def test_an_edge_is_the_calls_from_one_caller(plan_with):
    assert calls(plan_with("{at: 1s, on: web -> db, loss: 5%}")) == [
        "web.go -> db.get", "web.go -> db.put", "web.look -> db.get"
    ]  # fmt: skip
    assert calls(plan_with("{at: 1s, on: direct -> db, refuse: true}")) == ["direct -> db.get"]
    assert calls(plan_with("{at: 1s, on: web.look -> db, refuse: true}")) == ["web.look -> db.get"]
    assert calls(plan_with("{at: 1s, on: web -> db.put, refuse: true}")) == ["web.go -> db.put"]


def test_a_zone_is_its_replicas_whatever_the_service(plan_with):
    plan = plan_with("{at: 1s, on: zone a, blackhole: true}", "{at: 1s, on: zone b, pause: true}")
    assert hits(plan) == ["db#0", "db#2", "web#0", "web#2"]
    assert len(calls(plan)) == 5
    assert hits(plan, 1) == ["db#1", "db#3", "web#1"]
    assert calls(plan, 1) == []


def test_a_list_strikes_together_and_zone_narrows(plan_with):
    plan = plan_with("{at: 1s, on: [web, db], zone: a, crash: true}")
    assert plan.n_faults == 1
    assert hits(plan) == ["db#0", "db#2", "web#0", "web#2"]


def test_count_and_share_are_left_to_the_run(plan_with):
    plan = plan_with(
        "{at: 1s, on: db, crash: {replicas: 2, restart_after: 3s}}",
        "{at: 1s, on: db, replicas: 30%, pause: true}",
    )
    assert plan.faults[:, t.F_STRIKE].tolist() == [2, -1]
    assert plan.faultsF[:, t.FF_STRIKE].tolist() == [-1, 0.3]
    assert plan.dist[plan.faults[0, t.F_RESTART_AFTER], t.D_CONST] == 3_000_000_000


def test_each_replica_has_a_fault_of_its_own(plan_with):
    plan = plan_with("{name: f, every: {exponential: 9s}, for: 1s, on: db, each: replica, latency: 1s}")
    assert plan.n_faults == 4
    assert [hits(plan, row) for row in range(4)] == [[name] for name in ALL_DB]
    assert len(set(plan.faults[:, t.F_KEY].tolist())) == 4
    assert plan.names.faults[0] == "f at db#0"
    assert plan.names.fault_of == (0, 0, 0, 0)
    assert plan.faults[:, t.F_AT].tolist() == [t.NEVER] * 4
    assert len(calls(plan, 3)) == 4


def test_lists_by_site_and_replica_are_in_table_order(plan_with):
    plan = plan_with(
        "{at: 1s, on: db, latency: 1s}",
        "{at: 1s, on: db, slowdown: 2}",
        "{at: 1s, on: web -> db, error: 1%}",
        "{at: 2s, on: zone a, pause: true}",
    )  # fmt: skip
    site = plan.sites[plan.names.sites.index("web.look -> db.get")]
    first = site[t.C_FAULTS]
    assert plan.site_faults[first : first + site[t.C_N_FAULTS]].tolist() == [0, 2]
    replica = plan.names.replicas.index("db#0")
    starts = plan.rep_faults_at
    assert plan.rep_faults[starts[replica] : starts[replica + 1]].tolist() == [1, 3]


def test_values_and_kinds(plan_with):
    plan = plan_with(
        "{at: 1s, on: db, slowdown: 20}", "{at: 1s, on: db, capacity: 20%}", "{at: 1s, on: db, loss: 5%}",
        "{at: 1s, on: db, error: {share: 30%, after_work: true}}",
        "{at: 1s, for: 2s, on: db.get, slowdown: 3}",
    )  # fmt: skip
    assert [t.FAULTS[kind] for kind in plan.faults[:, t.F_KIND]] == [
        "slowdown", "capacity", "loss", "error", "slowdown"
    ]  # fmt: skip
    assert plan.faultsF[:, t.FF_VALUE].tolist() == [20, 0.2, 0.05, 0.3, 3]
    assert plan.faults[:, t.F_AFTER_WORK].tolist() == [0, 0, 0, 1, 0]
    assert plan.names.operations[plan.faults[4, t.F_OP]] == "db.get"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{at: 1s, on: cpu.x, slowdown: 2}", "share its cores"),
        ("{at: 1s, on: [db.get, web], slowdown: 2}", "together with others"),
        ("{at: 1s, on: [zone a, web -> db], loss: 1%}", "different replicas"),
        ("{at: 1s, on: db -> web, loss: 1%}", "no call on db -> web"),
        ("{at: 1s, on: cpu, zone: a, loss: 1%}", "no replica"),
    ],
)
def test_what_makes_no_sense_is_refused(plan_with, fault, message):
    with pytest.raises(PlanError, match=message):
        plan_with(fault)


@pytest.mark.parametrize(
    ("target", "effect", "message"),
    [
        (
            EdgeTarget(caller="web", callee="db"),
            PauseFault(),
            "strikes replicas, not the calls from web to db",
        ),
        (
            OperationTarget(service="db", operation="get"),
            CrashFault(),
            "a crash strikes replicas, not db.get",
        ),
        (ServiceTarget(service="wbe"), PauseFault(), "no service 'wbe', did you mean 'web'"),
        (ZoneTarget(zone="z"), PauseFault(), "no zone 'z'"),
    ],
)
def test_what_makes_no_sense_in_code_is_refused_too(target, effect, message):
    services = {
        "web": Service(operations={"go": [Call(target="db.get")]}),
        "db": Service(operations={"get": []}),
    }
    fault = Fault(on=(target,), effect=effect, at="1s")
    with pytest.raises(PlanError, match=message):
        lower(Scenario(time=Time(duration="9s"), services=services, faults=(fault,)))


def test_a_crash_that_comes_back_ends_with_its_restart():
    def plan(**crash):
        fault = Fault(on=(ServiceTarget(service="a"),), effect=CrashFault(**crash), every="9s")
        services = {"a": Service(operations={"x": []})}
        return lower(Scenario(time=Time(duration="9s"), services=services, faults=(fault,)))

    made = plan(restart_after="2s")
    assert made.faults[0, t.F_FOR] == made.faults[0, t.F_RESTART_AFTER] >= 0
    with pytest.raises(PlanError, match="must end before it can"):
        plan()
