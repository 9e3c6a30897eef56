"""The store: runs, their numbers, verdicts and time series, in one SQLite file that any program can read.

    >>> from sysim.store import open_store
    >>> with open_store("runs.db") as store:
    ...     newest = store.load("last")

`Store` reads and deletes; `Keeping` writes while a simulation is going on, one transaction a replication, and finds
replications again that were already simulated. The store knows results, not engines.
"""

from sysim.store.file import StoreError
from sysim.store.keeping import Keeping, Question
from sysim.store.store import Entry, Store, open_store

__all__ = ["Entry", "Keeping", "Question", "Store", "StoreError", "open_store"]
