"""Load that comes in batches, in waves and in spikes."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from tests.theory.simulate import (
    Run,
    about,
    exponential,
    matches,
    pick,
    poisson,
    runs,
    scenario,
    serves,
    values,
)

LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("size", "rho", "in_system", "sojourn", "horizon"),
    [
        (4, 0.4, 1.66666667, 4.16666667, 60_000),
        ({"geometric": 4}, 0.4, 2.66666667, 6.66666667, 100_000),
        pytest.param(4, 0.8, 10, 12.5, 600_000, marks=LONG),
        pytest.param(10, 0.8, 22, 27.5, 1_500_000, marks=LONG),
        pytest.param(5, 0.8, 12, 15, 600_000, marks=LONG),
        pytest.param({"geometric": 4}, 0.8, 16, 20, 1_000_000, marks=LONG),
    ],
)
def test_batches(size: object, rho: float, in_system: float, sojourn: float, horizon: float) -> None:
    """M^X/M/1: at equal load only the batches differ, rho (1 + K)/(2 (1 - rho)) in the system."""
    load = {"requests": poisson("q.serve", rho, arrivals={"batch": {"size": size}})}
    services = {"q": serves(exponential(1), concurrency=1)}
    matches(runs(scenario(services, load, horizon + 3_000, 3_000)), {
        "loads.requests.offered_per_s": (rho, 0.015),
        "services.q.in_system_mean": (in_system, 0.03),
        "loads.requests.latency_s.mean": (sojourn, 0.03),
    })  # fmt: skip


def wave(mean: float, amplitude: float, period: float, phase: float = 0.0) -> dict[str, object]:
    shape = {"mean": f"{mean}/s", "amplitude": amplitude, "period": f"{period}s", "phase": f"{phase}s"}
    return {"sine": shape}


def in_system_by_phase(found: list[Run], period: float) -> np.ndarray:
    """The mean number in system over the period, one row a run; the first two periods are left out."""
    width = found[0]["series"]["bucket_s"]
    per_period = round(period / width)
    rows = []
    for run in found:
        level = np.array(run["series"]["services"]["q"]["in_system"])
        whole = level[: len(level) // per_period * per_period].reshape(-1, per_period)
        rows.append(whole[2:].mean(axis=0))
    return np.array(rows)


@pytest.mark.parametrize(
    ("mean", "amplitude", "period", "mu", "lag", "peak"),
    [
        (100, 0.5, 24, 1, 0.978049537, 148.36986),
        (100, 0.5, 24, 0.25, 3.08804692, 538.124225),
        (100, 0.3, 10, 1, 0.892830768, 125.40199),
    ],
)
def test_the_number_in_system_lags_behind_the_load(
    mean: float, amplitude: float, period: float, mu: float, lag: float, peak: float
) -> None:
    """Mt/M/inf (Eick, Massey, Whitt): a sine again, later and flatter."""
    services = {"q": serves(exponential(1 / mu))}
    load = {"requests": {"call": "q.serve", "rate": wave(mean, amplitude, period)}}
    width = period / 40
    periods = 32 if amplitude == 0.5 else 152
    text = scenario(services, load, period * periods, time={"bucket": f"{width}s", "drain": False})
    rows = in_system_by_phase(runs(text, replications=10, series=True), period)
    centres = (np.arange(40) + 0.5) / 40
    lags, peaks = [], []
    for row in rows:
        # the first harmonic, corrected for the averaging over a bucket
        harmonic = complex(2 * np.mean(row * np.exp(-2j * math.pi * centres))) / np.sinc(1 / 40)
        lags.append((-(cmath.phase(harmonic) + math.pi / 2)) % (2 * math.pi) / (2 * math.pi) * period)
        peaks.append(float(row.mean()) + abs(harmonic))
    for figures, truth, tolerance in ((lags, lag, 0.03), (peaks, peak, 0.03)):
        error = np.std(figures, ddof=1) / math.sqrt(len(figures))
        assert error < tolerance * truth / 2
        assert abs(np.mean(figures) - truth) < min(3.5 * error, tolerance * truth) + 1e-9


def test_the_queue_peaks_after_the_load() -> None:
    """Mt/M/8 that is overloaded at noon: the queue is longest at 15:45; no stationary formula knows it."""
    services = {"q": serves(exponential(0.1), concurrency=8, queue={"capacity": 292})}
    load = {"requests": {"call": "q.serve", "rate": wave(60, 0.6, 24, 6)}}
    text = scenario(services, load, 24 * 62, time={"bucket": "250ms", "drain": False})
    found = runs(text, replications=20, series=True)
    rows = in_system_by_phase(found, 24)
    mean = rows.mean(axis=0)
    error = rows.std(axis=0, ddof=1) / math.sqrt(len(rows))
    k = int(np.argmax(mean))
    assert abs(k * 0.25 + 0.125 - 15.75) <= 0.375
    assert about(float(mean[k]), 97.9787315, 0.03)
    assert error[k] < 0.015 * 97.98
    assert about(float(mean.min()), 2.4032349, 0.03)
    overall = rows.mean(axis=1)
    assert np.std(overall, ddof=1) / math.sqrt(len(rows)) < 0.015 * 34.2
    assert about(float(overall.mean()), 34.1987934, 0.03)


@pytest.mark.parametrize(
    ("base", "peak", "capacity", "length", "backlog", "drain", "max_wait", "mean_wait", "affected"),
    [
        (500, 1500, 1000, 60, 30_000, 60, 30, 15, 120_000),
        pytest.param(800, 2000, 1000, 120, 120_000, 600, 120, 60, 720_000, marks=LONG),
        pytest.param(800, 1600, 1000, 300, 180_000, 900, 180, 90, 1_200_000, marks=LONG),
    ],
)
@pytest.mark.parametrize("arrivals", ["evenly", "poisson"])
def test_a_rectangular_spike(
    base: float, peak: float, capacity: float, length: float, backlog: float, drain: float, max_wait: float,
    mean_wait: float, affected: float, arrivals: str,
) -> None:  # fmt: skip
    """Fluid arithmetic: the backlog grows by peak - capacity and shrinks by capacity - base."""
    services = {"q": serves(f"{1000 / capacity}ms", concurrency=1)}
    steps = [(0, base), (20, peak), (20 + length, base)]
    rate = {"steps": [{"at": f"{at}s", "rate": f"{per_second}/s"} for at, per_second in steps]}
    load = {"requests": {"call": "q.serve", "rate": rate, "arrivals": arrivals}}
    end = 20 + length + drain
    windows = {"affected": f"20s..{end}s", "late": f"{end + drain / 5}s.."}
    replications = 1 if arrivals == "evenly" else 12
    found = runs(scenario(services, load, end + drain / 2 + 10, windows=windows), replications)
    for figure, truth in (
        ("services.q.in_system_max", backlog),
        ("services.q.in_system_max_at_s", 20 + length),
        ("services.q.wait_s.max", max_wait),
        ("services.q.wait_s.mean", mean_wait),
        ("loads.requests.offered", affected),
    ):
        numbers = values(found, figure, "affected")
        assert about(sum(numbers) / len(numbers), truth, 0.03 if arrivals == "poisson" else 0.002)
    assert all(pick(run, "services.q.wait_s.p99", "late") < 0.1 for run in found)


def test_stages_are_ramps() -> None:
    """The number of arrivals is the area under the profile, instant by instant."""
    rate = {"from": "100/s", "stages": [{"for": "10s", "to": "300/s"}, {"for": "20s", "to": "0/s"}]}
    load = {"requests": {"call": "q.serve", "rate": rate, "arrivals": "evenly"}}
    windows = {"up": "..10s", "down": "10s..30s", "half": "10s..20s", "silent": "30s.."}
    text = scenario({"q": serves("1ms")}, load, 40, windows=windows)
    [run] = runs(text, replications=1)
    for window, area in (("up", 2_000), ("down", 3_000), ("half", 2_250), ("silent", 0)):
        assert abs(pick(run, "loads.requests.offered", window) - area) <= 1
