"""Paths lead where they say, or the message names the path to use."""

from __future__ import annotations

from typing import Any

import pytest

from sysim.errors import Problem, ScenarioError
from sysim.scenario_file import loads
from sysim.scenario_file.paths import PathError, split

TEXT = """\
sysim: 1
time: {duration: 60s}
services:
  web:
    operations:
      place: [{work: 1ms}, {name: pay, call: db.charge, policy: careful}, {call: db.read}]
      browse: []
  db: {concurrency: 4, operations: {charge: [], read: []}}
policies: {careful: {timeout: 1s}}
load:
  punters: {mix: {web.place: 60%, web.browse: 40%}, rate: 10/s}
faults:
  - {name: stall, at: 10s, for: 5s, on: db, pause: true}
  - {at: 20s, on: db, error: 5%}
"""


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("a.b.1.c", ["a", "b", "1", "c"]),
        ('load.mix."web.place_bet"', ["load", "mix", "web.place_bet"]),
        ('"a\\"b".c', ['a"b', "c"]),
        ("a", ["a"]),
    ],
)
def test_split(path: str, keys: list[str]) -> None:
    assert split(path) == keys


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", '"a', 'a"b"', '"a"b', "a." * 80 + "a"])
def test_bad_paths(path: str) -> None:
    with pytest.raises(PathError):
        split(path)


def value(path: str, given: Any) -> Any:
    found: Any = loads(TEXT, set={path: given}).tree
    for key in split(path):
        if isinstance(found, list):
            names = [isinstance(item, dict) and item.get("name") for item in found]
            found = found[names.index(key) if key in names else int(key)]
        else:
            found = found[key]
    return found


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("services.db.replicas", 3),
        ("services.db.queue.capacity", 5),
        ("services.web.operations.place.0.work", "2ms"),
        ("services.web.operations.place.pay.probability", "5%"),
        ("services.web.operations.place.2.policy.timeout", "2s"),
        ("services.web.operations.place.2.policy.retry.budget.ratio", 0.2),
        ("services.web.operations.place.pay.policy", "none"),
        ("policies.careful.circuit_breaker.failure_rate", "30%"),
        ("policies.fresh.timeout", "1s"),
        ("load.punters.policy.retry.max_attempts", 2),
        ("faults.stall.for", "9s"),
        ("faults.1.error", "9%"),
        ("flags.dark", "on"),
        ("windows.late", "50s.."),
        ("time.warmup", "5s"),
    ],
)
def test_paths_that_lead_somewhere(path: str, given: Any) -> None:
    if path.startswith("policies.fresh"):
        path, given = "policies.fresh", {"timeout": "1s"}
    assert value(path, given) == given


def test_a_quoted_key() -> None:
    loaded = loads(TEXT, set={'load.punters.mix."web.place"': "100%", 'load.punters.mix."web.browse"': None})
    assert loaded.scenario.load["punters"].mix == {"web.place": 1.0}


def test_null_removes_an_element() -> None:
    assert [fault.name for fault in loads(TEXT, set={"faults.1": None}).scenario.faults] == ["stall"]


def problem(path: str, given: Any) -> Problem:
    with pytest.raises(ScenarioError) as error:
        loads(TEXT, set={path: given})
    assert len(error.value.problems) == 1, error.value
    return error.value.problems[0]


@pytest.mark.parametrize(
    ("path", "code", "hint"),
    [
        ("services.web.operations.place.pay.policy.timeout", "named-policy", "use policies.careful.timeout"),
        ("services.web.operations.place.7.work", "bad-index", "use services.web.operations.place.0 to"),
        ("services.web.operations.place.-1.work", "bad-index", ""),
        ("services.web.operations.place.pya.work", "bad-index", "did you mean 'pay'?"),
        ("services.wbe.replicas", "unknown-path", "did you mean 'web'?"),
        ("services.web.replica", "unknown-path", "did you mean 'replicas'?"),
        ("servces.web.replicas", "unknown-path", "did you mean 'services'?"),
        ("load.punters.policy.retry.max_attempt", "unknown-path", "did you mean 'max_attempts'?"),
        ("faults.stal.for", "bad-index", "did you mean 'stall'?"),
        ("faults.2", "bad-index", "use faults.0 to faults.1"),
        ("checks.0.name", "bad-index", ""),
        ("time.duration.seconds", "unknown-path", ""),
        ("variants.a.seed", "unknown-path", ""),
        ("services..replicas", "bad-path", ""),
    ],
)
def test_paths_that_do_not(path: str, code: str, hint: str) -> None:
    found = problem(path, "1s")
    assert found.code == code
    assert hint in found.hint


def test_settings_without_a_value() -> None:
    with pytest.raises(ScenarioError) as error:
        loads(TEXT, set=["seed"])
    assert error.value.problems[0].code == "bad-set"
    with pytest.raises(ScenarioError) as error:
        loads(TEXT, set=["seed=[1"])
    assert error.value.problems[0].file == "--set seed"
    with pytest.raises(ScenarioError):
        loads(TEXT, set={"seed": object()})
