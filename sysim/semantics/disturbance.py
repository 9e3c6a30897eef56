"""What faults that hold at the same time amount to: how slow, on how many cores, losing how much, striking whom.

Each law takes one fault into what the faults before it in the table have left; the order of the table is part
of the result, since products of floats depend on it.
"""

from __future__ import annotations

from sysim.plan.tables import FAULT_BLACKHOLE, FAULT_CAPACITY, FAULT_LOSS, FAULT_PAUSE, FAULT_SLOWDOWN
from sysim.semantics import kinds
from sysim.semantics.jit import law

struck = law(kinds.struck)


@law
def stands_still(kind, value):
    """Whether nothing is done while this fault holds: a pause, or no capacity at all."""
    return kind == FAULT_PAUSE or (kind == FAULT_CAPACITY and value <= 0.0)


@law
def slowed(factor, kind, value):
    """How many times as long work takes once this fault holds too, on a replica without cores."""
    if kind == FAULT_SLOWDOWN:
        return factor * value
    if kind == FAULT_CAPACITY and value > 0.0:
        return factor * (1.0 / value)
    return factor


@law
def shrunk(cores, kind, value):
    """The cores that are left once this fault holds too."""
    if kind == FAULT_CAPACITY and value > 0.0:
        return cores * value
    return cores


@law
def kept(share, kind, value):
    """The share of messages that still arrives one way once this fault holds too."""
    if kind == FAULT_LOSS:
        return share * (1.0 - value)
    if kind == FAULT_BLACKHOLE:
        return 0.0
    return share
