"""Studies of small scenarios: which runs there are, what they are judged by, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.analysis.checks import judge
from sysim.errors import Place
from sysim.study.study import Study
from tests.study.files import STALL

REFERENCE: dict[str, Any] = {"engine": "reference"}


def study(text: str = STALL, **options: Any) -> Study:
    return sysim.check(sysim.loads(text), **{**REFERENCE, "replications": 4, **options})


def test_every_variant_runs_on_the_same_random_numbers() -> None:
    found = study()
    assert list(found.results) == ["baseline", "patient", "slow"] and found.baseline == "baseline"
    for result in found.results.values():
        assert [(run.seed, run.replication) for run in result.runs] == [(1, k) for k in range(4)]
    offered = [[run.windows["all"].loads["web"].offered for run in r.runs] for r in found.results.values()]
    assert offered[0] == offered[1] == offered[2] and len(set(offered[0])) > 1


def test_a_study_has_the_results_that_simulate_gives() -> None:
    found = study()
    for name, result in found.results.items():
        alone = sysim.simulate(sysim.loads(STALL, variant=name), replications=4, engine="reference")
        assert [run.digest for run in alone.runs] == [run.digest for run in result.runs]
        assert alone.summary == result.summary and alone.digest == result.digest


def test_checks_are_asked_of_the_variants_they_are_meant_for() -> None:
    asked = [(v.check.split("(")[0], v.variant) for v in study().verdicts]
    assert asked == [
        ("success", "baseline"), ("success", "patient"), ("p99", "slow"), ("success", "baseline"), ("success", "slow"),
    ]  # fmt: skip


def test_a_comparison_is_judged_on_pairs() -> None:
    found = study(correct="none")
    slow = next(v for v in found.verdicts if v.check.startswith("p99"))
    assert slow.verdict == "fail" and slow.metric == "ratio" and slow.note == "4 pairs"
    a = found["slow"].metric("p99", "web", "after")
    b = found["baseline"].metric("p99", "web", "after")
    assert slow.value == pytest.approx(sum(a) / sum(b)) and slow.interval is not None  # type: ignore[arg-type]
    assert slow.interval[0] < slow.value < slow.interval[1]  # type: ignore[operator]


def test_a_comparison_cannot_be_judged_by_one_variant_alone() -> None:
    result = sysim.simulate(sysim.loads(STALL, variant="slow"), engine="reference")
    verdict = next(v for v in result.checks if v.check.startswith("p99"))
    assert verdict.verdict == "inconclusive" and "sysim check runs both" in verdict.note


def test_only_some_variants_and_what_they_are_held_against() -> None:
    found = study(variants=["slow"])
    assert list(found.results) == ["baseline", "patient", "slow"]  # two checks of slow need the others
    assert {v.variant for v in found.verdicts} == {"slow"}
    text = STALL.replace("  - {expect: p99(web) during after < 80% of variant baseline, variants: [slow]}\n", "")
    assert list(study(text, variants=["slow"]).results) == ["patient", "slow"]
    with pytest.raises(sysim.SysimError, match="found the variant 'slwo', expected one of baseline"):
        study(variants=["slwo"])


def test_a_scenario_without_variants_has_one_run() -> None:
    text = STALL.split("variants:")[0] + "checks: [success(web) > 1%]\n"
    found = study(text)
    assert list(found.results) == ["baseline"] and found["baseline"].variant is None
    assert [(v.variant, v.verdict) for v in found.verdicts] == [(None, "pass")] and found.passed
    assert len(found.sentences) == 1 and found.sentences[0].startswith("baseline holds: success(web) is")


def test_a_scenario_made_in_code() -> None:
    loaded = sysim.loads(STALL.split("variants:")[0])
    found = sysim.check(loaded.model, replications=2, engine="reference")
    assert found.exit_code == 0 and found.verdicts == ()
    with pytest.raises(ValueError, match="no variants"):
        sysim.check(sysim.loads(STALL).model, replications=2, engine="reference")


def test_the_number_of_replications_is_that_of_the_file() -> None:
    text = STALL.replace("sysim: 1", "sysim: 1\nreplications: 3")
    found = sysim.check(sysim.loads(text), **REFERENCE)
    assert found.replications == 3 and found.reason == "fixed" and found.level == 0.95


def test_without_a_number_it_is_sequential() -> None:
    found = study(replications=None)
    assert found.replications == 10 and found.reason == "decided" and found.level == pytest.approx(1 - 0.05 / 55)
    assert "Looks are planned at 10, 20, 50, 100 and 200" in found.method


def test_an_open_verdict_goes_on_to_the_most() -> None:
    text = STALL.split("checks:")[0] + "checks: [{expect: success(web) >= $limit, variants: [baseline]}]\n"
    first = study(text.replace("$limit", "1%"), replications=12)
    limit = sum(x or 0 for x in first["baseline"].metric("success", "web")) / 12
    found = study(text.replace("$limit", repr(limit)), replications=None, max_replications=12)
    assert found.replications == 12 and found.reason == "most" and found.exit_code == 3
    assert "baseline is undecided" in found.sentences[0]


def test_only_the_first_replications_keep_their_series(monkeypatch: pytest.MonkeyPatch) -> None:
    import sysim.study.check as module

    monkeypatch.setattr(module, "SERIES", 2)
    runs = study(variants=["patient"]).results["patient"].runs
    assert [bool(run.series.loads) for run in runs] == [True, True, False, False]
    assert runs[3].series.bucket_s == 1 and runs[3].recovery and runs[3].windows["all"].loads["web"].offered > 0


def test_what_no_replication_can_decide_does_not_keep_it_going() -> None:
    text = STALL.split("checks:")[0].replace("at: 3s, for: 500ms", "at: 3s, for: 8s")
    found = study(text + "checks: [{expect: metastable(web), variants: [slow]}]\n", replications=None)
    assert found.replications == 10 and found.verdicts[0].verdict == "inconclusive" and found.verdicts[0].settled


def test_precision_asks_for_more_than_a_verdict() -> None:
    text = STALL.split("checks:")[0] + "checks: [{expect: p99(web) > 1ms, variants: [baseline]}]\n"
    loose = study(text, replications=None, variants=["baseline"])
    tight = study(text, replications=None, variants=["baseline"], precision=0.15, max_replications=100)
    assert loose.replications == 10 < tight.replications and tight.reason == "decided"
    interval, value = tight.verdicts[0].interval, tight.verdicts[0].value
    assert interval and value and (interval[1] - interval[0]) / 2 <= 0.15 * value
    nothing = study(text.split("checks:")[0], replications=None, variants=["baseline"], precision=0.5)
    assert nothing.reason == "decided" and nothing.verdicts == ()


def test_a_budget_ends_it_and_is_named() -> None:
    found = study(replications=50, budget_s=0.0)
    assert found.reason == "budget" and found.replications == 1 and "depends on this machine" in found.method
    sequential = study(replications=None, budget_s=0.0)
    assert sequential.replications == 2 and sequential.reason == "budget"


def test_one_replication_is_called_one() -> None:
    found = study(replications=1)
    assert "One run has no interval" in found.method
    assert all(v.interval is None for v in found.verdicts)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int) -> None:
    def neutral(found: Study) -> object:
        facts = found.to_dict(series=True)
        for result in facts["variants"].values():
            for run in result["runs"]:
                run.pop("wall_s")
        return facts

    text = STALL + "abort_when: [{expect: success(web) < 97%, variants: [slow]}]\n"
    assert neutral(study(text)) == neutral(study(text, workers=workers))
    assert neutral(study()) == neutral(study(workers=workers))


def test_a_condition_of_abort_when_gives_up_and_fails() -> None:
    text = STALL + "abort_when:\n  - {expect: success(web) < 99%, variants: [slow]}\n"
    found = study(text)
    assert found.reason == "abort" and found.exit_code == 1 and found.abort is not None
    assert (found.abort.variant, found.abort.replication) == ("slow", 0)
    assert found.abort.place == Place("<text>", 18, 5)
    assert [len(result.runs) for result in found.results.values()] == [1, 1, 1]
    assert found.to_dict()["aborted"]["place"]["line"] == 18
    never = study(STALL + "abort_when: [success(web) < 1%]\n")
    assert never.reason == "fixed" and never.abort is None


def test_ctrl_c_keeps_pairs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import sysim.engine.reference.run as reference

    genuine, calls = reference.simulate, []

    def interrupted(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return genuine(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reference, "simulate", interrupted)
    after = 7
    found = study()
    assert found.interrupted and found.exit_code == 130 and found.replications == 2
    assert [len(result.runs) for result in found.results.values()] == [3, 2, 2]
    assert all(result.interrupted for result in found.results.values())
    assert found.to_dict()["interrupted"] is True
    calls.clear()
    after = 1
    assert list(study().results) == ["baseline"]  # the others have no run at all
    calls.clear()
    after = 0
    with pytest.raises(KeyboardInterrupt):
        study()


def test_an_interrupted_study_without_its_baseline_holds_against_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import sysim.engine.reference.run as reference

    genuine, calls = reference.simulate, []

    def interrupted(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return genuine(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reference, "simulate", interrupted)
    text = STALL.replace("  baseline: null\n", "").replace("checks:", "  baseline: null\nchecks:")
    found = study(text)
    assert list(found.results) == ["patient"] and found.baseline == "patient" and found.to_json()


def test_a_check_from_the_command_line_has_no_place() -> None:
    scenario = sysim.loads(STALL, set=["checks=[success(web) > 1%]"])
    found = sysim.check(scenario, replications=2, engine="reference")
    assert [v.place for v in found.verdicts] == [None, None, None]


def test_holm_makes_no_verdict_surer_than_without() -> None:
    corrected, each = study(), study(correct="none")
    assert "Corrected for 5 verdicts by Holm" in corrected.method and "Not corrected for 5" in each.method
    for a, b in zip(corrected.verdicts, each.verdicts, strict=True):
        assert a.confidence >= b.confidence == 0.95
        assert a.verdict in (b.verdict, "inconclusive")
    with pytest.raises(ValueError, match="correction"):
        study(correct="bonferroni")


def test_differences_are_tidy_and_paired() -> None:
    rows = study(correct="none").differences()
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    (row,) = [r for r in rows if (r["variant"], r["metric"], r["window"]) == ("slow", "goodput", "after")]
    found = study()
    pairs = zip(
        found["slow"].metric("goodput", "web", "after"),
        found["baseline"].metric("goodput", "web", "after"),
        strict=True,
    )
    differences = [a - b for a, b in pairs]  # type: ignore[operator]
    assert row["difference"] == pytest.approx(sum(differences) / 4) and row["pairs"] == 4
    assert next(r for r in rows if r["variant"] == "baseline")["difference"] is None
    money = [r["mean"] for r in rows if r["metric"] == "value_lost" and r["window"] == "all"]
    assert len(money) == 3 and money[2] > money[0] > money[1] == 0


def test_json_and_html(tmp_path: Path) -> None:
    found = study()
    facts = json.loads(found.to_json())
    assert list(facts)[:3] == ["format", "variants", "checks"]
    for name, result in facts["variants"].items():
        mine = [v for v in facts["checks"] if v["variant"] == name]
        assert result["checks"] == mine and result["variant"] == name and len(result["runs"]) == 4
    assert facts["study"]["exit_code"] == found.exit_code
    html = found._repr_html_()
    assert html.count("<table>") == 2 and "slow" in html and "success(web)" in html


def test_mistakes_in_the_call() -> None:
    for wrong in (
        {"replications": 0}, {"replications": 5, "precision": 0.1}, {"seed": -1}, {"engine": "fast"},
        {"replications": None, "max_replications": 1},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="found"):
            study(**wrong)
    with pytest.raises(sysim.ScenarioError):
        sysim.check("nowhere.yaml")


def test_an_error_budget() -> None:
    text = STALL.split("checks:")[0] + (
        "checks:\n"
        "  - {expect: burn_rate(web) during after < 10, objective: 99%, variants: [baseline]}\n"
        "  - {expect: error_budget(web) during after < 50%, objective: 99%, period: 100s, variants: [baseline]}\n"
    )
    found = study(text, replications=2)
    burn, budget = found.verdicts
    failed = [1 - (x or 0) for x in found["baseline"].metric("success", "web", "after")]
    assert burn.value == pytest.approx(sum(failed) / 2 / 0.01)
    # ten of a hundred seconds at that rate
    assert budget.value == pytest.approx(sum(failed) / 2 / 0.01 * 10 / 100)


def test_a_difference_is_told_where_there_is_no_ratio() -> None:
    scenario = sysim.loads(STALL)
    check = next(c for c in scenario.model.checks if c.text.startswith("success(web) during after"))
    runs = study().results["slow"].runs
    found = judge(check, runs, "slow", others={"patient": runs})
    assert found.value == pytest.approx(1.0) and found.verdict == "pass"  # the same runs: ratio 1, difference 0
    lost = check.model_copy(update={"metric": "shed", "text": "shed(web) <= variant patient", "op": "<="})
    nothing = judge(lost, runs, "slow", others={"patient": runs})
    assert nothing.value == 0.0 and "this less patient" in nothing.note and nothing.verdict == "pass"
