"""Tiny models, and the entries they must produce: time in ms and what it is."""

from __future__ import annotations

import pytest

from sysim.engine.reference import simulate
from sysim.errors import SimulationError
from sysim.plan.lower import lower
from sysim.record.columns import CC_OUT, LC_OUT, LV_FULL_N, SC_OUT, SC_WASTED
from sysim.record.record import Record
from sysim.scenario_file import loads
from tests.agreement.compare import RANKS

MS = 1_000_000


def run(text: str, seed: int = 1) -> tuple[Record, list[str]]:
    log: list[tuple[int, int, int, int]] = []
    record = simulate(lower(loads("sysim: 1\n" + text).scenario), seed=seed, log=log, strict=True)
    return record, [f"{time / MS:g} {RANKS[rank]}" for time, rank, _, _ in log]


def outcomes(record: Record) -> dict[int, int]:
    counts = record.load_cells[:, LC_OUT : LC_OUT + 14].sum(axis=0)
    return {number: int(count) for number, count in enumerate(counts) if count}


ONE = """
time: {{duration: {duration}}}
services:
  api: {{concurrency: 1, operations: {{get: [{{work: 3ms}}]}}{more}}}
load:
  clients: {{call: api.get, rate: {rate}, arrivals: evenly{policy}}}
"""


def one(duration: str = "11ms", rate: str = "500/s", more: str = "", policy: str = "") -> str:
    return ONE.format(duration=duration, rate=rate, more=more, policy=policy)


def test_queue() -> None:
    record, log = run(one(duration="5ms"))
    assert log == [
        "2 load",
        "2 arrive",
        "4 load",
        "4 arrive",
        "5 done",
        "5 reply",
        "5 grant",
        "8 done",
        "8 reply",
    ]
    assert outcomes(record) == {0: 2}
    assert record.end == 8 * MS


def test_exactly_at_its_timeout_counts_as_completed() -> None:
    record, log = run(one(duration="3ms", policy=", policy: {timeout: 3ms}"))
    assert log == ["2 load", "2 arrive", "5 done", "5 reply"]
    assert outcomes(record) == {0: 1}


def test_timeout_then_retry_and_the_work_goes_on() -> None:
    record, log = run(
        one(
            duration="3ms",
            policy=", policy: {timeout: 2ms, retry: {max_attempts: 2, backoff: {constant: 2ms}}}",
        )
    )
    assert log == ["2 load", "2 arrive", "4 timeout", "5 done", "6 backoff", "6 arrive", "8 timeout"]
    assert outcomes(record) == {3: 1}
    assert (
        record.service_cells[:, SC_WASTED].sum() == 3 * MS
    )  # the second visit is in flight when the run ends
    assert record.service_cells[:, SC_OUT].sum() == 1
    assert record.service_cells[:, SC_OUT + 13].sum() == 1


def test_full_queue_rejects() -> None:
    record, _ = run(one(duration="7ms", rate="1000/s", more=", queue: {capacity: 1}"))
    assert outcomes(record) == {0: 3, 5: 3}
    assert record.level[0, LV_FULL_N] == 3


def test_pause_keeps_what_is_left() -> None:
    _, log = run(one(duration="3ms") + "faults: [{at: 2.5ms, for: 10ms, on: api, pause: true}]")
    assert log == ["2 load", "2 arrive", "2.5 fault", "12.5 fault", "15 done", "15 reply"]


def test_slowdown_stretches_what_is_left() -> None:
    _, log = run(one(duration="3ms") + "faults: [{at: 2.5ms, for: 2ms, on: api, slowdown: 4}]")
    assert log == ["2 load", "2 arrive", "2.5 fault", "4.5 fault", "6.5 done", "6.5 reply"]


def test_crash_at_the_instant_of_completion_loses_the_work() -> None:
    record, log = run(
        one(duration="6ms", rate="250/s") + "faults: [{at: 5.5ms, on: api, crash: {restart_after: 1ms}}]"
    )
    assert log == ["4 load", "4 arrive", "5.5 fault", "5.5 reply"]
    assert outcomes(record) == {11: 1}


def test_cancel_notice_stops_the_work_and_frees_the_worker() -> None:
    text = one(
        duration="5ms",
        more=", when_cancelled: stop",
        policy=", policy: {timeout: 1ms, cancel: true, network: {latency: 500us}}",
    )
    record, log = run(text)
    assert log == ["2 load", "2.5 arrive", "3 timeout", "3.5 cancel", "4 load", "4.5 arrive", "5 timeout"]
    assert outcomes(record) == {3: 2}


def test_hedge_wins_and_the_loser_is_cancelled() -> None:
    text = """
time: {duration: 3ms}
services:
  api: {replicas: 2, concurrency: 1, when_cancelled: stop, operations: {get: [{work: 3ms}]}}
load:
  clients:
    call: api.get
    rate: 500/s
    arrivals: evenly
    policy: {hedge: {delay: 1ms, max_attempts: 2, cancel_losers: true}}
"""
    _, log = run(text)
    assert log == ["2 load", "2 arrive", "3 hedge", "3 arrive", "5 done", "5 reply"]


def test_parallel_joins_by_entries() -> None:
    text = """
time: {duration: 3ms}
services:
  front: {operations: {get: [{parallel: [[{work: 1ms}], [{call: back.get}]]}]}}
  back: {operations: {get: [{work: 2ms}]}}
load: {clients: {call: front.get, rate: 500/s, arrivals: evenly}}
"""
    _, log = run(text)
    assert log == [
        "2 load", "2 arrive", "2 start", "2 start", "2 arrive", "3 done", "3 join", "4 done", "4 reply",
        "4 join", "4 reply",
    ]  # fmt: skip


def test_cores_are_shared() -> None:
    text = """
time: {duration: 4ms}
services:
  api: {cores: 1, operations: {get: [{work: 2ms}]}}
load: {clients: {call: api.get, rate: 1000/s, arrivals: evenly}}
"""
    _, log = run(text)
    assert log == [
        "1 load", "1 arrive", "2 load", "2 arrive", "3 load", "3 arrive", "4.5 done", "4.5 reply", "6.5 done",
        "6.5 reply", "7 done", "7 reply",
    ]  # fmt: skip


def test_a_message_keeps_the_run_going() -> None:
    text = """
time: {duration: 3ms}
services:
  front: {operations: {get: [{publish: back.get}]}}
  back: {operations: {get: [{work: 2ms}]}}
load: {clients: {call: front.get, rate: 500/s, arrivals: evenly}}
"""
    record, log = run(text)
    assert log == ["2 load", "2 arrive", "2 reply", "2 start", "2 arrive", "4 done", "4 reply"]
    assert record.call_cells[:, CC_OUT].sum() == 2


def test_async_gives_its_worker_back() -> None:
    text = """
time: {duration: 3ms}
services:
  front: {concurrency: 1, threading: async, operations: {get: [{work: 1ms}, {call: back.get}, {work: 1ms}]}}
  back: {operations: {get: [{work: 1ms}]}}
load: {clients: {call: front.get, rate: 1000/s, arrivals: evenly}}
"""
    _, log = run(text)
    assert log == [
        "1 load", "1 arrive", "2 done", "2 load", "2 arrive", "2 arrive", "3 done", "3 done", "3 reply",
        "3 arrive", "4 done", "4 done", "4 reply", "4 reply", "5 done", "5 reply",
    ]  # fmt: skip


def test_time_that_stands_still_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysim.engine.reference.clock.INSTANT_LIMIT", 1000)
    text = """
time: {duration: 1s}
services:
  api: {concurrency: 1, queue: {capacity: 0}, operations: {get: [{work: 1ms}]}}
load: {robots: {call: api.get, users: 2, think: 0s}}
"""
    with pytest.raises(SimulationError, match=r"load robots, call robots -> api\.get, outcome rejected"):
        run(text)


@pytest.mark.parametrize("drain, end", [("true", 5 * MS), ("false", 3 * MS), ("1ms", 3 * MS)])
def test_what_is_left_is_in_flight(drain: str, end: int) -> None:
    record, _ = run(one(duration="3ms").replace("duration: 3ms", f"duration: 3ms, drain: {drain}"))
    assert record.end == end
    assert outcomes(record) == ({0: 1} if drain == "true" else {13: 1})
