"""Arrivals that come in bursts: Markov-modulated Poisson processes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sysim.plan.tables import LT_TARGET, N_LT, N_Q, NEVER, Q_RATE, Q_SOJOURN
from sysim.semantics import arrivals
from tests.theory.simulate import (
    exponential,
    judged,
    littles_law,
    matches,
    rate,
    runs,
    scenario,
    seconds,
    serves,
)

States = tuple[tuple[float, float], ...]  # rate per second, mean sojourn in seconds
TWO: States = ((0.3, 20.0), (1.5, 5.0))
THREE: States = ((0.2, 10.0), (0.9, 4.0), (1.6, 3.0))


def bursty(states: States) -> dict[str, Any]:
    """An open load."""
    listed = [{"rate": rate(each), "mean": seconds(mean)} for each, mean in states]
    return {"requests": {"call": "q.serve", "arrivals": {"mmpp": listed}}}


def mean_rate(states: States) -> float:
    return sum(each * mean for each, mean in states) / sum(mean for _, mean in states)


def dispersion(states: States, t: float) -> float:
    """Variance over mean of the arrivals in `t`, of two states."""
    (a, up), (b, down) = states
    p, q = 1 / up, 1 / down
    c = p + q
    return 1 + 2 * p * q * (a - b) ** 2 / (c * c * (a * q + b * p)) * (1 - (1 - math.exp(-c * t)) / (c * t))


def mean_in_system(states: States, mu: float) -> float:
    """Of the queue with one exponential server, by Neuts' matrix R: R = -(A0 + R^2 A2) A1^-1.

    Levels are the number in system, phases the states in their circle.
    """
    n = len(states)
    up = np.diag([each for each, _ in states])
    change = np.zeros((n, n))
    for i, (_, mean) in enumerate(states):
        change[i, (i + 1) % n] += 1 / mean
        change[i, i] -= 1 / mean
    down = mu * np.eye(n)
    local = change - up - down
    r = np.zeros((n, n))
    for _ in range(100_000):
        following = -(up + r @ r @ down) @ np.linalg.inv(local)
        if np.abs(following - r).max() < 1e-15:
            break
        r = following
    boundary = (change - up + r @ down).T  # of level 0
    inverse = np.linalg.inv(np.eye(n) - r)
    system = np.vstack([boundary, (inverse @ np.ones(n))[None, :]])
    at_0 = np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0]
    return float(at_0 @ r @ inverse @ inverse @ np.ones(n))


@pytest.mark.long
def test_the_numerical_answer_is_that_of_a_long_truncated_chain() -> None:
    """Birth and death by states, 600 levels, solved as one linear system."""
    states, mu, levels = THREE, 1.0, 600
    n = len(states)
    generator = np.zeros((levels * n, levels * n))
    for level in range(levels):
        for i, (each, mean) in enumerate(states):
            here = level * n + i
            for there, by in (
                (level * n + (i + 1) % n, 1 / mean),
                (here + n if level + 1 < levels else here, each),
                (here - n if level else here, mu if level else 0.0),
            ):
                generator[here, there] += by
                generator[here, here] -= by
    system = np.vstack([generator.T, np.ones(levels * n)])
    found = np.linalg.lstsq(system, np.append(np.zeros(levels * n), 1.0), rcond=None)[0]
    mean = float(found @ np.repeat(np.arange(levels), n))
    assert mean_in_system(states, mu) == pytest.approx(mean, rel=1e-6)
    assert mean_in_system(((0.8, 1.0), (0.8, 1.0)), 1.0) == pytest.approx(4.0)  # M/M/1


@pytest.mark.parametrize(("states", "horizon"), [(TWO, 300_000), (THREE, 300_000)])
def test_a_queue_behind_bursts(states: States, horizon: float) -> None:
    """MMPP/M/1 against the matrix-analytic answer."""
    services = {"q": serves(exponential(1), concurrency=1)}
    found = runs(scenario(services, bursty(states), horizon + 3_000, 3_000))
    length = mean_in_system(states, 1.0)
    matches(found, {
        "loads.requests.offered_per_s": (mean_rate(states), 0.015),
        "services.q.in_system_mean": (length, 0.04),
        "loads.requests.latency_s.mean": (length / mean_rate(states), 0.04),
    })  # fmt: skip
    littles_law(found, "q", horizon)


@pytest.mark.parametrize("t", [5.0, 40.0])
def test_the_index_of_dispersion_of_counts(t: float) -> None:
    """Counts in spans of `t`, far apart from one another; a replication gives one estimate of the index."""
    services = {"q": serves(seconds(0.001))}
    more = {"time": {"bucket": seconds(t)}}
    estimates = []
    for run in runs(scenario(services, bursty(TWO), 400 * t, **more), replications=60, series=True):
        counts = np.array(run["series"]["loads"]["requests"]["offered"], dtype=float)
        estimates.append(((counts - mean_rate(TWO) * t) ** 2).mean() / (mean_rate(TWO) * t))
    complaint = judged("index of dispersion", estimates, dispersion(TWO, t), 0.05)
    assert not complaint, complaint


@pytest.mark.long
def test_it_is_stationary_from_the_start() -> None:
    """The first second has the mean rate, not that of any state."""
    services = {"q": serves(seconds(0.001))}
    states = ((50.0, 30.0), (450.0, 10.0))
    found = runs(scenario(services, bursty(states), 1.0), replications=4_000)
    matches(found, {"loads.requests.offered": (150.0, 0.05)})


def test_a_state_without_arrivals_and_the_end_of_the_run() -> None:
    """Nothing comes while the rate is 0, whatever the target; the search ends with the run."""
    rates = np.zeros((2, N_Q))
    rates[:, Q_SOJOURN], rates[:, Q_RATE] = 1.0, (0.0, 5.0)
    progress = np.zeros((1, N_LT))
    key = 12345
    arrivals.first_state(rates, 0, 2, progress, 0, key)
    ends, row, at = [], int(progress[0, 4]), 0.0
    for number in range(1, 2_000):
        at += arrivals.exponential(key, number)
        ends.append((at, row))
        row = 1 - row
    instants = []
    for n in range(1, 1_000):
        progress[0, LT_TARGET] = n / 3
        instants.append(arrivals.modulated_instant(rates, 0, 2, progress, 0, key, NEVER) / 1e9)
    for instant in instants:
        state = next(row for end, row in ends if instant <= end + 1e-9)
        assert rates[state, Q_RATE] > 0
    assert instants == sorted(instants)
    busy = [end for end, row in ends if row == 1]
    assert sum(at <= busy[0] for at in instants) == pytest.approx(
        3 * 5.0 * (busy[0] - (ends[0][0] if ends[0][1] == 0 else 0.0)), abs=1
    )
    progress[0, LT_TARGET] = 1e12
    assert arrivals.modulated_instant(rates, 0, 2, progress, 0, key, 10**12) == NEVER
