"""More or less load, throughout or from an instant on."""

from __future__ import annotations

import pytest

import sysim
from sysim.model import ClosedLoad, OpenLoad, Scenario
from sysim.model.demand import mean_rate
from sysim.model.scaling import CannotScale, scaled
from sysim.model.users import changes
from sysim.plan.passes.rates import rates

NS = 1_000_000_000
RATES = {
    "constant": "100/s",
    "steps": "{steps: [{at: 10s, rate: 50/s}, {at: 40s, rate: 200/s}]}",
    "stages": "{from: 10/s, stages: [{for: 20s, to: 100/s}, {for: 10s, to: 100/s}, {for: 0s, to: 40/s}, "
    "{for: 30s, to: 70/s}]}",
}


def scenario(rate: str) -> Scenario:
    """One open load at this rate."""
    return sysim.loads(
        "sysim: 1\ntime: {duration: 100s}\nservices: {s: {operations: {o: [{work: 1ms}]}}}\n"
        f"load: {{web: {{call: s.o, rate: {rate}}}}}"
    ).model


def mean(model: Scenario, start: float, end: float) -> float:
    """The mean rate of the load between two instants (s)."""
    load = model.load["web"]
    assert isinstance(load, OpenLoad)
    return mean_rate(load.rate, round(start * NS), round(end * NS))


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize(("start", "end"), [(0, None), (25, None), (25, 35), (20, 45), (30, 80), (70, 90)])
def test_only_the_span_is_scaled(rate: str, start: int, end: int | None) -> None:
    before = scenario(rate)
    after = scaled(before, 0.4, start * NS, None if end is None else end * NS)
    for second in range(100):
        inside = second >= start and (end is None or second < end)
        expected = mean(before, second, second + 1) * (0.4 if inside else 1.0)
        assert mean(after, second, second + 1) == pytest.approx(expected), second
    load = after.load["web"]
    assert isinstance(load, OpenLoad)
    assert len(rates(load, 100 * NS)) >= 1  # the engines' own table can be made of it


@pytest.mark.parametrize("rate", [*RATES.values(), "{sine: {mean: 8/s, amplitude: 50%, period: 10s}}"])
def test_the_whole_run(rate: str) -> None:
    before = scenario(rate)
    assert mean(scaled(before, 2.5), 0, 97) == pytest.approx(2.5 * mean(before, 0, 97))
    assert scaled(before, 1.0) is before


def test_only_the_loads_that_are_named() -> None:
    before = scenario("100/s")
    assert scaled(before, 0.5, loads=("other",)).load == before.load


def test_a_sine_cannot_change_during_a_run_users_can() -> None:
    text = (
        "sysim: 1\ntime: {duration: 10s}\nservices: {s: {operations: {o: [{work: 1ms}]}}}\n"
        "load: {staff: {call: s.o, users: 7, think: 1s}}"
    )
    closed = sysim.loads(text).model
    assert scaled(closed, 0.5).load["staff"].model_dump()["users"] == 4
    assert scaled(closed, 0.01).load["staff"].model_dump()["users"] == 1
    between = scaled(closed, 0.5, 2 * NS, 5 * NS).load["staff"]
    assert isinstance(between, ClosedLoad)
    assert changes(between.users) == [(0, 7), (2 * NS, 4), (5 * NS, 7)]
    nobody = scaled(closed, 0.0, NS).load["staff"]
    assert isinstance(nobody, ClosedLoad)
    assert changes(nobody.users) == [(0, 7), (NS, 0)]
    with pytest.raises(CannotScale, match="stages"):
        scaled(scenario("{sine: {mean: 8/s, amplitude: 50%, period: 10s}}"), 0.5, NS)
