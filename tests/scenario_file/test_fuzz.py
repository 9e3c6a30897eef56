"""Whatever the text, the answer is a scenario or a ScenarioError."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sysim.errors import ScenarioError
from sysim.scenario_file import Loaded, dump, load, loads

HERE = Path(__file__).parent
STORM = (HERE / "retry_storm.yaml").read_text()
EVERYTHING = (HERE / "everything.yaml").read_text()
PIECES = [
    "null",
    "{}",
    "[]",
    "-1",
    "0",
    "1e999",
    ".nan",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "&a ",
    "*a",
    "!!int ",
    "$x",
    "${",
    "$$",
    "%",
    "50%",
    "2s",
    "-> ",
    "zone a",
    "..",
    "true",
    "\t",
    "\n",
    "  ",
    "#",
    "|",
    ">",
    "?",
    "api",
    "none",
    "careful",
    "99999999999999999999",
    "0s",
    "é",
    "\x00",
    "\ufeff",
    "extends: careful",
    "x-a: 1",
    "p99",
]


def answer(text: str) -> Loaded | None:
    try:
        loaded = loads(text, base_dir=HERE)
    except ScenarioError as error:
        assert error.problems and str(error)
        return None
    assert loads(dump(loaded)).digest == loaded.digest
    return loaded


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_text(text: str) -> None:
    answer(text)


@given(st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_bytes(data)
    try:
        load(path)
    except ScenarioError as error:
        assert str(error)


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        length = rng.choice((0, 1, 1, 2, 5, 12))
        kind = rng.random()
        if kind < 0.5:
            text = text[:at] + rng.choice(PIECES) + text[at + length :]
        elif kind < 0.7:
            text = text[:at] + text[at + length :]
        elif kind < 0.85:
            other = rng.randrange(len(text))
            text = text[:at] + text[other : other + rng.randint(1, 30)] + text[at:]
        else:
            lines = text.splitlines(keepends=True)
            lines[rng.randrange(len(lines))] = rng.choice(lines)
            text = "".join(lines)
    return text


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("name", "count"), [("storm", 100), ("everything", 8)])
def test_mutations(name: str, count: int, seed: int) -> None:
    rng = random.Random(f"{name} {seed}")
    for _ in range(count):
        answer(mutated(STORM if name == "storm" else EVERYTHING, rng))


WORDS = st.sampled_from(
    [*"abc", "services", "api", "load", "rate", "work", "policy", "timeout", "0", "retry", "on"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=5), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
PATHS = st.sampled_from([
    "services", "services.api", "services.api.operations", "services.api.operations.get",
    "services.api.operations.get.0", "services.api.operations.get.0.work", "services.api.queue",
    "services.api.queue.discipline", "load", "load.clients", "load.clients.policy", "load.clients.rate",
    "load.clients.policy.retry", "load.clients.policy.retry.backoff", "load.clients.policy.retry.budget",
    "load.clients.policy.circuit_breaker", "load.clients.policy.fallback", "load.clients.policy.balancer",
    "load.clients.arrivals", "faults", "faults.0", "faults.0.on", "faults.0.for", "time", "windows", "checks",
    "checks.0", "checks.0.expect", "variants", "policies", "defaults", "flags", "seed", "params", "include",
    "sysim", "name", "description", "slos", "actions", "load.clients.mix", "load.clients.journey",
])  # fmt: skip


@given(st.dictionaries(PATHS, VALUES, max_size=3))
@settings(deadline=None, max_examples=200)
def test_any_value_anywhere(patch: dict[str, object]) -> None:
    try:
        loads(STORM, set=patch)
    except ScenarioError as error:
        assert str(error)


ACTION_KEYS = st.sampled_from([
    "at", "when", "after", "name", "flag", "shed", "clear_queue", "restart", "set", "load", "share", "service",
    "replicas", "zone", "metric", "for", "every", "over", "p99(clients)", "queue(api)", "load.clients.policy.timeout",
    "load.clients.policy.circuit_breaker", "scale", "alert",
])  # fmt: skip
ACTION_VALUES = st.recursive(
    st.one_of(VALUES, st.sampled_from([
        "api", "clients", "30%", "10s", "queue(api) > 3", "p99(clients) > 1s", "> 3", "> 800ms", "open", 2,
    ])),
    lambda inner: st.dictionaries(ACTION_KEYS, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(st.dictionaries(ACTION_KEYS, ACTION_VALUES, max_size=4), max_size=2))
@settings(deadline=None, max_examples=200)
def test_any_action(actions: list[dict[str, object]]) -> None:
    try:
        loads(STORM, set={"actions": actions})
    except ScenarioError as error:
        assert str(error)
