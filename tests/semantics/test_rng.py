"""SplitMix64: the published vector, and draws that look independent whichever way keys and indices run."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sysim.semantics.jit import law
from sysim.semantics.rng import bits, derive, scramble, uniform

N = 1 << 16


@law
def _fill(out, how, seed):
    """Uniforms along different paths through keys and indices."""
    for i in range(len(out)):
        if how == 0:
            out[i] = uniform(derive(seed, i), 0)
        elif how == 1:
            out[i] = uniform(seed, i)
        elif how == 2:
            out[i] = uniform(seed + i, 3)
        elif how == 3:
            out[i] = uniform(derive(derive(seed, i), 77), 64)
        else:
            out[i] = uniform(derive(seed, i), 1)


def _uniforms(how, seed=20240229, n=N):
    out = np.empty(n)
    _fill(out, how, seed)
    return out


def test_published_vector():
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [int(bits(1234567, i)) % 2**64 for i in range(5)] == expected


def test_scramble_is_a_bijection_with_avalanche():
    flips = np.zeros((64, 64))
    for trial in range(64):
        x = int(bits(99, trial))
        base = int(scramble(x))
        for bit in range(64):
            y = (x ^ (1 << bit)) % 2**64
            difference = (int(scramble(y - 2**64 if y >= 2**63 else y)) ^ base) % 2**64
            flips[bit] += [(difference >> k) & 1 for k in range(64)]
    assert np.abs(flips / 64 - 0.5).max() < 0.32  # 5 standard errors
    assert abs(flips.mean() / 64 - 0.5) < 0.01


@pytest.mark.parametrize("how", range(5))
def test_uniform_along_each_path(how):
    u = _uniforms(how)
    counts = np.histogram(u, 256, (0, 1))[0]
    assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    low_bits = np.bincount((u * 2**53).astype(np.int64) >> 1 & 255, minlength=256)
    assert stats.chisquare(low_bits).pvalue > 1e-3


@pytest.mark.parametrize("how", range(5))
def test_neighbours_are_independent(how):
    u = _uniforms(how)
    for lag in (1, 2, 64):
        a, b = u[:-lag], u[lag:]
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a))
        cells = np.histogram2d(a, b, 32, ((0, 1), (0, 1)))[0].ravel()
        assert stats.chisquare(cells).pvalue > 1e-4


def test_indices_of_one_key_and_keys_of_one_parent_are_independent():
    first, second = _uniforms(0), _uniforms(4)
    cells = np.histogram2d(first, second, 32, ((0, 1), (0, 1)))[0].ravel()
    assert stats.chisquare(cells).pvalue > 1e-4
    assert abs(np.corrcoef(first, _uniforms(0, 20240230))[0, 1]) < 4 / np.sqrt(N)


def test_uniform_never_reaches_its_ends():
    from tests.semantics.ends import HIGHEST, LOWEST, key_for

    assert uniform(key_for(0, 5), 5) == LOWEST > 0.0
    assert uniform(key_for(2**52 - 1, 5), 5) == HIGHEST < 1.0


def test_keys_have_63_bits_and_do_not_collide():
    keys = {int(derive(derive(7, i), j)) for i in range(300) for j in range(100)}
    assert len(keys) == 30000
    assert all(0 <= key < 2**63 for key in keys)
