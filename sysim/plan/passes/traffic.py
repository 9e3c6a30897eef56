"""Loads into rows: clients, arrivals, rates, streams, and the programs that make their requests."""

from __future__ import annotations

import numpy as np

from sysim.model import (
    Batch,
    Call,
    CallPolicy,
    ClosedLoad,
    Evenly,
    Load,
    ModulatedRate,
    Money,
    OpenLoad,
    Scenario,
)
from sysim.model.calendar import TooManyPieces
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.programs import Programs
from sysim.plan.passes.rates import noise_slots, rates
from sysim.plan.passes.rows import row
from sysim.plan.passes.scopes import Caller
from sysim.plan.passes.stays import stays
from sysim.plan.passes.topology import Topology
from sysim.plan.plan import Floats, Ints
from sysim.plan.tables import (
    ARRIVALS_BATCH,
    ARRIVALS_EVENLY,
    ARRIVALS_MMPP,
    ARRIVALS_POISSON,
    C_STREAM,
    CLASSES,
    L_ARRIVALS,
    L_BATCH,
    L_CALL_PC,
    L_CLASS,
    L_CLIENTS,
    L_CLOSED,
    L_FIRST_RATE,
    L_FIRST_STREAM,
    L_JOURNEY,
    L_KEY,
    L_PC,
    L_RATES,
    L_STAYS,
    L_STREAMS,
    L_THINK,
    N_L,
    N_Q,
    N_T,
    NEVER,
    NONE,
    T_LIMIT,
    T_LOAD,
    T_SALT,
    T_SITE,
)
from sysim.semantics.fit import cumulative_weights


class Traffic:
    """The rows of `loads`, `streams`, `rates` and `stays`."""

    def __init__(
        self, scenario: Scenario, topology: Topology, programs: Programs, distributions: Distributions
    ) -> None:
        self.scenario = scenario
        self.topology = topology
        self.programs = programs
        self.distributions = distributions
        self.loads: list[list[int]] = []
        self.loads_f: list[list[float]] = []
        self.streams: list[list[int]] = []
        self.streams_f: list[list[float]] = []
        self.stream_names: list[str] = []
        self.stays: list[list[int]] = []
        self.currencies: list[str | None] = []
        self._rates: list[Floats] = []
        self._slots: list[Ints] = []
        self.noise: list[list[int]] = []
        self.noise_f: list[list[float]] = []
        self._n_rates = 0
        self.classes = _classes(scenario)
        for number, name in enumerate(topology.loads):
            self._load(number, name, scenario.load[name])

    def slots(self) -> Ints:
        """The slot of noise of each piece, if there is noise at all."""
        return np.concatenate(self._slots) if self.noise else np.zeros(1, dtype=np.int64)

    def rates(self) -> Floats:
        """The pieces of all rates."""
        return np.concatenate(self._rates) if self._rates else np.zeros((1, N_Q))

    def _load(self, number: int, name: str, load: Load) -> None:
        self.currencies.append(_currency(name, load))
        closed = isinstance(load, ClosedLoad)
        count, there = (
            stays(load.users, self.scenario.time.duration, len(self.stays))
            if isinstance(load, ClosedLoad)
            else (load.clients, [])
        )
        caller = Caller(
            owner=name,
            label=name,
            first=NONE,
            count=count,
            zone=self.topology.zone(load.zone),
        )
        columns = {
            L_CLOSED: int(closed),
            L_FIRST_STREAM: len(self.streams),
            L_CLIENTS: caller.count,
            L_KEY: salt("load", name),
            L_PC: NONE,
            L_JOURNEY: bool(load.journey),
            L_CALL_PC: NONE,
            L_THINK: NONE,
            L_CLASS: self.classes.get(load.priority, 0),
            L_STAYS: len(self.stays) if there else NONE,
        }
        self.stays += there
        batch = 0.0
        if isinstance(load, OpenLoad):
            batch = self._arrivals(name, load, columns)
        else:
            columns[L_THINK] = self.distributions.add(load.think)
        if load.journey:
            think = load.think if isinstance(load, ClosedLoad) else None

            def new_stream(step: Call, site: int) -> int:
                value = step.value if step.value is not None else load.value
                degraded = step.degraded_value
                if degraded is None:
                    degraded = step.value if step.value is not None else load.degraded_value
                return self._stream(number, name, step.target, site, 1.0, value, degraded)

            columns[L_PC] = self.programs.journey(caller, load.journey, think, new_stream, bool(there))
        else:
            self._mix(number, name, load, caller, columns)
        columns[L_STREAMS] = len(self.streams) - columns[L_FIRST_STREAM]
        self.loads.append(row(N_L, columns))
        self.loads_f.append([batch])

    def _arrivals(self, name: str, load: OpenLoad, columns: dict[int, int]) -> float:
        try:
            pieces = rates(load, self.scenario.time.duration, name)
            slots = noise_slots(load, self.scenario.time.duration, pieces)
        except TooManyPieces as error:
            raise PlanError(f"load.{name}.rate", str(error), "let noise or bursts come less often") from None
        columns[L_FIRST_RATE] = self._n_rates
        columns[L_RATES] = len(pieces)
        if slots is not None:
            self.noise.append([self._n_rates, len(pieces), salt("noise", name)])
            self.noise_f.append([slots.deviation])
        self._slots.append(np.zeros(len(pieces), dtype=np.int64) if slots is None else slots.numbers)
        self._rates.append(pieces)
        self._n_rates += len(pieces)
        columns[L_ARRIVALS] = ARRIVALS_POISSON
        if isinstance(load.arrivals, Evenly):
            columns[L_ARRIVALS] = ARRIVALS_EVENLY
        elif isinstance(load.rate, ModulatedRate):
            columns[L_ARRIVALS] = ARRIVALS_MMPP
        elif isinstance(load.arrivals, Batch):
            columns[L_ARRIVALS] = ARRIVALS_BATCH
            columns[L_BATCH] = load.arrivals.size or 0
            return load.arrivals.mean
        return 1.0

    def _mix(self, number: int, name: str, load: Load, caller: Caller, columns: dict[int, int]) -> None:
        """One stream a target, in order of the targets. All of them share the load's own policy."""
        policy = _placed(load.policy, name)
        calls = sorted(load.mix.items())
        first = len(self.streams)
        shares = cumulative_weights([share for _, share in calls])
        for below, (target, _) in zip(shares, calls, strict=True):
            self._stream(number, name, target, NONE, below, load.value, load.degraded_value)
        if isinstance(load, ClosedLoad):
            columns[L_PC] = self.programs.choice_of_calls(
                caller, load.think, calls, policy, first, columns[L_STAYS] != NONE
            )
        else:
            columns[L_CALL_PC] = len(self.programs.code)
            for position, (target, _) in enumerate(calls):
                self.programs.one_call(caller, target, policy, first + position)
            self.programs.finish()

    def _stream(
        self,
        load: int,
        name: str,
        target: str,
        site: int,
        cumulative: float,
        value: Money | None,
        degraded: Money | None,
    ) -> int:
        """A row of `streams`; the site of a mix's call is filled in by `linked`."""
        number = len(self.streams)
        earned = value.amount if value is not None else 0.0
        limit = self.scenario.latency_limit(name)
        salted = salt("stream", name, target)
        columns = {T_LOAD: load, T_SITE: site, T_SALT: salted, T_LIMIT: NEVER if limit is None else limit}
        self.streams.append(row(N_T, columns))
        self.streams_f.append([cumulative, earned, degraded.amount if degraded is not None else earned])
        self.stream_names.append(f"{name} -> {target}")
        return number

    def linked(self) -> list[list[int]]:
        """All streams, joined to their call sites."""
        for number, site in enumerate(self.programs.sites.rows):
            if site[C_STREAM] != NONE:
                self.streams[site[C_STREAM]][T_SITE] = number
        return self.streams


def _classes(scenario: Scenario) -> dict[int, int]:
    """The priorities of all loads, numbered in order; none where no queue goes by them."""
    if all(service.queue.discipline != "priority" for service in scenario.services.values()):
        return {}
    found = sorted({load.priority for load in scenario.load.values()})
    if len(found) > CLASSES:
        message = f"found {len(found)} different priorities, expected at most {CLASSES}"
        raise PlanError("load", message, "give loads that matter equally the same one")
    return {priority: number for number, priority in enumerate(found)}


def _placed(policy: CallPolicy | None, load: str) -> CallPolicy | None:
    """A load's own policy stands in one place, also when it was made in code."""
    if policy is None or policy.scope is not None:
        return policy
    return policy.model_copy(update={"place": f"load.{load}.policy"})


def _currency(name: str, load: Load) -> str | None:
    """The one currency of all values of a load."""
    found = {money.currency for money in _values(load)}
    if len(found) > 1:
        raise PlanError(
            f"load.{name}", f"found values in {' and '.join(sorted(found))}, expected one currency"
        )
    return found.pop() if found else None


def _values(load: Load) -> list[Money]:
    values = [load.value, load.degraded_value]
    waiting = list(load.journey)
    while waiting:
        step = waiting.pop()
        if isinstance(step, Call):
            values += [step.value, step.degraded_value]
        elif step.kind == "repeat":
            waiting += step.steps
        elif step.kind == "choose":
            waiting += [inner for option in step.options for inner in option.steps]
    return [money for money in values if money is not None]
