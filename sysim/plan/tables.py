"""The columns of every table of a plan and of a run: the vocabulary that both engines share.

All tables are plain two-dimensional ``int64`` arrays (``float64`` where a name ends in ``F``), a row an
entity, a column one of the constants below. Plan tables are read-only; run tables belong to one run.
Times are nanoseconds from time 0. -1 stands for "none" in every index column.

One array type for nearly everything keeps the compiled engine's specialisations few and its compile time
short; the constants give the columns their names.
"""

from __future__ import annotations

from typing import Final

NEVER: Final = 1 << 62  # a time that does not come
NONE: Final = -1
INSTANT_LIMIT: Final = 10_000_000  # live entries at one instant before a run is given up

# --- outcomes, in the order of the contract -------------------------------------------------------
OK: Final = 0
DEGRADED: Final = 1
ERROR: Final = 2
TIMEOUT: Final = 3
DEADLINE: Final = 4
REJECTED: Final = 5
SHED: Final = 6
CIRCUIT_OPEN: Final = 7
RATE_LIMITED: Final = 8
BULKHEAD_FULL: Final = 9
UNREACHABLE: Final = 10
LOST: Final = 11
CANCELLED: Final = 12
IN_FLIGHT: Final = 13
N_OUTCOMES: Final = 14
OUTCOMES: Final = (
    "ok", "degraded", "error", "timeout", "deadline", "rejected", "shed", "circuit_open", "rate_limited",
    "bulkhead_full", "unreachable", "lost", "cancelled", "in_flight",
)  # fmt: skip

# --- ranks: what goes first among entries of one instant ------------------------------------------
R_FAULT: Final = 0  # faults begin and end, replicas restart: the world changes before anything happens in it
R_ACTION: Final = 1  # an operator pulls a lever, or looks whether to
R_DONE: Final = 2  # work of a story is done
R_REPLY: Final = 3  # an attempt's reply reaches the caller
R_JOIN: Final = 4  # a branch has ended
R_PERMIT: Final = 5  # a bulkhead permit was handed to a waiting attempt
R_GRANT: Final = 6  # a worker was handed to a queued story
R_START: Final = 7  # a branch or a message begins
R_CANCEL: Final = 8  # a cancel notice reaches the callee
R_BACKOFF: Final = 9  # a back-off, or the latency of a fallback, is over
R_THINK: Final = 10  # a user has thought
R_LOAD: Final = 11  # a request arrives at an open load
R_ARRIVE: Final = 12  # an attempt reaches the service
R_HEDGE: Final = 13  # time to send a hedge
R_PATIENCE: Final = 14  # a wait in a queue or a bulkhead has lasted too long
R_TIMEOUT: Final = 15  # an attempt's timeout or a call's deadline
R_USER: Final = 16  # user processes

# --- program: one instruction a row ---------------------------------------------------------------
I_OP: Final = 0  # one of the codes below
I_ARG: Final = 1  # distribution | call site | first branch row | target instruction
I_SALT: Final = 2  # hash of the step's stable path: keys of calls, branches and draws derive from it
I_OPTIONAL: Final = 3  # 1: a failure here marks the story degraded and it goes on
I_NEXT: Final = 4  # CHANCE/FLAG/JUMP: where to go; PARALLEL: number of branches
I_FALLBACK: Final = 5  # CALL/PUBLISH: first instruction of the fallback's steps, or -1
N_I: Final = 6

OP_END: Final = 0  # the story ends well
OP_WORK: Final = 1  # ARG distribution
OP_CALL: Final = 2  # ARG call site
OP_PUBLISH: Final = 3  # ARG call site
OP_PARALLEL: Final = 4  # ARG first row of `branches`, NEXT how many
OP_FAIL: Final = 5  # ends the story with `error`, or marks it degraded where optional
OP_CHANCE: Final = 6  # goes to NEXT when uniform(key, SALT) >= codeF[row, 0], else on
OP_FLAG: Final = 7  # goes to NEXT when flag ARG is off
OP_JUMP: Final = 8  # goes to NEXT
OP_THINK: Final = 9  # ARG distribution; journeys only
OP_PAUSE: Final = 10  # as THINK, the pause before a round of users who come and go

BR_PC: Final = 0  # branches: first instruction
BR_SALT: Final = 1
N_BR: Final = 2

# --- distributions: dist (int64) and distF (float64, seconds); see semantics/sampling.py ----------
D_KIND: Final = 0
D_FIRST: Final = 1  # first row of `points`, for mixtures and empirical
D_COUNT: Final = 2
D_CAP: Final = 3  # upper bound in ns, NEVER if none
D_CONST: Final = 4  # value in ns of a constant, else -1
N_D: Final = 5
D_A: Final = 0  # distF: parameters in seconds or without unit
D_B: Final = 1
D_C: Final = 2
D_MEAN: Final = 3  # mean in seconds
N_DF: Final = 4

# --- services and replicas (plan) -----------------------------------------------------------------
S_FIRST: Final = 0  # first global replica number
S_REPLICAS: Final = 1  # with spare ones, which some action may start
S_WORKERS: Final = 2  # concurrency per replica, NEVER if unlimited
S_ASYNC: Final = 3  # 1: workers are given back during calls
S_CORES: Final = 4  # NONE: no CPU contention
S_CAPACITY: Final = 5  # waiting requests per queue, NEVER if unbounded
S_DISCIPLINE: Final = 6  # one of LINE_*
S_SHARED: Final = 7  # 1: one queue for all replicas
S_PATIENCE: Final = 8  # distribution of queue.max_wait, or -1
S_PATIENCE_LANE: Final = 9  # lane of a constant max_wait, or -1
S_ADMISSION: Final = 10  # most requests in progress (waiting ones included) per replica, NEVER if none
S_CANCEL: Final = 11  # one of WHEN_*
S_STARTUP: Final = 12  # distribution of the time from start to ready, -1: at once
S_OPS: Final = 13  # number of operations
S_FIRST_OP: Final = 14  # first global operation number
S_WATCHED: Final = 15  # 1: what its workers are held for may be something else than their own work
S_BEGIN: Final = 16  # replicas at time 0
S_ZONES: Final = 17  # replica i lies in zone i modulo this number
N_S: Final = 18
SF_PER_CONCURRENT: Final = 0  # svcF
SF_CORES: Final = 1  # cores as given (may be a fraction)
N_SF: Final = 2
LINE_FIFO: Final = 0
LINE_LIFO: Final = 1
LINE_PRIORITY: Final = 2  # by the class of the load, first come first served within each
LINE_EDF: Final = 3  # by inherited deadline, first come first served among equals
WHEN_CONTINUE: Final = 0
WHEN_DROP_QUEUED: Final = 1
WHEN_STOP: Final = 2

O_SVC: Final = 0  # operations: service
O_PC: Final = 1  # first instruction
N_O: Final = 2

# replicas: plan part
RP_SVC: Final = 0
RP_ZONE: Final = 1  # zone number or -1
RP_FIRST_SPEED: Final = 2  # first row of `speed` (one per operation of the service)
RP_KEY: Final = 3  # hash of the replica's name
N_RP: Final = 4

# --- call sites: a place in the text from which calls are made ------------------------------------
C_SVC: Final = 0  # callee
C_OP: Final = 1  # callee's global operation
C_POLICY: Final = 2  # row of policies
C_SCOPE: Final = 3  # first scope row; add the caller's local replica number or client number
C_STAT: Final = 4  # row of the call statistics
C_STREAM: Final = 5  # for calls of a load: row of the load statistics, else -1
C_CALLER: Final = 6  # calling service, or -1 for a load
C_ZONE: Final = 7  # zone of a load, else -1
C_FAULTS: Final = 8  # first row of `site_faults`
C_N_FAULTS: Final = 9
C_PUBLISH: Final = 10
N_C: Final = 11

# --- call policies --------------------------------------------------------------------------------
P_TIMEOUT: Final = 0  # ns, NEVER if none
P_TIMEOUT_LANE: Final = 1
P_DEADLINE: Final = 2  # ns, NEVER if none
P_DEADLINE_LANE: Final = 3
P_PROPAGATE: Final = 4
P_CANCEL: Final = 5
P_MAX_ATTEMPTS: Final = 6  # tries, the first included
P_RETRY_ON: Final = 7  # bit set of outcomes
P_BACKOFF: Final = 8  # one of BACKOFF_*
P_JITTER: Final = 9  # one of JITTER_*
P_BUDGET: Final = 10  # one of BUDGET_*
P_BUDGET_WINDOW: Final = 11  # ns
P_BUDGET_ON_SUCCESS: Final = 12  # bucket deposits on success instead of on each call
P_HEDGE_MAX: Final = 13  # attempts of a hedged try, 1 if no hedging
P_HEDGE_DELAY: Final = 14  # distribution, or -1
P_HEDGE_CANCEL: Final = 15
P_BREAKER: Final = 16  # one of FORCE_*
P_BREAKER_CALLS: Final = 17  # count window, or 0
P_BREAKER_TIME: Final = 18  # time window in ns, or 0
P_BREAKER_MINIMUM: Final = 19
P_BREAKER_OPEN_FOR: Final = 20
P_BREAKER_HALF_OPEN: Final = 21
P_BREAKER_SLOW: Final = 22  # slow_call_duration in ns, NEVER if none
P_RATE_INTERVAL: Final = 23  # ns between tokens, 0 if no rate limit
P_RATE_BURST: Final = 24
P_BULKHEAD: Final = 25  # permits, NEVER if none
P_BULKHEAD_WAIT: Final = 26  # ns
P_BULKHEAD_LANE: Final = 27
P_BALANCER: Final = 28  # one of BALANCE_*
P_CHOICES: Final = 29
P_LATENCY: Final = 30  # distribution of the network latency one way, -1: none
P_CROSS_ZONE: Final = 31  # ns one way between zones
P_FALLBACK_ON: Final = 32  # bit set of outcomes, 0: no fallback
P_FALLBACK_LATENCY: Final = 33  # distribution, or -1
P_WINDOW_LEN: Final = 34  # rows of `ring` a scope of this policy needs
P_FALLBACK_FORCED: Final = 35  # 1: an operator has all calls answered by the fallback
P_TIMEOUT_DIST: Final = 36  # distribution of a timeout that is drawn for each attempt, -1: P_TIMEOUT holds
P_DEADLINE_DIST: Final = 37  # of a deadline that is drawn for each call, -1: P_DEADLINE holds
N_P: Final = 38
PF_BACKOFF_INITIAL: Final = 0  # policiesF; seconds
PF_BACKOFF_MULTIPLIER: Final = 1
PF_BACKOFF_MAX: Final = 2
PF_JITTER_SHARE: Final = 3
PF_BUDGET_RATIO: Final = 4
PF_BUDGET_MIN: Final = 5  # per second
PF_BUCKET_TOKENS: Final = 6
PF_BUCKET_DEPOSIT: Final = 7
PF_BUCKET_COST: Final = 8
PF_BREAKER_FAILURES: Final = 9  # failure rate 0..1
PF_BREAKER_SLOW: Final = 10  # slow call rate 0..1; above 1: never
PF_LOSS: Final = 11  # network loss one way
PF_GIVE_UP: Final = 12  # share of those who could try again and do not
N_PF: Final = 13
BACKOFF_NONE: Final = 0
BACKOFF_CONSTANT: Final = 1
BACKOFF_EXPONENTIAL: Final = 2
JITTER_NONE: Final = 0
JITTER_FULL: Final = 1
JITTER_EQUAL: Final = 2
JITTER_DECORRELATED: Final = 3
JITTER_SHARE: Final = 4
BUDGET_NONE: Final = 0
BUDGET_RATIO: Final = 1
BUDGET_BUCKET: Final = 2
FORCE_NONE: Final = 0  # there is no breaker
FORCE_AUTO: Final = 1  # the breaker follows its own rules
FORCE_OPEN: Final = 2  # an operator holds it open, or closed
FORCE_CLOSED: Final = 3
BALANCE_ROUND_ROBIN: Final = 0
BALANCE_RANDOM: Final = 1
BALANCE_LEAST_REQUEST: Final = 2
BALANCE_LEAST_OUTSTANDING: Final = 3

# --- policy state, one row per (caller replica or client, policy, callee) -------------------------
K_STATE: Final = 0  # breaker: one of BREAKER_*
K_OPEN_UNTIL: Final = 1
K_PERMITS: Final = 2  # probes that may still be sent in half-open
K_TOTAL: Final = 3  # of the current window
K_FAILED: Final = 4
K_SLOW: Final = 5
K_HEAD: Final = 6  # count window: next position; time window: current slot number
K_FILLED: Final = 7
K_SINCE: Final = 8  # when the present closed, or not closed, phase began
K_BUDGET_SLOT: Final = 9  # ratio budget: current slot number
K_BUDGET_TRIES: Final = 10  # sums over the window
K_BUDGET_RETRIES: Final = 11
K_TOKENS: Final = 12  # bucket: tokens in millionths
K_TAT: Final = 13  # rate limit: theoretical arrival time of the next token
K_PERMITS_USED: Final = 14  # bulkhead
K_WAIT_HEAD: Final = 15  # bulkhead: first and last waiting attempt (slots of `story`)
K_WAIT_TAIL: Final = 16
K_ROBIN: Final = 17  # round robin: local number of the next replica
K_RING: Final = 18  # first element of `ring` of this scope
K_OUT: Final = 19  # first element of `outstanding` of this scope, -1: not kept
K_POLICY: Final = 20
K_STAT: Final = 21  # call statistics that its transitions count for (the first site that uses it)
K_KEY: Final = 22  # identity, for the random start of round robin and for notes
K_CALLER: Final = 23  # global replica that owns the row, -1 for clients
K_REPLICAS: Final = 24  # replicas of the callee at time 0, among which round robin begins
K_CAUSE: Final = 25  # of the last failure that the breaker counted
K_ROWS: Final = 26  # replicas of the callee with spare ones
N_K: Final = 27
BREAKER_CLOSED: Final = 0
BREAKER_OPEN: Final = 1
BREAKER_HALF_OPEN: Final = 2

# --- loads ----------------------------------------------------------------------------------------
L_CLOSED: Final = 0  # 1: users in a closed loop
L_FIRST_STREAM: Final = 1  # first stream, and how many; a stream is a call of the mix or of the journey
L_STREAMS: Final = 2
L_CLIENTS: Final = 3  # client instances (open) or users (closed)
L_ARRIVALS: Final = 4  # one of ARRIVALS_*
L_BATCH: Final = 5  # batch size; 0 with a geometric size of mean loadsF[LF_BATCH]
L_FIRST_RATE: Final = 6  # rows of `rates`
L_RATES: Final = 7
L_KEY: Final = 8
L_PC: Final = 9  # journey: first instruction
L_THINK: Final = 10  # distribution
L_CALL_PC: Final = 11  # first instruction of stream 0's one-call program; stream j is at L_CALL_PC + 2 * j
L_CLASS: Final = 12  # priorities in order: 0 is served first; all 0 where no queue goes by them
L_JOURNEY: Final = 13  # 1: its rounds are journeys, which are counted
L_STAYS: Final = 14  # row of `stays` of user 0, and so on; NONE: all users are there all the time
N_L: Final = 15
CLASSES: Final = 8  # different priorities that a plan may have
LF_BATCH: Final = 0
N_LF: Final = 1
ARRIVALS_POISSON: Final = 0
ARRIVALS_EVENLY: Final = 1
ARRIVALS_BATCH: Final = 2
ARRIVALS_MMPP: Final = 3

# rates (float64): the rate of a load as a piecewise linear function; the last row holds for ever
Q_START: Final = 0  # seconds from time 0
Q_RATE: Final = 1  # arrivals per second at the start (batches per second for batch arrivals)
Q_SLOPE: Final = 2  # per second squared
Q_CUMULATED: Final = 3  # arrivals expected before the start
N_Q: Final = 4
# … and with ARRIVALS_MMPP a row for each state, with Q_RATE and
Q_SOJOURN: Final = 0  # its mean length in seconds

# what an open load has come to (run, float64)
LT_TARGET: Final = 0  # the integral of the rate at its next arrival
LT_START: Final = 1  # MMPP: when the present state began and ends, in seconds
LT_END: Final = 2
LT_CUMULATED: Final = 3  # the integral at its start
LT_ROW: Final = 4  # its row of `rates`
LT_NUMBER: Final = 5  # how many states there have been
N_LT: Final = 6

# stays of users who come and go: a row for the first one of each, then the others; NEVER, NEVER of one who never comes
Y_FROM: Final = 0  # ns
Y_UNTIL: Final = 1  # NEVER: to the end of the run
Y_NEXT: Final = 2  # row of the next stay of the same user, NONE after the last
N_Y: Final = 3

# noise: the loads whose calendar has some, and in noise_slots the slot of each row of `rates` (0 for others)
NZ_FIRST: Final = 0  # rows of `rates`
NZ_COUNT: Final = 1
NZ_KEY: Final = 2
N_NZ: Final = 3
NZF_SD: Final = 0  # standard deviation of the factor's logarithm
N_NZF: Final = 1

# streams (plan)
T_LOAD: Final = 0
T_SITE: Final = 1
T_SALT: Final = 2
T_LIMIT: Final = 3  # ns within which a success is a good one, NEVER: any is
N_T: Final = 4
TF_CUMULATIVE: Final = 0  # cumulative share of the mix
TF_VALUE: Final = 1
TF_DEGRADED_VALUE: Final = 2
N_TF: Final = 3

# --- faults ---------------------------------------------------------------------------------------
F_KIND: Final = 0  # one of FAULT_*
F_AT: Final = 1  # ns; for recurring faults NEVER
F_FOR: Final = 2  # distribution of the length, -1: to the end
F_EVERY: Final = 3  # distribution of the time from the end of one occurrence to the next, -1: once
F_FIRST_HIT: Final = 4  # rows of `hits`: global replicas that it may strike
F_HITS: Final = 5
F_STRIKE: Final = 6  # how many of them: -1 all; the lowest-numbered ready ones
F_DIST: Final = 7  # latency
F_AFTER_WORK: Final = 8  # error
F_RESTART_AFTER: Final = 9  # crash: distribution, -1: when `for` ends (never if it has none)
F_KEY: Final = 10
F_OP: Final = 11  # slowdown, pause or capacity of one operation only: its global number, else -1
F_UNTIL: Final = 12  # ns: over by then, and not to come back; NEVER where nobody ends it
N_F: Final = 13
FF_VALUE: Final = 0  # faultsF: factor, share or probability
FF_STRIKE: Final = 1  # share of the replicas it strikes (rounded up), -1: F_STRIKE decides
N_FF: Final = 2
FAULT_PAUSE: Final = 0
FAULT_SLOWDOWN: Final = 1
FAULT_CAPACITY: Final = 2
FAULT_LATENCY: Final = 3
FAULT_ERROR: Final = 4
FAULT_CRASH: Final = 5
FAULT_BLACKHOLE: Final = 6
FAULT_REFUSE: Final = 7
FAULT_RESET: Final = 8
FAULT_LOSS: Final = 9
FAULTS: Final = (
    "pause",
    "slowdown",
    "capacity",
    "latency",
    "error",
    "crash",
    "blackhole",
    "refuse",
    "reset",
    "loss",
)

# fault state (run)
FS_ACTIVE: Final = 0
FS_OCCURRENCE: Final = 1  # number of the current or next occurrence
FS_SINCE: Final = 2
N_FS: Final = 3

# --- actions --------------------------------------------------------------------------------------
AC_AT: Final = 0  # ns, NEVER where a condition decides
AC_AFTER: Final = 1  # distribution of the delay from then on, -1: none
AC_KEY: Final = 2
AC_FIRST_LEVER: Final = 3  # rows of `levers`, pulled in this order
AC_LEVERS: Final = 4
AC_METRIC: Final = 5  # one of METRIC_*, -1: no condition
AC_SUBJECT: Final = 6  # service, or load for the metrics from METRIC_SUCCESS on
AC_OP: Final = 7  # one of COMPARISONS
AC_FOR: Final = 8  # ns that the condition has to hold
AC_EVERY: Final = 9  # ns between two looks
AC_SLOTS: Final = 10  # looks that the trailing window covers
AC_FIRST_SLOT: Final = 11  # so many rows of `seen`
AC_FIRST_BINS: Final = 12  # latencies: so many rows of `seen_hist` and one more, else -1
AC_SHORT: Final = 13  # alerts: looks that the short window covers
N_AC: Final = 14
ACF_THRESHOLD: Final = 0  # actionsF: seconds, per second, 0..1 or a number; alerts: how fast the budget burns
ACF_QUANTILE: Final = 1  # latencies: 0..1
ACF_FAILING: Final = 2  # alerts: share of requests that may fail, 0: no objective
ACF_SLOW: Final = 3  # alerts: share of successes that may take longer than T_LIMIT, 0: no objective
N_ACF: Final = 4
METRIC_QUEUE: Final = 0
METRIC_IN_SYSTEM: Final = 1
METRIC_UTILISATION: Final = 2
METRIC_SUCCESS: Final = 3
METRIC_GOODPUT: Final = 4
METRIC_OFFERED: Final = 5
METRIC_LATENCY: Final = 6  # of successes
METRIC_LATENCY_ALL: Final = 7
METRIC_ALERT: Final = 8  # a load's error budget burns
COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")

LE_KIND: Final = 0  # levers: one of LEVER_*
LE_ARG: Final = 1  # flag | stream | service | row of `policies`
LE_COLUMN: Final = 2  # of `policies`
LE_VALUE: Final = 3
LE_FIRST_HIT: Final = 4  # rows of `lever_hits`: global replicas that it may strike
LE_HITS: Final = 5
LE_STRIKE: Final = 6  # how many of them at most, the lowest-numbered; -1: a share, or all
LE_KEY: Final = 7  # deploys: of the draws of a version's errors
LE_SURGE: Final = 2  # deploys, in the place of LE_COLUMN: replicas beyond those desired, and how many may be missing
LE_MISSING: Final = 6  # … of LE_STRIKE
N_LE: Final = 8
LEF_VALUE: Final = 0  # LE_STRIKE -1: the share that is struck (rounded up), -1: all
LEF_SURGE: Final = 0  # deploys: the same as a share, -1: LE_SURGE and LE_MISSING say it
LEF_MISSING: Final = 1
LEF_SLOWDOWN: Final = 2  # work of the version takes this many times as long
LEF_ERROR: Final = 3  # share of its visits that end with `error`
N_LEF: Final = 4
LEVER_FLAG: Final = 0  # flag ARG has VALUE
LEVER_SHED: Final = 1  # share leversF[LEF_VALUE] of stream ARG is shed at the door
LEVER_CLEAR_QUEUE: Final = 2
LEVER_RESTART: Final = 3
LEVER_SET: Final = 4  # COLUMN of policy ARG has VALUE
LEVER_DRAIN: Final = 5  # replicas are drained (VALUE 1) or no longer (0)
LEVER_SCALE: Final = 6  # service ARG shall have VALUE replicas
LEVER_DEPLOY: Final = 7  # replicas of service ARG are replaced by those of a version: the number of this row, and 1
LEVER_ROLLBACK: Final = 8  # … by those of the version before
# what becomes of a replica
WANTED: Final = 0
LEAVING: Final = 1  # gets nothing new, and is gone once it has nothing left
GONE: Final = 2  # no replica, but room for one
# entries of an action: its instant, a look at its condition, the end of the delay that people take
ACTION_DUE: Final = 0
ACTION_LOOK: Final = 1
ACTION_PULL: Final = 2
ACTION_SCALE: Final = 3  # not of an action: an autoscaler looks, or a schedule is due
# what is noted of it
ACTION_DECIDED: Final = 1  # and delayed
ACTION_CARRIED_OUT: Final = 2
X_AFTER: Final = 0  # its one draw
LEVERS: Final = ("flag", "shed", "clear_queue", "restart", "set", "drain", "scale", "deploy", "rollback")

# how many replicas a service has, and of which version (run)
RO_DESIRED: Final = 0
RO_TARGET: Final = 1  # the version that replicas start with: 0, or 1 + the row of the lever that deployed it
RO_BEFORE: Final = 2  # what a rollback goes to
RO_LEVER: Final = 3  # the deploy whose surge counts
RO_ROLLING: Final = 4  # one of ROLL_*
RO_DUE: Final = 5  # 1: an entry goes on with it at this instant
N_RO: Final = 6
ROLL_NO: Final = 0
ROLL_ON: Final = 1  # replicas are being replaced
ROLL_SHORT: Final = 2  # there was no room for all that shall be there

# state of a condition (run)
AS_SINCE: Final = 0  # the look since which it holds, NEVER: it does not
AS_LOOKS: Final = 1
AS_CELL: Final = 2  # the cells before this one are in the sums
AS_OFFERED: Final = 3
AS_DONE: Final = 4
AS_OK: Final = 5
AS_SLOW: Final = 6
N_AS: Final = 7
SEEN_OFFERED: Final = 0  # seen: the sums at a look
SEEN_DONE: Final = 1
SEEN_OK: Final = 2
SEEN_SLOW: Final = 3
N_SEEN: Final = 4

# --- scalers: autoscalers and the lines of schedules ----------------------------------------------
Z_KIND: Final = 0  # one of SCALER_*
Z_SVC: Final = 1
Z_AT: Final = 2  # ns: the first look, or when the line is due
Z_EVERY: Final = 3  # ns from then to the next, 0: there is none
Z_KEY: Final = 4
Z_COUNT: Final = 5  # lines: so many replicas, or the least number of the autoscaler beside it
Z_BESIDE: Final = 6  # lines: the autoscaler of the same service, -1: none
Z_MIN: Final = 7  # autoscalers
Z_MAX: Final = 8
Z_METER: Final = 9  # one of METER_*
Z_SLOTS: Final = 10  # looks whose greatest recommendation holds
Z_FIRST_SLOT: Final = 11  # so many elements of `recommendations`
N_Z: Final = 12
ZF_TARGET: Final = 0  # scalersF: a share of workers or cores, or a number for each replica
ZF_TOLERANCE: Final = 1
ZF_INCREASE: Final = 2
N_ZF: Final = 3
SCALER_AUTO: Final = 0
SCALER_LINE: Final = 1
METER_UTILISATION: Final = 0  # workers held, of all there are
METER_CPU: Final = 1  # cores in use, of all there are
METER_IN_PROGRESS: Final = 2  # requests at the service, waiting ones included, for each replica
METERS: Final = ("utilisation", "cpu", "in_progress")

# state of an autoscaler (run)
ZS_MIN: Final = 0  # as a schedule has set it
ZS_SET: Final = 1  # how many it has left the service with, or found there and not touched
ZS_NEXT: Final = 2  # what its look has come to
ZS_LOOKS: Final = 3
ZS_CELL: Final = 4  # the cells before this one are in the sums
ZS_LOAD: Final = 5  # what its metric adds up, x ns
ZS_READY: Final = 6  # replicas that are up x ns
ZS_SEEN_LOAD: Final = 7  # these sums at the last look
ZS_SEEN_READY: Final = 8
N_ZS: Final = 9
