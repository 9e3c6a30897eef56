"""One scenario a feature, with enough traffic that the feature shows: the books balance, and both engines agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan.lower import lower
from sysim.plan.tables import OUTCOMES
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_HEDGES,
    CC_OUT,
    CC_RETRIES,
    CC_SENT,
    CC_TRY,
    LC_OFFERED,
    LC_OUT,
    SC_ARRIVALS,
    SC_OUT,
)
from sysim.scenario_file import loads
from tests.accounting.books import Books

Node = dict[str, Any]
BASE = """
sysim: 1
name: focused
time: {duration: 600ms, bucket: 50ms}
windows: {before: ..200ms, during: 200ms..400ms, after: 400ms..}
services:
  front:
    replicas: 2
    concurrency: 6
    operations:
      page: [{work: {exponential: 2ms}}, {call: back.get, policy: wary}]
  back:
    replicas: 3
    concurrency: 2
    queue: {capacity: 8}
    when_cancelled: drop_queued
    startup: 5ms
    operations:
      get: [{work: {exponential: 4ms}}]
policies:
  wary: {timeout: 25ms, cancel: true, retry: {max_attempts: 3, backoff: {initial: 2ms, jitter: full}},
         network: {latency: {uniform: [0ms, 1ms]}}}
load:
  web:
    rate: {steps: [{at: 0s, rate: 700/s}, {at: 450ms, rate: 0/s}]}
    call: front.page
    policy: {timeout: 80ms, retry: {max_attempts: 2}}
"""


def run(node: Node, seed: int = 3) -> Books:
    """The books of the compiled engine, checked; the reference engine has kept the same ones."""
    plan = lower(loads(yaml.safe_dump(node, sort_keys=False)).scenario)
    record = compiled(plan, seed=seed)
    again = reference(plan, seed=seed, strict=True)
    assert (record.n_events, record.digest, record.end) == (again.n_events, again.digest, again.end)
    for table in ("load_cells", "call_cells", "service_cells", "service_moments", "load_moments", "load_hist"):
        assert np.array_equal(getattr(record, table), getattr(again, table)), table
    books = Books(plan, record)
    books.check()
    return books


def base(**changes: Any) -> Node:
    """The base, with whole sections replaced."""
    node: Node = yaml.safe_load(BASE)
    return node | changes


def outcomes(books: Books, call: str, first: int = CC_TRY) -> dict[str, int]:
    """Outcomes of the attempts (or calls) with a label."""
    some = [row for row, label in enumerate(books.plan.names.stats) if label == call]
    counts = books.calls[:, some, first : first + len(OUTCOMES)].sum(axis=(0, 1))
    return {name: int(n) for name, n in zip(OUTCOMES, counts, strict=True) if n}


def total(books: Books, call: str, column: int) -> int:
    some = [row for row, label in enumerate(books.plan.names.stats) if label == call]
    return int(books.calls[:, some, column].sum())


AT = {"at": "200ms", "for": "150ms"}
FAULTS: dict[str, tuple[Node, str]] = {
    "pause": ({"on": "back", "pause": True}, "timeout"),
    "slowdown": ({"on": "back", "slowdown": 6}, "timeout"),
    "slowdown_of_one": ({"on": "back", "slowdown": 8, "replicas": 1}, "timeout"),
    "capacity": ({"on": "back", "capacity": "15%"}, "timeout"),
    "latency": ({"on": "front -> back", "latency": {"uniform": ["10ms", "40ms"]}}, "timeout"),
    "error": ({"on": "back.get", "error": "60%"}, "error"),
    "error_after_work": ({"on": "back", "error": "60%", "after_work": True}, "error"),
    "crash": ({"on": "back", "crash": True}, "unreachable"),
    "crash_for_good": ({"on": "back", "crash": {"replicas": 2}, "for": None}, "lost"),
    "crash_with_restart": ({"on": "back", "crash": {"replicas": "50%", "restart_after": "30ms"}}, "lost"),
    "blackhole": ({"on": "front -> back", "blackhole": True}, "timeout"),
    "refuse": ({"on": "back", "refuse": True, "replicas": 2}, "unreachable"),
    "reset": ({"on": "back", "reset": True}, "unreachable"),
    "loss": ({"on": "front -> back", "loss": "30%"}, "timeout"),
    "recurring_pause": ({"on": "back", "pause": True, "every": {"exponential": "50ms"}, "for": "30ms"}, "timeout"),
    "recurring_crash": ({"on": "back", "crash": True, "every": "60ms", "for": "10ms", "each": "replica"}, "lost"),
    "recurring_reset": ({"on": "back", "reset": True, "every": {"exponential": "20ms"}, "for": "0ms"}, "unreachable"),
    "each_slowdown": ({"on": "back", "slowdown": 9, "every": "70ms", "for": "40ms", "each": "replica"}, "timeout"),
    "each_error": ({"on": "back", "error": "100%", "every": "40ms", "for": "20ms", "each": "replica"}, "error"),
    "of_the_caller": ({"on": "front", "crash": {"replicas": 1}}, "lost"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_faults(kind: str) -> None:
    fault, outcome = FAULTS[kind]
    whole = {key: value for key, value in (AT | fault).items() if value is not None}
    if "every" in whole:
        del whole["at"]
    quiet = run(base())
    books = run(base(faults=[whole]))
    assert books.record.digest != quiet.record.digest
    found = outcomes(books, "front -> back.get")
    if not found:
        found = outcomes(books, next(label for label in books.plan.names.stats if label.startswith("front")))
    before = outcomes(quiet, next(label for label in quiet.plan.names.stats if label.startswith("front")))
    assert found.get(outcome, 0) > before.get(outcome, 0), (found, before)
    # Without losses all that was sent arrives, or finds its replica down.
    sent = int(books.calls[:, :, CC_SENT].sum())
    arrived = int(books.services[:, :, SC_ARRIVALS].sum())
    if fault.keys() & {"loss", "blackhole"}:
        assert arrived < sent
    elif "crash" not in fault and books.drained:
        assert arrived == sent


WORK = {"work": {"exponential": "4ms"}}


def front(*steps: Node, **keys: Any) -> Node:
    services: Node = base()["services"]
    services["front"] |= {"operations": {"page": list(steps)}, **keys}
    return services


def policies(**parts: Any) -> Node:
    found: Node = base()["policies"]
    found["wary"] |= parts
    return found


CALL = {"call": "back.get", "policy": "wary"}
TO_THE_END = {"web": {"rate": "700/s", "call": "front.page"}}
FEATURES: dict[str, tuple[Node, str]] = {
    "closed": ({"load": {"web": {"users": 30, "think": {"exponential": "5ms"}, "call": "front.page"}}}, ""),
    "closed_journey": (
        {"load": {"web": {"users": 20, "think": "3ms", "journey": [
            {"call": "front.page"}, {"think": {"exponential": "4ms"}}, {"call": "back.get", "optional": True}]}}}, ""),
    "open_journey": (
        {"load": {"web": {"rate": "300/s", "journey": [
            {"call": "front.page"}, {"think": "20ms"}, {"repeat": {"times": 2, "steps": [{"call": "back.get"}]}}]}}},
        ""),
    "batches": (
        {"load": {"web": {"rate": "700/s", "arrivals": {"batch": {"size": {"geometric": 5}}}, "call": "front.page"}}},
        ""),
    "mix_and_clients": (
        {"load": {"web": {"rate": "700/s", "clients": 3, "mix": {"front.page": "70%", "back.get": "30%"},
                          "policy": {"deadline": "9ms", "cancel": True}},
                  "two": {"rate": "100/s", "arrivals": "evenly", "call": "front.page"}}}, ""),
    "publish": ({"services": front(WORK, {"publish": "back.get", "policy": "wary"})}, ""),
    "publish_not_drained": (
        {"services": front({"publish": "back.get", "policy": "wary"}), "time": {"duration": "600ms", "drain": False},
         "load": TO_THE_END}, "in_flight"),
    "hedge": ({"policies": policies(hedge={"delay": "3ms", "max_attempts": 3})}, ""),
    "hedge_cancels": (
        {"policies": policies(hedge={"delay": "3ms", "cancel_losers": True}, timeout="60ms")}, "cancelled"),
    "fallback": ({"policies": policies(timeout="6ms", fallback={"latency": "1ms"})}, "timeout"),
    "fallback_steps": (
        {"services": base()["services"] | {"stale": {"concurrency": 2, "operations": {"get": [{"work": "3ms"}]}}},
         "policies": policies(timeout="6ms", fallback={"steps": [
             {"call": "stale.get", "policy": {"timeout": "5ms", "fallback": {"latency": "2ms"}}}]})}, "timeout"),
    "parallel": ({"services": front({"parallel": [CALL, [WORK, CALL], {"fail": "20%"}]})}, ""),
    "optional_parallel": ({"services": front({"parallel": [CALL, [CALL, {"fail": "30%"}]], "optional": True})}, ""),
    "async": ({"services": front(WORK, CALL, WORK, threading="async", concurrency=2)}, ""),
    "shared_queue": (
        {"services": front(WORK, CALL, queue={"shared": True, "capacity": 6, "max_wait": "5ms"}, concurrency=1,
                           replicas=3),
         "faults": [{"on": "front", "every": "50ms", "for": "10ms", "crash": {"replicas": 2}}]}, ""),
    "cores": (
        {"services": front(WORK, CALL, cores=1.5, slowdown={"per_concurrent": "10%"}),
         "faults": [{"on": "front", "at": "100ms", "for": "50ms", "capacity": "50%"}]}, ""),
    "admission": ({"services": front(WORK, CALL, admission={"max_in_progress": 4})}, ""),
    "stop": (
        {"services": front({"parallel": [CALL, [WORK, CALL]]}, when_cancelled="stop"),
         "load": {"web": {"rate": "900/s", "call": "front.page", "policy": {"timeout": "8ms", "cancel": True}}}},
        "cancelled"),
    "propagated_deadline": (
        {"load": {"web": {"rate": "900/s", "call": "front.page",
                          "policy": {"deadline": {"after": "12ms", "propagate": True}}}}}, "deadline"),
    "breaker": (
        {"policies": policies(circuit_breaker={"window": {"calls": 20}, "minimum_calls": 10, "failure_rate": "30%",
                                               "open_for": "20ms", "half_open_calls": 3}),
         "faults": [AT | {"on": "back", "error": "80%"}]}, "circuit_open"),
    "bulkhead": ({"policies": policies(bulkhead={"max_concurrent": 2, "max_wait": "2ms"})}, "bulkhead_full"),
    "rate_limit": ({"policies": policies(rate_limit={"rate": "200/s", "burst": 5})}, "rate_limited"),
    "budget": (
        {"policies": policies(timeout="5ms", retry={"max_attempts": 5, "budget": {"ratio": 0.1, "window": "100ms"}})},
        "timeout"),
    "lossy_network": ({"policies": policies(network={"loss": "20%", "latency": "1ms"})}, "timeout"),
    "drain_5ms": (
        {"load": TO_THE_END, "time": {"duration": "600ms", "warmup": "120ms", "bucket": "70ms", "drain": "5ms"},
         "faults": [{"on": "back", "at": "500ms", "pause": True}]}, "in_flight"),
    "no_drain": ({"load": TO_THE_END, "time": {"duration": "600ms", "drain": False}}, "in_flight"),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_features(feature: str) -> None:
    changes, outcome = FEATURES[feature]
    books = run(base(**changes))
    label = next(label for label in books.plan.names.stats if label.startswith("front"))
    found = outcomes(books, label)
    assert books.loads[:, :, LC_OFFERED].sum() > 50 and found.get("ok", 0) > 20, found
    assert not outcome or outcome in found, found
    if "hedge" in feature:
        assert total(books, label, CC_HEDGES) > 20
    if feature.startswith("fallback"):
        assert outcomes(books, label, CC_OUT).keys() <= {"ok", "degraded"}
        assert "degraded" in outcomes(books, label, CC_OUT)
    if feature == "open_journey":
        # a call of the journey each: front once, back twice, unless the journey failed or the load was over
        assert books.loads[:, :, LC_OFFERED].sum() == total_of_load(books)
    assert total(books, label, CC_ATTEMPTS) >= total(books, label, CC_SENT)
    if "loss" not in feature and "faults" not in changes and books.drained:
        assert int(books.calls[:, :, CC_SENT].sum()) == int(books.services[:, :, SC_ARRIVALS].sum())


def total_of_load(books: Books) -> int:
    """Outcomes of requests of all loads."""
    return int(books.loads[:, :, LC_OUT : LC_OUT + len(OUTCOMES)].sum())


def test_the_services_view_is_the_callers_view() -> None:
    """With nothing given up, lost or refused, both sides count the same outcomes."""
    node = base()
    node["policies"] = {"wary": {"network": {"latency": "1ms"}}}
    node["load"]["web"].pop("policy")
    books = run(node)
    label = next(label for label in books.plan.names.stats if label.startswith("front"))
    counts = books.services[:, list(books.plan.names.services).index("back"), SC_OUT : SC_OUT + len(OUTCOMES)]
    visits = {name: int(n) for name, n in zip(OUTCOMES, counts.sum(axis=0), strict=True) if n}
    assert visits == outcomes(books, label) == outcomes(books, label, CC_OUT)


LEVERS: dict[str, tuple[Node, str, bool]] = {
    "shed": ({"shed": {"load": "web", "share": "70%"}}, "shed", True),
    "clear_queue": ({"clear_queue": "back"}, "shed", False),
    "restart": ({"restart": {"service": "back", "replicas": 2}}, "lost", False),
    "breaker_forced_open": ({"set": {"policies.wary.circuit_breaker": "open"}}, "circuit_open", False),
    "rate_limit": ({"set": {"policies.limited.rate_limit.rate": "20/s"}}, "rate_limited", True),
    "short_timeout": ({"set": {"policies.wary.timeout": "1ms"}}, "timeout", False),
}


@pytest.mark.parametrize("name", LEVERS)
def test_each_lever_shows_and_the_books_balance(name: str) -> None:
    lever, outcome, at_the_load = LEVERS[name]
    busy = {"on": "back", "slowdown": 6, "at": "200ms", "for": "150ms"}
    node = base(actions=[{"at": "250ms", **lever}], faults=[busy])
    node["policies"]["limited"] = {"timeout": "80ms", "rate_limit": {"rate": "10k/s", "burst": 5}}
    node["load"]["web"]["policy"] = "limited"
    call = "web -> front.page" if at_the_load else "front.page -> back.get"
    first = CC_OUT if at_the_load else CC_TRY
    with_lever = outcomes(run(node), call, first).get(outcome, 0)
    without = outcomes(run(node | {"actions": []}), call, first).get(outcome, 0)
    assert with_lever > without


def test_retries_are_switched_off_at_a_condition() -> None:
    node = base(faults=[{"on": "back", "pause": True, "at": "200ms", "for": "150ms"}])
    when = {"metric": "queue(back) >= 8", "every": "10ms"}
    lever = {"when": when, "set": {"policies.wary.retry.max_attempts": 1}}
    with_lever = run(node | {"actions": [lever]})
    call = "front.page -> back.get"
    assert total(with_lever, call, CC_RETRIES) < 0.7 * total(run(node), call, CC_RETRIES)
