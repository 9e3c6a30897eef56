"""What a lever may not do: an action that is not carried out leaves no trace, and pulling twice is pulling once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import yaml

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.plan.tables import CIRCUIT_OPEN, DEGRADED, K_KEY
from sysim.record.columns import CC_ATTEMPTS, CC_CALLS, CC_OUT, EV_ACTION, EV_BREAKER, EV_KIND, EV_REPLICA
from sysim.record.record import Record
from sysim.scenario_file import loads
from tests.agreement.generate import scenario

Node = dict[str, Any]
ENGINES = [compiled, reference]
NEVER = [
    {"at": "10s", "clear_queue": "s0"},
    {"at": "10s", "restart": "s0"},
    {"when": {"metric": "queue(s0) >= 100k", "every": "1ms"}, "restart": "s0"},
    {"when": {"metric": "in_system(s0) >= 0", "every": "1ms", "for": "10s"}, "restart": "s0"},
    {"when": {"metric": "p99(l0) > 1h", "every": "1ms", "over": "7ms"}, "shed": {"load": "l0", "share": "100%"}},
    {"when": {"metric": "offered_per_s(l0) > 1M/s", "every": "1ms", "over": "3ms"}, "clear_queue": "s0"},
    {"when": {"metric": "queue(s0) >= 0", "every": "10s"}, "after": "1ms", "clear_queue": "s0"},
    {"when": {"metric": "queue(s0) >= 100k", "every": "1ms"}, "drain": "s0"},
    {"when": {"alert": "never"}, "drain": "s0"},
    {"when": {"metric": "queue(s0) >= 100k", "every": "1ms"}, "scale": {"service": "s0", "replicas": 7}},
    {"when": {"metric": "queue(s0) >= 100k", "every": "1ms"}, "deploy": {"service": "s0", "slowdown": 2}},
    {"at": "0s", "after": "10s", "rollback": "s0"},
]


def run(node: Node, engine: Callable[..., Record], seed: int) -> Record:
    return engine(planned(node), seed=seed)


def planned(node: Node) -> Plan:
    return lower(loads(yaml.safe_dump(node, sort_keys=False)).scenario)


def tables(record: Record) -> dict[str, bytes]:
    found = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value.tobytes() for name, value in found.items() if isinstance(value, np.ndarray)}


def named(record: Record, plan: Plan) -> dict[str, Any]:
    """The tables of a record, and for its transitions names: room for further replicas gives them other numbers."""
    found: dict[str, Any] = {**tables(record)}
    names = {EV_REPLICA: plan.names.replicas, EV_BREAKER: plan.scopes[:, K_KEY].tolist()}
    found["events"] = [
        (at, kind, names[kind][subject] if kind in names else subject, value)
        for at, kind, subject, value in record.events[: record.n_transitions].tolist()
    ]
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", range(8))
def test_an_action_that_never_comes_leaves_no_trace(number: int, engine: Callable[..., Record]) -> None:
    node = yaml.safe_load(scenario(random.Random(700 + number)))
    node["actions"] = []
    alert = {"burn": 2.1, "long": "7ms", "short": "2ms", "every": "1ms"}
    node["slos"] = {"never": {"load": "l0", "success": "50%", "alert": alert}}
    plan = planned(node)
    without = engine(plan, seed=number)
    for action in NEVER:
        node["actions"] = [action]
        other = planned(node)
        one = engine(other, seed=number)
        assert (one.n_events, one.digest, one.end) == (without.n_events, without.digest, without.end), action
        assert named(one, other) == named(without, plan), action


BASE = """
sysim: 1
time: {duration: 200ms, bucket: 20ms}
services:
  api: {concurrency: 1, replicas: 2, operations: {get: [{work: {exponential: 3ms}, flag: extra}, {work: 2ms}]}}
policies: {p: {timeout: 20ms, retry: {max_attempts: 3}, circuit_breaker: {open_for: 10ms, window: {calls: 200}}}}
load: {web: {call: api, rate: 700/s, policy: p}}
flags: {extra: on}
"""
LEVERS: list[Node] = [
    {"flag": {"extra": "off"}},
    {"shed": {"load": "web", "share": "60%"}},
    {"clear_queue": "api"},
    {"set": {"policies.p.retry.max_attempts": 1}},
    {"set": {"policies.p.timeout": "5ms"}},
    {"set": {"policies.p.circuit_breaker": "open"}},
    {"drain": {"service": "api", "replicas": 1}},
    {"scale": {"service": "api", "replicas": 1}},
    {"scale": {"service": "api", "replicas": 5}},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: next(iter(lever)))
def test_pulling_twice_is_pulling_once(lever: Node, engine: Callable[..., Record]) -> None:
    node = yaml.safe_load(BASE)
    untouched = run(node, engine, 1)
    node["actions"] = [{"at": "30ms", **lever}]
    once = run(node, engine, 1)
    node["actions"] *= 2
    twice = run(node, engine, 1)
    one, two, none = tables(once), tables(twice), tables(untouched)
    for found in (one, two, none):
        del found["events"]
    assert one == two
    assert one != none
    assert twice.n_events == once.n_events + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_levers_are_recorded_when_decided_and_when_carried_out(engine: Callable[..., Record]) -> None:
    node = yaml.safe_load(BASE)
    node["actions"] = [
        {"at": "50ms", "after": "7ms", "clear_queue": "api"},
        {"when": {"metric": "queue(api) >= 1", "every": "10ms", "for": "20ms"}, "after": "5ms", "restart": "api"},
        {"when": {"metric": "queue(api) >= 1", "every": "10ms"}, "flag": {"extra": "off"}},
    ]
    node["load"]["web"]["rate"] = {"steps": [{"at": "0s", "rate": "2000/s"}]}
    record = run(node, engine, 1)
    events = record.events[: record.n_transitions]
    rows = events[events[:, EV_KIND] == EV_ACTION]
    told = [(at // 1_000_000, int(subject), int(value)) for at, _, subject, value in rows.tolist()]
    assert told == [(10, 2, 2), (30, 1, 1), (35, 1, 2), (57, 0, 2)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("steps", ["ok", "fails"])
def test_a_forced_fallback_answers_at_once(steps: str, engine: Callable[..., Record]) -> None:
    """Without an attempt, whatever the fallback is for; where its steps fail the call is `circuit_open`."""
    node = yaml.safe_load(BASE)
    node["services"]["old"] = {"operations": {"get": [{"fail": "0%" if steps == "ok" else "100%"}]}}
    node["services"]["front"] = {"operations": {"get": [{"call": "api", "policy": "p"}]}}
    node["policies"]["p"]["fallback"] = {"on": ["lost"], "steps": [{"call": "old.get"}]}
    node["load"] = {"web": {"call": "front", "rate": "300/s"}}
    node["actions"] = [
        {"at": "0s", "set": {"policies.p.fallback": "always"}},
        {"at": "100ms", "set": {"policies.p.fallback": "auto"}},
    ]
    plan = planned(node)
    record = engine(plan, seed=3)
    stat = plan.names.stats.index("front.get -> api.get")
    cells = record.call_cells.reshape(-1, len(plan.names.stats), record.call_cells.shape[1])[:, stat]
    half = plan.cell_edges.tolist().index(100_000_000)
    first, then = cells[:half].sum(axis=0), cells[half:].sum(axis=0)
    assert first[CC_CALLS] > 10
    assert first[CC_ATTEMPTS] == 0
    assert first[CC_OUT + (DEGRADED if steps == "ok" else CIRCUIT_OPEN)] == first[CC_CALLS]
    assert then[CC_ATTEMPTS] >= then[CC_CALLS] > 10
    assert then[CC_OUT + DEGRADED] == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_an_alert_calls_when_the_budget_of_an_slo_burns(engine: Callable[..., Record]) -> None:
    """All fail from 100 s on: 14.4 times 0.1 % of an hour is 51.84 s. All are slow: 14.4 times 1 % of it is longer."""
    node = yaml.safe_load("""
sysim: 1
time: {duration: 200s}
services: {api: {operations: {get: [{work: 5ms}]}}}
load: {web: {call: api, rate: 10/s, arrivals: evenly}}
faults: [{at: 100s, "on": api, error: 100%}]
slos:
  web: {load: web, success: 99.9%, latency: {p99: 10ms}, alert: {every: 5s}}
  quick: {load: web, success: 99%, alert: {burn: 10, long: 2m, short: 10s, every: 5s}}
actions:
  - {when: {alert: web}, clear_queue: api}
  - {when: {alert: web, for: 20s}, after: 3s, clear_queue: api}
  - {when: {alert: quick}, clear_queue: api}
""")
    assert pulled(run(node, engine, 1)) == [115, 155, 178]
    node["faults"] = [{"at": "100s", "on": "api", "slowdown": 3}]
    assert pulled(run(node, engine, 1)) == []
    node["slos"]["web"]["alert"] |= {"long": "5m", "short": "1m"}  # 14.4 x 1 % of five minutes: 43.2 s
    assert pulled(run(node, engine, 1)) == [145, 168]


def pulled(record: Record) -> list[int]:
    """When, in s, actions were carried out."""
    rows = record.events[: record.n_transitions].tolist()
    return [at // 1_000_000_000 for at, kind, _, value in rows if kind == EV_ACTION and value == 2]
