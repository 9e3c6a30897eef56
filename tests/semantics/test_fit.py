"""Conversions of parameters against scipy."""

from __future__ import annotations

import math

import pytest
from scipy import integrate, stats

from sysim.semantics import fit


@pytest.mark.parametrize(("mean", "cv"), [(0.004, 0.8), (2.0, 0.01), (1e-6, 5.0)])
def test_mean_and_cv(mean, cv):
    mu, sigma = fit.lognormal_from_mean_cv(mean, cv)
    lognormal = stats.lognorm(sigma, scale=math.exp(mu))
    assert (lognormal.mean(), lognormal.std() / lognormal.mean()) == pytest.approx((mean, cv))
    shape, scale = fit.gamma_from_mean_cv(mean, cv)
    gamma = stats.gamma(shape, scale=scale)
    assert (gamma.mean(), gamma.std() / gamma.mean()) == pytest.approx((mean, cv))


def test_median_and_p99():
    mu, sigma = fit.lognormal_from_median_p99(0.01, 0.2)
    assert stats.lognorm(sigma, scale=math.exp(mu)).ppf([0.5, 0.99]) == pytest.approx([0.01, 0.2])


def test_erlang_and_weibull():
    assert fit.gamma_from_mean_shape(0.3, 3) == (3, pytest.approx(0.1))
    for shape in (0.3, 1.0, 4.0):
        scale, kept = fit.weibull_from_mean_shape(0.2, shape)
        assert stats.weibull_min(kept, scale=scale).mean() == pytest.approx(0.2)


def test_means():
    assert fit.normal_mean(0.01, 0.02) == pytest.approx(stats.truncnorm(-0.5, math.inf, 0.01, 0.02).mean())
    assert fit.normal_mean(0.01, 0.0) == 0.01
    assert fit.pareto_mean(1.0, 1.0) == math.inf
    assert fit.pareto_mean(1.0, 3.0) == pytest.approx(1.5)
    assert fit.exponential_mean(0.0) == 0.0
    for alpha in (0.5, 1.0, 1.0 + 1e-9, 2.5):
        survival = integrate.quad(lambda x, a=alpha: min(1.0, x**-a), 0.0, 20.0, points=[1.0])[0]
        assert fit.pareto_mean(1.0, alpha, 20.0) == pytest.approx(survival)
    assert fit.exponential_mean(2.0, 3.0) == pytest.approx(
        integrate.quad(lambda x: math.exp(-x / 2), 0, 3)[0]
    )
    assert fit.percentiles_mean([(1.0, 4.0)]) == 2.0
    assert fit.cumulative_weights([3, 1]) == [0.75, 1.0]
    assert fit.cumulative_weights([0.1] * 10)[-1] == 1.0
