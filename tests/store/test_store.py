"""What a store gives back: the same JSON, numbers for queries, series for other programs."""

from __future__ import annotations

import json
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest

import sysim
import sysim.result
from sysim.store import Keeping, StoreError, open_store
from tests.store.same import canonical
from tests.store.sql import connected
from tests.study.files import STALL


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def simulate(place: Path, **options: object) -> sysim.Result:
    scenario = sysim.loads(STALL)
    return sysim.simulate(scenario, engine="reference", store=place, **options)  # type: ignore[arg-type]


def query(place: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    with connected(place) as connection:
        return connection.execute(sql, values).fetchall()


def test_a_run_comes_back_as_it_was(place: Path) -> None:
    result = simulate(place, replications=3, traces=4)
    with open_store(place) as store:
        facts = store.load(1)
        plain = store.load("last", series=False)["result"]
    assert canonical(facts["result"]) == canonical(result.to_dict(series=True))
    assert canonical(plain) == canonical(result.to_dict())
    assert list(facts["result"]) == list(result.to_dict(series=True)) and "traces" in facts["result"]["runs"][0]
    assert facts["sources"] == {"<text>": STALL.rstrip("\n") + "\n"}
    again = sysim.loads(facts["scenarios"]["baseline"])
    assert again.digest == result.digest == facts["digests"]["baseline"]
    assert facts["seed"] == 1 and facts["versions"]["sysim"] == sysim.__version__ and facts["engine"] == "reference"


def test_a_study_comes_back_as_it_was(place: Path) -> None:
    study = sysim.check(sysim.loads(STALL), engine="reference", replications=4, store=place)
    with open_store(place) as store:
        facts = store.load("last", series=False)
        assert canonical(store.load(1)["result"]) == canonical(study.to_dict(series=True))
    assert canonical(facts["result"]) == canonical(study.to_dict())
    assert list(facts["scenarios"]) == ["baseline", "patient", "slow"]
    verdicts = query(place, 'select "check", variant, verdict, value, low from verdicts order by number')
    assert verdicts == [
        (v.check, v.variant, v.verdict, v.value, v.interval[0] if v.interval else None) for v in study.verdicts
    ]


def test_a_result_that_is_there_already(place: Path) -> None:
    result = sysim.simulate(sysim.loads(STALL), engine="reference", replications=2)
    study = sysim.check(sysim.loads(STALL), engine="reference", replications=2)
    with open_store(place, make=True) as store:
        first, second = store.save(result, command="by hand"), store.save(study)
        assert [entry.id for entry in store.runs()] == [second, first]
        assert canonical(store.load(first)["result"]) == canonical(result.to_dict(series=True))
        assert canonical(store.load(second)["result"]) == canonical(study.to_dict(series=True))
        assert store.load(first)["command"] == "by hand"


def test_numbers_by_sql(place: Path) -> None:
    result = simulate(place, replications=3)
    found = query(
        place,
        "select value from scalars where subject = 'web' and metric = 'success' and window = 'after'"
        " and run_id = 1 order by replication",
    )
    assert [value for (value,) in found] == result.metric("success", "web", "after")
    assert all(value is not None for (value,) in found)
    row = result.services()[0]
    wanted = {k: v for k, v in row.items() if k not in ("variant", "replication", "window", "service", "currency")}
    stored = dict(
        query(
            place,
            "select metric, value from scalars where kind = 'service' and replication = 0"
            " and subject = ? and window = ?",
            row["service"], row["window"],
        )
    )  # fmt: skip
    assert stored == wanted and len(stored) > 20
    kinds = query(place, "select distinct typeof(value) from scalars where metric in ('p50', 'latency_s_p50')")
    assert kinds == [("real",)]
    assert query(place, "select value from scalars where metric = 'state' and replication = 0") == [
        (result.run.states["web"],)
    ]


def test_series_for_other_programs(place: Path) -> None:
    result = simulate(place)
    (dtype, data), = query(  # type: ignore[misc]
        place, "select dtype, data from series where kind = 'load' and subject = 'web' and metric = 'offered'"
    )
    assert isinstance(data, bytes) and isinstance(dtype, str)
    assert np.frombuffer(zlib.decompress(data), dtype).tolist() == result.run.series.loads["web"]["offered"].tolist()


def test_the_list(place: Path) -> None:
    simulate(place, replications=2, seed=2**64 - 1)
    study = sysim.check(sysim.loads(STALL), engine="reference", replications=2, store=place)
    with open_store(place) as store:
        newest, first = store.runs()
        assert store.entry("last") == newest == store.entry(2) and store.entry("1") == first
    assert (first.kind, first.seed, first.state) == ("run", 2**64 - 1, "complete")
    assert (first.replications, first.asked) == (2, 2)
    assert newest.variants == ("baseline", "patient", "slow") and newest.verdict == "inconclusive"
    assert newest.exit_code == study.exit_code == 3
    assert json.dumps(newest.to_dict())
    assert query(place, "select count(*) from runs where seed = '18446744073709551615'") == [(1,)]


def test_deleting_leaves_what_others_have(place: Path) -> None:
    first = simulate(place, replications=3)
    second = simulate(place, replications=5, resume=True)
    with open_store(place) as store:
        store.delete(1)
        assert [entry.id for entry in store.runs()] == [2]
        assert canonical(store.load(2)["result"]) == canonical(second.to_dict(series=True))
        store.delete("last")
        assert store.runs() == ()
        with pytest.raises(StoreError, match="no run in it"):
            store.load("last")
    for table in ("replications", "run_replications", "numbers", "series", "verdicts", "variants", "sources"):
        assert query(place, f"select count(*) from {table}") == [(0,)], table
    third = simulate(place, replications=1)
    assert canonical(third.run.to_dict()["windows"]) == canonical(first.run.to_dict()["windows"])
    with open_store(place) as store:
        assert store.entry("last").id == 3, "numbers are not used twice"


def test_numbers_that_are_not_there(place: Path) -> None:
    simulate(place)
    with open_store(place) as store:
        for which, told in (("7", "no run 7"), ("one", "expected its number"), ("-1", "expected"), ("0", "no run 0"),
                            ("9" * 40, "no run 9")):  # fmt: skip
            with pytest.raises(StoreError, match=told):
                store.load(which)


# --- files that are not ours ---------------------------------------------------------------------------------------


def foreign(place: Path) -> None:
    with connected(place) as connection:
        connection.execute("create table runs (id integer primary key)")


def newer(place: Path) -> None:
    simulate(place)
    with connected(place) as connection:
        connection.execute("pragma user_version = 99")
        connection.execute("pragma journal_mode = delete")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda place: place.write_text("sysim: 1\n" * 40), "not a store"),
        (lambda place: place.write_bytes(b"SQLite format 3\0"), "not a store"),
        (foreign, "another program"),
        (newer, "format 99"),
    ],
    ids=["text", "short", "foreign", "newer"],
)
def test_a_file_that_is_not_ours_is_refused_and_left_alone(place: Path, make: object, told: str) -> None:
    make(place)  # type: ignore[operator]
    before = place.read_bytes()
    for action in (lambda: open_store(place), lambda: open_store(place, make=True), lambda: Keeping(place)):
        with pytest.raises(StoreError, match=told):
            action()  # type: ignore[no-untyped-call]
    assert place.read_bytes() == before
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_places_where_no_store_can_be(tmp_path: Path) -> None:
    for path, told in ((tmp_path, "found a folder"), (tmp_path / "no" / "runs.db", "found no folder")):
        with pytest.raises(StoreError, match=told):
            Keeping(path)
    with pytest.raises(StoreError, match="found no store"):
        open_store(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sysim.simulate(sysim.loads(STALL), engine="reference")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store(place: Path) -> None:
    simulate(place)
    with connected(place) as connection:
        connection.execute("pragma journal_mode = delete")
    content = bytearray(place.read_bytes())
    content[100 : len(content)] = b"\x55" * (len(content) - 100)
    place.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        open_store(place)


# --- a store that fails --------------------------------------------------------------------------------------------


def test_a_store_that_fails_does_not_take_the_result_with_it(place: Path) -> None:
    told: list[str] = []
    with Keeping(place, tell=told.append) as keeping:
        pages = keeping._connection.execute("pragma page_count").fetchone()[0]
        keeping._connection.execute(f"pragma max_page_count = {pages + 16}")
        result = sysim.simulate(sysim.loads(STALL), engine="reference", replications=5, store=keeping)
        assert len(result.runs) == 5 and keeping.failure is not None
    assert len(told) == 1 and "the disk is full" in told[0] and str(place) in told[0]
    with open_store(place) as store:
        entry = store.entry("last")
    assert entry.state == "interrupted" and entry.replications < 5
    assert query(place, "pragma integrity_check") == [("ok",)]
    without = query(place, "select count(*) from replications where id not in (select replication_id from numbers)")
    assert without == [(0,)]


def test_from_python_it_is_a_warning(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.store import rows

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(rows.Replications, "put", full)
    with pytest.warns(RuntimeWarning, match="the disk is full"):
        assert simulate(place).runs


def test_no_resume_without_a_store() -> None:
    with pytest.raises(sysim.SysimError, match="no store"):
        sysim.simulate(sysim.loads(STALL), engine="reference", resume=True)


def test_ctrl_c_while_a_replication_is_being_stored(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim.store.rows import Replications

    real, calls = Replications.put, 0

    def put(self: Replications, run: sysim.result.Run, key: str | None) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(self, run, key)

    monkeypatch.setattr(Replications, "put", put)
    with pytest.raises(sysim.Interrupted) as stop:
        simulate(place, replications=5)
    assert stop.value.result is not None and len(stop.value.result.runs) == 3
    with open_store(place) as store:
        assert store.entry("last").replications == 3
        assert canonical(store.load("last", series=False)["result"]) == canonical(stop.value.result.to_dict())
