"""Warnings: each said where it holds, silent where it does not, and never a reason to stop."""

from __future__ import annotations

import pytest

from sysim.scenario_file import loads

FRAME = """\
sysim: 1
time: {{duration: 60s, warmup: 10s}}
services:
  api: {{concurrency: {workers}, operations: {{get: [{{work: 10ms}}, {{call: db.read{call}}}]}}}}
  db: {{operations: {{read: []}}}}
load:
  web: {{call: api.get, rate: 100/s{load}}}
faults: [{faults}]
windows: {{{windows}}}
"""


def codes(workers: int = 2, call: str = "", load: str = "", faults: str = "", windows: str = "") -> list[str]:
    text = FRAME.format(workers=workers, call=call, load=load, faults=faults, windows=windows)
    loaded = loads(text)
    assert all(warning.severity == "warning" and warning.line for warning in loaded.warnings)
    return [warning.code for warning in loaded.warnings]


def test_a_sound_scenario_has_none() -> None:
    assert codes() == []


def test_utilisation_above_one() -> None:
    assert codes(workers=1) == []
    assert "overloaded" in [w.code for w in loads(FRAME.format(
        workers=1, call="", load="", faults="", windows="").replace("100/s", "101/s")).warnings]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("circuit_breaker: {minimum_calls: 200}", "never-trips"),
        ("circuit_breaker: {slow_call_rate: 5%, slow_call_duration: 2s}, timeout: 1s", "never-trips"),
        ("timeout: 3s, deadline: 2s", "timeout-beyond-deadline"),
        ("network: {loss: 1%}", "endless-call"),
    ],
)
def test_policies_that_cannot_work(policy: str, code: str) -> None:
    assert codes(call=f", policy: {{{policy}}}") == [code]
    assert codes(load=f", policy: {{{policy}}}") == [code]


def test_a_named_policy_is_warned_about_once() -> None:
    text = FRAME.format(workers=2, call=", policy: p", load=", policy: p", faults="", windows="")
    warnings = loads(text + "policies: {p: {timeout: 3s, deadline: 2s}}\n").warnings
    assert [(w.code, w.path) for w in warnings] == [("timeout-beyond-deadline", "policies.p.timeout")]


def test_a_call_that_can_wait_for_ever() -> None:
    assert codes(faults="{at: 20s, on: db, blackhole: true}") == ["endless-call"]
    assert codes(faults="{at: 20s, on: api -> db, loss: 5%}") == ["endless-call"]
    assert codes(faults="{at: 20s, on: web -> api, loss: 5%}") == ["endless-call"]
    assert codes(faults="{at: 20s, on: db, blackhole: true}", call=", policy: {timeout: 1s}") == []
    assert codes(faults="{at: 20s, on: db, pause: true}") == []


def test_beginnings_inside_the_warm_up() -> None:
    assert codes(windows="w: 5s..20s") == ["in-warmup"]
    assert codes(windows="w: ..20s") == []
    assert codes(faults="{at: 5s, on: db, pause: true}") == ["in-warmup"]
    assert codes(faults="{at: 60s, on: db, pause: true}") == ["after-the-end"]


def test_a_fault_on_a_call_that_is_not_there() -> None:
    assert codes(faults="{at: 20s, on: web -> db, latency: 1s}") == ["no-such-call"]
    assert codes(faults="{at: 20s, on: api -> db, latency: 1s}") == []


def test_a_fault_before_which_nothing_is_measured() -> None:
    early = "{name: stall, at: %s, for: 1s, on: db, pause: true}"
    assert "no-before" in codes(faults=early % "0s")
    assert "no-before" not in codes(faults=early % "10s")
    assert "no-before" not in codes(faults="{at: 0s, on: db, latency: 1ms}")


def test_a_step_with_a_name_is_called_by_it() -> None:
    text = FRAME.format(workers=2, call=", name: charge", load="", faults="", windows="")
    text += "policies: {}\n"
    faults = "faults: [{name: gone, at: 5s, for: 1s, on: api -> db, blackhole: true}]"
    paths = [warning.path for warning in loads(text.replace("faults: []", faults)).warnings]
    assert "services.api.operations.get.charge" in paths and "faults.gone.at" in paths


def test_actions_that_come_too_late() -> None:
    text = FRAME.format(workers=2, call="", load="", faults="", windows="")
    for action, code in (
        ("{at: 60s, clear_queue: api}", "after-the-end"),
        ("{when: {metric: queue(api) > 3, every: 60s}, clear_queue: api}", "after-the-end"),
        ("{at: 59s, clear_queue: api}", None),
        ("{when: queue(api) > 3, clear_queue: api}", None),
    ):
        said = [warning.code for warning in loads(f"{text}actions: [{action}]\n").warnings]
        assert said == ([code] if code else [])


@pytest.mark.parametrize(
    ("queue", "loads_", "warned"),
    [
        ("fifo", ("priority: 1", "priority: 2"), ["load.b.priority"]),
        ("priority", ("priority: 1", "priority: 2"), []),
        ("priority", ("priority: 2", "priority: 2"), ["services.api.queue.discipline"]),
        ("edf", ("policy: {deadline: 2s}", "value: 1 GBP"), ["services.api.queue.discipline"]),
        ("edf", ("policy: {deadline: {after: 2s, propagate: true}}", "value: 1 GBP"), []),
    ],
)
def test_an_order_that_orders_nothing(queue: str, loads_: tuple[str, str], warned: list[str]) -> None:
    first, second = loads_
    found = loads(
        "sysim: 1\ntime: {duration: 60s}\nservices:\n"
        f"  api: {{queue: {{discipline: {queue}}}, operations: {{get: [{{work: 1ms}}]}}}}\n"
        f"load:\n  a: {{call: api, rate: 1/s, {first}}}\n  b: {{call: api, rate: 1/s, {second}}}\n"
    ).warnings
    assert [(warning.code, warning.path) for warning in found] == [("no-effect", path) for path in warned]
