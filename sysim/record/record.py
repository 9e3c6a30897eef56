"""The tables of one run: what an engine fills and a result reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sysim.plan.plan import Plan
from sysim.record.columns import (
    EVENT_LIMIT,
    FC_NUMBER,
    FC_ROOM,
    LV_LAST,
    LV_PAID_LAST,
    N_CC,
    N_EV,
    N_FC,
    N_LC,
    N_LV,
    N_M,
    N_PK,
    N_SC,
    N_SP,
    SC_IN_SYSTEM,
    SC_PAID,
    SP_END,
    SP_KEY,
    SP_KIND,
    SPANS_PER_TRACE,
)
from sysim.record.histogram import BINS, COARSE_BINS

Table = NDArray[np.int64]


def _table(rows: int, columns: int) -> Table:
    return np.zeros((max(rows, 1), columns), dtype=np.int64)


@dataclass
class Record:
    """Everything that is kept of one run; see `sysim.record.columns` for the columns.

    Rows: `load_cells` cell x stream, `call_cells` cell x call statistics, `service_cells` cell x service;
    `load_hist`/`load_moments` (segment x stream) x (success, failure); `service_hist`/`service_moments`
    (segment x service) x (wait, sojourn); `load_coarse` (column x load) x (success, failure); `peaks` segment x
    service; `level` service; `events` transitions in order; `spans` sampled traces in order of their end; `failures`
    failed and unfinished requests by segment, stream, outcome and cause.
    """

    load_cells: Table
    load_hist: Table
    load_moments: Table
    load_coarse: Table
    service_cells: Table
    service_hist: Table
    service_moments: Table
    level: Table
    peaks: Table
    call_cells: Table
    events: Table
    spans: Table
    failures: Table
    n_transitions: int = 0
    n_spans: int = 0
    n_events: int = 0  # canonical events
    digest: int = 0
    end: int = 0  # ns
    engine: str = ""
    wall_s: float = 0.0
    extra: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Record:
        """The same, with tables of its own."""
        twin = replace(self, extra=dict(self.extra))
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(twin, name, value.copy())
        return twin


def allocate(plan: Plan, traces: int = 0) -> Record:
    """Empty tables for one run of `plan`, with room for `traces` sampled requests."""
    cells = plan.n_cells + 1
    segments = plan.n_segments + 1
    columns = plan.n_columns + 1
    streams, loads = plan.streams.shape[0], plan.loads.shape[0]
    services = plan.svc.shape[0]
    return Record(
        load_cells=_table(cells * streams, N_LC),
        load_hist=_table(segments * streams * 2, BINS),
        load_moments=_table(segments * streams * 2, N_M),
        load_coarse=_table(columns * loads * 2, COARSE_BINS),
        service_cells=_table(cells * services, N_SC),
        service_hist=_table(segments * services * 2, BINS),
        service_moments=_table(segments * services * 2, N_M),
        level=_table(services, N_LV),
        peaks=_table(segments * services, N_PK),
        call_cells=_table(cells * plan.n_stats, N_CC),
        events=_table(EVENT_LIMIT, N_EV),
        spans=_table(traces * SPANS_PER_TRACE, N_SP),
        failures=_table(FC_ROOM, N_FC),
    )


def close(record: Record, plan: Plan) -> None:
    """The last touch of both engines: forget the integrals of the drain, put spans and failures in order.

    Time averages stop at the end of the load, whenever the run stops.
    """
    services = plan.svc.shape[0]
    record.service_cells[plan.n_cells * services :, SC_IN_SYSTEM : SC_PAID + 1] = 0
    record.level[:, LV_LAST] = record.level[:, LV_PAID_LAST] = plan.duration
    failures = record.failures[record.failures[:, FC_NUMBER] != 0]
    record.failures = failures[np.argsort(failures[:, FC_NUMBER])]
    spans = record.spans[: record.n_spans]
    spans[:] = spans[np.lexsort((spans[:, SP_KIND], spans[:, SP_KEY], spans[:, SP_END]))]
