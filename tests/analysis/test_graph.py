"""What the shape of a scenario tells before it is run."""

from __future__ import annotations

import pytest

import sysim
from sysim.analysis.design import breakers_that_never_trip
from sysim.analysis.explain import explain
from sysim.model.graph import (
    call_graph,
    critical_paths,
    fan_out,
    layers,
    needs,
    service_graph,
    worst_amplification,
)

SHOP = """
sysim: 1
name: shop
time: {start: 2026-04-11T06:00, duration: 24h}
policies:
  careful: {retry: {max_attempts: 3}, network: {latency: 5ms}}
  saved: {fallback: {steps: [{call: top.get}]}}
defaults: {policy: careful}
services:
  web: {replicas: 3, concurrency: 10, operations: {buy: [{work: 10ms},
    {parallel: [{call: stock}, [{call: price}, {work: 1ms}]]}, {call: ads, optional: true},
    {repeat: {times: 2, steps: [{call: log, probability: 50%}]}}, {publish: mail}]}}
  stock: {concurrency: 1, operations: {get: [{work: 50ms}, {call: db}]}}
  price: {operations: {get: [{work: 5ms}, {call: db, policy: saved}]}}
  db: {replicas: 2, operations: {read: [{work: 20ms}]}}
  ads: {operations: {get: [{work: 1s}]}}
  log: {operations: {put: [{work: 1ms}]}}
  mail: {operations: {send: [{work: 1ms}]}}
  top: {operations: {get: [{work: 1ms}]}}
load:
  people: {call: web.buy, rate: 1/s, policy: {retry: {max_attempts: 2}, hedge: {delay: 10ms}}}
faults: [{at: 15:00, for: 5m, on: db, pause: true}]
"""


def test_edges_carry_what_calls_mean() -> None:
    graph = service_graph(sysim.loads(SHOP).model)
    assert graph.edges["people", "web"]["attempts"] == 4
    assert graph.edges["web", "log"]["times"] == pytest.approx(1.0)
    assert not graph.edges["web", "ads"]["required"] and graph.edges["web", "mail"]["published"]
    assert graph.edges["stock", "db"]["required"] and not graph.edges["price", "db"]["required"]
    assert graph.nodes["people"]["kind"] == "load" and graph.nodes["db"]["replicas"] == 2
    assert layers(graph)["people"] == 0 and layers(graph)["db"] == 3
    assert "stock.get" in call_graph(sysim.loads(SHOP).model)


def test_fan_out_counts_every_call_below() -> None:
    # web; stock and its db; price and its db; ads; one log on average; mail
    assert fan_out(sysim.loads(SHOP).model) == {"people": pytest.approx(8.0)}


def test_the_critical_path_takes_the_longest_branch() -> None:
    path = critical_paths(sysim.loads(SHOP).model)["people"]
    stock = 0.01 + 0.05 + 0.01 + 0.02
    ads = 0.01 + 1.0
    assert path.seconds == pytest.approx(0.01 + stock + ads + 2 * 0.5 * (0.01 + 0.001))
    assert [hop.target for hop in path.hops] == ["web.buy", "ads.get"]


def test_worst_amplification_multiplies_along_the_path() -> None:
    worst = worst_amplification(sysim.loads(SHOP).model)
    assert worst["web"].factor == 4 and worst["stock"].factor == 12
    assert worst["db"].factor == 36 and worst["db"].path == ("people", "web.buy", "stock.get", "db.read")


def test_single_points_of_failure() -> None:
    found = {need.service: need for need in needs(sysim.loads(SHOP).model)}
    assert {name for name, need in found.items() if need.single} == {"stock", "price", "log"}
    assert found["web"].every_request and found["db"].every_request and found["stock"].loads == ("people",)
    assert "ads" not in found and "mail" not in found and "top" not in found


BREAKERS = """
sysim: 1
time: {duration: 100s}
services:
  a: {replicas: 4, operations: {get: [
    {work: 1ms}, {call: b, policy: rare}, {call: b, policy: blind}, {call: b, policy: good}]}}
  b: {operations: {get: [{work: 1ms}]}}
policies:
  rare: {timeout: 1s, circuit_breaker: {window: {time: 10s}, minimum_calls: 100}}
  blind: {circuit_breaker: {}}
  good: {timeout: 1s, circuit_breaker: {window: {calls: 20}, minimum_calls: 20}}
load: {x: {call: a, rate: 10/s}}
"""


def test_breakers_that_can_never_trip() -> None:
    found = breakers_that_never_trip(sysim.loads(BREAKERS).model)
    assert len(found) == 2
    assert "100 calls" in found[0].reason and "25 in its window" in found[0].reason
    assert "slow answers only" in found[1].reason


def test_explain_prints_instants_both_ways() -> None:
    sections = dict(explain(sysim.loads(SHOP).model))
    (fault,) = sections["What goes wrong"]
    assert "9h (Sat 2026-04-11 15:00:00)" in fault and "for 5 min" in fault
    assert any("single point of failure" in line for line in sections["What everything depends on"])
    assert any("36" in line for line in sections["What retries can do at worst"])


def test_explain_works_on_closed_loads_without_thinking() -> None:
    services = "services: {s: {operations: {o: [{work: 1ms}]}}}"
    text = f"sysim: 1\ntime: {{duration: 1s}}\n{services}\nload: {{u: {{users: 2, call: s}}}}"
    assert explain(sysim.loads(text).model)


def test_explain_tells_the_peak_where_there_is_one() -> None:
    title = "How busy it is with every load at its highest rate"
    assert title not in dict(explain(sysim.loads(SHOP).model))
    text = (
        "sysim: 1\ntime: {duration: 100s}\nservices: {s: {concurrency: 1, operations: {o: [{work: 1ms}]}}}\n"
        "load: {l: {call: s.o, rate: {steps: [{at: 0s, rate: 100/s}, {at: 90s, rate: 700/s}]}}}"
    )
    sections = dict(explain(sysim.loads(text).model))
    assert sections["How busy it is before any fault"] == ["s: 16.0 % of its capacity"]
    assert sections[title] == ["s: 70.0 % of its capacity"]
