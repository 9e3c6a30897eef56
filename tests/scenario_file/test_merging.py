"""One rule for includes, variants, settings: maps merge, the rest replaces, null removes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sysim.errors import ScenarioError
from sysim.scenario_file import Loaded, load, loads

BASE = """\
sysim: 1
time: {duration: 60s}
services:
  api: {concurrency: 4, operations: {get: [{work: {lognormal: {mean: 4ms, cv: 0.8}, max: 1s}}]}}
load:
  web:
    call: api.get
    rate: {sine: {mean: 8/s, amplitude: 50%, period: 10s}}
    policy:
      balancer: {least_request: {choices: 3}}
      retry: {backoff: {initial: 50ms, max: 1s}, budget: {ratio: 10%}}
      circuit_breaker: {window: {calls: 30}, minimum_calls: 5}
"""


def tree(*settings: str | tuple[str, Any], text: str = BASE) -> Any:
    return loads(text, set=settings).tree


def work(loaded_tree: Any) -> Any:
    return loaded_tree["services"]["api"]["operations"]["get"][0]["work"]


def policy(loaded_tree: Any) -> Any:
    return loaded_tree["load"]["web"]["policy"]


def test_maps_merge_key_by_key() -> None:
    assert tree(("services.api", {"replicas": 2}))["services"]["api"] == {
        **tree()["services"]["api"], "replicas": 2,
    }  # fmt: skip


def test_scalars_and_lists_replace() -> None:
    steps = tree(("services.api.operations.get", [{"work": "1ms"}, {"work": "2ms"}]))
    assert steps["services"]["api"]["operations"]["get"] == [{"work": "1ms"}, {"work": "2ms"}]


def test_null_removes() -> None:
    assert "concurrency" not in tree("services.api.concurrency=null")["services"]["api"]
    assert "policy" not in tree("load.web.policy=~")["load"]["web"]
    assert tree("load.web.zone=null") == tree()


@pytest.mark.parametrize(
    ("setting", "result"),
    [
        ({"exponential": "2ms"}, {"exponential": "2ms"}),
        ({"lognormal": {"cv": 2}}, {"lognormal": {"mean": "4ms", "cv": 2}, "max": "1s"}),
        ({"lognormal": {"median": "1ms", "p99": "9ms"}}, {"lognormal": {"median": "1ms", "p99": "9ms"}}),
        ({"max": "2s"}, {"lognormal": {"mean": "4ms", "cv": 0.8}, "max": "2s"}),
        ("5ms", "5ms"),
    ],
)
def test_another_form_of_a_distribution_replaces_it(setting: Any, result: Any) -> None:
    assert work(tree(("services.api.operations.get.0.work", setting))) == result


def test_a_path_may_lead_into_another_form() -> None:
    assert work(tree("services.api.operations.get.0.work.exponential=2ms")) == {"exponential": "2ms"}
    assert work(tree("services.api.operations.get.0.work.lognormal.cv=2"))["lognormal"]["mean"] == "4ms"
    assert policy(tree("load.web.policy.circuit_breaker.window.time=5s"))["circuit_breaker"]["window"] == {
        "time": "5s"
    }


@pytest.mark.parametrize(
    ("key", "setting", "result"),
    [
        ("balancer", {"least_request": {"choices": 5}}, {"least_request": {"choices": 5}}),
        ("balancer", "random", "random"),
        ("retry.backoff", {"constant": "1s"}, {"constant": "1s"}),
        ("retry.backoff", {"max": "2s"}, {"initial": "50ms", "max": "2s"}),
        ("retry.budget", {"bucket": {"tokens": 5}}, {"bucket": {"tokens": 5}}),
        ("retry.budget", {"window": "5s"}, {"ratio": "10%", "window": "5s"}),
    ],
)
def test_other_forms_of_policies(key: str, setting: Any, result: Any) -> None:
    found = policy(tree((f"load.web.policy.{key}", setting)))
    for part in key.split("."):
        found = found[part]
    assert found == result


def test_another_form_of_a_rate() -> None:
    assert tree(("load.web.rate", {"stages": [{"for": "1s", "to": "5/s"}]}))["load"]["web"]["rate"] == {
        "stages": [{"for": "1s", "to": "5/s"}]
    }
    assert tree(("load.web.rate", {"sine": {"phase": "1s"}}))["load"]["web"]["rate"]["sine"]["mean"] == "8/s"
    assert tree("load.web.rate=3/s")["load"]["web"]["rate"] == "3/s"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        target = folder / f"{name}.yaml"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


def test_includes_are_relative_and_later_ones_win(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "base.yaml").write_text(
        BASE.replace("sysim: 1\n", "sysim: 1\ninclude: part.yaml\n")
    )
    (tmp_path / "models" / "part.yaml").write_text("seed: 5\nreplications: 3\nflags: {a: on, b: on}\n")
    (tmp_path / "models" / "late.yaml").write_text("replications: 4\nflags: {b: off}\n")
    write(tmp_path, top="sysim: 1\ninclude: [models/base.yaml, models/late.yaml]\nflags: {c: off, a: null}\n")
    loaded = load(tmp_path / "top.yaml")
    assert (loaded.scenario.seed, loaded.scenario.replications) == (5, 4)
    assert loaded.scenario.flags == {"b": False, "c": False}
    assert "include" not in loaded.tree


def test_faults_and_checks_of_an_included_file_are_kept(tmp_path: Path) -> None:
    extra = "faults: [{name: a, at: 1s, on: api, pause: true}]\nchecks: [success(web) > 1%]\n"
    write(tmp_path, base=BASE + extra + "variants: {one: null}\n")
    top = "sysim: 1\ninclude: base.yaml\nfaults: [{name: b, at: 2s, on: api, pause: true}]\n"
    loaded = loads(
        top + "checks: [success(web) > 2%]\nvariants: {two: {faults.b.at: 3s}}\n", base_dir=tmp_path
    )
    assert [fault.name for fault in loaded.scenario.faults] == ["a", "b"]
    assert [check.value for check in loaded.scenario.checks] == [0.01, 0.02]
    assert loaded.variants == ("one", "two")
    changed = loads(top, base_dir=tmp_path, set=[("faults", [])])
    assert changed.scenario.faults == ()


def test_the_digest_does_not_know_of_includes(tmp_path: Path) -> None:
    write(tmp_path, base=BASE)
    assert loads("sysim: 1\ninclude: base.yaml\n", base_dir=tmp_path).digest == loads(BASE).digest


def test_a_file_reached_twice_counts_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=BASE + "faults: [{at: 1s, on: api, pause: true}]\n",
        left="include: base.yaml\n",
        right="include: base.yaml\n",
    )
    assert len(loads("sysim: 1\ninclude: [left.yaml, right.yaml]\n", base_dir=tmp_path).scenario.faults) == 1


def test_problems_keep_their_file(tmp_path: Path) -> None:
    write(tmp_path, base=BASE.replace("concurrency", "concurency"))
    (tmp_path / "top.yaml").write_text("sysim: 1\ninclude: base.yaml\nseed: -1\n")
    with pytest.raises(ScenarioError) as error:
        load(tmp_path / "top.yaml")
    places = {(Path(problem.file).name, problem.line, problem.code) for problem in error.value.problems}
    assert places == {("base.yaml", 4, "unknown-key"), ("top.yaml", 3, "bad-value")}


def test_the_order_of_layers(tmp_path: Path) -> None:
    write(tmp_path, base=BASE + "seed: 1\n")
    text = (
        "sysim: 1\ninclude: base.yaml\nseed: 2\nparams: {n: 4}\nvariants: {v: {seed: 3, replications: $n}}\n"
    )

    def seed(**given: Any) -> Loaded:
        return loads(text, base_dir=tmp_path, **given)

    assert seed().scenario.seed == 2
    assert seed(variant="v").scenario.seed == 3
    assert seed(variant="v", set=["seed=$n"]).scenario.seed == 4
    final = seed(variant="v", set=["seed=$n"], params={"n": "6"})
    assert (final.scenario.seed, final.scenario.replications) == (6, 6)


def test_parameters_inside_texts() -> None:
    text = BASE + "params: {n: 5, unit: ms}\ndescription: 'costs $$5 and ${n}$unit or $ 5'\n"
    loaded = loads(text, set=["services.api.startup=${n}$unit", "services.api.replicas=$n"])
    assert loaded.scenario.description == "costs $5 and 5ms or $ 5"
    assert loaded.scenario.services["api"].startup == 5_000_000
    assert loaded.scenario.services["api"].replicas == 5
