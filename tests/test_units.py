"""Every written quantity: what is read, and what each wrong form is answered with."""

from __future__ import annotations

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysim import units
from sysim.units import UnitError

S = 1_000_000_000
START = datetime(2026, 4, 11, 6, 0)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("250ms", 250_000_000),
        ("1.5s", 1_500_000_000),
        ("2m", 120 * S),
        ("1h30m", 5_400 * S),
        ("2d", 172_800 * S),
        ("100us", 100_000),
        ("100µs", 100_000),
        ("7ns", 7),
        ("0s", 0),
        (".5s", 500_000_000),
        ("15h05m", 54_300 * S),
        ("0.1us", 100),
        ("1d2h3m4s5ms6us7ns", 93_784_005_006_007),
    ],
)
def test_durations(text: str, ns: int) -> None:
    assert units.duration(text) == ns


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (120, "write 120s or 120ms"),
        (1.5, "write 1.5s or 1.5ms"),
        ("120", "write 120s or 120ms"),
        (0, "write 0s"),
        ("5 minutes", "did you mean 5m?"),
        ("5sec", "did you mean 5s?"),
        ("5S", "did you mean 5s?"),
        ("30m1h", ""),
        ("1s1s", ""),
        ("-1s", ""),
        ("1 s", "did you mean 1s?"),
        ("", ""),
        ("s", ""),
        (True, ""),
        (None, ""),
        ([], ""),
        ("100d" * 30, ""),
        ("99999999d", ""),
        ("١s", ""),
    ],
)
def test_bad_durations(value: object, hint: str) -> None:
    with pytest.raises(UnitError) as error:
        units.duration(value)
    assert hint in error.value.hint
    assert "expected" in str(error.value)


@given(st.integers(0, units.MAX_NS))
def test_a_formatted_duration_reads_back(ns: int) -> None:
    assert units.duration(units.format_duration(ns)) == ns


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("400/s", 400.0),
        ("90/m", 1.5),
        ("1.2k/s", 1200.0),
        ("500rps", 500.0),
        ("36/h", 0.01),
        ("1M/d", 1e6 / 86400),
    ],
)
def test_rates(text: str, rate: float) -> None:
    assert units.rate(text) == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize("value", [400, "400", "fast", "400/ms", "-1/s", True, None, "1e999/s", "k/s"])
def test_bad_rates(value: object) -> None:
    with pytest.raises(UnitError):
        units.rate(value)


@pytest.mark.parametrize(
    ("value", "share"), [("99.9%", 0.999), (0.999, 0.999), (0, 0.0), (1, 1.0), ("30 %", 0.3), ("0.25", 0.25)]
)
def test_shares(value: object, share: float) -> None:
    assert units.share(value) == share


@pytest.mark.parametrize("value", [1.01, "101%", -0.1, "-5%", "half", True, None, float("nan"), float("inf")])
def test_bad_shares(value: object) -> None:
    with pytest.raises(UnitError):
        units.share(value)


def test_a_share_that_was_meant_in_percent_is_hinted_at() -> None:
    with pytest.raises(UnitError) as error:
        units.share(30)
    assert error.value.hint == "did you mean 30%?"


@pytest.mark.parametrize(
    ("value", "count"), [(200, 200), ("1.2k", 1200), ("1M", 1_000_000), (1e3, 1000), ("7", 7)]
)
def test_counts(value: object, count: int) -> None:
    assert units.count(value) == count


@pytest.mark.parametrize("value", [1.5, "1.2345k", -1, "many", True, None, float("inf"), 1e300, [1]])
def test_bad_counts(value: object) -> None:
    with pytest.raises(UnitError):
        units.count(value)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("15h", 15 * 3600 * S),
        ("15:00", 9 * 3600 * S),
        ("05:00", 23 * 3600 * S),
        ("06:00:30", 30 * S),
        ("2026-04-12T06:00", 86_400 * S),
        ("2026-04-11 07:00", 3_600 * S),
    ],
)
def test_instants(text: str, ns: int) -> None:
    assert units.instant(text, START) == ns


@pytest.mark.parametrize("value", ["25:00", "2026-04-10T06:00", "2026-02-30T06:00", 15, "noon", None])
def test_bad_instants(value: object) -> None:
    with pytest.raises(UnitError):
        units.instant(value, START)


def test_a_clock_time_needs_a_start() -> None:
    with pytest.raises(UnitError) as error:
        units.instant("15:00")
    assert "time.start" in error.value.hint


@pytest.mark.parametrize(
    ("text", "window"),
    [("90s..110s", (90 * S, 110 * S)), ("..60s", (5 * S, 60 * S)), ("5m..", (300 * S, 600 * S))],
)
def test_windows(text: str, window: tuple[int, int]) -> None:
    assert units.window(text, 5 * S, 600 * S) == window


@pytest.mark.parametrize("value", ["90s", "9s..3s", "3s..3s", "1s..2s..3s", 5, "x..y"])
def test_bad_windows(value: object) -> None:
    with pytest.raises(UnitError):
        units.window(value, 0, 600 * S)


def test_money_and_cost() -> None:
    assert units.money("3.10 GBP") == (3.10, "GBP")
    assert units.cost("0.40 USD/h") == (0.40, "USD")
    assert units.cost("24 USD/d") == (1.0, "USD")
    for value in (3.1, "3.10", "GBP", "3.10 gbp", "£3"):
        with pytest.raises(UnitError):
            units.money(value)
    with pytest.raises(UnitError):
        units.cost("0.40 USD")


def test_formats() -> None:
    assert units.format_duration(5_400 * S) == "1h30m"
    assert units.format_duration(1_500_000) == "1.5ms"
    assert units.format_rate(400.0) == "400/s"
    assert units.format_share(0.999) == "99.9%"


@given(st.one_of(st.text(max_size=80), st.floats(), st.integers(), st.booleans(), st.none()))
def test_any_value_is_read_or_refused(value: object) -> None:
    for reader in (
        units.duration,
        units.rate,
        units.share,
        units.factor,
        units.count,
        units.money,
        units.cost,
    ):
        try:
            reader(value)
        except UnitError as error:
            assert len(str(error)) < 400
    for reader in (lambda v: units.instant(v, START), lambda v: units.window(v, 0, S, START)):
        with contextlib.suppress(UnitError):
            reader(value)
