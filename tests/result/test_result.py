"""The JSON object, the summary over replications, the tables."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import sysim
from sysim.record.columns import SPAN_CALL, SPAN_REQUEST, SPAN_VISIT
from sysim.result import Table
from tests.result.fabricate import PLAIN, fabricate

KEYS = {
    "loads": {
        "offered", "ok", "degraded", "outcomes", "sent", "attempts", "amplification", "success",
        "offered_per_s",
        "goodput_per_s", "latency_s", "latency_all_s", "value_earned", "value_lost", "currency",
    },
    "services": {
        "arrivals", "completed", "rejected", "abandoned", "utilisation", "cpu_utilisation", "in_system_mean",
        "in_system_max", "in_system_max_at_s", "queue_mean", "wait_s", "sojourn_s", "wasted_s", "cost",
        "outcomes",
    },
    "calls": {
        "calls", "attempts", "sent", "retries", "hedges", "amplification", "outcomes",
        "attempt_outcomes", "breaker",
    },
}  # fmt: skip


def _made(failed: int = 0) -> object:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=10)
    made.request(20, 0.2, "error", times=failed)
    return made


def test_the_json_object_has_the_keys_of_the_contract() -> None:
    facts = json.loads(fabricate(PLAIN).result().to_json())
    assert set(facts) == {"format", "sysim", "scenario", "engine", "variant", "runs", "summary", "checks"}
    assert facts["format"] == 1 and facts["sysim"] == sysim.__version__
    run = facts["runs"][0]
    assert {
        "seed",
        "replication",
        "simulated_s",
        "events",
        "digest",
        "wall_s",
        "windows",
        "recovery",
        "actions",
    } <= set(run)
    assert list(run["windows"]) == ["all", "before", "after"]
    for window in run["windows"].values():
        for kind, keys in KEYS.items():
            for subject in window[kind].values():
                assert keys <= set(subject)
    assert set(run["windows"]["all"]["loads"]["users"]["latency_s"]) == {
        "mean", "variance", "p50", "p90", "p95", "p99", "p999", "max",
    }  # fmt: skip
    assert run["recovery"] == {"users": {"state": "inconclusive", "recovered_after_s": None, "metastable": None}}


def test_the_digest_is_the_record_s_as_unsigned_hex() -> None:
    made = fabricate(PLAIN)
    made.record.digest = -1
    assert made.run().digest == "ffffffffffffffff"


def test_series_come_on_request() -> None:
    result = fabricate(PLAIN).result()
    assert "series" not in result.to_dict()["runs"][0]
    series = result.to_dict(series=True)["runs"][0]["series"]
    assert series["bucket_s"] == 1 and len(series["t_s"]) == 100
    assert len(series["loads"]["users"]["done_ok"]) == len(series["services"]["api"]["busy"]) == 100


def test_the_summary_is_mean_and_student_t() -> None:
    made = [_made(failed) for failed in (0, 10, 30)]
    result = made[0].result(made[1].run(1), made[2].run(2))  # type: ignore[attr-defined]
    values = [1.0, 0.5, 0.25]
    mean = sum(values) / 3
    spread = math.sqrt(sum((x - mean) ** 2 for x in values) / 2)
    found = result.summary["all"]["loads"]["users"]["success"]
    assert found["mean"] == pytest.approx(mean)
    assert found["half_width_95"] == pytest.approx(4.302652729911275 * spread / math.sqrt(3))
    assert result.summary["all"]["loads"]["users"]["outcomes"]["error"]["mean"] == pytest.approx(40 / 3)
    assert "currency" not in result.summary["all"]["loads"]["users"]


def test_a_single_run_has_no_half_width() -> None:
    found = fabricate(PLAIN).result().summary["all"]["loads"]["users"]["offered"]
    assert found == {"mean": 0.0, "half_width_95": None}


def test_tables_have_a_row_for_each_window_and_replication() -> None:
    made = [_made(), _made()]
    result = made[0].result(made[1].run(1))  # type: ignore[attr-defined]
    rows = result.loads()
    assert len(rows) == 2 * 3 and {row["window"] for row in rows} == {"all", "before", "after"}
    assert {row["replication"] for row in rows} == {0, 1}
    assert rows[0]["load"] == "users" and rows[0]["latency_s_p99"] == pytest.approx(0.1, rel=0.005)
    assert (len(result.services()) == 12 and "breaker_opened" in result.calls()[0]) or result.calls()[0][
        "breaker"
    ] is None
    assert "<table>" in rows._repr_html_()


def test_html_escapes_and_shows_the_account() -> None:
    made = fabricate(PLAIN.replace("name: plain", "name: plain\ndescription: a <b> & c"))
    page = made.result()._repr_html_()
    assert "plain" in page and "<table>" in page and "success" in page
    assert Table([{"a": "<script>"}])._repr_html_().count("<script>") == 0


def test_a_result_cannot_be_changed() -> None:
    result = fabricate(PLAIN).result()
    with pytest.raises(AttributeError):
        result.engine = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.run.event_rows[...] = 0


def test_loads_by_name_and_metrics() -> None:
    result = _made(10).result()  # type: ignore[attr-defined]
    assert result.load().offered == 20 and result.load("users", "before").offered == 20
    assert result.metric("success", "users") == [0.5]


def test_traces_are_nested_by_their_keys() -> None:
    made = fabricate(PLAIN)
    made.record.spans = np.array(
        [
            [-5, 12, 11, SPAN_VISIT, 0, 0, 20_100_000_000, 20_200_000_000, 20_300_000_000, 0],
            [-5, 11, -5, SPAN_CALL, 0, -1, 20_000_000_000, -1, 20_400_000_000, 3],
            [-5, -5, 0, SPAN_REQUEST, 0, -1, 20_000_000_000, -1, 20_400_000_000, 3],
            [0] * 10,
        ]
    )
    made.record.n_spans = 3
    (trace,) = made.result().to_dict()["runs"][0]["traces"]
    assert [span["kind"] for span in trace["spans"]] == ["request", "call", "visit"]
    visit = trace["spans"][2]
    assert visit["replica"] == "api#0" and visit["start_s"] == 20.2 and visit["outcome"] == "ok"
    assert visit["parent"] == trace["spans"][1]["key"] and trace["spans"][1]["outcome"] == "timeout"


def test_transitions_are_told_by_name() -> None:
    made = fabricate(PLAIN)
    made.fault(40, 43)
    made.replica(60, up=False)
    made.breaker(61, 1)
    told = [(t.at_s, t.kind, t.what) for t in made.run().transitions]
    assert told == [
        (40, "fault", "begins"), (43, "fault", "ends"), (60, "replica", "down"), (61, "breaker", "open"),
    ]  # fmt: skip


def test_a_load_knows_its_amplification_and_goodput() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=60)
    result = made.result()
    stats, told = result.load("users", "before"), result.window("before").to_dict()["loads"]["users"]
    assert stats.goodput == told["goodput_per_s"] == 60 / stats.length_s
    assert stats.amplification == told["amplification"]
