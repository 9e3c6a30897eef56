"""Intervals of quantiles, and of the median, from order statistics: no shape of the distribution is assumed.

Of n independent values the number below the q-quantile is binomial, so the probability that the quantile lies
between two order statistics is a sum of binomial probabilities. Values may be infinite: "has not recovered"
is longer than any time, and a median stands as long as fewer than half of the runs are so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """The sample quantile and two order statistics around it. -inf or inf: there are too few values to bound
    that side. `coverage` is the probability with which such an interval holds the quantile, at least as
    asked.
    """

    value: float
    low: float
    high: float
    coverage: float


def quantile_interval(values: Sequence[float], q: float = 0.5, confidence: float = 0.95) -> QuantileInterval:
    """The narrowest pair of order statistics with equal tails of at most (1 - confidence)/2 each."""
    if not values or not 0 < q < 1:
        raise ValueError(f"found {len(values)} values and q = {q}, expected some values and 0 < q < 1")
    ordered, n, tail = sorted(values), len(values), (1 - confidence) / 2
    # P(X_(i) > quantile) = P(fewer than i values lie below it) = cdf(i - 1)
    cumulated = _binomial_cdf(n, q)
    low = max((i for i in range(1, n + 1) if cumulated[i - 1] <= tail), default=0)
    high = min((i for i in range(1, n + 1) if 1 - cumulated[i - 1] <= tail), default=n + 1)
    below = cumulated[low - 1] if low else 0.0
    above = 1 - cumulated[high - 1] if high <= n else 0.0
    return QuantileInterval(
        ordered[max(1, math.ceil(q * n - 1e-9)) - 1],
        ordered[low - 1] if low else -math.inf,
        ordered[high - 1] if high <= n else math.inf,
        1 - below - above,
    )


def _binomial_cdf(n: int, q: float) -> list[float]:
    """P(at most k) for k = 0, …, n, from logarithms so that no n is too large."""
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        + k * math.log(q) + (n - k) * math.log1p(-q)
        for k in range(n + 1)
    ]  # fmt: skip
    found, total = [], 0.0
    for value in logs:
        total += math.exp(value)
        found.append(min(1.0, total))
    return found
