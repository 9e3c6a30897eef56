"""`Year`: what a calendar year comes to, how that is known, and whether to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sysim.analysis.stratified import Interval


@dataclass(frozen=True, slots=True)
class LoadYear:
    """A load over the year; `success` a share, `latency_s` that of successes by name of the quantile."""

    offered: float
    failed: Interval
    degraded: Interval
    success: Interval
    latency_s: Mapping[str, float | None]
    earned: Interval | None
    lost: Interval | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class ServiceYear:
    """A service over the year: replicas on average, and what they cost."""

    replicas: float
    cost: float | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """A day: by load what came, what failed and what that cost; the highest utilisation and whose; what share of it was
    simulated, and whether because it `matters`.

    Failures of a day that was not simulated are what the model says, put right as it is on average.
    """

    date: str
    offered: Mapping[str, float]
    failed: Mapping[str, float]
    lost: Mapping[str, float]
    peak: float
    busiest: str | None
    simulated: float
    matters: bool


@dataclass(frozen=True, slots=True)
class Period:
    """One period of the error budget of an slo: which share of it was spent, and the days that spent most of it."""

    slo: str
    what: str
    first: str
    days: int
    requests: float
    bad: Interval
    spent: Interval
    worst: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch simulated whole: when it begins (as a moment) and how long it lasts, and what failed in it."""

    begins: str
    lasts_s: float
    why: str
    peak: float
    busiest: str | None
    failed: Mapping[str, float]
    recovered: bool


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cells between two utilisations of the busiest service: how many, how many sampled, and what failed of those."""

    low: float
    high: float
    cells: int
    sampled: int
    offered: float
    failed: float


@dataclass(frozen=True, slots=True)
class Validation:
    """A load in stretches that the answer has not seen: what failed there, and what the account says of them.

    `error` is what the account says too little (or, negative, too much), as a share of all requests; `agrees` whether
    that may be chance.
    """

    stretches: int
    hours: float
    offered: float
    failed: float
    predicted: float
    error: Interval
    agrees: bool


@dataclass(frozen=True)
class Year:
    """The answer of `sysim.year`. `doubts` says why it is not to be trusted; empty where it is."""

    scenario: str
    first: str
    days: tuple[Day, ...]
    loads: Mapping[str, LoadYear]
    services: Mapping[str, ServiceYear]
    periods: tuple[Period, ...]
    stretches: tuple[Stretch, ...]
    strata: tuple[Stratum, ...]
    validation: Mapping[str, Validation]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    cell_s: float
    simulated_s: float
    runs: int
    seed: int
    confidence: float

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against the answer."""
        return not self.doubts

    @property
    def worst(self) -> tuple[Day, ...]:
        """The days by what failed, the worst first."""
        return tuple(sorted(self.days, key=lambda day: -sum(day.failed.values())))

    def to_dict(self) -> dict[str, object]:
        """The object of the JSON result."""
        from sysim.report.year import year_dict

        return year_dict(self)
