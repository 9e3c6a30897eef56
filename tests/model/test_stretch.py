"""A stretch of a scenario: the same rates at every instant, and of everything else what is still in force."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import sysim
from sysim.model import Constant, ConstantRate, OpenLoad, ReplayRate, Scenario
from sysim.model.calendar import DAY, HOUR, MINUTE, SECOND
from sysim.model.demand import mean_rate, peak_rate
from sysim.model.scaling import scaled
from sysim.model.stretch import stretch, with_noise_of
from sysim.plan.passes.rates import rates
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START

HEAD = """
sysim: 1
time: {start: 2026-02-06T14:56:30, duration: 5d, warmup: 20s}
services:
  s: {replicas: 2, concurrency: 4, operations: {o: [{work: {exponential: 50ms}}]}}
  db: {concurrency: 4, operations: {o: [{work: {exponential: 5ms}}]}}
flags: {extras: true}
"""

RATES = {
    "constant": "10/s",
    "steps": "{steps: [{at: 0s, rate: 3/s}, {at: 6h, rate: 9/s}, {at: 30h, rate: 1/s}, {at: 80h, rate: 0/s}]}",
    "late_steps": "{steps: [{at: 60h, rate: 3/s}]}",
    "stages": "{stages: [{for: 7h, to: 9/s}, {for: 0s, to: 2/s}, {for: 23h, to: 30/s}, {for: 50h, to: 0/s}]}",
    "sine": "{sine: {mean: 10/s, amplitude: 80%, period: 7h, phase: 2h}}",
    "day": "{base: 10/s, daily: {peak_at: 15:00, peak_to_mean: 4}}",
    "hours": f"{{base: 10/s, daily: [{', '.join(str(n + 1) for n in range(24))}]}}",
    "week": "{base: 4/s, weekly: {sat: 2, sun: 0.5}, dates: {2026-02-09: 3}}",
    "bursts": "{base: 4/s, "
    "bursts: [{at: 3h, for: 40m, factor: 5, ramp: 11m, every: 5h}, {at: 50h, for: 9h, factor: 2}]}",
    "noise": "{base: 4/s, noise: {cv: 20%, every: 7m}}",
    "all": "{sine: {mean: 10/s, amplitude: 20%, period: 100m}, daily: {peak_at: 14:00, peak_to_mean: 2}, "
    "weekly: {sat: 2}, bursts: [{at: 1h, for: 20m, factor: 3, ramp: 4m, every: 95m}], noise: {cv: 10%, every: 13m}}",
}  # fmt: skip


def scenario(rate: str = "10/s", more: str = "") -> Scenario:
    return sysim.loads(f"{HEAD}load: {{users: {{call: s.o, rate: {rate}}}}}\n{more}").model


def at(table: Any, instants: Any) -> Any:
    rows = np.searchsorted(table[:, Q_START], instants, side="right") - 1
    return table[rows, Q_RATE] + table[rows, Q_SLOPE] * (instants - table[rows, Q_START])


def integral(table: Any, instants: Any) -> Any:
    rows = np.searchsorted(table[:, Q_START], instants, side="right") - 1
    since = instants - table[rows, Q_START]
    return table[rows, Q_CUMULATED] + since * (table[rows, Q_RATE] + table[rows, Q_SLOPE] * since / 2)


@pytest.mark.parametrize("shape", sorted(RATES))
def test_the_rate_at_every_instant_is_that_of_the_whole(shape: str) -> None:
    whole = with_noise_of(scenario(RATES[shape]), 1234)
    table = rates(whole.load["users"], whole.time.duration, "users")  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    for start, length, warmup in [
        (0, DAY, 0), (30 * SECOND, HOUR, MINUTE), (30 * HOUR, 3 * HOUR, 90 * SECOND), (33 * HOUR, 2 * DAY, 0),
        (50 * HOUR + 12_345_678_901, 5 * HOUR, 7_000_000_001), (83 * HOUR, 9 * HOUR, MINUTE),
        (119 * HOUR, HOUR, 3 * HOUR),
    ]:  # fmt: skip
        part = stretch(whole, start, start + length, warmup)
        cut = start - part.time.warmup
        assert cut == max(0, start - warmup)
        assert part.time.duration == start + length - cut
        own = rates(part.load["users"], part.time.duration, "users")  # type: ignore[arg-type]
        edges = np.concatenate([own[:, Q_START], table[:, Q_START] - cut / SECOND])
        inside = np.concatenate([rng.uniform(0, part.time.duration / SECOND, 2_000), edges])
        inside = inside[(inside >= 0) & (inside < part.time.duration / SECOND)]
        # Next to a corner the two sides may differ by the last digit of the time.
        far = np.min(np.abs(inside[:, None] - edges[None, :]), axis=1) > 1e-6 if len(edges) < 5_000 else inside >= 0
        expected, found = at(table, inside + cut / SECOND), at(own, inside)
        assert found[far] == pytest.approx(expected[far], rel=1e-5, abs=1e-9)
        total = integral(own, np.array([part.time.duration / SECOND]))[0]
        first, last = integral(table, np.array([cut, start + length]) / SECOND)
        assert total == pytest.approx(last - first, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_a_stretch_beyond_a_change_of_the_clock_is_on_that_clock(day: str) -> None:
    parts = (
        f"daily: [{', '.join(str(n + 1) for n in range(24))}], weekly: {{sun: 3}}, growth: 5%, "
        "bursts: [{at: '08:00', for: 2h, factor: 5, ramp: 10m, every: 1d}], noise: {cv: 20%, every: 7m}"
    )
    for zone in ("", "zone: America/New_York, "):
        text = f"{HEAD}load: {{users: {{call: s.o, rate: {{{zone}base: 4/s, {parts}}}}}}}\n"
        zoned = re.sub(r"start: [^,}]+", f"start: {day}T00:00, zone: Europe/London", text)
        whole = with_noise_of(sysim.loads(zoned).model, 7)
        table = rates(whole.load["users"], whole.time.duration, "users")  # type: ignore[arg-type]
        part = stretch(whole, 22 * HOUR, 40 * HOUR, HOUR)
        own = rates(part.load["users"], part.time.duration, "users")  # type: ignore[arg-type]
        instants = np.arange(0.5, 19 * 3_600, 11.0)
        assert at(own, instants) == pytest.approx(at(table, instants + 21 * 3_600), rel=1e-5)
        assert part.time.start == f"{day}T21:00:00"


def test_a_stretch_of_a_stretch_is_a_stretch() -> None:
    whole = scenario(RATES["all"])
    once = stretch(whole, 40 * HOUR, 41 * HOUR, 10 * MINUTE)
    twice = stretch(stretch(whole, 30 * HOUR, 50 * HOUR, HOUR), 11 * HOUR, 12 * HOUR, 10 * MINUTE)
    assert once == twice


def test_questions_about_the_rate_are_answered_from_where_the_stretch_begins() -> None:
    whole = scenario(RATES["all"])
    rate = whole.load["users"]
    part = stretch(whole, 40 * HOUR, 44 * HOUR, 0)
    assert isinstance(rate, OpenLoad)
    own = part.load["users"]
    assert isinstance(own, OpenLoad)
    expected = mean_rate(rate.rate, 40 * HOUR, 41 * HOUR)
    assert mean_rate(own.rate, 0, HOUR) == pytest.approx(expected, rel=1e-4)  # with chords of 5 minutes
    assert peak_rate(own.rate, 0, HOUR) == pytest.approx(peak_rate(rate.rate, 40 * HOUR, 41 * HOUR), rel=1e-4)
    double = scaled(part, 2.0, HOUR, 2 * HOUR).load["users"]
    assert isinstance(double, OpenLoad)
    for n, factor in enumerate([1.0, 2.0, 1.0, 1.0]):
        expected = factor * mean_rate(own.rate, n * HOUR, (n + 1) * HOUR)
        assert mean_rate(double.rate, n * HOUR, (n + 1) * HOUR) == pytest.approx(expected, rel=1e-5)


def test_time_0_has_its_moment() -> None:
    part = stretch(scenario(RATES["week"]), 90 * SECOND, 2 * MINUTE, MINUTE)
    assert part.time.start == "2026-02-06T14:57:00"
    assert part.time.warmup == MINUTE
    assert part.time.duration == 90 * SECOND


def test_a_replay_keeps_its_arrivals() -> None:
    whole = scenario().model_copy(
        update={"load": {"users": OpenLoad(mix={"s.o": 1.0}, rate=ReplayRate(instants=(1, 5, 5, 9, 20)))}}
    )
    assert stretch(whole, 5, 20, 0).load["users"].rate == ReplayRate(instants=(0, 0, 4))  # type: ignore[union-attr]
    assert stretch(whole, 10, 20, 0).load["users"].rate == ConstantRate(value=0.0)  # type: ignore[union-attr]
    assert sysim.simulate(stretch(whole, 10, 20, 0)).run.window().loads["users"].offered == 0
    assert sysim.simulate(stretch(whole, 5, 20, 0)).run.window().loads["users"].offered == 3


FAULTS = """
faults:
  - {name: past, at: 1h, for: 5m, on: s, pause: true}
  - {name: open, at: 2h, on: s, slowdown: 2}
  - {name: long, at: 9h, for: 3h, on: s, slowdown: 3}
  - {name: ahead, at: 10h10m, for: 1m, on: s, pause: true}
  - {name: after, at: 20h, for: 1m, on: s, pause: true}
  - {name: back, at: 1h, on: db, crash: {restart_after: 10m}}
  - {name: fixed, every: 50m, for: 10m, on: db, slowdown: 2}
  - {name: drawn, every: {exponential: 1h}, for: 1m, on: db, slowdown: 4}
"""


def test_faults_are_shifted_and_those_that_hold_go_on() -> None:
    part = stretch(scenario(more=FAULTS), 10 * HOUR, 11 * HOUR, 5 * MINUTE)
    found = {(fault.name, fault.at, fault.lasts and fault.lasts.value) for fault in part.faults if not fault.every}  # type: ignore[union-attr]
    assert found == {
        ("open", 0, None),
        ("long", 0, 125 * MINUTE),
        ("ahead", 15 * MINUTE, MINUTE),
        ("fixed", 0, 5 * MINUTE),  # 9:50 to 10:00, seen from 9:55
        (None, 55 * MINUTE, 10 * MINUTE),
    }
    drawn = [fault for fault in part.faults if fault.every]
    assert [fault.name for fault in drawn] == ["drawn"]
    again = stretch(scenario(more=FAULTS), 10 * HOUR + 10 * MINUTE, 11 * HOUR, 0)
    assert [(fault.at, fault.lasts) for fault in again.faults if fault.name == "fixed"] == [
        (40 * MINUTE, Constant(value=10 * MINUTE))
    ]


def test_the_faults_of_a_stretch_happen_when_those_of_the_whole_do() -> None:
    more = "faults: [{name: f, every: 50m, for: 10m, on: db, slowdown: 2}]\n"
    whole = scenario(rate="0.001/s", more=more)
    short = sysim.simulate(stretch(whole, 0, 5 * HOUR, 0)).run
    part = stretch(whole, 2 * HOUR, 5 * HOUR, 5 * MINUTE)
    cut = 115 * 60.0
    expected = [(t.at_s, t.what) for t in short.transitions if t.at_s >= cut]
    found = [(t.at_s + cut, t.what) for t in sysim.simulate(part).run.transitions]
    assert found[0] == (cut, "begins")  # it has been on since 1:50
    assert found[1:] == expected


ACTIONS = """
actions:
  - {at: 3h, flag: {extras: off}}
  - {at: 4h, scale: {service: s, replicas: 5}}
  - {at: 2h, scale: {service: s, replicas: 7}}
  - {at: 6h, shed: {load: users, share: 20%}}
  - {at: 5h, shed: {load: users, share: 90%}}
  - {at: 7h, clear_queue: s}
  - {at: 10h30m, shed: {load: users, share: 0%}}
  - {at: 30h, scale: {service: s, replicas: 9}}
  - {when: queue(s) > 1000, scale: {service: s, replicas: 6}}
"""


def test_actions_of_before_are_done() -> None:
    whole = scenario(more=ACTIONS)
    part = stretch(whole, 10 * HOUR, 11 * HOUR, 5 * MINUTE)
    assert part.flags == {"extras": False}
    assert part.services["s"].replicas == 5
    assert part.services["db"] == whole.services["db"]
    sheds = [(action.at, action.lever.share) for action in part.actions if action.lever.kind == "shed"]
    assert sheds == [(0, 0.9), (1, 0.2), (35 * MINUTE, 0.0)]
    assert [action.at for action in part.actions if action.lever.kind == "scale"] == [None]
    outcomes = sysim.simulate(part).run.window().loads["users"].outcomes
    assert outcomes["shed"] / sum(outcomes.values()) == pytest.approx(0.1, abs=0.02)  # 20 % for half of the hour


def test_windows_and_checks_that_lie_elsewhere_are_left_out() -> None:
    more = """
windows: {before: 1h..2h, inside: 10h10m..10h20m, across: 10h50m..11h10m}
faults: [{name: f, at: 10h5m, for: 1m, on: s, pause: true}, {name: old, at: 1h, for: 1m, on: s, pause: true}]
checks:
  - success(users) >= 99%
  - success(users) during before >= 99%
  - success(users) during inside >= 99%
  - success(users) during inside >= 99% of before
  - success(users) during across >= 99%
  - recovers(users) within 1m after f
  - recovers(users) within 1m after old
"""
    whole = scenario(more=more)
    part = stretch(whole, 10 * HOUR, 11 * HOUR, 5 * MINUTE)
    assert {name: (w.start, w.end) for name, w in part.windows.items()} == {"inside": (15 * MINUTE, 25 * MINUTE)}
    assert [check.text for check in part.checks] == [
        "success(users) >= 99%", "success(users) during inside >= 99%", "recovers(users) within 1m after f",
    ]  # fmt: skip
    assert sysim.simulate(part).run.window("inside").loads["users"].offered > 0


def test_the_same_part_of_the_day_has_the_same_numbers_but_for_chance() -> None:
    whole = with_noise_of(scenario(RATES["all"]), 5)
    part = stretch(whole, 3 * HOUR, 9 * HOUR, 10 * MINUTE)
    window = sysim.simulate(part).run.window()
    load = whole.load["users"]
    assert isinstance(load, OpenLoad)
    table = rates(load, whole.time.duration, "users")
    first, last = integral(table, np.array([3.0, 9.0]) * 3_600)
    assert window.loads["users"].offered == pytest.approx(last - first, abs=4 * (last - first) ** 0.5)
    assert (window.from_s, window.to_s) == (600.0, 600.0 + 6 * 3_600)


@pytest.mark.parametrize("start, end, warmup", [(-1, 5, 0), (5, 5, 0), (6, 5, 0), (0, 5, -1)])
def test_a_stretch_goes_forward(start: int, end: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= start < end"):
        stretch(scenario(), start, end, warmup)


# --- replicas that follow the clock or the load ---------------------------------------------------------------


SCALED = """
sysim: 1
time: {duration: 10h}
services:
  s:
    replicas: 2
    concurrency: 4
    operations: {o: [{work: {exponential: 50ms}}]}
load: {l: {call: s.o, rate: {steps: [{at: 0s, rate: 10/s}, {at: 3h, rate: 400/s}]}}}
"""
LINES = [{"at": "1h", "replicas": 3}, {"at": "2h", "replicas": 5, "every": "4h"}, {"at": "3h", "replicas": 4}]


@pytest.mark.parametrize(
    ("cut", "replicas", "ahead"),
    [
        (30, 2, [(30, 3), (90, 5), (150, 4)]),
        (60, 2, [(0, 3), (60, 5), (120, 4)]),
        (90, 3, [(30, 5), (90, 4)]),
        (150, 5, [(210, 5), (30, 4)]),
        (240, 4, [(120, 5)]),
        (361, 5, [(239, 5)]),
    ],
)
def test_a_schedule_goes_on(cut: int, replicas: int, ahead: list[tuple[int, int]]) -> None:
    """`cut` and the instants in minutes."""
    whole = sysim.loads(SCALED, set={"services.s.schedule": LINES}).model
    part = stretch(whole, cut * MINUTE, cut * MINUTE + 12 * HOUR, 0).services["s"]
    assert part.replicas == replicas
    assert [(line.at // MINUTE, line.replicas) for line in part.schedule] == ahead


def test_an_autoscaler_has_followed_the_load() -> None:
    scaler = {"target": "50%", "min": 1, "max": 30}
    whole = sysim.loads(SCALED, set={"services.s.autoscaler": scaler}).model
    # 400/s of 50 ms are 20 workers, half of 40, which are ten replicas of four.
    assert stretch(whole, 4 * HOUR, 5 * HOUR, 10 * MINUTE).services["s"].replicas == 10
    assert stretch(whole, HOUR, 2 * HOUR, 10 * MINUTE).services["s"].replicas == 1
    assert stretch(whole, 0, 2 * HOUR, 0).services["s"].replicas == 2
    beside = sysim.loads(SCALED, set={"services.s.autoscaler": scaler, "services.s.schedule": LINES}).model
    assert stretch(beside, HOUR + MINUTE, 2 * HOUR, 0).services["s"].autoscaler.min == 3  # type: ignore[union-attr]
