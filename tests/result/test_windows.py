"""Every number of a window, on records whose content is known."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from sysim.plan.tables import OUTCOMES
from sysim.record.columns import SC_BUSY, SC_CPU, SC_IN_SYSTEM, SC_PAID, SC_QUEUE, SC_UP
from tests.result.fabricate import NS, PLAIN, fabricate


def test_requests_are_counted_by_arrival_and_the_warm_up_is_left_out() -> None:
    made = fabricate(PLAIN)
    made.request(5, 0.1, times=100)  # in the warm-up
    made.request(20, 0.1, times=3)
    made.request(20, 40, "timeout", times=2)  # ends in another window
    made.request(60, 0.2, "degraded")
    run = made.run()
    everything, before, after = (run.windows[name].loads["users"] for name in ("all", "before", "after"))
    assert (everything.offered, before.offered, after.offered) == (6, 5, 1)
    assert before.outcomes["timeout"] == 2 and before.ok == 3 and after.degraded == 1
    assert set(everything.outcomes) == set(OUTCOMES)
    assert sum(everything.outcomes.values()) == everything.offered
    assert everything.success == pytest.approx(4 / 6)
    facts = before.to_dict()
    assert facts["goodput_per_s"] == pytest.approx(3 / 30) and facts["offered_per_s"] == pytest.approx(5 / 30)


def test_moments_are_exact_and_percentiles_within_half_a_percent() -> None:
    made = fabricate(PLAIN)
    rng = np.random.default_rng(7)
    values = np.exp(rng.normal(-4, 1.5, 3_000))
    for at, took in zip(rng.uniform(10, 100, 3_000), values, strict=True):
        made.request(float(at), float(took))
    exact = [Fraction(round(float(v) * NS), NS) for v in values]
    mean = sum(exact) / len(exact)
    variance = sum(x * x for x in exact) / len(exact) - mean * mean
    latency = made.run().windows["all"].loads["users"].latency
    assert latency.mean == float(mean) and latency.variance == pytest.approx(float(variance), rel=1e-14)
    assert latency.max == float(max(exact))
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
        truth = float(np.quantile(values, share, method="inverted_cdf"))
        assert getattr(latency, name) == pytest.approx(truth, rel=0.005), name


def test_a_constant_latency_has_no_percentile_above_its_maximum() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=10)
    latency = made.run().windows["all"].loads["users"].latency
    assert latency.variance == 0.0 and latency.mean == latency.max == 0.1
    assert latency.p999 is not None and 0.0995 <= latency.p999 <= 0.1


def test_huge_times_do_not_overflow() -> None:
    made = fabricate(PLAIN)
    for at in (20, 20, 20, 60, 60, 60):
        made.request(at, 2_000_000_000.0)  # 63 years: the sum over the windows does not fit 64 bits
    latency = made.run().windows["all"].loads["users"].latency
    assert latency.mean == 2e9 and latency.variance == 0.0


def test_latency_of_successes_and_of_everything() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=3)
    made.request(20, 1.0, "timeout")
    load = made.run().windows["all"].loads["users"]
    assert load.latency.n == 3 and load.latency.max == 0.1
    assert load.latency_all.n == 4 and load.latency_all.mean == pytest.approx(1.3 / 4)


def test_no_data_is_null_and_never_nan() -> None:
    result = fabricate(PLAIN).result()
    facts = json.loads(result.to_json(series=True))
    window = facts["runs"][0]["windows"]["all"]
    load = window["loads"]["users"]
    assert load["success"] is None and load["amplification"] is None and load["latency_s"]["p99"] is None
    assert load["offered_per_s"] == 0 and load["value_earned"] == 0
    service = window["services"]["api"]
    assert service["in_system_max_at_s"] is None and service["queue_full"] is None
    assert service["wait_s"]["mean"] is None and service["utilisation"] is None


def test_money() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=10)
    made.request(20, 0.1, "degraded", times=4)
    made.request(20, 0.1, "error", times=3)
    load = made.run().windows["all"].loads["users"]
    assert load.value_earned == 10 * 2 + 4 * 0.5
    assert load.value_lost == 3 * 2 + 4 * 1.5
    assert load.value_earned + load.value_lost == 17 * 2
    assert load.currency == "GBP"


def test_services() -> None:
    made = fabricate(PLAIN)
    api = made.plan.names.services.index("api")
    made.visit(20, 0.5, 0.7, service=api)
    made.visit(20, 0.0, 0.1, "error", service=api, gone=True)
    made.visit(60, 0.0, 0.0, "rejected", service=api)
    for column, level in (
        (SC_IN_SYSTEM, 3.0),
        (SC_QUEUE, 1.5),
        (SC_BUSY, 1.5),
        (SC_UP, 2.0),
        (SC_PAID, 3.0),
        (SC_CPU, 1_000.0),
    ):
        made.level(column, level, api)
    made.waste(20, 0.25, api)
    made.peak(1, 7, 22.0, api)
    made.peak(2, 9, 41.0, api)
    made.queue_full(60, 61, 5, api)
    windows = made.run().windows
    stats = windows["all"].services["api"]
    assert (stats.arrivals, stats.completed, stats.rejected, stats.abandoned) == (3, 1, 1, 1)
    assert stats.outcomes["error"] == 1 and set(stats.outcomes) == set(OUTCOMES)
    assert stats.in_system_mean == pytest.approx(3.0) and stats.queue_mean == pytest.approx(1.5)
    assert stats.utilisation == pytest.approx(1.5 / (2 * 2.0))
    assert stats.cpu_utilisation == pytest.approx(1.0 / (4 * 2.0))
    assert stats.cost == pytest.approx(0.5 * 3 * 90 / 3600) and stats.currency == "USD"
    assert (stats.in_system_max, stats.in_system_max_at_s) == (9, 41.0)
    assert windows["before"].services["api"].in_system_max == 7
    assert stats.wasted_s == 0.25 and windows["after"].services["api"].wasted_s == 0.0
    assert stats.wait.mean == pytest.approx(0.5 / 3) and stats.sojourn.max == 0.7
    assert stats.queue_full is not None and stats.queue_full.to_dict() == {
        "first_s": 60,
        "last_s": 61,
        "count": 5,
    }
    db = windows["all"].services["db"]
    assert db.utilisation is None and db.cost is None


def test_calls_and_their_breakers() -> None:
    made = fabricate(PLAIN)
    stat = made.plan.names.stats.index("api.get -> db.read")
    for _ in range(3):
        made.call(20, tries=("ok",), stat=stat)
    made.call(20, "error", ("timeout", "error", "circuit_open"), stat, local=1)
    made.opened(25, 15.0, stat)
    made.opened(30, -1e-9, stat)
    made.closed(35, 10.0, stat)
    windows = made.run().windows
    stats = windows["all"].calls["api.get -> db.read"]
    facts = stats.to_dict()
    assert (stats.calls, stats.attempts, stats.sent, stats.retries) == (4, 6, 5, 2)
    assert facts["amplification"] == 5 / 4
    assert sum(facts["outcomes"].values()) == 4 and sum(facts["attempt_outcomes"].values()) == 6
    assert facts["breaker"] == {
        "opened": 2, "admitted_fraction": pytest.approx(5 / 6), "closed_s_mean": 15.0, "open_s_mean": 10.0,
    }  # fmt: skip
    assert windows["all"].calls["users -> api.get"].to_dict()["breaker"] is None


def test_amplification_of_a_load_is_that_of_its_own_calls() -> None:
    made = fabricate(PLAIN)
    stat = made.plan.names.stats.index("users -> api.get")
    made.request(20, 0.1, times=2)
    made.call(20, tries=("timeout", "timeout", "ok"), stat=stat)
    made.call(20, tries=("ok",), stat=stat)
    facts = made.run().windows["all"].loads["users"].to_dict()
    assert (facts["sent"], facts["attempts"], facts["amplification"]) == (4, 4, 2.0)


MIX = """
sysim: 1
time: {duration: 10s, bucket: 1s}
services:
  web: {operations: {a: [{work: 1ms}], b: [{work: 1ms}]}}
load:
  mixed: {mix: {web.a: 50%, web.b: 50%}, rate: 10/s}
  trip: {users: 2, think: 1s, journey: [
    {call: web.a, value: 1 EUR}, {call: web.b}, {call: web.a, name: again, value: 3 EUR}]}
"""


def test_a_load_is_the_sum_of_its_streams_and_reports_each_operation() -> None:
    made = fabricate(MIX)
    streams = made.plan.names.streams
    first_of_trip = next(i for i, name in enumerate(streams) if name.startswith("trip"))
    made.request(1, 0.1, stream=0, times=3)
    made.request(1, 0.3, "error", stream=1, times=2)
    for stream in range(first_of_trip, first_of_trip + 3):
        made.request(2, 0.1, stream=stream)
    loads = made.run().windows["all"].loads
    assert loads["mixed"].offered == 5 and loads["mixed"].operations["web.b"].outcomes["error"] == 2
    assert loads["mixed"].operations["web.a"].latency.n == 3 and loads["mixed"].latency_all.n == 5
    trip = loads["trip"]
    assert trip.offered == 3 and trip.value_earned == 4.0 and trip.currency == "EUR"
    assert trip.operations["web.a"].offered == 2 and trip.operations["web.a"].value_earned == 4.0
    labels = [label for label in made.run().windows["all"].calls if label.startswith("trip")]
    assert sorted(labels) == ["trip -> web.a", "trip -> web.b"]


def test_buckets_sum_to_windows() -> None:
    made = fabricate(PLAIN)
    rng = np.random.default_rng(3)
    stat = made.plan.names.stats.index("users -> api.get")
    for at in rng.uniform(0, 100, 400):
        made.request(float(at), float(rng.exponential(2.0)), str(rng.choice(["ok", "error", "timeout"])))
        made.call(float(at), stat=stat)
        made.visit(float(at), 0.1, 0.2)
    made.level(SC_IN_SYSTEM, 2.5)
    run = made.run()
    for name, window in run.windows.items():
        chosen = (run.series.t >= window.from_s) & (run.series.t < window.to_s)
        for outcome in OUTCOMES:
            assert run.series.loads["users"][outcome][chosen].sum() == window.loads["users"].outcomes[outcome]
        assert run.series.loads["users"]["offered"][chosen].sum() == window.loads["users"].offered
        assert (
            run.series.calls["users -> api.get"]["calls"][chosen].sum()
            == window.calls["users -> api.get"].calls
        )
        assert run.series.services["api"]["arrivals"][chosen].sum() == window.services["api"].arrivals, name
        assert run.series.services["api"]["in_system"][chosen].mean() == pytest.approx(2.5)
    assert run.series.loads["users"]["done"].sum() <= 400
    assert (run.series.loads["users"]["done_ok"] <= run.series.loads["users"]["done"]).all()


def test_a_scenario_without_load_has_a_result() -> None:
    import sysim

    text = "sysim: 1\ntime: {duration: 2s, bucket: 1s}\nservices: {s: {operations: {o: [{work: 1ms}]}}}\n"
    result = sysim.simulate(sysim.loads(text), engine="reference")
    assert not result.windows["all"].loads and not result.windows["all"].calls
    assert result.windows["all"].services["s"].arrivals == 0 and result.to_json(series=True)
