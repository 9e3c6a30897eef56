"""What became of a load, in one word: by hand, and in runs on either side of the published boundary."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sysim
from sysim.analysis.recovery import Occurrence, Recovery
from sysim.analysis.stability import STATES, Counts, State, classify, worst
from tests.study.storm import ATTEMPTS, MU, storm

NS = 1_000_000_000
N = 60
PLAN: Any = SimpleNamespace(duration=N * NS, bucket_ns=NS, warmup=0)
FAULT = Occurrence("stall", 0, "pause", 20 * NS, 22 * NS)
FOR_EVER = Occurrence("stall", 0, "pause", 20 * NS, None)
BACK, DOWN, OPEN = Recovery(5.0, False, 22.0, 38.0), Recovery(None, True, 22.0, 38.0), Recovery(None, None, 22.0, 38.0)
NEVER_ENDED = Recovery(None, None)


def word(
    good: list[tuple[int, int, int]],
    faults: tuple[Occurrence, ...] = (FAULT,),
    recovery: Recovery = BACK,
    full: list[tuple[int, int, int]] | None = None,
    ended: list[tuple[int, int, int]] | None = None,
) -> State:
    """The state where 100 requests arrive a second; (from, to, how many of them) are good, 100 elsewhere."""

    def column(spans: list[tuple[int, int, int]] | None) -> np.ndarray[Any, np.dtype[np.int64]]:
        values = np.full(N, 100, dtype=np.int64)
        for begin, end, number in spans or []:
            values[begin:end] = number
        return values

    starts = np.arange(N, dtype=np.int64) * NS
    # what arrives before the fault ends well or badly where it arrives; `ended` says how many end at all
    ends = column(ended)
    found = Counts(
        starts, column(None), column(good), column(good if full is None else full), ends, np.minimum(ends, column(good))
    )
    return classify(PLAN, found, faults, recovery)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (word([]), "healthy"),
        (word([(20, 22, 90)]), "healthy"),  # 2 % of a span of ten seconds
        (word([(20, 25, 0)]), "recovered"),
        (word([(20, 60, 0)], recovery=DOWN), "metastable"),
        (word([(20, 60, 50)], recovery=DOWN), "metastable"),
        (word([(20, 60, 0)], recovery=OPEN), "inconclusive"),
        (word([(20, 60, 0)], faults=(FOR_EVER,), recovery=NEVER_ENDED), "degraded"),
        (word([], faults=(FOR_EVER,), recovery=NEVER_ENDED), "healthy"),
        (word([], full=[(20, 40, 0)]), "degraded"),  # all are answered, but not in full
        (word([(0, 60, 80)]), "healthy"),  # not good, but no worse than before
        (word([], faults=()), "healthy"),
        (word([(0, 60, 90)], faults=()), "degraded"),
        (word([(0, 60, 30)], faults=()), "unstable"),
        (word([(0, 20, 30)]), "unstable"),
        (word([(10, 20, 60)]), "unstable"),
        (word([], ended=[(10, 20, 80)]), "unstable"),  # a fifth of what arrives piles up
        (word([], ended=[(10, 20, 98)]), "healthy"),
        (word([(30, 60, 40)], faults=()), "unstable"),  # it went down with nothing to blame
    ],
)
def test_by_hand(found: State, expected: State) -> None:
    assert found == expected


def test_chance_is_no_trend() -> None:
    """Four requests, of which the last two fail, show nothing."""
    few = np.zeros(N, dtype=np.int64)
    few[[1, 5, 12, 18]] = 1
    good = few.copy()
    good[[12, 18]] = 0
    counts = Counts(np.arange(N, dtype=np.int64) * NS, few, good, good, few, good)
    assert classify(PLAN, counts, (FAULT,), NEVER_ENDED) != "unstable"


def test_victims_of_the_fault_that_arrived_before_it_say_nothing() -> None:
    """Of the requests of the last three seconds before, nearly all fail, for they are under way when it strikes."""
    good = np.full(N, 100, dtype=np.int64)
    good[17:25] = 5
    ended, ended_good = np.full(N, 100, dtype=np.int64), np.full(N, 100, dtype=np.int64)
    ended[17:20], ended_good[17:20] = 97, 97
    ended_good[20:25] = 0
    counts = Counts(np.arange(N, dtype=np.int64) * NS, np.full(N, 100, dtype=np.int64), good, good, ended, ended_good)
    assert classify(PLAN, counts, (FAULT,), BACK) == "recovered"


def test_the_bookmaker_is_no_false_alarm() -> None:
    """With four seconds before the fault, a twelfth of the bets of the last of them are its victims."""
    changes: dict[str, Any] = {
        "time": {"duration": "24s", "warmup": "4s", "bucket": "1s"},
        "faults": [{"at": "8s", "for": "5s", "on": "wallet_db", "pause": True}],
    }
    result = sysim.simulate(sysim.load("bookmaker", set=changes), replications=3)
    assert not [run.states for run in result.runs if "unstable" in run.states.values()]


def test_nothing_to_compare_with_decides_nothing() -> None:
    at_once = Occurrence("stall", 0, "pause", 0, 2 * NS)
    unjudged = Recovery(None, None, 2.0, 58.0, judged=False)
    assert word([(0, 60, 0)], faults=(at_once,), recovery=unjudged) == "inconclusive"


def test_a_run_is_as_bad_as_its_worst_load() -> None:
    assert worst(["healthy", "recovered"]) == "recovered"
    assert worst(["metastable", "degraded"]) == "metastable"
    assert worst([]) == "healthy"
    assert worst(STATES) == "unstable"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.85, 1.3, 2.0, 2.6])
def test_on_either_side_of_the_published_boundary(share: float) -> None:
    """lam (1 + r) = mu divides the stalls that heal from those that do not."""
    rate = share * MU / ATTEMPTS
    result = sysim.simulate(
        storm(load__clients__rate=f"{rate}/s", faults__stall__for="3s", time__duration="120s"), replications=3
    )
    expected = "recovered" if share < 1 else "metastable"
    assert [run.state for run in result.runs] == [expected] * 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"load__clients__rate": "60/s"}, "unstable"),
        ({"faults__stall__for": "100ms"}, "healthy"),
        ({"load__clients__policy__retry__max_attempts": 1}, "recovered"),
        ({"time__duration": "25s"}, "inconclusive"),
        ({"faults__stall": None}, "healthy"),
        ({"faults__stall__for": None}, "degraded"),
    ],
)
def test_a_run_says_its_word(changes: dict[str, Any], expected: State) -> None:
    result = sysim.simulate(storm(**changes))
    assert result.run.states == {"clients": expected}
    assert result.to_dict()["runs"][0]["recovery"]["clients"]["state"] == expected
