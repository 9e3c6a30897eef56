"""What a monitor sees of the record while a run is under way, and whether the condition of an action is met.

Levels of a service are those of the moment. What is counted of a load is counted over a trailing window of
whole looks, by the end of a request (as a monitor counts), and since time 0 until there have been that many:
the sums at a look less those AC_SLOTS looks ago, which `seen` remembers in a ring, `seen_hist` bin by bin. A
number that does not exist, such as a quantile of nothing, meets no condition.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    AC_EVERY,
    AC_FIRST_BINS,
    AC_FIRST_SLOT,
    AC_FOR,
    AC_METRIC,
    AC_OP,
    AC_SHORT,
    AC_SLOTS,
    AC_SUBJECT,
    ACF_FAILING,
    ACF_QUANTILE,
    ACF_SLOW,
    ACF_THRESHOLD,
    AS_CELL,
    AS_DONE,
    AS_LOOKS,
    AS_OFFERED,
    AS_OK,
    AS_SLOW,
    L_FIRST_STREAM,
    L_STREAMS,
    METRIC_ALERT,
    METRIC_IN_SYSTEM,
    METRIC_LATENCY,
    METRIC_LATENCY_ALL,
    METRIC_OFFERED,
    METRIC_QUEUE,
    METRIC_SUCCESS,
    METRIC_UTILISATION,
    S_WORKERS,
    SEEN_DONE,
    SEEN_OFFERED,
    SEEN_OK,
    SEEN_SLOW,
)
from sysim.record.columns import LC_DONE, LC_DONE_OK, LC_DONE_SLOW, LC_OFFERED, LV_BUSY, LV_IN_SYSTEM, LV_QUEUE, LV_UP
from sysim.record.histogram import BINS, middle
from sysim.semantics.conditions import holds, lasting
from sysim.semantics.jit import law
from sysim.semantics.rounding import ceiling

NOTHING = -1.0  # instead of a number: there is none


@law
def look(actions, actionsF, a, state, seen, seen_hist, svc, loads, level, load_cells, load_hist, cell, streams, now):
    """Look at the metric of action `a` in cell `cell` at `now`: has its condition held for as long as it should?

    `streams` is the number of rows that a cell has in `load_cells`.
    """
    state[a, AS_LOOKS] += 1
    metric = actions[a, AC_METRIC]
    subject = actions[a, AC_SUBJECT]
    if metric < METRIC_SUCCESS:
        value = _service(level, svc, metric, subject)
    elif metric < METRIC_LATENCY or metric == METRIC_ALERT:
        value = _load(actions, actionsF, a, state, seen, loads, load_cells, cell, streams)
    else:
        value = _latency(actions, actionsF, a, state, seen_hist, loads, load_hist, streams)
    true = value >= 0.0 and holds(actions[a, AC_OP], value, actionsF[a, ACF_THRESHOLD])
    return lasting(state, a, now, actions[a, AC_FOR], true)


@law
def _service(level, svc, metric, s):
    if metric == METRIC_QUEUE:
        return np.float64(level[s, LV_QUEUE])
    if metric == METRIC_IN_SYSTEM:
        return np.float64(level[s, LV_IN_SYSTEM])
    if metric == METRIC_UTILISATION and level[s, LV_UP] > 0:
        return np.float64(level[s, LV_BUSY]) / np.float64(level[s, LV_UP] * svc[s, S_WORKERS])
    return NOTHING


@law
def _load(actions, actionsF, a, state, seen, loads, load_cells, cell, streams):
    load = actions[a, AC_SUBJECT]
    first = loads[load, L_FIRST_STREAM]
    last = first + loads[load, L_STREAMS]
    for c in range(state[a, AS_CELL], cell):
        for s in range(c * streams + first, c * streams + last):
            state[a, AS_OFFERED] += load_cells[s, LC_OFFERED]
            state[a, AS_DONE] += load_cells[s, LC_DONE]
            state[a, AS_OK] += load_cells[s, LC_DONE_OK]
            state[a, AS_SLOW] += load_cells[s, LC_DONE_SLOW]
    state[a, AS_CELL] = cell
    offered = state[a, AS_OFFERED]
    done = state[a, AS_DONE]
    good = state[a, AS_OK]
    slow = state[a, AS_SLOW]
    for s in range(cell * streams + first, cell * streams + last):
        offered += load_cells[s, LC_OFFERED]
        done += load_cells[s, LC_DONE]
        good += load_cells[s, LC_DONE_OK]
        slow += load_cells[s, LC_DONE_SLOW]
    slots = actions[a, AC_SLOTS]
    looks = state[a, AS_LOOKS]
    row = actions[a, AC_FIRST_SLOT] + looks % slots
    burn = NOTHING
    if actions[a, AC_METRIC] == METRIC_ALERT:
        burn = _burn(actionsF, a, seen, row, done, good, slow, looks, slots)
        short = actions[a, AC_SHORT]
        since = actions[a, AC_FIRST_SLOT] + (looks + slots - short) % slots  # not written yet where that is before 0
        burn = min(burn, _burn(actionsF, a, seen, since, done, good, slow, looks, short))
    new = offered - seen[row, SEEN_OFFERED]
    ended = done - seen[row, SEEN_DONE]
    well = good - seen[row, SEEN_OK]
    seen[row, SEEN_OFFERED] = offered
    seen[row, SEEN_DONE] = done
    seen[row, SEEN_OK] = good
    seen[row, SEEN_SLOW] = slow
    if actions[a, AC_METRIC] == METRIC_ALERT:
        return burn
    seconds = np.float64(min(looks, slots) * actions[a, AC_EVERY]) * 1e-9
    if actions[a, AC_METRIC] == METRIC_OFFERED:
        return np.float64(new) / seconds
    if actions[a, AC_METRIC] == METRIC_SUCCESS:
        return np.float64(well) / np.float64(ended) if ended > 0 else NOTHING
    return np.float64(well) / seconds


@law
def _burn(actionsF, a, seen, row, done, good, slow, looks, slots):
    """How many times as fast as it may the error budget of alert `a` has burnt since the sums in `row`.

    That is `slots` looks ago, the first of them without a failure where there have not been so many.
    """
    ended = done - seen[row, SEEN_DONE]
    well = good - seen[row, SEEN_OK]
    late = slow - seen[row, SEEN_SLOW]
    burn = 0.0
    if actionsF[a, ACF_FAILING] > 0.0 and ended > 0:
        burn = np.float64(ended - well) / np.float64(ended) / actionsF[a, ACF_FAILING]
    if actionsF[a, ACF_SLOW] > 0.0 and well > 0:
        burn = max(burn, np.float64(late) / np.float64(well) / actionsF[a, ACF_SLOW])
    return burn * (np.float64(min(looks, slots)) / np.float64(slots))


@law
def _latency(actions, actionsF, a, state, seen_hist, loads, load_hist, streams):
    load = actions[a, AC_SUBJECT]
    first = loads[load, L_FIRST_STREAM]
    kinds = 2 if actions[a, AC_METRIC] == METRIC_LATENCY_ALL else 1
    slots = actions[a, AC_SLOTS]
    total = actions[a, AC_FIRST_BINS] + slots
    row = actions[a, AC_FIRST_BINS] + state[a, AS_LOOKS] % slots
    for b in range(BINS):
        seen_hist[total, b] = 0
    for segment in range(load_hist.shape[0] // (2 * streams)):
        for s in range(first, first + loads[load, L_STREAMS]):
            for kind in range(kinds):
                for b in range(BINS):
                    seen_hist[total, b] += load_hist[(segment * streams + s) * 2 + kind, b]
    n = np.int64(0)
    for b in range(BINS):
        n += seen_hist[total, b] - seen_hist[row, b]
    rank = ceiling(actionsF[a, ACF_QUANTILE] * np.float64(n))
    below = np.int64(0)
    value = NOTHING
    for b in range(BINS):
        below += seen_hist[total, b] - seen_hist[row, b]
        if value < 0.0 and n > 0 and below >= rank:
            value = middle(b) * 1e-9
        seen_hist[row, b] = seen_hist[total, b]
    return value
