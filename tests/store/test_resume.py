"""Going on where it stopped: the same result as without a stop, and nothing simulated twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim import running
from sysim.store import Keeping, open_store
from tests.store.same import canonical, differs, timeless
from tests.store.sql import connected
from tests.study.files import STALL


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Seed and replication of every run that an engine really made."""
    made: list[tuple[int, int]] = []
    real = running.run_of

    def counting(engine: running.Engine) -> Callable[..., Any]:
        run = real(engine)

        def one(plan: Any, seed: int, replication: int, **options: Any) -> Any:
            made.append((seed, replication))
            return run(plan, seed=seed, replication=replication, **options)

        return one

    monkeypatch.setattr(running, "run_of", counting)
    return made


def run(place: Path | None, text: str = STALL, engine: Any = "reference", **options: Any) -> sysim.Result:
    return sysim.simulate(sysim.loads(text), engine=engine, store=place, **options)


def study(place: Path | Keeping | None, text: str = STALL, **options: Any) -> sysim.Study:
    return sysim.check(sysim.loads(text), **{"engine": "reference", **options}, store=place)


def same(a: sysim.Result | sysim.Study, b: sysim.Result | sysim.Study) -> None:
    assert canonical(timeless(a.to_dict(series=True))) == canonical(timeless(b.to_dict(series=True)))


@pytest.mark.parametrize("workers", [1, 3])
def test_more_replications_of_the_same_run(place: Path, simulated: list[tuple[int, int]], workers: int) -> None:
    first = run(place, replications=3)
    simulated.clear()
    more = run(place, replications=5, resume=True, workers=workers)
    assert sorted(n for _, n in simulated if _ == 1) in ([3, 4], [0, 3, 4]), "0 is the warm-up of threads"
    whole = run(None, replications=5)
    same(more, whole)
    for a, b in zip(more.runs[:3], first.runs, strict=True):
        assert differs(a, b) is None
    with connected(place) as connection:
        assert connection.execute("select count(*) from replications").fetchone() == (5,)
        assert connection.execute("select count(*) from run_replications").fetchone() == (8,)


def test_without_resume_all_is_simulated_again(place: Path, simulated: list[tuple[int, int]]) -> None:
    run(place, replications=2)
    run(place, replications=2)
    assert len(simulated) == 4


def test_the_other_engine_goes_on(place: Path) -> None:
    run(place, replications=2)
    mixed = run(place, replications=3, engine="compiled", resume=True)
    same(mixed, run(None, replications=3, engine="compiled"))


RENAMED = STALL.replace("{web:", "{shop:").replace("(web)", "(shop)").replace("load.web", "load.shop")
CHANGED = [
    ("the seed", {"seed": 2}, STALL),
    ("traces", {"traces": 2}, STALL),
    ("a value", {}, STALL.replace("rate: 40/s", "rate: 41/s")),
    ("a window", {}, STALL.replace("after: 6s..", "after: 7s..")),
    ("the name of a load", {}, RENAMED),
    ("the name of a fault", {}, STALL.replace("name: stall, at", "name: halt, at")),
    ("the value of a request", {}, STALL.replace("2 GBP", "3 GBP")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "options", "text"), CHANGED, ids=[what for what, _, _ in CHANGED])
def test_another_question_is_not_answered_from_the_store(
    place: Path, simulated: list[tuple[int, int]], what: str, options: dict[str, Any], text: str
) -> None:
    run(place, replications=2)
    simulated.clear()
    found = run(place, text, replications=2, resume=True, **options)
    assert len(simulated) == 2, what
    same(found, run(None, text, replications=2, **options))


def test_what_changes_no_run_is_answered_from_the_store(place: Path, simulated: list[tuple[int, int]]) -> None:
    run(place, replications=2)
    simulated.clear()
    text = STALL.replace("name: stall\n", "name: another\n").replace(">= 60%", ">= 99.9%")
    found = run(place, text, replications=2, resume=True)
    assert simulated == []
    same(found, run(None, text, replications=2))


def test_another_version_is_not_answered_from_the_store(
    place: Path, simulated: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(place, replications=2)
    simulated.clear()
    monkeypatch.setattr(sysim, "__version__", "0.0.1")
    run(place, replications=2, resume=True)
    assert len(simulated) == 2


def test_generators_of_the_user_are_never_answered_from_the_store(
    place: Path, simulated: list[tuple[int, int]]
) -> None:
    def idle(world: Any) -> Any:
        yield world.sleep("1s")

    run(place, replications=1, processes=[idle])
    run(place, replications=1, processes=[idle], resume=True)
    run(place, replications=1, resume=True)
    assert len(simulated) == 3


# --- studies -------------------------------------------------------------------------------------------------------


class Enough(Exception):
    """Ends a study in the middle."""


def stopped_after(place: Path, count: int, how: type[BaseException], **options: Any) -> None:
    """A study that ends after so many replications were stored."""
    with Keeping(place) as keeping:
        left, keep = [count], keeping.keep

        def kept(variant: str, run: Any) -> None:
            keep(variant, run)
            left[0] -= 1
            if left[0] == 0:
                raise how

        keeping.keep = kept  # type: ignore[method-assign]
        if how is KeyboardInterrupt:
            assert study(keeping, **options).interrupted
        else:
            with pytest.raises(how):
                study(keeping, **options)


@pytest.mark.parametrize(
    ("how", "count", "workers"),
    [
        (KeyboardInterrupt, 1, 1),
        pytest.param(Enough, 17, 1, marks=pytest.mark.long),
        pytest.param(KeyboardInterrupt, 31, 2, marks=pytest.mark.long),
    ],
)
def test_a_sequential_study_goes_on(
    place: Path, simulated: list[tuple[int, int]], how: type[BaseException], count: int, workers: int
) -> None:
    options = {"max_replications": 25, "precision": 0.05, "workers": workers}
    stopped_after(place, count, how, **options)
    with open_store(place) as store:
        assert store.entry(1).state == "interrupted" and store.entry(1).asked is None
    simulated.clear()
    found = study(place, resume=True, **options)
    again = len(simulated)
    simulated.clear()
    whole = study(None, **options)
    same(found, whole)
    assert found.verdicts == whole.verdicts and found.sentences == whole.sentences
    assert found.reason == whole.reason and found.replications == whole.replications > 10
    assert again == len(simulated) - count if workers == 1 else again < len(simulated)
    with open_store(place) as store:
        assert canonical(store.load("last", series=False)["result"]) == canonical(found.to_dict())
        assert store.entry("last").state == "complete"


def test_a_study_and_a_run_share_replications(place: Path, simulated: list[tuple[int, int]]) -> None:
    study(place, replications=22, variants=["baseline"])
    simulated.clear()
    found = run(place, replications=22, resume=True)
    assert [n for _, n in simulated] == [20, 21], "a study keeps the series of the first 20, and a run needs them"
    same(found, run(None, replications=22))
    simulated.clear()
    with_series = study(place, replications=22, variants=["baseline"], resume=True)
    assert simulated == []
    same(with_series, study(None, replications=22, variants=["baseline"]))


def test_abort_when_holds_in_a_stored_run_too(place: Path) -> None:
    text = STALL + "abort_when:\n  - success(web) < 99.9%\n"
    first = study(place, text, replications=4)
    assert first.abort is not None
    second = study(place, text, replications=4, resume=True)
    same(first, second)
    with open_store(place) as store:
        assert [entry.verdict for entry in store.runs()] == ["aborted", "aborted"]
