"""Distributions of durations, told apart by `kind`. All parameters are means and durations, never mu and
sigma.

Each may carry `max` (ns): a drawn value above it is cut down to it. `Normal` is truncated at 0, which means
conditioned on being at least 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sysim.model.values import Duration, Model, PositiveDuration, PositiveFactor, Share
from sysim.units import duration


class _Distribution(Model):
    max: PositiveDuration | None = None


class Constant(_Distribution):
    """Always `value` (ns)."""

    kind: Literal["constant"] = "constant"
    value: Duration


class Exponential(_Distribution):
    """Exponential with `mean` (ns)."""

    kind: Literal["exponential"] = "exponential"
    mean: Duration


class Uniform(_Distribution):
    """Uniform between `low` and `high` (ns)."""

    kind: Literal["uniform"] = "uniform"
    low: Duration
    high: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.high < self.low:
            raise ValueError("found a lower end above the upper end, expected [low, high]")
        return self


class Normal(_Distribution):
    """Normal with `mean` and standard deviation `sd` (ns) before it is truncated at 0."""

    kind: Literal["normal"] = "normal"
    mean: Duration
    sd: Duration


class Lognormal(_Distribution):
    """Lognormal, given either by `mean` (ns) and `cv` (coefficient of variation) or by `median` and `p99`
    (ns).
    """

    kind: Literal["lognormal"] = "lognormal"
    mean: PositiveDuration | None = None
    cv: PositiveFactor | None = None
    median: PositiveDuration | None = None
    p99: PositiveDuration | None = None

    @model_validator(mode="after")
    def _one_pair(self) -> Lognormal:
        given = {name for name in ("mean", "cv", "median", "p99") if getattr(self, name) is not None}
        if given not in ({"mean", "cv"}, {"median", "p99"}):
            raise ValueError(f"found {_listed(given)}, expected mean and cv, or median and p99")
        if self.median is not None and self.p99 is not None and self.p99 < self.median:
            raise ValueError("found a p99 below the median, expected p99 of at least the median")
        return self


class Gamma(_Distribution):
    """Gamma with `mean` (ns) and either `cv` or the shape `k`; an Erlang distribution is one with a whole
    `k`.
    """

    kind: Literal["gamma"] = "gamma"
    mean: PositiveDuration
    cv: PositiveFactor | None = None
    k: PositiveFactor | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Gamma:
        if (self.cv is None) == (self.k is None):
            raise ValueError(f"found {'neither' if self.cv is None else 'both'}, expected one of cv and k")
        return self

    @property
    def shape(self) -> float:
        """The shape k, also where `cv` was given (k = 1/cv²)."""
        if self.k is not None:
            return self.k
        assert self.cv is not None
        return 1.0 / (self.cv * self.cv)


class Weibull(_Distribution):
    """Weibull with `mean` (ns) and `shape`."""

    kind: Literal["weibull"] = "weibull"
    mean: PositiveDuration
    shape: PositiveFactor


class Pareto(_Distribution):
    """Pareto from `min` (ns) with tail index `alpha`; its mean is infinite for alpha <= 1 without `max`."""

    kind: Literal["pareto"] = "pareto"
    min: PositiveDuration
    alpha: PositiveFactor


class ExponentialPart(Model):
    """One branch of a hyperexponential: `weight` (any scale) and `mean` (ns)."""

    weight: PositiveFactor
    mean: Duration


class Hyperexponential(_Distribution):
    """One of several exponentials, chosen by weight."""

    kind: Literal["hyperexponential"] = "hyperexponential"
    parts: tuple[ExponentialPart, ...] = Field(min_length=1)


class MixturePart(Model):
    """One branch of a mixture: `weight` (any scale) and the distribution `of` it."""

    weight: PositiveFactor
    of: DistributionLike


class Mixture(_Distribution):
    """One of several distributions, chosen by weight."""

    kind: Literal["mixture"] = "mixture"
    parts: tuple[MixturePart, ...] = Field(min_length=1)


class Empirical(_Distribution):
    """Each of `values` (ns) with the same probability."""

    kind: Literal["empirical"] = "empirical"
    values: tuple[Duration, ...] = Field(min_length=1)


class PercentilePoint(Model):
    """The `value` (ns) that a `share` in 0..1 of all draws does not exceed."""

    share: Share
    value: Duration


class Percentiles(_Distribution):
    """Known percentiles, in rising order: linear between them, from 0 below the first, constant above the
    last.
    """

    kind: Literal["percentiles"] = "percentiles"
    points: tuple[PercentilePoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> Percentiles:
        for before, after in zip(self.points, self.points[1:], strict=False):
            if after.share <= before.share or after.value < before.value:
                raise ValueError("found percentiles that fall, expected values that rise with the percentile")
        return self


Distribution = (
    Constant | Exponential | Uniform | Normal | Lognormal | Gamma | Weibull | Pareto
    | Hyperexponential | Mixture | Empirical | Percentiles
)  # fmt: skip
"""Any distribution of durations; `kind` tells which."""


def only_value(distribution: Distribution) -> int | None:
    """The value (ns) of a distribution that has no other, None where there are several."""
    value: int | None = None
    match distribution:
        case Constant(value=constant):
            value = constant
        case Exponential(mean=0):
            value = 0
        case Uniform(low=low, high=high) if low == high:
            value = low
        case Normal(mean=mean, sd=0):
            value = mean
        case Empirical(values=values) if min(values) == max(values):
            value = values[0]
        case Mixture(parts=(part,)):
            value = only_value(part.of)
        case _:
            pass
    return value if value is None or distribution.max is None else min(value, distribution.max)


def _constant(value: Any) -> Any:
    if isinstance(value, str):
        return Constant(value=duration(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Constant(value=value)
    return value


DistributionField = Annotated[Distribution, Field(discriminator="kind")]
DistributionLike = Annotated[DistributionField, BeforeValidator(_constant)]
"""A distribution; a duration, as text or as ns, stands for the constant."""

MixturePart.model_rebuild()
Mixture.model_rebuild()


def _listed(names: set[str]) -> str:
    return " and ".join(sorted(names)) if names else "none of them"
