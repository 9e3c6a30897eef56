"""The delays of each back-off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sysim.plan.tables import (
    BACKOFF_CONSTANT,
    BACKOFF_EXPONENTIAL,
    BACKOFF_NONE,
    JITTER_DECORRELATED,
    JITTER_EQUAL,
    JITTER_FULL,
    JITTER_NONE,
    JITTER_SHARE,
    N_P,
    N_PF,
    P_BACKOFF,
    P_JITTER,
    PF_BACKOFF_INITIAL,
    PF_BACKOFF_MAX,
    PF_BACKOFF_MULTIPLIER,
    PF_JITTER_SHARE,
)
from sysim.semantics.backoff import delay

MS = 1_000_000


def policy(kind=BACKOFF_EXPONENTIAL, jitter=JITTER_NONE, initial=0.05, multiplier=2.0, most=1.0, share=0.0):
    ints, floats = np.zeros((1, N_P), np.int64), np.zeros((1, N_PF), np.float64)
    ints[0, P_BACKOFF], ints[0, P_JITTER] = kind, jitter
    floats[0, PF_BACKOFF_INITIAL], floats[0, PF_BACKOFF_MULTIPLIER] = initial, multiplier
    floats[0, PF_BACKOFF_MAX], floats[0, PF_JITTER_SHARE] = most, share
    return ints, floats


def test_none_and_constant():
    assert delay(*policy(BACKOFF_NONE), 0, 1, 0, 0.5) == 0
    assert [delay(*policy(BACKOFF_CONSTANT, most=math.inf), 0, n, 0, 0.5) for n in (1, 2, 9)] == [50 * MS] * 3
    assert delay(*policy(BACKOFF_CONSTANT, JITTER_FULL), 0, 3, 0, 0.25) == 12.5 * MS


def test_exponential():
    got = [delay(*policy(), 0, n, 0, 0.5) // MS for n in range(1, 8)]
    assert got == [50, 100, 200, 400, 800, 1000, 1000]
    assert delay(*policy(), 0, 10**12, 0, 0.5) == 1000 * MS
    assert delay(*policy(multiplier=1.0), 0, 10**12, 0, 0.5) == 50 * MS
    assert delay(*policy(most=math.inf), 0, 10**9, 0, 0.5) <= 2**61
    assert [delay(*policy(multiplier=0.5), 0, n, 0, 0.5) for n in (1, 3)] == [50 * MS, 12_500_000]


@pytest.mark.parametrize(
    ("jitter", "share", "low", "middle", "high"),
    [
        (JITTER_FULL, 0.0, 0, 100, 200),
        (JITTER_EQUAL, 0.0, 100, 150, 200),
        (JITTER_SHARE, 0.2, 160, 200, 240),
        (JITTER_SHARE, 1.0, 0, 200, 400),
    ],
)
def test_jitter_of_the_third_retry(jitter, share, low, middle, high):
    ends = [delay(*policy(jitter=jitter, share=share), 0, 3, 0, u) for u in (2.0**-53, 0.5, 1 - 2.0**-53)]
    assert ends == [low * MS, middle * MS, high * MS]


def test_decorrelated():
    table = policy(jitter=JITTER_DECORRELATED)
    assert delay(*table, 0, 1, 0, 2.0**-53) == 50 * MS
    assert delay(*table, 0, 1, 0, 1 - 2.0**-53) == 150 * MS
    assert delay(*table, 0, 2, 150 * MS, 0.5) == 250 * MS
    assert delay(*table, 0, 3, 800 * MS, 0.9) == 1000 * MS
    assert delay(*policy(BACKOFF_CONSTANT, JITTER_DECORRELATED), 0, 3, 0, 0.5) == 100 * MS
