"""Pieces: what a study keeps of its runs, found again by what decides it. Each is there once, whatever has it."""

from __future__ import annotations

from sqlite3 import Connection

FROM_FORMAT = 3
"""Stores of earlier formats have none."""


def found(connection: Connection, key: str, run_id: int | None) -> bytes | None:
    """The piece of that key, None if it is not there; with `run_id` only if it is part of that run."""
    row = connection.execute(
        'select seen from pieces where "key" = ?1 and (?2 is null or id in'
        " (select piece_id from run_pieces where run_id = ?2))",
        (key, run_id),
    ).fetchone()
    return None if row is None else bytes(row[0])


def put(connection: Connection, run_id: int, key: str, seen: bytes) -> bool:
    """Put a piece in, unless it is there, and note that it is part of a run; false if it was. The caller has a
    transaction.
    """
    connection.execute('insert or ignore into pieces ("key", seen) values (?, ?)', (key, seen))
    noted = connection.execute(
        'insert or ignore into run_pieces (run_id, piece_id) select ?, id from pieces where "key" = ?', (run_id, key)
    )
    return noted.rowcount == 1


def tidy(connection: Connection) -> None:
    """Forget those that no run has any more. The caller has a transaction."""
    connection.execute("delete from pieces where id not in (select piece_id from run_pieces)")
