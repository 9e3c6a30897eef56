"""The fault sweep."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import sysim
from sysim.errors import SysimError
from sysim.plot import impact, save
from sysim.report.breaking import sweep_dict, sweep_text, write_sweep
from sysim.study import breaking
from sysim.study.faultlist import KINDS, Terms, pairs, singles
from sysim.study.weakness import asking

ROOT = Path(__file__).resolve().parents[2]
SHOP = """
sysim: 1
name: shop
time: {duration: 60s, warmup: 1s}
services:
  web:
    replicas: 4
    zones: [a, b]
    concurrency: 5
    operations:
      browse: [{work: 10ms}]
      buy: [{work: 10ms}, {call: bank.pay}, {call: db.write}]
  db: {zones: [a], concurrency: 10, operations: {write: [{work: 5ms}]}}
  bank: {kind: external, operations: {pay: [{work: 50ms}]}}
  mail: {replicas: 2, operations: {send: [{work: 1ms}]}}
  forgotten: {operations: {o: [{work: 1ms}]}}
load:
  visitors: {mix: {web.browse: 80%, web.buy: 20%}, rate: 100/s, value: 1 GBP, policy: {timeout: 1s}}
  office: {call: mail.send, rate: 10/s, policy: {timeout: 1s}}
faults: [{name: own, at: 0s, on: web, slowdown: 100}]
"""
OPTIONS: dict[str, Any] = {"settle": "6s", "lasts": "3s", "watch": "31s", "pairs": 3}


@pytest.fixture(scope="module")
def shop() -> breaking.Sweep:
    return sysim.fault_sweep(sysim.loads(SHOP), **OPTIONS)


def test_every_single_fault_is_on_the_list() -> None:
    found = singles(sysim.loads(SHOP).model, Terms())
    assert {single.kind for single in found} == set(KINDS)
    by_place = {place: [s.kind for s in found if s.place == place] for place in {s.place for s in found}}
    whole = ["slowdown", "pause", "error"]
    assert by_place["web"] == ["crash", "lost", *whole]
    assert by_place["db"] == ["lost", *whole, "blackhole"]
    assert by_place["bank"] == ["lost", *whole, "blackhole"]
    assert by_place["zone a"] == by_place["zone b"] == ["zone"]
    assert "forgotten" not in by_place  # nobody calls it
    assert len({single.name for single in found}) == len(found)
    assert all(a.place != b.place for a, b in pairs(found))
    n = len(found)
    same = sum(len(kinds) * (len(kinds) - 1) // 2 for kinds in by_place.values())
    assert len(pairs(found)) == n * (n - 1) // 2 - same


def test_impacts_are_differences_to_the_undisturbed_run(shop: breaking.Sweep) -> None:
    impacts = {single.faults[0].name: single for single in shop.singles}
    # the scenario's own fault is left out: without one nothing fails
    assert shop.baseline_success == 1.0
    errors = impacts["db answers only errors"]
    # a fifth of 100 a second for three seconds, and their money
    assert errors.failed == pytest.approx(60, abs=20)
    assert errors.lost == {"GBP": errors.failed}
    assert errors.during["visitors"] == pytest.approx(0.2, abs=0.06) and errors.during["office"] == 0
    # the bank hangs: all twenty workers of web wait for it, and pages that never need it fail
    assert impacts["bank hangs"].failed > 1.5 * errors.failed
    assert impacts["one of 4 replicas of web crashes"].failed < 10
    assert impacts["one of 4 replicas of web crashes"].verdict == "survives"
    assert [single.failed for single in shop.singles] == sorted((s.failed for s in shop.singles), reverse=True)


def test_weak_points_say_why(shop: breaking.Sweep) -> None:
    weak = {weakness.service: weakness for weakness in shop.weak}
    assert set(weak) == {"bank", "db"}  # the entrance itself is none
    assert weak["bank"].spreads == ("visitors",) and weak["bank"].external and not weak["bank"].single
    assert weak["bank"].asking == {"visitors": pytest.approx(0.2), "office": 0.0}
    assert weak["db"].single and not weak["db"].shared
    text = sweep_text(shop)
    assert "bank: when" in text and "only 20.0 % of visitors ask for it" in text and "a single machine" in text


def test_asking_follows_calls_with_their_probabilities() -> None:
    bookmaker = sysim.load(ROOT / "models" / "bookmaker.yaml").model
    assert asking(bookmaker, "payments") == {"bets": pytest.approx(0.15), "browsers": 0.0}
    assert asking(bookmaker, "wallet_db") == {"bets": pytest.approx(1.0), "browsers": pytest.approx(0.1)}
    assert asking(bookmaker, "settlement") == {"bets": 0.0, "browsers": 0.0}  # nobody waits for messages


def test_the_pairs_are_those_that_may_teach_something(shop: breaking.Sweep) -> None:
    assert len(shop.pairs) == 3 and shop.possible_pairs > 100
    alone = {single.faults[0]: single.verdict for single in shop.singles}
    for pair in shop.pairs:
        assert {alone[fault] for fault in pair.faults} == {"survives"}
    assert "3 of" in sweep_text(shop)


@pytest.mark.parametrize("workers", [2, 4])
def test_the_result_does_not_depend_on_the_number_of_workers(shop: breaking.Sweep, workers: int) -> None:
    assert sweep_dict(sysim.fault_sweep(sysim.loads(SHOP), workers=workers, **OPTIONS)) == sweep_dict(shop)


def test_what_never_gets_up_again_is_told() -> None:
    from tests.study.storm import storm

    found = sysim.fault_sweep(storm(), settle="10s", lasts="3s", pairs=0, replications=3)
    worst = found.singles[0]
    assert worst.verdict == "stays down" and worst.recovered_after_s is None and worst.half_width is not None
    assert "does not get up from" in sweep_text(found)
    assert "No pairs" not in sweep_text(found)  # there are no pairs at a single place


def test_ctrl_c_keeps_what_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    look = breaking.look

    def some(run: Any) -> Any:
        seen.append(run)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return look(run)

    monkeypatch.setattr(breaking, "look", some)
    found = sysim.fault_sweep(sysim.loads(SHOP), **OPTIONS)
    assert found.interrupted and len(found.singles) == 3 and not found.pairs
    assert "Interrupted: 3 of" in sweep_text(found)
    assert "It survives" not in sweep_text(found)  # nothing is said of what was not tried
    assert sweep_dict(found)["interrupted"] is True


def test_files_and_figure(shop: breaking.Sweep, tmp_path: Path) -> None:
    rows = list(csv.DictReader(write_sweep(shop, tmp_path / "break.csv").read_text().splitlines()))
    assert len(rows) == len(shop.singles) + 3
    assert float(rows[0]["failed"]) == shop.all()[0].failed and "failing_visitors" in rows[0]
    json.dumps(sweep_dict(shop), allow_nan=False)
    assert save(impact(shop), tmp_path / "break.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"on": ["wb"]}, "expected one of"),
        ({"settle": "1s"}, "4 s to settle"),
    ],
)
def test_mistakes(options: dict[str, Any], told: str) -> None:
    with pytest.raises(SysimError, match=told):
        sysim.fault_sweep(sysim.loads(SHOP), **{**OPTIONS, **options})


def test_a_system_that_falls_by_itself_is_not_broken_further() -> None:
    from tests.study.storm import storm

    with pytest.raises(SysimError, match="unstable without any fault"):
        sysim.fault_sweep(storm(load__clients__rate="70/s"), settle="20s", lasts="2s", pairs=0)


def finds_the_dependencies(found: breaking.Sweep) -> None:
    """The two that matter in the bookmaker, and for the reasons why they do."""
    weak = {weakness.service: weakness for weakness in found.weak}
    payments = weak["payments"]
    assert payments.external and set(payments.spreads) == {"bets", "browsers"}
    assert payments.failing["bets"] > 0.4 and payments.asking["bets"] == pytest.approx(0.15)
    wallet_db = weak["wallet_db"]
    assert wallet_db.callers == ("accounts", "wallet") and wallet_db.shared and wallet_db.single
    assert wallet_db.failing["bets"] > 0.5
    assert any(single.faults[0].place == "wallet_db" and single.during["bets"] > 0.9 for single in found.singles)


def test_the_bookmaker_in_short() -> None:
    scenario = sysim.load(ROOT / "models" / "bookmaker.yaml")
    found = sysim.fault_sweep(
        scenario, settle="4s", lasts="8s", watch="12s", pairs=0, kinds=["pause", "blackhole"], workers=2
    )
    finds_the_dependencies(found)


@pytest.mark.long
def test_the_bookmaker_with_every_fault() -> None:
    scenario = sysim.load(ROOT / "models" / "bookmaker.yaml")
    found = sysim.fault_sweep(scenario, settle="15s", lasts="10s", pairs=20, workers=2)
    finds_the_dependencies(found)
    assert len(found.pairs) == 20 and len(found.singles) > 60
    assert found.singles[0].failed > 5_000
    assert all(single.verdict == "survives" for single in found.singles if single.faults[0].kind == "crash")


def test_a_zone_without_replicas_cannot_be_lost() -> None:
    one = sysim.loads(SHOP, set={"services.web.replicas": 1}).model
    assert [single.place for single in singles(one, Terms()) if single.kind == "zone"] == ["zone a"]


def test_there_has_to_be_some_load_to_lose() -> None:
    late = sysim.loads(SHOP, set={"load.office": None, "load.visitors.rate": {"steps": [{"at": "10m", "rate": "9/s"}]}})
    with pytest.raises(SysimError, match="no request arrives"):
        sysim.fault_sweep(late, **OPTIONS)
    with pytest.raises(ValueError, match="at least 1"):
        sysim.fault_sweep(late, replications=0, **OPTIONS)
