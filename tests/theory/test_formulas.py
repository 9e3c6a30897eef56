"""The formulas that the tests rely on give the printed values."""

from __future__ import annotations

import pytest

from tests.theory import formulas as f


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        (f.erlang_b(10, 8), 0.121661064),
        (f.erlang_b(100, 100), 0.0757004527),
        (f.erlang_b(50, 60), 0.216118648),
        (f.erlang_c(2, 1.6), 0.711111111),
        (f.erlang_c(20, 19), 0.755401232),
        (f.erlang_c(1000, 990), 0.659080422),
        (f.pollaczek_khinchine(0.8, 1.0, 5.0), 10.0),
        (f.bounded(3.6, 1, 4, 10)["block"], 0.0671744079),
        (f.bounded(90, 10, 10, 20)["W"], 0.126392759),
        (f.power_of_d(2, 0.9), 2.61405738),
        (f.power_of_d(3, 0.95), 2.53513348),
        (f.power_of_d(1, 0.7), 3.33333333),
        (f.redundancy_d(10, 2, 0.5), 0.798103367),
        (f.redundancy_d(100, 2, 0.9), 1.76510331),
        (f.hypoexponential_quantile([0.2, 0.2], 0.99), 33.1917603),
        (f.hypoexponential_quantile([0.2, 0.7], 0.95), 16.6606781),
        (f.layered(0.9, 3, 3)[0], 9.41850263),
        (f.layered(0.9, 3, 4)[1], 0.00117901846),
        (f.repairman(50, 10, 1, 4)[0], 3.88498233),
        (f.mean_value_analysis(50, 1.0, [0.005, 0.030, 0.020])[1], 0.507971901),
        (f.breakdowns(0.7, 1, 0.02, 0.2), 4.7312253),
        (f.calls_to_trip(0.2, 5), 3905.0),
    ],
)
def test_closed_forms(found: float, printed: float) -> None:
    assert found == pytest.approx(printed, rel=1e-8)
