"""Users who come and go."""

from __future__ import annotations

from sysim.engine.compiled import world as t
from sysim.engine.compiled.columns import G_NOW, ST_CYCLE, ST_ID, ST_KEY, ST_PC, ST_STAY, ST_USER
from sysim.engine.compiled.entries import push, refer
from sysim.engine.compiled.stories import give_back
from sysim.plan.tables import I_ARG, I_SALT, NONE, R_START, R_THINK, Y_FROM
from sysim.semantics.jit import law
from sysim.semantics.rng import derive
from sysim.semantics.sampling import sample
from sysim.semantics.stays import next_stay, stay_at, stays_until


@law
def rest(w, i, pc):
    """User `i`, who comes and goes, pauses before a round, or is away until the next stay, with the next cycle."""
    g = t.g(w)
    st = t.st(w)
    code = t.code(w)
    stays = t.stays(w)
    now = g[G_NOW]
    stay = stay_at(stays, st[i, ST_STAY], now)
    key = derive(st[i, ST_KEY], code[pc, I_SALT])
    then = now + sample(t.dist(w), t.distF(w), t.points(w), code[pc, I_ARG], key, 0)
    if stays_until(stays, stay, now, then):
        st[i, ST_STAY] = stay
        st[i, ST_PC] = pc + 1
        push(w, then, R_THINK, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))
        return
    stay = next_stay(stays, stay, now)
    if stay == NONE:
        give_back(w, i)
        return
    st[i, ST_STAY] = stay
    st[i, ST_CYCLE] += 1
    st[i, ST_KEY] = derive(st[i, ST_USER], st[i, ST_CYCLE])
    push(w, stays[stay, Y_FROM], R_START, st[i, ST_KEY], refer(st[i, ST_ID], 0, i))
