"""Calendars in plain English."""

from __future__ import annotations

import sysim
from sysim.analysis.explain import explain

TEXT = """
sysim: 1
time: {start: "2026-04-11T06:30", duration: %s}
services: {api: {operations: {get: [{work: 1ms}]}}}
load:
  web:
    call: api
    rate:
      base: 10/s
      daily: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]
      weekly: {sat: 2, sun: 0.5}
      bursts: [{at: "14:30", for: 30m, factor: 5}, {at: 2d, for: 1h, factor: 50}]
      noise: {cv: 10%%, every: 1m}
"""


def told(duration: str) -> list[str]:
    scenario = sysim.loads(TEXT % duration).model
    return next(lines for title, lines in explain(scenario) if title == "The load")


def test_a_day_is_told_with_its_peak_and_its_busiest_hour() -> None:
    lines = told("24h")
    assert lines[1] == (
        "web is 10/s times 24 factors of the hour, the highest 3 from 13:00, a week with 2 on Saturdays and 0.5 on "
        "Sundays, 5 for 30 min from 8h (Sat 2026-04-11 14:30:00) on and noise of 10.0 % that is new every 60 s, "
        "left out of these figures"
    )
    # 10 x 2 x 2 x 5 from half past two; on average over that hour 10 x 2 x 2 x 3, at one o'clock 10 x 3 x 2
    assert lines[2] == "web is highest at 8h (Sat 2026-04-11 14:30:00)"
    assert lines[3] == "the busiest hour of web begins at 7h30m (Sat 2026-04-11 14:00:00): 120/s on average"
    assert "200/s at its peak" in lines[0]


def test_a_window_without_two_clock_hours_has_no_busiest_one() -> None:
    assert not any("busiest hour" in line for line in told("2h"))
    assert any("busiest hour" in line for line in told("2h30m"))
