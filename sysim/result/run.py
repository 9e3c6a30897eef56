"""One run: where it came from, its windows, its series, its transitions. Built from a plan and a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.latency import NS
from sysim.analysis.recovery import Occurrence, Recovery, occurrences, recovery
from sysim.analysis.stability import State, classify, counts, worst
from sysim.model import Scenario
from sysim.plan.plan import Plan
from sysim.plan.tables import K_STAT, SCALER_AUTO, Z_BESIDE, Z_KIND
from sysim.record.columns import EV_ACTION, EV_BREAKER, EV_FAULT, EV_SCALE, EVENT_LIMIT
from sysim.record.record import Record
from sysim.result.series import Series
from sysim.result.stats import WindowStats
from sysim.result.windows import Layout, Tables, window_stats

if TYPE_CHECKING:
    from sysim.analysis.cascade import Cascade

Ints = NDArray[np.int64]
BREAKER_STATES = ("closed", "open", "half_open")
DECIDED, CARRIED_OUT = 1, 2


@dataclass(frozen=True, slots=True)
class Transition:
    """Something that changed: a fault, an action, a breaker or a replica, called by name, and what it became."""

    at_s: float
    kind: str
    subject: str
    what: str

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {"at_s": self.at_s, "kind": self.kind, "subject": self.subject, "what": self.what}


@dataclass(frozen=True, slots=True)
class Pulled:
    """An action that happened: its number in the scenario, when its condition came true, when and what was done.

    `decided_s` is None for an action without condition, or without a delay after that; `at_s` for one that was
    decided on and not carried out before the run ended.
    """

    number: int
    what: str
    decided_s: float | None
    at_s: float | None


@dataclass(frozen=True, slots=True)
class Scaling:
    """An autoscaler or a schedule changed how many `replicas` a `service` shall have, or (``least``) has at least."""

    at_s: float
    service: str
    by: Literal["autoscaler", "schedule", "least"]
    replicas: int

    @property
    def what(self) -> str:
        """As it is told: ``scale betting to 7 (autoscaler)``."""
        if self.by == "least":
            return f"scale {self.service} to at least {self.replicas} (schedule)"
        return f"scale {self.service} to {self.replicas} ({self.by})"


@dataclass(frozen=True, slots=True)
class Histogram:
    """The bins of a histogram that hold anything: numbers of the bins and their counts."""

    bins: Ints
    counts: Ints


@dataclass(frozen=True)
class Run:
    """One replication. Immutable; `windows` begins with ``all``, `states` says in a word what became of each load."""

    seed: int
    replication: int
    simulated_s: float
    events: int
    digest: str
    wall_s: float
    windows: Mapping[str, WindowStats]
    series: Series
    recovery: Mapping[str, Recovery]
    faults: tuple[Occurrence, ...]
    event_rows: Ints = field(repr=False)
    n_transitions: int = 0
    spans: Ints = field(repr=False, default_factory=lambda: np.zeros((0, 10), dtype=np.int64))
    histograms: Mapping[str, Mapping[str, Histogram]] = field(repr=False, default_factory=dict)
    fault_numbers: Mapping[str, int] = field(default_factory=dict)
    load_cells: Ints = field(repr=False, default_factory=lambda: np.zeros((1, 0, 1), dtype=np.int64))
    states: Mapping[str, State] = field(default_factory=dict)
    plan: Plan = field(repr=False, kw_only=True)

    @property
    def state(self) -> State:
        """What became of the run, in one word: the state of the worst of its loads."""
        return worst(self.states.values())

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """Faults, actions, breakers, replicas and how many of these there shall be, as they changed, in order.

        At most the first 65 536 of them.
        """
        names = self.plan.names
        found = []
        for at, kind, subject, value in self.event_rows.tolist():
            if kind == EV_FAULT:
                found.append(
                    Transition(at / NS, "fault", names.faults[subject], "begins" if value else "ends")
                )
            elif kind == EV_BREAKER:
                label = names.stats[int(self.plan.scopes[subject, K_STAT])]
                found.append(Transition(at / NS, "breaker", label, BREAKER_STATES[value]))
            elif kind == EV_ACTION:
                label = names.action_names[subject] or names.actions[subject]
                found.append(
                    Transition(at / NS, "action", label, "carried out" if value == CARRIED_OUT else "decided")
                )
            elif kind == EV_SCALE:
                found.append(Transition(at / NS, "scaling", names.scalers[subject], str(value)))
            else:
                found.append(
                    Transition(at / NS, "replica", names.replicas[subject], ("down", "up", "gone")[value])
                )
        return tuple(found)

    @cached_property
    def actions(self) -> tuple[Pulled, ...]:
        """The levers that were pulled, in order; those still to be pulled at the end come last."""
        moments: dict[int, dict[int, float]] = {}
        for at, kind, subject, value in self.event_rows.tolist():
            if kind == EV_ACTION:
                moments.setdefault(subject, {})[value] = at / NS
        pulled = [
            Pulled(number, self.plan.names.actions[number], at.get(DECIDED), at.get(CARRIED_OUT))
            for number, at in moments.items()
        ]
        return tuple(sorted(pulled, key=lambda p: (p.at_s is None, p.at_s or p.decided_s or 0.0)))

    @cached_property
    def scalings(self) -> tuple[Scaling, ...]:
        """What autoscalers and schedules have changed, in order."""
        found = []
        for at, kind, subject, value in self.event_rows.tolist():
            if kind == EV_SCALE:
                row = self.plan.scalers[subject]
                by: Literal["autoscaler", "schedule", "least"] = "schedule" if row[Z_BESIDE] < 0 else "least"
                if row[Z_KIND] == SCALER_AUTO:
                    by = "autoscaler"
                found.append(Scaling(at / NS, self.plan.names.scalers[subject], by, value))
        return tuple(found)

    @cached_property
    def cascade(self) -> Cascade:
        """How trouble spread from service to service."""
        from sysim.analysis.cascade import Cascade

        return Cascade(self)

    @property
    def deeds(self) -> list[tuple[float, str]]:
        """When operators, autoscalers and schedules did something, and what, in order."""
        found = [(pulled.at_s, pulled.what) for pulled in self.actions if pulled.at_s is not None]
        return sorted([*found, *((scaling.at_s, scaling.what) for scaling in self.scalings)], key=lambda deed: deed[0])

    def window(self, name: str = "all") -> WindowStats:
        """The statistics of a window."""
        return self.windows[name]

    def to_dict(self, series: bool = False) -> dict[str, Any]:
        """The object of the JSON result."""
        out: dict[str, Any] = {
            "seed": self.seed,
            "replication": self.replication,
            "simulated_s": self.simulated_s,
            "events": self.events,
            "digest": self.digest,
            "wall_s": self.wall_s,
            "windows": {name: window.to_dict() for name, window in self.windows.items()},
            "recovery": {
                name: {"state": self.states.get(name), **recovered.to_dict()}
                for name, recovered in self.recovery.items()
            },
            "actions": [{"at_s": at, "what": what} for at, what in self.deeds],
        }
        if series:
            out["cascade"] = self.cascade.to_dict()
            out["series"] = self.series.to_dict()
            out["transitions"] = [transition.to_dict() for transition in self.transitions]
            out["transitions_total"] = self.n_transitions
        if len(self.spans):
            from sysim.result.traces import traces

            out["traces"] = traces(self.plan, self.spans)
        return out


def summarise(plan: Plan, scenario: Scenario, record: Record, seed: int, replication: int) -> Run:
    """The `Run` that a record tells of."""
    layout = Layout(plan, scenario)
    tables = Tables(layout, record)
    events = record.events[: min(record.n_transitions, EVENT_LIMIT, len(record.events))].copy()
    faults = occurrences(plan, events)
    names = sorted(plan.windows, key=lambda name: (name != "all", plan.windows[name], name))
    windows = {name: window_stats(tables, name) for name in names}
    streams = {load: [s for some in by.values() for s in some] for load, by in layout.streams_of.items()}
    spans = record.spans[: record.n_spans].copy()
    recoveries = {load: recovery(plan, tables.load, some, faults) for load, some in streams.items()}
    for array in (events, spans, tables.load):
        array.flags.writeable = False
    return Run(
        seed=seed,
        replication=replication,
        simulated_s=record.end / NS,
        events=record.n_events,
        digest=format(record.digest & (2**64 - 1), "016x"),
        wall_s=record.wall_s,
        windows=windows,
        series=Series.of(tables, streams),
        recovery=recoveries,
        faults=faults,
        event_rows=events,
        n_transitions=record.n_transitions,
        spans=spans,
        histograms=_histograms(tables, streams, windows),
        fault_numbers={fault.name: k for k, fault in enumerate(scenario.faults) if fault.name},
        load_cells=tables.load,
        states={
            load: classify(plan, counts(plan, tables.load, some), faults, recoveries[load])
            for load, some in streams.items()
        },
        plan=plan,
    )


def _histograms(
    tables: Tables, streams: Mapping[str, list[int]], windows: Mapping[str, WindowStats]
) -> dict[str, dict[str, Histogram]]:
    found: dict[str, dict[str, Histogram]] = {}
    for name in windows:
        segments = slice(*tables.layout.plan.window_segments(name))
        found[name] = {}
        for load, some in streams.items():
            counts = tables.load_hist[segments, some, 0].sum(axis=(0, 1))
            bins = np.flatnonzero(counts)
            found[name][load] = Histogram(bins, counts[bins])
    return found
