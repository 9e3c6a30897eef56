"""When a sequential study looks at its verdicts, and how sure each look has to be.

Looking again and again at 95 % intervals until one of them decides is wrong far more often than 5 % of the
time. So the looks are few and fixed beforehand (10, 20, 50, 100, 200 replications), and they divide the
permitted error among them, the k-th in proportion to k² (for five looks 2, 7, 16, 29 and 45 %). By the union
bound the chance that an interval misses at *any* of the looks is then at most the permitted one, whatever rule
decides at which look to stop. The first looks get little since few values tell least about their own spread, and
since what they decide is usually beyond doubt anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

FIRST, MOST = 10, 200
_STEPS = (1, 2, 5)


def looks(first: int = FIRST, most: int = MOST) -> tuple[int, ...]:
    """The numbers of replications at which to look: `first` times 1, 2, 5, 10, 20, …, and at last `most`."""
    if not 2 <= first <= most:
        raise ValueError(f"found {first} to {most} replications, expected at least 2 and no more than the most")
    found: list[int] = []
    scale = 1
    while first * scale < most:
        found += [n for step in _STEPS if (n := first * scale * step) < most]
        scale *= 10
    # A look shortly before the last one would cost a share of the error and tell next to nothing.
    if len(found) > 1 and found[-1] * 5 > most * 4:
        found.pop()
    return (*found, most)


def narrow_enough(interval: tuple[float, float], value: float, precision: float) -> bool:
    """Whether half the interval's width is at most the share `precision` of the value's size."""
    return (interval[1] - interval[0]) / 2 <= precision * abs(value)


def spent_at(planned: Sequence[int], look: int) -> float:
    """The share of the permitted error that look number `look` (from 0) may use; all together use 1."""
    return (look + 1) ** 2 / sum((k + 1) ** 2 for k in range(len(planned)))
