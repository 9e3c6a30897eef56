"""Sobol indices against functions whose indices are known exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sysim.analysis.sobol import Indices, indices
from sysim.plan.identity import draws, salt
from sysim.study.design import _sequence, sobol
from sysim.study.factors import factors

Floats = NDArray[np.float64]


def found(f: Callable[[Floats], Floats], k: int, count: int, seed: int = 1) -> Indices:
    """The indices of a function of `k` shares, from the points of the design."""
    unit = _sequence(2 * k, count, seed)
    a, b = unit[:, :k], unit[:, k:]
    mixed = []
    for i in range(k):
        some = a.copy()
        some[:, i] = b[:, i]
        mixed.append(f(some).tolist())
    got = indices(f(a).tolist(), f(b).tolist(), mixed)
    assert got is not None
    return got


def ishigami(u: Floats) -> Floats:
    x = -math.pi + 2 * math.pi * u
    value: Floats = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    return value


def ishigami_exactly(a: float = 7, b: float = 0.1) -> tuple[list[float], list[float], float]:
    """First order, total, variance (Ishigami and Homma 1990)."""
    p = math.pi**4
    v1 = 0.5 * (1 + b * p / 5) ** 2
    v2 = a * a / 8
    v13 = b * b * p * p * (1 / 18 - 1 / 50)
    v = v1 + v2 + v13
    return [v1 / v, v2 / v, 0.0], [(v1 + v13) / v, v2 / v, v13 / v], v


def test_the_function_of_ishigami() -> None:
    first, total, variance = ishigami_exactly()
    assert first[:2] == pytest.approx([0.3139, 0.4424], abs=1e-4) and total[2] == pytest.approx(0.2437, abs=1e-4)
    got = found(ishigami, 3, 4096)
    assert got.mean == pytest.approx(3.5, abs=0.01) and got.variance == pytest.approx(variance, rel=0.01)
    for one, s, t in zip(got.factors, first, total, strict=True):
        assert one.first == pytest.approx(s, abs=0.01) and one.total == pytest.approx(t, abs=0.01)
        assert one.first_interval[0] < s < one.first_interval[1]
        assert one.total_interval[0] < t < one.total_interval[1]
    wide = found(ishigami, 3, 64)
    for one, more in zip(wide.factors, got.factors, strict=True):
        assert one.total_interval[1] - one.total_interval[0] > 3 * (more.total_interval[1] - more.total_interval[0])


def test_the_function_of_sobol() -> None:
    """The product of (|4 x - 2| + a) / (1 + a), of partial variances 1 / (3 (1 + a)²) (Saltelli and Sobol 1995)."""
    weights = np.array([0.0, 1.0, 4.5, 9.0])

    def g(u: Floats) -> Floats:
        value: Floats = np.prod((np.abs(4 * u - 2) + weights) / (1 + weights), axis=1)
        return value

    parts = 1 / (3 * (1 + weights) ** 2)
    variance = float(np.prod(1 + parts) - 1)
    got = found(g, 4, 8192)
    for i, one in enumerate(got.factors):
        others = float(np.prod(np.delete(1 + parts, i)))
        assert one.first == pytest.approx(parts[i] / variance, abs=0.015)
        assert one.total == pytest.approx(parts[i] * others / variance, abs=0.015)


def test_the_mean_of_a_queue() -> None:
    """M/M/1: 1 / (mu - lambda) over ranges of both; the exact indices come from integrals in one dimension."""
    low, high, least, most = 10.0, 60.0, 80.0, 120.0

    def sojourn(u: Floats) -> Floats:
        value: Floats = 1 / ((least + (most - least) * u[:, 1]) - (low + (high - low) * u[:, 0]))
        return value

    x = (np.arange(2000) + 0.5) / 2000
    arrivals, services = low + (high - low) * x, least + (most - least) * x
    table = 1 / (services[None, :] - arrivals[:, None])
    variance = table.var()
    by_arrivals = (np.log((most - arrivals) / (least - arrivals)) / (most - least)).var() / variance
    by_services = (np.log((services - low) / (services - high)) / (high - low)).var() / variance
    got = found(sojourn, 2, 4096)
    assert got.factors[0].first == pytest.approx(by_arrivals, abs=0.01)
    assert got.factors[1].first == pytest.approx(by_services, abs=0.01)
    assert got.factors[0].total == pytest.approx(1 - by_services, abs=0.01)
    assert got.factors[1].total == pytest.approx(1 - by_arrivals, abs=0.01)


def test_a_factor_that_does_nothing_is_exactly_nothing() -> None:
    got = found(lambda u: 3 * u[:, 0], 2, 64)
    assert got.factors[1].first == got.factors[1].total == 0.0
    assert got.factors[1].total_interval == (0.0, 0.0)
    assert got.factors[0].total == pytest.approx(1, abs=0.1)


def test_the_estimators_of_scipy_agree() -> None:
    """Its first order is the same formula, its total Jansen's as well."""
    from scipy.stats import sobol_indices

    k, n = 3, 1024
    unit = _sequence(2 * k, n, 2)
    a, b = unit[:, :k], unit[:, k:]
    mixed = np.stack([np.where(np.arange(k) == i, b, a) for i in range(k)])
    values = {"f_A": ishigami(a)[None], "f_B": ishigami(b)[None]}
    values["f_AB"] = np.stack([ishigami(some) for some in mixed])[:, None, :]
    theirs = sobol_indices(func=values, n=n)
    got = indices(values["f_A"][0].tolist(), values["f_B"][0].tolist(), values["f_AB"][:, 0].tolist())
    assert got is not None
    assert [one.first for one in got.factors] == pytest.approx(np.ravel(theirs.first_order).tolist(), abs=1e-9)
    assert [one.total for one in got.factors] == pytest.approx(np.ravel(theirs.total_order).tolist(), abs=1e-9)


def test_intervals_hold_what_they_say() -> None:
    """Of 60 designs of independent rows, the 90 % intervals miss the exact indices about as often as they may."""
    first, total, _ = ishigami_exactly()
    hits = 0
    for seed in range(60):
        unit = draws(salt("rows", str(seed)), 0, 6 * 256).reshape(256, 6)
        a, b = unit[:, :3], unit[:, 3:]
        mixed = [ishigami(np.where(np.arange(3) == i, b, a)).tolist() for i in range(3)]
        got = indices(ishigami(a).tolist(), ishigami(b).tolist(), mixed, 0.9, 300)
        assert got is not None
        for one, s, t in zip(got.factors, first, total, strict=True):
            hits += (one.first_interval[0] <= s <= one.first_interval[1])
            hits += (one.total_interval[0] <= t <= one.total_interval[1])
    assert 0.84 <= hits / 360 <= 0.96


def test_rows_without_a_value_are_left_out() -> None:
    a: Sequence[float | None] = [float(n) for n in range(20)]
    b: Sequence[float | None] = [float(n % 7) for n in range(20)]
    whole = indices(a[2:], b[2:], [b[2:]])
    with_gaps = indices([None, *a[1:]], [b[0], None, *b[2:]], [b])
    assert whole is not None and with_gaps is not None
    assert with_gaps.missing == 2 and with_gaps.rows == 18
    assert with_gaps.factors == whole.factors
    assert indices(a[:7], b[:7], [b[:7]]) is None, "too few rows"
    assert indices([1.0] * 20, [1.0] * 20, [[1.0] * 20]) is None, "nothing varies"


def test_whole_numbers_are_as_likely_as_each_other() -> None:
    made = sobol(factors({"a": "1..4", "b": "1..4"}), 64, 1)
    counts = [sum(made.points[number].values["a"] == n for number in made.rows[:64]) for n in (1, 2, 3, 4)]
    assert counts == [16] * 4
    assert len(made.points) == 16, "each combination is run once"
