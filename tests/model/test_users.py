"""How many users there are over time: the law of k6, and what becomes of it when it is cut, scaled and averaged."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from pydantic import ValidationError

import sysim
from sysim.model import ClosedLoad, UserStage, UserStages, UserStep, UserSteps, peak_users
from sysim.model.demand import offered_rates
from sysim.model.stretch import stretch
from sysim.model.users import (
    MOST_CHANGES,
    Users,
    changes,
    mean_users,
    times_between,
    times_users,
    users_from,
)

S = 1_000_000_000


def stages(start: int, *parts: tuple[int, int]) -> UserStages:
    return UserStages(start=start, stages=tuple(UserStage(duration=length, to=to) for length, to in parts))


def steps(*parts: tuple[int, int]) -> UserSteps:
    return UserSteps(steps=tuple(UserStep(at=at, users=users) for at, users in parts))


def at(users: Users, instant: int) -> int:
    return [count for begins, count in changes(users) if begins <= instant][-1]


def test_users_come_when_the_line_has_risen_by_one_and_leave_when_it_has_fallen_by_one() -> None:
    """The example in k6's own source: from 0 to 10 in ten seconds and back."""
    ramp = stages(0, (10 * S, 10), (10 * S, 0))
    assert changes(ramp) == [(n * S, n) for n in range(11)] + [((10 + n) * S, 10 - n) for n in range(1, 11)]


def test_jumps_and_what_comes_at_one_instant() -> None:
    assert changes(5) == [(0, 5)]
    assert changes(stages(3, (0, 7), (S, 7), (0, 0), (0, 2))) == [(0, 7), (S, 2)]
    assert changes(stages(4, (S, 4))) == [(0, 4)]
    assert changes(stages(0, (2, 8))) == [(0, 0), (1, 4), (2, 8)]  # more than one in a ns
    assert changes(steps((S, 4), (2 * S, 4), (3 * S, 0))) == [(0, 0), (S, 4), (3 * S, 0)]
    assert changes(steps((0, 4))) == [(0, 4)]


@pytest.mark.parametrize("seed", range(30))
def test_the_law_against_the_line_itself(seed: int) -> None:
    """At every ns of random stages: rising, the whole part of the line; falling, the next whole number above it."""
    rng = random.Random(seed)
    start = rng.randint(0, 5)
    parts = [(rng.choice((0, 1, 3, 17, 40)), rng.randint(0, 9)) for _ in range(6)]
    ramp = stages(start, *parts)
    begins, before = 0, start
    for length, to in parts:
        for ns in range(1, length):
            line = before + Fraction((to - before) * ns, length)
            expected = line.numerator // line.denominator if to > before else -(-line.numerator // line.denominator)
            assert at(ramp, begins + ns) == expected, (seed, begins + ns)
        begins, before = begins + length, to
    assert at(ramp, begins) == before
    assert at(ramp, 10 * begins) == before


def test_means_and_peaks() -> None:
    ramp = stages(0, (10 * S, 10), (10 * S, 10), (10 * S, 0))
    assert mean_users(ramp, 0, 30 * S) == pytest.approx((45 + 100 + 55) / 30)
    assert mean_users(ramp, 10 * S, 20 * S) == 10
    assert mean_users(ramp, 40 * S, 50 * S) == 0
    assert mean_users(7, 3 * S, 5 * S) == 7
    assert (peak_users(ramp), peak_users(ramp, 0, 5 * S), peak_users(ramp, 40 * S, 50 * S)) == (10, 4, 0)


@pytest.mark.parametrize("cut", [0, 1, 3 * S, 3 * S + 1, 12 * S, 20 * S, 25 * S + 7, 30 * S, 99 * S])
def test_a_part_has_the_users_of_the_whole_to_the_ns(cut: int) -> None:
    whole = stages(2, (10 * S, 12), (10 * S, 12), (9 * S, 5), (0, 0), (10 * S, 3))
    part = users_from(whole, cut, cut + 60 * S)
    edges = {begins + more for begins, _ in changes(whole) for more in (-1, 0, 1)}
    for instant in {cut, cut + S // 3, *(edge for edge in edges if edge >= cut)}:
        assert at(part, instant - cut) == at(whole, instant), instant
    assert users_from(9, cut, cut + S) == 9


def test_a_stretch_of_a_scenario_has_its_users() -> None:
    text = """
sysim: 1
time: {duration: 100s}
services: {s: {operations: {o: [{work: 1ms}]}}}
load:
  staff: {call: s.o, users: {stages: [{for: 40s, to: 20}, {for: 40s, to: 0}]}, think: 1s}
"""
    whole = sysim.loads(text).model
    assert offered_rates(whole)["s.o"] == pytest.approx((sum(range(20)) + sum(range(1, 21))) * 2 / 100)
    part = stretch(whole, 40 * S, 60 * S, 10 * S)
    load = part.load["staff"]
    assert isinstance(load, ClosedLoad)
    assert changes(load.users)[:3] == [(0, 15), (2 * S, 16), (4 * S, 17)]
    assert at(load.users, 10 * S) == 20
    empty = stretch(whole, 85 * S, 95 * S, 0)
    assert sysim.simulate(empty).run.window().loads["staff"].offered == 0


def test_more_and_fewer_users() -> None:
    ramp = stages(0, (10 * S, 10), (10 * S, 1))
    assert times_users(ramp, 0.5) == stages(0, (10 * S, 5), (10 * S, 1))
    assert times_users(steps((S, 4), (2 * S, 0)), 3) == steps((S, 12), (2 * S, 0))
    assert times_users(4, 0.01) == 1
    assert changes(times_between(ramp, 0, 5 * S, 7 * S))[4:8] == [(4 * S, 4), (5 * S, 0), (7 * S, 7), (8 * S, 8)]
    assert changes(times_between(6, 2, 5 * S, None)) == [(0, 6), (5 * S, 12)]
    assert times_between(6, 1.5, 0, None) == 9


def test_what_a_profile_cannot_be() -> None:
    with pytest.raises(ValidationError, match="out of order"):
        steps((S, 1), (S, 2))
    with pytest.raises(ValidationError, match="come or go 2,000,000 times"):
        stages(0, (S, MOST_CHANGES), (S, 0))
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ClosedLoad.model_validate({"users": 0, "call": "a.b"})
    with pytest.raises(ValidationError, match="found -1, expected a whole number"):
        stages(0, (S, -1))
    profile = ClosedLoad.model_validate(
        {"users": {"kind": "stages", "stages": [{"duration": 5, "to": 2}]}, "call": "a.b"}
    )
    assert ClosedLoad.model_validate(profile.model_dump()) == profile
