"""`Store`: what was stored, read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any

from sysim.store import origin, pieces
from sysim.store.arrays import unpacked
from sysim.store.file import StoreError, connect, format_of, translated, writing
from sysim.store.keeping import Keeping, Question
from sysim.store.rows import expanded
from sysim.store.timelines import series_of

if TYPE_CHECKING:
    from sysim.result.result import Result
    from sysim.study.study import Study

LAST = "last"


@dataclass(frozen=True, slots=True)
class Entry:
    """One run of the list. `kind` is ``run``, ``check``, ``sweep``, ``plan`` or ``year``; `state` ``running``,
    ``complete`` or ``interrupted``.

    `replications` counts those stored of each variant, the least of them where they differ, and of a plan or a year all
    runs of which something is stored; `asked` is None where as many were run as it took. `verdict` is None without
    checks, and for a run that is not finished. Times are UTC.
    """

    id: int
    kind: str
    state: str
    started: str
    finished: str | None
    scenario: str
    variants: tuple[str, ...]
    engine: str
    seed: int
    replications: int
    asked: int | None
    verdict: str | None
    exit_code: int | None
    command: str
    sysim: str

    def to_dict(self) -> dict[str, Any]:
        """The object of ``sysim runs --json``."""
        return asdict(self) | {"variants": list(self.variants)}


class Store:
    """A store that is there, open for reading and for deleting. To be closed, or used with ``with``."""

    def __init__(self, path: str | Path, make: bool = False) -> None:
        self.path = Path(path)
        self._connection: Connection = connect(self.path, make=make)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the store."""
        self._connection.close()

    def runs(self) -> tuple[Entry, ...]:
        """All runs, the newest first."""
        with translated(self.path):
            return tuple(self._entries("", ()))

    def entry(self, which: int | str) -> Entry:
        """One run, by its number or as ``last``; raises `StoreError` where there is none."""
        number = self._number(which)
        with translated(self.path):
            return self._entries("where r.id = ?", (number,))[0]

    def load(self, which: int | str, series: bool = True) -> dict[str, Any]:
        """Everything about a run.

        `result` is the JSON object that ``sysim run --json`` or ``sysim check --json`` printed, with `series` that of
        ``--series``; None for a run that was not finished. `scenarios` has the resolved text of each variant,
        `sources` the files as they were; then `digests`, `versions`, `summary` and what `Entry` has.
        """
        entry = self.entry(which)
        with translated(self.path):
            versions, document, summary = self._connection.execute(
                "select versions, document, summary from runs where id = ?", (entry.id,)
            ).fetchone()
            variants = self._connection.execute(
                "select variant, scenario, digest from variants where run_id = ? order by number", (entry.id,)
            ).fetchall()
            sources = self._connection.execute(
                "select file, content from sources where run_id = ? order by rowid", (entry.id,)
            ).fetchall()
            result = None if document is None else expanded(document)
            if result is not None:
                self._fill(entry, result, series)
        return entry.to_dict() | {
            "result": result,
            "summary": summary,
            "scenarios": {variant: text for variant, text, _ in variants},
            "digests": {variant: digest for variant, _, digest in variants},
            "sources": dict(sources),
            "versions": json.loads(versions),
        }

    def save(
        self, result: Result | Study, scenarios: Mapping[str, str] | None = None, command: str = "", summary: str = ""
    ) -> int:
        """Store a result that is there already, and return its number. `scenarios` has resolved texts by variant.

        To store while simulating, so that nothing is lost, give `store` to `sysim.simulate` or `sysim.check`.
        """
        from sysim.result.result import Result

        results = {result.variant or "": result} if isinstance(result, Result) else dict(result.results)
        first = next(iter(results.values()))
        with Keeping(self.path, command=command) as keeping:
            keeping.begin(
                "run" if isinstance(result, Result) else "check",
                scenario=first.scenario.name,
                engine=first.engine,
                seed=first.run.seed,
                asked=len(first.runs),
                questions=[
                    Question(
                        name, one.digest, one.run.plan, one.run.seed, (scenarios or {}).get(name, ""), repeatable=False
                    )
                    for name, one in results.items()
                ],
            )
            for name, one in results.items():
                for run in one.runs:
                    keeping.keep(name, run)
            keeping.finish(result)
            if summary:
                keeping.describe(summary)
        if keeping.failure is not None:
            raise keeping.failure
        assert keeping.id is not None
        return keeping.id

    def delete(self, which: int | str) -> Entry:
        """Forget a run, and the replications that no other run has; raises `StoreError` while it is running."""
        entry = self.entry(which)
        if entry.state == "running":
            raise StoreError(f"{self.path}: run {entry.id} is still running; stop it first")
        with translated(self.path):
            with writing(self._connection):
                self._connection.execute("delete from runs where id = ?", (entry.id,))
                self._connection.execute(
                    "delete from replications where id not in (select replication_id from run_replications)"
                )
                if format_of(self._connection) >= pieces.FROM_FORMAT:
                    pieces.tidy(self._connection)
            self._connection.execute("pragma incremental_vacuum").fetchall()
        return entry

    def _number(self, which: int | str) -> int:
        text = str(which).strip()
        with translated(self.path):
            newest = self._connection.execute("select max(id) from runs").fetchone()[0]
            if newest is None:
                raise StoreError(f"{self.path}: found no run in it")
            if text == LAST:
                return int(newest)
            if not text.isdecimal():
                raise StoreError(f"found the run {text!r}, expected its number, or {LAST}")
            number = int(text)
            if number <= newest and self._connection.execute(
                "select 1 from runs where id = ?", (number,)
            ).fetchone():
                return number
        raise StoreError(f"{self.path}: found no run {text}; `sysim runs --store {self.path}` lists them")

    def _entries(self, where: str, values: tuple[Any, ...]) -> list[Entry]:
        kept = "(select count(*) from run_pieces p where p.run_id = r.id)"
        kept = kept if format_of(self._connection) >= pieces.FROM_FORMAT else "0"
        found = self._connection.execute(
            "select r.id, r.kind, r.state, r.started, r.finished, r.scenario, r.engine, r.seed, r.asked, r.verdict,"
            " r.exit_code, r.command, r.sysim, r.host, r.pid,"
            " (select json_group_array(variant) from"
            "   (select variant from variants where run_id = r.id order by number)),"
            " (select min(n) from (select count(q.replication) as n from variants v left join run_replications q"
            "   on q.run_id = v.run_id and q.variant = v.variant where v.run_id = r.id group by v.variant)),"
            f" {kept}"
            f" from runs r {where} order by r.id desc",
            values,
        ).fetchall()
        return [
            Entry(
                id=id, kind=kind, state=_state(state, host, pid), started=started, finished=finished,
                scenario=scenario, variants=tuple(json.loads(variants)), engine=engine, seed=int(seed),
                replications=replications or seen, asked=asked, verdict=verdict, exit_code=exit_code, command=command,
                sysim=sysim,
            )
            for id, kind, state, started, finished, scenario, engine, seed, asked, verdict, exit_code, command, sysim,
            host, pid, variants, replications, seen in found
        ]  # fmt: skip

    def _fill(self, entry: Entry, result: dict[str, Any], series: bool) -> None:
        """Put the runs where they were left out; a sweep has none in its result."""
        if entry.kind not in ("run", "check"):
            return
        for variant in entry.variants:
            member = result if entry.kind == "run" else result["variants"].get(variant)
            if member is None:
                continue
            if not series:
                for name in ("account", "faults"):
                    member.pop(name, None)
            rows = self._connection.execute(
                "select q.id, q.facts, q.bucket_s from run_replications r join replications q"
                " on q.id = r.replication_id where r.run_id = ? and r.variant = ? order by r.replication",
                (entry.id, variant),
            ).fetchall()
            member["runs"] = [self._run(row, facts, bucket_s, series) for row, facts, bucket_s in rows]

    def _run(self, row: int, facts: bytes, bucket_s: float, series: bool) -> dict[str, Any]:
        kept = expanded(facts)
        found: dict[str, Any] = kept["run"]
        if not series:
            return {name: value for name, value in found.items() if name not in kept["only_with_series"]}
        rows = self._connection.execute(
            "select kind, subject, metric, dtype, data from series where replication_id = ? order by number", (row,)
        )
        some = ((kind, subject, metric, unpacked(dtype, data)) for kind, subject, metric, dtype, data in rows)
        found["series"] = series_of(bucket_s, some).to_dict()
        return found


def _state(state: str, host: str, pid: int) -> str:
    """A run whose process is gone was interrupted, though it could not say so any more."""
    return "interrupted" if state == "running" and not origin.alive(host, pid) else state


def open_store(path: str | Path, make: bool = False) -> Store:
    """The store in a file; with `make` a new one if there is none. Raises `StoreError` where it cannot be used."""
    return Store(path, make)
