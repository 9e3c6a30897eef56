"""What faults that overlap amount to."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest

from sysim.plan.tables import FAULTS
from sysim.semantics.disturbance import kept, shrunk, slowed, stands_still, struck

PAUSE, SLOWDOWN, CAPACITY, LOSS, BLACKHOLE = (
    FAULTS.index(kind) for kind in ("pause", "slowdown", "capacity", "loss", "blackhole")
)
OTHERS = sorted(set(range(len(FAULTS))) - {PAUSE, SLOWDOWN, CAPACITY, LOSS, BLACKHOLE})


def test_a_pause_and_no_capacity_stand_still():
    assert stands_still(PAUSE, 0.0)
    assert stands_still(CAPACITY, 0.0)
    assert not stands_still(CAPACITY, 1e-9)
    assert not stands_still(SLOWDOWN, 0.0)


def test_slowdowns_and_capacities_multiply():
    assert slowed(slowed(1.0, SLOWDOWN, 20.0), SLOWDOWN, 1.5) == 30.0
    assert slowed(1.0, CAPACITY, 0.25) == 4.0
    assert slowed(3.0, CAPACITY, 0.5) == 6.0
    assert slowed(1.0, CAPACITY, 0.3) == 1.0 / 0.3  # not a division of the factor: the order of rounding is fixed
    assert slowed(3.0, CAPACITY, 0.9) == 3.0 * (1.0 / 0.9) != 3.0 / 0.9
    assert slowed(7.0, CAPACITY, 0.0) == 7.0  # that stands still instead
    assert slowed(7.0, PAUSE, 0.0) == 7.0


def test_cores_are_shrunk_by_capacities_only():
    assert shrunk(shrunk(8.0, CAPACITY, 0.5), CAPACITY, 0.25) == 1.0
    assert shrunk(8.0, SLOWDOWN, 2.0) == 8.0
    assert shrunk(8.0, CAPACITY, 0.0) == 8.0
    assert shrunk(8.0, PAUSE, 0.5) == 8.0


def test_losses_are_independent():
    assert kept(kept(1.0, LOSS, 0.5), LOSS, 0.5) == 0.25
    assert kept(0.9, LOSS, 0.0) == 0.9
    assert kept(0.9, LOSS, 1.0) == 0.0
    assert kept(0.9, BLACKHOLE, 0.0) == 0.0
    assert kept(kept(1.0, BLACKHOLE, 0.0), LOSS, 0.3) == 0.0


@pytest.mark.parametrize("kind", OTHERS)
def test_other_faults_change_nothing(kind):
    assert not stands_still(kind, 0.0)
    assert slowed(2.0, kind, 0.5) == shrunk(2.0, kind, 0.5) == kept(2.0, kind, 0.5) == 2.0


def test_a_share_of_replicas_is_rounded_up_whatever_binary_fractions_make_of_it():
    assert 0.07 * 100 > 7  # the reason for the grace
    for percent in range(101):
        for count in range(1, 201):
            assert struck(percent / 100, count) == ceil(Fraction(percent, 100) * count), (percent, count)
    assert struck(1e-6, 5) == 1
    assert struck(1.0, 1) == 1
