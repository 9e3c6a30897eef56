"""Story rows: taking one, giving one back."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import (
    A_CALLER,
    A_NOTICE,
    A_OPEN,
    A_RSEQ,
    B_FIRST,
    B_LAST,
    FREE_NEXT,
    G_FREE,
    G_FREE_N,
    G_SEQ,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_MARK,
    VISIT,
)
from sysim.plan.tables import NEVER
from sysim.semantics.jit import inlined_law


@inlined_law
def next_seq(w):
    """A number never given before in this run."""
    g = t.g(w)
    g[G_SEQ] += 1
    return g[G_SEQ]


@inlined_law
def take(w, kind, key):
    """A fresh row; the run loop has seen to it that there is one."""
    g = t.g(w)
    st = t.st(w)
    i = g[G_FREE]
    g[G_FREE] = st[i, FREE_NEXT]
    g[G_FREE_N] -= 1
    t.prefetch(w, g[G_FREE], FREE_NEXT)
    t.prefetch(w, g[G_FREE], ST_ID)
    t.prefetch(w, g[G_FREE], A_CALLER)
    g[G_SEQ] += 1
    st[i, ST_ID] = g[G_SEQ]
    st[i, ST_KIND] = kind
    st[i, ST_KEY] = key
    st[i, ST_MARK] = 0
    st[i, ST_DEADLINE] = NEVER
    return i


@inlined_law
def give_back(w, i):
    """Row `i` is free again; whatever entry still names it is dead."""
    g = t.g(w)
    st = t.st(w)
    st[i, ST_ID] = 0
    if st[i, ST_KIND] == VISIT:
        st[i, A_OPEN] = 0
        st[i, A_RSEQ] = 0
        st[i, A_NOTICE] = 0
    st[i, FREE_NEXT] = g[G_FREE]
    g[G_FREE] = i
    g[G_FREE_N] += 1


@inlined_law
def free_branches(w, i, n):
    """The rows of all `n` branches of story `i`, which have joined, are free again: without a look at any but one."""
    g = t.g(w)
    st = t.st(w)
    st[st[i, B_LAST], FREE_NEXT] = g[G_FREE]
    g[G_FREE] = st[i, B_FIRST]
    g[G_FREE_N] += n
    st[i, B_FIRST] = -1
