"""Mean and Student-t half width over replications, and the exact interval of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean(values: Sequence[float]) -> float:
    """The mean, summed without rounding error."""
    return math.fsum(values) / len(values)


def half_width(values: Sequence[float], confidence: float = 0.95) -> float | None:
    """Half the width of the Student-t interval of the mean; None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    centre = mean(values)
    spread = math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (n - 1))
    return t_quantile(n - 1, 0.5 + confidence / 2) * spread / math.sqrt(n)


def t_quantile(degrees: float, share: float) -> float:
    """Quantile of Student's t."""
    key = (degrees, share)
    if key not in _T:
        from scipy.special import stdtrit

        return float(stdtrit(degrees, share))
    return _T[key]


def t_two_sided(distance: float, values: Sequence[float]) -> float:
    """The p-value of Student's t test that the mean of `values` differs from one that is `distance` away."""
    n = len(values)
    centre = mean(values)
    spread = math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (n - 1))
    if spread == 0:
        return 0.0 if distance else 1.0
    from scipy.special import stdtr

    return 2 * float(stdtr(n - 1, -abs(distance) / (spread / math.sqrt(n))))


def share_two_sided(hits: int, n: int, share: float) -> float:
    """The p-value of the exact test that a probability differs from `share`, as `share_interval` decides it."""
    from scipy.special import bdtr

    at_most = float(bdtr(hits, n, share))
    at_least = 1.0 if hits == 0 else 1 - float(bdtr(hits - 1, n, share))
    return min(1.0, 2 * min(at_most, at_least))


# The everyday values, so that a small study need not load scipy: 95 %, up to 30 replications.
_T: dict[tuple[float, float], float] = {
    (degrees, 0.975): value
    for degrees, value in enumerate(
        (
            12.706204736432095, 4.302652729911275, 3.182446305284263, 2.7764451051977987,
            2.5705818366147395, 2.4469118487916806, 2.3646242510102993, 2.3060041350333704,
            2.2621571627409915, 2.2281388519649385, 2.200985160082949, 2.1788128296634177,
            2.160368656461013, 2.1447866879169273, 2.131449545559323, 2.1199052992210112,
            2.1098155778331806, 2.10092204024096, 2.093024054408263, 2.0859634472658364,
            2.079613844727662, 2.0738730679040147, 2.0686576104190406, 2.0638985616280205,
            2.059538552753294, 2.055529438642871, 2.0518305164802833, 2.048407141795244,
            2.045229642132703,
        ),
        start=1,
    )
}  # fmt: skip


def share_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a probability after `hits` in `n`."""
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return low, high
