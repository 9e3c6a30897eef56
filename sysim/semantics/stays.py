"""Users who come and go: each has stays, one after the other, and none of them touches the next.

A stay lasts from `Y_FROM` to before `Y_UNTIL` (ns). A user pauses before each round; whose pause would not be over
within the stay leaves when that ends, and comes back with the next one. A round that has begun is gone through to its
end, whether the stay is over or not.
"""

from __future__ import annotations

from sysim.plan.tables import NONE, Y_FROM, Y_NEXT, Y_UNTIL
from sysim.semantics.jit import law


@law
def stay_at(stays, stay, now):
    """The stay at `now` of a user who was in `stay` before; where there is none the next one, NONE after the last."""
    while stay != NONE and stays[stay, Y_UNTIL] <= now:
        stay = stays[stay, Y_NEXT]
    return stay


@law
def stays_until(stays, stay, now, then):
    """Whether `stay`, as found by `stay_at` for `now`, lasts from `now` to beyond `then`."""
    return stay != NONE and stays[stay, Y_FROM] <= now and then < stays[stay, Y_UNTIL]


@law
def next_stay(stays, stay, now):
    """With which stay a user comes back who leaves at or after `now`, NONE if for good; `stay` is that of `stay_at`."""
    if stay != NONE and stays[stay, Y_FROM] <= now:
        return stays[stay, Y_NEXT]
    return stay
