"""Actions into rows: when each is due or looks at its condition, and the levers it pulls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sysim.model import (
    Action,
    AlertCondition,
    ClearQueueLever,
    Condition,
    DeployLever,
    DrainLever,
    FlagLever,
    RestartLever,
    RollbackLever,
    ScaleLever,
    Scenario,
    SetLever,
    Setting,
    ShedLever,
    UndrainLever,
)
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.rows import row, row_f
from sysim.plan.passes.topology import Topology, unknown
from sysim.plan.passes.traffic import Traffic
from sysim.plan.tables import (
    AC_AFTER,
    AC_AT,
    AC_EVERY,
    AC_FIRST_BINS,
    AC_FIRST_LEVER,
    AC_FIRST_SLOT,
    AC_FOR,
    AC_KEY,
    AC_LEVERS,
    AC_METRIC,
    AC_OP,
    AC_SHORT,
    AC_SLOTS,
    AC_SUBJECT,
    ACF_FAILING,
    ACF_QUANTILE,
    ACF_SLOW,
    ACF_THRESHOLD,
    CIRCUIT_OPEN,
    COMPARISONS,
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
    METRIC_ALERT,
    METRIC_GOODPUT,
    METRIC_IN_SYSTEM,
    METRIC_LATENCY,
    METRIC_LATENCY_ALL,
    METRIC_OFFERED,
    METRIC_QUEUE,
    METRIC_SUCCESS,
    METRIC_UTILISATION,
    N_AC,
    N_ACF,
    N_LE,
    N_LEF,
    NEVER,
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
    S_WORKERS,
)

SERVICE_METRICS = {"queue": METRIC_QUEUE, "in_system": METRIC_IN_SYSTEM, "utilisation": METRIC_UTILISATION}
LOAD_METRICS = {
    "success": METRIC_SUCCESS,
    "goodput": METRIC_GOODPUT,
    "goodput_per_s": METRIC_GOODPUT,
    "offered_per_s": METRIC_OFFERED,
}
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
MOST_SLOTS = 720
NS = 1_000_000_000
_NEEDS = {
    "retry.max_attempts": "retry",
    "hedge.max_attempts": "hedge",
    "rate_limit.rate": "rate_limit",
    "fallback": "fallback",
}
Replicas = RestartLever | DrainLever | UndrainLever
_FORCED = {"open": FORCE_OPEN, "closed": FORCE_CLOSED}


class Actions:
    """The rows of `actions` and `levers`, and how much conditions have to remember."""

    def __init__(
        self,
        scenario: Scenario,
        topology: Topology,
        traffic: Traffic,
        policies: Policies,
        distributions: Distributions,
    ) -> None:
        self.topology = topology
        self.traffic = traffic
        self.policies = policies
        self.distributions = distributions
        self.slos = scenario.slos
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.levers: list[list[int]] = []
        self.levers_f: list[list[float]] = []
        self.hits: list[int] = []
        self.labels: list[str] = []
        self.names: list[str | None] = []
        self.deploys: Counter[str] = Counter()
        self.slots = 0
        self.bins = 0
        alike: Counter[str] = Counter()
        for number, action in enumerate(scenario.actions):
            label = describe(action)
            look = action.name or label
            self._action(action, f"actions.{action.name or number}", salt("action", look, str(alike[look])))
            alike[look] += 1
            self.labels.append(label)
            self.names.append(action.name)

    def _action(self, action: Action, path: str, key: int) -> None:
        first = len(self.levers)
        self._pull(action, path)
        columns = {
            AC_AT: NEVER if action.at is None else action.at,
            AC_AFTER: self.distributions.add_optional(action.after),
            AC_KEY: key,
            AC_FIRST_LEVER: first,
            AC_LEVERS: len(self.levers) - first,
            AC_METRIC: NONE,
            AC_FIRST_BINS: NONE,
        }
        floats: dict[int, float] = {}
        if action.when is not None:
            if isinstance(action.when, AlertCondition):
                self._alert(action.when, f"{path}.when", columns, floats)
            else:
                self._condition(action.when, f"{path}.when", columns, floats)
        self.rows.append(row(N_AC, columns))
        self.rows_f.append(row_f(N_ACF, floats))

    # --- conditions ---

    def _condition(self, when: Condition, path: str, columns: dict[int, int], floats: dict[int, float]) -> None:
        metric = when.metric
        slots = 0
        if metric in SERVICE_METRICS:
            subject = self.topology.service(when.subject, path)
            columns[AC_METRIC] = SERVICE_METRICS[metric]
            if metric == "utilisation" and self.topology.svc[subject][S_WORKERS] >= NEVER:
                raise PlanError(
                    path,
                    f"{when.subject} has no limit of workers, so there is no utilisation",
                    "give it a concurrency, or look at in_system",
                )
        else:
            if when.subject not in self.topology.loads:
                raise unknown(path, "load", when.subject, self.topology.loads)
            subject = self.topology.loads.index(when.subject)
            slots = -(-when.over // when.every)
            if slots > MOST_SLOTS:
                raise PlanError(
                    path,
                    f"the window covers {slots} looks, expected at most {MOST_SLOTS}",
                    "look less often, or over a shorter time",
                )
            stem = metric.removesuffix("_all")
            if metric in LOAD_METRICS:
                columns[AC_METRIC] = LOAD_METRICS[metric]
                columns[AC_FIRST_SLOT] = self.slots
                self.slots += slots
            elif stem in QUANTILES:
                columns[AC_METRIC] = METRIC_LATENCY if stem == metric else METRIC_LATENCY_ALL
                columns[AC_FIRST_BINS] = self.bins
                floats[ACF_QUANTILE] = QUANTILES[stem]
                self.bins += slots + 1
            else:
                raise unknown(path, "metric for conditions", metric, metrics())
        columns[AC_SUBJECT] = subject
        columns[AC_OP] = COMPARISONS.index(when.op)
        columns[AC_FOR] = when.lasts
        columns[AC_EVERY] = when.every
        columns[AC_SLOTS] = slots
        floats[ACF_THRESHOLD] = when.value

    def _alert(self, when: AlertCondition, path: str, columns: dict[int, int], floats: dict[int, float]) -> None:
        if when.slo not in self.slos:
            raise unknown(path, "slo", when.slo, self.slos)
        slo = self.slos[when.slo]
        alert = slo.alert
        if alert is None:
            raise PlanError(path, f"the slo {when.slo} has no alert", "give it one, such as alert: {}")
        if slo.load not in self.topology.loads:
            raise unknown(path, "load", slo.load, self.topology.loads)
        slots = -(-alert.long // alert.every)
        columns |= {
            AC_METRIC: METRIC_ALERT,
            AC_SUBJECT: self.topology.loads.index(slo.load),
            AC_OP: COMPARISONS.index(">="),
            AC_FOR: when.lasts,
            AC_EVERY: alert.every,
            AC_SLOTS: slots,
            AC_SHORT: -(-alert.short // alert.every),
            AC_FIRST_SLOT: self.slots,
        }
        self.slots += slots
        floats |= {
            ACF_THRESHOLD: alert.burn,
            ACF_FAILING: 0.0 if slo.success is None else 1.0 - slo.success,
            ACF_SLOW: 0.0 if slo.quantile is None else 1.0 - slo.quantile,
        }

    # --- levers ---

    def _pull(self, action: Action, path: str) -> None:
        lever = action.lever
        match lever:
            case FlagLever(flags=flags):
                for name, on in sorted(flags.items()):
                    self._lever(LEVER_FLAG, {LE_ARG: self.topology.flag(name, path), LE_VALUE: on})
            case ShedLever(load=load, share=share):
                if load not in self.topology.loads:
                    raise unknown(path, "load", load, self.topology.loads)
                columns = self.traffic.loads[self.topology.loads.index(load)]
                for stream in range(columns[L_FIRST_STREAM], columns[L_FIRST_STREAM] + columns[L_STREAMS]):
                    self._lever(LEVER_SHED, {LE_ARG: stream}, share)
            case ClearQueueLever(service=service):
                self._lever(LEVER_CLEAR_QUEUE, {LE_ARG: self.topology.service(service, path)})
            case RestartLever():
                self._lever(LEVER_RESTART, self._struck(lever, lever.service, path), _share(lever))
            case ScaleLever(service=service, replicas=replicas):
                self._lever(LEVER_SCALE, {LE_ARG: self.topology.service(service, path), LE_VALUE: replicas})
            case DrainLever() | UndrainLever():
                for service in self._drained(lever, path):
                    some = self._struck(lever, service, path)
                    self._lever(LEVER_DRAIN, {**some, LE_VALUE: lever.kind == "drain"}, _share(lever))
            case DeployLever():
                self._deploy(lever, path)
            case RollbackLever(service=service):
                self._lever(LEVER_ROLLBACK, {LE_ARG: self.topology.service(service, path)})
            case SetLever(settings=settings):
                for setting in settings:
                    self._set(setting, path)

    def _lever(self, kind: int, columns: dict[int, int], value: float = 0.0) -> None:
        self.levers.append(row(N_LE, {LE_KIND: kind, **columns}))
        self.levers_f.append(row_f(N_LEF, {LEF_VALUE: value}))

    def _deploy(self, lever: DeployLever, path: str) -> None:
        (surge, surge_share), (missing, missing_share) = lever.surge, lever.missing
        number = self.deploys[lever.service]
        self.deploys[lever.service] += 1
        self.levers.append(
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
        self.levers_f.append(row_f(N_LEF, floats))

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
                self._lever(LEVER_SET, {LE_ARG: number, LE_COLUMN: column, LE_VALUE: value})

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


def metrics() -> tuple[str, ...]:
    """All metrics that a condition can look at."""
    return (*SERVICE_METRICS, *LOAD_METRICS, *QUANTILES, *(f"{name}_all" for name in QUANTILES))


def describe(action: Action) -> str:
    """What an action does, in a few words."""
    lever = action.lever
    match lever:
        case FlagLever(flags=flags):
            return ", ".join(f"flag {name} {'on' if on else 'off'}" for name, on in sorted(flags.items()))
        case ShedLever(load=load, share=share):
            return f"shed {100 * share:g}% of {load}"
        case ClearQueueLever(service=service):
            return f"clear the queue of {service}"
        case RestartLever():
            return f"restart {_whom(lever)}"
        case DrainLever() | UndrainLever():
            return f"{lever.kind} {_whom(lever)}"
        case ScaleLever(service=service, replicas=replicas):
            return f"scale {service} to {replicas}"
        case DeployLever(service=service):
            return f"deploy a new version of {service}"
        case RollbackLever(service=service):
            return f"roll {service} back"
        case SetLever(settings=settings):
            return ", ".join(f"set {setting.path} to {_value(setting)}" for setting in settings)


def _share(lever: Replicas) -> float:
    return -1.0 if lever.replica_share is None else lever.replica_share


def _whom(lever: Replicas) -> str:
    if lever.service is None:
        return f"zone {lever.zone}"
    what = lever.service
    if lever.replicas is not None:
        what = f"{lever.replicas} of {what}"
    elif lever.replica_share is not None:
        what = f"{100 * lever.replica_share:g}% of {what}"
    return what if lever.zone is None else f"{what} in zone {lever.zone}"


def _value(setting: Setting) -> str:
    from sysim.units import format_duration, format_rate

    if setting.key == "timeout":
        return format_duration(int(setting.value))
    if setting.key == "rate_limit.rate":
        return format_rate(float(setting.value))
    return str(setting.value)
