"""Actions into rows: when each is due or looks at its condition, and the levers it pulls."""

from __future__ import annotations

from collections import Counter

from sysim.model import (
    Action,
    ClearQueueLever,
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
from sysim.plan.identity import salt
from sysim.plan.passes.conditions import Conditions
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.levers import Levers, Replicas
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.rows import row, row_f
from sysim.plan.passes.topology import Topology
from sysim.plan.passes.traffic import Traffic
from sysim.plan.tables import (
    AC_AFTER,
    AC_AT,
    AC_FIRST_BINS,
    AC_FIRST_LEVER,
    AC_KEY,
    AC_LEVERS,
    AC_METRIC,
    N_AC,
    N_ACF,
    NEVER,
    NONE,
)


class Actions:
    """The rows of `actions`, with their levers and conditions."""

    def __init__(
        self,
        scenario: Scenario,
        topology: Topology,
        traffic: Traffic,
        policies: Policies,
        distributions: Distributions,
    ) -> None:
        self.distributions = distributions
        self.levers = Levers(topology, traffic, policies)
        self.conditions = Conditions(topology, scenario.slos)
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.labels: list[str] = []
        self.names: list[str | None] = []
        alike: Counter[str] = Counter()
        for number, action in enumerate(scenario.actions):
            label = describe(action)
            look = action.name or label
            self._action(action, f"actions.{action.name or number}", salt("action", look, str(alike[look])))
            alike[look] += 1
            self.labels.append(label)
            self.names.append(action.name)

    def _action(self, action: Action, path: str, key: int) -> None:
        first = len(self.levers.rows)
        self.levers.pull(action.lever, path)
        columns = {
            AC_AT: NEVER if action.at is None else action.at,
            AC_AFTER: self.distributions.add_optional(action.after),
            AC_KEY: key,
            AC_FIRST_LEVER: first,
            AC_LEVERS: len(self.levers.rows) - first,
            AC_METRIC: NONE,
            AC_FIRST_BINS: NONE,
        }
        floats: dict[int, float] = {}
        if action.when is not None:
            self.conditions.add(action.when, f"{path}.when", columns, floats)
        self.rows.append(row(N_AC, columns))
        self.rows_f.append(row_f(N_ACF, floats))


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
