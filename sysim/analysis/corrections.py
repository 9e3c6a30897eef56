"""Several verdicts at once: the step-down correction of Holm (1979).

With m tests at 5 % each, one of them is wrong by chance far more often than 5 % of the time. Holm's method
orders the p-values and holds the smallest to 5 %/m, the next to 5 %/(m - 1) and so on, until one is not
decided; it and all that follow are left undecided. The chance of *any* wrong decision is then at most 5 %,
whatever the dependence between the tests, and it decides everything that Bonferroni's would, or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Correction = Literal["holm", "none"]
CORRECTIONS: tuple[Correction, ...] = ("holm", "none")


def holm(p_values: Sequence[float], alphas: Sequence[float]) -> list[float]:
    """For each test the share of its permitted error `alpha` that Holm's method lets it use.

    A test is decided if its p-value is at most that share of its alpha; an interval at confidence 1 - alpha ×
    share says the same. All tests from the first undecided one on get the share of that one.
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: (p_values[i] / alphas[i], i))
    shares = [0.0] * m
    share, open_ = 0.0, True
    for rank, i in enumerate(order):
        if open_:
            share = 1 / (m - rank)
            open_ = p_values[i] <= alphas[i] * share
        shares[i] = share
    return shares
