"""Moments as people read them."""

from __future__ import annotations

import pytest

from sysim.analysis.words import Clock, counted, recovered


@pytest.mark.parametrize(
    ("start", "length", "seconds", "text"),
    [
        (None, 300, 60, "60 s"),
        (None, 300, 62.5, "62.5 s"),
        (None, 4200, 0, "0 s"),
        (None, 4200, 120, "2 min"),
        (None, 4200, 902.13, "15 min 2.1 s"),
        (None, 86400, 54300, "15 h 5 min"),
        ("2026-04-11T06:00", 86400, 32400, "15:00"),
        ("2026-04-11T06:00", 86400, 32405.25, "15:00:05"),
        ("2026-04-11T06:00", 60, 5.25, "06:00:05.25"),
        ("2026-04-11T06:00", 86400, 86400, "2026-04-12 06:00"),
    ],
)
def test_all_moments_of_a_run_are_written_alike(
    start: str | None, length: float, seconds: float, text: str
) -> None:
    assert Clock(start, length)(seconds) == text


def test_counts_and_recoveries() -> None:
    assert (counted(1, "load"), counted(2, "load")) == ("1 load", "2 loads")
    assert (recovered(0, 5), recovered(9, 5)) == ("within one bucket (5 s)", "after 9 s")
