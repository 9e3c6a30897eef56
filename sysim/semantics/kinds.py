"""Numbers that laws and plans share, in a module without numba: kinds of distributions, sizes of windows."""

from __future__ import annotations

import math
from typing import Final

KIND_CONSTANT: Final = 0
KIND_EXPONENTIAL: Final = 1
KIND_UNIFORM: Final = 2
KIND_NORMAL: Final = 3
KIND_LOGNORMAL: Final = 4
KIND_GAMMA: Final = 5
KIND_WEIBULL: Final = 6
KIND_PARETO: Final = 7
KIND_MIXTURE: Final = 8
KIND_EMPIRICAL: Final = 9
KIND_PERCENTILES: Final = 10
KINDS: Final = (
    "constant",
    "exponential",
    "uniform",
    "normal",
    "lognormal",
    "gamma",
    "weibull",
    "pareto",
    "mixture",
    "empirical",
    "percentiles",
)

BREAKER_WORDS: Final = 3  # a slot of a breaker's time window holds total, failed, slow
BUDGET_SLOTS: Final = 20
BUDGET_WORDS: Final = 2  # a slot of a budget's window holds first tries, retries
_SECOND: Final = 1_000_000_000
_GRACE: Final = 1e-9  # 30 % of 10 replicas are 3, whatever binary fractions make of it


def ring_length(breaker: int, calls: int, time: int, ratio_budget: bool) -> int:
    """How many elements of ``ring`` a scope needs: the breaker's window first, then the budget's.

    The first three arguments are P_BREAKER, P_BREAKER_CALLS and P_BREAKER_TIME of its policy.
    """
    length = 0
    if breaker and time > 0:
        slots = 10 if time < 10 * _SECOND else min(600, -(-time // _SECOND))
        length = BREAKER_WORDS * slots
    elif breaker:
        length = calls
    return length + (BUDGET_WORDS * BUDGET_SLOTS if ratio_budget else 0)


def struck(share: float, count: int) -> int:
    """How many of `count` replicas a share in 0..1 means, rounded up. Passes call it, engines as a law."""
    return math.ceil(share * count - _GRACE)
