"""Load as a fluid: what piles up while more comes than can be done, and how long it takes to drain.

A service with utilisation rho(t) has rho - 1 seconds of work more after each second; what waits is never less than
nothing. This is the queue of Lindley (1952) without chance: exact for large systems far above rho = 1, where chance is
small beside what piles up, and silent below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def backlog(utilisation: Floats, width_s: float) -> Floats:
    """Seconds of work that wait at the end of each slot.

    `utilisation` has one row a slot of `width_s` seconds, in order, and any further axes (one column a service). A
    backlog of b seconds takes b/(1 - rho) seconds to drain at utilisation rho.
    """
    if len(utilisation) == 0:
        return np.zeros_like(utilisation)
    walk = np.cumsum((utilisation - 1.0) * width_s, axis=0)
    return np.asarray(walk - np.minimum(np.minimum.accumulate(walk, axis=0), 0.0))
