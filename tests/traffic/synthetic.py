"""Traces of known calendars."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from sysim.traffic.trace import DAY, HOUR, Trace

MONDAY = datetime(2026, 1, 5)
HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 15, 14, 14, 13, 13, 12, 12, 11, 9, 7, 6, 4, 3], dtype=float)
HOURS /= HOURS.mean()
WEEK = np.array([1.1, 1.0, 1.0, 1.0, 1.2, 1.0, 0.7])
WEEK /= WEEK.mean()


def synthetic(
    weeks=8, width=HOUR, base=0.1, hours=HOURS, week=WEEK, growth=0.0, special=None, cv=0.0, every=None, seed=1,
    start=MONDAY,
):  # fmt: skip
    """Poisson counts of a calendar, with lognormal noise of mean 1 for each slot of `every` seconds."""
    rng = np.random.Generator(np.random.PCG64(seed))
    length = weeks * 7 * DAY // width
    first = start.toordinal() * DAY + start.hour * HOUR
    local = first + np.arange(length, dtype=np.int64) * width
    days = local // DAY
    mu = base * width * hours[local % DAY // HOUR] * week[(days - 1) % 7]
    mu = mu * (1.0 + growth) ** ((days - days[0]) / (365.25 / 12))
    for day, factor in (special or {}).items():
        mu[days == days[0] + day] *= factor
    if cv:
        slot = (local - first) // (every or width)
        s = np.sqrt(np.log(1 + cv * cv))
        mu = mu * np.exp(s * rng.standard_normal(slot[-1] + 1) - s * s / 2)[slot]
    return Trace("synthetic", start, width, rng.poisson(mu).astype(float), local)


def csv(trace, name="count"):
    """The trace as the text of a CSV file."""
    rows = [f"time,{name}"]
    for number, value in enumerate(trace.counts.tolist()):
        if value == value:
            moment = trace.start + timedelta(seconds=number * trace.width)
            rows.append(f"{moment.isoformat()},{value:g}")
    return "\n".join(rows) + "\n"
