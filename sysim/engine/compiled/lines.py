"""Waiting lines: doubly linked through the story rows, their two ends in a row of whoever keeps the line.

Queues and resume lines belong to replicas, lines for a permit to policy state.
"""

from __future__ import annotations

from sysim.engine.compiled.columns import V_NEXT, V_PREV
from sysim.semantics.jit import inlined_law


@inlined_law
def append(st, keeper, row, head, tail, i):
    """Story `i` waits at the end of the line whose ends are columns `head` and `tail` of `row` of `keeper`."""
    last = keeper[row, tail]
    st[i, V_PREV] = last
    st[i, V_NEXT] = -1
    if last >= 0:
        st[last, V_NEXT] = i
    else:
        keeper[row, head] = i
    keeper[row, tail] = i


@inlined_law
def insert(st, keeper, row, head, tail, after, i):
    """Story `i` waits in that line right behind `after`, which stands in it; -1: before all others."""
    following = keeper[row, head] if after < 0 else st[after, V_NEXT]
    st[i, V_PREV] = after
    st[i, V_NEXT] = following
    if after >= 0:
        st[after, V_NEXT] = i
    else:
        keeper[row, head] = i
    if following >= 0:
        st[following, V_PREV] = i
    else:
        keeper[row, tail] = i


@inlined_law
def remove(st, keeper, row, head, tail, i):
    """Story `i` leaves that line, wherever in it it stands."""
    before = st[i, V_PREV]
    after = st[i, V_NEXT]
    if before >= 0:
        st[before, V_NEXT] = after
    else:
        keeper[row, head] = after
    if after >= 0:
        st[after, V_PREV] = before
    else:
        keeper[row, tail] = before
