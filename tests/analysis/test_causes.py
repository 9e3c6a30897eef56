"""What is said of causes: they add up, and the sentences name the place where failures began."""

from __future__ import annotations

import itertools
import random

import pytest

import sysim
from sysim.analysis.causes import WORDS, by_service, origins, sentence
from sysim.plan.tables import OUTCOMES
from sysim.result.failures import Cause, Failures, merged
from sysim.semantics.causes import MECHANISMS
from tests.agreement.generate import scenario


def test_every_mechanism_has_words() -> None:
    assert set(WORDS) == set(MECHANISMS)


def some(count: int, service: str = "db", mechanism: str = "queued", **flags: bool) -> Failures:
    return Failures(Cause(service, mechanism, f"a -> {service}.x", **flags), "timeout", count)


def test_origins_add_up_whatever_they_are_made_of() -> None:
    draw = random.Random(3)
    rows = [
        Failures(Cause(service, mechanism, "a -> b.c", *flags), draw.choice(OUTCOMES[2:]), draw.randrange(1, 99))
        for service, mechanism, flags in itertools.product(
            "xyz", MECHANISMS, itertools.product((False, True), repeat=3)
        )
    ]
    found = origins(rows)
    assert sum(origin.count for origin in found) == sum(row.count for row in rows)
    assert sum(origin.share for origin in found) == pytest.approx(1.0)
    assert sum(sum(origin.outcomes.values()) for origin in found) == sum(row.count for row in rows)
    assert list(found) == sorted(found, key=lambda origin: -origin.count)
    assert sum(by_service(found).values()) == pytest.approx(1.0)
    assert sum(row.count for row in merged(rows + rows)) == 2 * sum(row.count for row in rows)


def test_the_sentence_of_one_origin() -> None:
    found = origins([some(90, disturbed=True, queued=True), some(10, disturbed=True)])
    assert sentence("web", found) == (
        "The 100 failures of web began at db (more requests than it could work off, while a fault was at work). 90.0 %"
        " of them had not got that far: they waited in a queue, or found it full, behind requests that were stuck"
        " there."
    )


def test_the_sentence_of_several() -> None:
    three = [some(60), some(30, "pay", "network"), some(10, "pay", "crashed", breaker=True)]
    assert sentence("web", origins(three)) == (
        "Of the 100 failures of web, 60.0 % began at db (more requests than it could work off), 30.0 % at pay (messages"
        " late or lost on the way) and 10.0 % at pay (its crash). 10.0 % were refused by a circuit breaker which such"
        " failures had opened."
    )
    assert sentence(None, origins([some(75), some(25, mechanism="queue_full")])) == (
        "Of the 100 failures, 100 % began at db: 75.0 % by more requests than it could work off and 25.0 % by a full"
        " queue."
    )
    assert sentence("web", origins([some(1, mechanism="shed")])) == (
        "The failure of web began at db (its shedding of requests)."
    )
    assert sentence("web", ()) == ""


@pytest.mark.parametrize("number", range(50_000, 50_030))
def test_causes_of_generated_scenarios_sum_to_the_failures_in_every_window(number: int) -> None:
    result = sysim.simulate(sysim.loads(scenario(random.Random(number))), seed=number)
    for window in result.windows.values():
        for stats in window.loads.values():
            assert sum(some.count for some in stats.failures) == stats.offered - stats.ok - stats.degraded
            for outcome, count in stats.outcomes.items():
                if outcome not in ("ok", "degraded"):
                    assert sum(some.count for some in stats.failures if some.outcome == outcome) == count
            for part in stats.operations.values():
                assert sum(some.count for some in part.failures) == part.offered - part.ok - part.degraded
