"""What operators do with replicas, drain, bring back, start and send away, on either engine: who gets what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import yaml

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.plan.tables import OUTCOMES
from sysim.record.columns import (
    EV_KIND,
    EV_REPLICA,
    EV_SUBJECT,
    EV_TIME,
    EV_VALUE,
    REPLICA_GONE,
    SC_UP,
    SP_BEGIN,
    SP_END,
    SP_KIND,
    SP_OUTCOME,
    SP_REPLICA,
    SPAN_CALL,
    SPAN_VISIT,
)
from sysim.record.record import Record
from sysim.scenario_file import loads

Node = dict[str, Any]
Engine = Callable[..., Record]
ENGINES = pytest.mark.parametrize("engine", [compiled, reference], ids=["compiled", "reference"])
MS = 1_000_000
BASE = """
sysim: 1
time: {duration: 200ms, bucket: 20ms}
services:
  api: {replicas: 2, concurrency: 1, operations: {get: [{work: 10ms}]}}
load: {web: {call: api, arrivals: evenly, rate: 150/s}}
"""


class Span(NamedTuple):
    """A visit, or a call (at no replica), in ms."""

    begin: float
    end: float
    replica: str
    outcome: str


def run(engine: Engine, node: Node, kind: int = SPAN_VISIT) -> list[Span]:
    """All visits, or calls, of a run, in order of their begin."""
    plan = lower(loads(yaml.safe_dump(node, sort_keys=False)).scenario)
    record = engine(plan, seed=1, traces=100_000)
    names = (*plan.names.replicas, "")
    found = [
        Span(row[SP_BEGIN] / MS, row[SP_END] / MS, names[row[SP_REPLICA]], OUTCOMES[row[SP_OUTCOME]])
        for row in record.spans[: record.n_spans].tolist()
        if row[SP_KIND] == kind
    ]
    assert found
    return sorted(found)


def base(*actions: Node, **service: Any) -> Node:
    node: Node = yaml.safe_load(BASE)
    node["services"]["api"] |= service
    node["actions"] = list(actions)
    return node


def at(spans: list[Span], replica: str, since: float, until: float = 1e9) -> list[Span]:
    """Those at a replica that began within a span of time, the end excluded."""
    return [span for span in spans if span.replica == replica and since <= span.begin < until]


@ENGINES
def test_what_is_drained_gets_nothing_new_and_finishes_what_it_has(engine: Engine) -> None:
    node = base({"at": "100ms", "drain": {"service": "api", "replicas": 1}}, {"at": "150ms", "undrain": "api"})
    node["load"]["web"]["rate"] = "400/s"  # twice what the two can do: queues grow
    visits = run(engine, node)
    assert not at(visits, "api#0", 100, 150)
    assert len(at(visits, "api#1", 100, 150)) == 20
    assert at(visits, "api#0", 150)
    ends = [visit.end for visit in at(visits, "api#0", 0, 100)]
    assert len([end for end in ends if end > 110]) > 5
    assert {visit.outcome for visit in visits} == {"ok"}


@ENGINES
def test_without_anybody_to_serve_attempts_are_unreachable_at_once(engine: Engine) -> None:
    calls = run(engine, base({"at": "61ms", "drain": "api"}, {"at": "141ms", "undrain": "api"}), SPAN_CALL)
    for call in calls:
        out = 61 <= call.begin < 141
        assert call.outcome == ("unreachable" if out else "ok"), call
        assert call.end - call.begin == pytest.approx(0 if out else 10), call


@ENGINES
def test_a_drained_replica_that_is_restarted_stays_drained(engine: Engine) -> None:
    visits = run(engine, base(
        {"at": "50ms", "drain": {"service": "api", "replicas": 1}},
        {"at": "60ms", "restart": {"service": "api", "replicas": 1}},
        {"at": "120ms", "undrain": {"service": "api", "replicas": 1}},
        startup="20ms",
    ))  # fmt: skip
    assert at(visits, "api#0", 0, 50)
    assert not at(visits, "api#0", 50, 120)
    assert at(visits, "api#0", 120)
    undrained_early = base(
        {"at": "50ms", "restart": {"service": "api", "replicas": 1}},
        {"at": "51ms", "drain": {"service": "api", "replicas": 1}},
        {"at": "55ms", "undrain": {"service": "api", "replicas": 1}},
        startup="20ms",
    )
    visits = run(engine, undrained_early)
    assert not at(visits, "api#0", 50, 70)
    assert at(visits, "api#0", 70)


@ENGINES
def test_a_drained_replica_takes_nothing_from_a_shared_queue(engine: Engine) -> None:
    node = base(
        {"at": "50ms", "drain": {"service": "api", "replicas": 1}},
        {"at": "101ms", "undrain": {"service": "api", "replicas": 1}},
        queue={"shared": True},
    )
    node["load"]["web"]["rate"] = "400/s"
    visits = run(engine, node)
    ends = sorted(visit.end for visit in visits if visit.replica == "api#0")
    assert not [end for end in ends if 60 < end <= 110]
    assert [end for end in ends if 110 < end < 112]  # takes from the queue as soon as it may
    assert {visit.outcome for visit in visits} == {"ok"}


@ENGINES
def test_a_zone_is_drained_of_every_service(engine: Engine) -> None:
    node = base({"at": "100ms", "drain": "zone a"}, zones=["a", "b"])
    node["services"]["db"] = {"replicas": 3, "zones": ["b", "a"], "operations": {"read": [{"work": "1ms"}]}}
    node["services"]["web"] = {"operations": {"get": [{"call": "api"}, {"call": "db"}]}}
    node["load"] = {"people": {"call": "web", "arrivals": "evenly", "rate": "150/s"}}
    visits = run(engine, node)
    assert {visit.replica for visit in visits if visit.begin < 100} == {
        "api#0", "api#1", "db#0", "db#1", "db#2", "web#0",
    }  # fmt: skip
    assert {visit.replica for visit in visits if visit.begin > 100} == {"api#1", "db#0", "db#2", "web#0"}


@ENGINES
def test_new_replicas_start_before_they_are_ready(engine: Engine) -> None:
    node = base({"at": "50ms", "scale": {"service": "api", "replicas": 4}}, startup="30ms", zones=["a", "b"])
    visits = run(engine, node)
    for name in ("api#2", "api#3"):
        assert not at(visits, name, 0, 80)
        assert at(visits, name, 80)
    node["actions"][0]["at"] = "10s"
    assert {visit.replica for visit in run(engine, node)} == {"api#0", "api#1"}


@ENGINES
def test_the_highest_numbers_leave_once_they_are_empty(engine: Engine) -> None:
    node = base({"at": "61ms", "scale": {"service": "api", "replicas": 1}}, replicas=3)
    node["load"]["web"]["rate"] = "500/s"  # the queues grow: there is something to finish
    visits = run(engine, node)
    assert {visit.replica for visit in visits if visit.begin > 61} == {"api#0"}
    assert {visit.outcome for visit in visits} == {"ok"}
    last = {name: max(visit.end for visit in visits if visit.replica == name) for name in ("api#1", "api#2")}
    assert min(last.values()) > 71
    plan = lower(loads(yaml.safe_dump(node)).scenario)
    record = engine(plan, seed=1)
    events = record.events[: record.n_transitions]
    gone = events[events[:, EV_KIND] == EV_REPLICA]
    assert {plan.names.replicas[row[EV_SUBJECT]]: row[EV_TIME] / MS for row in gone} == last
    assert set(gone[:, EV_VALUE].tolist()) == {REPLICA_GONE}
    up = record.service_cells[:, SC_UP].sum() / MS
    assert up == pytest.approx(200 + sum(last.values()), abs=0.01)


@ENGINES
def test_a_replica_that_leaves_waits_for_what_is_on_its_way_and_for_its_messages(engine: Engine) -> None:
    node = base({"at": "51ms", "scale": {"service": "api", "replicas": 1}})
    node["services"]["api"]["operations"]["get"] = [
        {"work": "1ms"},
        {"publish": "mail.send", "policy": {"retry": {"max_attempts": 5, "backoff": {"constant": "20ms"}}}},
    ]
    node["services"]["mail"] = {"operations": {"send": [{"work": "1ms"}, {"fail": "100%"}]}}
    rate = {"steps": [{"at": "0s", "rate": "40/s"}, {"at": "51ms", "rate": "0/s"}]}
    node["load"]["web"] |= {"rate": rate, "policy": {"network": {"latency": "8ms"}}}
    visits = run(engine, node)
    served = [visit for visit in visits if visit.replica.startswith("api")]
    assert [(visit.begin, visit.outcome) for visit in served] == [(33, "ok"), (58, "ok")]
    assert {visit.replica for visit in served} == {"api#0", "api#1"}
    assert len(visits) - len(served) == 10  # two messages, each a first try and four more


@ENGINES
def test_who_leaves_can_stay(engine: Engine) -> None:
    node = base(
        {"at": "50ms", "scale": {"service": "api", "replicas": 1}},
        {"at": "55ms", "scale": {"service": "api", "replicas": 2}},
        startup="1s",
    )
    node["load"]["web"]["rate"] = "250/s"
    visits = run(engine, node)
    assert not at(visits, "api#1", 50, 55)
    assert at(visits, "api#1", 55)  # it had something left to do, so it need not start


@ENGINES
def test_who_starts_can_be_sent_away(engine: Engine) -> None:
    node = base(
        {"at": "20ms", "scale": {"service": "api", "replicas": 3}},
        {"at": "30ms", "scale": {"service": "api", "replicas": 2}},
        {"at": "100ms", "scale": {"service": "api", "replicas": 3}},
        startup="30ms",
    )
    visits = run(engine, node)
    assert not at(visits, "api#2", 0, 130)
    assert at(visits, "api#2", 130)


@ENGINES
def test_who_has_crashed_and_is_sent_away_does_not_come_back(engine: Engine) -> None:
    node = base({"at": "30ms", "scale": {"service": "api", "replicas": 1}})
    node["faults"] = [{"at": "20ms", "for": "40ms", "on": "api", "crash": True}]
    visits = run(engine, node)
    assert {visit.replica for visit in visits if visit.begin < 20} == {"api#0", "api#1"}
    assert {visit.replica for visit in visits if visit.begin > 20} == {"api#0"}
    assert min(visit.begin for visit in visits if visit.begin > 20) >= 60


@ENGINES
def test_a_share_is_one_of_the_replicas_there_are(engine: Engine) -> None:
    """Half of four replicas, two of which have come, crash; half of two without them."""
    node = base({"at": "50ms", "scale": {"service": "api", "replicas": 4}})
    node["faults"] = [{"at": "100ms", "on": "api", "replicas": "50%", "crash": True}]
    assert {visit.replica for visit in run(engine, node) if visit.begin > 100} == {"api#2", "api#3"}
    node["actions"][0]["at"] = "150ms"
    later = {visit.replica for visit in run(engine, node) if visit.begin > 100}
    assert later == {"api#1", "api#2", "api#3"}
