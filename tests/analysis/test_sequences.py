"""Looks, Holm's correction, batch means and MSER-5: pure functions against hand-made and published answers."""

from __future__ import annotations

import random

import pytest

from sysim.analysis.batches import batch_means
from sysim.analysis.corrections import holm
from sysim.analysis.looks import looks, narrow_enough, spent_at
from sysim.analysis.warm_up import WarmUp, mser5


@pytest.mark.parametrize(
    ("first", "most", "planned"),
    [
        (10, 200, (10, 20, 50, 100, 200)),
        (10, 1000, (10, 20, 50, 100, 200, 500, 1000)),
        (10, 60, (10, 20, 60)),
        (10, 10, (10,)),
        (10, 11, (10, 11)),
        (2, 7, (2, 4, 7)),
    ],
)
def test_looks(first: int, most: int, planned: tuple[int, ...]) -> None:
    assert looks(first, most) == planned
    shares = [spent_at(planned, k) for k in range(len(planned))]
    assert sum(shares) == pytest.approx(1.0) and shares == sorted(shares)


def test_looks_need_two_replications() -> None:
    for first, most in ((1, 5), (10, 9)):
        with pytest.raises(ValueError, match="replications"):
            looks(first, most)


def test_narrow_enough() -> None:
    assert narrow_enough((99.0, 101.0), 100.0, 0.01) and not narrow_enough((98.9, 101.1), 100.0, 0.01)
    assert narrow_enough((0.0, 0.0), 0.0, 0.01) and not narrow_enough((-1.0, 1.0), 0.0, 0.01)


def test_holm_on_his_own_example() -> None:
    """Four p-values of 0.01, 0.04, 0.03, 0.005: at 5 % Holm rejects the two smallest and stops at 0.03 > 0.025."""
    p, alphas = [0.01, 0.04, 0.03, 0.005], [0.05] * 4
    shares = holm(p, alphas)
    assert shares == pytest.approx([1 / 3, 1 / 2, 1 / 2, 1 / 4])
    assert [x <= a * s for x, a, s in zip(p, alphas, shares, strict=True)] == [True, False, False, True]


def test_holm_decides_all_that_bonferroni_does_and_one_test_is_left_alone() -> None:
    source = random.Random(5)
    assert holm([0.04], [0.05]) == [1.0] and holm([], []) == []
    for _ in range(300):
        p = [source.random() ** 4 for _ in range(7)]
        shares = holm(p, [0.05] * 7)
        for x, share in zip(p, shares, strict=True):
            assert 1 / 7 <= share <= 1
            if x <= 0.05 / 7:
                assert x <= 0.05 * share
        # nothing decided lies above anything undecided
        decided = [x for x, s in zip(p, shares, strict=True) if x <= 0.05 * s]
        open_ = [x for x, s in zip(p, shares, strict=True) if x > 0.05 * s]
        assert not decided or not open_ or max(decided) < min(open_)


def _autoregressive(n: int, rho: float, seed: int, bias: float = 0.0, decay: float = 0.98) -> list[float]:
    """An AR(1) around 10, which begins `bias` away from there."""
    source = random.Random(seed)
    values, state = [], 0.0
    for k in range(n):
        state = rho * state + source.gauss(0, 1)
        values.append(10 + state + bias * decay**k)
    return values


def test_batch_means_of_independent_values() -> None:
    found = batch_means([float(k % 4) for k in range(400)], batches=20)
    assert found.estimate.mean == pytest.approx(1.5) and found.estimate.half_width == 0.0
    assert found.batches == 20 and found.trusted and "one run" in str(found)


def test_batch_means_see_correlation_that_is_left() -> None:
    short = batch_means(_autoregressive(400, 0.98, seed=1), batches=20)
    assert not short.trusted and short.correlation > 0.4 and "too narrow" in str(short)
    long = batch_means(_autoregressive(40_000, 0.9, seed=2), batches=20)
    assert long.trusted and abs(long.correlation) < 0.5


def test_weights_make_a_ratio() -> None:
    found = batch_means([0.0, 1.0, 0.0, 1.0], weights=[1.0, 3.0, 1.0, 3.0], batches=2)
    assert found.estimate.mean == 0.75
    with pytest.raises(ValueError, match="expected at least one"):
        batch_means([1.0], batches=2)
    with pytest.raises(ValueError, match="fewer than two batches"):
        batch_means([1.0, 2.0], weights=[0.0, 1.0], batches=2)


def test_mser5_cuts_a_bias_and_leaves_what_has_none() -> None:
    for seed in range(10):
        biased = mser5(_autoregressive(1000, 0.5, seed, bias=-20))
        assert biased is not None and biased.biased and 60 <= biased.dropped <= 300, seed
    for rho in (0.0, 0.5, 0.9):
        steady = [mser5(_autoregressive(1000, rho, seed)) for seed in range(100)]
        assert sum(found is not None and found.biased for found in steady) <= 3


def test_mser5_does_not_guess() -> None:
    assert mser5([1.0] * 49) is None
    assert mser5([float(k) for k in range(1000)]) is None  # it never settles
    flat = mser5([1.0] * 100)
    assert flat is not None and flat.dropped == 0 and not flat.biased


def test_a_proposal_in_words() -> None:
    assert "no warm-up is needed" in str(WarmUp(0.0, 0.0, 60.0))
    assert str(WarmUp(12.0, 5.0, 60.0)).endswith("the warm-up of 5 s is too short")
    assert str(WarmUp(12.0, 0.0, 60.0)).endswith("there is none")
    assert WarmUp(12.0, 20.0, 60.0).enough is True and WarmUp(12.0, 5.0, 60.0).enough is False
    assert WarmUp(None, 0.0, 3.0, "too short").enough is None
