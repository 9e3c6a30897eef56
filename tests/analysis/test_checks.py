"""Verdicts: single runs, intervals, booleans, missing data."""

from __future__ import annotations

import pytest

from sysim.analysis.checks import exit_code, judge, judge_all
from sysim.analysis.metrics import NoSuchMetric, value
from sysim.analysis.statistics import half_width, share_interval, t_quantile
from sysim.model import Check
from sysim.result import Run
from tests.result.fabricate import PLAIN, Fabricator, fabricate


def _run(failed: int, replication: int = 0) -> Run:
    made = fabricate(PLAIN)
    made.request(20, 0.1, times=100 - failed)
    made.request(20, 0.5, "timeout", times=failed)
    made.request(60, 0.1, times=50)
    return made.run(replication)


def _check(
    metric: str = "success", op: str | None = ">=", value: float | None = 0.9, **more: object
) -> Check:
    return Check.model_validate(
        {"text": "…", "metric": metric, "subject": "users", "window": "before", "op": op, "value": value}
        | more
    )


def test_a_single_replication_is_judged_by_its_value_and_says_so() -> None:
    good, bad = judge(_check(), [_run(5)], None), judge(_check(), [_run(20)], None)
    assert (good.verdict, bad.verdict) == ("pass", "fail")
    assert good.value == 0.95 and good.interval is None and good.note == "single replication"


def test_several_replications_are_judged_by_their_interval() -> None:
    runs = [_run(failed, i) for i, failed in enumerate((4, 5, 6))]
    found = judge(_check(), runs, None)
    assert found.verdict == "pass" and found.value == pytest.approx(0.95)
    half = half_width([0.96, 0.95, 0.94])
    assert half is not None and found.interval == pytest.approx((0.95 - half, 0.95 + half))
    assert judge(_check(value=0.94), runs, None).verdict == "inconclusive"
    assert judge(_check(value=0.99), runs, None).verdict == "fail"
    assert judge(_check(value=0.99, negated=True), runs, None).verdict == "pass"


def test_a_share_of_another_window() -> None:
    check = _check("goodput", ">=", 0.5, window="after", of_window="before")
    # 50 in 50 s against 100 in 30 s
    assert judge(check, [_run(0)], None).value == pytest.approx((50 / 50) / (100 / 30))
    assert judge(check, [_run(0)], None).verdict == "fail"


def test_a_metric_without_data_fails() -> None:
    found = judge(_check("p99", "<", 1.0), [_run(100)], None)
    assert found.verdict == "fail" and found.note == "no data" and found.value is None
    some = judge(_check("p99", "<", 1.0), [_run(0), _run(100, 1)], None)
    assert some.verdict == "fail" and some.note == "no data in 1 of 2 replications"
    assert judge(_check("opened", ">", 0, subject="db -> api"), [_run(0)], None).verdict == "fail"


def _stuck(metastable: bool, replication: int = 0) -> Run:
    made: Fabricator = fabricate(PLAIN)
    for second in range(100):
        made.request(second + 0.5, 0.1, "timeout" if metastable and second >= 40 else "ok")
    made.fault(40, 43)
    return made.run(replication)


def test_metastable() -> None:
    check = _check("metastable", None, None)
    assert judge(check, [_stuck(True)], None).verdict == "pass"
    assert judge(check, [_stuck(False)], None).verdict == "fail"
    unless = _check("metastable", None, None, negated=True)
    assert judge(unless, [_stuck(False), _stuck(False, 1)], None).verdict == "pass"
    assert judge(unless, [_stuck(False), _stuck(True, 1)], None).verdict == "fail"


def test_a_share_of_the_replications() -> None:
    check = _check("metastable", None, None, share=0.5)
    runs = [_stuck(i > 0, i) for i in range(12)]
    found = judge(check, runs, None)
    assert found.verdict == "pass" and found.interval is not None
    assert found.interval == pytest.approx(share_interval(11, 12))
    assert judge(check, runs[:3], None).verdict == "inconclusive"


def test_recovers() -> None:
    assert judge(_check("recovers", "<=", 5.0, window="all"), [_stuck(False)], None).verdict == "pass"
    never = judge(_check("recovers", "<=", 5.0, window="all"), [_stuck(True)], None)
    assert never.verdict == "fail" and "not recovered" in never.note
    too_soon = judge(_check("recovers", "<=", 55.0, window="all"), [_stuck(True)], None)
    assert too_soon.verdict == "inconclusive"
    at = judge(_check("recovers", "<=", 5.0, window="all", after_at=50_000_000_000), [_stuck(False)], None)
    assert at.verdict == "pass" and at.value == 0.0
    other = judge(_check("recovers", "<=", 5.0, window="all", after="dead"), [_stuck(False)], None)
    assert other.verdict == "fail" and other.note.startswith("no data")


def test_exit_codes() -> None:
    good, bad = judge(_check(), [_run(5)], None), judge(_check(), [_run(20)], None)
    unclear = judge(_check(value=0.94), [_run(f, i) for i, f in enumerate((4, 5, 6))], None)
    assert [exit_code(v) for v in ((), (good,), (good, unclear), (unclear, bad))] == [0, 0, 3, 1]


def test_metrics_by_their_names() -> None:
    made = fabricate(PLAIN)
    made.request(20, 0.1)
    made.request(20, 0.9, "timeout")
    window = made.run().windows["all"]
    for name, truth in (
        ("p99", 0.1), ("p99_all", 0.9), ("latency_p99", 0.1), ("latency_s_p99", 0.1),
        ("latency_all_s_p99", 0.9),
        ("timeout", 1), ("outcomes_timeout", 1), ("offered", 2), ("success", 0.5), ("goodput", 1 / 90),
        ("goodput_per_s", 1 / 90), ("mean", 0.1), ("mean_all", 0.5),
    ):  # fmt: skip
        assert value(window, name, "users") == pytest.approx(truth, rel=0.005), name
    assert value(window, "wait_p99", "db") is None and value(window, "queue_mean", "db") == 0
    assert value(window, "opened", "api -> db") == 0 and value(window, "opened", "users -> api") is None
    with pytest.raises(NoSuchMetric):
        value(window, "nonsense", "users")


def test_every_metric_that_the_file_layer_accepts_can_be_found() -> None:
    from sysim.scenario_file.metrics import CALL_METRICS, LOAD_METRICS, SERVICE_METRICS

    window = fabricate(PLAIN).run().windows["all"]
    for metrics, subject in ((LOAD_METRICS, "users"), (SERVICE_METRICS, "api"), (CALL_METRICS, "api -> db")):
        for metric in metrics:
            value(window, metric, subject)


def test_t_quantiles_of_the_table_are_scipy_s() -> None:
    from scipy.special import stdtrit

    for degrees in (1, 2, 9, 19, 29):
        assert t_quantile(degrees, 0.975) == pytest.approx(float(stdtrit(degrees, 0.975)), rel=1e-9)
    assert share_interval(0, 10)[0] == 0.0 and share_interval(10, 10)[1] == 1.0


def test_the_interval_of_a_share_stays_within_0_and_1() -> None:
    found = judge(_check(value=0.5), [_run(failed, i) for i, failed in enumerate((0, 0, 9))], None)
    assert found.interval is not None and found.interval[1] == 1.0


def _struck(failing: int, begin: float = 40) -> Run:
    """A fault from `begin` for 3 s; requests fail from 40 s on for so many seconds."""
    made = fabricate(PLAIN)
    for second in range(100):
        made.request(second + 0.5, 0.01, "error" if 40 <= second < 40 + failing else "ok", times=10)
    made.fault(begin, begin + 3)
    return made.run()


def test_boolean_checks_say_what_was_found() -> None:
    check = Check(text="metastable(users)", metric="metastable", subject="users")
    assert judge(check, [_struck(60)], None).found == "not recovered 57 s after the fault"
    assert judge(check, [_struck(12)], None).found == "recovered after 9 s"
    assert judge(check, [_struck(2)], None).found == "recovered within one bucket (1 s)"
    both = judge(check, [_struck(12), _struck(60)], None)
    assert both.found == "recovered in 1 of 2 replications, after 9 s"


def test_a_recovery_at_once_is_known_to_a_bucket_only() -> None:
    check = _check("recovers", "<=", 5.0)
    found = judge(check, [_struck(2)], None)
    assert (found.verdict, found.value, found.found) == ("pass", 0.0, "within one bucket (1 s)")
    assert judge(check, [_struck(5)], None).found == ""


def test_a_failing_check_names_the_variants_it_is_written_for() -> None:
    check = _check(variants=("a", "b"))
    (bad,) = judge_all([check], [_run(20)], "a")
    (good,) = judge_all([check], [_run(5)], "a")
    assert bad.expected_for == ("a", "b") and good.expected_for == ()


def test_without_anything_before_the_fault_there_is_no_recovery_to_judge() -> None:
    run = _struck(12, begin=0)
    assert "no whole bucket before" in judge(_check("recovers", "<=", 5.0), [run], None).note
    check = Check(text="metastable(users)", metric="metastable", subject="users")
    assert "no whole bucket before" in judge(check, [run], None).note
