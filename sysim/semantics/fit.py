"""Parameters of distributions from what people know about them, and the means that follow. Plain Python.

Durations are seconds, as in ``distF``; the mu of a lognormal is the logarithm of seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

_Z99 = 2.3263478740408408  # the 99th percentile of the standard normal


def lognormal_from_mean_cv(mean: float, cv: float) -> tuple[float, float]:
    """(mu, sigma) of the lognormal with this mean and coefficient of variation."""
    variance = math.log1p(cv * cv)
    return math.log(mean) - variance / 2.0, math.sqrt(variance)


def lognormal_from_median_p99(median: float, p99: float) -> tuple[float, float]:
    """(mu, sigma) of the lognormal with this median and 99th percentile."""
    return math.log(median), math.log(p99 / median) / _Z99


def gamma_from_mean_cv(mean: float, cv: float) -> tuple[float, float]:
    """(shape, scale) of the gamma distribution with this mean and coefficient of variation."""
    return gamma_from_mean_shape(mean, 1.0 / (cv * cv))


def gamma_from_mean_shape(mean: float, shape: float) -> tuple[float, float]:
    """(shape, scale) of the gamma distribution with this mean; a whole shape makes it an Erlang."""
    return shape, mean / shape


def weibull_from_mean_shape(mean: float, shape: float) -> tuple[float, float]:
    """(scale, shape) of the Weibull distribution with this mean."""
    return mean / math.exp(math.lgamma(1.0 + 1.0 / shape)), shape


def cumulative_weights(weights: Sequence[float]) -> list[float]:
    """The running shares of weights of any scale; the last one is exactly 1."""
    total = math.fsum(weights)
    shares = [math.fsum(weights[: i + 1]) / total for i in range(len(weights))]
    shares[-1] = 1.0
    return shares


def exponential_mean(mean: float, cap: float = math.inf) -> float:
    """The mean of an exponential cut down to `cap`."""
    return -mean * math.expm1(-cap / mean) if mean > 0.0 else 0.0


def uniform_mean(low: float, high: float) -> float:
    """The mean between two ends."""
    return low + (high - low) / 2.0


def normal_mean(mean: float, sd: float) -> float:
    """The mean of a normal that is known to be at least 0."""
    if sd <= 0.0:
        return mean
    z = mean / sd
    density = math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
    return mean + sd * density / (0.5 * math.erfc(-z / math.sqrt(2.0)))


def lognormal_mean(mu: float, sigma: float) -> float:
    """The mean of a lognormal."""
    return math.exp(mu + sigma * sigma / 2.0)


def gamma_mean(shape: float, scale: float) -> float:
    """The mean of a gamma distribution."""
    return shape * scale


def weibull_mean(scale: float, shape: float) -> float:
    """The mean of a Weibull distribution."""
    return scale * math.exp(math.lgamma(1.0 + 1.0 / shape))


def pareto_mean(least: float, alpha: float, cap: float = math.inf) -> float:
    """The mean of a Pareto distribution cut down to `cap`; without a cap infinite for alpha <= 1."""
    if cap <= least:
        return cap
    if math.isinf(cap):
        return least * alpha / (alpha - 1.0) if alpha > 1.0 else math.inf
    if alpha == 1.0:
        return least * (1.0 + math.log(cap / least))
    return least * (1.0 + math.expm1((1.0 - alpha) * math.log(cap / least)) / (1.0 - alpha))


def mixture_mean(parts: Iterable[tuple[float, float]]) -> float:
    """The mean of (weight, mean) pairs; weights of any scale."""
    pairs = list(parts)
    return math.fsum(weight * mean for weight, mean in pairs) / math.fsum(weight for weight, _ in pairs)


def empirical_mean(values: Sequence[float]) -> float:
    """The mean of equally likely values."""
    return math.fsum(values) / len(values)


def percentiles_mean(points: Iterable[tuple[float, float]]) -> float:
    """The mean of the quantile function through (share, value): linear from (0, 0), flat above the last."""
    share = value = 0.0
    terms = []
    for next_share, next_value in points:
        terms.append((next_share - share) * (value + next_value) / 2.0)
        share, value = next_share, next_value
    terms.append((1.0 - share) * value)
    return math.fsum(terms)
