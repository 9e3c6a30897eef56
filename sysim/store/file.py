"""Opening the file of a store: made when it is not there, refused when it is somebody else's, errors in words."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sysim.errors import SysimError
from sysim.store.schema import APPLICATION, PIECES, RUNS, TABLES, VERSION

MAGIC = b"SQLite format 3\0"
PATIENCE_S = 30.0
"""How long a process waits for another one that is writing."""


_open: Counter[tuple[int, int]] = Counter()  # device and number of the files to which this process has connections
_guard = Lock()


class _Connection(sqlite3.Connection):
    """A connection that is known to be open."""

    _file: tuple[int, int] | None = None

    def known(self, path: Path) -> None:
        """From now on it is open."""
        status = path.stat()
        with _guard:
            self._file = status.st_dev, status.st_ino
            _open[self._file] += 1

    def close(self) -> None:
        """Close it, the last time for good."""
        super().close()
        with _guard:
            if self._file is not None:
                _open[self._file] -= 1
                self._file = None


class StoreError(SysimError):
    """A store cannot be used; the message names the file and says why."""


def connect(path: Path, *, make: bool) -> sqlite3.Connection:
    """A connection to a store that is there, or with `make` to a new one. Never writes to any other file."""
    if path.is_dir():
        raise StoreError(f"{path}: found a folder, expected the file of a store")
    with translated(path):
        there = _ours(path)
        if not there and not make:
            raise StoreError(f"{path}: found no store there; `sysim run FILE --store {path}` makes one")
        if not there and not path.parent.is_dir():
            raise StoreError(f"{path}: found no folder {path.parent}, expected one to put the store into")
        if make:
            if not there and not path.exists() and os.access(path.parent, os.W_OK):
                there = _put(path)
            connection = _connected(path, "rwc")
            try:
                if there:
                    _renew(connection)
                else:
                    _make(connection)
            except BaseException:
                connection.close()
                raise
            return connection
        return _readable(path)


def _ours(path: Path) -> bool:
    """Whether a store is there; raises where something else is. Looks at the bytes, so that nothing is touched.

    Unless this process has a connection to it: closing any file of it would then take away the locks of that one, as
    POSIX has it (sqlite.org/howtocorrupt.html, 2.2). It is a store, too, or there would be no connection.
    """
    try:
        status = path.stat()
        with _guard:
            if _open[status.st_dev, status.st_ino] > 0:
                return True
            with path.open("rb") as file:
                head = file.read(100)
    except FileNotFoundError:
        return False
    if not head:
        return False
    if not head.startswith(MAGIC) or len(head) < 100:
        raise StoreError(f"{path}: found a file that is not a store, expected one that sysim made; it is left alone")
    version, application = int.from_bytes(head[60:64], "big"), int.from_bytes(head[68:72], "big")
    if application != APPLICATION:
        raise StoreError(f"{path}: found an SQLite file of another program, expected a store; it is left alone")
    if version > VERSION:
        raise StoreError(
            f"{path}: found a store of format {version}, but this sysim knows formats up to {VERSION}; "
            "a newer sysim made it, and a newer one can read it"
        )
    return True


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    """A connection whose transactions are all explicit. SQLite itself keeps threads apart that take turns."""
    found = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False, factory=_Connection,
    )  # fmt: skip
    try:
        found.known(path)
        found.execute("pragma foreign_keys = on")
        found.execute("pragma synchronous = normal")
        found.execute("select count(*) from sqlite_master").fetchone()
    except BaseException:
        found.close()
        raise
    return found


def _readable(path: Path) -> sqlite3.Connection:
    """For reading and deleting if one may write there, else for reading alone."""
    for mode in ("rw", "ro", "ro&immutable=1"):
        try:
            return _connected(path, mode)
        except sqlite3.OperationalError as error:
            if mode.endswith("immutable=1") or "locked" in str(error):
                raise
    raise AssertionError("one of the modes returns or raises")


def _put(path: Path) -> bool:
    """Make a store beside `path` and put it there, whole; true then, or where another process was quicker.

    SQLite writes a first page before the marks of a store are in it: who came just then would see somebody else's file.
    False where files cannot have a second name.
    """
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        connection = _connected(made, "rwc")
        try:
            _make(connection)
        finally:
            connection.close()
        try:
            os.link(made, path)
        except FileExistsError:
            return _ours(path)
        except OSError:
            return False
    return True


def _make(connection: sqlite3.Connection) -> None:
    """The tables, in one transaction: of two processes that make the same store, one waits for the other.

    The file is switched to a write-ahead log only when it is complete, so that the marks of a store are in it.
    """
    connection.execute("pragma auto_vacuum = incremental")
    with writing(connection):
        if not connection.execute("select count(*) from sqlite_master").fetchone()[0]:
            connection.execute(f"pragma application_id = {APPLICATION}")
            connection.execute(f"pragma user_version = {VERSION}")
            _execute(connection, TABLES)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _renew(connection: sqlite3.Connection) -> None:
    """Bring a store of an earlier format up to this one: `runs` without a list of kinds, `pieces`, all else as it was.

    A constraint cannot be changed, so the table is made anew, in the order of steps that
    sqlite.org/lang_altertable.html gives (7): other tables go on referring to it by its name.
    """
    if format_of(connection) == VERSION:
        return
    connection.execute("pragma foreign_keys = off")
    try:
        with writing(connection):
            found = format_of(connection)  # another process may have been quicker
            if found < 2:
                connection.execute(RUNS.replace("table runs", "table new_runs"))
                connection.execute("insert into new_runs select * from runs")
                connection.execute("delete from sqlite_sequence where name = 'new_runs'")
                connection.execute(
                    "insert into sqlite_sequence (name, seq) select 'new_runs', seq from sqlite_sequence"
                    " where name = 'runs'"
                )
                connection.execute("drop table runs")
                connection.execute("alter table new_runs rename to runs")
            if found < 3:
                _execute(connection, PIECES)
            connection.execute(f"pragma user_version = {VERSION}")
    finally:
        connection.execute("pragma foreign_keys = on")


def format_of(connection: sqlite3.Connection) -> int:
    """The format that a store has now."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            connection.execute(statement)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it is kept, or nothing."""
    if connection.in_transaction:  # Ctrl-C came when the last one had begun and nobody was there yet to undo it
        connection.execute("rollback")
    try:
        connection.execute("begin immediate")
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {_words(error)}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _words(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return f"another process has been writing to it for {PATIENCE_S:g} s; try again when that is done"
    if "readonly" in text:
        return "it may not be written to"
    if "full" in text or "disk I/O" in text:
        return f"the disk is full or does not take more ({text})"
    if "unable to open" in text:
        return "it cannot be opened; is its folder there, and may one write to it?"
    if "malformed" in text or "not a database" in text:
        return f"the file is damaged ({text})"
    return text
