"""Everything that exists in a run, as objects made from the plan's rows: policies, sites, services,
replicas.

Objects carry the columns that stories ask for. The tables that laws change are kept as arrays, and nothing
else holds the same numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from sysim.engine.reference.clock import Clock, Entry, Wait
from sysim.engine.reference.laws import derive, scope_reset
from sysim.engine.reference.lines import Line, line
from sysim.plan import tables as t
from sysim.plan.noise import drawn, run_key
from sysim.plan.plan import Plan
from sysim.semantics.causes import WATCHED


class Policy:
    """A row of `policies`, by the names of its columns."""

    __slots__ = (
        "backoff", "breaker", "budget", "bulkhead", "bulkhead_wait", "cancel", "cross_zone", "deadline",
        "deadline_drawn", "fallback_forced", "fallback_latency", "fallback_on", "give_up", "hedge_cancel",
        "hedge_delay", "hedge_max", "latency", "loss", "max_attempts", "propagate", "rate_limit", "retry_on", "row",
        "timeout", "timeout_drawn",
    )  # fmt: skip

    def __init__(self, row: int, of: list[int], of_f: list[float]) -> None:
        self.row = row
        self.read(of, of_f)

    def read(self, of: list[int], of_f: list[float]) -> None:
        """Take the columns of the row."""
        self.timeout = of[t.P_TIMEOUT]
        self.timeout_drawn = of[t.P_TIMEOUT_DIST]
        self.deadline = of[t.P_DEADLINE]
        self.deadline_drawn = of[t.P_DEADLINE_DIST]
        self.give_up = of_f[t.PF_GIVE_UP]
        self.propagate = of[t.P_PROPAGATE]
        self.cancel = of[t.P_CANCEL]
        self.max_attempts = of[t.P_MAX_ATTEMPTS]
        self.retry_on = of[t.P_RETRY_ON]
        self.backoff = of[t.P_BACKOFF]
        self.budget = of[t.P_BUDGET]
        self.hedge_max = of[t.P_HEDGE_MAX]
        self.hedge_delay = of[t.P_HEDGE_DELAY]
        self.hedge_cancel = of[t.P_HEDGE_CANCEL]
        self.breaker = of[t.P_BREAKER]
        self.rate_limit = of[t.P_RATE_INTERVAL]
        self.bulkhead = of[t.P_BULKHEAD]
        self.bulkhead_wait = of[t.P_BULKHEAD_WAIT]
        self.latency = of[t.P_LATENCY]
        self.cross_zone = of[t.P_CROSS_ZONE]
        self.loss = of_f[t.PF_LOSS]
        self.fallback_on = of[t.P_FALLBACK_ON]
        self.fallback_forced = of[t.P_FALLBACK_FORCED]
        self.fallback_latency = of[t.P_FALLBACK_LATENCY]


class Service:
    """A service: what holds for all of its replicas, and the queue if they share one."""

    __slots__ = (
        "admission", "asynchronous", "begin", "capacity", "cores", "discipline", "first_operation", "lifo", "number",
        "operations", "patience", "per_concurrent", "queue", "replicas", "shared", "startup",
        "watched", "when_cancelled", "workers",
    )  # fmt: skip

    def __init__(self, number: int, of: list[int], of_f: list[float]) -> None:
        self.number = number
        self.workers = of[t.S_WORKERS]
        self.watched = of[t.S_WATCHED]
        self.asynchronous = of[t.S_ASYNC]
        self.cores = of_f[t.SF_CORES] if of[t.S_CORES] >= 0 else 0.0
        self.capacity = of[t.S_CAPACITY]
        self.discipline = of[t.S_DISCIPLINE]
        self.lifo = self.discipline == t.LINE_LIFO
        self.shared = of[t.S_SHARED]
        self.patience = of[t.S_PATIENCE]
        self.admission = of[t.S_ADMISSION]
        self.when_cancelled = of[t.S_CANCEL]
        self.startup = of[t.S_STARTUP]
        self.begin = of[t.S_BEGIN]  # replicas at time 0
        self.first_operation = of[t.S_FIRST_OP]
        self.operations = of[t.S_OPS]
        self.per_concurrent = of_f[t.SF_PER_CONCURRENT]
        self.replicas: list[Replica] = []
        self.queue: Line = line(self.discipline)


class Home:
    """From where calls are made: a replica, or a client of a load.

    `orphans` are its attempts whose call is over, `strays` its stories that no visit answers for any more.
    """

    __slots__ = ("number", "orphans", "strays", "up", "zone")

    def __init__(self, number: int, zone: int) -> None:
        self.number = number
        self.zone = zone
        self.up = True
        self.orphans: dict[Any, None] = {}
        self.strays: dict[Any, None] = {}


class Replica(Home):
    """A replica: its workers, who waits for them, and the speed of work on it, an operation at a time."""

    __slots__ = (
        "busy", "coming", "cpu", "crashes", "drained", "factor", "grants", "in_system", "jobs", "key", "line", "paid",
        "paused", "queue", "rising", "row", "service", "standing", "started", "version", "visits",
        "watched",
    )  # fmt: skip

    def __init__(self, row: int, service: Service, of: list[int]) -> None:
        super().__init__(len(service.replicas), of[t.RP_ZONE])
        self.row = row
        self.service = service
        self.key = of[t.RP_KEY]
        self.busy = 0  # workers that are held
        self.grants = 0  # how many workers it has given
        self.watched: list[Any] = [None] * WATCHED  # some visits that hold one
        self.in_system = 0  # visits, waiting or begun
        self.started = 0  # visits that have begun
        self.crashes = 0
        self.drained = False  # gets nothing new
        self.standing = t.WANTED
        self.version = 0  # what it runs: 0, or 1 + the row of the lever that deployed it
        self.paid = True  # it starts or is up
        self.rising: Entry | None = None  # the entry that says it is ready
        self.coming = 0  # attempts on their way to it
        self.visits: dict[Any, None] = {}
        self.queue: Line = service.queue if service.shared else line(service.discipline)
        self.line: OrderedDict[Any, None] = OrderedDict()  # visits that come back for a worker
        self.jobs: dict[Any, None] = {}
        self.factor = [1.0] * service.operations
        self.paused = [False] * service.operations
        self.cpu: Any = None

    @property
    def serves(self) -> bool:
        """Whether it gets anything new."""
        return self.up and not self.drained and self.standing == t.WANTED


class Fault(Wait):
    """A row of `faults`. `struck` holds the replicas of the present occurrence, none between occurrences."""

    __slots__ = (
        "active", "after_work", "at", "dist", "every", "fallen", "faults", "hits", "injected", "key",
        "kind", "lasts", "number", "occurrence", "operation", "restart_after", "share", "strike",
        "struck", "until", "value",
    )  # fmt: skip

    def __init__(
        self, number: int, of: list[int], of_f: list[float], hits: list[Replica], seed_key: int
    ) -> None:
        super().__init__()
        self.number = number
        self.kind = of[t.F_KIND]
        self.key = derive(seed_key, of[t.F_KEY])
        self.at = of[t.F_AT]
        self.lasts = of[t.F_FOR]
        self.every = of[t.F_EVERY]
        self.until = of[t.F_UNTIL]
        self.hits = hits
        self.strike = of[t.F_STRIKE]
        self.share = of_f[t.FF_STRIKE]
        self.dist = of[t.F_DIST]
        self.after_work = of[t.F_AFTER_WORK]
        self.restart_after = of[t.F_RESTART_AFTER]
        self.operation = of[t.F_OP]
        self.value = of_f[t.FF_VALUE]
        self.occurrence = 0
        self.active = False
        self.injected = False  # the present occurrence was begun by a user
        self.struck: dict[Replica, None] = {}
        self.fallen: list[Replica] = []
        self.faults: Any = None

    @classmethod
    def dormant(cls, kind: str, hits: list[Replica]) -> Fault:
        """A pause or slowdown that is in no plan: users may arm it."""
        of = [t.NONE] * t.N_F
        of[t.F_KIND] = t.FAULTS.index(kind)
        of[t.F_UNTIL] = t.NEVER
        return cls(t.NONE, of, [1.0, -1.0], hits, 0)

    def fire(self, entry: Entry) -> None:
        """An occurrence begins or ends."""
        if not entry.what:
            if self.active:
                self.faults.end(self)
        elif not self.active:
            self.faults.begin(self)


class Site:
    """A place from which calls are made."""

    __slots__ = (
        "callee", "caller", "faults", "number", "operation", "pc", "policy", "scope", "stat", "stream",
        "zone",
    )  # fmt: skip

    def __init__(
        self, number: int, of: list[int], callee: Service, policy: Policy, pc: int, faults: list[Fault]
    ) -> None:
        self.number = number
        self.callee = callee
        self.operation = of[t.C_OP] - callee.first_operation
        self.pc = pc
        self.policy = policy
        self.scope = of[t.C_SCOPE]
        self.stat = of[t.C_STAT]
        self.stream = of[t.C_STREAM]
        self.caller = of[t.C_CALLER]
        self.zone = of[t.C_ZONE]
        self.faults = tuple(faults)


class World:
    """One run's clock, objects and the arrays that laws work on."""

    def __init__(self, plan: Plan, seed: int, replication: int) -> None:
        self.seed_key = run_key(seed, replication)
        self.plan = plan = drawn(plan, self.seed_key)
        self.clock = Clock(self.seed_key, plan.duration, plan.drain)
        self.draws = (plan.dist, plan.distF, plan.points)
        self.code = [tuple(row) for row in plan.code.tolist()]
        self.chances = [row[0] for row in plan.codeF.tolist()]
        self.branches = plan.branches.tolist()
        self.flags = plan.flags.tolist()
        self.doors = [0.0] * len(plan.streams)  # the share of each stream that is shed
        self.constants = plan.dist[:, t.D_CONST].tolist()

        self.policy_rows = plan.policies.copy()  # an operator may set some of them
        policies, floats = self.policy_rows.tolist(), plan.policiesF.tolist()
        self.policies = [Policy(row, of, floats[row]) for row, of in enumerate(policies)]
        svc, svc_f = plan.svc.tolist(), plan.svcF.tolist()
        self.services = [Service(number, svc[number], svc_f[number]) for number in range(plan.n_services)]
        self.replicas: list[Replica] = []
        for row, columns in enumerate(plan.replicas.tolist()[: plan.n_replicas]):
            service = self.services[columns[t.RP_SVC]]
            replica = Replica(row, service, columns)
            service.replicas.append(replica)
            self.replicas.append(replica)
        hits = [self.replicas[row] for row in plan.hits.tolist()] if plan.n_faults else []
        self.faults: list[Fault] = []
        for number, of in enumerate(plan.faults.tolist()[: plan.n_faults]):
            own = hits[of[t.F_FIRST_HIT] : of[t.F_FIRST_HIT] + of[t.F_HITS]]
            self.faults.append(Fault(number, of, plan.faultsF[number].tolist(), own, self.seed_key))
        self.sites: list[Site] = []
        ops, site_faults = plan.ops.tolist(), plan.site_faults.tolist()
        for number, of in enumerate(plan.sites.tolist()[: plan.n_sites]):
            near = site_faults[of[t.C_FAULTS] : of[t.C_FAULTS] + of[t.C_N_FAULTS]]
            self.sites.append(
                Site(
                    number,
                    of,
                    self.services[of[t.C_SVC]],
                    self.policies[of[t.C_POLICY]],
                    ops[of[t.C_OP]][t.O_PC],
                    [self.faults[fault] for fault in near],
                )
            )

        self.scope = plan.scopes.copy()
        self.ring = np.zeros(max(1, plan.ring_length), dtype=np.int64)
        self.outstanding = np.zeros(max(1, plan.outstanding_length), dtype=np.int64)
        self.serves = np.ones(max(1, plan.n_replicas), dtype=np.int64)  # balancers may pick it
        for replica in self.replicas:
            if replica.number >= replica.service.begin:  # room for one that an action may start
                replica.standing = t.GONE
                replica.up = replica.paid = False
                self.serves[replica.row] = 0
        self.first_of = [of[t.S_FIRST] for of in svc]
        self.callee_of = [0] * max(1, plan.n_scopes)
        starts = {site.scope: site.callee.number for site in self.sites}  # a block of rows for each
        callee = 0
        for k in range(plan.n_scopes):
            callee = starts.get(k, callee)
            self.callee_of[k] = callee
        for k in range(plan.n_scopes):
            self.scope[k, t.K_KEY] = derive(self.seed_key, int(self.scope[k, t.K_KEY]))
            self.renew(k, 0)

    def new_site(self, home: Home, operation: int, policy: int) -> Site:
        """A call site that is in no plan, with policy state of its own, for calls from `home`."""
        plan = self.plan
        columns = [0] * t.N_C
        number = int(plan.ops[operation, t.O_SVC])
        callee = self.services[number]
        k = len(self.scope)
        row = np.zeros((1, t.N_K), dtype=np.int64)
        row[0, t.K_RING], row[0, t.K_OUT] = len(self.ring), len(self.outstanding)
        row[0, t.K_POLICY], row[0, t.K_STAT], row[0, t.K_CALLER] = policy, t.NONE, t.NONE
        row[0, t.K_KEY] = derive(self.seed_key, k)
        length = int(plan.policies[policy, t.P_WINDOW_LEN])
        self.scope = np.concatenate([self.scope, row])
        self.ring = np.concatenate([self.ring, np.zeros(length, dtype=np.int64)])
        self.outstanding = np.concatenate([self.outstanding, np.zeros(len(callee.replicas), dtype=np.int64)])
        self.callee_of.extend([0] * (k + 1 - len(self.callee_of)))
        self.callee_of[k] = number
        self.renew(k, self.clock._now)
        columns[t.C_OP], columns[t.C_SCOPE] = operation, k - home.number
        columns[t.C_STAT] = columns[t.C_STREAM] = columns[t.C_ZONE] = t.NONE
        columns[t.C_CALLER] = home.service.number if isinstance(home, Replica) else t.NONE
        alike = [
            site.faults
            for site in self.sites
            if site.callee is callee and site.pc == plan.ops[operation, t.O_PC]
        ]
        faults = [fault for fault in (alike[0] if alike else ()) if all(fault in others for others in alike)]
        pc = int(plan.ops[operation, t.O_PC])
        return Site(t.NONE, columns, callee, self.policies[policy], pc, faults)

    def renew(self, k: int, now: int) -> None:
        """Make the policy state of row `k` new."""
        plan = self.plan
        policy = int(self.scope[k, t.K_POLICY])
        callee = self.services[self.callee_of[k]]
        scope_reset(
            self.scope, k, self.ring, self.policy_rows, plan.policiesF, policy, now, callee.begin,
            len(callee.replicas), self.outstanding,
        )  # fmt: skip

    def set_policy(self, policy: int, column: int, value: int) -> None:
        """An operator changes a policy."""
        self.policy_rows[policy, column] = value
        self.policies[policy].read(self.policy_rows[policy].tolist(), self.plan.policiesF[policy].tolist())
