"""A store seen as any program sees it: as a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def connected(place: Path, **options: Any) -> Iterator[sqlite3.Connection]:
    """A connection in a transaction, closed in the end: the one of `sqlite3` alone stays open."""
    with closing(sqlite3.connect(place, **options)) as connection, connection:
        yield connection
