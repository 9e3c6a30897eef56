"""Journeys are counted: begun, finished, broken off."""

from __future__ import annotations

from typing import Any

import pytest

import sysim
from tests.theory.simulate import Run, matches, runs, scenario, share

Node = dict[str, Any]
SERVICES: Node = {
    "shop": {"operations": {"look": [{"work": "10ms"}], "buy": [{"fail": "30%"}], "pay": [{"fail": "50%"}]}}
}
JOURNEY: list[Any] = [
    {"call": "shop.look"}, {"think": "1s"}, {"call": "shop.buy", "value": "3 EUR"},
    {"call": "shop.pay", "optional": True},
]  # fmt: skip
LOADS: dict[str, Node] = {
    "open": {"rate": "10/s", "journey": JOURNEY},
    "closed": {"users": 20, "think": {"exponential": "1s"}, "journey": JOURNEY},
}


def journeys(load: Node, engine: str = "compiled", services: Node = SERVICES, duration: float = 60.0) -> dict[str, int]:
    text = scenario(services, {"people": load}, duration)
    stats = sysim.simulate(sysim.loads(text), engine=engine).to_dict()["runs"][0]["windows"]["all"]["loads"]["people"]  # type: ignore[arg-type]
    found: dict[str, int] = stats["journeys"]
    operations = stats["operations"]
    # who has sent the first request has begun, who has failed at one that is not optional has broken off
    assert found["begun"] == operations["shop.look"]["offered"]
    assert found["broken_off"] == operations["shop.buy"]["offered"] - operations["shop.buy"]["ok"]
    return found


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_both_engines_count_the_same(load: Node) -> None:
    found = journeys(load)
    assert found == journeys(load, "reference")
    left = found["begun"] - found["finished"] - found["broken_off"]
    assert found["finished"] > 2 * found["broken_off"] * 0.9
    assert 0 < left <= 30  # at the end of the load


def test_three_in_ten_break_off() -> None:
    text = scenario(SERVICES, {"people": LOADS["open"]}, 600, windows={"early": "0s..500s"})
    found = runs(text)

    def broken_off(run: Run) -> float:
        counts = run["windows"]["early"]["loads"]["people"]["journeys"]
        return float(counts["broken_off"] / counts["begun"])

    matches(found, {broken_off: (0.3, 0.02)})
    for run in found:  # nobody of the early ones was left when the load ended
        counts = run["windows"]["early"]["loads"]["people"]["journeys"]
        assert counts["begun"] == counts["finished"] + counts["broken_off"]


def test_who_loses_patience_breaks_off() -> None:
    services = {"shop": {"operations": {"look": [], "buy": [{"work": "2s"}], "pay": []}}}
    load = {**LOADS["open"], "patience": "1s"}
    found = journeys(load, services=services)
    assert found["finished"] == 0 and found["broken_off"] > 500


def test_only_loads_with_a_journey_have_them() -> None:
    text = scenario(SERVICES, {"people": {"users": 2, "think": "1s", "call": "shop.look"}}, 10.0)
    stats = sysim.simulate(sysim.loads(text)).to_dict()["runs"][0]["windows"]["all"]["loads"]["people"]
    assert "journeys" not in stats and share("ok", "people") is not None
