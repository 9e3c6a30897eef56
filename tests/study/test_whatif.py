"""What-if: one past, many futures."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import sysim
from sysim import model
from sysim.analysis.statistics import half_width, mean
from sysim.errors import SysimError
from sysim.plan.lower import lower
from sysim.plot import save
from sysim.plot import what_if as draw
from sysim.report.whatif import sentences, show_what_if, what_if_dict, write_what_if
from sysim.simulations import futures
from sysim.study import whatif
from sysim.study.mitigations import KINDS, Scene, applied, mitigations, scalable
from sysim.study.whatif import WhatIf
from tests.study.storm import storm

NS = 1_000_000_000
STORM: dict[str, Any] = {"time__duration": "120s"}


@pytest.fixture(scope="module")
def found() -> WhatIf:
    return sysim.what_if(storm(**STORM), "26s", replications=6)


def effect(of: WhatIf, name: str) -> whatif.Effect:
    return next(one for one in of.effects if one.name == name)


def test_what_helps_in_a_retry_storm(found: WhatIf) -> None:
    """The stall is over and nothing can be taken back; less load, or load that comes once, gets it up again."""
    assert found.moment.hurts and not found.moment.faults and found.moment.before == pytest.approx(1, abs=0.01)
    assert [row.service for row in found.moment.services] == ["api"]
    nothing = found.nothing
    assert nothing.recovered == 0 and nothing.served is not None and nothing.served < 0.2
    assert "rollback" not in {one.mitigation.kind for one in found.effects}
    for name in ("turn all retries off", "turn all retries off and clear the queue of api", "shed 75% of clients"):
        one = effect(found, name)
        assert one.recovered >= 5 and one.verdict == "better" and one.rank < nothing.rank, name
        assert one.saved is not None and one.saved.low is not None and one.saved.low > 100
        assert one.earned["GBP"].mean == pytest.approx(2 * one.saved.mean)
    assert effect(found, "shed 25% of clients").verdict != "better"
    assert found.effects[0].name == "turn all retries off and clear the queue of api"


def test_a_stall_that_lasts_is_rolled_back() -> None:
    stalled = sysim.what_if(
        storm(time__duration="150s", faults__stall__for="40s"), "20300ms", watch="60s", replications=3,
        kinds=["rollback", "restart"],
    )  # fmt: skip
    assert list(stalled.moment.faults.values()) == ["stall"]
    rolled = effect(stalled, "roll back: end stall")
    assert rolled.rank == 1 and rolled.recovered == 3 and rolled.verdict == "better"
    assert stalled.nothing.recovered == 0 and effect(stalled, "restart api").recovered == 0
    assert "fault stall is active" in " ".join(sentences(stalled))


DEPLOYED = """
sysim: 1
name: deployed
time: {duration: 100s, warmup: 5s}
services:
  web:
    replicas: 4
    concurrency: 4
    queue: {capacity: 40}
    startup: 2s
    operations: {get: [{work: {exponential: 20ms}}]}
load: {visitors: {call: web.get, rate: 150/s, policy: {timeout: 1s}}}
actions: [{at: 20s, deploy: {service: web, slowdown: 8}}]
"""


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_bad_deploy_is_rolled_back(engine: Any) -> None:
    deployed = sysim.loads(DEPLOYED)
    found = sysim.what_if(deployed, "45s", replications=2, kinds=["rollback", "restart"], engine=engine)
    rolled = effect(found, "roll back the deploy of web")
    assert rolled.rank == 1 and rolled.recovered == 2 and rolled.verdict == "better"
    assert found.nothing.recovered == 0 and effect(found, "restart web").recovered == 0


def test_a_deploy_that_was_taken_back_or_is_still_to_come_is_not_rolled_back() -> None:
    back = sysim.loads(DEPLOYED.replace("slowdown: 8}}", "slowdown: 8}}, {at: 30s, rollback: web}")).model
    for scenario, act, names in (
        (back, 25, ["roll back the deploy of web"]), (back, 35, []), (sysim.loads(DEPLOYED).model, 15, []),
    ):  # fmt: skip
        scene = Scene(scenario, act * NS, 90 * NS, {}, ("web",), ())
        assert [one.name for one in mitigations(scene, ["rollback"])][1:] == names


def test_customers_saved_are_paired_differences(found: WhatIf) -> None:
    one = effect(found, "turn all retries off")
    differences = [a.served - b.served for a, b in zip(one.seen, found.nothing.seen, strict=True)]
    assert one.saved is not None and one.saved.mean == mean(differences)
    # Holm: never narrower than alone, never wider than Bonferroni's
    alone, all_of_them = half_width(differences), half_width(differences, 1 - 0.05 / (len(found.effects) - 1))
    assert alone is not None and all_of_them is not None and one.saved.half_width is not None
    assert alone <= one.saved.half_width <= all_of_them + 1e-9
    # the same customers come, whatever is done (none of them wait for answers)
    assert {tuple(s.offered.items()) for s in one.seen} == {tuple(s.offered.items()) for s in found.nothing.seen}


def test_ranks(found: WhatIf) -> None:
    recovers = [one.recovers for one in found.effects]
    assert recovers == sorted(recovers, reverse=True)
    ranks = [one.rank for one in found.effects]
    assert ranks[0] == 1 and ranks == sorted(ranks)
    for place, one in enumerate(found.effects):
        assert one.rank == place + 1 or found.effects[place - 1].rank == one.rank
        assert one.tied == (ranks.count(one.rank) > 1)
    same = [one.name for one in found.effects if one.rank == found.nothing.rank]
    assert "shed 25% of clients" in same  # both save nobody


def test_what_is_told_is_what_happened(found: WhatIf) -> None:
    """Each future is a run of the scenario in which that is done, counted from the instant on."""
    base = storm(**STORM).model
    act, until = 26 * NS, (26 + 47) * NS
    levers = (
        model.Action(lever=model.ShedLever(load="clients", share=0.75), at=act),
        model.Action(lever=model.ShedLever(load="clients", share=0.0), at=until),
    )
    window = {"after": model.Window(start=act, end=base.time.duration)}
    direct = sysim.simulate(
        base.model_copy(update={"actions": levers, "windows": window}), replications=6, engine="reference"
    )
    one = effect(found, "shed 75% of clients")
    for run, seen in zip(direct.runs, one.seen, strict=True):
        stats = run.windows["after"].loads["clients"]
        assert (stats.offered, stats.ok) == (seen.offered["clients"], seen.good["clients"])
        assert stats.value_earned == seen.earned["GBP"]


@pytest.mark.parametrize("options", [{"engine": "reference"}, {"workers": 2}, {"workers": 3}])
def test_engines_and_workers_make_no_difference(options: dict[str, Any]) -> None:
    terms: dict[str, Any] = {"watch": "40s", "replications": 2, "delay": "1500ms"}
    stalled = storm(time__duration="90s", faults__stall__for="3s")
    plain = what_if_dict(sysim.what_if(stalled, "21s", **terms))
    assert what_if_dict(sysim.what_if(stalled, "21s", **terms, **options)) == plain
    assert "rollback" in {one["kind"] for one in plain["mitigations"]}


def test_before_the_trouble_nothing_hurts() -> None:
    calm = sysim.what_if(storm(**STORM), "10s", replications=3, kinds=["shed"], watch="25s", seed=4)
    assert not calm.moment.hurts
    told = sentences(calm)
    assert "nothing hurts" in told[0]
    assert all(one.verdict != "better" for one in calm.effects if one.name == "shed 75% of clients")


def test_trouble_that_comes_by_itself_is_measured_by_the_time_before() -> None:
    surge = {"steps": [{"at": "0s", "rate": "20/s"}, {"at": "40s", "rate": "90/s"}, {"at": "60s", "rate": "40/s"}]}
    alone = storm(**{**STORM, "faults": [], "load__clients__rate": surge})
    found = sysim.what_if(alone, "62s", replications=3, kinds=["retries", "combined"])
    assert found.moment.before == pytest.approx(1, abs=0.02) and found.moment.hurts
    assert "No fault has struck" in sentences(found)[0]
    assert found.nothing.recovered == 0 and found.effects[0].recovered == 3


def test_one_run_claims_no_intervals() -> None:
    one = sysim.what_if(storm(**STORM), "26s", replications=1, kinds=["retries"])
    best = one.effects[0]
    assert best.saved is not None and best.saved.half_width is None and best.verdict == "untested"
    assert not any(effect.tied for effect in one.effects)
    json.dumps(what_if_dict(one), allow_nan=False)


SHOP = """
sysim: 1
name: shop
time: {duration: 60s, warmup: 1s, start: 2026-02-07T15:00}
flags: {extras: on}
services:
  web:
    concurrency: 8
    queue: {capacity: 40}
    operations: {buy: [{work: 5ms}, {call: bank.pay, policy: guarded}, {call: ads.show, flag: extras, policy: hedged}]}
  bank: {kind: external, operations: {pay: [{work: 40ms}]}}
  ads: {replicas: 2, operations: {show: [{work: 5ms}]}}
policies:
  guarded: {timeout: 2s, circuit_breaker: {window: {calls: 1000}, minimum_calls: 1000}, fallback: {on: [circuit_open]}}
  hedged: {timeout: 2s, hedge: {delay: 1s}}
load:
  buyers: {call: web.buy, rate: 80/s, value: 3 GBP, degraded_value: 2 GBP, policy: {timeout: 1s}}
  robots: {call: web.buy, rate: 20/s, policy: {timeout: 1s, retry: {max_attempts: 2}}}
faults:
  - {name: slow, at: 20s, for: 30s, on: bank, slowdown: 10}
  - {at: 22s, on: ads, replicas: 1, crash: true}
"""


def test_the_list_is_made_from_the_scenario() -> None:
    shop = sysim.loads(SHOP).model
    scene = Scene(shop, 30 * NS, 40 * NS, {0: "slow", 1: "crash on ads"}, ("web", "ads"), ("web",))
    names = [one.name for one in mitigations(scene)]
    assert names == [
        "do nothing",
        "roll back: end all faults", "roll back: end slow", "roll back: end crash on ads",
        "switch extras off",
        "shed 25% of all loads", "shed 50% of all loads", "shed 75% of all loads",
        "shed 50% of buyers", "shed 100% of buyers", "shed 50% of robots", "shed 100% of robots",
        "turn all retries off", "turn all hedges off",
        "force the breakers of calls to bank open",
        "restart web", "restart ads", "restart web and ads",
        "clear the queue of web",
        "double the replicas of web", "double the replicas of ads", "double the replicas of web and ads",
        "drain the first replica of ads",
        "shed 50% of all loads and clear the queue of web", "turn all retries off and clear the queue of web",
    ]  # fmt: skip
    assert {one.kind for one in mitigations(scene)} == {"nothing", *KINDS}
    for one in mitigations(scene):  # each can be simulated
        lower(applied(shop, one, scene.act))
    back = next(one for one in mitigations(scene, ["retries"]) if one.kind == "retries").actions[-1]
    assert back.at == scene.until and isinstance(back.lever, model.SetLever) and back.lever.settings[0].value == 2


def test_a_forced_breaker_is_told_with_all_that_it_cuts_off() -> None:
    shared = SHOP.replace("policy: hedged", "policy: guarded")
    scene = Scene(sysim.loads(shared).model, 30 * NS, 40 * NS, {0: "slow"}, ("ads",), ("ads",))
    names = [one.name for one in mitigations(scene, ["breaker"])]
    assert names == ["do nothing", "force the breakers of calls to ads and bank open"]


@pytest.fixture(scope="module")
def shop() -> WhatIf:
    return sysim.what_if(sysim.loads(SHOP), "15:00:30", replications=4)


def test_a_breaker_saves_what_a_slow_bank_holds_up(shop: WhatIf) -> None:
    assert next(iter(shop.moment.faults.values())) == "slow"
    assert {row.service for row in shop.moment.services} == {"web", "ads"}
    forced = effect(shop, "force the breakers of calls to bank open")
    assert forced.verdict == "better" and forced.recovers
    assert "clear the queue of ads" not in {one.name for one in shop.effects}  # there is a replica less, and room
    rolled = effect(shop, "roll back: end slow")
    # answers without the bank are served, and earn less
    assert rolled.earned["GBP"].mean > forced.earned["GBP"].mean > 0
    assert "15:00:30" in sentences(shop)[0] and "replica is down" in sentences(shop)[0]


def test_files_and_figure(shop: WhatIf, tmp_path: Path) -> None:
    rows = list(csv.DictReader(write_what_if(shop, tmp_path / "w.csv").read_text().splitlines()))
    assert [row["mitigation"] for row in rows] == [one.name for one in shop.effects]
    assert {"saved", "saved_half_width", "earned_GBP", "recovered_after_s"} <= rows[0].keys()
    told = json.loads(json.dumps(what_if_dict(shop), allow_nan=False))
    assert told["at_s"] == 30 and len(told["mitigations"][0]["runs"]) == 4
    assert save(draw(shop), tmp_path / "w.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("at", "options", "told"),
    [
        ("121s", {}, "expected one in the run of 2m"),
        ("0s", {}, "at the start of the run"),
        ("110s", {}, "10s left to watch"),
        ("26s", {"lasts": "0s"}, "hold of 0s"),
        ("26s", {"watch": "5s"}, "expected at least 20s"),
        ("26s", {"delay": "80s"}, "14s left to watch"),
        ("15:00", {}, "found '15:00'"),
        ("26s", {"kinds": ["pray"]}, "kind of mitigation 'pray'"),
        ("26s", {"replications": 0}, "at least 1"),
        ("26s", {"engine": "steam"}, "engine 'steam'"),
    ],
)
def test_mistakes(at: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises((SysimError, ValueError), match=told):
        sysim.what_if(storm(**STORM), at, **options)


def test_the_warm_up_is_no_past() -> None:
    with pytest.raises(SysimError, match="within the warm-up"):
        sysim.what_if(sysim.loads(SHOP), "15:00:01")


def test_ctrl_c_keeps_what_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    look = whatif.look

    def some(run: Any, terms: Any) -> Any:
        calls.append(run)
        if len(calls) == 8:  # in the third replication
            raise KeyboardInterrupt
        return look(run, terms)

    monkeypatch.setattr(whatif, "look", some)
    found = sysim.what_if(storm(**STORM), "26s", kinds=["shed"], watch="25s", replications=9)
    assert found.interrupted and found.replications == 1
    assert "Interrupted after 1 replication" in " ".join(sentences(found))


@pytest.mark.long
def test_a_shipped_experiment_goes_on_as_it_would_have() -> None:
    """Doing nothing is the run itself; taking the fault back is the run in which it ended then: to the digest."""
    shipped = sysim.load("payment_slowdown").model
    shorter = shipped.time.model_copy(update={"duration": 17 * 60 * NS})
    scenario = shipped.model_copy(update={"time": shorter, "windows": {}, "checks": ()})
    at = 16 * 60 * NS
    ended = scenario.model_copy(
        update={"faults": tuple(fault.model_copy(update={"until": at}) for fault in scenario.faults)}
    )
    one = futures("compiled", 5)([scenario, ended, scenario], at)
    digests = [run.digest for run in one(0, Event())]
    direct = [sysim.simulate(s, seed=5, replications=1).run.digest for s in (scenario, ended)]
    assert digests == [direct[0], direct[1], direct[0]] and direct[0] != direct[1]


@pytest.mark.long
def test_the_engines_go_on_alike_in_a_shipped_experiment() -> None:
    shipped = sysim.load("retry_storm").model
    time = shipped.time.model_copy(update={"duration": 76 * NS})
    base = shipped.model_copy(update={"time": time, "windows": {}, "checks": ()})
    at = 70 * NS
    scene = Scene(base, at, 73 * NS, {}, ("api",), ("api",))
    chosen = [one for one in mitigations(scene) if one.name in ("do nothing", "turn all retries off", "restart api")]
    scenarios = [applied(base, one, at) for one in chosen]
    copied, anew = (
        [run.digest for run in futures(engine, 3)(scenarios, at)(1, Event())] for engine in ("compiled", "reference")
    )
    assert copied == anew and len(set(copied)) == 3


ZONES = Path(__file__).parents[2] / "experiments" / "drain_the_zone.yaml"


@pytest.mark.long
@pytest.mark.parametrize(("variant", "helps"), [("nobody_acts", True), ("no_room_nobody_acts", False)])
def test_a_sick_zone_is_drained_where_the_others_have_room(variant: str, helps: bool) -> None:
    found = sysim.what_if(sysim.load(ZONES, variant=variant), "100s", replications=3, kinds=["drain", "rollback"])
    drained = effect(found, "drain zone a")
    assert drained.verdict == ("better" if helps else "worse")
    assert found.effects[0].name == "roll back: end grey"
    both = [sysim.what_if(
        sysim.load(ZONES, variant=variant), "100s", replications=1, kinds=["drain"], engine=engine, watch="30s"
    ) for engine in ("compiled", "reference")]  # fmt: skip
    assert json.dumps(what_if_dict(both[0])) == json.dumps(what_if_dict(both[1]))


def test_more_replicas_help_what_has_too_few(found: WhatIf) -> None:
    more = effect(found, "double the replicas of api")
    assert more.recovered >= 4 and more.rank <= found.nothing.rank


def test_a_run_that_is_watched_beyond_its_end_is_not_scaled_by_itself() -> None:
    """Watching for longer than the file's run says the same as a file with a longer run."""
    longer = storm(**STORM).with_({"time.duration": "150s"})
    short, long = (
        sysim.what_if(some, "26s", replications=2, kinds=["scale"], watch="110s") for some in (storm(**STORM), longer)
    )
    assert [one.seen for one in short.effects] == [one.seen for one in long.effects]


def test_room_for_more_replicas_changes_nothing() -> None:
    """The plan has rows for replicas that a mitigation could add: the past is that of the file."""
    plain = sysim.load(ZONES, variant="nobody_acts")
    room = scalable(plain.model, plain.model.time.duration)
    roomy = plain.model.model_copy(update={"actions": (*plain.model.actions, *room)})
    assert len(roomy.actions) > len(plain.model.actions)
    one, two = (sysim.simulate(some, seed=4).run for some in (plain, roomy))
    assert one.digest == two.digest


def test_never_well_again_is_infinite(found: WhatIf) -> None:
    assert {s.well_after_s for s in found.nothing.seen} == {math.inf}
    told = next(one for one in what_if_dict(found)["mitigations"] if one["name"] == "do nothing")
    assert told["recovered_after_s"] is None and told["saved"] is None


def test_a_terminal_sees_as_much_as_fits(shop: WhatIf, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    shown = {}
    for width in (60, 100, 140):
        monkeypatch.setenv("COLUMNS", str(width))
        out = Terminal()
        show_what_if(shop, out)
        shown[width] = out.getvalue()
        assert all(len(line) <= width for line in re.sub(r"\x1b\[[0-9;]*m", "", shown[width]).splitlines())
    assert "GBP saved" not in shown[60] and "served" in shown[140].splitlines()[2]
    assert "GBP saved" in shown[100] and "served" not in shown[100].splitlines()[2]


def test_what_cannot_be_told_from_doing_nothing_is_not_praised(found: WhatIf) -> None:
    tied = replace(found, effects=tuple(replace(one, rank=1, tied=True) for one in found.effects))
    told = sentences(tied)
    assert any("cannot be told from doing nothing" in line for line in told)
    praised = next(line for line in told if line.startswith("As good"))
    assert "turn all retries off" in praised and "shed 25%" not in praised and "do nothing" not in praised
    same = [one if one.mitigation.kind == "nothing" else replace(one, verdict="no difference") for one in tied.effects]
    calm = replace(tied, effects=tuple(same))
    assert any("Nothing that was tried can be told to be better" in line for line in sentences(calm))
