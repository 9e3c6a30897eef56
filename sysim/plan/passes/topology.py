"""Who is there: services, operations, replicas and zones, numbered in order of their names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter

from sysim.model import (
    Call,
    Choose,
    Constant,
    Parallel,
    Publish,
    Repeat,
    Scenario,
    Service,
    Step,
)
from sysim.model.fault import OperationTarget
from sysim.model.steps import walk
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.lanes import Lanes
from sysim.plan.passes.rows import row, row_f
from sysim.plan.tables import (
    LINE_EDF,
    LINE_FIFO,
    LINE_LIFO,
    LINE_PRIORITY,
    N_RP,
    N_S,
    N_SF,
    NEVER,
    NONE,
    RP_FIRST_SPEED,
    RP_KEY,
    RP_SVC,
    RP_ZONE,
    S_ADMISSION,
    S_ASYNC,
    S_BEGIN,
    S_CANCEL,
    S_CAPACITY,
    S_CORES,
    S_DISCIPLINE,
    S_FIRST,
    S_FIRST_OP,
    S_OPS,
    S_PATIENCE,
    S_PATIENCE_LANE,
    S_REPLICAS,
    S_SHARED,
    S_STARTUP,
    S_WATCHED,
    S_WORKERS,
    SF_CORES,
    SF_PER_CONCURRENT,
    WHEN_CONTINUE,
    WHEN_DROP_QUEUED,
    WHEN_STOP,
)

_WHEN = {"continue": WHEN_CONTINUE, "drop_queued": WHEN_DROP_QUEUED, "stop": WHEN_STOP}


_LINES = {"fifo": LINE_FIFO, "lifo": LINE_LIFO, "priority": LINE_PRIORITY, "edf": LINE_EDF}


def _or_never(value: int | None) -> int:
    return NEVER if value is None else value


class Topology:
    """The numbers of everything that has a name, and the rows of services and replicas."""

    def __init__(self, scenario: Scenario, distributions: Distributions, lanes: Lanes) -> None:
        self.services = tuple(sorted(scenario.services))
        self.rows_of = {name: scenario.most_replicas(name) for name in self.services}
        self.models = tuple(scenario.services[name] for name in self.services)
        self.service_of = {name: number for number, name in enumerate(self.services)}
        self.loads = tuple(sorted(scenario.load))
        self.flags = tuple(sorted(scenario.flags))
        zones = {zone for service in self.models for zone in service.zones}
        zones |= {load.zone for load in scenario.load.values() if load.zone is not None}
        self.zones = tuple(sorted(zones))
        self.operations: tuple[str, ...] = tuple(
            f"{name}.{operation}"
            for name, service in zip(self.services, self.models, strict=True)
            for operation in sorted(service.operations)
        )
        self.operation_of = {name: number for number, name in enumerate(self.operations)}
        self.svc: list[list[int]] = []
        self.svc_f: list[list[float]] = []
        self.replicas: list[list[int]] = []
        self.replica_names: list[str] = []
        self.n_speeds = 0
        first_op = 0
        watched = _watched(scenario)
        for number, service in enumerate(self.models):
            self._service(number, service, first_op, distributions, lanes, watched)
            first_op += len(service.operations)

    def _service(
        self,
        number: int,
        service: Service,
        first_op: int,
        distributions: Distributions,
        lanes: Lanes,
        watched: Collection[str],
    ) -> None:
        name = self.services[number]
        wait = service.queue.max_wait
        self.svc.append(
            row(
                N_S,
                {
                    S_FIRST: len(self.replicas),
                    S_REPLICAS: self.rows_of[name],
                    S_BEGIN: service.replicas,
                    S_WORKERS: _or_never(service.concurrency),
                    S_ASYNC: service.threading == "async",
                    S_CORES: NONE if service.cores is None else -int(-service.cores // 1),
                    S_CAPACITY: _or_never(service.queue.capacity),
                    S_DISCIPLINE: _LINES[service.queue.discipline],
                    S_SHARED: service.queue.shared,
                    S_PATIENCE: distributions.add_optional(wait),
                    S_PATIENCE_LANE: lanes.add(distributions.constant_of(wait)),
                    S_ADMISSION: _or_never(service.admission.max_in_progress if service.admission else None),
                    S_CANCEL: _WHEN[service.when_cancelled],
                    S_STARTUP: distributions.add(Constant(value=service.startup))
                    if service.startup
                    else NONE,
                    S_OPS: len(service.operations),
                    S_FIRST_OP: first_op,
                    S_WATCHED: name in watched,
                },
            )
        )
        per_concurrent = service.slowdown.per_concurrent if service.slowdown else 0.0
        self.svc_f.append(row_f(N_SF, {SF_PER_CONCURRENT: per_concurrent, SF_CORES: service.cores or 0.0}))
        for local in range(self.rows_of[name]):
            replica = f"{name}#{local}"
            zone = self.zones.index(service.zones[local % len(service.zones)]) if service.zones else NONE
            self.replica_names.append(replica)
            self.replicas.append(
                row(
                    N_RP,
                    {
                        RP_SVC: number,
                        RP_ZONE: zone,
                        RP_FIRST_SPEED: self.n_speeds,
                        RP_KEY: salt("replica", name, str(local)),
                    },
                )
            )
            self.n_speeds += len(service.operations)

    def service(self, name: str, path: str) -> int:
        """The number of a service."""
        if name not in self.service_of:
            raise unknown(path, "service", name, self.services)
        return self.service_of[name]

    def operation(self, target: str, path: str) -> tuple[int, int]:
        """The numbers of the service and of the operation that ``service.operation`` names."""
        service = self.service(target.partition(".")[0], path)
        if target not in self.operation_of:
            raise unknown(path, "operation", target, self.operations)
        return service, self.operation_of[target]

    def flag(self, name: str, path: str) -> int:
        """The number of a flag."""
        if name not in self.flags:
            raise unknown(path, "flag", name, self.flags)
        return self.flags.index(name)

    def zone(self, name: str | None) -> int:
        """The number of a zone that a service or a load lies in, -1 for none."""
        return NONE if name is None else self.zones.index(name)

    def at_first(self, replica: int) -> bool:
        """Whether a replica is there at time 0."""
        columns = self.svc[self.replicas[replica][RP_SVC]]
        return replica < columns[S_FIRST] + columns[S_BEGIN]

    def replicas_of(self, service: int) -> range:
        """The global numbers of a service's replicas, with those that actions may start."""
        first = self.svc[service][S_FIRST]
        return range(first, first + self.svc[service][S_REPLICAS])


def _watched(scenario: Scenario) -> set[str]:
    """The services where a held worker may mean something else than work like any other: a call, or a fault that
    strikes one operation only.
    """
    calls = {
        name
        for name, service in scenario.services.items()
        if service.threading != "async"
        and any(
            isinstance(step, Call) for operation in service.operations.values() for step in walk(operation.steps)
        )
    }
    targets = (target for fault in scenario.faults for target in fault.on)
    return calls | {target.service for target in targets if isinstance(target, OperationTarget)}


def unknown(path: str, what: str, name: str, known: Iterable[str]) -> PlanError:
    """The error for a name that means nothing, with the nearest one that does."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return PlanError(path, f"there is no {what} {name!r}", f"did you mean {near[0]!r}?" if near else "")


def refuse_cycles(scenario: Scenario) -> None:
    """Operations may not call each other in a circle, by messages neither."""
    graph = {
        f"{name}.{operation}": {target for target in _targets(model.steps)}
        for name, service in scenario.services.items()
        for operation, model in service.operations.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        turn = circle.index(min(circle))
        circle = circle[turn:-1] + circle[:turn] if turn else circle[:-1]
        raise PlanError(
            f"services.{circle[0].replace('.', '.operations.')}",
            f"operations call each other in a circle: {' -> '.join([*circle, circle[0]])}",
        ) from None


def _targets(steps: Iterable[Step]) -> Iterable[str]:
    for step in steps:
        if isinstance(step, Call | Publish):
            yield step.target
            if step.policy is not None and step.policy.fallback is not None:
                yield from _targets(step.policy.fallback.steps)
        elif isinstance(step, Parallel):
            for branch in step.branches:
                yield from _targets(branch)
        elif isinstance(step, Repeat):
            yield from _targets(step.steps)
        elif isinstance(step, Choose):
            for option in step.options:
                yield from _targets(option.steps)
