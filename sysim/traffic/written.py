"""A fit as YAML to paste, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sysim.model import DailyCurve, DailyFactors
from sysim.model.calendar import DAYS
from sysim.units import format_duration

if TYPE_CHECKING:
    from sysim.traffic.fit import Fit


def block(fit: Fit) -> str:
    """`load: {NAME: {rate: …}}`, one part a line, with comments; `time.start` where the trace began."""
    rate, found, trace = fit.calendar, fit.estimate, fit.trace
    last = date.fromordinal(int(trace.days[trace.known].max())).isoformat()
    width = format_duration(trace.width * 1_000_000_000)
    zone = f"   # and time.zone: {trace.zone}" if trace.zone else ""
    lines = [
        f"# fitted to {trace.name}, {fit.start[:10]} to {last}, counts of {width}",
        f"# needs time.start, as 2026-04-11T00:00; the trace began on {fit.start}{zone}",
        "load:",
        f"  {fit.load}:",
        "    rate:",
        f"      base: {_rate(found.base)}{_plus_minus(fit)}",
    ]
    if isinstance(rate.daily, DailyCurve):
        minutes = rate.daily.peak_at // 60_000_000_000
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
        lines.append(f"      daily: {{peak_at: {clock!r}, peak_to_mean: {_number(rate.daily.peak_to_mean)}}}")
    elif isinstance(rate.daily, DailyFactors):
        numbers = [_number(factor) for factor in rate.daily.factors]
        lines += [
            "      daily: [" + ", ".join(numbers[:12]) + ",",
            "              " + ", ".join(numbers[12:]) + "]",
        ]
    if rate.weekly is not None:
        week = [f"{day}: {_number(getattr(rate.weekly, day))}" for day in DAYS]
        lines.append("      weekly: {" + ", ".join(week) + "}")
    if rate.growth is not None:
        monthly = f"{100 * rate.growth.monthly:.3g}%"
        lines.append(f"      growth: {{monthly: {monthly}, since: {rate.growth.since}}}")
    if rate.dates:
        lines.append("      dates:                      # days unlike the others; keep those that come again")
        lines += [f"        {day}: {_number(factor)}" for day, factor in rate.dates.items()]
    if rate.bursts:
        lines.append("      bursts:")
        for burst in rate.bursts:
            parts = {"at": burst.at, "for": burst.duration, "every": burst.every}
            told = [f"{key}: {format_duration(value)}" for key, value in parts.items() if value is not None]
            lines.append(f"        - {{{', '.join(told)}, factor: {_number(burst.factor)}}}")
    if rate.noise is not None:
        lines.append(f"      noise: {{cv: {100 * rate.noise.cv:.3g}%, every: {format_duration(rate.noise.every)}}}")
    return "\n".join(lines) + "\n"


def _rate(per_second: float) -> str:
    for unit, length in (("/s", 1.0), ("/m", 60.0), ("/h", 3_600.0), ("/d", 86_400.0)):
        if per_second * length >= 1.0 or unit == "/d":
            return f"{_number(per_second * length)}{unit}"
    raise AssertionError


def _number(value: float) -> str:
    """Four digits, never in powers of ten."""
    if value == 0.0:
        return "0"
    text = f"{value:.4g}"
    return f"{float(text):.10f}".rstrip("0").rstrip(".") if "e" in text else text


def _plus_minus(fit: Fit) -> str:
    error = float(fit.estimate.se["base"][0])
    return f"                # ± {196 * error:.2g} % (95 %)" if error > 0.0 else ""


def as_dict(fit: Fit) -> dict[str, Any]:
    """All numbers, for JSON; what cannot be known is null."""
    found = fit.estimate
    return {
        "trace": fit.trace.name,
        "start": fit.start,
        "zone": fit.trace.zone,
        "span_s": fit.trace.width,
        "spans": len(fit.trace.counts),
        "known": int(fit.trace.known.sum()),
        "notes": list(fit.trace.notes),
        "base_per_s": found.base,
        "hours": found.hours.tolist(),
        "week": dict(zip(DAYS, found.week.tolist(), strict=True)) if found.weekly else None,
        "growth_monthly": found.growth,
        "dates": dict(fit.calendar.dates),
        "bursts": [asdict(burst) for burst in found.bursts],
        "noise": {"cv": fit.noise.cv, "every_s": fit.noise.every,
                  "measured": {str(width): cv for width, cv in fit.noise.measured.items()}},
        "standard_errors_of_logarithms": {
            name: [None if value != value else value for value in errors.tolist()] for name, errors in found.se.items()
        },
        "prediction": None if fit.prediction is None else asdict(fit.prediction),
        "yaml": fit.yaml,
    }  # fmt: skip
