"""Call policies into rows; row 0 is the policy of a call without one: round robin and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from sysim.model import (
    Balancer,
    BucketBudget,
    CallPolicy,
    CallWindow,
    Constant,
    ConstantBackoff,
    LeastOutstanding,
    LeastRequest,
    Random,
    RatioBudget,
    RoundRobin,
)
from sysim.plan.errors import PlanError
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.lanes import Lanes
from sysim.plan.passes.rows import row, row_f
from sysim.plan.tables import (
    BACKOFF_CONSTANT,
    BACKOFF_EXPONENTIAL,
    BALANCE_LEAST_OUTSTANDING,
    BALANCE_LEAST_REQUEST,
    BALANCE_RANDOM,
    BALANCE_ROUND_ROBIN,
    BUDGET_BUCKET,
    BUDGET_RATIO,
    FORCE_AUTO,
    JITTER_DECORRELATED,
    JITTER_EQUAL,
    JITTER_FULL,
    JITTER_NONE,
    JITTER_SHARE,
    N_P,
    N_PF,
    NEVER,
    NONE,
    OUTCOMES,
    P_BACKOFF,
    P_BALANCER,
    P_BREAKER,
    P_BREAKER_CALLS,
    P_BREAKER_HALF_OPEN,
    P_BREAKER_MINIMUM,
    P_BREAKER_OPEN_FOR,
    P_BREAKER_SLOW,
    P_BREAKER_TIME,
    P_BUDGET,
    P_BUDGET_ON_SUCCESS,
    P_BUDGET_WINDOW,
    P_BULKHEAD,
    P_BULKHEAD_LANE,
    P_BULKHEAD_WAIT,
    P_CANCEL,
    P_CHOICES,
    P_CROSS_ZONE,
    P_DEADLINE,
    P_DEADLINE_DIST,
    P_DEADLINE_LANE,
    P_FALLBACK_LATENCY,
    P_FALLBACK_ON,
    P_HEDGE_CANCEL,
    P_HEDGE_DELAY,
    P_HEDGE_MAX,
    P_JITTER,
    P_LATENCY,
    P_MAX_ATTEMPTS,
    P_PROPAGATE,
    P_RATE_BURST,
    P_RATE_INTERVAL,
    P_RETRY_ON,
    P_TIMEOUT,
    P_TIMEOUT_DIST,
    P_TIMEOUT_LANE,
    P_WINDOW_LEN,
    PF_BACKOFF_INITIAL,
    PF_BACKOFF_MAX,
    PF_BACKOFF_MULTIPLIER,
    PF_BREAKER_FAILURES,
    PF_BREAKER_SLOW,
    PF_BUCKET_COST,
    PF_BUCKET_DEPOSIT,
    PF_BUCKET_TOKENS,
    PF_BUDGET_MIN,
    PF_BUDGET_RATIO,
    PF_GIVE_UP,
    PF_JITTER_SHARE,
    PF_LOSS,
)
from sysim.semantics.kinds import ring_length

NS = 1_000_000_000
UNBOUNDED_S = float(NEVER) / NS
NEVER_SLOW = 2.0  # a share that is never reached
_JITTER = {
    "none": JITTER_NONE,
    "full": JITTER_FULL,
    "equal": JITTER_EQUAL,
    "decorrelated": JITTER_DECORRELATED,
}
_NO_POLICY = CallPolicy()


class Policies:
    """The rows of `policies` and `policiesF`, equal policies once."""

    def __init__(self, distributions: Distributions, lanes: Lanes) -> None:
        self.distributions = distributions
        self.lanes = lanes
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.labels: list[str] = []
        self.models: list[CallPolicy] = []
        self._number: dict[CallPolicy, int] = {}
        self.row(None, "none")

    def row(self, policy: CallPolicy | None, path: str) -> int:
        """The row of a policy that is used at `path`; None is no policy at all."""
        policy = policy or _NO_POLICY
        if policy not in self._number:
            self._number[policy] = len(self.rows)
            self.labels.append(policy.scope or path)
            self.models.append(policy)
            columns: dict[int, int] = {}
            floats: dict[int, float] = {}
            self._times(policy, columns)
            self._retry(policy, columns, floats)
            self._protection(policy, columns, floats)
            self._network(policy, columns, floats, path)
            self.rows.append(row(N_P, columns))
            self.rows_f.append(row_f(N_PF, floats))
        return self._number[policy]

    def known_as(self, scope: str) -> list[int]:
        """The rows of the policy that has this name, or stands at this place."""
        return [number for number, policy in enumerate(self.models) if policy.scope == scope]

    def _times(self, policy: CallPolicy, columns: dict[int, int]) -> None:
        deadline = policy.deadline
        columns[P_TIMEOUT] = NEVER if policy.timeout is None else policy.timeout
        columns[P_TIMEOUT_LANE] = self.lanes.add(policy.timeout)
        columns[P_DEADLINE] = NEVER if deadline is None else deadline.after
        columns[P_DEADLINE_LANE] = self.lanes.add(None if deadline is None else deadline.after)
        drawn = policy.impatience
        columns[P_TIMEOUT_DIST] = NONE if drawn is None else self.distributions.add_optional(drawn.reload_after)
        columns[P_DEADLINE_DIST] = NONE if drawn is None else self.distributions.add_optional(drawn.patience)
        columns[P_PROPAGATE] = deadline is not None and deadline.propagate
        columns[P_CANCEL] = policy.cancel
        hedge = policy.hedge
        columns[P_HEDGE_MAX] = 1 if hedge is None else hedge.max_attempts
        columns[P_HEDGE_DELAY] = (
            NONE if hedge is None else self.distributions.add(Constant(value=hedge.delay))
        )
        columns[P_HEDGE_CANCEL] = hedge is not None and hedge.cancel_losers

    def _retry(self, policy: CallPolicy, columns: dict[int, int], floats: dict[int, float]) -> None:
        retry = policy.retry
        columns[P_MAX_ATTEMPTS] = 1
        if retry is None:
            return
        columns[P_MAX_ATTEMPTS] = retry.max_attempts
        columns[P_RETRY_ON] = outcome_bits(retry.on)
        floats[PF_GIVE_UP] = policy.impatience.give_up if policy.impatience else 0.0
        backoff = retry.backoff
        if backoff is not None:
            if isinstance(backoff, ConstantBackoff):
                columns[P_BACKOFF] = BACKOFF_CONSTANT
                floats[PF_BACKOFF_INITIAL] = backoff.value / NS
                floats[PF_BACKOFF_MULTIPLIER] = 1.0
                floats[PF_BACKOFF_MAX] = UNBOUNDED_S
            else:
                columns[P_BACKOFF] = BACKOFF_EXPONENTIAL
                floats[PF_BACKOFF_INITIAL] = backoff.initial / NS
                floats[PF_BACKOFF_MULTIPLIER] = backoff.multiplier
                floats[PF_BACKOFF_MAX] = UNBOUNDED_S if backoff.max is None else backoff.max / NS
            if isinstance(backoff.jitter, str):
                columns[P_JITTER] = _JITTER[backoff.jitter]
            else:
                columns[P_JITTER] = JITTER_SHARE
                floats[PF_JITTER_SHARE] = backoff.jitter
        if isinstance(retry.budget, RatioBudget):
            columns[P_BUDGET] = BUDGET_RATIO
            columns[P_BUDGET_WINDOW] = retry.budget.window
            floats[PF_BUDGET_RATIO] = retry.budget.ratio
            floats[PF_BUDGET_MIN] = retry.budget.min_per_second
        elif isinstance(retry.budget, BucketBudget):
            columns[P_BUDGET] = BUDGET_BUCKET
            columns[P_BUDGET_ON_SUCCESS] = retry.budget.deposit_on == "success"
            floats[PF_BUCKET_TOKENS] = retry.budget.tokens
            floats[PF_BUCKET_DEPOSIT] = retry.budget.deposit
            floats[PF_BUCKET_COST] = retry.budget.cost

    def _protection(self, policy: CallPolicy, columns: dict[int, int], floats: dict[int, float]) -> None:
        breaker = policy.circuit_breaker
        columns[P_BREAKER_SLOW] = NEVER
        floats[PF_BREAKER_SLOW] = NEVER_SLOW
        if breaker is not None:
            columns[P_BREAKER] = FORCE_AUTO
            if isinstance(breaker.window, CallWindow):
                columns[P_BREAKER_CALLS] = breaker.window.calls
            else:
                columns[P_BREAKER_TIME] = breaker.window.time
            columns[P_BREAKER_MINIMUM] = breaker.minimum_calls
            columns[P_BREAKER_OPEN_FOR] = breaker.open_for
            columns[P_BREAKER_HALF_OPEN] = breaker.half_open_calls
            floats[PF_BREAKER_FAILURES] = breaker.failure_rate
            if breaker.slow_call_duration is not None and breaker.slow_call_rate is not None:
                columns[P_BREAKER_SLOW] = breaker.slow_call_duration
                floats[PF_BREAKER_SLOW] = breaker.slow_call_rate
        limit = policy.rate_limit
        if limit is not None:
            columns[P_RATE_INTERVAL] = max(1, round(NS / limit.rate))
            columns[P_RATE_BURST] = limit.burst
        bulkhead = policy.bulkhead
        columns[P_BULKHEAD] = NEVER if bulkhead is None else bulkhead.max_concurrent
        columns[P_BULKHEAD_WAIT] = 0 if bulkhead is None else bulkhead.max_wait
        columns[P_BULKHEAD_LANE] = self.lanes.add(columns[P_BULKHEAD_WAIT] or None)
        columns[P_WINDOW_LEN] = window_length(columns)

    def _network(
        self, policy: CallPolicy, columns: dict[int, int], floats: dict[int, float], path: str
    ) -> None:
        columns[P_BALANCER], columns[P_CHOICES] = _balancer(policy.balancer)
        network = policy.network
        columns[P_LATENCY] = NONE if network is None else self.distributions.add_optional(network.latency)
        if network is not None:
            floats[PF_LOSS] = network.loss
            if network.cross_zone is not None:
                constant = self.distributions.constant_of(network.cross_zone)
                if constant is None:
                    raise PlanError(
                        f"{policy.scope or path}.network.cross_zone",
                        f"found a distribution ({network.cross_zone.kind}), expected a constant duration",
                        "put what varies into network.latency",
                    )
                columns[P_CROSS_ZONE] = constant
        fallback = policy.fallback
        columns[P_FALLBACK_ON] = 0 if fallback is None else outcome_bits(fallback.on)
        columns[P_FALLBACK_LATENCY] = (
            NONE if fallback is None else self.distributions.add_optional(fallback.latency)
        )


def _balancer(balancer: Balancer) -> tuple[int, int]:
    match balancer:
        case RoundRobin():
            return BALANCE_ROUND_ROBIN, 0
        case Random():
            return BALANCE_RANDOM, 0
        case LeastRequest(choices=choices):
            return BALANCE_LEAST_REQUEST, choices
        case LeastOutstanding():
            return BALANCE_LEAST_OUTSTANDING, 0


def outcome_bits(names: Iterable[str]) -> int:
    """A set of outcomes as bits."""
    bits = 0
    for name in names:
        bits |= 1 << OUTCOMES.index(name)
    return bits


def window_length(columns: dict[int, int]) -> int:
    """How many elements of `ring` a scope needs: the breaker's window, then the budget's."""
    return ring_length(
        columns.get(P_BREAKER, 0),
        columns.get(P_BREAKER_CALLS, 0),
        columns.get(P_BREAKER_TIME, 0),
        columns.get(P_BUDGET, 0) == BUDGET_RATIO,
    )
