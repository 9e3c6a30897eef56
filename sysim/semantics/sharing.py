"""Processor sharing: running work shares the cores of a replica equally.

Each group of cores has a virtual time: the work in ns that every job present has received since the group was
last idle. A job that joins at virtual time v with w ns of work leaves at its tag v + w, so that the order of
leaving never changes; only the speed of the virtual time does, with the number of jobs and the faults.

Virtual times are whole ns. One `advance` is at most half a ns off, plus a relative 2**-52 of the step, and
`due_in` at most one ns late. When a job ends the engine sets the virtual time to its tag.
"""

from __future__ import annotations

import numpy as np

from sysim.semantics.jit import law
from sysim.semantics.rounding import MAX_NS, ceiling, nearest


@law
def rate(cores, n, factor):
    """The speed of each of `n` jobs on `cores` cores of a replica slowed down `factor` times."""
    share = 1.0 if n <= cores else cores / n
    return share / factor


@law
def advance(v, dt, rate):
    """The virtual time `dt` ns after it was `v`."""
    if dt <= 0:
        return np.int64(v)
    return min(MAX_NS, np.int64(v) + nearest(np.float64(dt) * rate))


@law
def in_use(cores, n):
    """Thousandths of cores that `n` jobs on `cores` cores use, to the nearest."""
    return np.int64(min(np.float64(n), cores) * 1000.0 + 0.5)


@law
def due_in(v, tag, rate):
    """In how many ns the virtual time passes from `v` to `tag`, rounded up; 2**61 where it stands still."""
    left = np.int64(tag) - np.int64(v)
    if left <= 0:
        return np.int64(0)
    if not rate > 0.0:
        return MAX_NS
    return ceiling(np.float64(left) / rate)
