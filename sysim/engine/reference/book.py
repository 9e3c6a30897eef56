"""The book: what is written down, in the rows of the present cell, segment and column.

The laws of `sysim.record` write; this module knows which row is meant. Counters that are plain additions go
through flat views of the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sysim.engine.reference import laws
from sysim.engine.reference.clock import Clock
from sysim.engine.reference.world import Service, World
from sysim.plan.tables import DEGRADED, IN_FLIGHT, N_OUTCOMES, NEVER, NONE, T_LIMIT
from sysim.record.columns import (
    LC_BEGUN,
    LC_BROKEN,
    LC_FINISHED,
    LC_OFFERED,
    LC_OUT,
    LV_BUSY,
    LV_CPU,
    LV_IN_SYSTEM,
    LV_LAST,
    LV_PAID,
    LV_QUEUE,
    LV_UP,
    N_CC,
    N_FC,
    N_LC,
    N_LV,
    N_PK,
    N_SC,
    PK_MAX,
    SC_ARRIVALS,
    SC_OUT,
    SC_STARTED,
)
from sysim.record.record import Record


def flat(table: Any) -> Any:
    """A one-dimensional view of a table whose elements are plain ints."""
    return memoryview(table).cast("B").cast("q")


class Book:
    """Writes the record of one run."""

    def __init__(self, world: World, record: Record, traces: int = 0) -> None:
        plan = world.plan
        self.record = record
        self.clock: Clock = world.clock
        self.n_services, self.n_stats = plan.n_services, plan.n_stats
        self.n_streams, self.n_loads = plan.streams.shape[0], plan.loads.shape[0]
        self.limit_of = plan.streams[:, T_LIMIT].tolist()
        self.load_of = plan.streams[:, 0].tolist()
        self.edges = [*plan.cell_edges.tolist()[1:], NEVER]
        self.segments, self.columns = plan.cell_segment.tolist(), plan.cell_column.tolist()
        self.cell = self.segment = self.column = 0
        self.load_cells, self.load_hist, self.load_moments = (
            record.load_cells,
            record.load_hist,
            record.load_moments,
        )
        self.load_coarse = record.load_coarse
        self.service_cells, self.level, self.peaks = record.service_cells, record.level, record.peaks
        self.service_hist, self.service_moments = record.service_hist, record.service_moments
        rows = record.call_cells.shape[0]
        self.call_cells = np.zeros((rows + 1, N_CC), dtype=np.int64)
        self.scratch = rows  # for calls that no statistics want
        record.call_cells = self.call_cells[:rows]
        self.events = record.events
        self._levels = flat(record.level)
        self._services, self._loads, self._peaks = (
            flat(record.service_cells),
            flat(record.load_cells),
            flat(record.peaks),
        )
        self.refusals = flat(self.call_cells)
        for service in world.services:
            at = service.number * N_LV
            self._levels[at + LV_UP] = self._levels[at + LV_PAID] = service.begin
        self.sites = plan.sites
        self.failures: dict[tuple[int, int, int], int] = {}  # row of segment and stream, outcome, cause
        self.samples = traces
        self._next_sample = 0
        self.progress: Callable[[int], None] | None = None
        self.clock.edge = self.edges[0]
        self.clock.on_edge = self.turn

    # --- time -------------------------------------------------------------------------------------------

    def turn(self, time: int) -> None:
        """Close the cells that end at or before `time`."""
        while self.edges[self.cell] <= time:
            edge = self.edges[self.cell]
            row = self.cell * self.n_services
            for s in range(self.n_services):
                laws.touch(self.level, s, self.service_cells, row + s, edge)
                laws.pay(self.level, s, self.service_cells, row + s, edge)
            self.cell += 1
            self.column = self.columns[self.cell]
            if self.segments[self.cell] != self.segment:
                self.segment = self.segments[self.cell]
                for s in range(self.n_services):
                    laws.peak(self.level, s, self.peaks, self.segment * self.n_services + s, edge)
        self.clock.edge = self.edges[self.cell]
        if self.progress is not None:
            self.progress(time)

    # --- services ---------------------------------------------------------------------------------------

    def _touch(self, s: int) -> int:
        """Bring the integrals of service `s` up to now; where its levels begin."""
        at = s * N_LV
        now = self.clock._now
        if self._levels[at + LV_LAST] != now:
            laws.touch(self.level, s, self.service_cells, self.cell * self.n_services + s, now)
        return at

    def arrived(self, service: Service) -> tuple[int, int]:
        """A visit reaches the service; its cell row and its row of waits (sojourns follow)."""
        s = service.number
        row = self.cell * self.n_services + s
        self._services[row * N_SC + SC_ARRIVALS] += 1
        return row, (self.segment * self.n_services + s) * 2

    def enters(self, service: Service, queued: bool) -> None:
        """A visit stays: in the queue, or with a worker."""
        s = service.number
        at = self._touch(s)
        levels = self._levels
        levels[at + LV_IN_SYSTEM] += 1
        levels[at + (LV_QUEUE if queued else LV_BUSY)] += 1
        row = self.segment * self.n_services + s
        if levels[at + LV_IN_SYSTEM] > self._peaks[row * N_PK + PK_MAX]:
            laws.peak(self.level, s, self.peaks, row, self.clock._now)

    def leaves(self, service: Service) -> None:
        """A visit that stayed has ended."""
        self._levels[self._touch(service.number) + LV_IN_SYSTEM] -= 1

    def queue(self, service: Service, change: int) -> None:
        """So many more wait."""
        self._levels[self._touch(service.number) + LV_QUEUE] += change

    def busy(self, service: Service, change: int) -> None:
        """So many more workers are held."""
        self._levels[self._touch(service.number) + LV_BUSY] += change

    def up(self, service: Service, change: int) -> None:
        """So many more replicas are up."""
        self._levels[self._touch(service.number) + LV_UP] += change

    def paid(self, service: Service, change: int, time: int) -> None:
        """So many more replicas are paid for, from `time` on, which may lie in a cell to come."""
        if time >= self.clock.edge:
            self.turn(time)
        s = service.number
        laws.pay(self.level, s, self.service_cells, self.cell * self.n_services + s, time)
        self._levels[s * N_LV + LV_PAID] += change

    def cpu(self, service: Service, change: int) -> None:
        """So many more thousandths of cores are in use."""
        self._levels[self._touch(service.number) + LV_CPU] += change

    def queue_full(self, service: Service) -> None:
        """The queue refuses a visit."""
        laws.queue_full(self.level, service.number, self.clock._now)

    def started(self, row: int, times: int, wait: int) -> None:
        """A visit has got its first worker."""
        self._services[row * N_SC + SC_STARTED] += 1
        laws.observe(self.service_hist, self.service_moments, times, wait)

    def sojourned(self, times: int, sojourn: int) -> None:
        """A visit that had begun has ended."""
        laws.observe(self.service_hist, self.service_moments, times + 1, sojourn)

    def visit_ended(self, row: int, outcome: int, abandoned: int) -> None:
        """A visit has ended, in the service's own view."""
        laws.visit_ended(self.service_cells, row, outcome, abandoned)

    def visit_in_flight(self, row: int) -> None:
        """A visit was still there when the run ended."""
        self._services[row * N_SC + SC_OUT + IN_FLIGHT] += 1

    def wasted(self, row: int, work: int) -> None:
        """Work was of no use to anybody."""
        if work:
            laws.wasted(self.service_cells, row, work)

    # --- loads ------------------------------------------------------------------------------------------

    def offered(self, stream: int) -> tuple[int, int, int]:
        """A request arrives; its rows: cell, successes of the segment, successes of the column."""
        row = self.cell * self.n_streams + stream
        self._loads[row * N_LC + LC_OFFERED] += 1
        coarse = (self.column * self.n_loads + self.load_of[stream]) * 2
        return row, (self.segment * self.n_streams + stream) * 2, coarse

    def request_ended(self, stream: int, rows: tuple[int, int, int], outcome: int, latency: int) -> None:
        """A request has ended."""
        row, segment_row, coarse_row = rows
        laws.request_ended(
            self.load_cells,
            row,
            self.cell * self.n_streams + stream,
            self.load_hist,
            self.load_moments,
            segment_row,
            self.load_coarse,
            coarse_row,
            outcome,
            latency,
            self.limit_of[stream],
        )

    def journey_begins(self, stream: int) -> int:
        """A journey through this load's streams, the first of which is given, begins; its row."""
        row: int = self.cell * self.n_streams + stream
        self._loads[row * N_LC + LC_BEGUN] += 1
        return row

    def journey_ends(self, row: int, outcome: int) -> None:
        """It has come to its end, or broken off."""
        self._loads[row * N_LC + (LC_FINISHED if outcome <= DEGRADED else LC_BROKEN)] += 1

    def request_in_flight(self, rows: tuple[int, int, int]) -> None:
        """A request was still open when the run ended."""
        self._loads[rows[0] * N_LC + LC_OUT + IN_FLIGHT] += 1

    def failed(self, stream: int, rows: tuple[int, int, int], outcome: int, cause: int) -> None:
        """A request has failed, or has not ended when the run does, for this cause."""
        segment = rows[1] // 2 // self.n_streams
        what = (segment * self.n_streams + stream, outcome, cause)
        self.failures[what] = self.failures.get(what, 0) + 1

    def close(self) -> None:
        """Write down the failures, which were counted in a dictionary of Python."""
        n = laws.n_causes(len(self.sites))
        rows = [
            (laws.failure(row, outcome, cause, N_OUTCOMES, n), count)
            for (row, outcome, cause), count in self.failures.items()
        ]
        self.record.failures = np.array(rows, dtype=np.int64).reshape(-1, N_FC)

    # --- traces -------------------------------------------------------------------------------------------

    def sampled(self, key: int) -> int:
        """The key of a request that is to be traced, else 0: one in each of `samples` equal spans of time."""
        now, duration = self.clock._now, self.clock.duration
        if now < self._next_sample * duration // self.samples:
            return 0
        self._next_sample = now * self.samples // duration + 1
        return key

    def span(
        self, trace: int, key: int, parent: int, kind: int, ref: int, begin: int, outcome: int,
        replica: int = NONE, start: int = NONE,
    ) -> None:  # fmt: skip
        """A traced request, call or visit has ended."""
        record = self.record
        if record.n_spans < len(record.spans):
            now = self.clock._now
            record.spans[record.n_spans] = (
                trace,
                key,
                parent,
                kind,
                ref,
                replica,
                begin,
                start,
                now,
                outcome,
            )
            record.n_spans += 1

    # --- transitions ------------------------------------------------------------------------------------

    def transition(self, kind: int, subject: int, value: int) -> None:
        """Something changed its state."""
        record = self.record
        record.n_transitions = laws.transition(
            self.events, record.n_transitions, self.clock._now, kind, subject, value
        )
