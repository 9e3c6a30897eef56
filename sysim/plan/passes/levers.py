"""Levers into rows: what each of them moves, and to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sysim.model import (
    ClearQueueLever,
    DeployLever,
    DrainLever,
    FlagLever,
    Lever,
    RestartLever,
    RollbackLever,
    ScaleLever,
    SetLever,
    Setting,
    ShedLever,
    UndrainLever,
)
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.rows import row, row_f
from sysim.plan.passes.topology import Topology, unknown
from sysim.plan.passes.traffic import Traffic
from sysim.plan.tables import (
    CIRCUIT_OPEN,
    FORCE_AUTO,
    FORCE_CLOSED,
    FORCE_NONE,
    FORCE_OPEN,
    L_FIRST_STREAM,
    L_STREAMS,
    LE_ARG,
    LE_COLUMN,
    LE_FIRST_HIT,
    LE_HITS,
    LE_KEY,
    LE_KIND,
    LE_MISSING,
    LE_STRIKE,
    LE_SURGE,
    LE_VALUE,
    LEF_ERROR,
    LEF_MISSING,
    LEF_SLOWDOWN,
    LEF_SURGE,
    LEF_VALUE,
    LEVER_CLEAR_QUEUE,
    LEVER_DEPLOY,
    LEVER_DRAIN,
    LEVER_FLAG,
    LEVER_RESTART,
    LEVER_ROLLBACK,
    LEVER_SCALE,
    LEVER_SET,
    LEVER_SHED,
    N_LE,
    N_LEF,
    NONE,
    P_BREAKER,
    P_FALLBACK_FORCED,
    P_FALLBACK_ON,
    P_HEDGE_MAX,
    P_MAX_ATTEMPTS,
    P_RATE_INTERVAL,
    P_TIMEOUT,
    P_TIMEOUT_DIST,
    P_TIMEOUT_LANE,
    RP_SVC,
    RP_ZONE,
)

NS = 1_000_000_000
_NEEDS = {
    "retry.max_attempts": "retry",
    "hedge.max_attempts": "hedge",
    "rate_limit.rate": "rate_limit",
    "fallback": "fallback",
}
Replicas = RestartLever | DrainLever | UndrainLever
_FORCED = {"open": FORCE_OPEN, "closed": FORCE_CLOSED}


class Levers:
    """The rows of `levers`, and the replicas that they may strike."""

    def __init__(self, topology: Topology, traffic: Traffic, policies: Policies) -> None:
        self.topology = topology
        self.traffic = traffic
        self.policies = policies
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.hits: list[int] = []
        self.deploys: Counter[str] = Counter()

    def pull(self, lever: Lever, path: str) -> None:
        """Append what becomes of one lever: a row for each thing that it moves."""
        match lever:
            case FlagLever(flags=flags):
                for name, on in sorted(flags.items()):
                    self._append(LEVER_FLAG, {LE_ARG: self.topology.flag(name, path), LE_VALUE: on})
            case ShedLever(load=load, share=share):
                if load not in self.topology.loads:
                    raise unknown(path, "load", load, self.topology.loads)
                columns = self.traffic.loads[self.topology.loads.index(load)]
                for stream in range(columns[L_FIRST_STREAM], columns[L_FIRST_STREAM] + columns[L_STREAMS]):
                    self._append(LEVER_SHED, {LE_ARG: stream}, share)
            case ClearQueueLever(service=service):
                self._append(LEVER_CLEAR_QUEUE, {LE_ARG: self.topology.service(service, path)})
            case RestartLever():
                self._append(LEVER_RESTART, self._struck(lever, lever.service, path), _share(lever))
            case ScaleLever(service=service, replicas=replicas):
                self._append(LEVER_SCALE, {LE_ARG: self.topology.service(service, path), LE_VALUE: replicas})
            case DrainLever() | UndrainLever():
                for service in self._drained(lever, path):
                    some = self._struck(lever, service, path)
                    self._append(LEVER_DRAIN, {**some, LE_VALUE: lever.kind == "drain"}, _share(lever))
            case DeployLever():
                self._deploy(lever, path)
            case RollbackLever(service=service):
                self._append(LEVER_ROLLBACK, {LE_ARG: self.topology.service(service, path)})
            case SetLever(settings=settings):
                for setting in settings:
                    self._set(setting, path)

    def _append(self, kind: int, columns: dict[int, int], value: float = 0.0) -> None:
        self.rows.append(row(N_LE, {LE_KIND: kind, **columns}))
        self.rows_f.append(row_f(N_LEF, {LEF_VALUE: value}))

    def _deploy(self, lever: DeployLever, path: str) -> None:
        (surge, surge_share), (missing, missing_share) = lever.surge, lever.missing
        number = self.deploys[lever.service]
        self.deploys[lever.service] += 1
        self.rows.append(
            row(
                N_LE,
                {
                    LE_KIND: LEVER_DEPLOY,
                    LE_ARG: self.topology.service(lever.service, path),
                    LE_SURGE: surge,
                    LE_MISSING: missing,
                    LE_KEY: salt("version", lever.service, str(number)),
                },
            )
        )
        floats = {LEF_SURGE: surge_share, LEF_MISSING: missing_share}
        floats |= {LEF_SLOWDOWN: lever.slowdown, LEF_ERROR: lever.error}
        self.rows_f.append(row_f(N_LEF, floats))

    def _drained(self, lever: DrainLever | UndrainLever, path: str) -> list[str]:
        """The services of which a lever drains replicas."""
        if lever.service is not None:
            return [lever.service]
        zone = self._zone(lever.zone, path)
        services = {columns[RP_SVC] for columns in self.topology.replicas if columns[RP_ZONE] == zone}
        if not services:
            raise PlanError(path, f"no replica lies in zone {lever.zone}", "look at the zones of the services")
        return [self.topology.services[service] for service in sorted(services)]

    def _zone(self, name: str | None, path: str) -> int:
        if name not in self.topology.zones:
            raise unknown(path, "zone", str(name), self.topology.zones)
        return self.topology.zone(name)

    def _struck(self, lever: Replicas, name: str, path: str) -> dict[int, int]:
        """Which replicas of a service a lever may strike, and how many of them."""
        service = self.topology.service(name, path)
        hits: Sequence[int] = self.topology.replicas_of(service)
        if lever.zone is not None:
            zone = self._zone(lever.zone, path)
            hits = [replica for replica in hits if self.topology.replicas[replica][RP_ZONE] == zone]
        if not hits:
            raise PlanError(path, f"{name} has no replica in zone {lever.zone}", "look at its zones")
        strike = NONE if lever.replicas is None else lever.replicas
        first = len(self.hits)
        self.hits.extend(hits)
        return {LE_ARG: service, LE_FIRST_HIT: first, LE_HITS: len(hits), LE_STRIKE: strike}

    def _set(self, setting: Setting, path: str) -> None:
        rows = self.policies.known_as(setting.scope)
        if not rows:
            raise PlanError(path, f"no call uses the policy of {setting.path}", "look at the path")
        for number in rows:
            policy = self.policies.models[number]
            needed = _NEEDS.get(setting.key)
            if needed is not None and getattr(policy, needed) is None:
                raise PlanError(
                    path,
                    f"{setting.scope} has no {needed}, so {setting.key} cannot be set",
                    f"give it one, such as {needed}: {{}}" if needed != "rate_limit" else "give it a rate_limit",
                )
            for column, value in self._columns(setting, number):
                self._append(LEVER_SET, {LE_ARG: number, LE_COLUMN: column, LE_VALUE: value})

    def _columns(self, setting: Setting, number: int) -> list[tuple[int, int]]:
        value = setting.value
        if setting.key == "fallback":
            forced, on = value == "always", self.policies.rows[number][P_FALLBACK_ON]
            return [(P_FALLBACK_FORCED, int(forced)), (P_FALLBACK_ON, on | forced << CIRCUIT_OPEN)]
        if isinstance(value, str):
            own = FORCE_AUTO if self.policies.rows[number][P_BREAKER] != FORCE_NONE else FORCE_NONE
            return [(P_BREAKER, _FORCED.get(value, own))]
        if setting.key == "timeout":
            # lanes are for delays that never change
            return [(P_TIMEOUT, int(value)), (P_TIMEOUT_LANE, NONE), (P_TIMEOUT_DIST, NONE)]
        if setting.key == "rate_limit.rate":
            return [(P_RATE_INTERVAL, max(1, round(NS / value)))]
        column = P_MAX_ATTEMPTS if setting.key == "retry.max_attempts" else P_HEDGE_MAX
        return [(column, int(value))]


def _share(lever: Replicas) -> float:
    return -1.0 if lever.replica_share is None else lever.replica_share
