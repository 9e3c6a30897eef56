"""Records made by hand, with the laws that the engines use, so that every number is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import sysim
from sysim.api import Scenario, plan_of
from sysim.plan.plan import Plan
from sysim.plan.tables import OUTCOMES, T_LIMIT
from sysim.record.columns import (
    CC_CALLS,
    EV_BREAKER,
    EV_FAULT,
    EV_REPLICA,
    LC_OFFERED,
    LV_FULL_FIRST,
    LV_FULL_LAST,
    LV_FULL_N,
    PK_AT,
    PK_MAX,
    SC_ARRIVALS,
)
from sysim.record.counters import (
    attempt_ended,
    breaker_closed,
    breaker_opened,
    call_ended,
    request_ended,
    transition,
    visit_ended,
    wasted,
)
from sysim.record.histogram import add
from sysim.record.record import Record, allocate
from sysim.result import Result, Run, summarise

NS = 1_000_000_000


@dataclass
class Fabricator:
    """Writes what would have happened; times in seconds."""

    scenario: Scenario
    plan: Plan
    record: Record

    def cell(self, at: float) -> int:
        """The cell of an instant; behind the end the drain's."""
        return int(np.searchsorted(self.plan.cell_edges, round(at * NS), side="right")) - 1

    def request(self, at: float, took: float, outcome: str = "ok", stream: int = 0, times: int = 1) -> None:
        """So many requests that arrived at one instant and took the same time."""
        streams, loads = self.plan.streams.shape[0], self.plan.loads.shape[0]
        c, done = self.cell(at), self.cell(at + took)
        load = int(self.plan.streams[stream, 0])
        for _ in range(times):
            self.record.load_cells[c * streams + stream, LC_OFFERED] += 1
            request_ended(
                self.record.load_cells, c * streams + stream, done * streams + stream,
                self.record.load_hist, self.record.load_moments,
                (int(self.plan.cell_segment[c]) * streams + stream) * 2,
                self.record.load_coarse, (int(self.plan.cell_column[c]) * loads + load) * 2,
                OUTCOMES.index(outcome), round(took * NS), int(self.plan.streams[stream, T_LIMIT]),
            )  # fmt: skip

    def call(
        self, at: float, outcome: str = "ok", tries: tuple[str, ...] = ("ok",), stat: int = 0, local: int = 0
    ) -> None:
        """One call with its attempts, the last `local` of them refused before they were sent."""
        row = self.cell(at) * max(self.plan.n_stats, 1) + stat
        call_ended(self.record.call_cells, row, OUTCOMES.index(outcome))
        for number, tried in enumerate(tries):
            sent = int(number < len(tries) - local)
            attempt_ended(self.record.call_cells, row, OUTCOMES.index(tried), sent, int(number > 0), 0)

    def visit(
        self,
        at: float,
        wait: float,
        sojourn: float,
        outcome: str = "ok",
        service: int = 0,
        gone: bool = False,
    ) -> None:
        """One attempt at a service."""
        services = self.plan.svc.shape[0]
        row = self.cell(at) * services + service
        self.record.service_cells[row, SC_ARRIVALS] += 1
        segment = (int(self.plan.cell_segment[self.cell(at)]) * services + service) * 2
        add(self.record.service_hist, self.record.service_moments, segment, round(wait * NS))
        add(self.record.service_hist, self.record.service_moments, segment + 1, round(sojourn * NS))
        visit_ended(self.record.service_cells, row, OUTCOMES.index(outcome), int(gone))

    def level(self, column: int, value: float, service: int = 0) -> None:
        """A level that holds over the whole run."""
        services = self.plan.svc.shape[0]
        widths = np.diff(self.plan.cell_edges)
        for c in range(self.plan.n_cells):
            self.record.service_cells[c * services + service, column] = round(value * int(widths[c]))

    def peak(self, segment: int, most: int, at: float, service: int = 0) -> None:
        """The highest number in system of a segment."""
        row = segment * self.plan.svc.shape[0] + service
        self.record.peaks[row, PK_MAX], self.record.peaks[row, PK_AT] = most, round(at * NS)

    def queue_full(self, first: float, last: float, times: int, service: int = 0) -> None:
        """When a queue turned requests away."""
        self.record.level[service, LV_FULL_FIRST] = round(first * NS)
        self.record.level[service, LV_FULL_LAST] = round(last * NS)
        self.record.level[service, LV_FULL_N] = times

    def waste(self, at: float, work: float, service: int = 0) -> None:
        """Work for nobody."""
        wasted(self.record.service_cells, self.cell(at) * self.plan.svc.shape[0] + service, round(work * NS))

    def opened(self, at: float, closed_for: float, stat: int = 0) -> None:
        """A breaker opens."""
        breaker_opened(
            self.record.call_cells, self.cell(at) * self.plan.n_stats + stat, round(closed_for * NS)
        )

    def closed(self, at: float, open_for: float, stat: int = 0) -> None:
        """A breaker closes again."""
        breaker_closed(self.record.call_cells, self.cell(at) * self.plan.n_stats + stat, round(open_for * NS))

    def event(self, at: float, kind: int, subject: int, value: int) -> None:
        """A transition."""
        self.record.n_transitions = int(
            transition(self.record.events, self.record.n_transitions, round(at * NS), kind, subject, value)
        )

    def fault(self, begin: float, end: float | None, number: int = 0) -> None:
        """A fault that begins and ends."""
        self.event(begin, EV_FAULT, number, 1)
        if end is not None:
            self.event(end, EV_FAULT, number, 0)

    def replica(self, at: float, up: bool, number: int = 0) -> None:
        """A replica goes down or comes up."""
        self.event(at, EV_REPLICA, number, int(up))

    def breaker(self, at: float, state: int, scope: int = 0) -> None:
        """A breaker changes its state."""
        self.event(at, EV_BREAKER, scope, state)

    def run(self, replication: int = 0) -> Run:
        """What a result makes of it."""
        self.record.end = self.plan.duration
        return summarise(self.plan, self.scenario.model, self.record, 1, replication)

    def result(self, *others: Run) -> Result:
        """A result with this run and others."""
        return Result(
            self.scenario.model, self.scenario.digest, "made up", self.scenario.variant, (self.run(), *others)
        )


def fabricate(text: str, **options: object) -> Fabricator:
    """An empty record of a scenario."""
    scenario = sysim.loads(text, **options)  # type: ignore[arg-type]
    plan = plan_of(scenario)
    return Fabricator(scenario, plan, allocate(plan))


assert CC_CALLS == 0

PLAIN = """
sysim: 1
name: plain
time: {duration: 100s, warmup: 10s, bucket: 1s}
services:
  api: {concurrency: 2, replicas: 2, cores: 4, cost: 0.50 USD/h, operations: {get: [{work: 2ms}, {call: db}]}}
  db: {operations: {read: [{work: 1ms}]}}
policies: {guarded: {circuit_breaker: {}}}
defaults: {policy: guarded}
load:
  users: {call: api.get, rate: 10/s, value: 2 GBP, degraded_value: 0.50 GBP}
faults:
  - {name: stall, at: 40s, for: 3s, on: api, pause: true}
  - {name: dead, at: 60s, on: api, crash: {replicas: 1, restart_after: 5s}}
windows: {before: 10s..40s, after: 50s..100s}
"""
