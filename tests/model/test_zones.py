"""Time zones: days of 23 and 25 hours, moments that come twice or not at all, and a load in another country."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import sysim
from sysim import zones
from sysim.analysis.explain import explain
from sysim.analysis.words import Clock
from sysim.model import CalendarRate, ConstantRate, DailyCurve, DailyFactors, Scenario
from sysim.model.calendar import DAY, HOUR, MINUTE, pieces
from sysim.model.demand import mean_rate, peak_of_calendar
from sysim.plan.lower import lower
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_START
from sysim.units import UnitError, instant

LONDON = "Europe/London"
FORWARD, BACK = "2026-03-29T00:00:00", "2026-10-25T00:00:00"
HOURS = tuple(float(hour + 1) for hour in range(24))


def calendar(start: str, home: str = LONDON, zone: str | None = None, **parts: Any) -> CalendarRate:
    return CalendarRate(base=ConstantRate(value=1.0), start=start, home=home, zone=zone or home, **parts)


def factor(rate: CalendarRate, at: int) -> float:
    piece = pieces(rate, at, at + 1)[0]
    return piece.first


def scenario(time: str, rate: str, rest: str = "") -> Scenario:
    return sysim.loads(
        f"sysim: 1\ntime: {time}\nservices: {{api: {{operations: {{get: [{{work: 1ms}}]}}}}}}\n"
        f"load: {{web: {{call: api, rate: {rate}}}}}\n{rest}"
    ).model


@pytest.mark.parametrize(
    ("start", "hours"),
    [(FORWARD, (1, 3, 4)), (BACK, (1, 2, 2, 3)), ("2026-06-07T00:00:00", (1, 2, 3, 4))],
    ids=["23 hours", "25 hours", "24 hours"],
)
def test_a_day_has_the_hours_that_clocks_show(start: str, hours: tuple[int, ...]) -> None:
    rate = calendar(start, daily=DailyFactors(factors=HOURS), weekly={"mon": 10.0, "sun": 1.0})
    assert [factor(rate, hour * HOUR + 1) for hour in range(len(hours))] == list(hours)
    # the day ends at midnight on the clock: after 23 or 25 hours
    length = {FORWARD: 23, BACK: 25}.get(start, 24)
    assert factor(rate, length * HOUR - 1) == 24.0 and factor(rate, length * HOUR) == 10.0
    total = sum(HOURS) - (HOURS[1] if length == 23 else 0) + (HOURS[1] if length == 25 else 0)
    assert mean_rate(rate, 0, length * HOUR) == pytest.approx(total / length, rel=1e-12)


def test_pieces_cover_the_span_without_gaps() -> None:
    rate = calendar(BACK, daily=DailyCurve(peak_at=15 * HOUR, peak_to_mean=2.0))
    found = pieces(rate, 0, 3 * DAY)
    assert found[0].start == 0 and found[-1].end == 3 * DAY
    assert all(before.end == after.start for before, after in pairwise(found))
    assert peak_of_calendar(rate, 0, DAY)[1] == 16 * HOUR  # 15:00 is sixteen hours after midnight
    assert peak_of_calendar(calendar(FORWARD, daily=rate.daily), 0, DAY)[1] == 14 * HOUR


def test_the_clock_against_the_standard_library_over_a_year() -> None:
    for home, zone in ((LONDON, "America/New_York"), ("Asia/Kolkata", LONDON), ("Australia/Lord_Howe", "UTC")):
        start = datetime(2026, 1, 1, 9)
        found = zones.shifts(start, home, zone, 0, 365 * DAY)
        assert found[0].low == 0 and found[-1].high == 365 * DAY
        zero = start.replace(tzinfo=ZoneInfo(home)).astimezone(ZoneInfo("UTC"))
        for low, high, ahead in found:
            for at in (low, (low + high) // 2, high - 1):
                gone = timedelta(microseconds=at // 1_000)
                shown = (zero + gone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
                assert shown == start + gone + timedelta(microseconds=ahead // 1_000)
    assert len(zones.shifts(datetime(2026, 1, 1), LONDON, LONDON, 0, 365 * DAY)) == 3


def test_clock_times_in_a_file_are_local_and_elapsed_times_are_true() -> None:
    forward, back = datetime.fromisoformat(FORWARD), datetime.fromisoformat(BACK)
    assert instant("15:00", forward, LONDON) == 14 * HOUR
    assert instant("15:00", back, LONDON) == 16 * HOUR
    assert instant("15h", back, LONDON) == 15 * HOUR
    assert instant("01:30", back, LONDON) == HOUR + 30 * MINUTE  # the first of the two
    assert instant("2026-10-26T01:30", back, LONDON) == DAY + HOUR + HOUR + 30 * MINUTE
    with pytest.raises(UnitError, match="go forward past this one"):
        instant("01:30", forward, LONDON)
    # between the two: 01:20 is over for the first time, and comes once more
    assert instant("01:20", datetime(2026, 10, 25, 1, 30), LONDON) == DAY + HOUR - 10 * MINUTE
    assert instant("2026-10-25T01:20", datetime(2026, 10, 25, 1, 30), LONDON) == 50 * MINUTE


def test_bursts_of_whole_days_keep_to_the_time_of_day() -> None:
    for start, back in (("2026-03-28T00:00:00", 23), ("2026-10-24T00:00:00", 25)):
        burst = {"at": 8 * HOUR, "duration": HOUR, "factor": 5.0, "every": DAY}
        rate = calendar(start, bursts=(burst,))
        second = 24 * HOUR + (back - 24 + 8) * HOUR
        assert [factor(rate, at) for at in (8 * HOUR, 9 * HOUR, second - 1, second, second + HOUR)] == [5, 1, 1, 5, 1]
        rate = calendar(start, bursts=({**burst, "every": DAY + HOUR},))  # anything else is true time
        assert factor(rate, 33 * HOUR) == 5.0
    # half past one is left out on the 29th: the burst comes an hour of the clock later
    burst = {"at": HOUR + 30 * MINUTE, "duration": 10 * MINUTE, "factor": 5.0, "every": DAY}
    rate = calendar("2026-03-28T00:00:00", bursts=(burst,))
    assert [factor(rate, DAY + HOUR + minute * MINUTE) for minute in (29, 30, 39, 40)] == [1, 5, 5, 1]
    # and once only on the day on which it could come twice
    rate = calendar("2026-10-24T00:00:00", bursts=(burst,))
    assert [factor(rate, DAY + hour * HOUR + 30 * MINUTE) for hour in (1, 2)] == [5.0, 1.0]


def test_bursts_far_into_a_run_are_found() -> None:
    burst = {"at": 8 * HOUR, "duration": HOUR, "factor": 5.0, "every": DAY}
    rate = calendar("2026-01-01T00:00:00", bursts=(burst,))
    whole = [piece for piece in pieces(rate, 0, 365 * DAY) if piece.first == 5.0]
    assert len(whole) == 365
    for piece in whole[::7]:
        assert pieces(rate, piece.start, piece.end) == [piece]


def test_a_load_in_another_zone_has_its_peak_there() -> None:
    # in the three weeks in which only New York has changed, it is four hours behind
    for start, hours in (("2026-04-11T00:00:00", 20), ("2026-03-14T00:00:00", 19)):
        rate = calendar(start, zone="America/New_York", daily=DailyCurve(peak_at=15 * HOUR, peak_to_mean=2.0))
        assert peak_of_calendar(rate, 0, DAY)[1] == hours * HOUR
    rate = calendar("2026-04-11T00:00:00", zone="America/New_York", weekly={"sat": 3.0})
    assert [factor(rate, at) for at in (5 * HOUR - 1, 5 * HOUR, 29 * HOUR - 1, 29 * HOUR)] == [1, 3, 3, 1]


TIME = "{start: 2026-10-25T00:00, zone: Europe/London, duration: 25h}"


def test_the_plan_sums_to_25_hours() -> None:
    daily = "[" + ", ".join(str(hour) for hour in range(1, 25)) + "]"
    plan = lower(scenario(TIME, f"{{base: 1/s, daily: {daily}}}"))
    at_2 = plan.rates[plan.rates[:, Q_START] == 7_200.0]
    assert at_2[:, Q_RATE].tolist() == [2.0]  # the hour from one to two, again
    last = plan.rates[-1]
    total = last[Q_CUMULATED] + last[Q_RATE] * (25 * 3_600 - last[Q_START])
    assert total == 3_600 * (sum(range(1, 25)) + 2)


def test_what_is_written_in_a_load_of_another_zone_is_on_its_clock() -> None:
    rate = (
        "{zone: America/New_York, steps: [{at: 0s, rate: 1/s}, {at: 2026-10-24T22:00, rate: 2/s}], "
        'bursts: [{at: "20:00", for: 1h, factor: 3}]}'
    )
    model = scenario(TIME, rate, 'windows: {evening: "20:00..21:00"}')
    rates = model.load["web"].rate
    assert isinstance(rates, CalendarRate)
    assert (rates.start, rates.home, rates.zone) == ("2026-10-25T00:00:00", LONDON, "America/New_York")
    assert rates.base.steps[1].at == 3 * HOUR  # type: ignore[union-attr]  # 19:00 there is 00:00 here
    assert rates.bursts[0].at == HOUR
    assert model.windows["evening"].start == 21 * HOUR


def test_both_clocks_are_told() -> None:
    rate = "{zone: America/New_York, base: 1/s, daily: {peak_at: 15:00, peak_to_mean: 2}}"
    lines = next(lines for title, lines in explain(scenario(TIME, rate)) if title == "The load")
    assert any(line.endswith("by the clock of America/New_York") for line in lines)
    # at 15:00 in New York on the 25th it is 19:00 in London, which has already put its clocks back
    assert "web is highest at 20h (Sun 2026-10-25 19:00:00 GMT, Sun 15:00 in America/New_York)" in lines
    clock = Clock(BACK, 25 * 3_600.0, LONDON)
    assert [clock(hours * 3_600.0) for hours in (0, 1, 2, 3, 16)] == ["00:00", "01:00", "01:00", "02:00", "15:00"]


def test_growth_is_a_step_at_each_midnight_and_compounds() -> None:
    month = 365.25 / 12
    rate = CalendarRate(base=ConstantRate(value=1.0), start="2026-01-01T12:00:00", growth={"monthly": 0.03})
    assert factor(rate, 0) == factor(rate, 12 * HOUR - 1) == 1.0
    assert factor(rate, 12 * HOUR) == pytest.approx(1.03 ** (1 / month))
    assert factor(rate, 365 * DAY) == pytest.approx(1.03 ** (365 / month))
    since = rate.model_copy(update={"growth": rate.growth.model_copy(update={"since": "2025-01-01"})})  # type: ignore[union-attr]
    assert factor(since, 0) == pytest.approx(1.03 ** (365 / month))
    falls = scenario("{duration: 100d}", "{base: 1/s, growth: -2%}").load["web"].rate  # type: ignore[union-attr]
    assert isinstance(falls, CalendarRate)
    assert factor(falls, 61 * DAY) == pytest.approx(0.98 ** (61 / month))
    ordinary = mean_rate(rate, 0, 2 * DAY)
    assert ordinary == pytest.approx((0.5 + 1.03 ** (1 / month) + 0.5 * 1.03 ** (2 / month)) / 2)


def test_both_engines_run_a_zoned_calendar_alike() -> None:
    text = (
        "sysim: 1\ntime: {start: 2026-10-25T00:50, zone: Europe/London, duration: 80m}\n"
        "services: {api: {operations: {get: [{work: 1ms}]}}}\n"
        "load: {web: {call: api, rate: {base: 100/h, daily: [1, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
        "1, 1, 1, 1, 1], growth: {monthly: 3%, since: 2026-01-01}}, arrivals: evenly}}\n"
    )
    runs = [sysim.simulate(sysim.loads(text), engine=engine) for engine in ("reference", "compiled")]
    assert runs[0].runs[0].digest == runs[1].runs[0].digest
    grown = 1.03 ** (297 / (365.25 / 12))
    assert runs[0].runs[0].windows["all"].loads["web"].offered == int(100 * grown * (10 + 5 * 70) / 60)


@pytest.mark.parametrize(
    ("time", "rate", "said"),
    [
        ("{duration: 1h, zone: Europe/London}", "1/s", "found 'zone' without 'start'"),
        ("{duration: 1h, start: 2026-03-29T01:30, zone: Europe/London}", "1/s", "clocks go forward past this one"),
        ("{duration: 1h, start: 2026-04-11, zone: London}", "1/s", "expected a time zone.* mean Europe/London"),
        ("{duration: 1h, start: 9999-12-31T23:00, zone: America/New_York}", "1/s", "expected a year from 1900 to 2300"),
        ("{duration: 1h, start: 0001-01-01, zone: Asia/Tokyo}", "1/s", "expected a year from 1900 to 2300"),
        ("{duration: 1h, start: 2026-04-11, zone: Asia/Tokyo}", "{steps: [{at: 9999-12-31T23:00, rate: 1/s}]}",
         "a year from 1900 to 2400"),
        ("{duration: 1h, start: 2026-04-11, zone: ../etc}", "1/s", "expected a time zone"),
        ("{duration: 1h, start: 2026-04-11}", "{base: 1/s, zone: Europe/London}", "'zone' without time.zone"),
        ("{duration: 1h, start: 2026-04-11, zone: Europe/London}", "{base: 1/s, zone: Mars}", "found 'Mars'"),
        ("{duration: 1h}", "{base: 1/s, growth: {monthly: 3%, since: 2026-01-01}}", "'growth' without time.start"),
        ("{duration: 1h}", "{base: 1/s, growth: -100%}", "expected growth a month from -99% to 1000%"),
        ("{duration: 1h}", "{base: 1/s, growth: 30}", "did you mean 30%?"),
        ("{duration: 1h, start: 2026-04-11}", "{base: 1/s, growth: {monthly: 3%, since: soon}}", "expected a date"),
    ],
)  # fmt: skip
def test_what_is_refused(time: str, rate: str, said: str) -> None:
    with pytest.raises(sysim.ScenarioError, match=said):
        scenario(time, rate)
