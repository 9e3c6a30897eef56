"""A plan: one scenario as flat, read-only arrays, the only thing an engine is given besides a seed.

Columns are the constants of `sysim.plan.tables`. Every table has at least one row, a dummy where there is
nothing to say, so that types and shapes never degenerate; the counts (`n_…`) tell how many rows count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Names:
    """What the rows are called. The only strings of a plan; engines never look at them.

    `stats` are the labels of the rows of the call statistics, as ``bets.place -> payments.charge``; rows of a
    load may share a label and are merged when a result is read. `sites` are such labels too, `places` the
    paths of the sites in the text. `faults` has a label a fault row, and `fault_of` the number of the
    scenario's fault that the row comes from. `actions` says what each action does; `action_names` has None for
    those without a name; `scalers` has the service of each. `currencies` has one entry a load, None without a value.
    """

    services: tuple[str, ...]
    operations: tuple[str, ...]
    replicas: tuple[str, ...]
    zones: tuple[str, ...]
    flags: tuple[str, ...]
    loads: tuple[str, ...]
    currencies: tuple[str | None, ...]
    streams: tuple[str, ...]
    stats: tuple[str, ...]
    sites: tuple[str, ...]
    places: tuple[str, ...]
    policies: tuple[str, ...]
    scopes: tuple[str, ...]
    faults: tuple[str, ...]
    fault_of: tuple[int, ...]
    actions: tuple[str, ...] = ()
    action_names: tuple[str | None, ...] = ()
    scalers: tuple[str, ...] = ()

    @property
    def calls(self) -> tuple[str, ...]:
        """The labels of the call statistics: another name of `stats`."""
        return self.stats


@dataclass(frozen=True, eq=False)
class Plan:
    """Tables, counts and clocks of one scenario. Two-dimensional unless said otherwise; times in ns.

    One-dimensional: `hits` (global replicas, by F_FIRST_HIT), `site_faults` (fault rows, by C_FAULTS),
    `fault_sites` from `fault_sites_at` (call sites a fault's network effect reaches), `rep_faults` from
    `rep_faults_at` (pause, slowdown and capacity rows of a replica), `lever_hits` (global replicas, by LE_FIRST_HIT),
    `flags` (1 on), `lanes` (a constant delay each), `noise_slots` (by rows of `rates`), `cell_*`. `rates` are without
    noise, see `sysim.plan.noise`. `drain` is NEVER until everything has ended, 0 for none.

    Cells cut the run at bucket edges, the warm-up's end and window edges: cell c is ``cell_edges[c]`` to
    ``cell_edges[c + 1]``. `cell_bucket`, `cell_segment` and `cell_column` have one entry more than there are
    cells: number `n_cells` is the drain, and its bucket, segment and column are one past the last. A column
    is `buckets_per_column` buckets wide; the last one may be narrower.
    """

    code: Ints
    codeF: Floats
    branches: Ints
    dist: Ints
    distF: Floats
    points: Floats
    svc: Ints
    svcF: Floats
    ops: Ints
    replicas: Ints
    sites: Ints
    policies: Ints
    policiesF: Floats
    scopes: Ints
    loads: Ints
    loadsF: Floats
    rates: Floats
    stays: Ints
    noise: Ints
    noiseF: Floats
    noise_slots: Ints
    streams: Ints
    streamsF: Floats
    faults: Ints
    faultsF: Floats
    hits: Ints
    site_faults: Ints
    fault_sites: Ints
    fault_sites_at: Ints
    rep_faults: Ints
    rep_faults_at: Ints
    actions: Ints
    actionsF: Floats
    levers: Ints
    leversF: Floats
    lever_hits: Ints
    scalers: Ints
    scalersF: Floats
    flags: Ints
    lanes: Ints
    cell_edges: Ints
    cell_bucket: Ints
    cell_segment: Ints
    cell_column: Ints
    segment_edges: Ints

    ring_length: int
    outstanding_length: int
    duration: int
    warmup: int
    drain: int
    bucket_ns: int

    n_services: int
    n_operations: int
    n_replicas: int
    n_speeds: int
    n_sites: int
    n_stats: int
    n_policies: int
    n_scopes: int
    n_loads: int
    n_streams: int
    n_noise: int
    n_faults: int
    n_actions: int
    n_scalers: int
    n_recommendations: int
    n_slots: int
    n_bins: int
    n_flags: int
    n_lanes: int
    n_zones: int
    n_cells: int
    n_buckets: int
    n_segments: int
    n_columns: int
    buckets_per_column: int

    windows: Mapping[str, tuple[int, int]]
    names: Names

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            whole = np.ascontiguousarray(array)
            if whole is array and array.flags.writeable:
                whole = array.copy()
            whole.flags.writeable = False
            object.__setattr__(self, name, whole)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Read-only also after a journey to another process, as kernels are compiled for read-only tables."""
        self.__dict__.update(state)
        for array in self.arrays().values():
            array.flags.writeable = False

    def arrays(self) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
        """All tables by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    def window_cells(self, window: str) -> tuple[int, int]:
        """First cell of a window, and one past its last."""
        start, end = self.windows[window]
        return int(np.searchsorted(self.cell_edges, start)), int(np.searchsorted(self.cell_edges, end))

    def window_segments(self, window: str) -> tuple[int, int]:
        """First segment of a window, and one past its last."""
        start, end = self.windows[window]
        return int(np.searchsorted(self.segment_edges, start)), int(np.searchsorted(self.segment_edges, end))
