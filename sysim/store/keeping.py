"""`Keeping`: a run that is being stored while it goes on, and what of it was simulated before.

Every replication is one transaction, or what a study keeps of it, so a process that is killed leaves whole ones behind
and nothing else.
A store that fails does not take the simulation with it: `failure` says what happened, nothing more is stored, and the
result comes all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from threading import Lock
from typing import TYPE_CHECKING, Any

from sysim.analysis.checks import Verdict, exit_code
from sysim.plan.fingerprint import fingerprint
from sysim.plan.plan import Plan
from sysim.result.result import Result
from sysim.result.run import Run
from sysim.store import origin, pieces
from sysim.store.arrays import unpacked
from sysim.store.file import StoreError, connect, translated, writing
from sysim.store.parts import put_together
from sysim.store.rows import Replications, put_verdicts, squeezed
from sysim.store.timelines import TIME, series_of

if TYPE_CHECKING:
    from sysim.study.study import Study

WORDS = {0: "pass", 1: "fail", 3: "inconclusive"}


@dataclass(frozen=True)
class Question:
    """One variant of what is simulated, or one point of a sweep. `scenario` is its resolved text. A question with
    generators of the user is not `repeatable`: nobody knows whether they would do the same again. Instead of the
    `plan` there may be its `fingerprint`; then `recall` has to be given the plan.
    """

    variant: str
    digest: str
    plan: Plan | None = field(repr=False)
    seed: int
    scenario: str = field(repr=False, default="")
    traces: int = 0
    repeatable: bool = True
    fingerprint: str = ""


class Keeping:
    """Opens the store, or makes it; raises `StoreError` where that cannot be done, before anything is simulated.

    With `resume`, replications that are in the store already are not simulated again. `tell` is called once with a
    sentence if storing fails later on.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        resume: bool = False,
        command: str = "",
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.resume, self.command, self.tell = resume, command, tell
        self.failure: StoreError | None = None
        self.id: int | None = None
        self.reused = 0
        self._connection = connect(self.path, make=True)
        self._replications = Replications(self._connection)
        self._lock = Lock()
        self._keys: dict[str, Callable[[int], str]] = {}
        self._plans: dict[str, Plan] = {}
        self._found: dict[tuple[str, int], int] = {}
        self._finished, self._closed = False, False

    def begin(
        self,
        kind: str,
        *,
        scenario: str,
        engine: str,
        seed: int,
        asked: int | None,
        questions: Sequence[Question],
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Note what is about to be simulated. `asked` replications, None for as many as it takes.

        Raises `StoreError`: nothing has been simulated yet that could be lost.
        """
        build = origin.build()
        for one in questions:
            if one.plan is not None:
                self._plans[one.variant] = one.plan
            if one.repeatable:
                self._keys[one.variant] = _key_of(build, one)
        known = origin.versions()

        with self._lock, translated(self.path), writing(self._connection):
            found = self._connection.execute(
                "insert into runs (kind, state, started, scenario, engine, seed, asked, command, sysim, versions,"
                " host, pid) values (?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kind, origin.now(), scenario, engine, str(seed), asked, self.command, known["sysim"],
                    json.dumps(known), *origin.here(),
                ),
            )  # fmt: skip
            number = found.lastrowid
            self._connection.executemany(
                "insert into variants (run_id, number, variant, digest, scenario) values (?, ?, ?, ?, ?)",
                ((number, k, one.variant, one.digest, one.scenario) for k, one in enumerate(questions)),
            )
            self._connection.executemany(
                "insert into sources (run_id, file, content) values (?, ?, ?)",
                ((number, file, content) for file, content in (sources or {}).items()),
            )
        self.id = number

    def recall(
        self, variant: str, replication: int, series: bool = True, plan: Callable[[], Plan] | None = None
    ) -> Run | None:
        """A replication that was stored before, None without one. It has its time series only if they are wanted."""
        key_of = self._keys.get(variant)
        if not self.resume or key_of is None or self.failure is not None:
            return None
        try:
            with self._lock, translated(self.path):
                found = self._connection.execute(
                    'select id, bucket_s, parts from replications where "key" = ? and with_series >= ?'
                    " order by id limit 1",
                    (key_of(replication), series),
                ).fetchone()
                if found is None:
                    return None
                row, bucket_s, parts = found
                rows = self._connection.execute(
                    "select kind, subject, metric, dtype, data from series where replication_id = ?"
                    " and (? or kind = ?) order by number",
                    (row, series, TIME),
                ).fetchall()
                self._found[variant, replication] = row
        except StoreError:
            return None
        some = ((kind, subject, metric, unpacked(dtype, data)) for kind, subject, metric, dtype, data in rows)
        return put_together(parts, self._plans[variant] if plan is None else plan(), series_of(bucket_s, some))

    def keep(self, variant: str, run: Run) -> None:
        """Store one replication, or that one which was found is part of this run too."""
        found = self._found.pop((variant, run.replication), None)
        key_of = self._keys.get(variant)

        def put(connection: Connection) -> None:
            here = "select 1 from run_replications where run_id = ? and variant = ? and replication = ?"
            if connection.execute(here, (self.id, variant, run.replication)).fetchone() is not None:
                return
            row = found
            still = "select 1 from replications where id = ?"
            if row is None or connection.execute(still, (row,)).fetchone() is None:
                row = self._replications.put(run, None if key_of is None else key_of(run.replication))
            connection.execute(
                "insert into run_replications (run_id, variant, replication, replication_id) values (?, ?, ?, ?)",
                (self.id, variant, run.replication, row),
            )

        self._transaction(put)
        self.reused += found is not None

    def recall_piece(self, key: str) -> bytes | None:
        """What a study kept of a run before, None without it. What it saw itself it need not see again, even without
        `resume`.
        """
        if self.failure is not None:
            return None
        try:
            with self._lock, translated(self.path):
                return None if self._closed else pieces.found(self._connection, key, None if self.resume else self.id)
        except StoreError:
            return None

    def keep_piece(self, key: str, seen: bytes, again: bool = False) -> bool:
        """Store what a study keeps of a run, or that what was found `again` is part of this study too; false if it was
        part of it before.
        """
        assert self.id is not None
        number, new = self.id, True

        def put(connection: Connection) -> None:
            nonlocal new
            new = pieces.put(connection, number, key, seen)
            self.reused += again and new

        self._transaction(put)
        return new

    def finish(self, result: Result | Study) -> None:
        """Note what came out."""
        if result.interrupted:  # Ctrl-C may have come while a replication that counts was being stored
            ended = {result.variant or "": result} if isinstance(result, Result) else result.results
            for name, counted in ended.items():
                for run in counted.runs:
                    self.keep(name, run)
        tree = result.to_dict()
        if isinstance(result, Result):
            members: list[dict[str, Any]] = [tree]
            tree |= result.told()
            verdicts: Sequence[Verdict] = result.checks
            word, code = _word(verdicts), 130 if result.interrupted else exit_code(verdicts)
        else:
            members = list(tree["variants"].values())
            for name, some in result.results.items():
                tree["variants"][name] |= some.told()
            verdicts = result.verdicts
            word, code = "aborted" if result.abort else _word(verdicts), result.exit_code
        for member in members:
            member["runs"] = None
        self.conclude(tree, verdicts, word, code, result.interrupted)

    def conclude(
        self, tree: Mapping[str, Any], verdicts: Sequence[Verdict], word: str | None, code: int, interrupted: bool
    ) -> None:
        """Note the JSON object that came out, the verdicts in it, and how it ended."""
        state, content = "interrupted" if interrupted else "complete", squeezed(tree)

        def put(connection: Connection) -> None:
            assert self.id is not None
            put_verdicts(connection, self.id, verdicts)
            connection.execute(
                "update runs set state = ?, finished = ?, verdict = ?, exit_code = ?, document = ? where id = ?",
                (state, origin.now(), word, code, content, self.id),
            )

        self._transaction(put)
        self._finished = True

    def interrupt(self) -> None:
        """Note that Ctrl-C came before there was a result."""
        self._transaction(
            lambda connection: connection.execute(
                "update runs set state = 'interrupted', finished = ?, exit_code = 130 where id = ?",
                (origin.now(), self.id),
            )
        )
        self._finished = True

    def describe(self, summary: str) -> None:
        """Keep the summary that was printed."""
        self._transaction(
            lambda connection: connection.execute("update runs set summary = ? where id = ?", (summary, self.id))
        )

    def close(self) -> None:
        """Leave the store. A run that was not finished is noted as interrupted."""
        if self.id is not None and (not self._finished or self.failure is not None):
            with suppress(StoreError), self._lock, translated(self.path), writing(self._connection):
                self._connection.execute(
                    "update runs set state = 'interrupted', finished = ? where id = ? and state = 'running'",
                    (origin.now(), self.id),
                )
        with self._lock:
            self._closed = True
            self._connection.close()

    def __enter__(self) -> Keeping:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _transaction(self, action: Callable[[Connection], object]) -> None:
        """Do it all or not at all, unless storing has failed before; if it fails now, say so and go on without."""
        with self._lock:
            if self.failure is not None or self._closed:  # a thread may still be ending what nobody waits for
                return
            try:
                with translated(self.path), writing(self._connection):
                    action(self._connection)
            except StoreError as error:
                self.failure = error
                if self.tell is not None:
                    self.tell(f"{error}; what follows is not stored")


def _key_of(build: str, one: Question) -> Callable[[int], str]:
    plan = one.fingerprint if one.plan is None else fingerprint(one.plan)
    return lambda replication: origin.key(build, one.digest, plan, one.seed, one.traces, replication)


def _word(verdicts: Sequence[Verdict]) -> str | None:
    return WORDS[exit_code(verdicts)] if verdicts else None
