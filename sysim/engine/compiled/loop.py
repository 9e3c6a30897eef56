"""The loop: take the least live entry, give control to its story, go on until that story waits."""

from __future__ import annotations

from sysim.engine.compiled import columns as c
from sysim.engine.compiled import faults as fault_entries
from sysim.engine.compiled import world as t
from sysim.engine.compiled.actions import act as act_on
from sysim.engine.compiled.attempts import depart, launch
from sysim.engine.compiled.calls import settle
from sysim.engine.compiled.causes import blame, let_go, stuck
from sysim.engine.compiled.endings import call_end, call_over, fall_back, rejoin
from sysim.engine.compiled.entries import LARGE, ROOT, heap_push, pop
from sysim.engine.compiled.handlers import arrive, join, load_arrival, visit_end
from sysim.engine.compiled.liveness import advance_cells, live
from sysim.engine.compiled.pipeline import after, call
from sysim.engine.compiled.program import end, execute, orphan_ended, resume, sets_out
from sysim.engine.compiled.scalers import rescale
from sysim.engine.compiled.scaling import farewell
from sysim.engine.compiled.stopping import stop
from sysim.engine.compiled.stories import give_back
from sysim.engine.compiled.visits import begin, free_worker, leave_resume, leave_waiting, touch_service
from sysim.engine.compiled.work import leave_cores
from sysim.plan.tables import (
    ACTION_SCALE,
    BULKHEAD_FULL,
    C_POLICY,
    CANCELLED,
    DEADLINE,
    ERROR,
    P_CANCEL,
    R_ACTION,
    R_ARRIVE,
    R_BACKOFF,
    R_CANCEL,
    R_DONE,
    R_GRANT,
    R_HEDGE,
    R_JOIN,
    R_LOAD,
    R_PATIENCE,
    R_PERMIT,
    R_REPLY,
    R_START,
    R_THINK,
    R_TIMEOUT,
    S_ASYNC,
    S_CANCEL,
    SHED,
    TIMEOUT,
    UNREACHABLE,
    WHEN_CONTINUE,
    WHEN_STOP,
)
from sysim.record.columns import LV_QUEUE
from sysim.semantics.causes import M_SHED
from sysim.semantics.digest import chain
from sysim.semantics.jit import law

FAULT_SPACE = 4  # entries that a fault may add for every story there is
REPLICA_SPACE = 3  # … and for every replica: that it begins to start, that it is ready, that its service goes on


@law
def put_back(w, time, order, ref):
    """The entry just taken waits again; where does not matter."""
    g = t.g(w)
    heap_push(t.due(w), t.tails(w), g[c.G_HEAP], time, order, ref)
    g[c.G_HEAP] += 1
    g[c.G_PENDING] += 1


@law
def run(w, log, margin, budget):
    """Handle entries until the run is done, a table is full, or `budget` entries have been handled.

    Everything that is known about the run is in the tables, so that it can be re-entered; `log` takes (time,
    order, notes) of every entry while it has room.
    """
    g = t.g(w)
    due = t.due(w)
    instant = t.instant(w)
    st = t.st(w)
    svc = t.svc(w)
    sites = t.sites(w)
    policies = t.policies(w)
    limit = g[c.G_EVENTS] + budget
    while True:
        if g[c.G_FREE_N] < margin or g[c.G_HEAP] + margin > due.shape[0] - ROOT:
            return c.GROW
        if g[c.G_INSTANT] + margin > instant.shape[0] or g[c.G_FULL] != 0:
            return c.GROW
        if g[c.G_EVENTS] >= limit:
            return c.PAUSED
        if g[c.G_NOW] >= g[c.G_DURATION] and (g[c.G_OPEN] == 0 or g[c.G_PENDING] == 0):
            return c.DONE
        time = pop(w)
        ref = g[c.G_REF]
        order = g[c.G_ORDER]
        if time >= g[c.G_HALT]:
            if time >= g[c.G_STOP]:
                return c.DONE
            put_back(w, time, order, ref)
            return c.HALTED
        rank = order >> c.ORDER_SHIFT
        i = ref & c.SLOT_MASK
        sub = (ref >> c.SLOT_BITS) & 3
        seq = ref >> c.SEQ_SHIFT
        if rank <= R_ACTION:  # a fault or an action, which may strike all there is
            room = margin + REPLICA_SPACE * t.up(w).shape[0] + FAULT_SPACE * (st.shape[0] - g[c.G_FREE_N])
            if g[c.G_HEAP] + room > due.shape[0] - ROOT or g[c.G_INSTANT] + room > instant.shape[0]:
                put_back(w, time, order, ref)
                return c.GROW
        if not live(w, time, rank, sub, seq, i):
            continue
        if time != g[c.G_NOW]:
            if time >= g[c.G_DURATION] and (g[c.G_OPEN] == 0 or g[c.G_PENDING] + 1 == 0):
                return c.DONE
            if time >= g[c.G_EDGE]:
                advance_cells(w, time)
            g[c.G_NOW] = time
            g[c.G_SAME] = 0
        g[c.G_SAME] += 1
        if g[c.G_SAME] > g[c.G_SAME_LIMIT]:
            return c.STUCK
        g[c.G_CUR] = i
        act = c.ACT_WAIT

        if rank == R_DONE:
            if g[c.G_HEAP] > LARGE and st[i, c.ST_KIND] == c.VISIT:
                t.prefetch(w, st[i, c.A_CALLER], c.C_SEQ)
                t.prefetch(w, st[i, c.A_CALLER], c.C_TRIES)
                t.prefetch(w, st[i, c.A_CALLER], c.ST_ID)
            if st[i, c.W_STATE] == c.WORK_SHARES:
                touch_service(w, st[i, c.ST_SVC])
                leave_cores(w, i, True)
            st[i, c.W_STATE] = c.WORK_NONE
            st[i, c.W_SEQ] = 0
            st[i, c.V_WORK] += st[i, c.W_BASE]
            act = c.ACT_RUN
        elif rank == R_REPLY or (rank == R_TIMEOUT and sub == 0):
            if rank == R_REPLY:
                st[i, c.A_RSEQ] = 0
                g[c.G_OUT] = st[i, c.A_OUT]
            else:
                g[c.G_OUT] = TIMEOUT
            caller = st[i, c.A_CALLER]
            if g[c.G_HEAP] > LARGE and st[caller, c.ST_KIND] == c.BRANCH and st[caller, c.ST_PARENT_ID] != 0:
                t.prefetch(w, st[caller, c.ST_PARENT], c.B_FIRST)
                t.prefetch(w, st[caller, c.ST_PARENT], c.V_WORK)
                t.prefetch(w, st[caller, c.ST_PARENT], c.ST_ID)
            g[c.G_ATT] = i
            g[c.G_CUR] = caller
            g[c.G_THEN] = c.ACT_AFTER if st[caller, c.C_SEQ] == st[i, c.A_CSEQ] else c.ACT_WAIT
            act = c.ACT_SETTLE
        elif rank == R_ARRIVE:
            act = arrive(w, i)
        elif rank == R_LOAD:
            act = load_arrival(w, i)
        elif rank == R_GRANT:
            if st[i, c.ST_PHASE] == c.PH_GRANTED:
                touch_service(w, st[i, c.ST_SVC])
                begin(w, i)
                act = c.ACT_RUN
            else:
                st[i, c.ST_PHASE] = c.PH_RUN
                act = c.ACT_RESUME
        elif rank == R_START or rank == R_THINK:
            act = c.ACT_RUN
            if rank == R_THINK and g[c.G_NOW] >= g[c.G_DURATION]:
                act = c.ACT_END
                g[c.G_OUT] = c.LEFT if st[i, c.ST_KIND] == c.USER else 0
            elif rank == R_THINK and st[i, c.ST_KIND] == c.USER:
                sets_out(w, i)
        elif rank == R_JOIN:
            act = join(w, i)
            if act == c.ACT_END:
                act = c.ACT_PARALLEL_FAILED
        elif rank == R_TIMEOUT:
            st[i, c.C_RESULT] = DEADLINE
            g[c.G_REASON] = DEADLINE
            g[c.G_LOSER] = 0
            act = c.ACT_SETTLE_ALL
        elif rank == R_BACKOFF:
            if st[i, c.C_STATE] == c.CALL_BACKOFF:
                st[i, c.C_STATE] = c.CALL_OPEN
                act = c.ACT_TRY
            else:
                act = fall_back(w, i)
        elif rank == R_HEDGE:
            st[i, c.C_HSEQ] = 0
            act = c.ACT_LAUNCH
        elif rank == R_PERMIT:
            st[i, c.ST_PHASE] = c.PH_GONE
            caller = st[i, c.A_CALLER]
            current = st[caller, c.C_SEQ] == st[i, c.A_CSEQ]
            if not depart(w, caller if current else -1, i):
                g[c.G_ATT] = i
                g[c.G_CUR] = caller
                g[c.G_OUT] = UNREACHABLE
                g[c.G_THEN] = c.ACT_AFTER if current else c.ACT_WAIT
                act = c.ACT_SETTLE
        elif rank == R_PATIENCE:
            if sub == 0:
                blame(w, i, stuck(w, i, -1, M_SHED))
                leave_waiting(w, i)
                g[c.G_OUT] = SHED
                act = c.ACT_VISIT_END
            else:
                caller = st[i, c.A_CALLER]
                g[c.G_ATT] = i
                g[c.G_CUR] = caller
                g[c.G_OUT] = BULKHEAD_FULL
                g[c.G_THEN] = c.ACT_AFTER if st[caller, c.C_SEQ] == st[i, c.A_CSEQ] else c.ACT_WAIT
                act = c.ACT_SETTLE
        elif rank == R_CANCEL:
            way = svc[st[i, c.ST_SVC], S_CANCEL]
            phase = st[i, c.ST_PHASE]
            g[c.G_OUT] = CANCELLED
            if phase == c.PH_NET:
                st[i, c.ST_MARK] |= c.MARK_EARLY
            elif phase == c.PH_QUEUED:
                if way != WHEN_CONTINUE:
                    leave_waiting(w, i)
                    act = c.ACT_VISIT_END
            elif way == WHEN_STOP:
                if phase == c.PH_RESUME:
                    leave_resuming(w, i)
                if phase == c.PH_GRANTED:
                    touch_service(w, st[i, c.ST_SVC])
                stop(w, i, CANCELLED)
                act = c.ACT_VISIT_END
        elif rank == R_ACTION:
            if sub == ACTION_SCALE:
                rescale(w, i)
            else:
                act_on(w, sub, i)
        else:  # R_FAULT
            fault_entries.handle(w, sub, seq, i)

        # The stages in the order in which a story mostly goes through them: so most steps lead to the next lines.
        while act != c.ACT_WAIT:
            if act == c.ACT_SETTLE_ALL:
                i = g[c.G_CUR]
                if st[i, c.C_FIRST] >= 0:
                    g[c.G_ATT] = st[i, c.C_FIRST]
                    g[c.G_OUT] = g[c.G_REASON]
                    g[c.G_THEN] = c.ACT_SETTLE_ALL
                    act = c.ACT_SETTLE
                else:
                    g[c.G_LOSER] = 0
                    g[c.G_OUT] = st[i, c.C_RESULT]
                    act = c.ACT_CALL_END
            if act == c.ACT_SETTLE:
                settle(w, g[c.G_ATT], g[c.G_OUT])
                act = g[c.G_THEN]
            if act == c.ACT_AFTER:
                act = after(w)
            if act == c.ACT_CALL_END:
                act = call_end(w)
            if act == c.ACT_CALL_OVER:
                act = call_over(w)
            if act == c.ACT_PARALLEL_FAILED:
                i = g[c.G_CUR]
                b = st[i, c.B_FIRST]
                st[i, c.B_FIRST] = -1
                while b >= 0:
                    following = st[b, c.B_NEXT]
                    if st[b, c.ST_PHASE] == c.PH_JOINED:
                        give_back(w, b)
                    elif st[b, c.ST_PHASE] == c.PH_ENDED:
                        orphan_ended(w, b)
                    elif (
                        st[b, c.C_STATE] != c.CALL_NONE
                        and policies[sites[st[b, c.C_SITE], C_POLICY], P_CANCEL] != 0
                    ):
                        stop(w, b, CANCELLED)
                    else:
                        st[b, c.ST_PARENT_ID] = 0
                    b = following
                st[i, c.B_RESULT] = ERROR
                act = c.ACT_REJOIN
            if act == c.ACT_REJOIN:
                act = rejoin(w)
            if act == c.ACT_RESUME:
                act = resume(w, g[c.G_CUR])
            if act == c.ACT_RUN:
                act = execute(w)
            if act == c.ACT_CALL or act == c.ACT_FORK:
                i = g[c.G_CUR]
                if (
                    st[i, c.ST_MARK] & c.MARK_WORKER
                    and st[i, c.ST_KIND] == c.VISIT
                    and svc[st[i, c.ST_SVC], S_ASYNC] != 0
                ):
                    let_go(w, i)
                    free_worker(w, st[i, c.ST_SVC], st[i, c.ST_REP])
                act = c.ACT_WAIT if act == c.ACT_FORK else call(w)
            if act == c.ACT_TRY:
                i = g[c.G_CUR]
                st[i, c.C_TRIES] += 1
                st[i, c.C_GROUP] = 0
                act = c.ACT_LAUNCH
            if act == c.ACT_LAUNCH:
                act = launch(w)
            if act == c.ACT_END:
                act = end(w)
            if act == c.ACT_VISIT_END:
                visit_end(w)
                act = c.ACT_WAIT

        if g[c.G_LEAVING] != 0:
            farewell(w)
        if g[c.G_EVENTS] < log.shape[0]:
            log[g[c.G_EVENTS], 0] = time
            log[g[c.G_EVENTS], 1] = order
            log[g[c.G_EVENTS], 2] = g[c.G_NOTES]
        g[c.G_DIGEST] = chain(g[c.G_DIGEST], time, order, g[c.G_NOTES])
        g[c.G_NOTES] = 0
        g[c.G_EVENTS] += 1


@law
def leave_resuming(w, i):
    """Visit `i` is stopped while it waits for a worker to go on."""
    st = t.st(w)
    level = t.level(w)
    touch_service(w, st[i, c.ST_SVC])
    leave_resume(w, i)
    level[st[i, c.ST_SVC], LV_QUEUE] -= 1
