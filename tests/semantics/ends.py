"""Keys whose uniform is the least or the greatest there is, found by running SplitMix64 backwards."""

from __future__ import annotations

LOWEST = 2.0**-53
HIGHEST = 1.0 - 2.0**-53
_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _unshift(x: int, by: int) -> int:
    """The inverse of x ^ (x >> by)."""
    result = x
    for _ in range(64 // by):
        result = x ^ (result >> by)
    return result


def _unscramble(x: int) -> int:
    x = _unshift(x, 31) * pow(0x94D049BB133111EB, -1, 2**64) & _MASK
    x = _unshift(x, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) & _MASK
    return _unshift(x, 30)


def key_for(number: int, index: int) -> int:
    """A key whose uniform `index` is (number + 0.5) / 2**52."""
    key = (_unscramble(number << 12) - (index + 1) * _GOLDEN) & _MASK
    return key - 2**64 if key >= 2**63 else key
