"""What autoscalers know at time 0: both engines begin with these tables."""

from __future__ import annotations

import numpy as np

from sysim.plan.plan import Ints, Plan
from sysim.plan.tables import N_ZS, S_BEGIN, SCALER_AUTO, Z_FIRST_SLOT, Z_KIND, Z_MIN, Z_SLOTS, Z_SVC, ZS_MIN, ZS_SET


def scalers_at_first(plan: Plan) -> Ints:
    """The state of each scaler."""
    state = np.zeros((len(plan.scalers), N_ZS), dtype=np.int64)
    state[:, ZS_MIN] = plan.scalers[:, Z_MIN]
    state[:, ZS_SET] = plan.svc[plan.scalers[:, Z_SVC], S_BEGIN]
    return state


def recommendations_at_first(plan: Plan) -> Ints:
    """What is recommended at time 0: the replicas that there are."""
    found = np.zeros(max(1, plan.n_recommendations), dtype=np.int64)
    for row in plan.scalers[: plan.n_scalers]:
        if row[Z_KIND] == SCALER_AUTO:
            found[row[Z_FIRST_SLOT] : row[Z_FIRST_SLOT] + row[Z_SLOTS]] = plan.svc[row[Z_SVC], S_BEGIN]
    return found
