"""Closed systems: users who think, ask and wait."""

from __future__ import annotations

import pytest

from tests.theory.formulas import mean_value_analysis, repairman
from tests.theory.simulate import Node, exponential, matches, runs, scenario, seconds, serves


@pytest.mark.parametrize(
    ("users", "think", "c", "throughput", "response"),
    [
        (10, 9, 1, 0.832036774, 3.01869955),
        (20, 10, 1, 0.99813095, 10.037451),
        (50, 10, 4, 3.88498233, 2.87007141),
    ],
)
def test_machine_repairman(users: int, think: float, c: int, throughput: float, response: float) -> None:
    assert repairman(users, think, 1, c) == pytest.approx((throughput, response), rel=1e-7)
    services = {"q": serves(exponential(1), concurrency=c)}
    load = {"staff": {"users": users, "think": exponential(think), "call": "q.serve"}}
    matches(runs(scenario(services, load, 8_500 if c == 1 else 11_000, 500)), {
        "loads.staff.offered_per_s": (throughput, 0.015),
        "loads.staff.latency_s.mean": (response, 0.015),
        "services.q.utilisation": (throughput / c, 0.015),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("users", "throughput", "response"),
    [
        (1, 0.947867299, 0.055),
        (10, 9.35558149, 0.0688806475),
        (20, 18.2562163, 0.0955172551),
        (50, 33.1571165, 0.507971901),
        (100, 33.3333333, 2.0),
    ],
)
@pytest.mark.parametrize("form", ["call", pytest.param("journey", marks=pytest.mark.long)])
def test_mean_value_analysis(users: int, throughput: float, response: float, form: str) -> None:
    """Three single servers in a row, demands of 5, 30 and 20 ms, think time 1 s."""
    demands = [0.005, 0.030, 0.020]
    exact = mean_value_analysis(users, 1.0, demands)
    assert exact == pytest.approx((throughput, response), rel=1e-5)
    services: Node = {f"q{k}": serves(exponential(demand), concurrency=1) for k, demand in enumerate(demands)}
    services["gate"] = {"operations": {"pass": [{"call": name} for name in services]}}
    horizon = (8_000 if users < 50 else 16_000) / throughput + 20
    if form == "call":
        load: Node = {"users": users, "think": exponential(1), "call": "gate.pass"}
    else:
        load = {"users": users, "journey": [{"think": exponential(1)}, {"call": "gate.pass"}]}
    matches(runs(scenario(services, {"users": load}, horizon + 50, 50)), {
        "loads.users.offered_per_s": (throughput, 0.015),
        "loads.users.latency_s.mean": (response, 0.015),
    })  # fmt: skip


def test_a_closed_load_does_not_pile_up() -> None:
    """When the server stops, an open load goes on coming; the users of a closed one all wait."""
    services = {"q": serves(exponential(0.1), concurrency=1)}
    faults = [{"at": "100s", "for": "100s", "on": "q", "pause": True}]
    closed = {"users": {"users": 20, "think": exponential(4), "call": "q.serve"}}
    opened = {"users": {"call": "q.serve", "rate": "5/s"}}
    peaks = []
    for load in (closed, opened):
        [run] = runs(scenario(services, load, 400, faults=faults), replications=1)
        peaks.append(run["windows"]["all"]["services"]["q"]["in_system_max"])
    assert peaks[0] == 20
    assert 420 < peaks[1] < 600


def test_the_interactive_response_time_law() -> None:
    """N = X (R + Z) on the same run, whatever the distributions."""
    services = {"q": serves({"lognormal": {"mean": "1s", "cv": 2}}, concurrency=2)}
    load = {"staff": {"users": 30, "think": {"uniform": ["5s", "15s"]}, "call": "q.serve"}}
    for run in runs(scenario(services, load, 20_000, 500), replications=3):
        staff = run["windows"]["all"]["loads"]["staff"]
        cycle = staff["latency_s"]["mean"] + 10
        assert staff["offered_per_s"] * cycle == pytest.approx(30, rel=0.01)
    assert seconds(1) == "1.000000000s"
