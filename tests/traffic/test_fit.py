"""Fits: known calendars are found again within what is stated, odd days and silence do not disturb them."""

from __future__ import annotations

import re
from datetime import date, datetime

import numpy as np
import pytest

import sysim
from sysim.errors import SysimError
from sysim.model.calendar import DAY as DAY_NS
from sysim.model.calendar import HOUR as HOUR_NS
from sysim.model.demand import mean_rate
from sysim.traffic.estimate import estimate
from sysim.traffic.fit import calendar, fit
from sysim.traffic.noise import interval, measure
from sysim.traffic.predict import predict
from sysim.traffic.trace import DAY, HOUR, Trace, of_pairs
from tests.traffic.synthetic import HOURS, MONDAY, WEEK, csv, synthetic


def within(found, true, error, deviations=4.0):
    """Whether logarithms differ by so many standard errors at most."""
    some = true > 0
    return bool((np.abs(np.log(found[some] / true[some])) <= deviations * error[some] + 1e-12).all())


@pytest.mark.parametrize("width", [300, HOUR])
def test_known_factors_are_found_within_their_stated_errors(width):
    found = estimate(synthetic(weeks=8, width=width))
    assert within(np.array([found.base]), np.array([0.1]), found.se["base"])
    assert within(found.hours, HOURS, found.se["hours"])
    assert within(found.week, WEEK, found.se["week"])
    assert found.special == {} and found.growth == 0.0 and found.silent == [] and found.bursts == []
    assert found.se["base"][0] < 0.01 and found.se["hours"].max() < 0.05


def test_stated_errors_are_right_on_average():
    """Over many traces with noise of days, the errors of the base have the size that is stated."""
    far = []
    for seed in range(60):
        found = estimate(synthetic(weeks=4, cv=0.2, every=DAY, seed=seed))
        far.append(float(np.log(found.base / 0.1)) / found.se["base"][0])
    assert np.std(far) == pytest.approx(1.0, abs=0.2)
    assert abs(np.mean(far)) < 0.5


def test_without_noise_the_solution_is_exact():
    trace = synthetic(weeks=3)
    mu = estimate(trace)
    exact = Trace("exact", trace.start, trace.width, mu.expected(trace), trace.local)
    again = estimate(exact)
    assert again.base == pytest.approx(mu.base, rel=1e-9)
    assert again.hours == pytest.approx(mu.hours, rel=1e-8) and again.week == pytest.approx(mu.week, rel=1e-8)
    # the equations of the estimate: each level has what came
    for level, levels in ((trace.local % DAY // HOUR, 24), ((trace.days - 1) % 7, 7)):
        came = np.bincount(level, trace.counts, levels)
        assert np.bincount(level, mu.expected(trace), levels) == pytest.approx(came, rel=1e-6)


def test_odd_days_are_found_and_spoil_nothing():
    special = {12: 10.0, 19: 0.0, 33: 1.6, 34: 0.5}
    trace = synthetic(weeks=8, cv=0.05, every=DAY, special=special)
    found = estimate(trace)
    first = int(trace.days[0])
    assert {day - first for day in found.special} == set(special)
    for day, factor in special.items():
        assert found.special[first + day] == pytest.approx(factor, rel=0.2, abs=1e-9)
    assert within(found.week, WEEK, found.se["week"]) and found.base == pytest.approx(0.1, rel=0.02)


def test_a_silent_afternoon_is_not_an_empty_one():
    trace = synthetic(weeks=4)
    trace.counts[10 * 24 + 12 : 10 * 24 + 17] = 0.0
    found = estimate(trace)
    assert found.silent == list(range(10 * 24 + 12, 10 * 24 + 17)) and found.special == {}
    assert found.base == pytest.approx(0.1, rel=0.01)


def test_growth_is_found_when_there_is_some():
    found = estimate(synthetic(weeks=30, growth=0.05))
    assert abs(np.log1p(found.growth) - np.log(1.05)) < 4 * found.growth_error < 0.01
    assert found.base == pytest.approx(0.1, rel=0.01)
    assert estimate(synthetic(weeks=30)).growth == 0.0
    falls = estimate(synthetic(weeks=30, growth=-0.03, special={100: 5.0}, cv=0.1, every=DAY))
    assert abs(np.log1p(falls.growth) - np.log(0.97)) < 4 * falls.growth_error


def test_closed_days_and_hours_are_zero():
    hours = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), HOURS, 0.0)
    hours /= hours.mean()
    week = WEEK.copy()
    week[6] = 0.0
    week /= week.mean()
    found = estimate(synthetic(weeks=6, hours=hours, week=week))
    assert (found.hours[:8] == 0.0).all() and (found.hours[18:] == 0.0).all() and found.week[6] == 0.0
    assert found.silent == [] and found.special == {}
    assert found.base == pytest.approx(0.1, rel=0.02)


def test_herds_at_the_full_hour_and_at_noon_become_bursts():
    trace = synthetic(weeks=4, width=300, base=1.0)
    rng = np.random.Generator(np.random.PCG64(9))
    herd = trace.local % HOUR < 300
    noon = (trace.local % DAY >= 12 * HOUR + 1_800) & (trace.local % DAY < 12 * HOUR + 2_100)
    extra = trace.counts * (1.0 * herd + 3.0 * noon)
    trace.counts[:] += rng.poisson(extra)
    found = estimate(trace)
    told = {(burst.at, burst.length, burst.every): burst.factor for burst in found.bursts}
    assert told.pop((0, 300, HOUR)) == pytest.approx(2.0, rel=0.03)
    assert told.pop((12 * HOUR + 1_800, 300, DAY)) == pytest.approx(4.0, rel=0.1)
    assert told == {}
    # the hours are what they were, as the herd has its own factor
    assert found.hours == pytest.approx(HOURS, rel=0.05)


@pytest.mark.parametrize(("cv", "every"), [(0.0, HOUR), (0.15, 300), (0.15, HOUR), (0.15, DAY)])
def test_noise_has_its_size_and_its_time(cv, every):
    trace = synthetic(weeks=24, width=300, base=2.0, cv=cv, every=every)
    found = measure(trace, estimate(trace))
    if cv == 0.0:
        assert found.cv < 0.02
        return
    assert found.cv == pytest.approx(cv, rel=0.2)
    assert found.every == every
    assert found.measured[300] == pytest.approx(cv, rel=0.15)


def test_the_interval_is_that_of_counts_with_noise():
    rng = np.random.Generator(np.random.PCG64(3))
    for cv in (0.0, 0.3):
        s = np.sqrt(np.log(1 + cv * cv))
        counts = rng.poisson(200.0 * np.exp(s * rng.standard_normal(20_000) - s * s / 2))
        low, high = interval(np.full(1, 200.0), cv, 0.9)
        assert np.mean((counts >= low) & (counts <= high)) == pytest.approx(0.905, abs=0.02)


def test_a_load_of_a_calendar_is_foretold_and_chance_is_covered():
    found = predict(synthetic(weeks=12, cv=0.1, every=HOUR, base=1.0))
    assert found is not None and found.weeks == 3 and len(found.rolling) == 3
    score = found.held_out
    assert score.hours == 3 * 168
    assert score.error < 0.12 and score.error < 0.8 * score.last_week < score.mean
    assert score.coverage == pytest.approx(0.9, abs=0.05)
    assert abs(score.bias) < 0.02 and -0.3 < score.peak < 0.05


def test_a_load_without_a_calendar_is_said_to_be_none():
    rng = np.random.Generator(np.random.PCG64(4))
    trace = synthetic(weeks=8)
    walk = np.exp(np.cumsum(0.05 * rng.standard_normal(len(trace.counts))))
    random = Trace("walk", trace.start, trace.width, rng.poisson(100 * walk / walk.mean()).astype(float), trace.local)
    text = str(fit(random))
    assert "does not foretell hours better than" in text or "not foretold by its calendar" in text


def test_a_week_is_too_short_and_says_so():
    found = fit(synthetic(weeks=1))
    assert found.prediction is None and found.calendar.weekly is None
    assert "too short to say how well it foretells" in str(found)
    assert within(found.estimate.hours, HOURS, np.full(24, 0.2))


def test_the_calendar_is_the_estimate():
    """Another code computes the same: `CalendarRate`, which simulations use, over hours and days."""
    trace = synthetic(weeks=12, growth=0.05, special={12: 3.0})
    found = fit(trace)
    said = found.estimate.expected(trace) / HOUR
    for hour in range(0, 12 * 168, 37):
        rate = mean_rate(found.calendar, hour * HOUR_NS, (hour + 1) * HOUR_NS)
        assert rate == pytest.approx(said[hour], rel=1e-9)


def test_the_calendar_follows_the_clock_of_the_zone():
    pairs = []
    for day in range(28):
        for hour in range(24):
            moment = datetime.fromordinal(date(2026, 3, 16).toordinal() + day).replace(hour=hour)
            if moment != datetime(2026, 3, 29, 1):  # left out by the clock
                pairs.append((moment, 500.0 if hour == 9 else 100.0))
    found = fit(of_pairs(pairs, zone="Europe/London"))
    assert found.trace.known.all() and found.estimate.hours.argmax() == 9
    assert found.calendar.zone == "Europe/London"
    after = 20 * DAY_NS + 8 * HOUR_NS  # 09:00 in summer
    assert mean_rate(found.calendar, after, after + HOUR_NS) * 3_600 == pytest.approx(500.0, rel=1e-6)


def test_a_smooth_day_is_a_curve_if_it_says_as_much():
    angle = 2 * np.pi * (np.arange(24) + 0.5 - 15.0) / 24
    smooth = np.exp(1.2 * np.cos(angle))
    found = fit(synthetic(weeks=6, hours=smooth / smooth.mean()))
    daily = found.calendar.daily
    assert daily.kind == "curve"
    assert daily.peak_at / HOUR_NS == pytest.approx(15.0, abs=0.1)
    assert daily.peak_to_mean == pytest.approx(float(np.exp(1.2) / np.i0(1.2)), rel=0.03)
    assert fit(synthetic(weeks=6)).calendar.daily.kind == "factors"
    assert fit(synthetic(weeks=6), daily="curve").calendar.daily.kind == "curve"


TEXT = """
sysim: 1
time: {start: %sT00:00, duration: %dd, bucket: 1h}
services: {api: {operations: {get: [{work: 1us}]}}}
load: {customers: {call: api, rate: 1/s}}
"""


def test_round_trip(tmp_path):
    """Fitted, pasted, simulated, counted and fitted again: the same calendar."""
    first = fit(synthetic(weeks=6, base=0.05, cv=0.1, every=DAY))
    (tmp_path / "load.yaml").write_text(first.yaml)
    text = TEXT % (MONDAY.date().isoformat(), 28)
    text = text.replace("sysim: 1", "sysim: 1\ninclude: load.yaml").replace(", rate: 1/s", "")
    (tmp_path / "day.yaml").write_text(text)
    scenario = sysim.load(tmp_path / "day.yaml")
    result = sysim.simulate(scenario, seed=5)
    offered = np.asarray(result.runs[0].series.loads["customers"]["offered"], dtype=float)[: 28 * 24]
    local = MONDAY.toordinal() * DAY + np.arange(28 * 24, dtype=np.int64) * HOUR
    second = fit(Trace("again", MONDAY, HOUR, offered, local))
    assert within(second.estimate.hours, first.estimate.hours, second.estimate.se["hours"])
    assert within(second.estimate.week, first.estimate.week, second.estimate.se["week"])
    assert within(np.array([second.estimate.base]), np.array([first.estimate.base]), second.estimate.se["base"])
    assert second.noise.cv == pytest.approx(0.1, abs=0.05)


def test_the_yaml_reads_back_as_the_calendar(tmp_path):
    found = fit(synthetic(weeks=12, growth=0.05, special={12: 3.0}, cv=0.1, every=HOUR), load="punters")
    text = found.yaml
    assert re.search(r"growth: \{monthly: [45]\.\d+%, since: 2026-01-05\}", text)
    scenario = sysim.loads(TEXT.replace("load: {customers: {call: api, rate: 1/s}}\n", "") % ("2026-01-05", 1)
                           + text + "    call: api\n")  # fmt: skip
    rate = scenario.model.load["punters"].rate
    assert rate.base.value == pytest.approx(found.calendar.base.value, rel=1e-3)
    assert rate.dates == pytest.approx(found.calendar.dates, rel=1e-3)
    for hour in range(0, 168, 13):
        one = mean_rate(rate, hour * HOUR_NS, (hour + 1) * HOUR_NS)
        assert one == pytest.approx(mean_rate(found.calendar, hour * HOUR_NS, (hour + 1) * HOUR_NS), rel=5e-3)


def test_json_has_numbers_or_null_only():
    import json

    for trace in (synthetic(weeks=6), synthetic(weeks=1), synthetic(weeks=6, width=DAY, hours=np.ones(24))):
        json.loads(json.dumps(fit(trace).to_dict(), allow_nan=False))


def test_nothing_to_fit_is_refused():
    trace = synthetic(weeks=2)
    with pytest.raises(SysimError, match="nothing but zeros"):
        fit(Trace("zero", trace.start, trace.width, np.zeros(len(trace.counts)), trace.local))
    with pytest.raises(SysimError, match="expected auto, factors or curve"):
        fit(trace, daily="smooth")
    with pytest.raises(SysimError, match="between 0 and 1"):
        fit(trace, held_out=25.0)


def test_a_file_is_fitted_as_its_trace(tmp_path):
    trace = synthetic(weeks=3)
    (tmp_path / "load.csv").write_text(csv(trace))
    assert fit(tmp_path / "load.csv").estimate.base == estimate(trace).base
    assert sysim.fit(str(tmp_path / "load.csv"), every="2h").trace.width == 2 * HOUR
    assert calendar(trace, estimate(trace), measure(trace, estimate(trace))).start == "2026-01-05T00:00:00"
