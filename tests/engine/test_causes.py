"""Where failures begin: small systems whose failures have one known cause, on both engines."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml

import sysim
from sysim.result.failures import Cause

ENGINES = ("reference", "compiled")
Found = dict[tuple[Cause, str], int]


def causes(scenario: dict[str, Any], engine: str, load: str = "users") -> Found:
    """The failures of the load by cause and outcome; they add up to all of them."""
    text = yaml.safe_dump({"sysim": 1, "name": "t", **scenario})
    result = sysim.simulate(sysim.loads(text), engine=engine, seed=5)
    stats = result.load(load)
    assert sum(some.count for some in stats.failures) == stats.offered - stats.ok - stats.degraded > 0
    return {(some.cause, some.outcome): some.count for some in stats.failures}


def main_cause(found: Found) -> tuple[Cause, str]:
    return max(found, key=lambda what: found[what])


def chain(**changes: Any) -> dict[str, Any]:
    """Users -> web -> shop -> db; the pools are small and the database has plenty of workers."""
    services = {
        "web": {"concurrency": 4, "operations": {"get": [{"call": "shop.get", "policy": {"timeout": "1s"}}]}},
        "shop": {"concurrency": 2, "operations": {"get": [{"work": "1ms"}, {"call": "db.read"}]}},
        "db": {"concurrency": 50, "operations": {"read": [{"work": "5ms"}]}},
    }
    return {
        "time": {"duration": "20s"},
        "services": services,
        "load": {"users": {"call": "web.get", "rate": "50/s", "policy": {"timeout": "2s"}}},
        **changes,
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_paused_database_is_found_behind_two_queues(engine: str) -> None:
    found = causes(chain(faults=[{"name": "stall", "at": "5s", "for": "10s", "on": "db", "pause": True}]), engine)
    at_db: Counter[Cause] = Counter()
    for (cause, _), count in found.items():
        if cause.service == "db":
            at_db[cause] += count
    assert sum(at_db.values()) >= 0.95 * sum(found.values())
    behind = sum(count for cause, count in at_db.items() if cause.queued and cause.disturbed)
    assert behind >= 0.8 * sum(found.values()), "most never got to the database"
    assert {cause.mechanism for cause in at_db} <= {"working", "queued"}
    assert {cause.call for cause in at_db} == {"shop.get -> db.read"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pool_that_is_too_small_is_its_own_cause(engine: str) -> None:
    scenario = chain()
    scenario["services"]["shop"]["operations"]["get"][0] = {"work": "60ms"}  # 2 workers, 50/s
    found = causes(scenario, engine)
    at_shop = sum(count for (cause, _), count in found.items() if cause.service == "shop")
    assert at_shop >= 0.8 * sum(found.values()), "the database is the last that a request waits for"
    assert {cause.mechanism for cause, _ in found} == {"queued", "working"}
    assert not any(cause.disturbed for cause, _ in found)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("fault", "mechanism", "outcome"),
    [
        ({"error": "100%"}, "error_fault", "error"),
        ({"blackhole": True}, "network", "timeout"),
        ({"latency": "3s"}, "network", "timeout"),
        ({"refuse": True}, "unreachable", "error"),
    ],
)
def test_the_mechanism_of_a_fault(engine: str, fault: dict[str, Any], mechanism: str, outcome: str) -> None:
    scenario = chain(faults=[{"name": "f", "at": "5s", "for": "10s", "on": "shop -> db", **fault}])
    for service in ("web", "shop"):
        scenario["services"][service]["concurrency"] = 500
    found = causes(scenario, engine)
    cause, seen = main_cause(found)
    assert (cause.service, cause.mechanism, cause.call) == ("db", mechanism, "shop.get -> db.read")
    assert seen == outcome or (outcome == "timeout" and seen == "error")
    assert cause.disturbed == (mechanism != "error_fault")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_breaker_hands_on_what_opened_it(engine: str) -> None:
    scenario = chain(faults=[{"name": "f", "at": "5s", "for": "10s", "on": "db", "error": "100%"}])
    scenario["services"]["shop"]["operations"]["get"][1]["policy"] = {
        "circuit_breaker": {"window": {"calls": 10}, "minimum_calls": 10, "open_for": "1s"}
    }
    found = causes(scenario, engine)
    refused = {cause: count for (cause, _), count in found.items() if cause.breaker}
    assert {(cause.service, cause.mechanism) for cause in refused} == {("db", "error_fault")}
    assert sum(refused.values()) > 0.5 * sum(found.values())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_that_fails_and_a_crash(engine: str) -> None:
    scenario = chain()
    scenario["services"]["shop"]["concurrency"] = scenario["services"]["web"]["concurrency"] = 100
    scenario["services"]["db"]["operations"]["read"] = [{"work": "100ms"}, {"fail": "30%"}]
    scenario["faults"] = [{"name": "f", "at": "5s", "for": "1s", "on": "db", "crash": True}]
    found = causes(scenario, engine)
    mechanisms = {cause.mechanism for cause, _ in found}
    assert {cause.service for cause, _ in found} == {"db"}
    assert {"error", "crashed", "unreachable"} <= mechanisms


@pytest.mark.parametrize("engine", ENGINES)
def test_an_operation_that_is_slow_starves_the_other_one_of_its_service(engine: str) -> None:
    scenario: dict[str, Any] = {
        "time": {"duration": "20s"},
        "services": {
            "api": {"concurrency": 4, "operations": {"fast": [{"work": "2ms"}], "slow": [{"work": "2ms"}]}}
        },
        "load": {
            "users": {"call": "api.fast", "rate": "50/s", "policy": {"timeout": "500ms"}},
            "others": {"call": "api.slow", "rate": "50/s", "policy": {"timeout": "500ms"}},
        },
        "faults": [{"name": "f", "at": "5s", "for": "10s", "on": "api.slow", "slowdown": 10_000}],
    }
    cause, outcome = main_cause(causes(scenario, engine))
    assert (cause.call, cause.mechanism, cause.disturbed, outcome) == (
        "others -> api.slow", "working", True, "timeout",
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_of_a_parallel_the_branch_that_has_not_ended_is_the_cause(engine: str) -> None:
    scenario = chain()
    scenario["services"]["web"] = {
        "concurrency": 400,
        "operations": {"get": [{"parallel": [[{"call": "shop.get"}], [{"call": "slow.get"}]]}]},
    }
    scenario["services"]["shop"]["concurrency"] = 100
    scenario["services"]["slow"] = {"concurrency": 400, "operations": {"get": [{"work": "3s"}]}}
    found = causes(scenario, engine)
    assert {(cause.service, cause.mechanism) for cause, _ in found} == {("slow", "working")}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_open_at_the_end_is_charged_to_where_it_is(engine: str) -> None:
    scenario = chain(faults=[{"name": "stall", "at": "19s", "on": "db", "pause": True}])
    scenario["load"]["users"]["policy"] = {}
    scenario["services"]["web"]["operations"]["get"][0].pop("policy")
    scenario["time"]["drain"] = "0s"
    found = causes(scenario, engine)
    assert {outcome for _, outcome in found} == {"in_flight"}
    assert {cause.service for cause, _ in found} == {"db"}


def test_a_circle_of_queues_has_an_end() -> None:
    """Two services wait for workers of each other, for ever: there is no place where it began, but an answer."""
    scenario: dict[str, Any] = {
        "time": {"duration": "5s"},
        "services": {
            "a": {
                "concurrency": 1,
                "operations": {"in": [{"work": "1ms"}, {"call": "b.in"}], "out": [{"work": "1ms"}]},
            },
            "b": {
                "concurrency": 1,
                "operations": {"in": [{"work": "1ms"}, {"call": "a.out"}], "out": [{"work": "1ms"}]},
            },
        },
        "load": {"users": {"call": "a.in", "rate": "20/s", "policy": {"timeout": "500ms"}}},
    }
    found = causes(scenario, "reference")
    assert found == causes(scenario, "compiled")
    assert {cause.mechanism for cause, _ in found} == {"queued"}
    assert {cause.service for cause, _ in found} <= {"a", "b"}


def test_both_engines_charge_every_failure_alike() -> None:
    scenario = chain(faults=[{"name": "stall", "at": "5s", "for": "10s", "on": "db", "slowdown": 100}])
    assert causes(scenario, "reference") == causes(scenario, "compiled")
