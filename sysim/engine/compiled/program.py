"""Executing programs: what a story does between two waits."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.causes import at_site, blame, cause_of, count_failure
from sysim.engine.compiled.columns import (
    A_SITE,
    ACT_CALL,
    ACT_CALL_OVER,
    ACT_END,
    ACT_FORK,
    ACT_RUN,
    ACT_VISIT_END,
    ACT_WAIT,
    B_FIRST,
    B_LAST,
    B_NEXT,
    B_PENDING,
    B_RESULT,
    BRANCH,
    C_ORIGINAL,
    C_RESULT,
    FALLBACK,
    G_CELL,
    G_CUR,
    G_DURATION,
    G_LOADS,
    G_NOTES,
    G_NOW,
    G_OPEN,
    G_OUT,
    G_SERVICES,
    G_STREAMS,
    LEFT,
    MARK_DEGRADED,
    MARK_ERROR,
    MARK_TRACED,
    MESSAGE,
    PH_ENDED,
    PH_RUN,
    PRIORITY_BITS,
    REQUEST,
    ST_CELL,
    ST_CYCLE,
    ST_DEADLINE,
    ST_ID,
    ST_KEY,
    ST_KIND,
    ST_LOAD,
    ST_MARK,
    ST_OP,
    ST_OWNER,
    ST_PARENT,
    ST_PARENT_ID,
    ST_PC,
    ST_PHASE,
    ST_REP,
    ST_ROOT,
    ST_STREAM,
    ST_SVC,
    ST_T0,
    ST_USER,
    ST_WCELL,
    V_WORK,
    VISIT,
)
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.stories import give_back, take
from sysim.engine.compiled.users import rest
from sysim.engine.compiled.visits import touch_service
from sysim.engine.compiled.work import start as start_work
from sysim.plan.tables import (
    BR_PC,
    BR_SALT,
    DEGRADED,
    ERROR,
    I_ARG,
    I_NEXT,
    I_OP,
    I_OPTIONAL,
    I_SALT,
    L_CLOSED,
    L_FIRST_STREAM,
    L_JOURNEY,
    L_PC,
    OK,
    OP_CALL,
    OP_CHANCE,
    OP_END,
    OP_FAIL,
    OP_FLAG,
    OP_JUMP,
    OP_PARALLEL,
    OP_PUBLISH,
    OP_THINK,
    OP_WORK,
    R_JOIN,
    R_START,
    R_THINK,
    S_CORES,
    T_LIMIT,
)
from sysim.record.columns import LC_BEGUN, LC_BROKEN, LC_FINISHED
from sysim.record.counters import request_ended, wasted
from sysim.semantics.causes import M_ERROR_FAULT
from sysim.semantics.digest import NOTE_REQUEST, note
from sysim.semantics.jit import inlined_law, law
from sysim.semantics.rng import derive, uniform
from sysim.semantics.sampling import sample


@inlined_law
def succeeded(outcome):
    """Whether a caller takes the outcome for a success."""
    return outcome == OK or outcome == DEGRADED


@inlined_law
def execute(w):
    """Run the program of the story in control until it waits, calls or ends; the next action is returned."""
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    codeF = t.codeF(w)
    flags = t.flags(w)
    svc = t.svc(w)
    dist = t.dist(w)
    distF = t.distF(w)
    points = t.points(w)
    i = g[G_CUR]
    pc = st[i, ST_PC]
    while True:
        op = code[pc, I_OP]
        if op == OP_WORK:
            base = sample(dist, distF, points, code[pc, I_ARG], derive(st[i, ST_KEY], code[pc, I_SALT]), 0)
            st[i, ST_PC] = pc + 1
            s = st[i, ST_SVC]
            if svc[s, S_CORES] >= 0:
                touch_service(w, s)
            start_work(w, i, base)
            return ACT_WAIT
        elif op == OP_CALL:
            st[i, ST_PC] = pc
            return ACT_CALL
        elif op == OP_END:
            g[G_OUT] = DEGRADED if st[i, ST_MARK] & MARK_DEGRADED else OK
            return ACT_END
        elif op == OP_CHANCE:
            if uniform(derive(st[i, ST_KEY], code[pc, I_SALT]), 0) >= codeF[pc, 0]:
                pc = code[pc, I_NEXT]
            else:
                pc += 1
        elif op == OP_FLAG:
            pc = pc + 1 if flags[code[pc, I_ARG]] != 0 else code[pc, I_NEXT]
        elif op == OP_JUMP:
            pc = code[pc, I_NEXT]
        elif op == OP_FAIL:
            if uniform(derive(st[i, ST_KEY], code[pc, I_SALT]), 0) < codeF[pc, 0]:
                if code[pc, I_OPTIONAL] == 0:
                    blame(w, i, 0)
                    g[G_OUT] = ERROR
                    return ACT_END
                st[i, ST_MARK] |= MARK_DEGRADED
            pc += 1
        elif op == OP_THINK:
            ns = sample(dist, distF, points, code[pc, I_ARG], derive(st[i, ST_KEY], code[pc, I_SALT]), 0)
            st[i, ST_PC] = pc + 1
            push(w, g[G_NOW] + ns, R_THINK, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))
            return ACT_WAIT
        elif op == OP_PUBLISH:
            m = take(w, MESSAGE, derive(st[i, ST_KEY], code[pc, I_SALT]))
            adopt(w, m, i)
            g[G_OPEN] += 1
            st[m, ST_PC] = code[pc, I_ARG]
            push(w, g[G_NOW], R_START, st[m, ST_KEY], refer(st[m, ST_ID], 0, m))
            pc += 1
        elif op == OP_PARALLEL:
            st[i, ST_PC] = pc
            fork(w, i, pc)
            return ACT_FORK
        else:  # OP_PAUSE
            rest(w, i, pc)
            return ACT_WAIT


@law
def adopt(w, child, i):
    """Story `child` acts from where story `i` is: same replica or client."""
    st = t.st(w)
    st[child, ST_SVC] = st[i, ST_SVC]
    st[child, ST_REP] = st[i, ST_REP]
    st[child, ST_OP] = st[i, ST_OP]  # of a client: which one
    if st[i, ST_SVC] < 0:
        st[child, ST_LOAD] = st[i, ST_LOAD]
    st[child, ST_MARK] |= st[i, ST_MARK] & PRIORITY_BITS
    if st[i, ST_MARK] & MARK_TRACED:
        st[child, ST_MARK] |= MARK_TRACED
        st[child, ST_ROOT] = st[i, ST_ROOT]
        st[child, ST_OWNER] = st[i, ST_KEY] if st[i, ST_KIND] == VISIT else st[i, ST_OWNER]


@law
def fork(w, i, pc):
    """One branch story a branch of the parallel at `pc`, each begun by an entry."""
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    branches = t.branches(w)
    first = code[pc, I_ARG]
    n = code[pc, I_NEXT]
    st[i, B_PENDING] = n
    st[i, B_FIRST] = -1
    st[i, B_RESULT] = OK
    cell = st[i, ST_CELL] if st[i, ST_KIND] == VISIT else st[i, ST_WCELL]
    for k in range(n):
        row = first + n - 1 - k
        b = take(w, BRANCH, derive(st[i, ST_KEY], branches[row, BR_SALT]))
        adopt(w, b, i)
        st[b, ST_PC] = branches[row, BR_PC]
        st[b, ST_PHASE] = PH_RUN
        st[b, V_WORK] = 0
        st[b, ST_DEADLINE] = st[i, ST_DEADLINE]
        st[b, ST_PARENT] = i
        st[b, ST_PARENT_ID] = st[i, ST_ID]
        st[b, ST_WCELL] = cell
        st[b, B_NEXT] = st[i, B_FIRST]
        st[i, B_FIRST] = b
        if k == 0:
            st[i, B_LAST] = b
        push(w, g[G_NOW], R_START, st[b, ST_KEY], refer(st[b, ST_ID], 0, b))


@inlined_law
def resume(w, i):
    """Go on after the call or parallel at the program counter, which ended with C_RESULT or B_RESULT."""
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    pc = st[i, ST_PC]
    outcome = st[i, C_RESULT] if code[pc, I_OP] == OP_CALL else st[i, B_RESULT]
    if outcome == OK:
        st[i, ST_PC] = pc + 1
        return ACT_RUN
    if outcome == DEGRADED or code[pc, I_OPTIONAL] != 0:
        st[i, ST_MARK] |= MARK_DEGRADED
        st[i, ST_PC] = pc + 1
        return ACT_RUN
    kind = st[i, ST_KIND]
    g[G_OUT] = ERROR if kind == VISIT or kind == BRANCH else outcome
    return ACT_END


@inlined_law
def end(w):
    """The story in control ends with G_OUT."""
    g = t.g(w)
    st = t.st(w)
    loads = t.loads(w)
    i = g[G_CUR]
    kind = st[i, ST_KIND]
    if kind == VISIT:
        if st[i, ST_MARK] & MARK_ERROR and succeeded(g[G_OUT]):
            blame(w, i, at_site(w, M_ERROR_FAULT, 0, st[i, A_SITE]))
            g[G_OUT] = ERROR
        return ACT_VISIT_END
    if kind == REQUEST:
        end_request(
            w, i, st[i, ST_LOAD], st[i, ST_STREAM], st[i, ST_CELL], st[i, ST_T0], st[i, ST_KEY], g[G_OUT]
        )
        give_back(w, i)
        return ACT_WAIT
    if kind == BRANCH:
        if st[i, ST_PARENT_ID] == 0:
            orphan_ended(w, i)
            return ACT_WAIT
        st[i, C_RESULT] = g[G_OUT]
        st[i, ST_PHASE] = PH_ENDED
        push(w, g[G_NOW], R_JOIN, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))
        return ACT_WAIT
    if kind == FALLBACK:
        parent = st[i, ST_PARENT]
        g[G_OUT] = DEGRADED if succeeded(g[G_OUT]) else st[parent, C_ORIGINAL]
        g[G_CUR] = parent
        give_back(w, i)
        return ACT_CALL_OVER
    if kind == MESSAGE:
        g[G_OPEN] -= 1
        give_back(w, i)
        return ACT_WAIT
    # a user: the next cycle
    end_journey(w, i)
    st[i, ST_CYCLE] += 1
    st[i, ST_KEY] = derive(st[i, ST_USER], st[i, ST_CYCLE])
    st[i, ST_MARK] &= PRIORITY_BITS
    st[i, ST_PC] = loads[st[i, ST_LOAD], L_PC]
    if g[G_NOW] >= g[G_DURATION] or loads[st[i, ST_LOAD], L_CLOSED] == 0:
        give_back(w, i)
        return ACT_WAIT
    return ACT_RUN


@inlined_law
def begin_journey(w, i):
    """User `i` sets out: if that is a journey, it is counted."""
    g = t.g(w)
    st = t.st(w)
    loads = t.loads(w)
    load = st[i, ST_LOAD]
    if loads[load, L_JOURNEY] != 0:
        st[i, ST_CELL] = g[G_CELL]
        t.load_cells(w)[g[G_CELL] * g[G_STREAMS] + loads[load, L_FIRST_STREAM], LC_BEGUN] += 1


@inlined_law
def sets_out(w, i):
    """User `i` has thought; was it the pause before a round, a journey begins."""
    st = t.st(w)
    loads = t.loads(w)
    load = st[i, ST_LOAD]
    if loads[load, L_CLOSED] != 0 and st[i, ST_PC] == loads[load, L_PC] + 1:
        begin_journey(w, i)


@inlined_law
def end_journey(w, i):
    """User `i` comes to the end of its round with G_OUT, or has left (LEFT) because the load is over."""
    g = t.g(w)
    st = t.st(w)
    loads = t.loads(w)
    load = st[i, ST_LOAD]
    if loads[load, L_JOURNEY] != 0 and g[G_OUT] != LEFT:
        column = LC_FINISHED if succeeded(g[G_OUT]) else LC_BROKEN
        t.load_cells(w)[st[i, ST_CELL] * g[G_STREAMS] + loads[load, L_FIRST_STREAM], column] += 1


@law
def orphan_ended(w, i):
    """A branch that nobody joins any more is over: its work was for nothing."""
    g = t.g(w)
    st = t.st(w)
    svc_cells = t.svc_cells(w)
    wasted(svc_cells, st[i, ST_WCELL] * g[G_SERVICES] + st[i, ST_SVC], st[i, V_WORK])
    give_back(w, i)


@inlined_law
def end_request(w, i, load, stream, cell, began, key, outcome):
    """A request of a load, made by story `i`, ends: counted by its arrival, its latency among successes or failures."""
    g = t.g(w)
    load_cells = t.load_cells(w)
    load_hist = t.load_hist(w)
    load_moments = t.load_moments(w)
    load_coarse = t.load_coarse(w)
    cell_segment = t.cell_segment(w)
    cell_column = t.cell_column(w)
    n = g[G_STREAMS]
    request_ended(
        load_cells,
        cell * n + stream,
        g[G_CELL] * n + stream,
        load_hist,
        load_moments,
        (cell_segment[cell] * n + stream) * 2,
        load_coarse,
        (cell_column[cell] * g[G_LOADS] + load) * 2,
        outcome,
        g[G_NOW] - began,
        t.streams(w)[stream, T_LIMIT],
    )
    if not succeeded(outcome):
        count_failure(w, cell, stream, outcome, cause_of(w, i))
    g[G_OPEN] -= 1
    g[G_NOTES] += note(NOTE_REQUEST, key, outcome)
