"""How much of a trigger tips a system, at which load, and how much load has to go before it gets up again.

Every question is put to the same scenario, changed along one path or in its load, under common random numbers. A
replication has tipped when a load is metastable, or unstable before any fault. Runs are made long enough to tell:
ten times the longest fault after its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sysim.analysis.recovery import PATIENCE
from sysim.analysis.stability import DOWN, STATES, State, worst
from sysim.errors import SysimError
from sysim.model import Scenario
from sysim.model.demand import mean
from sysim.model.fault import CrashFault, Fault
from sysim.model.scaling import CannotScale, scaled
from sysim.result.run import Run
from sysim.study.bisection import Bisection, bisect
from sysim.study.quantity import Axis
from sysim.study.trials import Progress, Simulation, Trials

NS = 1_000_000_000
HOLD = 10 * NS
Build = Callable[[float], Scenario]
"""The scenario with a value written at the path."""


def tipped(state: State) -> bool:
    """Whether it does not get up again by itself."""
    return state in DOWN


@dataclass(frozen=True)
class Tipping:
    """The tipping point of a path. `loads` are those looked at, `duration_s` is the length of the longest runs,
    `lengthened` whether that is more than the file says.
    """

    scenario: str
    found: Bisection
    loads: tuple[str, ...]
    seed: int
    replications: int
    duration_s: float
    lengthened: bool
    runs: int


@dataclass(frozen=True)
class Relief:
    """How much of the load may stay: thresholds of the factor that `found` has along its axis. Below the threshold
    the loads recover. The load is cut from `at_s` until `until_s` (None: for good).
    """

    scenario: str
    found: Bisection
    loads: tuple[str, ...]
    at_s: float
    until_s: float | None
    seed: int
    replications: int
    duration_s: float
    lengthened: bool
    runs: int


@dataclass(frozen=True)
class Spot:
    """One place of the map: the load's factor, the value on the path, and what became of the replications."""

    factor: float
    value: float
    states: Mapping[State, int]

    @property
    def runs(self) -> int:
        """How many replications."""
        return sum(self.states.values())

    @property
    def tipped(self) -> int:
        """How many of them do not get up again."""
        return sum(n for state, n in self.states.items() if tipped(state))

    @property
    def state(self) -> State:
        """The most frequent state; of several the worst."""
        return max(self.states, key=lambda state: (self.states[state], STATES.index(state)))


@dataclass(frozen=True)
class Map:
    """The vulnerability map: a `Spot` for each factor of the load and each value on the axis, row by row of rising
    values. `interrupted`: the last ones are missing.
    """

    scenario: str
    axis: Axis
    factors: tuple[float, ...]
    values: tuple[float, ...]
    spots: tuple[Spot, ...]
    loads: tuple[str, ...]
    seed: int
    replications: int
    duration_s: float
    lengthened: bool
    interrupted: bool = field(default=False)


def tipping_point(
    build: Build,
    axis: Axis,
    simulation: Simulation,
    *,
    seed: int,
    replications: int = 10,
    loads: Sequence[str] = (),
    confidence: float = 0.95,
    workers: int = 1,
    progress: Progress | None = None,
) -> Tipping:
    """The value along `axis` at which half of the replications tip."""
    base = build(axis.low)
    duration = max(needed(base), needed(build(axis.high)))
    names = _loads(base, loads)

    def place(value: float) -> Scenario:
        scenario = build(value)
        return measured(scenario, needed(scenario))

    trials: Trials[float, State] = Trials(place, simulation, looking_at(names), workers)
    found = bisect(axis, replications, trials, tipped, confidence, progress)
    own = base.time.duration
    return Tipping(
        base.name, found, names, seed, replications, max(duration, own) / NS, duration > own, trials.done
    )


def vulnerability(
    build: Build,
    axis: Axis,
    factors: Sequence[float],
    values: Sequence[float],
    simulation: Simulation,
    *,
    seed: int,
    replications: int = 3,
    loads: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> Map:
    """What becomes of the system at each factor of the load and each value along `axis`."""
    base = build(axis.low)
    duration = max(needed(base), needed(build(axis.high)))
    names = _loads(base, loads)

    def place(key: tuple[float, float]) -> Scenario:
        factor, value = key
        return _scaled(measured(build(value), duration), factor, 0, None, ())

    trials = Trials(place, simulation, looking_at(names), workers)
    tasks = [((factor, value), k) for value in values for factor in factors for k in range(replications)]
    states: dict[tuple[float, float], Counter[State]] = {}
    interrupted = False
    try:
        for number, ((key, _), state) in enumerate(trials(tasks)):
            states.setdefault(key, Counter())[state] += 1
            if progress is not None:
                progress((number + 1) / len(tasks))
    except KeyboardInterrupt:
        if not states:
            raise
        interrupted = True
    spots = tuple(Spot(factor, value, dict(found)) for (factor, value), found in states.items())
    own = base.time.duration
    return Map(
        base.name, axis, tuple(factors), tuple(values), spots, names, seed, replications,
        max(duration, own) / NS, duration > own, interrupted,
    )  # fmt: skip


def least_relief(
    scenario: Scenario,
    axis: Axis,
    simulation: Simulation,
    *,
    seed: int,
    at: int | None = None,
    lasts: int | None = None,
    replications: int = 10,
    loads: Sequence[str] = (),
    confidence: float = 0.95,
    workers: int = 1,
    progress: Progress | None = None,
) -> Relief:
    """How much of the load may stay so that the system recovers, when it is cut at the instant `at` (ns; None: as
    long after the last fault as that lasted, and at least `hold`) for the time `lasts` (None: for good).
    """
    end, length = last_fault(scenario)
    if end is None:
        raise SysimError("found no fault that ends at a known time, so there is nothing to recover from")
    begin = end + max(length, HOLD) if at is None else at
    if begin < end:
        raise SysimError("found relief before the last fault ends, expected it after: it is about what keeps it down")
    until = None if lasts is None else begin + lasts
    # What has piled up since the fault began needs as long again and again to drain under a lighter load.
    backlog = begin - (end - length)
    duration = max(needed(scenario), (begin if until is None else until) + PATIENCE * backlog + 2 * HOLD)
    names = _loads(scenario, loads)
    long_enough = measured(scenario, duration)
    trials: Trials[float, State] = Trials(
        lambda factor: _scaled(long_enough, factor, begin, until, names), simulation, looking_at(names), workers
    )
    found = bisect(axis, replications, trials, tipped, confidence, progress)
    own = scenario.time.duration
    return Relief(
        scenario.name, found, names, begin / NS, None if until is None else until / NS, seed, replications,
        max(duration, own) / NS, duration > own, trials.done,
    )  # fmt: skip


def _scaled(
    scenario: Scenario, factor: float, start: int, end: int | None, loads: tuple[str, ...]
) -> Scenario:
    try:
        return scaled(scenario, factor, start, end, loads)
    except CannotScale as error:
        raise SysimError(str(error)) from None


def looking_at(loads: Sequence[str]) -> Callable[[Run], State]:
    """The state of the worst of some loads of a run."""
    return lambda run: worst(run.states[load] for load in loads)


def _loads(scenario: Scenario, wanted: Sequence[str]) -> tuple[str, ...]:
    for name in wanted:
        if name not in scenario.load:
            raise SysimError(f"found the load {name!r}, expected one of {', '.join(sorted(scenario.load))}")
    return tuple(dict.fromkeys(wanted)) or tuple(sorted(scenario.load))


def measured(scenario: Scenario, duration: int) -> Scenario:
    """The scenario without windows and checks, at least `duration` (ns) long; what happens in it is the same."""
    time = scenario.time
    if duration > time.duration:
        time = time.model_copy(update={"duration": -(-duration // time.bucket) * time.bucket})
    return scenario.model_copy(update={"windows": {}, "checks": (), "time": time})


def last_fault(scenario: Scenario) -> tuple[int | None, int]:
    """The end of the last fault that ends at a known time, and its length (ns); None where there is none."""
    ends = [(fault.at + lasts, lasts) for fault in scenario.faults if fault.at is not None
            for lasts in (_lasts(fault),) if lasts is not None and fault.every is None]  # fmt: skip
    return max(ends, default=(None, 0), key=lambda pair: pair[0] or 0)


def needed(scenario: Scenario) -> int:
    """How long (ns) a run has to be to tell whether the system recovers from its last fault."""
    end, length = last_fault(scenario)
    return 0 if end is None else end + PATIENCE * length + 2 * HOLD


def _lasts(fault: Fault) -> int | None:
    """How long a fault lasts, on average where that is drawn; a crash ends when its replicas are back."""
    if fault.lasts is not None:
        length = mean(fault.lasts)
        return round(length) if length < 2**60 else None
    if isinstance(fault.effect, CrashFault):
        return fault.effect.restart_after
    return None
