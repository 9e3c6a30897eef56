"""Each distribution against scipy, at the ends of the unit interval, and under its cap."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from sysim.plan.tables import D_CAP, D_CONST, NEVER
from sysim.semantics import fit
from sysim.semantics.jit import law
from sysim.semantics.kinds import (
    KIND_CONSTANT,
    KIND_EMPIRICAL,
    KIND_EXPONENTIAL,
    KIND_GAMMA,
    KIND_LOGNORMAL,
    KIND_MIXTURE,
    KIND_NORMAL,
    KIND_PARETO,
    KIND_PERCENTILES,
    KIND_UNIFORM,
    KIND_WEIBULL,
)
from sysim.semantics.rng import derive
from sysim.semantics.sampling import normal_quantile, sample, to_ns
from tests.semantics.ends import key_for
from tests.semantics.rows import distributions

ROOT = Path(__file__).parents[2]
N = 50_000
ALL = distributions(
    (KIND_CONSTANT, 0.5, 0, {D_CONST: 500_000_000}),
    (KIND_EXPONENTIAL, 0.02, 0),
    (KIND_UNIFORM, 0.25, 0.75),
    (KIND_NORMAL, 0.01, 0.02),
    (KIND_LOGNORMAL, *fit.lognormal_from_mean_cv(0.004, 0.8)),
    (KIND_GAMMA, *fit.gamma_from_mean_cv(0.1, 0.5)),
    (KIND_WEIBULL, *fit.weibull_from_mean_shape(0.1, 0.7)),
    (KIND_PARETO, 0.001, 2.5),
    (KIND_MIXTURE, 0, 2),
    (KIND_EMPIRICAL, 2, 4),
    (KIND_PERCENTILES, 6, 3),
    (KIND_MIXTURE, 9, 3),  # row 11: a mixture in a mixture
    (KIND_GAMMA, *fit.gamma_from_mean_cv(0.1, 3.0)),
    (KIND_GAMMA, 1.0, 0.1),
    (KIND_WEIBULL, 0.1, 1e-3),  # row 14: beyond every duration
    (KIND_PARETO, 0.001, 1e-3),
    (KIND_LOGNORMAL, 0.0, 1e4),
    points=(
        (0.9, 1),
        (1.0, 13),
        (0.001, 0),
        (0.002, 0),
        (0.003, 0),
        (0.004, 0),
        (0.5, 0.01),
        (0.9, 0.03),
        (0.99, 0.1),
        (0.3, 8),
        (0.5, 0),
        (1.0, 2),
    ),
)


@law
def _draws(out, dist, dist_f, points, d, seed):
    for i in range(len(out)):
        out[i] = sample(dist, dist_f, points, d, derive(seed, i), 64)


def _sample(d, n=N, seed=11):
    out = np.empty(n, np.int64)
    _draws(out, *ALL, d, seed)
    return out / 1e9


def _truncated_normal(mean, sd):
    return stats.truncnorm(-mean / sd, np.inf, mean, sd)


MU, SIGMA = fit.lognormal_from_mean_cv(0.004, 0.8)
REFERENCE = {
    1: stats.expon(scale=0.02),
    2: stats.uniform(0.25, 0.5),
    3: _truncated_normal(0.01, 0.02),
    4: stats.lognorm(SIGMA, scale=math.exp(MU)),
    5: stats.gamma(4.0, scale=0.025),
    6: stats.weibull_min(0.7, scale=fit.weibull_from_mean_shape(0.1, 0.7)[0]),
    7: stats.pareto(2.5, scale=0.001),
    12: stats.gamma(1 / 9, scale=0.9),
    13: stats.expon(scale=0.1),
}


@pytest.mark.parametrize("d", REFERENCE)
def test_against_scipy(d):
    x, reference = _sample(d), REFERENCE[d]
    # a gamma of a small shape has much of its mass below a nanosecond: rounded draws tie at 0
    assert stats.kstest(x + 1e-12, reference.cdf).statistic < 1.95 / math.sqrt(N) + reference.cdf(1e-9)
    if d != 7:  # the variance of a Pareto of 2.5 converges too slowly to be tested
        assert x.mean() == pytest.approx(
            reference.mean(), rel=5 * reference.std() / reference.mean() / math.sqrt(N)
        )
        assert x.std() / x.mean() == pytest.approx(reference.std() / reference.mean(), rel=0.05)
    for q in (0.1, 0.5, 0.9, 0.99):
        share = np.mean(x <= reference.ppf(q))
        assert abs(share - q) < 4.5 * math.sqrt(q * (1 - q) / N)


def test_mixture_is_the_weighted_sum():
    x = np.sort(_sample(8))
    cdf = 0.9 * stats.expon(scale=0.02).cdf(x) + 0.1 * stats.expon(scale=0.1).cdf(x)
    assert np.abs(np.arange(1, N + 1) / N - cdf).max() < 1.95 / math.sqrt(N)


def test_nested_mixture():
    x = _sample(11)
    assert np.mean(x == 0.5) == pytest.approx(0.2, abs=0.01)
    assert np.mean((x >= 0.25) & (x != 0.5)) == pytest.approx(0.5, abs=0.01)
    assert x.mean() == pytest.approx(0.3 * 0.028 + 0.2 * 0.5 + 0.5 * 0.5, rel=0.01)


def test_empirical_values_are_equally_likely():
    values, counts = np.unique(_sample(9), return_counts=True)
    assert list(values) == [0.001, 0.002, 0.003, 0.004]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_percentiles_are_met_and_linear_between():
    x = _sample(10)
    for share, value in ((0.25, 0.005), (0.5, 0.01), (0.7, 0.02), (0.9, 0.03)):
        assert abs(np.mean(x <= value) - share) < 4.5 * math.sqrt(share * (1 - share) / N)
    assert x.max() == 0.1
    assert np.mean(x == 0.1) == pytest.approx(0.01, abs=0.002)
    assert x.mean() == pytest.approx(fit.percentiles_mean([(0.5, 0.01), (0.9, 0.03), (0.99, 0.1)]), rel=0.02)


def test_normal_quantile_is_accurate():
    lower = np.concatenate([10.0 ** np.linspace(-300, -1, 400), np.linspace(0.001, 0.5, 300)])
    for p in lower:
        assert normal_quantile(p) == pytest.approx(special.ndtri(p), rel=4e-15, abs=1e-15)
        if p > 1e-10:
            assert normal_quantile(1.0 - p) == pytest.approx(special.ndtri(1.0 - p), rel=4e-15, abs=1e-15)
    assert normal_quantile(0.5) == 0.0


def test_draws_of_a_key_do_not_depend_on_other_rows():
    both, single = ALL, distributions((KIND_EXPONENTIAL, 0.02, 0))
    assert sample(*both, 1, 77, 128) == sample(*single, 0, 77, 128)


@pytest.mark.parametrize("number", [0, 2**52 - 1])
@pytest.mark.parametrize("d", range(17))
def test_ends_of_the_unit_interval(d, number):
    for index in range(64, 69):
        value = sample(*ALL, d, key_for(number, index), 64)
        assert 0 <= value <= 2**61


def test_known_values_at_the_ends():
    low, high = key_for(0, 0), key_for(2**52 - 1, 0)
    assert sample(*ALL, 1, low, 0) == to_ns(0.02 * 53 * math.log(2))
    assert sample(*ALL, 1, high, 0) == 0
    assert (sample(*ALL, 2, low, 0), sample(*ALL, 2, high, 0)) == (250_000_000, 750_000_000)
    assert sample(*ALL, 3, high, 0) == 0
    assert sample(*ALL, 4, low, 0) == to_ns(math.exp(MU + SIGMA * special.ndtri(2.0**-53)))
    assert (sample(*ALL, 9, low, 0), sample(*ALL, 9, high, 0)) == (1_000_000, 4_000_000)
    assert (sample(*ALL, 10, low, 0), sample(*ALL, 10, high, 0)) == (0, 100_000_000)
    assert sample(*ALL, 7, high, 0) == 1_000_000
    assert [sample(*ALL, d, low, 0) for d in (15, 16)] == [2**61, 0]
    assert sample(*ALL, 16, high, 0) == 2**61


def test_all_kinds_when_every_uniform_is_extreme():
    """Interpreted, with the same extreme uniform everywhere, and only the 64 that belong to a draw."""
    script = """
import sys
from sysim.semantics import sampling
from tests.semantics.test_sampling import ALL
from sysim.semantics.rng import wrapping
seen = set()
for u in (2.0**-53, 1 - 2.0**-53, 0.5, 1e-3, 0.999):
    def fixed(key, index):
        seen.add(index)
        return u
    sampling.uniform = fixed
    with wrapping():
        for d in range(17):
            assert 0 <= sampling.sample(*ALL, d, 5, 1000) <= 2**61, (d, u)
assert min(seen) == 1000 and max(seen) <= 1063, seen
"""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, env=environment, timeout=60)


def test_caps():
    capped = distributions(
        (KIND_EXPONENTIAL, 1.0, 0.5, {D_CAP: 1000}),
        (KIND_MIXTURE, 0, 1, {D_CAP: 700}),
        (KIND_MIXTURE, 1, 1, {D_CAP: 5000}),
        (KIND_CONSTANT, 0.5, 0, {D_CONST: 9000, D_CAP: 800}),
        (KIND_MIXTURE, 2, 1, {D_CAP: 600}),
        points=((1.0, 0), (1.0, 0), (1.0, 3)),
    )
    assert [sample(*capped, d, 5, 0) for d in range(5)] == [1000, 700, 1000, 800, 600]


@pytest.mark.parametrize(
    ("seconds", "ns"),
    [
        (0.0, 0),
        (-1.0, 0),
        (math.nan, 0),
        (-math.inf, 0),
        (math.inf, 2**61),
        (1e300, 2**61),
        (2.5e9, 2**61),
        (1e-9, 1),
        (0.4e-9, 0),
        (0.5e-9, 1),
        (1.5e-9, 2),
        (0.49999999999999994e-9, 0),
        (2_000_000.000000001, 2_000_000_000_000_001),
        (0.1, 100_000_000),
    ],
)
def test_to_ns(seconds, ns):
    assert to_ns(seconds) == ns
    assert NEVER > 2**61


def test_means_in_fit_agree_with_draws():
    means = {
        1: fit.exponential_mean(0.02),
        2: fit.uniform_mean(0.25, 0.75),
        3: fit.normal_mean(0.01, 0.02),
        4: fit.lognormal_mean(MU, SIGMA),
        5: fit.gamma_mean(4.0, 0.025),
        6: fit.weibull_mean(fit.weibull_from_mean_shape(0.1, 0.7)[0], 0.7),
        7: fit.pareto_mean(0.001, 2.5),
        8: fit.mixture_mean([(9, 0.02), (1, 0.1)]),
        9: fit.empirical_mean([0.001, 0.002, 0.003, 0.004]),
    }
    for d, mean in means.items():
        assert _sample(d).mean() == pytest.approx(mean, rel=0.03), d
