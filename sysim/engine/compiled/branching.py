"""A run goes on as the run of another plan, one that says the same of all that has been.

Both plans have to be equal but for what lies ahead: further actions, after those that there were, and faults that
are over sooner (`F_UNTIL`). Then all that a run of the other plan would have in its tables by now is there, except for
entries that lie ahead: those of the actions, and of the ends of faults. These are put in place.
"""

from __future__ import annotations

import numpy as np

from sysim.engine.compiled import columns as c
from sysim.engine.compiled.actions import schedule_action
from sysim.engine.compiled.entries import ROOT, push, refer
from sysim.engine.compiled.faults import BEGIN, FINISH
from sysim.engine.compiled.tables import Tables, grow_heap, grow_stories
from sysim.plan.plan import Plan
from sysim.plan.tables import (
    AC_AT,
    AC_KEY,
    AC_LEVERS,
    AC_METRIC,
    AS_SINCE,
    F_EVERY,
    F_UNTIL,
    FS_ACTIVE,
    FS_OCCURRENCE,
    LE_FIRST_HIT,
    LE_HITS,
    NEVER,
    R_FAULT,
)
from sysim.record.record import Record
from sysim.semantics.rng import derive

_ROWS = {"actions": "actions", "actionsF": "actions", "levers": "levers", "leversF": "levers", "lever_hits": "hits"}
"""Tables that may become longer, and what is counted in them."""


def redirect(old: Plan, new: Plan, run: Tables, record: Record) -> None:
    """Make `run`, which was a run of `old` and is halted, one of `new`. The laws' wrap-round is the caller's.

    Raises ValueError where the plans differ in what has been.
    """
    halt = int(run.g[c.G_HALT])
    _same_past(old, new, halt)
    if new.n_actions >= len(run.st):
        grow_stories(run, 2 * new.n_actions)
    fresh = np.zeros((len(new.actions), run.action_state.shape[1]), dtype=np.int64)
    fresh[:, AS_SINCE] = NEVER
    fresh[: old.n_actions] = run.action_state[: old.n_actions]
    run.action_state = fresh
    run.action_keys = np.array([derive(run.g[c.G_SEED], key) for key in new.actions[:, AC_KEY]], dtype=np.int64)
    more = new.n_actions - old.n_actions + new.n_faults
    if run.g[c.G_HEAP] + run.margin + more + ROOT > len(run.due):
        grow_heap(run, 2 * (len(run.due) + more))
    run.connect(new, record)
    for fault in range(new.n_faults):
        if new.faults[fault, F_UNTIL] != old.faults[fault, F_UNTIL]:
            _end_sooner(new, run, fault)
    for action in range(old.n_actions, new.n_actions):
        schedule_action(run.world, action)


def _end_sooner(plan: Plan, run: Tables, fault: int) -> None:
    """Nothing of a fault lies after its `F_UNTIL` any more."""
    until = int(plan.faults[fault, F_UNTIL])
    key, occurrence = run.fault_keys[fault], int(run.fstate[fault, FS_OCCURRENCE])
    if run.fstate[fault, FS_ACTIVE]:
        end, ref = derive(key, 2 * occurrence + 1), refer(occurrence, FINISH, fault)
        due = _due(run, int(end), int(ref))
        if due is None or due > until:
            if due is not None:
                _remove(run, int(end), int(ref))
                run.g[c.G_PENDING] -= 1
            push(run.world, until, R_FAULT, end, ref)
        return
    begin, ref = derive(key, 2 * occurrence), refer(occurrence, BEGIN, fault)
    due = _due(run, int(begin), int(ref))
    if due is not None and due >= until:
        _remove(run, int(begin), int(ref))
        run.g[c.G_PENDING] -= plan.faults[fault, F_EVERY] < 0  # those of recurring ones are not in the count


def _place(run: Tables, key: int, ref: int) -> int | None:
    """Where the entry of a fault stands in the heap. (Faults are in no other store while a run is halted.)"""
    tails = run.tails[ROOT : ROOT + int(run.g[c.G_HEAP])]
    order = (R_FAULT << c.ORDER_SHIFT) | (key & c.ORDER_MASK)
    found = np.flatnonzero((tails[:, 0] == order) & (tails[:, 1] == ref))
    return int(found[0]) + ROOT if len(found) else None


def _due(run: Tables, key: int, ref: int) -> int | None:
    place = _place(run, key, ref)
    return None if place is None else int(run.due[place])


def _remove(run: Tables, key: int, ref: int) -> None:
    """Take an entry out of the heap; what is left is put in order, and so is a heap."""
    place = _place(run, key, ref)
    if place is None:
        return
    n = int(run.g[c.G_HEAP])
    left = np.r_[ROOT:place, place + 1 : ROOT + n]
    ranked = left[np.lexsort((run.tails[left, 0], run.due[left]))]
    run.due[ROOT : ROOT + n - 1] = run.due[ranked]
    run.tails[ROOT : ROOT + n - 1] = run.tails[ranked]
    run.g[c.G_HEAP] = n - 1


def _same_past(old: Plan, new: Plan, halt: int) -> None:
    """Raises ValueError unless the plans differ only in what lies from `halt` (ns) on."""
    used = {"actions": old.n_actions, "levers": _levers(old), "hits": _hits(old)}
    others = new.arrays()
    for name, table in old.arrays().items():
        other = others[name]
        if name in _ROWS:
            n = used[_ROWS[name]]
            table, other = table[:n], other[:n]
        elif name == "faults":
            table, other = np.delete(table, F_UNTIL, 1), np.delete(other, F_UNTIL, 1)
        if not np.array_equal(table, other):
            raise ValueError(f"found plans that differ in {name}, expected the same past")
    for name, value in vars(old).items():
        if isinstance(value, int) and name != "n_actions" and value != getattr(new, name):
            raise ValueError(f"found plans that differ in {name}, expected the same past")
    more = new.actions[old.n_actions : new.n_actions]
    if (more[:, AC_METRIC] >= 0).any() or (more[:, AC_AT] < halt).any():
        raise ValueError("found an action that is due before the halt or waits for a condition, expected one after it")
    before, after = old.faults[:, F_UNTIL], new.faults[:, F_UNTIL]
    if ((before != after) & ((after > before) | (after < halt))).any():
        raise ValueError("found a fault that ends before the halt, or later than it did, expected one that ends sooner")


def _levers(plan: Plan) -> int:
    return int(plan.actions[: plan.n_actions, AC_LEVERS].sum())


def _hits(plan: Plan) -> int:
    levers = plan.levers[: _levers(plan)]
    return max(0, int((levers[:, LE_FIRST_HIT] + levers[:, LE_HITS]).max())) if len(levers) else 0
