"""Calendars against what is known: twins that are written differently, and the queue of a day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import ive

import sysim
from sysim.model.calendar import concentration
from tests.theory.simulate import exponential, runs, scenario, serves
from tests.theory.test_arrivals import in_system_by_phase


def digest(rate: Any, arrivals: str = "poisson") -> int:
    load = {"requests": {"call": "q.serve", "rate": rate, "arrivals": arrivals}}
    text = scenario({"q": serves("1ms", concurrency=1)}, load, 60)
    return sysim.simulate(sysim.loads(text)).runs[0].digest


@pytest.mark.parametrize("arrivals", ["poisson", "evenly"])
def test_a_burst_is_the_steps_it_stands_for(arrivals: str) -> None:
    """The rectangular spike of the fluid arithmetic (tests/theory/test_arrivals.py), to the last event."""
    steps = [{"at": "0s", "rate": "500/s"}, {"at": "20s", "rate": "1500/s"}, {"at": "40s", "rate": "500/s"}]
    burst = {"at": "20s", "for": "20s", "factor": 3}
    found = digest({"base": "500/s", "bursts": [burst]}, arrivals)
    assert found == digest({"steps": steps}, arrivals)
    assert found != digest({"base": "500/s", "bursts": [burst | {"ramp": "1s"}]}, arrivals)


def test_a_calendar_that_says_nothing_is_its_base() -> None:
    plain = digest("500/s")
    for parts in ({"daily": [1] * 24}, {"bursts": []}, {"noise": {"cv": 0, "every": "60s"}}):
        assert digest({"base": "500/s", **parts}) == plain, parts


def test_the_number_in_system_lags_behind_the_day() -> None:
    """Mt/M/inf (Eick, Massey, Whitt): each harmonic of the day is flattened and delayed on its own.

    exp(k cos) / I0(k) = 1 + 2 sum of I_n(k)/I0(k) cos(n t), and harmonic n comes out with the factor
    1/sqrt(1 + (n g/mu)^2) and the angle atan(n g/mu), g = 2 pi / 24 h.
    """
    mu, ratio, base = 0.5, 2.5, 60.0  # per hour
    rate = {"base": f"{base}/h", "daily": {"peak_at": "15:00", "peak_to_mean": ratio}}
    load = {"requests": {"call": "q.serve", "rate": rate}}
    text = scenario(
        {"q": serves(exponential(3600 / mu))}, load, 86_400 * 32, time={"bucket": "1h", "drain": False}
    )
    rows = in_system_by_phase(runs(text, replications=10, series=True), 86_400)
    k, g = concentration(ratio), 2 * math.pi / 24
    hours = np.linspace(0, 24, 2_401)[:-1]
    exact = np.ones_like(hours)
    for n in range(1, 40):
        weight = 2 * ive(n, k) / ive(0, k) / math.sqrt(1 + (n * g / mu) ** 2)
        exact += weight * np.cos(n * g * (hours - 15) - math.atan(n * g / mu))
    exact = (base / mu * exact).reshape(24, 100).mean(axis=1)
    assert exact.argmax() == 16 and exact.max() > 1.8 * base / mu  # later than the load, and flatter
    error = rows.std(axis=0, ddof=1) / math.sqrt(len(rows))
    assert (error < 0.03 * base / mu).all()
    assert (np.abs(rows.mean(axis=0) - exact) < 4.5 * error).all()
