"""Putting rows in: a replication with its numbers and series, the verdicts of a run. The caller has a transaction."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any

from sysim.analysis.checks import Verdict
from sysim.result.run import Run
from sysim.store.arrays import LEVEL, packed
from sysim.store.parts import taken_apart
from sysim.store.scalars import Name, scalars
from sysim.store.timelines import rows


def squeezed(tree: Any) -> bytes:
    """JSON, compressed."""
    return zlib.compress(json.dumps(tree, allow_nan=False, ensure_ascii=False).encode(), LEVEL)


def expanded(content: bytes) -> Any:
    """What was squeezed."""
    return json.loads(zlib.decompress(content))


class Replications:
    """Puts replications in, and remembers the numbers of the names that it has met."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._known: dict[Name, int] = {}

    def put(self, run: Run, key: str | None) -> int:
        """Put a run in, and return the number of its row."""
        plain, facts = run.to_dict(), run.to_dict(series=True)
        facts["series"] = None
        only = [name for name in facts if name not in plain]
        found = self.connection.execute(
            'insert into replications ("key", seed, replication, simulated_s, events, digest, wall_s, state, bucket_s,'
            " with_series, facts, parts) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, str(run.seed), run.replication, run.simulated_s, run.events, run.digest, run.wall_s, run.state,
                run.series.bucket_s, bool(run.series.services),
                squeezed({"run": facts, "only_with_series": only}), taken_apart(run),
            ),
        )  # fmt: skip
        row = found.lastrowid
        assert row is not None
        self.connection.executemany(
            "insert into numbers (replication_id, name_id, value) values (?, ?, ?)",
            sorted((row, self._number(name), value) for name, value in scalars(facts)),
        )
        self.connection.executemany(
            "insert into series (replication_id, number, kind, subject, metric, dtype, data)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                (row, number, kind, subject, metric, *packed(values))
                for number, (kind, subject, metric, values) in enumerate(rows(run.series))
            ),
        )
        return row

    def _number(self, name: Name) -> int:
        if name not in self._known:
            self.connection.execute(
                'insert or ignore into names ("window", kind, subject, metric) values (?, ?, ?, ?)', name
            )
            found = self.connection.execute(
                'select id from names where "window" = ? and kind = ? and subject = ? and metric = ?', name
            ).fetchone()
            self._known[name] = found[0]
        return self._known[name]


def put_verdicts(connection: sqlite3.Connection, run_id: int, verdicts: Sequence[Verdict]) -> None:
    """The verdicts of a run, in their order."""
    connection.executemany(
        'insert into verdicts (run_id, number, variant, "check", name, verdict, value, low, high, confidence, note)'
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                run_id, number, one.variant, one.check, one.name, one.verdict, one.value,
                *(one.interval or (None, None)), one.confidence if one.interval else None, one.note,
            )
            for number, one in enumerate(verdicts)
        ),
    )  # fmt: skip
