"""The account in plain English: it tells what happened, in order, and nothing that did not."""

from __future__ import annotations

from sysim.analysis import words
from tests.result.fabricate import PLAIN, Fabricator, fabricate


def _storm(until: int = 100) -> Fabricator:
    made = fabricate(PLAIN)
    stat = made.plan.names.stats.index("users -> api.get")
    for second in range(100):
        down = 40 <= second < until
        made.request(second + 0.5, 0.1, "timeout" if down else "ok", times=10)
        made.call(second + 0.5, tries=("timeout",) * 3 if down else ("ok",), stat=stat)
    made.fault(40, 43)
    return made


def test_a_system_that_stays_down() -> None:
    text = _storm().result().account
    assert "At 40 s the fault stall (pause) strikes for 3 s." in text
    assert "0 % failed before the fault, 100 % while it lasted and 100 % afterwards (all by timeout)" in text
    assert "Goodput of users is still zero 57 s after the 3 s stall ended" in text
    assert "does not recover by itself" in text
    assert "sent 3.00 times (1.00 before)" in text
    assert "This is one run with one seed" in text


def test_a_system_that_comes_back() -> None:
    text = _storm(48).result().account
    assert "users is back to normal 5 s after the fault ended." in text and "by itself" not in text


def test_the_order_of_events() -> None:
    made = _storm(48)
    made.replica(44, up=False)
    made.breaker(41, 1)
    made.breaker(47, 1)
    made.queue_full(42, 46, 7)
    text = made.result().account
    told = ["the fault stall", "a circuit breaker of", "the queue of api is full", "api#0 crashes"]
    places = [text.index(part) for part in told]
    assert places == sorted(places)
    assert "(2 openings in all)" in text and "turns away 7 requests until 46 s" in text


def test_without_faults_it_is_short() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=10)
    text = made.result().account
    assert text.startswith("No request of users failed; the median success took 99.9 ms")  # a bin's middle
    assert "fault" not in text and "cost" not in text


def test_money_is_told() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=8)
    made.request(20, 0.1, "error", times=2)
    text = made.result().account
    assert (
        "Of the 10 requests of users, 20.0 % failed (all by error)" in text
        and "Failures cost 4.00 GBP." in text
    )


def test_replications_are_counted() -> None:
    text = _storm().result(_storm(48).run(1)).account
    assert "(so in 1 of 2 replications)" in text and "Told of the first of 2 replications." in text


def test_words() -> None:
    assert [words.span(x) for x in (0.0, 2e-7, 0.0125, 0.9999, 3.0, 130.0, 7200.0, 90_000.0, 400_000.0)] == [
        "0 s", "0.2 µs", "12.5 ms", "1 s", "3 s", "2 min 10 s", "2 h", "25 h", "4 d 15 h",
    ]  # fmt: skip
    assert [words.percent(x) for x in (0.0, 1e-9, 0.001, 0.5, 0.9999999, 1.0, None)] == [
        "0 %", "<0.01 %", "0.10 %", "50.0 %", ">99.99 %", "100 %", "–",
    ]  # fmt: skip
    assert words.listed(["a", "b", "c"]) == "a, b and c" and words.count(1234567.0) == "1,234,567"
