"""The columns of what is recorded: counters by time cell, moments and histograms by segment.

A *cell* is an elementary stretch of time cut by bucket edges, the end of the warm-up and all window edges; a
*segment* lies between window edges. Rows of cell tables are ``cell * n + subject``; there is one cell and one
segment more than the plan has, for what belongs to the drain. Windows and buckets are sums of cells, so they
agree by construction.
"""

from __future__ import annotations

from typing import Final

from sysim.plan.tables import N_OUTCOMES

# per cell and stream (a call of a load's mix or journey), by the arrival of the request
LC_OFFERED: Final = 0
LC_OUT: Final = 1  # one column an outcome
LC_DONE: Final = LC_OUT + N_OUTCOMES  # by the end of the request
LC_DONE_OK: Final = LC_DONE + 1
LC_DONE_SLOW: Final = LC_DONE + 2  # successes, but too slow for an slo of the load
LC_SLOW: Final = LC_DONE + 3  # the same by the arrival of the request
LC_BEGUN: Final = LC_DONE + 4  # journeys that began, in the row of the load's first stream …
LC_FINISHED: Final = LC_DONE + 5  # … and that came to their end, or broke off, by the moment of their beginning
LC_BROKEN: Final = LC_DONE + 6
N_LC: Final = LC_DONE + 7

# per cell and service, by the moment the attempt reached it; the integrals by the clock
SC_ARRIVALS: Final = 0
SC_COMPLETED: Final = 1
SC_REJECTED: Final = 2
SC_ABANDONED: Final = 3
SC_STARTED: Final = 4
SC_WASTED: Final = 5  # ns of work
SC_OUT: Final = 6
SC_IN_SYSTEM: Final = SC_OUT + N_OUTCOMES  # integrals: requests x ns
SC_QUEUE: Final = SC_IN_SYSTEM + 1
SC_BUSY: Final = SC_IN_SYSTEM + 2  # workers x ns
SC_UP: Final = SC_IN_SYSTEM + 3  # replicas that are up x ns
SC_CPU: Final = SC_IN_SYSTEM + 4  # thousandths of cores x ns
SC_PAID: Final = SC_IN_SYSTEM + 5  # replicas that start or are up x ns
N_SC: Final = SC_IN_SYSTEM + 6

# per cell and row of call statistics, by the moment the call began (transitions by the clock)
CC_CALLS: Final = 0
CC_ATTEMPTS: Final = 1
CC_SENT: Final = 2
CC_RETRIES: Final = 3
CC_HEDGES: Final = 4
CC_OUT: Final = 5
CC_TRY: Final = CC_OUT + N_OUTCOMES  # outcomes of attempts
CC_REFUSED: Final = CC_TRY + N_OUTCOMES  # retries refused by the budget
CC_OPENED: Final = CC_REFUSED + 1
CC_CLOSED_NS: Final = CC_REFUSED + 2  # lengths of closed phases that ended, and how many
CC_CLOSED_N: Final = CC_REFUSED + 3
CC_OPEN_NS: Final = CC_REFUSED + 4  # lengths of phases from opening to closing
CC_OPEN_N: Final = CC_REFUSED + 5
N_CC: Final = CC_REFUSED + 6

# exact moments of times in ns; the sum of squares in 31-bit limbs
M_N: Final = 0
M_SUM: Final = 1
M_Q0: Final = 2
M_MAX: Final = 6
N_M: Final = 7

# present levels of a service
LV_IN_SYSTEM: Final = 0
LV_QUEUE: Final = 1
LV_BUSY: Final = 2
LV_UP: Final = 3
LV_CPU: Final = 4
LV_LAST: Final = 5  # when the integrals were last brought up to date
LV_FULL_FIRST: Final = 6  # when its queue first and last refused a request, and how often
LV_FULL_LAST: Final = 7
LV_FULL_N: Final = 8
LV_PAID: Final = 9  # replicas that start or are up, and when their integral was last brought up to date
LV_PAID_LAST: Final = 10
N_LV: Final = 11

# per segment and service
PK_MAX: Final = 0
PK_AT: Final = 1
N_PK: Final = 2

# transitions, in the order in which they happened
EV_TIME: Final = 0
EV_KIND: Final = 1
EV_SUBJECT: Final = 2
EV_VALUE: Final = 3
N_EV: Final = 4
EV_FAULT: Final = 0  # subject fault, value 1 begins 0 ends
EV_BREAKER: Final = 1  # subject scope, value new state
EV_REPLICA: Final = 2  # subject replica, value 1 up 0 down 2 gone for good, or until it is wanted again
EV_ACTION: Final = 3  # subject action, value 1 decided (and delayed) 2 carried out
EV_SCALE: Final = 4  # subject scaler, value how many replicas there shall be, or at least
EV_ROLLED: Final = 5  # subject service, value the version that all of its replicas run from now on
REPLICA_DOWN: Final = 0
REPLICA_UP: Final = 1
REPLICA_GONE: Final = 2
EVENT_LIMIT: Final = 65536  # transitions kept; further ones are only counted

# failed requests by cause, while it is counted a hash table, in the end sorted by number
FC_NUMBER: Final = 0  # of segment, stream, outcome and cause (`sysim.semantics.causes.failure`); 0: free
FC_COUNT: Final = 1
N_FC: Final = 2
FC_ROOM: Final = 256  # rows at first

# sampled traces: one row a finished request, call or visit
SP_REQUEST: Final = 0  # key of the request
SP_KEY: Final = 1
SP_PARENT: Final = 2  # key of the story that made it
SP_KIND: Final = 3  # one of SPAN_*
SP_REF: Final = 4  # stream, call site or operation
SP_REPLICA: Final = 5
SP_BEGIN: Final = 6
SP_START: Final = 7  # visits: when a worker took it, -1 if none did
SP_END: Final = 8
SP_OUTCOME: Final = 9
N_SP: Final = 10
SPAN_REQUEST: Final = 0
SPAN_CALL: Final = 1
SPAN_VISIT: Final = 2
SPANS_PER_TRACE: Final = 256
