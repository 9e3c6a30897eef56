"""The books of generated scenarios: no request, call, attempt or visit is lost or counted twice."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import yaml

from sysim.engine.compiled.run import simulate
from sysim.plan.lower import lower
from sysim.record import record
from sysim.scenario_file import loads
from tests.accounting.books import Books
from tests.agreement.generate import scenario


def books(text: str, seed: int, traces: int = 0) -> Books:
    plan = lower(loads(text).scenario)
    return Books(plan, simulate(plan, seed=seed, traces=traces))


@pytest.mark.parametrize("ten", range(15))
def test_the_books_balance(ten: int) -> None:
    for number in range(20_000 + 10 * ten, 20_010 + 10 * ten):
        try:
            books(scenario(random.Random(number)), number).check()
        except AssertionError as error:
            raise AssertionError(f"scenario {number}: {error}") from error


def with_an_end(number: int) -> str:
    """A generated scenario whose loads stop early, so that all that enters has left before `duration`."""
    node: dict[str, Any] = yaml.safe_load(scenario(random.Random(number)))
    duration = int(node["time"]["duration"].removesuffix("ms"))
    node["time"] |= {"duration": f"{10 * duration}ms", "bucket": "50ms"}
    node.get("windows", {}).clear()
    name, load = next(iter(node["load"].items()))  # one load, so that no two requests share their instant
    for key in ("users", "think"):
        load.pop(key, None)
    rate = load["rate"] if isinstance(load.get("rate"), str) else "500/s"
    load["rate"] = {"steps": [{"at": "0ms", "rate": rate}, {"at": f"{duration}ms", "rate": "0/s"}]}
    load["arrivals"] = "poisson"
    gone = set(node["load"]) - {name}
    node["load"] = {name: load}
    node["faults"] = [
        fault | ({"for": "1ms"} if "for" not in fault and "restart_after" not in str(fault) else {})
        for fault in node.get("faults", [])
        if not gone & set(re.findall(r"\w+", str(fault["on"])))
    ]
    others = re.compile("|".join(rf"\b{other}\b" for other in sorted(gone)) or r"(?!)")
    node["actions"] = [action for action in node.get("actions", []) if not others.search(str(action))]
    node["slos"] = {key: slo for key, slo in node.get("slos", {}).items() if slo["load"] == name}
    alerts = [action.get("when", {}).get("alert") for action in node["actions"]]
    node["actions"] = [
        action for action, alert in zip(node["actions"], alerts, strict=True) if alert is None or alert in node["slos"]
    ]
    used = str(node["load"]) + str(node["services"])
    node["actions"] = [
        action for action in node["actions"] if all(name in used for name in re.findall(r"\bp\d\b", str(action)))
    ]
    return yaml.safe_dump(node, sort_keys=False)


def test_littles_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly, in ns: the integral of the number in system is the sum of the times spent there."""
    # One request is traced in each of so many spans of time: enough for all. None of them makes 256 rows.
    monkeypatch.setattr(record, "SPANS_PER_TRACE", 1)
    services = runs = 0
    for number in range(21_000, 21_040):
        book = books(with_an_end(number), number, traces=400_000)
        book.check()
        if book.drained and book.all_traced:
            services += book.check_little()
            runs += 1
    assert runs >= 20 and services >= 35, (runs, services)
