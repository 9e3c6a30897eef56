"""What both engines write down, as laws: levels over time, requests, visits, calls, transitions.

Every function is given the row it writes; `now` is in ns. Floats do not occur.
"""

from __future__ import annotations

from sysim.plan.tables import DEGRADED, OK, REJECTED
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_CALLS,
    CC_CLOSED_N,
    CC_CLOSED_NS,
    CC_HEDGES,
    CC_OPEN_N,
    CC_OPEN_NS,
    CC_OPENED,
    CC_OUT,
    CC_RETRIES,
    CC_SENT,
    CC_TRY,
    EV_KIND,
    EV_SUBJECT,
    EV_TIME,
    EV_VALUE,
    FC_COUNT,
    FC_NUMBER,
    LC_DONE,
    LC_DONE_OK,
    LC_DONE_SLOW,
    LC_OUT,
    LC_SLOW,
    LV_BUSY,
    LV_CPU,
    LV_FULL_FIRST,
    LV_FULL_LAST,
    LV_FULL_N,
    LV_IN_SYSTEM,
    LV_LAST,
    LV_PAID,
    LV_PAID_LAST,
    LV_QUEUE,
    LV_UP,
    PK_AT,
    PK_MAX,
    SC_ABANDONED,
    SC_BUSY,
    SC_COMPLETED,
    SC_CPU,
    SC_IN_SYSTEM,
    SC_OUT,
    SC_PAID,
    SC_QUEUE,
    SC_REJECTED,
    SC_UP,
    SC_WASTED,
    SP_BEGIN,
    SP_END,
    SP_KEY,
    SP_KIND,
    SP_OUTCOME,
    SP_PARENT,
    SP_REF,
    SP_REPLICA,
    SP_REQUEST,
    SP_START,
)
from sysim.record.histogram import COARSE, add, bin_of
from sysim.semantics.jit import inlined_law, law


@inlined_law
def touch(level, s, cells, row, now):
    """Bring the integrals of service `s` up to `now`; call before any of its levels changes."""
    dt = now - level[s, LV_LAST]
    if dt > 0:
        cells[row, SC_IN_SYSTEM] += level[s, LV_IN_SYSTEM] * dt
        cells[row, SC_QUEUE] += level[s, LV_QUEUE] * dt
        cells[row, SC_BUSY] += level[s, LV_BUSY] * dt
        cells[row, SC_UP] += level[s, LV_UP] * dt
        cells[row, SC_CPU] += level[s, LV_CPU] * dt
        level[s, LV_LAST] = now


@law
def pay(level, s, cells, row, now):
    """Bring the integral of the replicas of service `s` that are paid for up to `now`; call before it changes.

    Apart from `touch`, which is called for every request: this number seldom changes.
    """
    cells[row, SC_PAID] += level[s, LV_PAID] * (now - level[s, LV_PAID_LAST])
    level[s, LV_PAID_LAST] = now


@inlined_law
def peak(level, s, peaks, row, now):
    """Note the present number in system of service `s` if it is the segment's highest so far."""
    if level[s, LV_IN_SYSTEM] > peaks[row, PK_MAX]:
        peaks[row, PK_MAX] = level[s, LV_IN_SYSTEM]
        peaks[row, PK_AT] = now


@law
def queue_full(level, s, now):
    """The queue of service `s` refuses a request."""
    if level[s, LV_FULL_N] == 0:
        level[s, LV_FULL_FIRST] = now
    level[s, LV_FULL_LAST] = now
    level[s, LV_FULL_N] += 1


@inlined_law
def request_ended(
    cells, row, row_now, histogram, moments, segment_row, coarse, coarse_row, outcome, latency, limit
):
    """A request that arrived in cell row `row` ends now (cell row `row_now`); a success is good within `limit` ns.

    `segment_row` and `coarse_row` are the rows of successes; those of failures follow them.
    """
    cells[row, LC_OUT + outcome] += 1
    cells[row_now, LC_DONE] += 1
    failed = 1
    if outcome == OK or outcome == DEGRADED:
        cells[row_now, LC_DONE_OK] += 1
        failed = 0
        if latency > limit:
            cells[row, LC_SLOW] += 1
            cells[row_now, LC_DONE_SLOW] += 1
    add(histogram, moments, segment_row + failed, latency)
    coarse[coarse_row + failed, bin_of(latency) // COARSE] += 1


@law
def failed(failures, used, number):
    """One more failure of this `number`; how many rows of the table are used is returned. It must not be full.

    Open addressing with linear probing in a table whose length is a power of two (Knuth, TAOCP 3, 6.4).
    """
    mask = failures.shape[0] - 1
    at = (number ^ number >> 7 ^ number >> 15) & mask
    while failures[at, FC_NUMBER] != 0 and failures[at, FC_NUMBER] != number:
        at = (at + 1) & mask
    if failures[at, FC_NUMBER] == 0:
        failures[at, FC_NUMBER] = number
        used += 1
    failures[at, FC_COUNT] += 1
    return used


@inlined_law
def visit_ended(cells, row, outcome, abandoned):
    """A visit that arrived in cell row `row` ends, in the service's own view."""
    cells[row, SC_OUT + outcome] += 1
    if outcome == OK or outcome == DEGRADED:
        cells[row, SC_COMPLETED] += 1
    elif outcome == REJECTED:
        cells[row, SC_REJECTED] += 1
    if abandoned:
        cells[row, SC_ABANDONED] += 1


@inlined_law
def wasted(cells, row, work):
    """Work (ns) of a visit that arrived in cell row `row` turns out to be of no use to anybody."""
    cells[row, SC_WASTED] += work


@inlined_law
def call_ended(cells, row, outcome):
    """A call that began in cell row `row` ends."""
    cells[row, CC_CALLS] += 1
    cells[row, CC_OUT + outcome] += 1


@inlined_law
def attempt_ended(cells, row, outcome, sent, retry, hedge):
    """An attempt of a call that began in cell row `row` ends in its caller's view; flags are 0 or 1."""
    cells[row, CC_ATTEMPTS] += 1
    cells[row, CC_TRY + outcome] += 1
    cells[row, CC_SENT] += sent
    cells[row, CC_RETRIES] += retry
    cells[row, CC_HEDGES] += hedge


@law
def breaker_opened(cells, row, closed_for):
    """A breaker opens after a closed phase of `closed_for` ns (negative: it re-opens from half-open)."""
    cells[row, CC_OPENED] += 1
    if closed_for >= 0:
        cells[row, CC_CLOSED_NS] += closed_for
        cells[row, CC_CLOSED_N] += 1


@law
def breaker_closed(cells, row, open_for):
    """A breaker closes, `open_for` ns after it opened from closed."""
    cells[row, CC_OPEN_NS] += open_for
    cells[row, CC_OPEN_N] += 1


@law
def transition(events, n, now, kind, subject, value):
    """Write transition number `n` if there is room; the number of transitions so far is returned."""
    if n < events.shape[0]:
        events[n, EV_TIME] = now
        events[n, EV_KIND] = kind
        events[n, EV_SUBJECT] = subject
        events[n, EV_VALUE] = value
    return n + 1


@law
def span(spans, n, root, key, parent, kind, ref, replica, begin, start, end, outcome):
    """Write span number `n` of the traces if there is room; the number of spans written so far is returned."""
    if n >= spans.shape[0]:
        return n
    spans[n, SP_REQUEST] = root
    spans[n, SP_KEY] = key
    spans[n, SP_PARENT] = parent
    spans[n, SP_KIND] = kind
    spans[n, SP_REF] = ref
    spans[n, SP_REPLICA] = replica
    spans[n, SP_BEGIN] = begin
    spans[n, SP_START] = start
    spans[n, SP_END] = end
    spans[n, SP_OUTCOME] = outcome
    return n + 1
