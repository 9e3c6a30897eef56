"""How much of the variance of a result each factor makes: Sobol indices, by the estimators of Saltelli and Jansen.

For a function f of k independent factors with variance V, the first-order index of factor i is the share of V that
goes when that factor alone is known, ``S_i = V(E(f | x_i)) / V``; the total index is the share that stays when all
others are known, ``T_i = E(V(f | x_~i)) / V``. T_i is more than S_i where the factor works together with others. From
the values at two independent samples A and B, and at A with the i-th column of B:

    S_i = mean(f(B) (f(AB_i) - f(A))) / V           (Saltelli et al. 2010, table 2, b)
    T_i = mean((f(A) - f(AB_i))²) / (2 V)           (Jansen 1999)

V is the variance of f(A) and f(B) together; all values are taken less their mean, which makes S_i less noisy. Intervals
are those of the bootstrap over rows, between its percentiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sysim.plan.identity import draws, salt

Floats = NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Index:
    """The indices of one factor, with intervals (low, high)."""

    first: float
    first_interval: tuple[float, float]
    total: float
    total_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Indices:
    """The indices of all factors, in order, from `rows` rows; `missing` more had no value somewhere.

    `variance` is that of the function, and `mean` its mean, over the range of the factors.
    """

    factors: tuple[Index, ...]
    mean: float
    variance: float
    rows: int
    missing: int
    confidence: float


def indices(
    a: Sequence[float | None],
    b: Sequence[float | None],
    mixed: Sequence[Sequence[float | None]],
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Indices | None:
    """The indices from the values at A, at B, and for each factor at A with its column of B.

    None where fewer than eight rows have all their values, or where these do not vary.
    """
    table = np.array([a, b, *mixed], dtype=np.float64)
    whole = ~np.isnan(table).any(axis=0)
    table = table[:, whole]
    n = table.shape[1]
    if n < 8 or not np.ptp(table[:2]) > 0:
        return None
    mean = float(table[:2].mean())
    table = table - mean
    first, total = _estimates(table)
    picked = np.stack([_estimates(table[:, chosen]) for chosen in _resampled(n, resamples)])
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    low, high = np.nanquantile(picked, tails, axis=0)
    return Indices(
        factors=tuple(
            Index(
                float(first[i]), (float(low[0, i]), float(high[0, i])),
                float(total[i]), (float(low[1, i]), float(high[1, i])),
            )
            for i in range(len(mixed))
        ),
        mean=mean,
        variance=float(table[:2].var()),
        rows=n,
        missing=int((~whole).sum()),
        confidence=confidence,
    )  # fmt: skip


def _estimates(table: Floats) -> Floats:
    """First-order and total indices, a row each."""
    a, b, mixed = table[0], table[1], table[2:]
    variance = table[:2].var()
    if variance == 0:
        return np.full((2, len(mixed)), np.nan)
    first = (b * (mixed - a)).mean(axis=1) / variance
    total = ((a - mixed) ** 2).mean(axis=1) / (2 * variance)
    return np.stack([first, total])


def _resampled(n: int, resamples: int) -> NDArray[np.int64]:
    """Rows with replacement, the same ones whenever there are as many of them."""
    shares = draws(salt("sobol", "bootstrap"), 0, resamples * n).reshape(resamples, n)
    return (shares * n).astype(np.int64)
