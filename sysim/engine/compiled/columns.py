"""The run tables of the compiled engine: stories, replicas, scalars, entries.

A *story* row is whatever executes a program: a request of an open load, a user, a visit (an attempt at its
callee), a branch, a message, a fallback. A visit's row is also the attempt as its caller sees it, so it lives
until both sides are done with it. Columns are grouped by the cache line they share.
"""

from __future__ import annotations

from typing import Final

from sysim.plan.tables import CLASSES
from sysim.semantics.causes import WATCHED

# --- story ----------------------------------------------------------------------------------------
# everybody
ST_ID: Final = 0  # unique number of this use of the row, 0: free
ST_KIND: Final = 1
ST_KEY: Final = 2
ST_PC: Final = 3
ST_PHASE: Final = 4  # visits and branches: one of PH_*
ST_MARK: Final = 5  # bit set of MARK_*; from CAUSE_SHIFT on a cause
ST_SVC: Final = 6  # service and global replica it runs at, -1 for clients
ST_REP: Final = 7
# the call in progress; C_SEQ, C_STATE and C_HSEQ are 0 and C_FIRST means nothing while there is none
C_SEQ: Final = 8  # unique number of the call, 0: none
C_KEY: Final = 9
C_STATE: Final = 10
C_SITE: Final = 11
C_SCOPE: Final = 12
C_CELL: Final = 13
C_T0: Final = 14
C_FIRST: Final = 15  # first open attempt
C_TRIES: Final = 16
C_ATTEMPTS: Final = 17
C_TRIED: Final = 18  # replicas tried, a bit set
C_GROUP: Final = 19  # attempts of the present try
C_NOPEN: Final = 20
C_HSEQ: Final = 21  # of the hedge timer
C_RESULT: Final = 22  # outcome of the last call, or why it is being torn down; of a branch: its outcome
C_ORIGINAL: Final = 22  # while there is a fallback: the outcome that led to it
C_DEADLINE: Final = 23
# visits: the attempt, as its caller sees it
A_CALLER: Final = 24  # row of the calling story
A_CSEQ: Final = 25  # the call it belongs to
A_OPEN: Final = 26  # 1: the caller still waits for it, or at least counts it; 0 in all other rows
A_SITE: Final = 27
A_SCOPE: Final = 28
A_OUT: Final = 29  # what the reply on its way says
A_T0: Final = 30
A_NOTICE: Final = 30  # once the caller no longer waits: number of the cancel notice on its way, else 0
A_RSEQ: Final = 31  # of the reply on its way; 0: none, and in all other rows
A_BITS: Final = 5  # bit set of BIT_*, beside the marks; above them the replica that was picked, and a cause
A_NEXT: Final = 32  # next open attempt of the same call
A_CELL: Final = 33  # when the call began
V_WORK: Final = 34  # visits and branches: ns of work finished so far
A_FROM: Final = 35  # the caller's replica, -1 for clients
ST_CELL: Final = 36  # when the request or visit arrived
ST_T0: Final = 37
ST_DEADLINE: Final = 38  # inherited, NEVER if none
ST_OP: Final = 39  # global operation
# in the same places: clients' stories (the load, the stream of a one-call request, the client or user) …
ST_LOAD: Final = 32
ST_STREAM: Final = 33
ST_CLIENT: Final = 39
ST_STAY: Final = 33  # users who come and go: their row of `stays`
# … and what branches and fallbacks know of their parent
ST_PARENT: Final = 33
ST_PARENT_ID: Final = 35  # 0: an orphan
B_NEXT: Final = 36  # next branch of the same parent, also once it has joined
ST_WCELL: Final = 37  # cell of the visit they belong to
# work, and a place in a queue, a bulkhead's line or (sorted by tag and key) among the jobs that share cores
W_SEQ: Final = 40  # of the pending end of work, else 0
W_STATE: Final = 41  # one of WORK_*
W_BASE: Final = 42
W_DUE: Final = 43  # when it is due; with cores: the tag
W_T0: Final = 44
W_LEFT: Final = 45  # while paused
V_NEXT: Final = 46
V_PREV: Final = 47
PS_NEXT: Final = 46
PS_PREV: Final = 47
# parents; C_CHILD and B_FIRST are -1 while there are no children
B_FIRST: Final = 48  # first branch
B_PENDING: Final = 49  # branches that have not joined
C_CHILD: Final = 50  # fallback story
B_LAST: Final = 51  # last branch
B_RESULT: Final = 52  # outcome of the parallel so far
# seldom
C_PREVIOUS: Final = 52  # last back-off, from the second try on
ST_USER: Final = 53  # users: their key, of which those of the cycles derive
V_START: Final = 53  # visits: when a worker took it, -1: none has
ST_CYCLE: Final = 54  # users
ST_OWNER: Final = 54  # a trace's parent: of a visit, key of its call; of its calls for all others but users
ST_ROOT: Final = 55  # traced stories: key of the request
# free rows
FREE_NEXT: Final = B_NEXT  # the next free row: branches that have all joined are free as they hang together
N_ST: Final = 56  # seven cache lines: an odd number spreads the rows over all sets of a cache

LEFT: Final = -1  # instead of the outcome of a user whose load is over

REQUEST: Final = 0
USER: Final = 1
VISIT: Final = 2
BRANCH: Final = 3
MESSAGE: Final = 4
FALLBACK: Final = 5

PH_LINE: Final = 1  # waits for a bulkhead permit
PH_PERMIT: Final = 2  # was handed one at this instant
PH_NET: Final = 3  # on its way to the service
PH_QUEUED: Final = 4
PH_GRANTED: Final = 5  # was handed a worker at this instant
PH_RUN: Final = 6
PH_RESUME: Final = 7  # async: waits for a worker to go on
PH_REGRANTED: Final = 8
PH_GONE: Final = 9  # the callee is done with it (a reply may be on its way), or it never got there
PH_ENDED: Final = 10  # branches: ended, not joined yet
PH_JOINED: Final = 11  # branches: the row is free once the parallel is over

MARK_DEGRADED: Final = 1
MARK_EARLY: Final = 2  # a cancel notice overtook it
MARK_ERROR: Final = 4  # an after_work error fault struck it
MARK_WORKER: Final = 8  # holds a worker
MARK_STARTED: Final = 16
MARK_TRACED: Final = 64
MARK_IN: Final = 32  # is counted in system

BIT_SENT: Final = 256
BIT_RETRY: Final = 512
BIT_HEDGE: Final = 1024
BIT_PERMIT: Final = 2048
PRIORITY_SHIFT: Final = 13  # of the load that it is done for, for visits, branches and messages alike
PRIORITY_BITS: Final = (CLASSES - 1) << PRIORITY_SHIFT
BIT_SURE: Final = 4096  # its answer is no message that could be lost: a crash or a reset was seen at once
PICK_SHIFT: Final = 16  # local number of the replica that the balancer picked
PICK_MASK: Final = (1 << 19) - 1
WATCH_SHIFT: Final = 35  # 1 + its place among the watched holders of a worker, 0: it is not watched
WATCH_MASK: Final = 31
CAUSE_SHIFT: Final = 40  # above it all: why the story's last call failed, or the visit itself (`semantics.causes`)
CAUSE_REST: Final = (1 << CAUSE_SHIFT) - 1
CAUSE_LIMIT: Final = 1 << 23

CALL_NONE: Final = 0
CALL_OPEN: Final = 1
CALL_BACKOFF: Final = 2
CALL_SLEEP: Final = 3  # latency of the fallback
CALL_FALLBACK: Final = 4

WORK_NONE: Final = 0
WORK_RUNS: Final = 1
WORK_PAUSED: Final = 2
WORK_SHARES: Final = 3

# --- replicas (run) -------------------------------------------------------------------------------
RQ_HEAD: Final = 0
RQ_TAIL: Final = 1
RQ_N: Final = 2
RR_HEAD: Final = 3  # resume line
RR_TAIL: Final = 4
RX_BUSY: Final = 5
RX_IN_SYSTEM: Final = 6
RX_STARTED: Final = 7  # started visits in progress
RX_GENERATION: Final = 8  # how often it crashed
PS_V: Final = 9  # attained service of the cores, ns
PS_LAST: Final = 10
PS_N: Final = 11
PS_HEAD: Final = 12
PS_TAIL: Final = 13
RX_RETURN: Final = 14  # crashed, and up again when this fault ends; else -1
PS_SCHEDULED: Final = 15  # the job whose end is pending, -1: none
RX_CPU: Final = 16  # thousandths of cores in use
RX_GRANTS: Final = 17  # how many workers it has given
RX_DRAINED: Final = 18  # 1: gets nothing new
RX_STANDING: Final = 19  # WANTED, LEAVING or GONE
RX_WITNESS: Final = 20  # while it leaves: a story that it has not got rid of when last looked at
RX_PAID: Final = 21  # 1: it starts or is up
RX_VERSION: Final = 22  # what it runs: 0, or 1 + the row of the lever that deployed it
RQ_LAST: Final = 23  # of each class the last one in the queue, -1: none; for queues that go by priority
N_RX: Final = RQ_LAST + CLASSES
# holders: some visits that hold a worker of a replica, 1 + their row and the number of the grant each
N_HOLDERS: Final = 2 * WATCHED
# speed (float64), a row per (replica, operation)
SP_FACTOR: Final = 0  # work takes this many times as long
SP_PAUSED: Final = 1
SP_CORES: Final = 2
N_SPEED: Final = 3

# --- scalars --------------------------------------------------------------------------------------
G_NOW: Final = 0
G_HEAP: Final = 1  # entries in the heap
G_INSTANT: Final = 2  # entries in the heap of the present instant
G_SEQ: Final = 3
G_FREE: Final = 4  # first free story
G_FREE_N: Final = 5
G_DIGEST: Final = 6
G_NOTES: Final = 7
G_EVENTS: Final = 8
G_CELL: Final = 9
G_SEGMENT: Final = 10
G_COLUMN: Final = 11
G_EDGE: Final = 12  # when the next cell begins
G_OPEN: Final = 13  # requests and messages not ended
G_PENDING: Final = 14  # entries in all stores, begins of recurring faults excepted
G_TRANSITIONS: Final = 15
G_LANE_T: Final = 16  # least lane head
G_LANE_O: Final = 17
G_LANE_I: Final = 18
G_CUR: Final = 19  # the story that has control
G_OUT: Final = 20  # an outcome on its way from one action to the next
G_ATT: Final = 21  # the attempt being settled
G_THEN: Final = 22  # the action after that
G_AFTER: Final = 23  # the action after a series of those
G_ORDER: Final = 24
G_REF: Final = 25
G_SAME: Final = 26  # entries handled at the present instant
G_SEED: Final = 27
G_SPANS: Final = 28
G_SAME_LIMIT: Final = 29  # how many there may be
G_DURATION: Final = 31
G_STOP: Final = 32  # the run ends here at the latest
G_HALT: Final = 45  # the loop is left before entries of this time or later; G_STOP at the latest
G_STREAMS: Final = 33
G_SERVICES: Final = 34
G_STATS: Final = 35
G_LOADS: Final = 36
G_LANES: Final = 37
G_TRACES: Final = 38  # requests to trace
G_TRACE_NEXT: Final = 44  # the next of them
G_REASON: Final = 39  # why a settled attempt's call is being torn down
G_LOSER: Final = 40  # 1 while hedge losers are being cancelled
G_MARGIN: Final = 42  # how much room one entry may need
G_FULL: Final = 43  # 1: a lane or the table of failures needs more room
G_LEAVING: Final = 30  # replicas that leave
G_FAILURES: Final = 46  # rows of that table in use
N_G: Final = 48

# --- status ---------------------------------------------------------------------------------------
DONE: Final = 0
GROW: Final = 1
PAUSED: Final = 2
STUCK: Final = 3  # too many entries at one instant
HALTED: Final = 4  # all entries before G_HALT are done

# --- entry references -----------------------------------------------------------------------------
SLOT_BITS: Final = 24
SUB_BITS: Final = 2
SLOT_MASK: Final = (1 << SLOT_BITS) - 1
SEQ_SHIFT: Final = SLOT_BITS + SUB_BITS
ORDER_SHIFT: Final = 58
ORDER_MASK: Final = (1 << ORDER_SHIFT) - 1

# lanes: one ring a constant delay
LN_BASE: Final = 0
LN_MASK: Final = 1
LN_HEAD: Final = 2
LN_N: Final = 3
N_LN: Final = 4
MAX_LANES: Final = 16  # further constant delays go to the heap

# loads (run)
LX_N: Final = 0  # entries so far
LX_ROW: Final = 1  # row of `rates`
LX_KEY: Final = 2
LX_ARRIVALS: Final = 3  # key of the inter-arrival draws
LX_STATES: Final = 4  # key of the states of a modulated rate
N_LX: Final = 5

# --- actions: what the story that has control does next -------------------------------------------
ACT_WAIT: Final = 0  # nothing: the entry is dealt with
ACT_RUN: Final = 1  # execute its program
ACT_CALL: Final = 2  # begin the call at its program counter
ACT_TRY: Final = 3  # begin the next try of its call
ACT_LAUNCH: Final = 4  # launch one attempt
ACT_SETTLE: Final = 5  # close attempt G_ATT with G_OUT, then G_THEN
ACT_AFTER: Final = 6  # an attempt of its call ended with G_OUT
ACT_SETTLE_ALL: Final = 7  # close all open attempts with G_REASON, then G_AFTER with C_RESULT
ACT_CALL_END: Final = 8  # its call ends with G_OUT, a fallback apart
ACT_CALL_OVER: Final = 9  # its call is over, with G_OUT
ACT_REJOIN: Final = 10  # an async visit needs a worker before it goes on
ACT_RESUME: Final = 11  # go on after a call or a parallel that ended with C_RESULT
ACT_END: Final = 12  # the story ends with G_OUT
ACT_VISIT_END: Final = 13  # the visit ends with G_OUT
ACT_PARALLEL_FAILED: Final = 14
ACT_FORK: Final = 15  # its branches have been made; an async visit gives its worker back
