"""Stopping stories: by a cancel notice, a failed parallel, or a crash. The one place that needs a stack."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.calls import settle
from sysim.engine.compiled.columns import (
    B_FIRST,
    B_NEXT,
    BRANCH,
    C_CHILD,
    C_FIRST,
    C_HSEQ,
    C_SEQ,
    C_STATE,
    CALL_NONE,
    G_OPEN,
    MESSAGE,
    PH_JOINED,
    ST_KIND,
    ST_PHASE,
    ST_SVC,
    VISIT,
    W_STATE,
    WORK_SHARES,
)
from sysim.engine.compiled.endings import close_call
from sysim.engine.compiled.program import orphan_ended
from sysim.engine.compiled.stories import give_back
from sysim.engine.compiled.visits import touch_service
from sysim.engine.compiled.work import stop as stop_work
from sysim.semantics.jit import law


@law
def stop(w, root, outcome):
    """Stop story `root` and all that runs on its behalf at the same replica; open calls end with `outcome`.

    A visit keeps its row: its caller has to be told. All other rows are given back.
    """
    g = t.g(w)
    st = t.st(w)
    stack = t.stack(w)
    n = 1
    stack[0] = root
    while n > 0:
        n -= 1
        i = stack[n]
        b = st[i, B_FIRST]
        while b >= 0:
            following = st[b, B_NEXT]
            if st[b, ST_PHASE] == PH_JOINED:
                give_back(w, b)
            else:
                stack[n] = b
                n += 1
            b = following
        st[i, B_FIRST] = -1
        if st[i, C_CHILD] >= 0:
            stack[n] = st[i, C_CHILD]
            n += 1
            st[i, C_CHILD] = -1
        if st[i, C_STATE] != CALL_NONE:
            while st[i, C_SEQ] != 0 and st[i, C_FIRST] >= 0:
                settle(w, st[i, C_FIRST], outcome)
            close_call(w, i, outcome)
            st[i, C_SEQ] = 0
            st[i, C_HSEQ] = 0
        if st[i, W_STATE] == WORK_SHARES:
            touch_service(w, st[i, ST_SVC])
        stop_work(w, i)
        if st[i, ST_KIND] == BRANCH:
            orphan_ended(w, i)
        elif st[i, ST_KIND] != VISIT:
            if st[i, ST_KIND] == MESSAGE:
                g[G_OPEN] -= 1
            give_back(w, i)
