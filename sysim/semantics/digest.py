"""The rolling digest: one int64 that two runs share only if they did the same things in the same order.

Notes made within one entry are added up, so their order does not matter; entries are chained, so theirs does.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sysim.semantics.jit import inlined_law
from sysim.semantics.rng import GOLDEN, scramble
from sysim.semantics.salts import SALT_NOTE

NOTE_REQUEST: Final = 1  # request key, outcome
NOTE_CALL: Final = 2  # call key, outcome
NOTE_ATTEMPT: Final = 3  # attempt key, outcome
NOTE_VISIT: Final = 4  # attempt key, outcome in the service's view
NOTE_SENT: Final = 5  # attempt key, number of the replica within its service
NOTE_BREAKER: Final = 6  # scope key, new state
NOTE_QUEUED: Final = 7  # attempt key, number now waiting in that queue, itself included
NOTE_ACTION: Final = 8  # action key, 1 decided 2 carried out
NOTE_SCALER: Final = 9  # scaler key, how many replicas there shall be


@inlined_law
def note(code, key, value):
    """What a note adds to the notes of the current entry."""
    return scramble(np.int64(key) ^ (np.int64(code) << 48) ^ (np.int64(value) << 32) ^ SALT_NOTE)


@inlined_law
def chain(digest, time, order, notes):
    """The digest after an entry (time, order) whose handler made `notes`."""
    return scramble(np.int64(digest) ^ (np.int64(time) * GOLDEN + np.int64(order))) + np.int64(notes)
