"""What autoscalers and schedules do on either engine: every decision worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.plan.tables import OUTCOMES
from sysim.record.columns import EV_REPLICA, EV_SCALE, LC_OUT, SC_PAID, SC_UP
from sysim.record.record import Record
from sysim.scenario_file import loads
from tests.agreement.generate import scenario
from tests.agreement.test_actions import named

Node = dict[str, Any]
Engine = Callable[..., Record]
ENGINES = pytest.mark.parametrize("engine", [compiled, reference], ids=["compiled", "reference"])
S = 1_000_000_000
# one request holds a worker for 1 s; six workers of twenty are 30 %, so a replica takes 6/s
BASE = """
sysim: 1
time: {duration: 400s, bucket: 10s}
services:
  api:
    replicas: 2
    concurrency: 20
    startup: 20s
    autoscaler: {target: 30%, min: 2, max: 9, stabilise: 60s}
    operations: {get: [{work: 1s}]}
load: {web: {call: api, arrivals: evenly, rate: {steps: [{at: 0s, rate: 12/s}]}}}
"""


def base(*steps: tuple[int, int], **scaler: Any) -> Node:
    """The base, with the rate (per second) from instants (s) on; `scaler` changes the autoscaler."""
    node: Node = yaml.safe_load(BASE)
    node["services"]["api"]["autoscaler"] |= scaler
    node["load"]["web"]["rate"]["steps"] += [{"at": f"{at}s", "rate": f"{rate}/s"} for at, rate in steps]
    return node


def planned(node: Node) -> Plan:
    return lower(loads(yaml.safe_dump(node, sort_keys=False)).scenario)


def scaled(record: Record) -> list[tuple[float, int]]:
    """When, in s, and to how many replicas."""
    rows = record.events[: record.n_transitions].tolist()
    return [(at / S, value) for at, kind, _, value in rows if kind == EV_SCALE]


def replicas(record: Record, plan: Plan) -> list[tuple[float, str, int]]:
    """When, in s, a replica went down (0), came up (1) or was gone (2)."""
    rows = record.events[: record.n_transitions].tolist()
    return [(at / S, plan.names.replicas[who], value) for at, kind, who, value in rows if kind == EV_REPLICA]


def lost(record: Record) -> int:
    outcomes = record.load_cells[:, LC_OUT : LC_OUT + len(OUTCOMES)].sum(axis=0)
    return int(outcomes.sum() - outcomes[0])


@ENGINES
def test_a_step_of_the_load(engine: Engine) -> None:
    """60 s: 30 workers are held instead of 12, 75 % of forty: the look at 75 s asks for 5 of 6 each.

    At 90 s these still start, and count as capacity. At 95 s they are ready. At 180 s six workers are left, which is
    one replica's (two in the first look after, for what was still under way); the looks up to 180 s asked for five,
    and at 255 s the last of them is more than 60 s ago.
    """
    node = base((60, 30), (180, 6))
    plan = planned(node)
    record = engine(plan, seed=1)
    assert scaled(record) == [(75, 5), (255, 2)]
    told = replicas(record, plan)
    assert told[:3] == [(95, f"api#{number}", 1) for number in (2, 3, 4)]
    assert [(who, value) for _, who, value in told[3:]] == [("api#2", 2), ("api#3", 2), ("api#4", 2)]
    assert lost(record) == 0
    node["services"]["api"]["autoscaler"]["min"] = 1
    node["services"]["api"]["autoscaler"]["tolerance"] = "0%"
    assert scaled(engine(planned(node), seed=1)) == [(75, 5), (255, 2), (270, 1)]


@ENGINES
def test_bounds_and_the_limit_of_one_look(engine: Engine) -> None:
    """120/s need twenty replicas. Full ones show no more than their own number: two ask for 40 / 6, which is seven.

    A look may add four to two, and all of six to six; nine are the most.
    """
    node = base((60, 120))
    assert scaled(engine(planned(node), seed=1)) == [(75, 6), (90, 7), (105, 9)]
    node["services"]["api"]["concurrency"] = 400
    node["services"]["api"]["autoscaler"] |= {"target": "1.5%", "max": 40}
    assert scaled(engine(planned(node), seed=1)) == [(75, 6), (90, 12), (105, 20)]
    node["services"]["api"]["autoscaler"]["max_increase"] = "400%"
    assert scaled(engine(planned(node), seed=1)) == [(75, 10), (90, 20)]


@ENGINES
def test_other_metrics(engine: Engine) -> None:
    """Twelve requests are in progress at two replicas: 6 each, or 60 % of 20 cores."""
    node = base((60, 30), metric="in_progress", target=6)
    del node["services"]["api"]["concurrency"]
    assert scaled(engine(planned(node), seed=1)) == [(75, 5)]
    node = base((60, 30), metric="cpu", target="30%")
    node["services"]["api"] |= {"cores": 20}
    del node["services"]["api"]["concurrency"]
    assert scaled(engine(planned(node), seed=1)) == [(75, 5)]


@ENGINES
def test_it_does_not_swing_at_a_constant_load(engine: Engine) -> None:
    """11.3 workers are held on average, 56 % of those of five replicas; three too many leave, and nobody returns."""
    node = base(target="60%")
    node["services"]["api"] |= {"concurrency": 4, "replicas": 5}
    node["services"]["api"]["operations"]["get"] = [{"work": {"exponential": "200ms"}}]
    node["load"]["web"] |= {"rate": "56.5/s", "arrivals": "poisson"}
    assert scaled(engine(planned(node), seed=3)) == []
    node["services"]["api"]["replicas"] = 8
    counts = [count for _, count in scaled(engine(planned(node), seed=3))]
    assert counts == [6, 5]


@ENGINES
@pytest.mark.parametrize("number", range(4))
def test_one_that_changes_nothing_leaves_no_trace(number: int, engine: Engine) -> None:
    node = yaml.safe_load(scenario(random.Random(900 + number)))
    for body in node["services"].values():
        body.pop("autoscaler", None), body.pop("schedule", None)
    plan = planned(node)
    without = engine(plan, seed=number)
    for body in node["services"].values():
        body["autoscaler"] = {
            "metric": "in_progress", "target": 1, "min": body["replicas"], "max": body["replicas"], "every": "1ms",
            "stabilise": "2ms",
        }  # fmt: skip
    if "actions" in node:  # what operators scale it takes back
        node["actions"] = [action for action in node["actions"] if "scale" not in action]
        for body in node["services"].values():
            body.pop("autoscaler") if any("scale" in a for a in node["actions"]) else None
    other = planned(node)
    if other.n_actions == plan.n_actions:
        one = engine(other, seed=number)
        assert (one.n_events, one.digest, one.end) == (without.n_events, without.digest, without.end)
        assert named(one, other) == named(without, plan)


@ENGINES
def test_a_schedule_sets_the_number(engine: Engine) -> None:
    node = base()
    del node["services"]["api"]["autoscaler"]
    node["services"]["api"]["schedule"] = [
        {"at": "50s", "replicas": 4, "every": "150s"},
        {"at": "130s", "replicas": 3, "every": "150s"},
        {"at": "500s", "replicas": 9},
    ]
    plan = planned(node)
    record = engine(plan, seed=1)
    assert scaled(record) == [(50, 4), (130, 3), (200, 4), (280, 3), (350, 4)]
    assert [told for told in replicas(record, plan) if told[2] == 1] == [
        (70, "api#2", 1), (70, "api#3", 1), (220, "api#3", 1), (370, "api#3", 1)
    ]  # fmt: skip
    assert lost(record) == 0


@ENGINES
def test_a_schedule_beside_an_autoscaler_sets_its_least_number(engine: Engine) -> None:
    """At 50 s at least 6; from 200 s on at least 2 again, which the next look makes use of: it has long asked for 2.

    At 300 s four workers of twenty on each of four replicas ask for six, more than the least number.
    """
    node = base((300, 36))
    node["services"]["api"]["schedule"] = [
        {"at": "50s", "replicas": 6}, {"at": "200s", "replicas": 2}, {"at": "290s", "replicas": 4}
    ]  # fmt: skip
    assert scaled(engine(planned(node), seed=1)) == [(50, 6), (200, 2), (210, 2), (290, 4), (315, 6)]


@ENGINES
def test_what_an_operator_sets_holds_for_as_long_as_a_recommendation(engine: Engine) -> None:
    """Five at 50 s: looks from 60 s on would ask for two, and the first one counts the five as asked for: until 120 s.

    Fifty at 200 s are more than it may have.
    """
    node = base()
    node["actions"] = [
        {"at": "50s", "scale": {"service": "api", "replicas": 5}},
        {"at": "200s", "scale": {"service": "api", "replicas": 50}},
    ]
    assert scaled(engine(planned(node), seed=1)) == [(135, 2), (210, 9), (285, 2)]
    node["actions"] = [{"at": "50s", "scale": {"service": "api", "replicas": 1}}]  # below the least
    assert scaled(engine(planned(node), seed=1)) == [(60, 2)]


@ENGINES
def test_a_crashed_replica_that_will_come_back_counts_as_capacity(engine: Engine) -> None:
    """One of two is down from 40 to 80 s: the other does all the work, 60 % of it, and twice one are the two there are.

    One that is down for good is not known to be: nobody else is asked for either.
    """
    node = base()
    node["faults"] = [{"at": "40s", "on": "api", "crash": {"replicas": 1, "restart_after": "20s"}}]
    assert scaled(engine(planned(node), seed=1)) == []


@ENGINES
def test_without_any_replica_nothing_is_known(engine: Engine) -> None:
    node = base(max=9)
    node["faults"] = [{"at": "31s", "for": "40s", "on": "api", "crash": True}]
    assert scaled(engine(planned(node), seed=1)) == []


@ENGINES
def test_a_drained_replica_counts_as_ready(engine: Engine) -> None:
    """One of two is drained: the other is at 60 %, but the mean is the target still. Draining is not seen."""
    node = base()
    node["actions"] = [{"at": "40s", "drain": {"service": "api", "replicas": 1}}]
    assert scaled(engine(planned(node), seed=1)) == []


@ENGINES
def test_replicas_are_paid_for_from_their_start(engine: Engine) -> None:
    """Three more at 75 s, ready at 95 s, gone within 1 s of 255 s, when none of them has work left."""
    plan = planned(base((60, 30), (180, 6)))
    record = engine(plan, seed=1)
    up, paid = (record.service_cells[:, column].sum() / S for column in (SC_UP, SC_PAID))
    assert up == pytest.approx(2 * 400 + 3 * (255 - 95), abs=3)
    assert paid - up == pytest.approx(3 * 20, abs=1e-9)


@ENGINES
@pytest.mark.parametrize(
    ("crash", "up", "paid"),
    [
        ({"restart_after": "50s"}, 400 - 70, 400 - 50),  # nobody pays while nothing starts
        (True, 400 - 50, 400 - 30),  # the fault lasts 30 s, then it starts
        ({"restart_after": "0s"}, 400 - 20, 400),
        ({"restart_after": "310s"}, 100, 100),  # would begin to start after the end
        ({"restart_after": "290s"}, 100, 110),
    ],
)
def test_a_crash_is_not_paid_for(engine: Engine, crash: Any, up: float, paid: float) -> None:
    node = base()
    del node["services"]["api"]["autoscaler"]
    node["services"]["api"]["replicas"] = 1
    node["faults"] = [{"at": "100s", "for": "30s", "on": "api", "crash": crash}]
    record = engine(planned(node), seed=1)
    assert record.service_cells[:, SC_UP].sum() / S == pytest.approx(up, abs=1e-9)
    assert record.service_cells[:, SC_PAID].sum() / S == pytest.approx(paid, abs=1e-9)


@ENGINES
def test_who_starts_and_is_sent_away_is_paid_for_until_then(engine: Engine) -> None:
    node = base()
    del node["services"]["api"]["autoscaler"]
    node["services"]["api"]["schedule"] = [{"at": "50s", "replicas": 4}, {"at": "57s", "replicas": 2}]
    record = engine(planned(node), seed=1)
    assert record.service_cells[:, SC_UP].sum() == 2 * 400 * S
    assert record.service_cells[:, SC_PAID].sum() == (2 * 400 + 2 * 7) * S


def test_decisions_in_the_result() -> None:
    import sysim

    node = base((60, 30), (180, 6))
    node["services"]["api"]["schedule"] = [{"at": "100s", "replicas": 3}]
    node["actions"] = [{"at": "300s", "clear_queue": "api"}]
    run = sysim.simulate(sysim.loads(yaml.safe_dump(node, sort_keys=False))).run
    assert run.to_dict()["actions"] == [
        {"at_s": 75.0, "what": "scale api to 5 (autoscaler)"},
        {"at_s": 100.0, "what": "scale api to at least 3 (schedule)"},
        {"at_s": 255.0, "what": "scale api to 3 (autoscaler)"},
        {"at_s": 300.0, "what": "clear the queue of api"},
    ]
    services = run.to_dict(series=True)["series"]["services"]["api"]
    assert services["up"][6:11] == [2, 2, 2, 3.5, 5]
    assert services["starting"][6:11] == [0, 1.5, 3, 1.5, 0]
    assert np.isclose(services["up"][-1], 3)
