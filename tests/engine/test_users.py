"""Users who come and go: when they ask, worked out by hand, on both engines; and that a constant number is a number."""

from __future__ import annotations

from typing import Any

import pytest

import sysim
from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.plan.tables import R_START, R_THINK
from sysim.scenario_file import loads
from tests.agreement.compare import compare
from tests.theory.simulate import runs

ENGINES = {"reference": reference, "compiled": compiled}
MS = 1_000_000
HEAD = """
sysim: 1
name: ramp
time: {{duration: {duration}, bucket: 10ms}}
services: {{api: {{operations: {{get: [{{work: 4ms}}]}}}}}}
load:
  staff: {{users: {users}, think: 10ms, {what}}}
"""
CALL = "call: api.get"


def text(users: Any, what: str = CALL, duration: str = "100ms") -> str:
    return HEAD.format(users=users, what=what, duration=duration)


def moments(scenario: str, engine: str, rank: int) -> list[float]:
    """The instants (ms) of all entries of a rank."""
    log: list[tuple[int, int, int, int]] = []
    ENGINES[engine](lower(loads(scenario).scenario), seed=1, log=log)
    return [time / MS for time, found, *_ in log if found == rank]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("steps", "begins", "asks"),
    [
        # thinks 10 ms, is answered after 4, and so on; the pause that would be over at 38 is not
        ([(0, 1), (25, 0)], [0], [10, 24]),
        # who asked at 24 leaves at 28 and is back at 40; the pause after 54 would be over at 64
        ([(0, 1), (25, 0), (40, 1), (64, 0)], [0, 40], [10, 24, 50]),
        ([(0, 1), (25, 0), (40, 1), (65, 0)], [0, 40], [10, 24, 50, 64]),
        # is thinking at 30: leaves at once, and begins anew at 31
        ([(0, 1), (30, 0), (31, 1), (50, 0)], [0, 31], [10, 24, 41]),
        # is being answered from 24 to 28: the stay that begins meanwhile finds no reason to stop
        ([(0, 1), (25, 0), (27, 1), (50, 0)], [0], [10, 24, 38]),
        # … nor that there was one which came and went
        ([(0, 1), (25, 0), (26, 1), (27, 0), (30, 1), (50, 0)], [0, 30], [10, 24, 40]),
        # no stay is long enough
        ([(5, 1), (14, 0), (20, 1), (30, 0), (31, 1), (42, 0)], [5, 20, 31], [41]),
        # the second comes later and leaves earlier
        ([(0, 1), (3, 2), (20, 1), (30, 0)], [0, 3], [10, 13, 24]),
        ([(90, 3)], [90, 90, 90], []),
    ],
)
def test_when_they_ask(engine: str, steps: list[tuple[int, int]], begins: list[int], asks: list[int]) -> None:
    users = [{"at": f"{at}ms", "users": count} for at, count in steps]
    scenario = text({"steps": users})
    assert moments(scenario, engine, R_START) == begins
    assert moments(scenario, engine, R_THINK) == asks
    [run] = runs(scenario, replications=1, engine=engine)
    assert run["windows"]["all"]["loads"]["staff"]["offered"] == len(asks)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_journey_is_gone_through_to_its_end(engine: str) -> None:
    """Calls at 10 and, after the pause within, at 24, though the stay was over at 12; nothing else."""
    what = "journey: [{call: api.get}, {think: 10ms}, {call: api.get}]"
    users = {"steps": [{"at": "0ms", "users": 1}, {"at": "12ms", "users": 0}, {"at": "50ms", "users": 1}]}
    scenario = text(users, what)
    assert moments(scenario, engine, R_THINK) == [10, 24, 60, 74, 88]
    [run] = runs(scenario, replications=1, engine=engine)
    assert run["windows"]["all"]["loads"]["staff"]["journeys"] == {"begun": 3, "finished": 2, "broken_off": 0}


RANDOM = "think: {exponential: 5ms}"


@pytest.mark.parametrize("what", [CALL, "journey: [{call: api.get}, {think: 3ms}, {call: api.get}]"])
def test_a_constant_profile_gives_the_bytes_of_a_number(what: str) -> None:
    plain = text(7, what).replace("think: 10ms", RANDOM)
    for users in ({"steps": [{"at": "0s", "users": 7}]}, {"from": 7, "stages": [{"for": "30ms", "to": 7}]}):
        profile = text(users, what).replace("think: 10ms", RANDOM)
        for engine in ENGINES.values():
            one, two = (engine(lower(loads(each).scenario), seed=5) for each in (plain, profile))
            assert (one.digest, one.n_events) == (two.digest, two.n_events)
        results = [
            sysim.simulate(sysim.loads(each), seed=5, replications=2).to_dict(series=True)["runs"]
            for each in (plain, profile)
        ]
        assert [strip(run) for run in results[0]] == [strip(run) for run in results[1]]


def strip(run: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in run.items() if "wall" not in key and "time" not in key}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_numbers_of_a_user_are_their_own(engine: str) -> None:
    """Users who are never in each other's way ask at the same instants, however many others come and go."""

    def asked(users: Any) -> dict[int, list[int]]:
        log: list[tuple[int, int, int, int]] = []
        scenario = text(users, CALL, "400ms").replace("think: 10ms", RANDOM)
        ENGINES[engine](lower(loads(scenario).scenario), seed=5, log=log)
        found: dict[int, list[int]] = {}
        for time, rank, key, _ in log:
            if rank == R_THINK:
                found.setdefault(key, []).append(time)
        return found

    few = {"steps": [{"at": "0s", "users": 3}, {"at": "100ms", "users": 1}, {"at": "150ms", "users": 3}]}
    many = {
        "steps": [
            {"at": "0s", "users": 9}, {"at": "50ms", "users": 4}, {"at": "100ms", "users": 1},
            {"at": "150ms", "users": 40},
        ]
    }  # fmt: skip
    one, two, constant = asked(few), asked(many), asked(1)
    assert len(two) > 2 * len(one) > 0
    assert all(two[key] == times for key, times in one.items())
    assert all(one[key] == times for key, times in constant.items())  # the first of them never leaves


@pytest.mark.parametrize("engine", ENGINES)
def test_the_users_who_are_there_are_those_of_the_profile(engine: str) -> None:
    """Users k = 0, 1, … come every two ms, think for one and ask for ever; nobody comes twice."""
    scenario = text({"stages": [{"for": "50ms", "to": 25}, {"for": "20ms", "to": 25}, {"for": "20ms", "to": 0}]})
    scenario = scenario.replace("work: 4ms", "work: 10s").replace("think: 10ms", "think: 1ms")
    assert moments(scenario, engine, R_START) == [2 * k + 2 for k in range(25)]
    assert moments(scenario, engine, R_THINK) == [2 * k + 3 for k in range(25)]
    [run] = runs(scenario, replications=1, engine=engine)
    staff = run["windows"]["all"]["loads"]["staff"]
    assert staff["outcomes"]["ok"] == staff["offered"] == 25  # they are answered while the run drains


def test_all_executions_agree() -> None:
    """Also without the JIT: a ramp that rises, falls and rises again at a crowded service that breaks down."""
    scenario = """
sysim: 1
name: waves
time: {duration: 60ms, bucket: 5ms}
services:
  api: {concurrency: 2, queue: {capacity: 3}, operations: {get: [{work: {exponential: 1ms}}]}}
load:
  staff:
    users:
      from: 2
      stages: [{for: 10ms, to: 12}, {for: 5ms, to: 0}, {for: 3ms, to: 0}, {for: 20ms, to: 9}, {for: 0s, to: 3}]
    think: {mixture: [{weight: 1, of: 0ms}, {weight: 2, of: {exponential: 2ms}}]}
    policy: {timeout: 3ms, retry: {max_attempts: 2, backoff: {constant: 1ms}}, circuit_breaker: {failure_rate: 50%}}
    journey: [{call: api.get}, {think: {exponential: 1ms}}, {call: api.get, optional: true}]
  others: {call: api.get, rate: 100/s}
faults: [{at: 30ms, for: 5ms, on: api, pause: true}]
"""
    for seed in (1, 2, 3):
        report = compare(scenario, seed, plain_too=seed == 1)
        assert not report, "\n".join(report)
