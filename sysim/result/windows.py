"""From the tables of a record to the statistics of each window: sums over a contiguous range of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sysim.analysis import money
from sysim.analysis.amplification import ratio
from sysim.analysis.latency import NS, times
from sysim.model import Scenario
from sysim.plan.plan import Plan
from sysim.plan.tables import (
    C_OP,
    C_POLICY,
    C_STAT,
    DEGRADED,
    L_JOURNEY,
    NEVER,
    NONE,
    OK,
    P_BREAKER,
    S_CORES,
    S_WORKERS,
    SF_CORES,
    T_LOAD,
    T_SITE,
    TF_DEGRADED_VALUE,
    TF_VALUE,
)
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_SENT,
    LC_BEGUN,
    LC_BROKEN,
    LC_FINISHED,
    LC_OFFERED,
    LC_OUT,
    LV_FULL_FIRST,
    LV_FULL_LAST,
    LV_FULL_N,
    N_CC,
    N_LC,
    N_M,
    N_PK,
    N_SC,
    PK_AT,
    PK_MAX,
    SC_ABANDONED,
    SC_ARRIVALS,
    SC_BUSY,
    SC_COMPLETED,
    SC_CPU,
    SC_IN_SYSTEM,
    SC_OUT,
    SC_PAID,
    SC_QUEUE,
    SC_REJECTED,
    SC_STARTED,
    SC_UP,
    SC_WASTED,
)
from sysim.record.histogram import BINS
from sysim.record.record import Record
from sysim.result.failures import failures
from sysim.result.stats import CallStats, Journeys, LoadStats, QueueFull, ServiceStats, WindowStats, outcomes

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Which rows of a plan belong together when a result is read."""

    plan: Plan
    scenario: Scenario

    @cached_property
    def streams_of(self) -> dict[str, dict[str, list[int]]]:
        """Load -> operation called -> its streams."""
        plan = self.plan
        found: dict[str, dict[str, list[int]]] = {name: {} for name in plan.names.loads[: plan.n_loads]}
        for stream in range(plan.n_streams):
            load = plan.names.loads[int(plan.streams[stream, T_LOAD])]
            operation = plan.names.operations[int(plan.sites[int(plan.streams[stream, T_SITE]), C_OP])]
            found[load].setdefault(operation, []).append(stream)
        return found

    @cached_property
    def stat_of(self) -> list[int]:
        """The row of call statistics of each stream."""
        plan = self.plan
        return [int(plan.sites[int(plan.streams[s, T_SITE]), C_STAT]) for s in range(plan.n_streams)]

    @cached_property
    def rows_of(self) -> dict[str, list[int]]:
        """Label of a call -> its rows of call statistics."""
        found: dict[str, list[int]] = {}
        for row, label in enumerate(self.plan.names.stats[: self.plan.n_stats]):
            found.setdefault(label, []).append(row)
        return found

    @cached_property
    def guarded(self) -> set[str]:
        """The labels of calls with a circuit breaker."""
        plan = self.plan
        return {
            plan.names.stats[int(site[C_STAT])]
            for site in plan.sites[: plan.n_sites]
            if plan.policies[int(site[C_POLICY]), P_BREAKER]
        }


@dataclass(frozen=True)
class Tables:
    """The tables of a record with their rows unfolded: cell × subject × column, segment × subject × ….

    The one row that an empty table has is dropped with the dummy row of its plan.
    """

    layout: Layout
    record: Record

    def _cells(self, table: Ints, columns: int, subjects: int) -> Ints:
        if table.shape[0] <= self.layout.plan.n_cells:
            # An empty table has one row in all.
            return np.zeros((self.layout.plan.n_cells + 1, 0, columns), dtype=np.int64)
        rows = table.shape[0] // (self.layout.plan.n_cells + 1)
        return table.reshape(self.layout.plan.n_cells + 1, rows, columns)[:, :subjects]

    @cached_property
    def load(self) -> Ints:
        """cell × stream × LC_."""
        return self._cells(self.record.load_cells, N_LC, self.layout.plan.n_streams)

    @cached_property
    def service(self) -> Ints:
        """cell × service × SC_."""
        return self._cells(self.record.service_cells, N_SC, self.layout.plan.n_services)

    @cached_property
    def call(self) -> Ints:
        """cell × row of call statistics × CC_."""
        return self._cells(self.record.call_cells, N_CC, self.layout.plan.n_stats)

    def _segments(self, table: Ints, columns: int, per_subject: int) -> Ints:
        segments = self.layout.plan.n_segments + 1
        return table.reshape(segments, table.shape[0] // (segments * per_subject), per_subject, columns)

    @cached_property
    def load_hist(self) -> Ints:
        """segment × stream × (success, failure) × bin."""
        return self._segments(self.record.load_hist, BINS, 2)

    @cached_property
    def load_moments(self) -> Ints:
        """segment × stream × (success, failure) × M_."""
        return self._segments(self.record.load_moments, N_M, 2)

    @cached_property
    def service_hist(self) -> Ints:
        """segment × service × (wait, sojourn) × bin."""
        return self._segments(self.record.service_hist, BINS, 2)

    @cached_property
    def service_moments(self) -> Ints:
        """segment × service × (wait, sojourn) × M_."""
        return self._segments(self.record.service_moments, N_M, 2)

    @cached_property
    def peaks(self) -> Ints:
        """segment × service × PK_."""
        return self._segments(self.record.peaks, N_PK, 1)[:, :, 0]


def window_stats(tables: Tables, name: str) -> WindowStats:
    """The statistics of the window `name` of the plan."""
    plan = tables.layout.plan
    start, end = plan.windows[name]
    cells = slice(*plan.window_cells(name))
    segments = slice(*plan.window_segments(name))
    load_rows = tables.load[cells].sum(axis=0)
    call_rows = tables.call[cells].sum(axis=0)
    call_rows.flags.writeable = False
    return WindowStats(
        name=name,
        from_s=start / NS,
        to_s=end / NS,
        loads={
            load: _load(tables, streams, load_rows, call_rows, segments, (end - start) / NS)
            for load, streams in tables.layout.streams_of.items()
        },
        services={
            plan.names.services[s]: _service(tables, s, cells, segments, end - start)
            for s in range(plan.n_services)
        },
        calls={
            label: CallStats(call_rows[rows].sum(axis=0), label in tables.layout.guarded)
            for label, rows in tables.layout.rows_of.items()
        },
    )


def _load(
    tables: Tables,
    operations: Mapping[str, list[int]],
    rows: Ints,
    calls: Ints,
    segments: slice,
    length_s: float,
) -> LoadStats:
    everything = [stream for streams in operations.values() for stream in streams]
    parts = {
        operation: _streams(tables, streams, rows, calls, segments, length_s)
        for operation, streams in operations.items()
        if len(operations) > 1
    }
    whole = _streams(tables, everything, rows, calls, segments, length_s, parts)
    plan = tables.layout.plan
    if not everything or not plan.loads[int(plan.streams[everything[0], T_LOAD]), L_JOURNEY]:
        return whole
    begun, finished, broken = (int(rows[everything, column].sum()) for column in (LC_BEGUN, LC_FINISHED, LC_BROKEN))
    return replace(whole, journeys=Journeys(begun, finished, broken))


def _streams(
    tables: Tables,
    streams: list[int],
    rows: Ints,
    calls: Ints,
    segments: slice,
    length_s: float,
    operations: Mapping[str, LoadStats] | None = None,
) -> LoadStats:
    plan = tables.layout.plan
    row = rows[streams].sum(axis=0)
    stats = sorted({tables.layout.stat_of[stream] for stream in streams})
    histograms = tables.load_hist[segments, streams]
    moments = tables.load_moments[segments, streams]
    value_earned = value_lost = currency = None
    if streams:
        currency = plan.names.currencies[int(plan.streams[streams[0], T_LOAD])]
    if currency is not None:
        value_earned = value_lost = 0.0
        for stream in streams:
            value, degraded_value = (float(plan.streamsF[stream, c]) for c in (TF_VALUE, TF_DEGRADED_VALUE))
            offered, ok, degraded = (
                int(rows[stream, c]) for c in (LC_OFFERED, LC_OUT + OK, LC_OUT + DEGRADED)
            )
            value_earned += money.earned(ok, degraded, value, degraded_value)
            value_lost += money.lost(offered, ok, degraded, value, degraded_value)
    return LoadStats(
        length_s=length_s,
        outcomes=outcomes(row, LC_OUT),
        offered=int(row[LC_OFFERED]),
        sent=int(calls[stats, CC_SENT].sum()),
        attempts=int(calls[stats, CC_ATTEMPTS].sum()),
        latency=times(histograms[:, :, 0].reshape(-1, BINS), moments[:, :, 0].reshape(-1, N_M)),
        latency_all=times(histograms.reshape(-1, BINS), moments.reshape(-1, N_M)),
        value_earned=value_earned,
        value_lost=value_lost,
        currency=currency,
        operations=operations or {},
        failures=failures(plan, tables.record.failures, range(segments.start, segments.stop), set(streams)),
    )


def _service(tables: Tables, s: int, cells: slice, segments: slice, length: int) -> ServiceStats:
    plan = tables.layout.plan
    counts = tables.service[cells, s]
    row = counts[:, :SC_IN_SYSTEM].sum(axis=0)
    # Integrals are summed as floats: a long run with many waiting requests would overflow 64 bits.
    in_system, queue, busy, up, cpu, paid = (
        float(counts[:, column].sum(dtype=np.float64))
        for column in (SC_IN_SYSTEM, SC_QUEUE, SC_BUSY, SC_UP, SC_CPU, SC_PAID)
    )
    peaks = tables.peaks[segments, s]
    highest = int(peaks[:, PK_MAX].max()) if len(peaks) else 0
    peak_at = int(peaks[int(np.argmax(peaks[:, PK_MAX])), PK_AT]) if highest else None
    workers = int(plan.svc[s, S_WORKERS])
    has_cores = int(plan.svc[s, S_CORES]) != NONE
    price = tables.layout.scenario.services[plan.names.services[s]].cost
    full = tables.record.level[s]
    waits, sojourns = (
        times(tables.service_hist[segments, s, k], tables.service_moments[segments, s, k]) for k in (0, 1)
    )
    return ServiceStats(
        arrivals=int(row[SC_ARRIVALS]),
        completed=int(row[SC_COMPLETED]),
        rejected=int(row[SC_REJECTED]),
        abandoned=int(row[SC_ABANDONED]),
        started=int(row[SC_STARTED]),
        utilisation=ratio(busy, workers * up) if workers != NEVER else None,
        cpu_utilisation=ratio(cpu, 1_000.0 * float(plan.svcF[s, SF_CORES]) * up) if has_cores else None,
        in_system_mean=ratio(in_system, length),
        in_system_max=highest,
        in_system_max_at_s=None if peak_at is None else peak_at / NS,
        queue_mean=ratio(queue, length),
        busy_mean=ratio(busy, length),
        up_mean=ratio(up, length),
        wait=waits,
        sojourn=sojourns,
        wasted_s=int(row[SC_WASTED]) / NS,
        cost=money.running_cost(price.amount, paid) if price else None,
        currency=price.currency if price else None,
        queue_full=QueueFull(full[LV_FULL_FIRST] / NS, full[LV_FULL_LAST] / NS, int(full[LV_FULL_N]))
        if full[LV_FULL_N]
        else None,
        outcomes=outcomes(row, SC_OUT),
    )
