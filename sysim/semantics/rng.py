"""Counter-based random numbers: one uniform per (key, index), whatever else happens in a run.

``bits(key, i)`` is output ``i`` of SplitMix64 seeded with ``key`` (Steele, Lea & Flood, OOPSLA 2014, with
Stafford's variant 13 finaliser): a Weyl sequence of odd step ``GOLDEN`` through a 64-bit bijection. There is
no state, so engines, variants, replications and reorderings cannot disturb one another's draws.

Arithmetic is int64 that wraps round; interpreted callers silence numpy's overflow warning in one place
(`wrapping`). A right shift of a negative number is made logical by a mask.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from sysim.semantics.jit import law

GOLDEN = np.int64(-7046029254386353131)  # 0x9E3779B97F4A7C15
_M1 = np.int64(-4658895280553007687)  # 0xBF58476D1CE4E5B9
_M2 = np.int64(-7723592293110705685)  # 0x94D049BB133111EB
_S30 = np.int64((1 << 34) - 1)
_S27 = np.int64((1 << 37) - 1)
_S31 = np.int64((1 << 33) - 1)
_S12 = np.int64((1 << 52) - 1)
_KEY_BITS = np.int64((1 << 63) - 1)


def wrapping() -> AbstractContextManager[None]:
    """The context in which interpreted laws may be run: int64 wraps round without a warning."""
    return np.errstate(over="ignore")


@law
def scramble(x):
    """SplitMix64's finaliser: a bijection of 64-bit words in which each input bit moves each output bit."""
    x = (x ^ ((x >> 30) & _S30)) * _M1
    x = (x ^ ((x >> 27) & _S27)) * _M2
    return x ^ ((x >> 31) & _S31)


@law
def bits(key, i):
    """Output `i` (from 0) of SplitMix64 seeded with `key`: 64 random bits as an int64."""
    return scramble(np.int64(key) + (np.int64(i) + np.int64(1)) * GOLDEN)


@law
def uniform(key, i):
    """Uniform number of the open interval (0, 1), draw `i` of `key`: an odd multiple of 2**-53.

    52 bits and not 53, because 2**53 - 0.5 rounds up: with one bit more the largest draw would be 1.
    """
    return (np.float64((bits(key, i) >> 12) & _S12) + 0.5) * 2.220446049250313e-16


@law
def derive(key, salt):
    """The 63-bit key of a child: a call within a request, an attempt within a call, a draw within a step."""
    return scramble(scramble(np.int64(key) ^ np.int64(salt)) + GOLDEN) & _KEY_BITS
