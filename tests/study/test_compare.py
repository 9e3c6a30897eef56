"""`sysim.compare`, and the pure functions under it."""

from __future__ import annotations

import pytest

import sysim
from sysim.analysis.compare import Change, Side, changes, compare
from tests.study.files import STALL


def _scenario(variant: str = "baseline") -> sysim.Scenario:
    return sysim.loads(STALL, variant=variant)


def test_scenarios_are_compared_in_pairs() -> None:
    found = sysim.compare(_scenario(), _scenario("slow"), replications=4, engine="reference")
    assert found.paired and found.pairs == 4 and (found.a.name, found.b.name) == ("stall@baseline", "stall@slow")
    assert found.changes == (Change("services.api.operations.get.0.work.exponential", "6ms", "9ms"),)
    (p50,) = [d for d in found.differences if (d.window, d.subject, d.metric) == ("all", "web", "p50")]
    a, b = (sysim.simulate(_scenario(v), replications=4, engine="reference") for v in ("baseline", "slow"))
    mine = [y - x for x, y in zip(a.metric("p50", "web"), b.metric("p50", "web"), strict=True)]  # type: ignore[operator]
    assert p50.difference is not None and p50.difference.mean == pytest.approx(sum(mine) / 4) and p50.real
    assert {d.metric for d in found.differences if d.kind == "loads"} >= {"success", "recovery", "value_lost"}
    facts = found.to_dict()
    assert facts["correction"] == "holm" and len(facts["differences"]) == len(found.differences)


def test_the_same_twice_differs_in_nothing() -> None:
    found = sysim.compare(_scenario(), _scenario(), replications=3, engine="reference")
    assert found.changes == () and not any(d.real for d in found.differences)


def test_results_with_other_random_numbers_are_independent_samples() -> None:
    a, b = (sysim.simulate(_scenario(), replications=4, seed=seed, engine="reference") for seed in (1, 2))
    found = sysim.compare(a, b)
    assert not found.paired and found.pairs == 0 and found.changes is None
    assert not any(d.real for d in found.differences)


def test_a_result_and_a_scenario() -> None:
    result = sysim.simulate(_scenario(), replications=2, engine="reference")
    found = sysim.compare(result, _scenario("slow"), replications=2, engine="reference")
    assert found.paired and found.changes is None and found.a.digest != found.b.digest


def test_single_runs_are_compared_but_nothing_is_claimed() -> None:
    found = sysim.compare(_scenario(), _scenario("slow"), replications=1, engine="reference")
    assert found.pairs == 1
    assert all(d.difference is None or d.difference.half_width is None for d in found.differences)


def test_many_numbers_are_corrected_for() -> None:
    """Fifty numbers without any difference: by themselves two or three would seem to differ."""
    import random

    source = random.Random(4)

    def runs(n: int) -> list[dict[str, object]]:
        loads = [{f"x{k}": {"success": source.gauss(0.5, 0.1)} for k in range(50)} for _ in range(n)]
        windows = [{"all": {"loads": some, "services": {}, "calls": {}}} for some in loads]
        return [{"seed": 1, "replication": k, "windows": w} for k, w in enumerate(windows)]

    found = compare(Side("a", runs(10)), Side("b", runs(10)))
    tested = [d for d in found.differences if d.difference is not None]
    assert len(tested) == 50 and sum(d.difference.differs for d in tested if d.difference) >= 1
    assert not any(d.real for d in tested)


def test_changes_of_scenarios() -> None:
    old = {
        "name": "a", "time": {"duration": "1s"}, "faults": [{"name": "stall", "at": "1s"}, {"at": "2s"}],
        "load": {"x": {"mix": {"web.home": "60%"}}}, "zones": ["a", "b"], "checks": ["p99(x) < 1s"],
    }  # fmt: skip
    new = {
        "name": "b", "time": {"duration": "2s"}, "faults": [{"name": "stall", "at": "3s"}],
        "load": {"x": {"mix": {"web.home": "50%"}}}, "zones": ["a"], "flags": {"on": True},
    }  # fmt: skip
    assert changes(old, new) == [
        Change("time.duration", "1s", "2s"),
        Change("faults.stall.at", "1s", "3s"),
        Change("faults.1.at", "2s", None),
        Change('load.x.mix."web.home"', "60%", "50%"),
        Change("zones", ["a", "b"], ["a"]),
        Change("flags.on", None, True),
    ]
