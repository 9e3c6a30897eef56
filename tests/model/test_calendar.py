"""Calendars: what each part says at an instant, and what they come to over days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import i0e

import sysim
from sysim.model import CalendarRate, ConstantRate, DailyCurve, DailyFactors
from sysim.model.calendar import DAY, HOUR, MINUTE, TooManyPieces, concentration, pieces
from sysim.model.demand import mean_rate, peak_of_calendar, peak_rate
from sysim.model.scaling import scaled

SATURDAY = "2026-04-11T00:00:00"


def calendar(start: str | None = SATURDAY, base: float = 10.0, **parts: Any) -> CalendarRate:
    return CalendarRate(base=ConstantRate(value=base), start=start, **parts)


def factor(rate: CalendarRate, at: int, end: int = 14 * DAY) -> float:
    piece = next(piece for piece in pieces(rate, 0, end) if piece.start <= at < piece.end)
    return piece.first + (piece.last - piece.first) * (at - piece.start) / (piece.end - piece.start)


@pytest.mark.parametrize("ratio", [1.5, 2.5, 4.08, 10.0, 24.0])
def test_a_daily_curve_has_the_peak_it_was_asked_for_and_mean_1(ratio: float) -> None:
    assert 1.0 / i0e(concentration(ratio)) == pytest.approx(ratio, rel=1e-9)  # an independent Bessel function
    rate = calendar(daily=DailyCurve(peak_at=15 * HOUR, peak_to_mean=ratio))
    assert mean_rate(rate, 0, DAY) == pytest.approx(10.0, rel=2e-3)
    peak, at = peak_of_calendar(rate, 0, DAY)
    assert peak == pytest.approx(10.0 * ratio, rel=1e-12)
    assert at == 15 * HOUR
    assert factor(rate, 15 * HOUR - 2 * HOUR) == pytest.approx(factor(rate, 15 * HOUR + 2 * HOUR), rel=1e-9)
    assert factor(rate, 3 * HOUR) < 0.9


def test_a_curve_of_ratio_1_is_flat() -> None:
    rate = calendar(daily=DailyCurve(peak_at=0, peak_to_mean=1.0))
    assert {round(piece.first, 9) for piece in pieces(rate, 0, DAY)} == {1.0}


def test_hours_days_and_dates_hold_from_their_beginning_to_their_end() -> None:
    rate = calendar(
        start="2026-04-10T22:30:00",  # a Friday night
        daily=DailyFactors(factors=tuple(float(hour) for hour in range(24))),
        weekly={"sat": 2.0, "mon": 0.5},
        dates={"2026-04-12": 3.0},
    )
    midnight = HOUR + HOUR // 2
    assert factor(rate, 0) == 22.0
    assert factor(rate, 30 * MINUTE - 1) == 22.0 and factor(rate, 30 * MINUTE) == 23.0
    assert factor(rate, midnight - 1) == 23.0 and factor(rate, midnight) == 0.0
    assert factor(rate, midnight + 7 * HOUR) == 14.0  # Saturday: 7 x 2
    assert factor(rate, midnight + DAY + 7 * HOUR) == 21.0  # Sunday the 12th: 7 x 3
    assert factor(rate, midnight + 2 * DAY + 7 * HOUR) == 3.5  # Monday
    assert factor(rate, midnight + 7 * DAY + 7 * HOUR) == 14.0  # the next Saturday


def test_a_leap_day_is_a_day() -> None:
    rate = calendar(start="2028-02-28T00:00:00", dates={"2028-02-29": 5.0})
    assert [factor(rate, day * DAY + HOUR) for day in range(3)] == [1.0, 5.0, 1.0]


def test_bursts_climb_hold_fall_and_come_again() -> None:
    burst = {"at": HOUR, "duration": 10 * MINUTE, "factor": 3.0, "ramp": 2 * MINUTE, "every": DAY}
    rate = calendar(bursts=(burst,))
    for day in (0, DAY, 13 * DAY):
        for minute, expected in ((-1, 1), (0, 1), (1, 2), (2, 3), (5, 3), (8, 3), (9, 2), (10, 1), (11, 1)):
            assert factor(rate, day + HOUR + minute * MINUTE) == pytest.approx(expected), (day, minute)
    # 6 minutes at 3 and 4 at 2 on average
    assert mean_rate(rate, HOUR, 2 * HOUR) == pytest.approx(10.0 * (50 + 6 * 3 + 4 * 2) / 60)


def test_bursts_multiply() -> None:
    bursts = ({"at": 0, "duration": HOUR, "factor": 2.0}, {"at": 30 * MINUTE, "duration": HOUR, "factor": 0.0})
    rate = calendar(bursts=bursts)
    assert [factor(rate, minute * MINUTE) for minute in (0, 29, 30, 59, 89, 90)] == [2, 2, 0, 0, 0, 1]


def test_the_herd_at_the_full_hour() -> None:
    rate = calendar(bursts=({"at": HOUR, "duration": MINUTE, "factor": 60.0, "every": HOUR},))
    assert mean_rate(rate, 0, DAY) == pytest.approx(10.0 * (24 * 60 + 23 * 59) / (24 * 60))
    assert peak_rate(rate) == 600.0


def test_a_base_that_changes_is_multiplied_where_it_is() -> None:
    steps = {"kind": "steps", "steps": [{"at": 0, "rate": 1.0}, {"at": 90 * MINUTE, "rate": 4.0}]}
    rate = CalendarRate(base=steps, bursts=({"at": HOUR, "duration": HOUR, "factor": 2.0},))
    assert mean_rate(rate, 0, 3 * HOUR) == pytest.approx((60 + 60 + 30 * 8 + 60 * 4 - 0) / 180)
    assert peak_of_calendar(rate, 0, 3 * HOUR) == (8.0, 90 * MINUTE)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"dates": {"2026-02-30": 2}}, "expected a date"),
        ({"daily": {"kind": "factors", "factors": [1.0] * 23}}, "at least 24"),
        ({"bursts": [{"at": 0, "duration": "1m", "factor": 2, "ramp": "31s"}]}, "ramp longer than half"),
        ({"bursts": [{"at": 0, "duration": "1m", "factor": 2, "every": "59s"}]}, "shorter than `for`"),
        ({"base": calendar()}, "calendar within a calendar"),
    ],
)
def test_what_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CalendarRate(**{"base": ConstantRate(value=1.0), **parts})


def test_more_bursts_than_a_table_holds_are_refused() -> None:
    with pytest.raises(TooManyPieces):
        pieces(calendar(bursts=({"at": 0, "duration": 1, "factor": 2, "every": 1_000},)), 0, DAY)


TEXT = """
sysim: 1
time: {start: 2026-04-11T12:00, duration: 6h}
services: {api: {operations: {get: [{work: 1ms}]}}}
load: {web: {call: api, rate: {base: 10/s, daily: {peak_at: 15:00, peak_to_mean: 2}, weekly: {sat: 2}}}}
"""


def test_a_calendar_can_be_scaled_throughout_and_for_a_while() -> None:
    scenario = sysim.loads(TEXT).model
    rate = scenario.load["web"].rate
    twice = scaled(scenario, 2.0).load["web"].rate
    assert mean_rate(twice, 0, 6 * HOUR) == pytest.approx(2 * mean_rate(rate, 0, 6 * HOUR))
    for end in (4 * HOUR, None):
        some = scaled(scenario, 0.5, 3 * HOUR, end).load["web"].rate
        assert mean_rate(some, 0, 3 * HOUR) == pytest.approx(mean_rate(rate, 0, 3 * HOUR))
        assert mean_rate(some, 3 * HOUR, 4 * HOUR) == pytest.approx(mean_rate(rate, 3 * HOUR, 4 * HOUR) / 2)
        later = 2 if end is None else 1
        assert mean_rate(some, 4 * HOUR, 6 * HOUR) == pytest.approx(mean_rate(rate, 4 * HOUR, 6 * HOUR) / later)


def test_the_calendar_of_a_scenario_begins_with_the_run() -> None:
    scenario = sysim.loads(TEXT).model
    assert scenario.load["web"].rate.start == scenario.time.start == "2026-04-11T12:00:00"
    moved = {**scenario.model_dump(), "time": {"duration": "6h", "start": "2026-04-12T12:00:00"}}
    with pytest.raises(ValidationError, match=r"expected time\.start"):
        type(scenario).model_validate(moved)


def test_the_mean_is_that_of_the_product() -> None:
    rate = sysim.loads(TEXT).model.load["web"].rate
    k = concentration(2.0)
    hours = np.linspace(12.0, 18.0, 60_001)
    exact = 10.0 * 2.0 * 2.0 * np.exp(k * (np.cos(2 * np.pi * (hours - 15.0) / 24.0) - 1.0))
    assert mean_rate(rate, 0, 6 * HOUR) == pytest.approx(float(np.mean(exact)), rel=1e-4)
