"""Stable identities: 63-bit hashes of names, from which all keys and draws of a run derive.

A step is known by the path of names that leads to it, never by its number in the file: a step with a `name`
by that name, another one by its kind and target, and by its ordinal only among siblings that look the same.
Adding a service, a load, a fault or an unrelated step therefore changes no other identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sysim.model import Call, Publish, Step

KEY_MASK = (1 << 63) - 1
_WORD = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)


def salt(*parts: str) -> int:
    """The 63-bit hash of a path of names."""
    text = "\x1f".join(parts).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") & KEY_MASK


def numbered(base: int, count: int) -> NDArray[np.int64]:
    """The identities of members 0, 1, … of a family whose own identity is `base`."""
    x = np.uint64(base) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _M1
    x = (x ^ (x >> np.uint64(27))) * _M2
    x = (x ^ (x >> np.uint64(31))) & np.uint64(KEY_MASK)
    return x.astype(np.int64)


def derived(key: int, salt: int) -> int:
    """The key of a child, that of `sysim.semantics.rng.derive`."""
    x = np.array([(key ^ salt) & _WORD], dtype=np.uint64)
    for step in (np.uint64(0), _GOLDEN):
        x = x + step
        x = (x ^ (x >> np.uint64(30))) * _M1
        x = (x ^ (x >> np.uint64(27))) * _M2
        x = x ^ (x >> np.uint64(31))
    return int(x[0]) & KEY_MASK


def draws(key: int, first: int, count: int) -> NDArray[np.float64]:
    """The uniforms `first`, `first` + 1, … of `key`, those of `sysim.semantics.rng.uniform`."""
    return uniforms(key, np.arange(first, first + count, dtype=np.int64))


def uniforms(key: int, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The uniforms of `key` with these numbers (from 0)."""
    x = np.uint64(key) + (numbers.astype(np.uint64) + np.uint64(1)) * _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _M1
    x = (x ^ (x >> np.uint64(27))) * _M2
    x = x ^ (x >> np.uint64(31))
    return ((x >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _look(step: Step) -> str:
    if step.name is not None:
        return f"name:{step.name}"
    if isinstance(step, Call | Publish):
        return f"{step.kind}:{step.target}"
    return step.kind


def _ordinals(looks: Iterable[str]) -> list[str]:
    seen: Counter[str] = Counter()
    labels = []
    for look in looks:
        labels.append(f"{look}#{seen[look]}")
        seen[look] += 1
    return labels


def step_labels(steps: Sequence[Step]) -> list[str]:
    """The part of the path that each of these siblings adds."""
    return _ordinals(_look(step) for step in steps)


def list_labels(lists: Sequence[Sequence[Step]]) -> list[str]:
    """The same for branches and options, which are known by their first step."""
    return _ordinals(f"[{_look(steps[0]) if steps else 'nothing'}]" for steps in lists)
