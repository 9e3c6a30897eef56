"""Scenarios built in code: text forms are accepted, wrong values refused, nothing changes afterwards."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sysim.model import (
    Call,
    CallPolicy,
    CircuitBreaker,
    ClosedLoad,
    Constant,
    Deadline,
    Exponential,
    ExponentialBackoff,
    Fallback,
    Fault,
    Gamma,
    LeastRequest,
    Lognormal,
    OpenLoad,
    PauseFault,
    Percentiles,
    Publish,
    Retry,
    RoundRobin,
    Scenario,
    Service,
    ServiceTarget,
    Think,
    Time,
    Work,
    default_bucket,
)

S = 1_000_000_000


def scenario() -> Scenario:
    return Scenario(
        time=Time(duration="300s"),
        services={
            "api": Service(concurrency=1, operations={"get": [Work(duration=Exponential(mean="2ms"))]})
        },
        load={
            "clients": OpenLoad(
                call="api.get", rate="400/s", policy=CallPolicy(timeout="500ms", retry=Retry(max_attempts=3))
            )
        },
        faults=[
            Fault(name="stall", at="60s", lasts="3s", on=[ServiceTarget(service="api")], effect=PauseFault())
        ],
    )


def test_text_forms_become_numbers() -> None:
    built = scenario()
    load = built.load["clients"]
    assert built.time.duration == 300 * S
    assert load.mix == {"api.get": 1.0}
    assert load.policy is not None and load.policy.timeout == 500_000_000
    assert built.faults[0].lasts == Constant(value=3 * S)
    assert built.services["api"].operations["get"].steps[0] == Work(duration=Exponential(mean=2_000_000))


def test_a_scenario_survives_json() -> None:
    built = scenario()
    assert Scenario.model_validate_json(built.model_dump_json()) == built


def test_models_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError):
        scenario().seed = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Retry(max_attemps=3)  # type: ignore[call-arg]


def test_defaults_are_those_of_the_format() -> None:
    assert Retry().max_attempts == 3 and Retry().backoff is None and Retry().budget is None
    breaker = CircuitBreaker()
    assert (breaker.failure_rate, breaker.minimum_calls, breaker.open_for) == (0.5, 100, 60 * S)
    assert breaker.window.kind == "calls" and breaker.half_open_calls == 10
    assert CallPolicy().balancer == RoundRobin()
    assert CallPolicy(balancer="least_request").balancer == LeastRequest(choices=2)
    assert CallPolicy(deadline="2s").deadline == Deadline(after=2 * S)
    assert ExponentialBackoff(initial="50ms").multiplier == 2.0


@pytest.mark.parametrize(
    ("duration", "bucket"),
    [
        ("300s", S),
        ("60s", 200_000_000),
        ("24h", 300 * S),
        ("1h", 10 * S),
        ("100s", 500_000_000),
        ("1ms", 1_000_000),
    ],
)
def test_the_bucket_follows_the_duration(duration: str, bucket: int) -> None:
    assert Time(duration=duration).bucket == bucket
    assert default_bucket(40_000 * 86_400 * S) == 100 * 86_400 * S


def test_drain_is_endless_none_or_a_span() -> None:
    assert Time(duration="1s").drain is None
    assert Time(duration="1s", drain=True).drain is None
    assert Time(duration="1s", drain=False).drain == 0
    assert Time(duration="1s", drain="5m").drain == 300 * S


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Time(duration="1s", warmup="1s"),
        lambda: Time(duration=0),
        lambda: Service(operations={}),
        lambda: Service(replicas=0, operations={"a": []}),
        lambda: Service(operations={"1a": []}),
        lambda: Call(target="api"),
        lambda: Work(duration="5"),
        lambda: Work(duration=1.5),
        lambda: OpenLoad(rate="1/s"),
        lambda: OpenLoad(rate="1/s", call="a.b", mix={"a.b": 1}),
        lambda: OpenLoad(rate="1/s", mix={"a.b": 0.5}),
        lambda: ClosedLoad(users=0, call="a.b"),
        lambda: Lognormal(mean="1ms"),
        lambda: Lognormal(mean="1ms", cv=1, median="1ms"),
        lambda: Gamma(mean="1ms"),
        lambda: Percentiles(points=[{"share": 0.9, "value": "1ms"}, {"share": 0.5, "value": "2ms"}]),
        lambda: CircuitBreaker(slow_call_rate=0.5),
        lambda: Fault(on=[ServiceTarget(service="a")], effect=PauseFault()),
        lambda: Fault(on=[], at=0, effect=PauseFault()),
        lambda: Fault(on=[ServiceTarget(service="a")], every="1s", effect=PauseFault()),
    ],
)
def test_wrong_values_are_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        wrong()  # type: ignore[operator]


def test_steps_and_policies_contain_one_another() -> None:
    policy = CallPolicy(fallback=Fallback(steps=(Call(target="a.b", policy=CallPolicy(timeout="1s")),)))
    step = Publish(target="a.b", policy=policy)
    assert step.policy is not None and step.policy.fallback is not None
    assert step.policy.fallback.steps[0].kind == "call"
    assert ClosedLoad(users=3, journey=[Call(target="a.b"), Think(duration="1s")]).think == Constant(value=0)


def test_scope_is_the_name_or_else_the_place() -> None:
    assert CallPolicy(name="careful", place="x").scope == "careful"
    assert CallPolicy(place="load.web.policy").scope == "load.web.policy"
    assert CallPolicy().scope is None
