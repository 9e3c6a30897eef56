"""When conditions of actions are met, where that can be worked out by hand.

A hundred requests a second arrive evenly, at 10 ms, 20 ms, …; what a look sees is what happened before its instant.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.record.columns import EV_ACTION, EV_KIND, EV_TIME
from sysim.record.record import Record
from sysim.scenario_file import loads

BASE = """
sysim: 1
time: {duration: 3s, bucket: 70ms}
services: {api: {concurrency: 1, operations: {get: [{work: 5ms}]}}}
load: {web: {call: api, rate: RATE, arrivals: evenly}}
faults: [FAULT]
flags: {f: on}
actions: [{when: {metric: CONDITION}, flag: {f: off}}]
windows: {odd: 333ms..1777ms}
"""
STEADY, RISING = "100/s", "{steps: [{at: 0s, rate: 100/s}, {at: 1s, rate: 200/s}]}"
ERRORS = "{at: 1s, for: 1s, on: api, error: 100%}"  # answered at once
SLOW = "{at: 1s, for: 1s, on: api, latency: 100ms}"
STOPPED = "{at: 1s, for: 1s, on: api, pause: true}"
WINDOW = "every: 100ms, over: 1s"


@pytest.mark.parametrize("engine", [reference, compiled])
@pytest.mark.parametrize(
    ("condition", "rate", "fault", "met_ms"),
    [
        # at 1.5 s 50 errors (1.00 … 1.49) and 50 successes (arrived at 0.50 … 0.99)
        (f"success(web) <= 50%, {WINDOW}", STEADY, ERRORS, 1500),
        (f"success(web) < 50%, {WINDOW}", STEADY, ERRORS, 1600),
        # held at 1.5, 1.6, 1.7, 1.8 s
        (f"success(web) <= 50%, for: 300ms, {WINDOW}", STEADY, ERRORS, 1800),
        # successes that arrived at 0.70 … 0.99, then at 0.71 …
        (f"goodput(web) <= 30/s, {WINDOW}", STEADY, ERRORS, 1700),
        (f"goodput(web) < 30/s, {WINDOW}", STEADY, ERRORS, 1800),
        # before there is a whole window it is as long as the run: 10 ms … 90 ms, nine in 100 ms
        (f"offered_per_s(web) >= 90/s, {WINDOW}", STEADY, ERRORS, 100),
        (f"offered_per_s(web) > 145/s, {WINDOW}", RISING, "", 1500),
        (f"offered_per_s(web) > 151/s, {WINDOW}", RISING, "", 1600),
        # from 1.105 s on they take 105 ms: at 1.5 s 40 of 90, at 1.6 s 50 of 90
        (f"p50(web) > 50ms, {WINDOW}", STEADY, SLOW, 1600),
        # at 1.2 s 80 fast ones and 10 slow ones: the 81st of 90 is slow
        (f"p90(web) > 50ms, {WINDOW}", STEADY, SLOW, 1200),
        # errors take no time: successes are none of them, all that ended is half of them
        (f"p50_all(web) < 4ms, {WINDOW}", STEADY, ERRORS, 1500),
        (f"p50(web) < 4ms, {WINDOW}", STEADY, ERRORS, None),
        # the one of 1.00 s holds the worker; those of 1.01, 1.02, 1.03 s wait
        ("queue(api) >= 3, every: 10ms", STEADY, STOPPED, 1040),
        ("in_system(api) >= 3, every: 10ms", STEADY, STOPPED, 1030),
        ("utilisation(api) >= 100%, every: 10ms", STEADY, STOPPED, 1010),
        ("utilisation(api) == 100%, for: 500ms, every: 10ms", STEADY, STOPPED, 1510),
        ("queue(api) >= 1000, every: 10ms", STEADY, STOPPED, None),
    ],
)
def test_conditions(
    condition: str, rate: str, fault: str, met_ms: int | None, engine: Callable[..., Record]
) -> None:
    text = BASE.replace("CONDITION", condition).replace("RATE", rate).replace("FAULT", fault)
    record = engine(lower(loads(text).scenario), seed=1)
    events = record.events[: record.n_transitions]
    found = events[events[:, EV_KIND] == EV_ACTION, EV_TIME].tolist()
    assert found == ([] if met_ms is None else [met_ms * 1_000_000])
