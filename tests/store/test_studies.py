"""Plans and years in the store: killed, stopped and gone on with; nothing lost, and nothing simulated twice."""

from __future__ import annotations

import json
import math
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import sysim
from sysim import running
from sysim.cli import cli
from sysim.errors import SysimError
from sysim.report.capacity import plan_dict
from sysim.report.year import year_dict
from sysim.simulations import simulation
from sysim.store import Keeping, open_store, origin, pieces
from sysim.store.parts import noted, read
from sysim.store.schema import VERSION
from sysim.study.capacity import lab, supply
from sysim.study.year_runs import Seen, look
from tests.store.processes import ended, started
from tests.store.same import differs
from tests.store.sql import connected
from tests.store.test_processes import POSIX, until
from tests.study.test_capacity import LOSS

SMALL = (
    LOSS.replace("rate: 80/s", "rate: 20/s").replace("{duration: 10m, warmup: 20s}", "{duration: 50s, warmup: 10s}")
    .replace("concurrency: 1", "concurrency: 1\n    replicas: 7")
)  # fmt: skip
TWO = """
sysim: 1
name: two
time: {duration: 40s, warmup: 10s}
services:
  front:
    {replicas: 2, concurrency: 4, zones: [a, b], operations: {get: [{work: {exponential: 20ms}}, {call: back.get}]}}
  back: {replicas: 2, concurrency: 2, zones: [a, b], operations: {get: [{work: {exponential: 20ms}}]}}
load: {users: {call: front.get, rate: 60/s}}
slos: {fast: {load: users, success: 99%, latency: {p95: 300ms}}}
planning: {assume: [none, zone, replica]}
"""
YEAR = """
sysim: 1
name: shop
time: {start: 2026-04-06T00:00, duration: 1d, warmup: 2m}
services:
  shop:
    concurrency: 4
    queue: {capacity: 30}
    operations: {order: [{work: {exponential: 10s}}]}
load:
  customers:
    call: shop.order
    rate: {base: 0.16/s, daily: {peak_at: 15:00, peak_to_mean: 1.9}}
    policy: {timeout: 60s}
slos: {answered: {load: customers, success: 98%}}
"""
YEAR_TERMS: dict[str, Any] = {"days": 2, "simulate": "16h", "checks": 2}
YEAR_WORDS = ("--days", "2", "--simulate", "16h", "--checks", "2")


def plan(place: Path | None = None, text: str = SMALL, **options: Any) -> Any:
    options = {"whole_day": False, **options}
    return plan_dict(sysim.capacity_plan(sysim.loads(text), store=place, **options))


def year(place: Path | None = None, text: str = YEAR, **options: Any) -> Any:
    return year_dict(sysim.year(sysim.loads(text), store=place, **{**YEAR_TERMS, **options}))


STUDIES = pytest.mark.parametrize("study", [plan, year])


class Engine:
    """Counts the runs of a study, and stops before one of them where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = 0
        self.stop_at: int | None = None
        real = running.run_of
        running.warm_up("compiled")

        def counting(engine: Any) -> Callable[..., Any]:
            run = real(engine)

            def one(plan: Any, **options: Any) -> Any:
                if self.stop_at is not None and self.runs >= self.stop_at:
                    raise KeyboardInterrupt
                self.runs += 1
                return run(plan, **options)

            return one

        monkeypatch.setattr(running, "run_of", counting)

    def of(self, action: Callable[[], Any]) -> int:
        """How many runs something takes."""
        before = self.runs
        action()
        return self.runs - before


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def rows(place: Path, query: str) -> list[Any]:
    with connected(place) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def stored(place: Path) -> int:
    return int(rows(place, "select count(*) from pieces")[0][0])


# --- what is kept comes back ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inner:
    share: float | None
    n: int


@dataclass(frozen=True)
class Everything:
    """Every form that a study may keep."""

    values: tuple[float | None, ...]
    by_name: Mapping[str, Inner]
    flow: Mapping[str, tuple[int, float | None]]
    word: str
    table: NDArray[np.float64]
    pairs: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    nothing: float | None = None


ODD = (0.1, -0.0, 5e-324, math.nan, math.inf, -math.inf, None, 1e308, 1.0, 2.5)


def test_every_number_comes_back_to_the_last_bit() -> None:
    seen = Everything(
        values=ODD,
        by_name={"zebra": Inner(None, 2**80), "ärger, \"quoted\"": Inner(math.nan, -1), "": Inner(math.inf, 0)},
        flow={"web": (3, None), "none": (0, math.nan)},
        word="grüße\n",
        table=np.array([[0.1, np.nan, -0.0], [np.inf, 5e-324, -np.inf]]),
        pairs=((np.array([1, 2**62]), np.array([], dtype=np.int64)),),
    )
    found = read(Everything, noted(seen))
    assert differs(seen, found) is None
    assert [math.copysign(1, x) for x in found.values if x == 0] == [-1], "also the sign of zero"
    assert list(found.by_name) == list(seen.by_name), "names are in their order"
    assert noted(found) == noted(seen)
    assert found.values[8] == 1.0 and isinstance(found.values[8], float) and isinstance(found.by_name[""].n, int)


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = read(Inner, noted(Inner(np.float64(0.1), np.int64(3))))  # type: ignore[arg-type]
    assert (type(found.share), type(found.n)) == (float, int) and found == Inner(0.1, 3)


def test_what_cannot_be_kept_is_said() -> None:
    with pytest.raises(TypeError, match="a set"):
        noted(Inner({1}, 2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a dataclass"):
        noted([1])


def test_what_a_plan_and_a_year_keep_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    class Watching:
        def recall(self, run: Any, replication: int, looked: str, kind: Any) -> None:
            assert looked

        def keep(self, run: Any, replication: int, looked: str, seen: Any) -> None:
            kept.append(seen)

    from sysim.study.capacity.plan import capacity_plan
    from sysim.study.year import Terms, plan_year

    model = sysim.loads(SMALL).model
    capacity_plan(model, lambda seed: simulation("compiled", seed), seed=1, memory=Watching())
    terms = Terms(days=2, budget=8 * 3_600 * 10**9)
    plan_year(
        sysim.loads(YEAR, set={"time.duration": "3d"}).model, simulation("compiled", 1), terms, seed=1,
        memory=Watching(),
    )  # fmt: skip
    assert {type(seen) for seen in kept} == {lab.Seen, supply.Climbed, Seen}
    for seen in kept:
        assert differs(seen, read(type(seen), noted(seen))) is None
    empty = sysim.simulate(
        sysim.loads(YEAR, set={"time.bucket": "1m", "time.duration": "3m", "load.customers.rate": "0.001/s"})
    ).run
    assert differs(look(empty), read(Seen, noted(look(empty)))) is None


# --- going on ------------------------------------------------------------------------------------------------------


@STUDIES
def test_stored_stopped_and_gone_on_with(study: Any, place: Path, engine: Engine) -> None:
    fresh = study()
    whole = engine.runs
    engine.stop_at = engine.runs + whole // 2
    with pytest.raises(sysim.Interrupted) as stop:
        study(place)
    assert stop.value.result is None and stop.value.finished == stored(place) > whole // 3
    engine.stop_at = None
    before = stored(place)
    simulated = engine.of(lambda: study(place, resume=True, workers=3))
    assert stored(place) - before == simulated, "each of them was new"
    # A study may ask for the same run twice; what it has stored it need not see again.
    assert whole * 0.9 <= stored(place) <= whole
    again: list[Any] = []
    assert engine.of(lambda: again.append(study(place, resume=True))) == 0
    assert again == [fresh]
    assert json.dumps(again[0]) == json.dumps(fresh), "to the last byte, and in the same order"
    with open_store(place) as store:
        assert [(one.kind, one.state) for one in store.runs()] == [
            (study.__name__, state) for state in ("complete", "complete", "interrupted")
        ]
        assert store.runs()[2].exit_code == 130
        assert store.runs()[0].replications == store.runs()[1].replications == stored(place)
        assert store.runs()[2].replications == before
        assert store.load("last")["result"] == json.loads(json.dumps(fresh))
        assert store.load(1)["result"] is None


def test_the_whole_plan_is_remembered(place: Path, engine: Engine) -> None:
    """The day and the ways to have the replicas, too."""
    fresh = plan(whole_day=True)
    assert plan(place, whole_day=True, workers=2) == fresh
    assert engine.of(lambda: plan(place, whole_day=True, resume=True)) == 0
    assert plan(place, whole_day=True, resume=True, workers=2) == fresh


@pytest.mark.parametrize("workers", [2, pytest.param(1, marks=pytest.mark.long)])
def test_situations_and_sizes_are_kept_apart(place: Path, engine: Engine, workers: int) -> None:
    """A plan with several failures and services, stopped more than once, on changing numbers of threads."""
    fresh = plan(text=TWO)
    for share in (0.2, 0.6):
        engine.stop_at = engine.runs + int(share * fresh["runs"]) - (stored(place) if place.exists() else 0)
        with pytest.raises(sysim.Interrupted):
            plan(place, TWO, resume=True, workers=workers)
        workers += 1
    engine.stop_at = None
    assert plan(place, TWO, resume=True, workers=workers) == fresh
    with open_store(place) as store:
        counts = [one.replications for one in reversed(store.runs())]
    assert 0 < counts[0] < counts[1] < counts[2]


@pytest.mark.long
@pytest.mark.parametrize(("command", "count"), [(("plan",), 9), (("year", *YEAR_WORDS), 4)])
def test_files_are_the_same(tmp_path: Path, place: Path, command: tuple[str, ...], count: int) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(SMALL if command == ("plan",) else YEAR)
    words = [command[0], str(file), *command[1:], "--out"]
    codes = {
        CliRunner().invoke(cli, [*words, str(tmp_path / name), *more]).exit_code
        for name, more in (("a", ()), ("b", ("--store", str(place))), ("c", ("--store", str(place), "--resume")))
    }
    assert len(codes) == 1
    made = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(made) == count
    for other in ("b", "c"):
        assert sorted(path.name for path in (tmp_path / other).iterdir()) == made
        for name in made:
            assert (tmp_path / other / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


@STUDIES
def test_without_resume_everything_is_simulated_again(study: Any, place: Path, engine: Engine) -> None:
    first = engine.of(lambda: study(place))
    assert engine.of(lambda: study(place)) == first
    assert stored(place) == first, "what is there already is there once"


CHANGES: list[tuple[Any, dict[str, Any]]] = [
    (plan, {"seed": 2}), (plan, {"text": SMALL.replace("20/s", "21/s")}),
    (plan, {"text": SMALL.replace("success: 99%", "success: 99%, latency: {p95: 1s}")}),
    (year, {"seed": 2}), (year, {"text": YEAR.replace("0.16/s", "0.17/s")}), (year, {"warmup": "7m"}),
]  # fmt: skip
MORE_CHANGES: list[tuple[Any, dict[str, Any]]] = [
    (plan, {"text": SMALL.replace("success: 99%", "success: 98%")}), (plan, {"window": "12s..40s"}),
    (plan, {"text": SMALL.replace("duration: 50s", "duration: 45s")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("study", "change"),
    [
        *(pytest.param(*one, id=f"{one[0].__name__}-{k}") for k, one in enumerate(CHANGES)),
        *(pytest.param(*one, id=f"more-{k}", marks=pytest.mark.long) for k, one in enumerate(MORE_CHANGES)),
    ],
)
def test_a_change_takes_nothing_that_is_not_its_own(study: Any, change: Any, place: Path, engine: Engine) -> None:
    study(place)
    kept = stored(place)
    found: list[Any] = []
    runs = engine.of(lambda: found.append(study(place, **change, resume=True)))
    assert stored(place) == kept + runs and runs > 10
    assert found == [study(**change)]


def test_what_does_not_change_a_run_takes_what_is_there(place: Path, engine: Engine) -> None:
    plan(place)
    fresh: list[Any] = []
    found: list[Any] = []
    runs = engine.of(lambda: fresh.append(plan(confidence=0.9)))
    assert engine.of(lambda: found.append(plan(place, confidence=0.9, resume=True))) < runs / 2
    assert found == fresh
    # The other engine gives the same.
    assert engine.of(lambda: plan(place, resume=True, engine="reference")) == 0


def test_another_version_takes_nothing(place: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = engine.of(lambda: plan(place))
    real = origin.build
    monkeypatch.setattr(origin, "build", lambda *more: "other" + real(*more))
    assert engine.of(lambda: plan(place, resume=True)) == runs


def test_the_sources_of_studies_belong_to_the_version() -> None:
    assert len({origin.build(), origin.build("study")}) == 2 and origin.build("study") == origin.build("study")
    assert origin.key("b", "d", "p", 1, 0, 2, "this") != origin.key("b", "d", "p", 1, 0, 2, "that")


def test_a_damaged_piece_is_simulated_again(place: Path, engine: Engine) -> None:
    fresh = plan(place)
    with connected(place) as connection:
        connection.execute("update pieces set seen = x'00112233' where id = 3")
    connection.close()
    found: list[Any] = []
    assert engine.of(lambda: found.append(plan(place, resume=True))) == 1 and found == [fresh]


# --- stores that fail, and lists -----------------------------------------------------------------------------------


def test_a_store_that_fails_does_not_take_the_study_with_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = pieces.put, 0

    def full(*rest: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls > 20:
            raise sqlite3.OperationalError("database or disk is full")
        return real(*rest)

    fresh = plan()
    monkeypatch.setattr(pieces, "put", full)
    with pytest.warns(RuntimeWarning, match="disk is full"):
        assert plan(place) == fresh
    file = tmp_path / "some.yaml"
    file.write_text(YEAR)
    words = ["year", str(file), *YEAR_WORDS, "--json"]
    calls = 0
    done = CliRunner().invoke(cli, [*words, "--store", str(place)])
    assert done.exit_code == 2, "nothing else says that something went wrong"
    assert "disk is full" in done.stderr and "what follows is not stored" in done.stderr
    plain = CliRunner().invoke(cli, words)
    assert plain.exit_code == 0 and plain.stdout == done.stdout
    monkeypatch.setattr(pieces, "put", real)
    assert plan(place, resume=True) == fresh
    with open_store(place) as store:
        assert [one.state for one in store.runs()] == ["complete", "interrupted", "interrupted"]


@pytest.mark.parametrize("command", [("plan",), ("year", *YEAR_WORDS)])
def test_what_is_no_store_is_refused_before_anything_runs(
    tmp_path: Path, command: tuple[str, ...], engine: Engine
) -> None:
    file, other = tmp_path / "some.yaml", tmp_path / "notes.txt"
    file.write_text(SMALL if command == ("plan",) else YEAR)
    other.write_text("not a store")
    for place, said in ((other, "is not a store"), (tmp_path, "found a folder"), (tmp_path / "no/x.db", "no folder")):
        done = CliRunner().invoke(cli, [command[0], str(file), *command[1:], "--store", str(place)])
        assert done.exit_code == 2 and said in done.stderr and done.stdout == "" and engine.runs == 0
    done = CliRunner().invoke(cli, [command[0], str(file), *command[1:], "--resume"])
    assert done.exit_code == 2 and "it needs --store" in done.stderr


def test_a_plan_that_is_refused_leaves_no_trace(place: Path) -> None:
    with pytest.raises(SysimError, match="found no slos"):
        plan(place, SMALL.replace("slos: {grade: {load: calls, success: 99%}}", ""))
    with open_store(place) as store:
        assert store.runs() == ()


@pytest.mark.parametrize("command", [("plan", "--no-day"), ("year", *YEAR_WORDS)])
def test_listed_and_shown_again(tmp_path: Path, place: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(SMALL if command[0] == "plan" else YEAR)
    store = ("--store", str(place))

    def invoke(*words: str, code: int | None = 0) -> Any:
        done = CliRunner().invoke(cli, words)
        assert code is None or done.exit_code == code, done.output
        return done

    first = invoke(command[0], str(file), *command[1:], *store, code=None)
    assert f"stored as run 1 in {place}\n" in first.stderr
    second = invoke(command[0], str(file), *command[1:], *store, "--resume", "--quiet", code=first.exit_code)
    assert second.stderr == "" and second.stdout != first.stdout
    for number in ("1", "2"):
        assert invoke("show", number, *store).stdout == first.stdout
    printed = invoke(command[0], str(file), *command[1:], "--json", *store, "--resume", code=first.exit_code)
    assert invoke("show", "last", "--json", *store).stdout == printed.stdout
    assert f"stored as run 3 in {place}, {stored(place)} runs of it stored before\n" == printed.stderr
    assert sysim.loads(invoke("show", "last", "--scenario", *store).stdout).digest == sysim.load(file).digest
    listed = invoke("runs", *store).stdout.splitlines()
    assert len(listed) == 4 and f" {command[0]} " in listed[1] and " complete " in listed[1]
    assert f" {stored(place)} " in listed[1]
    for words in (("compare", "1", "2"), ("report", "1", "--out", str(tmp_path / "r.html"))):
        refused = invoke(*words, *store, code=2)
        assert f"is a {command[0]}, expected a `sysim run`" in refused.stderr


def test_what_no_run_has_is_forgotten(place: Path, engine: Engine) -> None:
    plan(place)
    plan(place, resume=True, confidence=0.9)
    plan(place, seed=2)
    with open_store(place) as store:
        store.delete(1)
        assert rows(place, "select count(*) from pieces where id not in (select piece_id from run_pieces)") == [(0,)]
        left = stored(place)
        store.delete(3)
        assert 0 < stored(place) < left
        store.delete(2)
    assert stored(place) == 0
    assert rows(place, "pragma foreign_key_check") == []


def test_a_store_of_the_second_format_is_read_and_brought_up(place: Path) -> None:
    sysim.simulate(sysim.loads(SMALL), replications=2, store=place)
    with connected(place, isolation_level=None) as connection:
        connection.execute("drop table run_pieces")
        connection.execute("drop table pieces")
        connection.execute("pragma user_version = 2")
    connection.close()
    with open_store(place) as store:
        assert [(one.kind, one.replications) for one in store.runs()] == [("run", 2)]
    assert rows(place, "pragma user_version") == [(2,)], "reading changes nothing"
    plan(place)
    assert rows(place, "pragma user_version") == [(VERSION,)]
    with open_store(place) as store:
        assert [one.kind for one in store.runs()] == ["plan", "run"]
        store.delete(1)
    fresh = place.with_name("fresh.db")
    with Keeping(fresh):
        pass
    tables = "select name, sql from sqlite_master order by name"
    assert rows(place, tables) == rows(fresh, tables)


def test_deleting_from_a_store_of_the_second_format(place: Path) -> None:
    sysim.simulate(sysim.loads(SMALL), replications=1, store=place)
    with connected(place, isolation_level=None) as connection:
        connection.execute("drop table run_pieces")
        connection.execute("drop table pieces")
        connection.execute("pragma user_version = 2")
    connection.close()
    with open_store(place) as store:
        store.delete(1)
        assert store.runs() == ()


# --- processes that end in the middle ------------------------------------------------------------------------------

# Counts what an engine really runs, as the process may be killed: a line of a file for each run, written when it ends.
COUNTING = """
import sys
from sysim import running
real = running.run_of
def counting(engine):
    run = real(engine)
    def one(plan, **options):
        record = run(plan, **options)
        if plan.duration > 10**9:  # not the run with which an engine is made warm
            with open(sys.argv[1], "a") as log:
                log.write("one run\\n")
        return record
    return one
running.run_of = counting
from sysim.cli import cli
cli.main(sys.argv[2:], prog_name="sysim")
"""
COMMANDS = pytest.mark.parametrize(
    ("command", "text"), [(("plan", "--no-day"), SMALL), (("year", *YEAR_WORDS), YEAR)], ids=["plan", "year"]
)


def start(log: Path, *words: str) -> subprocess.Popen[str]:
    return started(COUNTING, str(log), *words)


def lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"


@POSIX
@COMMANDS
def test_killed_and_gone_on_with(tmp_path: Path, place: Path, log: Path, command: tuple[str, ...], text: str) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text)
    words = (command[0], str(file), *command[1:], "--json", "--workers")
    process = start(log, *words, "2", "--store", str(place), "--engine", "reference")  # which is slow enough
    until(place, 15, "run_pieces")
    process.send_signal(signal.SIGKILL)
    assert ended(process)[0] == -signal.SIGKILL
    kept, first = stored(place), lines(log)
    assert first - kept <= 2, "what was under way at the kill is all that is lost"
    assert rows(place, "pragma integrity_check") == [("ok",)] and rows(place, "pragma foreign_key_check") == []
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.kind, entry.state, entry.replications) == (command[0], "interrupted", kept)
    shown = CliRunner().invoke(cli, ["show", "last", "--store", str(place)])
    assert shown.exit_code == 2 and f"was killed before it had a result; {kept} runs are stored" in shown.stderr
    code, out, err = ended(start(log, *words, "1", "--store", str(place), "--resume"))
    assert f"stored as run 2 in {place}, {kept} runs of it stored before\n" in err
    assert lines(log) - first == stored(place) - kept > 0, "none is simulated again, and all others once"
    assert ended(start(log, *words, "2"))[:2] == (code, out), "the same bytes as without a kill and without a store"


@POSIX
@COMMANDS
@pytest.mark.parametrize("workers", ["2", pytest.param("1", marks=pytest.mark.long)])
def test_ctrl_c_is_one_line(
    tmp_path: Path, place: Path, log: Path, command: tuple[str, ...], text: str, workers: str
) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(text)
    words = (command[0], str(file), *command[1:], "--engine", "reference", "--workers", workers)
    process = start(log, *words, "--store", str(place))
    until(place, 15, "run_pieces")
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130 and out == ""
    said = err.strip().splitlines()
    assert len(said) == 1, err
    with open_store(place) as store:
        entry = store.entry("last")
        assert (entry.state, entry.exit_code) == ("interrupted", 130) and entry.replications >= 15
    # The run that was being stored when the signal came may not be counted yet.
    finished = int(said[0].split()[2])
    assert entry.replications - 2 <= finished <= entry.replications
    assert said[0].startswith(f"interrupted after {finished} runs, stored as run 1 in {place}; `sysim {command[0]} ")
    assert said[0].endswith(" --resume` goes on")
    shown = CliRunner().invoke(cli, ["show", "last", "--store", str(place)])
    assert "was interrupted before it had a result" in shown.stderr and "--resume` goes on" in shown.stderr


@POSIX
def test_ctrl_c_without_a_store_says_that_nothing_was_kept(tmp_path: Path, log: Path) -> None:
    import time

    file = tmp_path / "some.yaml"
    file.write_text(SMALL)
    process = start(log, "plan", str(file), "--engine", "reference", "--workers", "2")
    limit = time.monotonic() + 60
    while lines(log) < 10 and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert code == 130 and out == "" and len(err.splitlines()) == 1, err
    assert err.startswith("interrupted after ") and "of which nothing was kept: with --store PATH they are" in err
