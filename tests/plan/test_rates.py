"""Rates as pieces: their values, and integrals that agree with the profile."""

import math
from datetime import date

import numpy as np
import pytest

from sysim.model import (
    Batch,
    CalendarRate,
    ConstantRate,
    OpenLoad,
    RateStage,
    RateStep,
    Scenario,
    SineRate,
    StagesRate,
    StepsRate,
)
from sysim.model.calendar import DAY, HOUR, MINUTE, concentration
from sysim.plan.identity import derived, draws, salt
from sysim.plan.lower import lower
from sysim.plan.noise import drawn, run_key
from sysim.plan.passes.rates import pieces_of, rates
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START
from sysim.plan.verify import verify
from sysim.semantics.rng import derive, uniform, wrapping
from sysim.semantics.salts import SALT_RUN

S = 1_000_000_000


def table(rate, duration=100 * S, **load):
    return rates(OpenLoad(mix={"a.b": 1.0}, rate=rate, **load), duration)


def noisy(noise, duration, start="2026-04-11T06:00:00", name="web", key=1, daily=None):
    """The rates of a run of that key, whose base is 8/s."""
    rate = CalendarRate(base=ConstantRate(value=8.0), start=start, noise=noise, daily=daily).model_dump()
    scenario = Scenario.model_validate({
        "time": {"duration": duration, "start": start},
        "services": {"a": {"operations": {"b": {"steps": [{"kind": "work", "duration": "1ms"}]}}}},
        "load": {name: {"kind": "open", "mix": {"a.b": 1.0}, "rate": rate}},
    })  # fmt: skip
    plan = lower(scenario)
    verify(plan)
    return plan.rates, drawn(plan, key).rates


def integral(pieces, at):
    row = pieces[np.searchsorted(pieces[:, Q_START], at, side="right") - 1]
    tau = at - row[Q_START]
    return row[Q_CUMULATED] + row[Q_RATE] * tau + row[Q_SLOPE] * tau * tau / 2


def test_a_constant_is_one_piece():
    assert table("400/s").tolist() == [[0.0, 400.0, 0.0, 0.0]]


def test_steps_begin_with_zero_and_hold_the_last():
    profile = StepsRate(steps=(RateStep(at="10s", rate="4/s"), RateStep(at="15s", rate="2/s")))
    assert table(profile).tolist() == [[0, 0, 0, 0], [10, 4, 0, 0], [15, 2, 0, 20]]
    assert integral(table(profile), 20.0) == 30.0


def test_stages_are_ramps_and_jumps():
    stages = (
        RateStage(duration="10s", to="20/s"),
        RateStage(duration="0s", to="5/s"),
        RateStage(duration="4s", to="1/s"),
    )
    pieces = table(StagesRate(stages=stages))
    assert pieces.tolist() == [[0, 0, 2, 0], [10, 5, -1, 100], [14, 1, 0, 112]]


def test_batches_are_fewer_than_requests():
    assert table("400/s", arrivals=Batch(size=4))[0, Q_RATE] == 100.0
    assert table("400/s", arrivals=Batch(geometric=2.5))[0, Q_RATE] == 160.0


@pytest.mark.parametrize("phase", [0, 7 * S, 25 * S, 123 * S])
@pytest.mark.parametrize("amplitude", [0.0, 0.5, 1.0])
def test_a_sine_follows_its_formula(phase, amplitude):
    sine = SineRate(mean=8.0, amplitude=amplitude, period=20 * S, phase=phase)
    pieces = table(sine)
    assert pieces[0, Q_START] == 0.0 and pieces[-1, Q_START] == 100.0
    assert (pieces[:, Q_RATE] >= 0.0).all()
    turn = 2 * math.pi / 20.0
    for at in np.linspace(0.0, 99.9, 57):
        row = pieces[np.searchsorted(pieces[:, Q_START], at, side="right") - 1]
        value = row[Q_RATE] + row[Q_SLOPE] * (at - row[Q_START])
        expected = 8.0 * (1 + amplitude * math.sin(turn * (at - phase / S)))
        assert value == pytest.approx(expected, abs=8.0 * amplitude * 8e-5 + 1e-9)
        start = 8.0 * amplitude / turn * math.cos(turn * (0 - phase / S))
        exact = 8.0 * at + start - 8.0 * amplitude / turn * math.cos(turn * (at - phase / S))
        assert integral(pieces, at) == pytest.approx(exact, abs=4e-3)
    assert integral(pieces, 100.0) == pytest.approx(800.0, rel=1e-9)


def test_pieces_meet_without_gaps():
    pieces = table(SineRate(mean=8.0, amplitude=0.5, period=20 * S, phase=3 * S))
    lengths = np.diff(pieces[:, Q_START])
    ends = pieces[:-1, Q_RATE] + pieces[:-1, Q_SLOPE] * lengths
    assert np.allclose(ends, pieces[1:, Q_RATE], atol=1e-9)


def test_a_long_run_of_a_short_sine_gets_fewer_pieces():
    assert pieces_of(S, 100 * S) == 256
    assert pieces_of(S, 86_400 * S) < 256
    assert pieces_of(S, 10 * 86_400 * S) == 64
    assert len(table(SineRate(mean=8.0, amplitude=0.5, period=S), 20_000 * S)) <= 2_000_000


# --- calendars ----------------------------------------------------------------------------------------------


def calendar(start="2026-04-11T06:00:00", base=None, **parts):
    return CalendarRate(base=base or {"kind": "constant", "value": 8.0}, start=start, **parts)


def value(pieces, at):
    row = pieces[np.searchsorted(pieces[:, Q_START], at, side="right") - 1]
    return row[Q_RATE] + row[Q_SLOPE] * (at - row[Q_START])


def test_a_day_follows_its_formula():
    pieces = table(calendar(daily={"kind": "curve", "peak_at": 15 * HOUR, "peak_to_mean": 2.5}), DAY)
    k = concentration(2.5)
    for hour in np.linspace(0.0, 23.99, 97):
        expected = 8.0 * 2.5 * math.exp(k * (math.cos(2 * math.pi * (hour + 6 - 15) / 24) - 1))
        assert value(pieces, hour * 3600) == pytest.approx(expected, rel=1e-5)
    assert integral(pieces, 86_400.0) == pytest.approx(8.0 * 86_400, rel=1e-5)
    assert pieces[-1, Q_START] == 86_400.0 and pieces[-1, Q_SLOPE] == 0.0


def test_a_base_with_slopes_is_multiplied_piece_by_piece():
    ramps = [{"duration": "100s", "to": 100.0}, {"duration": 0, "to": 10.0}]
    stages = {"kind": "stages", "start": 0.0, "stages": ramps}
    burst = {"at": 50 * S, "duration": 40 * S, "factor": 3.0, "ramp": 20 * S}
    pieces = table(calendar(base=stages, bursts=(burst,)), 200 * S)
    assert value(pieces, 25.0) == pytest.approx(25.0)
    assert value(pieces, 60.0) == pytest.approx(60.0 * 2, rel=2e-3)
    assert value(pieces, 70.0) == pytest.approx(70.0 * 3)
    assert value(pieces, 95.0) == pytest.approx(95.0)
    assert [value(pieces, at) for at in (100.0, 150.0, 199.0)] == [10.0, 10.0, 10.0]
    grid = np.linspace(0.0, 200.0, 400_001)
    climbed = np.clip(np.minimum(grid - 50, 90 - grid), 0, 20) / 20
    exact = np.trapezoid(np.where(grid < 100, grid, 10.0) * (1 + 2 * climbed), grid)
    assert integral(pieces, 200.0) == pytest.approx(exact, rel=2e-4)


def test_noise_has_mean_1_and_its_variation():
    plain, pieces = noisy({"cv": 0.3, "every": 10 * S}, 40_000 * S)
    factors = pieces[:, Q_RATE] / 8.0
    assert (plain[:, Q_RATE] == 8.0).all()
    assert len(factors) == 4_000 and (factors > 0).all() and (pieces[:, Q_SLOPE] == 0).all()
    assert factors.mean() == pytest.approx(1.0, abs=3.5 * 0.3 / math.sqrt(4_000))
    assert factors.std() == pytest.approx(0.3, rel=0.08)
    logs = np.log(factors)
    assert abs(np.corrcoef(logs[1:], logs[:-1])[0, 1]) < 3.5 / math.sqrt(4_000)


def test_noise_belongs_to_the_run_the_date_and_the_load():
    noise = {"cv": 0.3, "every": MINUTE}

    def of(start="2026-04-11T06:00:00", name="web", key=1):
        return noisy(noise, 30 * MINUTE, start, name, key)[1][:, Q_RATE].tolist()

    assert of() == of()
    assert of()[10:] == of("2026-04-11T06:10:00")[:20]
    assert of() != of("2026-04-12T06:00:00")
    assert of() != of(name="app")
    assert of() != of(key=2)


def test_over_many_runs_noise_leaves_the_mean_alone():
    runs = np.array([noisy({"cv": 0.5, "every": MINUTE}, 10 * MINUTE, key=key)[1][:, Q_RATE] for key in range(400)])
    assert runs.mean() / 8.0 == pytest.approx(1.0, abs=3.5 * 0.5 / math.sqrt(4_000))
    assert runs.std() / 8.0 == pytest.approx(0.5, rel=0.1)
    between = np.corrcoef(runs[:-1].ravel(), runs[1:].ravel())[0, 1]
    assert abs(between) < 3.5 / math.sqrt(4_000)


def test_the_noise_of_one_run_can_be_that_of_all():
    daily = {"kind": "curve", "peak_at": 7 * HOUR, "peak_to_mean": 3.0}
    noise = {"cv": 0.4, "every": 7 * MINUTE}
    key = run_key(2**64 - 5, 3)
    with wrapping():
        assert key == derive(derive(SALT_RUN, np.int64(-5)), np.int64(3))
    drawn_for_it = noisy(noise, HOUR, key=key, daily=daily)[1]
    plain, other = noisy({**noise, "of_run": key}, HOUR, key=99, daily=daily)
    assert np.array_equal(plain, other)
    assert np.allclose(plain, drawn_for_it, rtol=1e-12, atol=1e-12)


def test_noise_multiplies_slopes_and_integrals_too():
    daily = {"kind": "curve", "peak_at": 7 * HOUR, "peak_to_mean": 3.0}
    plain, pieces = noisy({"cv": 0.4, "every": 7 * MINUTE}, HOUR, daily=daily)
    factors = pieces[:, Q_RATE] / plain[:, Q_RATE]
    assert np.allclose(pieces[:, Q_SLOPE], plain[:, Q_SLOPE] * factors, rtol=1e-12)
    lengths = np.diff(pieces[:, Q_START])
    steps = np.diff(plain[:, Q_CUMULATED]) * factors[:-1]
    assert np.allclose(np.diff(pieces[:, Q_CUMULATED]), steps, rtol=1e-9)
    # one factor a slot of the calendar, whatever else begins a row; 06:00 is 3 minutes into a slot
    slots = (pieces[:-1, Q_START] + 6 * 3_600 + 86_400 * date(2026, 4, 11).toordinal()) // 420
    assert all(np.ptp(factors[:-1][slots == slot]) < 1e-12 for slot in np.unique(slots))
    assert len(np.unique(np.round(factors, 9))) == len(np.unique(slots))
    assert len(lengths) == 60


def test_the_draws_are_those_of_the_generator():
    key = salt("noise", "web")
    with wrapping():
        one_by_one = [uniform(np.int64(key), np.int64(number)) for number in range(5, 25)]
        child = derive(np.int64(key), np.int64(12345))
    assert draws(key, 5, 20).tolist() == one_by_one
    assert derived(key, 12345) == child


def test_an_evenly_sent_calendar_sends_its_integral():
    burst = {"at": 10 * S, "duration": 20 * S, "factor": 2.0}
    assert integral(table(calendar(bursts=(burst,)), 100 * S), 100.0) == 8.0 * 120
    assert table(calendar(bursts=(burst,)), arrivals=Batch(size=4))[0, Q_RATE] == 2.0
