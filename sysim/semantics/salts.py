"""The constants that keep keys and draws apart: salts of keys (SALT_*), first uniforms of a key (X_*).

A sampled distribution owns the 64 uniforms from its X_ constant on; a single chance owns one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

SALT_RUN: Final = np.int64(597808680862865605)
SALT_NOTE: Final = np.int64(2532974077169133985)
SALT_ARRIVALS: Final = np.int64(868899686916303423)
SALT_FALLBACK: Final = np.int64(1016056226351449455)
SALT_STATES: Final = np.int64(3480719264150937211)

# draws of a request of an open load and of a batch, by their key
X_CLIENT: Final = 0
X_STREAM: Final = 1
X_SIZE: Final = 2

# draws of an attempt, by its key
X_OUT: Final = 64  # latency there
X_BACK: Final = 128  # latency back
X_CANCEL: Final = 192  # latency of the cancel notice
X_PATIENCE: Final = 256  # how long it waits in a queue
X_PICK: Final = 320  # + 0, 1, …: the balancer
X_LOSS_OUT: Final = 384
X_LOSS_BACK: Final = 385
X_LOSS_CANCEL: Final = 386
X_TIMEOUT: Final = 448  # where it is drawn

# draws of a call, by its key
X_GIVE_UP: Final = -1  # - tries so far: whether its caller gives up
X_DEADLINE: Final = 320  # where it is drawn
X_DOOR: Final = 440  # whether a request is shed at the door
X_FALLBACK: Final = 448  # latency of the fallback
X_BACKOFF: Final = 512  # + tries so far: jitter
X_HEDGE: Final = 1024  # + 64 * attempts so far: delay of the next hedge

# draws of an attempt at a fault, by the key derived from both
X_ERROR: Final = 64
