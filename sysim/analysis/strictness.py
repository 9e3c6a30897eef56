"""How sure a verdict has to be: its share of the permitted error, and a guard against skewed values.

Student's t is exact for normal values, and nearly so for the means of many requests that runs usually give.
But ten values with a long tail on one side often show nothing of the tail: then t is far too sure, and a rule
that looks several times takes every chance to be wrong. With `guarded` the end of the interval on the side of
the long tail moves out by the first term of the Edgeworth expansion of t (Johnson 1978, Hall 1983),

    t + |g| (2 t² + 1) / (6 √n),    g the skewness of the values,

and the other end stays where t puts it, so that a guarded interval always holds the plain one. Measured over
8 000 studies of up to 200 exponential values of which the mean is exactly the limit, looks at 10, 20, 50, 100
and 200: "holds" is said wrongly in 9.7 % of them by t alone with equal shares of the error, in 4.0 % with the
guard and the shares of `looks`; of normal values it is 1.9 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sysim.analysis.statistics import mean, t_quantile, t_two_sided


@dataclass(frozen=True, slots=True)
class Strictness:
    """`share` of the permitted error 1 - confidence that one verdict may use; `guarded` against skewness."""

    share: float = 1.0
    guarded: bool = False

    def level(self, confidence: float) -> float:
        """The confidence of one interval."""
        return 1 - (1 - confidence) * self.share

    def of(self, share: float) -> Strictness:
        """A share of this one's share."""
        return replace(self, share=self.share * share)

    def interval(self, values: Sequence[float], confidence: float) -> tuple[float, float] | None:
        """The interval of the mean; None for a single value."""
        n = len(values)
        if n < 2:
            return None
        centre, error, skewness = _moments(values)
        t = t_quantile(n - 1, 0.5 + self.level(confidence) / 2)
        low, high = centre - t * error, centre + t * error
        if not self.guarded or error == 0:
            return low, high
        if skewness < 0:
            return centre - _widened(t, -skewness) * error, high
        return low, centre + _widened(t, skewness) * error

    def p(self, distance: float, values: Sequence[float]) -> float:
        """The two-sided p-value of the test that the mean is `distance` less, as `interval` decides it."""
        n = len(values)
        _, error, skewness = _moments(values)
        # A distance above 0 is one to the lower end of the interval.
        if not self.guarded or error == 0 or distance * skewness >= 0:
            return t_two_sided(distance, values)
        from scipy.special import stdtr

        t = _unwidened(abs(distance) / error, abs(skewness))
        return 2 * float(stdtr(n - 1, -t))


PLAIN = Strictness()
"""One look, one verdict: Student's t as it is."""


def _moments(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, its standard error, and the skewness divided by the root of n, of at least two values."""
    n, centre = len(values), mean(values)
    spread = math.sqrt(math.fsum((x - centre) ** 2 for x in values) / (n - 1))
    if spread == 0:
        return centre, 0.0, 0.0
    skewness = math.fsum(((x - centre) / spread) ** 3 for x in values) / n
    return centre, spread / math.sqrt(n), skewness / math.sqrt(n)


def _widened(t: float, a: float) -> float:
    """`t` moved out; `a` is the size of the skewness divided by the root of n."""
    return t + a * (2 * t * t + 1) / 6


def _unwidened(distance: float, a: float) -> float:
    """The inverse: the t that is moved out to `distance`; 0 for what is closer than any."""
    if a < 1e-12:
        return distance
    return max(0.0, (math.sqrt(max(0.0, 1 - 4 * (a / 3) * (a / 6 - distance))) - 1) / (2 * a / 3))
