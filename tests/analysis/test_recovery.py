"""Recovery and metastability, by the definitions of the contract."""

from __future__ import annotations

import pytest

from sysim.analysis.recovery import first_recovered, occurrences
from tests.result.fabricate import NS, PLAIN, Fabricator, fabricate


def _traffic(made: Fabricator, failing: tuple[float, float] | None = None, share: float = 1.0) -> None:
    """Ten requests a second; of those that arrive from..to a share fails."""
    for second in range(100):
        bad = round(10 * share) if failing and failing[0] <= second < failing[1] else 0
        made.request(second + 0.5, 0.01, times=10 - bad)
        made.request(second + 0.5, 0.01, "error", times=bad)


def test_recovery_counts_from_the_end_of_the_fault() -> None:
    made = fabricate(PLAIN)
    _traffic(made, (40, 50))
    made.fault(40, 43)
    found = made.run().recovery["users"]
    assert found.recovered_after_s == 7.0 and found.metastable is False


def test_a_load_that_never_suffered_recovers_at_once() -> None:
    made = fabricate(PLAIN)
    _traffic(made)
    made.fault(40, 43)
    assert made.run().recovery["users"].recovered_after_s == 0.0


def test_a_load_that_stays_down_is_metastable() -> None:
    made = fabricate(PLAIN)
    _traffic(made, (40, 100))
    made.fault(40, 43)
    found = made.run().recovery["users"]
    assert found.recovered_after_s is None and found.metastable is True


def test_with_too_little_time_left_it_is_not_decided() -> None:
    made = fabricate(PLAIN)
    _traffic(made, (40, 100))
    made.fault(40, 60)  # 40 s left, 200 s would be needed
    assert made.run().recovery["users"].metastable is None


def test_a_relapse_puts_recovery_off() -> None:
    made = fabricate(PLAIN)
    _traffic(made, (70, 72))
    made.fault(40, 43)
    assert made.run().recovery["users"].recovered_after_s == 29.0


def test_a_few_failures_are_no_relapse() -> None:
    made = fabricate(PLAIN)
    _traffic(made, (60, 62), share=0.2)  # 4 of 100 in ten seconds
    made.fault(40, 43)
    assert made.run().recovery["users"].recovered_after_s == 0.0


def test_without_a_fault_or_its_end_there_is_nothing_to_recover_from() -> None:
    made = fabricate(PLAIN)
    _traffic(made)
    assert made.run().recovery["users"].to_dict() == {"recovered_after_s": None, "metastable": None}
    made.fault(40, None)
    assert made.run().recovery["users"].metastable is None


def test_silence_is_no_recovery() -> None:
    made = fabricate(PLAIN)
    for second in range(40):
        made.request(second + 0.5, 0.01, times=10)
    made.fault(40, 43)
    found = made.run().recovery["users"]
    assert found.recovered_after_s is None and found.metastable is True


def test_a_crash_without_a_length_ends_when_its_replicas_are_up() -> None:
    made = fabricate(PLAIN)
    made.event(60, 0, 1, 1)
    made.replica(60, up=False, number=0)
    made.replica(65, up=True, number=0)
    (fault,) = occurrences(made.plan, made.record.events[: made.record.n_transitions])
    assert (fault.label, fault.kind, fault.begin, fault.end) == ("dead", "crash", 60 * NS, 65 * NS)


@pytest.mark.parametrize("hold", [10, 3])
def test_spans_are_whole_buckets_up_to_the_end(hold: int) -> None:
    import numpy as np

    edges = np.arange(20) * NS
    good = np.array([10] * 10 + [0] * 3 + [10] * 7)
    offered = np.full(20, 10)
    found = first_recovered(edges, good, offered, 0.95, 10 * NS, hold * NS, NS)
    assert found == (None if hold == 10 else 13 * NS)


def test_a_success_that_is_too_slow_for_an_slo_of_the_load_is_not_good() -> None:
    made = fabricate(PLAIN + "slos: {quick: {load: users, latency: {p99: 100ms}}}\n")
    for second in range(100):
        made.request(second + 0.5, 0.2 if 40 <= second < 60 else 0.1, times=10)
    made.fault(40, 43)
    assert made.run().recovery["users"].recovered_after_s == 17.0
    made = fabricate(PLAIN)
    for second in range(100):
        made.request(second + 0.5, 0.2 if 40 <= second < 60 else 0.1, times=10)
    made.fault(40, 43)
    assert made.run().recovery["users"].recovered_after_s == 0.0
