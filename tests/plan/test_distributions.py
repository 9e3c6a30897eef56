"""Distributions in the parameters of the sampling law: their sampled means are those that were asked for."""

import numpy as np
import pytest

from sysim.model import (
    Constant,
    Empirical,
    Exponential,
    ExponentialPart,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    MixturePart,
    Normal,
    Pareto,
    PercentilePoint,
    Percentiles,
    Uniform,
    Weibull,
)
from sysim.plan import tables as t
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.rows import table, table_f
from sysim.semantics import kinds, sampling
from sysim.semantics.sampling import sample

MS = 1_000_000


def lowered(*wanted):
    made = Distributions()
    rows = [made.add(distribution) for distribution in wanted]
    return (
        rows,
        table(made.rows, t.N_D),
        table_f(made.rows_f, t.N_DF),
        table_f(made.points, 2),
    )


@pytest.mark.parametrize(
    "distribution",
    [
        Constant(value=7 * MS),
        Exponential(mean=20 * MS),
        Uniform(low=MS, high=5 * MS),
        Normal(mean=4 * MS, sd=3 * MS),
        Lognormal(mean=4 * MS, cv=0.8),
        Lognormal(median=4 * MS, p99=9 * MS),
        Gamma(mean=10 * MS, cv=0.5),
        Gamma(mean=10 * MS, k=0.5),
        Weibull(mean=10 * MS, shape=1.5),
        Pareto(min=MS, alpha=4),
        Hyperexponential(parts=(ExponentialPart(weight=3, mean=MS), ExponentialPart(weight=1, mean=20 * MS))),
        Mixture(
            parts=(
                MixturePart(weight=1, of=Constant(value=MS)),
                MixturePart(weight=1, of=Uniform(low=0, high=MS)),
            )
        ),
        Empirical(values=(MS, 2 * MS, 6 * MS)),
        Percentiles(points=(PercentilePoint(share=0.5, value=MS), PercentilePoint(share=0.9, value=5 * MS))),
        Exponential(mean=20 * MS, max=10 * MS),
    ],
    ids=lambda distribution: distribution.kind,
)
def test_the_law_draws_what_was_asked_for(distribution):
    (row,), dist, dist_f, points = lowered(distribution)
    draws = np.array([sample(dist, dist_f, points, row, key, 0) for key in range(20_000)], dtype=float)
    error = draws.std() / np.sqrt(len(draws))
    assert draws.mean() == pytest.approx(dist_f[row, t.D_MEAN] * 1e9, abs=5 * error + 1)


def test_equal_distributions_share_a_row():
    rows, dist, _, _ = lowered(Exponential(mean=MS), Constant(value=MS), Exponential(mean=MS))
    assert rows == [0, 1, 0]
    assert len(dist) == 2


@pytest.mark.parametrize(
    "distribution",
    [
        Constant(value=5 * MS, max=3 * MS),
        Uniform(low=3 * MS, high=3 * MS),
        Normal(mean=3 * MS, sd=0),
        Empirical(values=(3 * MS, 3 * MS)),
        Mixture(parts=(MixturePart(weight=1, of=Constant(value=9 * MS, max=3 * MS)),)),
    ],
    ids=lambda distribution: distribution.kind,
)
def test_what_has_one_value_is_a_constant(distribution):
    (row,), dist, _, _ = lowered(distribution)
    assert dist[row, t.D_CONST] == 3 * MS


def test_kinds_are_those_of_the_law():
    named = {name: getattr(sampling, name) for name in dir(sampling) if name.startswith("KIND_")}
    for name, value in named.items():
        assert getattr(kinds, name) == value
    assert len(kinds.KINDS) == kinds.KIND_PERCENTILES + 1
