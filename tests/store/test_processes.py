"""Several processes and one store: writers at once, readers meanwhile, and one that is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sysim.store import open_store
from tests.store.processes import ended, started
from tests.store.same import canonical, timeless
from tests.store.sql import connected
from tests.study.files import STALL

MAIN = "from sysim.cli import main; main()"
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs signals and limits of POSIX")


@pytest.fixture
def stall(tmp_path: Path) -> str:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    return str(path)


def start(*words: str, **options: Any) -> subprocess.Popen[str]:
    return started(MAIN, *words, **options)


def stored(place: Path, table: str = "run_replications") -> int:
    """How many replications another process has stored so far."""
    if not place.exists():
        return 0
    try:
        with connected(place, timeout=30) as connection:
            return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def until(place: Path, count: int, table: str = "run_replications") -> None:
    limit = time.monotonic() + 60
    while stored(place, table) < count:
        assert time.monotonic() < limit, "the process stores nothing"
        time.sleep(0.01)


def whole(place: Path) -> None:
    """Nothing in the store is half there."""
    with connected(place) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
        counts = connection.execute(
            "select (select count(*) from numbers n where n.replication_id = r.id),"
            " (select count(*) from series s where s.replication_id = r.id),"
            " (select count(*) from run_replications q where q.replication_id = r.id) from replications r"
        ).fetchall()
    assert len({(numbers, series) for numbers, series, _ in counts}) == 1, "all have the same numbers and series"
    assert all(runs >= 1 for _, _, runs in counts), "every replication belongs to a run"


COMMANDS = [
    (("run", "-n", "30", "--workers", "1"), 5),
    pytest.param(("run", "-n", "60", "--workers", "2"), 5, marks=pytest.mark.long),
    pytest.param(("check", "-n", "15", "--workers", "1"), 7, marks=pytest.mark.long),
]


@POSIX
@pytest.mark.parametrize(("command", "count"), COMMANDS, ids=["run", "threads", "check"])
def test_a_process_that_is_killed(tmp_path: Path, stall: str, command: tuple[str, ...], count: int) -> None:
    place = tmp_path / "runs.db"
    words = (command[0], stall, *command[1:], "--engine", "reference", "--json")
    process = start(*words, "--store", str(place))
    until(place, count)
    with open_store(place) as store:
        assert store.entry("last").state == "running"
    process.send_signal(signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL
    kept = stored(place)
    whole(place)
    with open_store(place) as store:
        entry = store.entry("last")
        assert entry.state == "interrupted" and entry.verdict is None and store.load("last")["result"] is None
    code, out, err = ended(start(*words, "--store", str(place), "--resume"))
    assert f"stored as run 2 in {place}, {kept} replications of it stored before" in err
    plain_code, plain, _ = ended(start(*words))
    assert code == plain_code
    assert canonical(timeless(json.loads(out))) == canonical(timeless(json.loads(plain)))
    whole(place)


@POSIX
def test_ctrl_c_leaves_what_was_printed(tmp_path: Path, stall: str) -> None:
    place = tmp_path / "runs.db"
    process = start("run", stall, "--engine", "reference", "-n", "300", "--json", "--store", str(place))
    until(place, 4)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130 and "interrupted after" in err and "stored as run 1" in err
    whole(place)
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.state, entry.exit_code, entry.asked) == ("interrupted", 130, 300)
        shown = store.load(1, series=False)["result"]
    assert shown["interrupted"] and len(shown["runs"]) == entry.replications >= 4
    assert canonical(shown) == canonical(json.loads(out))


def test_two_writers_and_a_reader_at_once(tmp_path: Path, stall: str) -> None:
    place = tmp_path / "runs.db"
    words = ("run", stall, "--engine", "reference", "-n", "20", "--json", "--series", "--store", str(place))
    writers = [start(*words, "--seed", str(seed)) for seed in (1, 2, 3)]
    seen: list[int] = []
    with ThreadPoolExecutor() as readers:
        outputs = [readers.submit(ended, writer) for writer in writers]
        while not all(output.done() for output in outputs):
            seen.append(stored(place))
            time.sleep(0.02)
    results = [output.result() for output in outputs]
    assert [(code, err.startswith("stored as run ")) for code, _, err in results] == [(3, True)] * 3, results
    whole(place)
    assert len({n for n in seen if 0 < n < 60}) > 3, "readers are not locked out"
    with open_store(place) as store:
        assert {entry.state for entry in store.runs()} == {"complete"}
        for entry in store.runs():
            printed = json.loads(results[entry.seed - 1][1])
            assert canonical(store.load(entry.id)["result"]) == canonical(printed)


@POSIX
def test_a_full_disk_is_a_message_and_the_result_is_printed(tmp_path: Path, stall: str) -> None:
    import resource

    place = tmp_path / "runs.db"
    words = ("run", stall, "--engine", "reference", "-n", "6", "--store", str(place))
    ended(start(*words))
    limit = 2 * place.stat().st_size // 3
    place.unlink()

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code, out, err = ended(start(*words, preexec_fn=limited))
    assert "What customers see" in out and "Traceback" not in err
    assert f"{place}: the disk is full or does not take more" in err and "what follows is not stored" in err
    assert code == 3, "the verdict is what it was"
    code, out, err = ended(start(*words, "--set", "checks=[]", preexec_fn=limited))
    assert code == 2 and "What customers see" in out, "nothing else says that something went wrong"


def test_a_store_that_is_locked(tmp_path: Path, stall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from sysim.cli import cli
    from sysim.store import file

    place = tmp_path / "runs.db"
    words = ["run", stall, "--engine", "reference", "--store", str(place)]
    CliRunner().invoke(cli, words)
    monkeypatch.setattr(file, "PATIENCE_S", 0.1)
    with connected(place, isolation_level=None) as connection:
        connection.execute("begin immediate")
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 2 and "another process has been writing" in done.stderr and not done.stdout
        assert CliRunner().invoke(cli, ["runs", "--store", str(place)]).exit_code == 0, "readers do not wait"
        connection.execute("rollback")


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another user has to be played")
def test_a_store_that_may_only_be_read(stall: str) -> None:
    # Another user may not be able to read the interpreter's modules, so all are loaded by a first run.
    script = (
        "import contextlib, io, os, sys\nfrom sysim.cli import cli\nimport sysim.cli.runs, sysim.store\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    cli.main(['run', sys.argv[1], '--engine', 'reference'])\n"
        "os.setuid(65534); cli.main(sys.argv[2:])"
    )

    def as_nobody(*words: str) -> tuple[int, str, str]:
        return ended(
            subprocess.Popen(
                [sys.executable, "-c", script, stall, *words],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
        )

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place, copy = Path(folder) / "runs.db", Path(folder) / "stall.yaml"
        copy.write_text(STALL)
        ended(start("run", stall, "--engine", "reference", "--store", str(place)))
        assert as_nobody("runs", "--store", str(place))[:2] == ended(start("runs", "--store", str(place)))[:2]
        code, _, err = as_nobody("runs", "--store", str(place), "--delete", "1")
        assert code == 2 and "may not be written to" in err
        code, out, err = as_nobody("run", str(copy), "--engine", "reference", "--store", str(place))
        assert (code, out, err) == (2, "", f"sysim: {place}: it may not be written to\n")
        code, _, err = as_nobody("run", str(copy), "--engine", "reference", "--store", str(place) + "x")
        assert code == 2 and "Traceback" not in err and "cannot be opened" in err


@POSIX
def test_a_second_connection_does_not_take_the_locks_of_the_first_away(tmp_path: Path, stall: str) -> None:
    """To close a file takes away all locks that the process has on it; then another one could remove the log."""
    place = tmp_path / "runs.db"
    ended(start("run", stall, "--engine", "reference", "--store", str(place)))
    program = f"""
import sqlite3
try:
    sqlite3.connect({str(place)!r}, timeout=0).execute("pragma journal_mode = delete")
except sqlite3.OperationalError as error:
    print(error)
"""
    with open_store(place) as first:
        assert len(first.runs()) == 1
        with open_store(place) as second:
            assert second.runs() == first.runs()
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert "locked" in told
