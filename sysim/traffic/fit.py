"""`fit`: a load trace turned into a calendar, with what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from sysim.errors import SysimError
from sysim.model.calendar import (
    DAYS,
    HOUR,
    SECOND,
    Burst,
    CalendarRate,
    DailyCurve,
    DailyFactors,
    Growth,
    Weekly,
    concentration,
)
from sysim.model.calendar import Noise as CalendarNoise
from sysim.model.shapes import ConstantRate
from sysim.traffic.estimate import Estimate, estimate
from sysim.traffic.noise import Noise, measure
from sysim.traffic.predict import Prediction, predict
from sysim.traffic.trace import DAY, Floats, Trace, of_pairs, read

CURVE = 0.03
"""A smooth curve stands for 24 factors if their mean error against it is at most this share of their mean."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A calendar fitted to a trace.

    `estimate` has the numbers with their standard errors, `noise` the variation around them, `prediction` how held-out
    weeks were foretold (None for a trace too short). `calendar` is the model of it, anchored at `start`, midnight of
    the trace's first day; `yaml` the block to paste. `print(fit)` says it all in words.
    """

    trace: Trace
    estimate: Estimate
    noise: Noise
    prediction: Prediction | None
    calendar: CalendarRate
    load: str = "customers"

    @property
    def start(self) -> str:
        """Midnight of the first day: what `time.start` is unless another day is asked about."""
        return f"{date.fromordinal(int(self.trace.days[0])).isoformat()}T00:00"

    @property
    def yaml(self) -> str:
        """The block of YAML, with comments on what it rests on."""
        from sysim.traffic.written import block

        return block(self)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, for JSON."""
        from sysim.traffic.written import as_dict

        return as_dict(self)

    def __str__(self) -> str:
        from sysim.traffic.told import told

        return "\n".join(told(self))


def fit(
    trace: Trace | str | Path | Iterable[tuple[datetime, float]],
    *,
    time: str | None = None,
    value: str | None = None,
    unit: str | None = None,
    every: str | None = None,
    start: str | None = None,
    zone: str | None = None,
    form: str | None = None,
    daily: str = "auto",
    held_out: float = 0.25,
    load: str = "customers",
) -> Fit:
    """Fit a calendar to a trace: a path, pairs of moments and counts, or a `Trace`.

    `time`, `value`, `unit`, `every`, `start`, `zone` and `form` say how a file is read (`sysim.traffic.trace.read`).
    `daily` is ``factors``, ``curve`` or ``auto``; `held_out` the share of weeks that the prediction is tried on. Raises
    `ScenarioError` for lines that cannot be read, `SysimError` for a trace in which there is nothing to fit.
    """
    if daily not in ("auto", "factors", "curve"):
        raise SysimError(f"found daily={daily!r}, expected auto, factors or curve")
    if not 0.0 < held_out < 1.0:
        raise SysimError(f"found a held-out share of {held_out}, expected one between 0 and 1")
    if isinstance(trace, str | Path):
        trace = read(trace, time=time, value=value, unit=unit, every=every, start=start, zone=zone, form=form)
    elif not isinstance(trace, Trace):
        trace = of_pairs(trace, every=every, zone=zone)
    if not np.nansum(trace.counts) > 0.0:
        raise SysimError(f"found nothing but zeros in {trace.name}, expected a load")
    found = estimate(trace)
    noise = measure(trace, found)
    return Fit(trace, found, noise, predict(trace, held_out), calendar(trace, found, noise, daily), load)


def calendar(trace: Trace, found: Estimate, noise: Noise, daily: str = "auto") -> CalendarRate:
    """The calendar that an estimate comes to, from midnight of the first day on."""
    first = date.fromordinal(int(trace.days[0])).isoformat()
    week = {day: float(factor) for day, factor in zip(DAYS, found.week, strict=True)}
    bursts = [
        Burst(at=burst.at * SECOND, duration=burst.length * SECOND, factor=burst.factor, every=burst.every * SECOND)
        for burst in found.bursts
    ]
    return CalendarRate(
        base=ConstantRate(value=found.base),
        start=f"{first}T00:00:00", home=trace.zone, zone=trace.zone,
        daily=_daily(trace, found.hours, daily),
        weekly=Weekly(**week) if found.weekly else None,
        dates={date.fromordinal(day).isoformat(): factor for day, factor in sorted(found.special.items())},
        growth=Growth(monthly=found.growth, since=first) if found.growth else None,
        bursts=tuple(bursts),
        noise=CalendarNoise(cv=noise.cv, every=noise.every * SECOND) if noise.cv >= 0.005 else None,
    )  # fmt: skip


def _daily(trace: Trace, hours: Floats, kind: str) -> DailyCurve | DailyFactors | None:
    if trace.width >= DAY:
        return None
    if kind != "factors":
        curve, error = _curve(hours)
        if kind == "curve" or error <= CURVE:
            return curve
    return DailyFactors(factors=tuple(float(factor) for factor in hours))


def _curve(hours: Floats) -> tuple[DailyCurve, float]:
    """The smooth day with the first harmonic of the hours, and the mean error of its hours against them.

    The mean of exp(k cos) times cos, over its mean, is I1(k)/I0(k); bisection finds the ratio with that of the hours.
    """
    angle = 2.0 * np.pi * (np.arange(24) + 0.5) / 24.0
    wave = complex(np.sum(hours * np.exp(1j * angle)) / hours.sum())
    low, high = 1.0, 24.0
    for _ in range(50):
        middle = (low + high) / 2.0
        shape = _shape(middle, 0.0)
        low, high = (middle, high) if _first_harmonic(shape) < abs(wave) else (low, middle)
    peak = float(np.angle(wave)) % (2.0 * np.pi) / (2.0 * np.pi) * 24.0
    minutes = round(peak * 12.0) * 5 % (24 * 60)
    ratio = min(24.0, max(1.0, (low + high) / 2.0))
    curve = DailyCurve(peak_at=minutes * HOUR // 60, peak_to_mean=ratio)
    of_hours = _shape(ratio, minutes / 60.0).reshape(24, -1).mean(axis=1)
    return curve, float(np.abs(of_hours - hours).mean())


def _shape(ratio: float, peak: float) -> Floats:
    """The smooth day at the middle of each minute."""
    minutes = (np.arange(1440) + 0.5) / 60.0
    shape = np.exp(concentration(ratio) * (np.cos(2.0 * np.pi * (minutes - peak) / 24.0) - 1.0))
    return np.asarray(shape / shape.mean())


def _first_harmonic(shape: Floats) -> float:
    minutes = (np.arange(1440) + 0.5) / 60.0
    return float(np.mean(shape * np.cos(2.0 * np.pi * minutes / 24.0)))
