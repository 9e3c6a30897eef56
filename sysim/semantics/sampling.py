"""Draws from distributions, as whole nanoseconds.

``dist`` and ``distF`` have a row a distribution (columns D_*), parameters and ``points`` are in seconds.
A draw begins at uniform ``base`` of its key; each mixture on the way takes one uniform, and what it chose
begins at the next. No draw uses a uniform above ``base + 63``.

==============  =============================  =========================================================
kind            parameters                     method
==============  =============================  =========================================================
constant        D_CONST                        nothing is drawn
exponential     A mean                         inversion
uniform         A low, B high                  inversion
normal          A mean, B sd, before the cut   inversion of the normal conditioned on being at least 0
lognormal       A mu, B sigma                  exp of a normal
gamma           A shape, B scale               Marsaglia & Tsang (2000); a shape below 1 is lifted by 1
                                               and the draw multiplied by u**(1/shape)
weibull         A scale, B shape               inversion
pareto          A min, B alpha                 inversion
mixture         points (cumulative, number)    the first row above a uniform, then that distribution; nested
                                               mixtures use up to 16 uniforms (deeper ones share the last)
empirical       points (value, -)              each row with the same probability
percentiles     points (share, value)          linear between the points and from (0, 0) to the first;
                                               above the last it is the last value
==============  =============================  =========================================================

Normals come from `normal_quantile`, so that one uniform gives one normal. Exponents are cut at 700 (10**304
seconds), where CPython's ``math.exp`` would raise; `to_ns` cuts everything to [0, 2**61].
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sysim.plan.tables import D_A, D_B, D_CAP, D_CONST, D_COUNT, D_FIRST, D_KIND
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.kinds import (
    KIND_EMPIRICAL,
    KIND_EXPONENTIAL,
    KIND_GAMMA,
    KIND_LOGNORMAL,
    KIND_MIXTURE,
    KIND_NORMAL,
    KIND_PARETO,
    KIND_PERCENTILES,
    KIND_UNIFORM,
    KIND_WEIBULL,
)
from sysim.semantics.rng import uniform
from sysim.semantics.rounding import nearest

_MAX_EXPONENT: Final = 700.0
_LEVELS: Final = 15  # the last level of nesting with a uniform of its own
_GAMMA_TRIES: Final = 20
_SQRT_HALF: Final = 0.7071067811865476


@law
def to_ns(seconds):
    """Nanoseconds of a duration in seconds: to the nearest, halves up, within [0, 2**61]; NaN is 0."""
    return nearest(seconds * 1e9)


@law
def normal_quantile(p):
    """The standard normal quantile of p in (0, 1): Wichura's AS 241 (PPND16), relative error about 1e-15."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2509.0809287301226727 * r + 33430.575583588128105
        top = (top * r + 67265.770927008700853) * r + 45921.953931549871457
        top = (top * r + 13731.693765509461125) * r + 1971.5909503065514427
        top = (top * r + 133.14166789178437745) * r + 3.387132872796366608
        low = 5226.495278852854561 * r + 28729.085735721942674
        low = (low * r + 39307.89580009271061) * r + 21213.794301586595867
        low = (low * r + 5394.1960214247511077) * r + 687.1870074920579083
        low = (low * r + 42.313330701600911252) * r + 1.0
        return q * top / low
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = 7.7454501427834140764e-4 * r + 0.0227238449892691845833
        top = (top * r + 0.24178072517745061177) * r + 1.27045825245236838258
        top = (top * r + 3.64784832476320460504) * r + 5.7694972214606914055
        top = (top * r + 4.6303378461565452959) * r + 1.42343711074968357734
        low = 1.05075007164441684324e-9 * r + 5.475938084995344946e-4
        low = (low * r + 0.0151986665636164571966) * r + 0.14810397642748007459
        low = (low * r + 0.68976733498510000455) * r + 1.6763848301838038494
        low = (low * r + 2.05319162663775882187) * r + 1.0
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
        top = (top * r + 0.0012426609473880784386) * r + 0.026532189526576123093
        top = (top * r + 0.29656057182850489123) * r + 1.7848265399172913358
        top = (top * r + 5.4637849111641143699) * r + 6.6579046435011037772
        low = 2.04426310338993978564e-15 * r + 1.4215117583164458887e-7
        low = (low * r + 1.8463183175100546818e-5) * r + 7.868691311456132591e-4
        low = (low * r + 0.0148753612908506148525) * r + 0.13692988092273580531
        low = (low * r + 0.59983220655588793769) * r + 1.0
    return -top / low if q < 0.0 else top / low


@law
def _normal(mean, sd, u):
    """Normal given that it is at least 0, by inversion from the right; precise for mean/sd above -5."""
    if not sd > 0.0:
        return mean
    above = 0.5 * (1.0 + math.erf(mean / sd * _SQRT_HALF))
    p = u * above
    if not p > 0.0:
        return 0.0
    return mean - sd * normal_quantile(p)


@law
def _gamma(shape, scale, key, at):
    """Gamma by rejection: try j uses uniforms at + 1 + 2j and at + 2 + 2j; `at` lifts a shape below 1."""
    lifted = shape + 1.0 if shape < 1.0 else shape
    d = lifted - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    value = d  # if all tries failed, which has probability below 1e-26
    for j in range(_GAMMA_TRIES):
        z = normal_quantile(uniform(key, at + 1 + 2 * j))
        v = 1.0 + c * z
        if v > 0.0:
            v = v * v * v
            if math.log(uniform(key, at + 2 + 2 * j)) < 0.5 * z * z + d - d * v + d * math.log(v):
                value = d * v
                break
    if shape < 1.0:
        value *= math.exp(math.log(uniform(key, at)) / shape)
    return value * scale


@law
def _at_percentile(points, first, count, u):
    """The quantile function of percentiles: linear from (0, 0) through the points, flat above the last."""
    share = 0.0
    value = 0.0
    for row in range(first, first + count):
        next_share = points[row, 0]
        next_value = points[row, 1]
        if u < next_share:
            return value + (next_value - value) * ((u - share) / (next_share - share))
        share = next_share
        value = next_value
    return value


@law
def _cut(value, cap):
    return min(np.int64(cap), to_ns(value))


@inlined_law
def sample(dist, distF, points, d, key, base):
    """A draw of distribution `d` in ns, from uniforms `base` to `base + 63` of `key`."""
    if dist[d, D_CONST] >= 0:
        return np.int64(min(dist[d, D_CAP], dist[d, D_CONST]))
    if dist[d, D_KIND] == KIND_EXPONENTIAL:
        return _cut(-distF[d, D_A] * math.log(uniform(key, base)), dist[d, D_CAP])
    return _sample(dist, distF, points, d, key, base)


@law
def _sample(dist, distF, points, d, key, base):
    """`sample` for all kinds; apart from it, so that the two common ones are small enough to be inlined."""
    cap = np.int64(dist[d, D_CAP])
    level = 0
    while dist[d, D_KIND] == KIND_MIXTURE:
        u = uniform(key, base + level)
        row = dist[d, D_FIRST]
        last = row + dist[d, D_COUNT] - 1
        while row < last and u >= points[row, 0]:
            row += 1
        d = np.int64(points[row, 1])
        cap = min(cap, np.int64(dist[d, D_CAP]))
        level = min(level + 1, _LEVELS)
    if dist[d, D_CONST] >= 0:
        return min(cap, np.int64(dist[d, D_CONST]))
    kind = dist[d, D_KIND]
    a = distF[d, D_A]
    b = distF[d, D_B]
    at = base + level
    if kind == KIND_GAMMA:
        return _cut(_gamma(a, b, key, at), cap)
    u = uniform(key, at)
    if kind == KIND_EXPONENTIAL:
        value = -a * math.log(u)
    elif kind == KIND_LOGNORMAL:
        value = math.exp(min(_MAX_EXPONENT, a + b * normal_quantile(u)))
    elif kind == KIND_UNIFORM:
        value = a + (b - a) * u
    elif kind == KIND_NORMAL:
        value = _normal(a, b, u)
    elif kind == KIND_WEIBULL:
        value = a * math.exp(min(_MAX_EXPONENT, math.log(-math.log(u)) / b))
    elif kind == KIND_PARETO:
        value = a * math.exp(min(_MAX_EXPONENT, -math.log(u) / b))
    elif kind == KIND_EMPIRICAL:
        count = dist[d, D_COUNT]
        value = points[dist[d, D_FIRST] + min(count - 1, np.int64(u * count)), 0]
    elif kind == KIND_PERCENTILES:
        value = _at_percentile(points, dist[d, D_FIRST], dist[d, D_COUNT], u)
    else:
        value = a
    return _cut(value, cap)
