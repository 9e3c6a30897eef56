"""Call sites: the places from which calls are made, each once, with the policy, its state and the statistics."""

from __future__ import annotations

from sysim.model import CallPolicy
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.rows import row
from sysim.plan.passes.scopes import Callee, Caller, Scopes
from sysim.plan.passes.topology import Topology
from sysim.plan.tables import (
    C_CALLER,
    C_OP,
    C_POLICY,
    C_PUBLISH,
    C_SCOPE,
    C_STAT,
    C_STREAM,
    C_SVC,
    C_ZONE,
    N_C,
    NONE,
    S_BEGIN,
    S_REPLICAS,
)


class Sites:
    """The rows of `sites`, known by their place in the text, and the labels of the call statistics."""

    def __init__(self, topology: Topology, policies: Policies, scopes: Scopes) -> None:
        self.topology = topology
        self.policies = policies
        self.scopes = scopes
        self.rows: list[list[int]] = []
        self.callers: list[Caller] = []
        self.labels: list[str] = []
        self.places: list[str] = []
        self.stats: list[str] = []
        self._stat_of: dict[str, int] = {}
        self._number: dict[str, int] = {}

    def __contains__(self, place: str) -> bool:
        return place in self._number

    def add(
        self,
        caller: Caller,
        target: str,
        policy: CallPolicy | None,
        place: str,
        stream: int = NONE,
        publish: bool = False,
    ) -> int:
        """The number of the site at `place`, from which `caller` calls the operation `target`."""
        if place in self._number:
            return self._number[place]
        service, operation = self.topology.operation(target, place)
        number = self._number[place] = len(self.rows)
        stat = self._stat(caller, target)
        row_of_policy = self.policies.row(policy, place)
        scope = policy.scope if policy is not None and policy.scope is not None else place
        columns = self.topology.svc[service]
        callee = Callee(self.topology.services[service], columns[S_BEGIN], columns[S_REPLICAS])
        self.rows.append(
            row(
                N_C,
                {
                    C_SVC: service,
                    C_OP: operation,
                    C_POLICY: row_of_policy,
                    C_SCOPE: self.scopes.first(caller, scope, row_of_policy, callee, stat),
                    C_STAT: stat,
                    C_STREAM: stream,
                    C_CALLER: caller.service,
                    C_ZONE: caller.zone,
                    C_PUBLISH: publish,
                },
            )
        )
        self.callers.append(caller)
        self.labels.append(f"{caller.label} -> {target}")
        self.places.append(place)
        return number

    def _stat(self, caller: Caller, target: str) -> int:
        """A row a label for operations; a row of its own for each site of a load."""
        label = f"{caller.label} -> {target}"
        if caller.is_load or label not in self._stat_of:
            self._stat_of[label] = len(self.stats)
            self.stats.append(label)
        return self._stat_of[label]
