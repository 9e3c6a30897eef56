"""Estimates from independent replications, alone and in pairs.

Runs of two variants that share their random numbers (same seed, same replication) are correlated, so their
difference is taken replication by replication: Student's t on the differences. That is exact for normal
values whatever the correlation, and the stronger the correlation, the narrower it is. Where nothing is shared,
`welch` takes the two samples apart (Welch 1947). A ratio of two paired means has the interval of Fieller
(1954): those r for which the mean of a - r·b does not differ from 0, so that an interval and a test of "a is
less than 80 % of b" cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sysim.analysis.statistics import half_width, mean, t_quantile


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` replications (or pairs) and half the width of its interval at `confidence`.

    `half_width` is None for a single value: from one run no interval is claimed. `missing` values had no data.
    `degrees` are the degrees of freedom of Student's t.
    """

    mean: float
    half_width: float | None
    n: int
    confidence: float = 0.95
    missing: int = 0
    degrees: float | None = None

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def p(self) -> float | None:
        """The two-sided p-value of the test that the mean is 0; None for a single value."""
        if self.half_width is None or self.degrees is None:
            return None
        if self.half_width == 0:
            return 0.0 if self.mean else 1.0
        from scipy.special import stdtr

        quantile = t_quantile(self.degrees, 0.5 + self.confidence / 2)
        return 2 * float(stdtr(self.degrees, -abs(self.mean) / self.half_width * quantile))

    @property
    def differs(self) -> bool:
        """Whether the whole interval is on one side of 0."""
        return self.half_width is not None and abs(self.mean) > self.half_width


def estimate(values: Sequence[float | None], confidence: float = 0.95) -> Estimate | None:
    """Mean and Student-t half width of the values that there are; None without any."""
    known = [x for x in values if x is not None]
    if not known:
        return None
    n = len(known)
    half = half_width(known, confidence)
    return Estimate(mean(known), half, n, confidence, len(values) - n, n - 1 if n > 1 else None)


def paired(
    a: Sequence[float | None], b: Sequence[float | None], confidence: float = 0.95
) -> Estimate | None:
    """The mean of ``a[i] - b[i]``, over the pairs where both have data; None without any."""
    return estimate(
        [None if x is None or y is None else x - y for x, y in zip(a, b, strict=True)], confidence
    )


def welch(a: Sequence[float | None], b: Sequence[float | None], confidence: float = 0.95) -> Estimate | None:
    """The difference of the means of two independent samples, with Welch's degrees of freedom."""
    x, y = [v for v in a if v is not None], [v for v in b if v is not None]
    if not x or not y:
        return None
    centre, n = mean(x) - mean(y), min(len(x), len(y))
    missing = len(a) + len(b) - len(x) - len(y)
    if n < 2:
        return Estimate(centre, None, n, confidence, missing)
    u, v = variance(x) / len(x), variance(y) / len(y)
    if u + v == 0:
        return Estimate(centre, 0.0, n, confidence, missing, n - 1)
    degrees = (u + v) ** 2 / (u**2 / (len(x) - 1) + v**2 / (len(y) - 1))
    half = t_quantile(degrees, 0.5 + confidence / 2) * math.sqrt(u + v)
    return Estimate(centre, half, n, confidence, missing, degrees)


def variance(values: Sequence[float]) -> float:
    """The sample variance, of at least two values."""
    centre = mean(values)
    return math.fsum((x - centre) ** 2 for x in values) / (len(values) - 1)


def fieller(
    a: Sequence[float], b: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float] | None:
    """The ratio of the mean of `a` to that of `b` and its interval (ratio, low, high), from pairs.

    None where the mean of `b` does not differ from 0 at this confidence: then the ratio may be anything.
    """
    n = len(a)
    if n < 2:
        return None
    x, y = mean(a), mean(b)
    t2 = t_quantile(n - 1, 0.5 + confidence / 2) ** 2 / n
    covariance = math.fsum((p - x) * (q - y) for p, q in zip(a, b, strict=True)) / (n - 1)
    # Those r with (x - r y)^2 <= t2 (var a - 2 r cov + r^2 var b): a quadratic in r.
    square = y * y - t2 * variance(b)
    if square <= 0:
        return None
    linear = x * y - t2 * covariance
    root = math.sqrt(max(0.0, linear * linear - square * (x * x - t2 * variance(a))))
    return x / y, (linear - root) / square, (linear + root) / square
