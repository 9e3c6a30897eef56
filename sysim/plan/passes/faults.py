"""Faults into rows: whom each may strike, and which calls its effect on the network reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from sysim.model import (
    CapacityFault,
    Constant,
    CrashFault,
    EdgeTarget,
    ErrorFault,
    Fault,
    FaultTarget,
    LatencyFault,
    LossFault,
    OperationTarget,
    Scenario,
    ServiceTarget,
    SlowdownFault,
    ZoneTarget,
)
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.programs import Programs
from sysim.plan.passes.rows import row, row_f
from sysim.plan.passes.topology import Topology, unknown
from sysim.plan.tables import (
    C_FAULTS,
    C_N_FAULTS,
    C_OP,
    C_SVC,
    F_AFTER_WORK,
    F_AT,
    F_DIST,
    F_EVERY,
    F_FIRST_HIT,
    F_FOR,
    F_HITS,
    F_KEY,
    F_KIND,
    F_OP,
    F_RESTART_AFTER,
    F_STRIKE,
    F_UNTIL,
    FAULTS,
    FF_STRIKE,
    FF_VALUE,
    N_F,
    N_FF,
    NEVER,
    NONE,
    RP_SVC,
    RP_ZONE,
    S_FIRST_OP,
    S_OPS,
)
from sysim.semantics.kinds import struck

SPEED = frozenset({"pause", "slowdown", "capacity"})
"""Faults of the work itself; they hold for replicas, whoever calls."""
NETWORK = frozenset({"latency", "error", "loss", "blackhole", "refuse", "reset"})
"""Faults that are looked up call by call."""

Reach = dict[int, frozenset[int]]
"""Call site -> replicas of its callee."""


class Faults:
    """The rows of `faults` and the lists around them. Call it when all sites are known."""

    def __init__(
        self, scenario: Scenario, topology: Topology, programs: Programs, distributions: Distributions
    ) -> None:
        self.topology = topology
        self.programs = programs
        self.distributions = distributions
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.labels: list[str] = []
        self.fault_of: list[int] = []
        self.hits: list[int] = []
        self.fault_sites: list[tuple[int, ...]] = []
        alike: Counter[str] = Counter()
        for number, fault in enumerate(scenario.faults):
            look = fault.name or f"{fault.effect.kind} on {', '.join(_target_text(on) for on in fault.on)}"
            ordinal = alike[look]
            alike[look] += 1
            label = look if fault.name or not ordinal else f"{look} ({ordinal + 1})"
            self._fault(number, fault, label, (look, str(ordinal)))

    def _fault(self, number: int, fault: Fault, label: str, identity: tuple[str, str]) -> None:
        path = f"faults.{fault.name or number}"
        hits = self._hits(fault, path)
        reach = self._sites(fault, hits, path)
        operation = self._operation(fault, path)
        if fault.each == "replica":
            # Here a number or a share says how many replicas have such faults at all.
            # Those that actions may start later have none.
            hits = [replica for replica in hits if self.topology.at_first(replica)]
            for replica in hits[: _struck(fault, len(hits))]:
                name = self.topology.replica_names[replica]
                own = [site for site, replicas in reach.items() if replica in replicas]
                self._row(
                    number,
                    fault,
                    f"{label} at {name}",
                    salt("fault", *identity, name),
                    [replica],
                    own,
                    operation,
                )
        else:
            self._row(number, fault, label, salt("fault", *identity), hits, list(reach), operation)

    def _row(
        self,
        number: int,
        fault: Fault,
        label: str,
        key: int,
        hits: Sequence[int],
        sites: Sequence[int],
        operation: int,
    ) -> None:
        effect = fault.effect
        add = self.distributions.add_optional
        lasts = fault.lasts
        restart = None
        if isinstance(effect, CrashFault):
            if effect.detection > 0:
                raise PlanError(
                    f"faults.{fault.name or number}.crash.detection",
                    "balancers notice a crash at once: a detection time is not simulated",
                    "leave detection out",
                )
            restart = None if effect.restart_after is None else Constant(value=effect.restart_after)
            if fault.every is not None and lasts is None:
                if restart is None:
                    raise PlanError(
                        f"faults.{fault.name or number}",
                        "a crash that comes back must end before it can",
                        "say `for` or `restart_after`",
                    )
                lasts = restart
        together = fault.each is None
        self.rows.append(
            row(
                N_F,
                {
                    F_KIND: FAULTS.index(effect.kind),
                    F_AT: NEVER if fault.at is None else fault.at,
                    F_FOR: add(lasts),
                    F_EVERY: add(fault.every),
                    F_FIRST_HIT: len(self.hits),
                    F_HITS: len(hits),
                    F_STRIKE: fault.replicas if together and fault.replicas is not None else NONE,
                    F_DIST: add(effect.latency if isinstance(effect, LatencyFault) else None),
                    F_AFTER_WORK: isinstance(effect, ErrorFault) and effect.after_work,
                    F_RESTART_AFTER: add(restart),
                    F_KEY: key,
                    F_OP: operation,
                    F_UNTIL: NEVER if fault.until is None else fault.until,
                },
            )
        )
        share = fault.replica_share if together and fault.replica_share is not None else NONE
        self.rows_f.append(row_f(N_FF, {FF_VALUE: _value(fault), FF_STRIKE: share}))
        self.labels.append(label)
        self.fault_of.append(number)
        self.hits.extend(hits)
        self.fault_sites.append(tuple(sorted(sites)))

    # --- targets ---

    def _hits(self, fault: Fault, path: str) -> list[int]:
        """The replicas that may be struck, lowest first."""
        hits = {replica for target in fault.on for replica in self._replicas(target, path)}
        if fault.zone is not None:
            zone = self._zone(fault.zone, f"{path}.zone")
            hits = {replica for replica in hits if self.topology.replicas[replica][RP_ZONE] == zone}
        if not hits:
            raise PlanError(path, "it can strike no replica", "look at `on` and `zone`")
        return sorted(hits)

    def _replicas(self, target: FaultTarget, path: str) -> Iterable[int]:
        match target:
            case ServiceTarget(service=service):
                return self.topology.replicas_of(self.topology.service(service, path))
            case OperationTarget(service=service, operation=operation):
                return self.topology.replicas_of(self.topology.operation(f"{service}.{operation}", path)[0])
            case EdgeTarget(callee=callee):
                return self.topology.replicas_of(self.topology.service(callee, path))
            case ZoneTarget(zone=name):
                zone = self._zone(name, path)
                replicas = self.topology.replicas
                return [number for number, columns in enumerate(replicas) if columns[RP_ZONE] == zone]

    def _zone(self, name: str, path: str) -> int:
        if name not in self.topology.zones:
            raise unknown(path, "zone", name, self.topology.zones)
        return self.topology.zone(name)

    def _operation(self, fault: Fault, path: str) -> int:
        """The operation that alone is slowed down or paused, -1 for all."""
        kind = fault.effect.kind
        for target in fault.on:
            if isinstance(target, EdgeTarget) and kind not in NETWORK:
                raise PlanError(
                    path,
                    f"a {kind} strikes replicas, not the calls from {target.caller} to {target.callee}",
                    f"write `on: {target.callee}`",
                )
        narrow = [target for target in fault.on if isinstance(target, OperationTarget)]
        if not narrow or kind in NETWORK:
            return NONE
        target = narrow[0]
        name = f"{target.service}.{target.operation}"
        if kind == "crash":
            raise PlanError(path, f"a crash strikes replicas, not {name}", f"write `on: {target.service}`")
        if len(fault.on) > 1:
            raise PlanError(
                path,
                f"a {kind} of one operation ({name}) cannot be named together with others",
                "write one fault each",
            )
        service, operation = self.topology.operation(name, path)
        if self.topology.models[service].cores is not None:
            raise PlanError(
                path,
                f"the operations of {target.service} share its cores, so {name} alone cannot have a {kind}",
                f"write `on: {target.service}`",
            )
        return operation

    def _sites(self, fault: Fault, hits: Sequence[int], path: str) -> Reach:
        """The call sites that a network fault reaches, each with the replicas that it may strike there."""
        if fault.effect.kind not in NETWORK:
            return {}
        allowed = frozenset(hits)
        reach: Reach = {}
        for target in fault.on:
            replicas = frozenset(self._replicas(target, path)) & allowed
            for site in self._sites_of(target, replicas, path):
                callee = self.programs.sites.rows[site][C_SVC]
                own = replicas & frozenset(self.topology.replicas_of(callee))
                reach[site] = reach.get(site, frozenset()) | own
        for site, own in reach.items():
            callee = self.programs.sites.rows[site][C_SVC]
            if own != allowed & frozenset(self.topology.replicas_of(callee)):
                raise PlanError(
                    path,
                    f"callers of {self.topology.services[callee]} are struck at different replicas",
                    "write one fault each",
                )
        return {site: own for site, own in reach.items() if own}

    def _sites_of(self, target: FaultTarget, replicas: frozenset[int], path: str) -> list[int]:
        sites = enumerate(self.programs.sites.rows)
        match target:
            case OperationTarget(service=service, operation=operation):
                wanted = self.topology.operation(f"{service}.{operation}", path)[1]
                return [number for number, site in sites if site[C_OP] == wanted]
            case EdgeTarget():
                return self._edge(target, path)
            case _:
                callees = {self.topology.replicas[replica][RP_SVC] for replica in replicas}
                return [number for number, site in sites if site[C_SVC] in callees]

    def _edge(self, target: EdgeTarget, path: str) -> list[int]:
        callers = (*self.topology.services, *self.topology.loads)
        if target.caller not in callers:
            raise unknown(path, "service or load", target.caller, callers)
        label = target.caller
        if target.caller_operation is not None:
            label = f"{target.caller}.{target.caller_operation}"
            self.topology.operation(label, path)
        callee = self.topology.service(target.callee, path)
        first = self.topology.svc[callee][S_FIRST_OP]
        wanted: Iterable[int] = range(first, first + self.topology.svc[callee][S_OPS])
        if target.callee_operation is not None:
            wanted = [self.topology.operation(f"{target.callee}.{target.callee_operation}", path)[1]]
        found = [
            number
            for number, (site, caller) in enumerate(
                zip(self.programs.sites.rows, self.programs.sites.callers, strict=True)
            )
            if site[C_OP] in wanted
            and caller.owner == target.caller
            and (target.caller_operation is None or caller.label == label)
        ]
        if not found:
            raise PlanError(path, f"there is no call on {_target_text(target)}", "look at its direction")
        return found

    # --- lists by site and by replica ---

    def link_sites(self) -> list[int]:
        """The network faults of each site, one after the other; the sites learn where theirs begin."""
        lists: list[list[int]] = [[] for _ in self.programs.sites.rows]
        for fault, sites in enumerate(self.fault_sites):
            for site in sites:
                lists[site].append(fault)
        for columns, own, first in zip(self.programs.sites.rows, lists, _starts(lists), strict=False):
            columns[C_FAULTS] = first
            columns[C_N_FAULTS] = len(own)
        return [fault for own in lists for fault in own]

    def by_fault(self) -> tuple[list[int], list[int]]:
        """The sites of each fault, one after the other, and where each begins; the end comes last."""
        return [site for sites in self.fault_sites for site in sites], _starts(self.fault_sites)

    def by_replica(self) -> tuple[list[int], list[int]]:
        """The pauses, slowdowns and capacities of each replica, and where each begins."""
        lists: list[list[int]] = [[] for _ in self.topology.replicas]
        for number, columns in enumerate(self.rows):
            if FAULTS[columns[F_KIND]] in SPEED:
                first = columns[F_FIRST_HIT]
                for replica in self.hits[first : first + columns[F_HITS]]:
                    lists[replica].append(number)
        return [fault for own in lists for fault in own], _starts(lists)


def _starts(lists: Sequence[Sequence[int]]) -> list[int]:
    return [0, *accumulate(len(own) for own in lists)]


def _struck(fault: Fault, count: int) -> int:
    """How many of `count` replicas a number or a share means; a share is rounded up."""
    if fault.replicas is not None:
        return fault.replicas
    return count if fault.replica_share is None else struck(fault.replica_share, count)


def _value(fault: Fault) -> float:
    match fault.effect:
        case SlowdownFault(factor=factor):
            return factor
        case CapacityFault(share=share) | ErrorFault(share=share) | LossFault(share=share):
            return share
        case _:
            return 0.0


def _target_text(target: FaultTarget) -> str:
    match target:
        case ServiceTarget(service=service):
            return service
        case OperationTarget(service=service, operation=operation):
            return f"{service}.{operation}"
        case ZoneTarget(zone=zone):
            return f"zone {zone}"
        case EdgeTarget():
            caller = target.caller + (f".{target.caller_operation}" if target.caller_operation else "")
            callee = target.callee + (f".{target.callee_operation}" if target.callee_operation else "")
            return f"{caller} -> {callee}"
