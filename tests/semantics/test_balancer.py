"""Balancers: who is chosen, how evenly, and who is avoided."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sysim.plan.tables import (
    BALANCE_LEAST_OUTSTANDING,
    BALANCE_LEAST_REQUEST,
    BALANCE_RANDOM,
    BALANCE_ROUND_ROBIN,
    K_KEY,
    K_OUT,
    K_PERMITS_USED,
    K_ROBIN,
    K_WAIT_HEAD,
    K_WAIT_TAIL,
    P_BALANCER,
    P_CHOICES,
)
from sysim.semantics import balancer, scopes
from sysim.semantics.rng import derive
from tests.semantics.rows import Scope

ALL = (BALANCE_ROUND_ROBIN, BALANCE_RANDOM, BALANCE_LEAST_REQUEST, BALANCE_LEAST_OUTSTANDING)


class Balancer:
    """Replicas 3 .. 3 + n - 1 of a larger system."""

    def __init__(self, how, n, choices=2, outstanding=None):
        self.state, self.n = Scope({P_BALANCER: how, P_CHOICES: choices}), n
        self.up = np.ones(n + 6, np.int64)
        self.outstanding = np.zeros(n + 2, np.int64)
        if outstanding is not None:
            self.state.scope[0, K_OUT] = 2
            self.outstanding[2:] = outstanding

    def pick(self, key=0, tried=0):
        s = self.state
        return balancer.pick(
            s.scope, 0, s.policies, 0, self.up, 3, self.n, self.outstanding, tried, derive(9, key)
        )

    def down(self, *replicas):
        self.up[:3] = self.up[3 + self.n :] = 0
        for replica in replicas:
            self.up[3 + replica] = 0
        return self


@pytest.mark.parametrize("how", ALL)
def test_one_replica_and_none(how):
    assert Balancer(how, 1).pick() == 0
    assert Balancer(how, 1).pick(tried=1) == 0
    assert Balancer(how, 1).down(0).pick() == -1
    assert Balancer(how, 4).down(0, 1, 2, 3).pick() == -1
    assert Balancer(how, 0).pick() == -1


@pytest.mark.parametrize("how", ALL)
@pytest.mark.parametrize("outstanding", [None, [0, 0, 0, 0, 0]])
def test_only_what_is_up_and_fairly(how, outstanding):
    chosen = Balancer(how, 5, outstanding=outstanding).down(1)
    counts = np.bincount([chosen.pick(key) for key in range(4000)], minlength=5)
    assert counts[1] == 0
    if how == BALANCE_ROUND_ROBIN:
        assert list(counts) == [1000, 0, 1000, 1000, 1000]
    else:
        assert stats.chisquare(counts[[0, 2, 3, 4]]).pvalue > 1e-3


@pytest.mark.parametrize("how", ALL)
def test_what_was_tried_is_avoided_while_there_is_another(how):
    chosen = Balancer(how, 4, outstanding=[9, 0, 9, 0]).down(3)
    assert {chosen.pick(key, tried=0b0010) for key in range(60)} <= {0, 2}
    assert {chosen.pick(key, tried=0b0011) for key in range(20)} == {2}
    assert {chosen.pick(key, tried=0b0111) for key in range(60)} <= {0, 1, 2}
    assert chosen.pick(5, tried=0b0111) >= 0


@pytest.mark.parametrize("how", ALL)
def test_more_replicas_than_bits(how):
    chosen = Balancer(how, 130)
    mask = (1 << 62) - 1 - (1 << 5)
    assert {chosen.pick(key, tried=mask) for key in range(60)} == {5, 67, 129}


def test_round_robin_goes_on_from_its_state():
    chosen = Balancer(BALANCE_ROUND_ROBIN, 4)
    chosen.state.scope[0, K_ROBIN] = 2
    assert [chosen.pick() for _ in range(6)] == [2, 3, 0, 1, 2, 3]
    chosen.down(0)
    assert [chosen.pick() for _ in range(4)] == [1, 2, 3, 1]


def test_least_request_has_the_two_choices_distribution():
    chosen = Balancer(BALANCE_LEAST_REQUEST, 4, outstanding=[5, 5, 1, 5])
    counts = np.bincount([chosen.pick(key) for key in range(8000)], minlength=4)
    assert counts[2] / 8000 == pytest.approx(1 - (3 / 4) ** 2, abs=0.025)
    one = Balancer(BALANCE_LEAST_REQUEST, 4, choices=1, outstanding=[5, 5, 1, 5])
    assert np.bincount([one.pick(key) for key in range(8000)])[2] / 8000 == pytest.approx(0.25, abs=0.025)


def test_least_request_takes_the_first_drawn_on_a_tie():
    two = Balancer(BALANCE_LEAST_REQUEST, 6, outstanding=[3] * 6)
    one = Balancer(BALANCE_RANDOM, 6)
    assert [two.pick(key) for key in range(200)] == [one.pick(key) for key in range(200)]


def test_least_outstanding_takes_the_least_and_breaks_ties_at_random():
    chosen = Balancer(BALANCE_LEAST_OUTSTANDING, 5, outstanding=[2, 1, 7, 1, 0]).down(4)
    counts = np.bincount([chosen.pick(key) for key in range(4000)], minlength=5)
    assert set(np.flatnonzero(counts)) == {1, 3}
    assert stats.binomtest(int(counts[1]), 4000).pvalue > 1e-3


def test_a_new_scope_starts_round_robin_by_its_identity():
    chosen = Balancer(BALANCE_ROUND_ROBIN, 5, outstanding=[1, 2, 3, 4, 5])
    s, starts = chosen.state, []
    for i in range(2000):
        s.scope[0, K_KEY] = derive(3, i)
        balancer.reset(s.scope, 0, 5)
        starts.append(s[K_ROBIN])
    assert stats.chisquare(np.bincount(starts, minlength=5)).pvalue > 1e-3
    s.scope[0, K_PERMITS_USED] = 4
    scopes.reset(s.scope, 0, s.ring, s.policies, s.policies_f, 0, 123, 5, 5, chosen.outstanding)
    assert (s[K_PERMITS_USED], s[K_WAIT_HEAD], s[K_WAIT_TAIL], s[K_OUT]) == (0, -1, -1, 2)
    assert not chosen.outstanding.any()
