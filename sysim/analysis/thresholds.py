"""The median of thresholds that are known only to lie between two values, with an interval by order statistics.

Each of n independent replications has its own threshold. Whatever their distribution, the median lies between the
j-th smallest and the j-th largest with probability 1 - 2 P(Binomial(n, 1/2) < j).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Bracket = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Median:
    """The median lies in `bracket` (the middle threshold's own bracket) and, with probability `confidence`, in
    `interval`. Infinite where thresholds lie outside of what was tried.
    """

    bracket: Bracket
    interval: Bracket
    confidence: float
    n: int


def median(brackets: Sequence[Bracket], confidence: float = 0.95) -> Median:
    """The median threshold. The confidence is at least the one asked for where n allows it (6 for 95 %), else that
    of the widest interval there is.
    """
    n = len(brackets)
    lows, highs = sorted(low for low, _ in brackets), sorted(high for _, high in brackets)
    j = 1
    while j + 1 <= (n + 1) // 2 and coverage(n, j + 1) >= confidence:
        j += 1
    left, right = (n - 1) // 2, n // 2
    return Median((lows[left], highs[right]), (lows[j - 1], highs[n - j]), coverage(n, j), n)


def coverage(n: int, j: int) -> float:
    """The probability that the median lies between the j-th smallest and the j-th largest of n values."""
    return max(0.0, 1.0 - 2.0 * sum(math.comb(n, k) for k in range(j)) / 2.0**n)
