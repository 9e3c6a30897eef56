"""The whole plan: read-only, verified, without numba, and a listing of it."""

import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sysim.model import Scenario, Service, Time
from sysim.plan import describe, lower
from sysim.plan import tables as t
from sysim.plan.verify import InvalidPlan, verify

SHOP = """
time: {duration: 5m, warmup: 10s, bucket: 1s}
flags: {similar: on}
policies:
  careful:
    timeout: 500ms
    deadline: 2s
    retry: {max_attempts: 3, backoff: {initial: 50ms, jitter: full}, budget: {ratio: 10%}}
    circuit_breaker: {}
    balancer: {least_request: {choices: 2}}
  tight: {extends: careful, fallback: {on: [timeout], steps: [{call: stock.top}]}}
services:
  web:
    replicas: 3
    zones: [a, b]
    concurrency: 32
    operations:
      place:
        - work: {lognormal: {mean: 4ms, cv: 0.8}}
        - parallel: [{call: stock.get, policy: careful}, [{call: stock.take, policy: tight}, {work: 1ms}]]
        - {call: stock.get, flag: similar, optional: true}
        - choose: [{weight: 3, steps: [{work: 1ms}]}, {weight: 1, steps: [{call: stock.get}]}]
        - publish: mail.send
        - fail: 0.1%
  stock: {replicas: 2, cores: 2, operations: {get: [{work: 1ms}], take: [{work: 2ms}], top: []}}
  mail:
    threading: async
    queue: {capacity: 9, max_wait: 500ms}
    operations: {send: [{work: {exponential: 2ms}}]}
load:
  punters: {call: web.place, rate: 400/s, clients: 10, policy: {timeout: 5s}}
  staff: {users: 5, think: 9s, journey: [{call: web.place, probability: 30%}]}
faults:
  - {name: stall, at: 60s, for: 3s, on: stock, slowdown: 20}
  - {at: 60s, on: web -> stock, latency: {exponential: 1s}}
windows: {outage: 60s..63s}
"""
GOLDEN = Path(__file__).with_name("shop.txt")


def test_the_listing_of_a_shop(plan_of):
    assert describe(plan_of(SHOP)) == GOLDEN.read_text(encoding="utf-8")


def test_every_table_is_read_only_and_has_a_row():
    plan = lower(Scenario(time=Time(duration="1s"), services={"a": Service(operations={"x": []})}))
    for name, array in plan.arrays().items():
        assert array.size >= 1, name
        assert array.dtype == (
            np.float64 if name.endswith("F") or name in ("points", "rates") else np.int64
        ), name
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 1
    assert (plan.n_loads, plan.n_faults, plan.n_sites, plan.n_policies) == (0, 0, 0, 1)


def test_a_plan_stays_read_only_in_another_process(plan_of):
    plan = plan_of(SHOP)
    copy = pickle.loads(pickle.dumps(plan))
    verify(copy)
    assert describe(copy) == describe(plan)


def test_a_plan_of_nothing_is_a_plan():
    plan = lower(Scenario(time=Time(duration="1s"), services={}))
    assert plan.n_services == plan.n_replicas == 0
    assert describe(plan).startswith("time\n")


def test_services_and_replicas(plan_of):
    plan = plan_of(SHOP)
    mail, stock, web = plan.svc
    assert plan.names.services == ("mail", "stock", "web")
    assert plan.names.replicas == ("mail#0", "stock#0", "stock#1", "web#0", "web#1", "web#2")
    assert [web[t.S_WORKERS], stock[t.S_WORKERS], mail[t.S_ASYNC], mail[t.S_CAPACITY]] == [32, t.NEVER, 1, 9]
    assert (stock[t.S_CORES], plan.svcF[1, t.SF_CORES], web[t.S_CORES]) == (2, 2.0, -1)
    zones = [plan.names.zones[zone] if zone >= 0 else None for zone in plan.replicas[:, t.RP_ZONE]]
    assert zones == [None, None, None, "a", "b", "a"]
    assert plan.replicas[:, t.RP_FIRST_SPEED].tolist() == [0, 1, 4, 7, 8, 9]
    assert plan.n_speeds == 10


@pytest.mark.parametrize("drain", [True, False, "5m"])
def test_drain(plan_of, drain):
    text = str(drain).lower()
    plan = plan_of(f"time: {{duration: 1s, drain: {text}}}\nservices: {{a: {{operations: {{x: []}}}}}}")
    assert plan.drain == {True: t.NEVER, False: 0, "5m": 300 * 10**9}[drain]


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("code", 0, t.I_ARG, 99),
        ("sites", 0, t.C_SCOPE, 10_000),
        ("policies", 1, t.P_TIMEOUT_LANE, 7),
        ("scopes", 0, t.K_RING, 10**6),
        ("streams", 0, t.T_SITE, -1),
        ("faults", 0, t.F_HITS, 99),
        ("ops", 1, t.O_PC, 1_000_000),
    ],
)
def test_verify_finds_what_points_nowhere(plan_of, table, row, column, value):
    plan = plan_of(SHOP)
    broken = getattr(plan, table).copy()
    broken[row, column] = value
    with pytest.raises((InvalidPlan, IndexError)):
        verify(dataclasses.replace(plan, **{table: broken}))


def test_lowering_needs_no_numba():
    code = "import sys, sysim.plan; assert 'numba' not in sys.modules, 'numba'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
