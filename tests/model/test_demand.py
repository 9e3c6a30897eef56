"""Means, offered rates and utilisation, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from sysim.model import (
    Call,
    Choose,
    ClosedLoad,
    Constant,
    ConstantRate,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    Normal,
    OpenLoad,
    Option,
    Parallel,
    Pareto,
    Percentiles,
    Repeat,
    Scenario,
    Service,
    SineRate,
    StagesRate,
    StepsRate,
    Time,
    Uniform,
    Weibull,
    Work,
)
from sysim.model.demand import mean, mean_rate, offered_rates, peak_rate, utilisation

MS = 1_000_000
S = 1_000 * MS


@pytest.mark.parametrize(
    ("distribution", "ms"),
    [
        (Constant(value="5ms"), 5.0),
        (Exponential(mean="2ms"), 2.0),
        (Exponential(mean="2ms", max="2ms"), 2.0 * (1 - math.exp(-1))),
        (Uniform(low="1ms", high="3ms"), 2.0),
        (Uniform(low="0s", high="4ms", max="2ms"), 1.5),
        (Normal(mean="10ms", sd="1ms"), 10.0),
        (Normal(mean="0s", sd="1ms"), math.sqrt(2 / math.pi)),
        (Lognormal(mean="4ms", cv=2), 4.0),
        (Lognormal(median="4ms", p99="4ms"), 4.0),
        (Gamma(mean="3ms", k=2), 3.0),
        (Weibull(mean="3ms", shape=0.5), 3.0),
        (Pareto(min="1ms", alpha=2), 2.0),
        (Pareto(min="1ms", alpha=2, max="2ms"), 1.5),
        (Pareto(min="1ms", alpha=1, max="2ms"), 1 + math.log(2)),
        (Hyperexponential(parts=[{"weight": 1, "mean": "1ms"}, {"weight": 3, "mean": "5ms"}]), 4.0),
        (Mixture(parts=[{"weight": 1, "of": "1ms"}, {"weight": 1, "of": Exponential(mean="5ms")}]), 3.0),
        (Empirical(values=["1ms", "3ms"]), 2.0),
        (Percentiles(points=[{"share": 0.5, "value": "10ms"}, {"share": 1, "value": "20ms"}]), 10.0),
    ],
)
def test_means(distribution: object, ms: float) -> None:
    assert mean(distribution) == pytest.approx(ms * MS, rel=1e-9)  # type: ignore[arg-type]


def test_a_heavy_tail_has_no_mean() -> None:
    assert mean(Pareto(min="1ms", alpha=1)) == math.inf


def test_rates_over_time() -> None:
    steps = StepsRate(steps=[{"at": "10s", "rate": "4/s"}, {"at": "20s", "rate": "8/s"}])
    assert mean_rate(steps, 0, 40 * S) == pytest.approx((40 + 160) / 40)
    stages = StagesRate(stages=[{"duration": "10s", "to": "10/s"}])
    assert mean_rate(stages, 0, 20 * S) == pytest.approx((50 + 100) / 20)
    assert mean_rate(stages, 5 * S, 10 * S) == pytest.approx(7.5)
    sine = SineRate(mean="8/s", amplitude=0.5, period="100s")
    assert mean_rate(sine, 0, 100 * S) == pytest.approx(8.0)
    assert mean_rate(sine, 0, 50 * S) == pytest.approx(8 * (1 + 0.5 * 2 / math.pi))
    assert mean_rate(ConstantRate(value=3), 0, S) == 3
    assert [peak_rate(p) for p in (steps, stages, sine, ConstantRate(value=3))] == [8, 10, 12, 3]


def test_calls_are_followed_with_their_probabilities() -> None:
    front = [
        Work(duration="1ms"),
        Call(target="db.read", probability=0.5),
        Repeat(times=3, steps=[Call(target="db.read")]),
        Parallel(branches=[[Call(target="cache.get")], [Work(duration="2ms"), Call(target="cache.get")]]),
        Choose(options=[Option(weight=3, steps=[Work(duration="4ms")]), Option(weight=1, steps=[])]),
        Call(target="db.read", flag="off"),
    ]
    scenario = Scenario(
        time=Time(duration="100s"),
        flags={"off": False},
        services={
            "db": Service(concurrency=2, replicas=2, operations={"read": [Work(duration="10ms")]}),
            "web": Service(concurrency=8, cores=4, operations={"page": front}),
            "cache": Service(operations={"get": [Work(duration="1ms")]}),
        },
        load={
            "users": OpenLoad(call="web.page", rate="100/s"),
            "staff": ClosedLoad(users=5, call="web.page"),
        },
    )
    assert offered_rates(scenario) == pytest.approx({"web.page": 100, "db.read": 350, "cache.get": 200})
    busy = utilisation(scenario)
    assert busy["cache"] is None
    assert busy["web"] == pytest.approx(100 * 6e-3 / 4)
    assert busy["db"] == pytest.approx(350 * 10e-3 / 4)
