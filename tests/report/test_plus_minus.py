"""Numbers with their half width, as people read them."""

from __future__ import annotations

import pytest

from sysim.report.plus_minus import Kind, difference, plus_minus


@pytest.mark.parametrize(
    ("value", "half", "kind", "text"),
    [
        (0.99974, 0.00019, "share", "99.974 ± 0.019 %"),
        (1.0, 0.0, "share", "100 %"),
        (0.0, None, "share", "0 %"),
        (0.0413, 0.0022, "seconds", "41.3 ± 2.2 ms"),
        (4.236, 0.29, "seconds", "4.24 ± 0.29 s"),
        (95.1, 1.2, "seconds", "95.1 ± 1.2 s"),
        (600.0, 30.0, "seconds", "10.00 ± 0.50 min"),
        (0.0, None, "seconds", "0 s"),
        (399.2, 1.4, "count", "399.2 ± 1.4"),
        (133075.2, 6624.0, "count", "133,075 ± 6,624"),
        (3.0, None, "factor", "3.00"),
        (1.00021, 0.0000001, "factor", "1.0002 ± <0.0001"),
        (1234.5, None, "money", "1,234.50"),
    ],
)
def test_plus_minus(value: float, half: float | None, kind: Kind, text: str) -> None:
    assert plus_minus(value, half, kind) == text


def test_differences_have_a_sign_and_shares_points() -> None:
    assert difference(0.406, 0.041, "share") == "+40.6 ± 4.1 pp"
    assert difference(-0.0022, 0.0005, "seconds") == "-2.20 ± 0.50 ms"
    assert difference(0.0, 0.0, "factor") == "0.00" and difference(0.0, None, "count") == "0"
    assert difference(-0.00001, 0.2, "count") == "0.00 ± 0.20"


def test_stacked_the_unit_stays_with_the_value() -> None:
    assert plus_minus(0.0413, 0.0022, "seconds", stacked=True) == "41.3 ms\n± 2.2"
