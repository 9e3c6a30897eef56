"""Policy state: for each (caller, policy, called service) a block, with a row a caller replica or client."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sysim.plan.errors import PlanError
from sysim.plan.identity import numbered, salt
from sysim.plan.passes.policies import Policies
from sysim.plan.plan import Ints
from sysim.plan.tables import (
    BALANCE_LEAST_OUTSTANDING,
    BALANCE_LEAST_REQUEST,
    BREAKER_CLOSED,
    BUDGET_BUCKET,
    K_CALLER,
    K_KEY,
    K_OUT,
    K_POLICY,
    K_REPLICAS,
    K_RING,
    K_ROWS,
    K_STAT,
    K_STATE,
    K_TOKENS,
    K_WAIT_HEAD,
    K_WAIT_TAIL,
    N_K,
    NONE,
    P_BALANCER,
    P_BUDGET,
    P_WINDOW_LEN,
    PF_BUCKET_TOKENS,
)

MOST_SCOPES = 5_000_000


@dataclass(frozen=True)
class Caller:
    """Who calls: `count` replicas of service `owner` from global replica `first` on, or clients of a load."""

    owner: str
    label: str
    first: int
    count: int
    service: int = NONE
    zone: int = NONE
    asynchronous: bool = False

    @property
    def is_load(self) -> bool:
        """Whether it is a load, outside all services."""
        return self.service == NONE


@dataclass(frozen=True)
class Callee:
    """A called service: `replicas` at time 0, and `rows` with those that actions may start."""

    name: str
    replicas: int
    rows: int


class Scopes:
    """The initial rows of `scopes`, and how much room their windows and open attempts take."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.count = 0
        self.ring_length = 0
        self.outstanding_length = 0
        self.labels: list[str] = []
        self._blocks: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._tables: list[Ints] = []

    def first(self, caller: Caller, scope: str, policy: int, callee: Callee, stat: int) -> int:
        """First row of the block for this caller, policy (known as `scope`) and called service."""
        key = (caller.owner, scope, callee.name)
        if key in self._blocks:
            first, same = self._blocks[key]
            if same != policy:
                raise PlanError(
                    f"policies.{scope}", "two different policies have this name", "give one a new name"
                )
            return first
        if self.count + caller.count > MOST_SCOPES:
            raise PlanError("services", f"more than {MOST_SCOPES} pieces of policy state are needed")
        first = self.count
        self._blocks[key] = (first, policy)
        self._tables.append(self._block(caller, key, policy, callee, stat))
        self.labels.append(f"{caller.owner} / {scope} / {callee.name}")
        self.count += caller.count
        return first

    def _block(
        self, caller: Caller, key: tuple[str, str, str], policy: int, callee: Callee, stat: int
    ) -> Ints:
        count = caller.count
        columns, floats = self.policies.rows[policy], self.policies.rows_f[policy]
        local = np.arange(count, dtype=np.int64)
        block = np.zeros((count, N_K), dtype=np.int64)
        block[:, K_STATE] = BREAKER_CLOSED
        block[:, K_WAIT_HEAD] = NONE
        block[:, K_WAIT_TAIL] = NONE
        if columns[P_BUDGET] == BUDGET_BUCKET:
            block[:, K_TOKENS] = round(floats[PF_BUCKET_TOKENS] * 1_000_000)
        block[:, K_RING] = self.ring_length + local * columns[P_WINDOW_LEN]
        self.ring_length += count * columns[P_WINDOW_LEN]
        block[:, K_OUT] = NONE
        if columns[P_BALANCER] in (BALANCE_LEAST_REQUEST, BALANCE_LEAST_OUTSTANDING):
            block[:, K_OUT] = self.outstanding_length + local * callee.rows
            self.outstanding_length += count * callee.rows
        block[:, K_POLICY] = policy
        block[:, K_REPLICAS] = callee.replicas
        block[:, K_ROWS] = callee.rows
        block[:, K_STAT] = stat
        block[:, K_KEY] = numbered(salt("scope", *key), count)
        block[:, K_CALLER] = NONE if caller.is_load else caller.first + local
        return block

    def table(self) -> Ints:
        """All rows."""
        return np.concatenate(self._tables) if self._tables else np.zeros((1, N_K), dtype=np.int64)
