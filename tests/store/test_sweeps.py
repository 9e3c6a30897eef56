"""Sweeps in the store: killed, stopped and gone on with; no point lost, and none run twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.report.sweep import sweep_dict
from sysim.store import Keeping, StoreError, open_store
from sysim.store.schema import VERSION
from tests.store.processes import ended, started
from tests.store.sql import connected
from tests.store.test_processes import POSIX, until, whole
from tests.study.files import STALL

TINY = """
sysim: 1
name: tiny
time: {duration: 1s, bucket: 1s}
services: {api: {concurrency: 1, operations: {get: [{work: {exponential: 6ms}}]}}}
load: {web: {call: api.get, rate: 20/s}}
checks: [p99(web) < 20ms]
"""
# Counts what an engine really runs, as the process may be killed: a line of a file for each run, written when it ends.
COUNTING = """
import sys
from sysim import running
real = running.run_of
def counting(engine):
    run = real(engine)
    def one(plan, **options):
        record = run(plan, **options)
        if plan.duration == 10**9:  # not the run with which an engine is made warm
            with open(sys.argv[1], "a") as log:
                log.write("one run\\n")
        return record
    return one
running.run_of = counting
from sysim.cli import cli
cli.main(sys.argv[2:], prog_name="sysim")
"""
POINTS = 200


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


def start(log: Path, *words: str) -> subprocess.Popen[str]:
    return started(COUNTING, str(log), *words)


def lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def rows(place: Path, query: str) -> list[Any]:
    with connected(place) as connection:
        return connection.execute(query).fetchall()


@POSIX
def test_two_hundred_points_and_a_kill(tmp_path: Path, tiny: str) -> None:
    place, log = tmp_path / "runs.db", tmp_path / "log"
    words = (
        "sweep", tiny, "--vary", f"load.web.rate=20/s..60/s/{POINTS}", "-n", "1", "--engine", "reference",
        "--executor", "threads", "--workers", "2", "--json",
    )  # fmt: skip
    process = start(log, *words, "--store", str(place))
    until(place, 60)
    process.send_signal(signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL
    kept, first = rows(place, "select count(*) from replications")[0][0], lines(log)
    assert 60 <= kept < POINTS
    assert first - kept <= 2 * 2 + 1, "what was under way at the kill is all that is lost"
    whole(place)
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.kind, entry.state, entry.scenario) == ("sweep", "interrupted", "tiny")
    code, out, err = ended(start(log, *words, "--store", str(place), "--resume"))
    assert code == 0, err
    assert f"stored as run 2 in {place}, {kept} replications of it stored before" in err
    # None is run again that was stored, and all the others are run once.
    assert lines(log) - first == POINTS - kept
    whole(place)
    assert rows(place, "select count(*), count(distinct \"key\") from replications") == [(POINTS, POINTS)]
    assert rows(place, "select count(distinct variant), count(*) from run_replications where run_id = 2") == [
        (POINTS, POINTS)
    ]
    points = json.loads(out)["points"]
    assert [point["state"] for point in points] == ["complete"] * POINTS
    log.unlink()
    plain = ended(start(log, *words))
    assert plain[:2] == (0, out), "the same bytes as without a kill and without a store"
    assert lines(log) == POINTS
    # And once more: nothing is left to run.
    log.unlink()
    again = ended(start(log, *words, "--store", str(place), "--resume"))
    assert again[:2] == (0, out) and lines(log) == 0


@POSIX
@pytest.mark.parametrize("executor", ["threads", pytest.param("processes", marks=pytest.mark.long)])
def test_ctrl_c_keeps_what_is_done(tmp_path: Path, tiny: str, executor: str) -> None:
    place, log = tmp_path / "runs.db", tmp_path / "log"
    words = (
        "sweep", tiny, "--vary", "load.web.rate=20/s..60/s/2000", "-n", "1", "--engine", "reference", "--json",
        "--executor", executor, "--workers", "2", "--store", str(place),
    )  # fmt: skip
    process = start(log, *words)
    until(place, 20)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130 and "stored as run 1" in err and "Traceback" not in err, err
    found = json.loads(out)
    states = [point["state"] for point in found["points"]]
    # The one that was being stored when the signal came may not be counted yet.
    assert found["interrupted"] and states.count("complete") >= 19 and "not run" in states
    whole(place)
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.state, entry.exit_code) == ("interrupted", 130)
        assert store.load("last")["result"] == found


# --- within one process --------------------------------------------------------------------------------------------

VARY = {"services.api.concurrency": "1..3"}


def sweep(place: Path | None, **options: Any) -> Any:
    return sysim.sweep(sysim.loads(STALL), VARY, **{"engine": "reference", "replications": 2, **options}, store=place)


def test_what_is_stored(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    found = sweep(place)
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.kind, entry.state, entry.asked, entry.replications) == ("sweep", "complete", 2, 2)
        assert entry.variants == tuple(f"services.api.concurrency={n}" for n in (1, 2, 3))
        assert store.load("last")["result"] == json.loads(json.dumps(sweep_dict(found)))
    means = rows(
        place,
        "select variant, avg(value) from scalars where run_id = 1 and \"window\" = 'all' and subject = 'web'"
        " and metric = 'success' group by variant order by variant",
    )
    assert [mean for _, mean in means] == pytest.approx(found.means(0))
    assert rows(place, "select distinct variant from verdicts") == [(name,) for name in entry.variants]
    assert rows(place, "select count(*) from series where kind != 'time'") == [(0,)], "series would weigh too much"


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_more_measures_replications_and_points_run_only_what_is_new(tmp_path: Path, executor: str) -> None:
    place = tmp_path / "runs.db"
    sweep(place)
    options: dict[str, Any] = {"replications": 3, "measures": ["p999(web)", "queue_mean(api) during after"]}
    more = sysim.sweep(
        sysim.loads(STALL), {"services.api.concurrency": "1..4"}, engine="reference", store=place, resume=True,
        executor=executor, **options,
    )  # fmt: skip
    assert rows(place, "select count(*) from replications") == [(12,)]
    fresh = sysim.sweep(sysim.loads(STALL), {"services.api.concurrency": "1..4"}, engine="reference", **options)
    assert sweep_dict(more) == sweep_dict(fresh)


def test_a_sweep_uses_what_a_run_has_stored(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    sysim.simulate(sysim.loads(STALL), engine="reference", replications=2, store=place)
    found = sweep(place, resume=True)
    assert rows(place, "select count(*) from replications") == [(6,)], "one worker is what the file has"
    assert sweep_dict(found) == sweep_dict(sweep(None))


def test_independent_points_have_keys_of_their_own(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    sweep(place, independent=True)
    assert len(rows(place, "select distinct seed from replications")) == 3
    again = sweep(place, independent=True, resume=True)
    assert rows(place, "select count(*) from replications") == [(6,)]
    assert sweep_dict(again) == sweep_dict(sweep(None, independent=True))


def test_a_store_that_fails_does_not_take_the_sweep_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.store.rows import Replications

    def full(*rest: Any) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Replications, "put", full)
    with pytest.warns(RuntimeWarning, match="disk is full"):
        found = sweep(tmp_path / "runs.db")
    assert [one.state for one in found.points] == ["complete"] * 3


# --- a store of the first format -----------------------------------------------------------------------------------


def first_format(place: Path) -> None:
    """Make a store into what earlier versions wrote."""
    with connected(place, isolation_level=None) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_master set sql = replace(sql, 'kind text not null,',"
            " 'kind text not null check (kind in (''run'', ''check'')),') where name = 'runs'"
        )
        connection.execute("pragma writable_schema = reset")
        connection.execute("drop table run_pieces")
        connection.execute("drop table pieces")
        connection.execute("pragma user_version = 1")
    connection.close()


def test_a_store_of_the_first_format_is_brought_up(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    for _ in range(3):
        sysim.simulate(sysim.loads(STALL), engine="reference", replications=1, store=place)
    with open_store(place) as store:
        store.delete(3)
    first_format(place)
    with pytest.raises(sqlite3.IntegrityError), connected(place) as connection:
        connection.execute("update runs set kind = 'sweep'")
    connection.close()
    with open_store(place) as store:
        before = store.load(2)
    assert rows(place, "pragma user_version") == [(1,)], "reading changes nothing"
    sweep(place, resume=True)
    assert rows(place, "pragma user_version") == [(VERSION,)]
    assert rows(place, "pragma foreign_key_check") == [] and rows(place, "pragma integrity_check") == [("ok",)]
    with open_store(place) as store:
        assert store.load(2) == before
        assert [entry.id for entry in store.runs()] == [4, 2, 1], "numbers are never given twice"
        store.delete(1)
        store.delete(2)
        assert store.load(4)["result"] is not None
    fresh = tmp_path / "fresh.db"
    with Keeping(fresh):
        pass
    tables = "select name, replace(replace(sql, '\"runs\"', 'runs'), '  ', ' ') from sqlite_master order by name"
    assert rows(place, tables) == rows(fresh, tables)


def test_a_store_of_a_later_format_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    sweep(place)
    with connected(place) as connection:
        connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="a newer sysim made it"):
        sweep(place)
