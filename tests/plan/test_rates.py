"""Rates as pieces: their values, and integrals that agree with the profile."""

import math

import numpy as np
import pytest

from sysim.model import Batch, OpenLoad, RateStage, RateStep, SineRate, StagesRate, StepsRate
from sysim.plan.passes.rates import pieces_of, rates
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START

S = 1_000_000_000


def table(rate, duration=100 * S, **load):
    return rates(OpenLoad(mix={"a.b": 1.0}, rate=rate, **load), duration)


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
