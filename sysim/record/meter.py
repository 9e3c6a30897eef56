"""What an autoscaler sees of the record while a run is under way, and what it makes of that.

It measures means since its last look, with the integrals that the record keeps anyway: workers held, cores in use or
requests at the service, and replicas that are up. Looking changes no record: the integrals are carried on to the
present in its own sums only.
"""

from __future__ import annotations

import numpy as np

from sysim.plan.tables import (
    METER_CPU,
    METER_UTILISATION,
    S_WORKERS,
    SF_CORES,
    Z_EVERY,
    Z_FIRST_SLOT,
    Z_MAX,
    Z_METER,
    Z_SLOTS,
    Z_SVC,
    ZF_INCREASE,
    ZF_TARGET,
    ZF_TOLERANCE,
    ZS_CELL,
    ZS_LOAD,
    ZS_LOOKS,
    ZS_MIN,
    ZS_NEXT,
    ZS_READY,
    ZS_SEEN_LOAD,
    ZS_SEEN_READY,
    ZS_SET,
)
from sysim.record.columns import LV_BUSY, LV_CPU, LV_IN_SYSTEM, LV_LAST, LV_UP, SC_BUSY, SC_CPU, SC_IN_SYSTEM, SC_UP
from sysim.semantics.autoscaler import held, limited, recommended, within
from sysim.semantics.jit import law

THOUSANDTHS = 1000.0  # LV_CPU counts these of a core


@law
def weigh(scalers, scalersF, z, state, recommendations, svc, svcF, level, cells, cell, services, wanted, now):
    """Autoscaler `z` looks, in cell `cell` at `now`: how many replicas there shall be, of which `wanted` are asked for.

    `services` is the number of rows that a cell has in `cells`. Without a replica that was up since the last look there
    is nothing to measure, and nothing changes. A number of replicas that somebody else has set is a recommendation too.
    """
    s = scalers[z, Z_SVC]
    meter = scalers[z, Z_METER]
    column, at = SC_IN_SYSTEM, LV_IN_SYSTEM
    each = 1.0
    if meter == METER_UTILISATION:
        column, at = SC_BUSY, LV_BUSY
        each = np.float64(svc[s, S_WORKERS])
    elif meter == METER_CPU:
        column, at = SC_CPU, LV_CPU
        each = THOUSANDTHS * svcF[s, SF_CORES]
    for c in range(state[z, ZS_CELL], cell):
        state[z, ZS_LOAD] += cells[c * services + s, column]
        state[z, ZS_READY] += cells[c * services + s, SC_UP]
    state[z, ZS_CELL] = cell
    row = cell * services + s
    since = now - level[s, LV_LAST]
    load = state[z, ZS_LOAD] + cells[row, column] + level[s, at] * since
    ready = state[z, ZS_READY] + cells[row, SC_UP] + level[s, LV_UP] * since
    done = np.float64(load - state[z, ZS_SEEN_LOAD])
    up = np.float64(ready - state[z, ZS_SEEN_READY])
    state[z, ZS_SEEN_LOAD] = load
    state[z, ZS_SEEN_READY] = ready
    state[z, ZS_LOOKS] += 1
    count = wanted
    if up > 0.0:
        mean = up / np.float64(scalers[z, Z_EVERY])
        count = recommended(wanted, mean, done / (each * up), scalersF[z, ZF_TARGET], scalersF[z, ZF_TOLERANCE])
    remembered = count if wanted == state[z, ZS_SET] else max(count, wanted)
    first = scalers[z, Z_FIRST_SLOT]
    stable = held(recommendations, first, scalers[z, Z_SLOTS], state[z, ZS_LOOKS], wanted, remembered)
    asked = within(limited(wanted, stable, scalersF[z, ZF_INCREASE]), state[z, ZS_MIN], scalers[z, Z_MAX])
    state[z, ZS_SET] = asked
    state[z, ZS_NEXT] = asked
    return asked
