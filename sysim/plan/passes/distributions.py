"""Distributions into rows of `dist`, `distF` and `points`, in the parameters that the sampling law wants.

Equal distributions share a row. What can only take one value is written as a constant, so that it draws
nothing and its timers may use a lane.
"""

from __future__ import annotations

from sysim.model import (
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    Normal,
    Pareto,
    Percentiles,
    Uniform,
    Weibull,
)
from sysim.model.demand import mean
from sysim.model.distribution import only_value
from sysim.plan.errors import PlanError
from sysim.plan.passes.rows import row, row_f
from sysim.plan.tables import (
    D_A,
    D_B,
    D_CAP,
    D_CONST,
    D_COUNT,
    D_FIRST,
    D_KIND,
    D_MEAN,
    N_D,
    N_DF,
    NEVER,
    NONE,
)
from sysim.semantics import fit
from sysim.semantics.kinds import (
    KIND_CONSTANT,
    KIND_EMPIRICAL,
    KIND_EXPONENTIAL,
    KIND_GAMMA,
    KIND_LOGNORMAL,
    KIND_MIXTURE,
    KIND_NORMAL,
    KIND_PARETO,
    KIND_PERCENTILES,
    KIND_UNIFORM,
    KIND_WEIBULL,
)

NS = 1_000_000_000
DEEPEST_MIXTURE = 15  # levels of mixtures that have a uniform of their own


class Distributions:
    """The rows of all distributions, equal ones once."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.points: list[list[float]] = []
        self._number: dict[Distribution, int] = {}

    def add_optional(self, distribution: Distribution | None) -> int:
        """The row of a distribution, -1 for None."""
        return NONE if distribution is None else self.add(distribution)

    def add(self, distribution: Distribution) -> int:
        """The row of a distribution."""
        if distribution not in self._number:
            self._number[distribution] = self._write(distribution, 0)
        return self._number[distribution]

    def constant_of(self, distribution: Distribution | None) -> int | None:
        """Its only value in ns, None where there is more than one or no distribution."""
        return None if distribution is None else only_value(distribution)

    def _write(self, distribution: Distribution, depth: int) -> int:
        if depth > DEEPEST_MIXTURE:
            raise PlanError("distribution", f"mixtures are nested more than {DEEPEST_MIXTURE} deep")
        constant = self.constant_of(distribution)
        columns = {D_CONST: NONE, D_CAP: NEVER if distribution.max is None else distribution.max}
        floats = {D_MEAN: mean(distribution) / NS}
        points: list[list[float]] = []
        if constant is not None:
            columns |= {D_KIND: KIND_CONSTANT, D_CONST: constant}
            floats = {D_A: constant / NS, D_MEAN: constant / NS}
        elif isinstance(distribution, Mixture | Hyperexponential):
            columns[D_KIND] = KIND_MIXTURE
            points = self._mixture(distribution, depth)
        elif isinstance(distribution, Empirical):
            columns[D_KIND] = KIND_EMPIRICAL
            points = [[value / NS, 0.0] for value in distribution.values]
        elif isinstance(distribution, Percentiles):
            columns[D_KIND] = KIND_PERCENTILES
            points = [[point.share, point.value / NS] for point in distribution.points]
        else:
            kind, a, b = _parameters(distribution)
            columns[D_KIND] = kind
            floats |= {D_A: a, D_B: b}
        columns |= {D_FIRST: len(self.points), D_COUNT: len(points)}
        self.points.extend(points)
        self.rows.append(row(N_D, columns))
        self.rows_f.append(row_f(N_DF, floats))
        return len(self.rows) - 1

    def _mixture(self, distribution: Mixture | Hyperexponential, depth: int) -> list[list[float]]:
        """Cumulative weights with the rows of the parts, which are written first."""
        parts: list[tuple[float, Distribution]] = []
        if isinstance(distribution, Mixture):
            parts = [(part.weight, part.of) for part in distribution.parts]
        else:
            parts = [(part.weight, Exponential(mean=part.mean)) for part in distribution.parts]
        points = []
        shares = fit.cumulative_weights([weight for weight, _ in parts])
        for share, (_, part) in zip(shares, parts, strict=True):
            if part not in self._number:
                self._number[part] = self._write(part, depth + 1)
            points.append([share, float(self._number[part])])
        return points


def _parameters(distribution: Distribution) -> tuple[int, float, float]:
    """Kind and parameters of a distribution that two numbers describe, in seconds."""
    match distribution:
        case Exponential(mean=mean):
            return KIND_EXPONENTIAL, mean / NS, 0.0
        case Uniform(low=low, high=high):
            return KIND_UNIFORM, low / NS, high / NS
        case Normal(mean=mean, sd=sd):
            return KIND_NORMAL, mean / NS, sd / NS
        case Lognormal(mean=int(mean), cv=float(cv)):
            return KIND_LOGNORMAL, *fit.lognormal_from_mean_cv(mean / NS, cv)
        case Lognormal(median=int(median), p99=int(p99)):
            return KIND_LOGNORMAL, *fit.lognormal_from_median_p99(median / NS, p99 / NS)
        case Gamma(mean=mean, shape=shape):
            return KIND_GAMMA, *fit.gamma_from_mean_shape(mean / NS, shape)
        case Weibull(mean=mean, shape=shape):
            return KIND_WEIBULL, *fit.weibull_from_mean_shape(mean / NS, shape)
        case Pareto(min=least, alpha=alpha):
            return KIND_PARETO, least / NS, alpha
        case _:
            raise TypeError(f"{distribution.kind} has no two parameters")
