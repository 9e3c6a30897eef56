"""The examples of the format load, mean what the format says, and come back from a dump unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sysim.model import Constant, ConstantRate, RatioBudget
from sysim.scenario_file import Loaded, dump, load, loads, schema, with_

HERE = Path(__file__).parent
STORM = HERE / "retry_storm.yaml"
EVERYTHING = HERE / "everything.yaml"
S = 1_000_000_000


@pytest.fixture(scope="module")
def everything() -> Loaded:
    return load(EVERYTHING)


def test_the_retry_storm() -> None:
    loaded = load(STORM)
    scenario = loaded.scenario
    assert loaded.warnings == () and loaded.variants == ("baseline", "no_retries", "retry_budget")
    assert scenario.time.duration == 300 * S and scenario.time.drain is None
    client = scenario.load["clients"]
    assert client.mix == {"api.get": 1.0} and client.policy is not None
    assert client.policy.scope == "load.clients.policy" and client.policy.timeout == 500_000_000
    assert scenario.faults[0].name == "stall" and scenario.faults[0].lasts == Constant(value=3 * S)
    first, second = scenario.checks
    assert (first.metric, first.subject, first.variants) == ("metastable", "clients", ("baseline",))
    assert (second.op, second.value, second.of_window, second.window) == (">=", 0.95, "before", "after")
    assert second.except_ == ("baseline",)


def test_its_variants() -> None:
    retries = {
        name: load(STORM, variant=name).scenario.load["clients"].policy for name in load(STORM).variants
    }
    assert [policy.retry.max_attempts for policy in retries.values()] == [3, 1, 3]  # type: ignore[union-attr]
    assert retries["retry_budget"].retry.budget == RatioBudget(ratio=0.1)  # type: ignore[union-attr]
    assert load(STORM, variant="baseline").digest == load(STORM).digest


def test_everything_loads_without_a_warning(everything: Loaded) -> None:
    assert everything.warnings == ()
    place = everything.scenario.services["web"].operations["place"].steps
    assert [step.kind for step in place] == [
        "work", "parallel", "call", "call", "repeat", "choose", "publish", "fail",
    ]  # fmt: skip


def test_every_call_carries_its_final_policy(everything: Loaded) -> None:
    services = everything.scenario.services
    place = services["web"].operations["place"].steps
    default, extended = place[2], place[3]
    assert default.kind == "call" and default.policy == everything.scenario.policies["careful"]
    assert default.target == "payments.charge" and default.name == "pay"
    assert extended.kind == "call" and extended.policy is not None
    assert extended.policy.scope == "services.web.operations.place.3.policy"
    assert (
        extended.policy.timeout == 450_000_000
        and extended.policy.hedge is not None
        and extended.policy.cancel
    )
    repeated = place[4]
    assert repeated.kind == "repeat" and repeated.steps[0].kind == "call" and repeated.steps[0].policy is None
    fallback = everything.scenario.policies["careful"].fallback
    assert fallback is not None and fallback.steps[0].kind == "call" and fallback.steps[0].policy is None
    journey = [step for step in everything.scenario.load["staff"].journey if step.kind == "call"]
    assert [step.policy.scope for step in journey if step.policy] == ["tokens", "tokens"]


def test_instants_count_from_the_start(everything: Loaded) -> None:
    windows = everything.scenario.windows
    assert (windows["before"].start, windows["before"].end) == (600 * S, 15 * 3600 * S)
    assert windows["after"].start == 9 * 3600 * S
    assert windows["dated"].end == 24 * 3600 * S
    assert everything.scenario.faults[9].at == 9 * 3600 * S


def test_parameters_are_in_place(everything: Loaded) -> None:
    stairs = everything.scenario.load["stairs"]
    assert stairs.kind == "open" and stairs.rate.kind == "steps" and stairs.rate.steps[1].rate == 4.08
    assert everything.scenario.description.startswith("Costs $5 a day")
    changed = load(EVERYTHING, params={"peak": 5, "who": "history"})
    assert changed.scenario.load["stairs"].rate.steps[1].rate == 5.0  # type: ignore[union-attr]
    assert changed.digest != everything.digest


@pytest.mark.parametrize("variant", [None, "baseline", "calm"])
def test_a_dump_loads_back_to_the_same_digest(variant: str | None) -> None:
    loaded = load(EVERYTHING, variant=variant)
    again = loads(dump(loaded))
    assert again.digest == loaded.digest
    assert dump(again) == dump(loaded)
    assert again.scenario.model_dump(exclude={"variants", "checks", "abort_when"}) == loaded.scenario.model_dump(
        exclude={"variants", "checks", "abort_when"}
    )


def test_the_tree_is_plain(everything: Loaded) -> None:
    assert json.loads(json.dumps(everything.tree)) == everything.tree
    assert "params" not in everything.tree and "x-note" not in everything.tree


def test_the_digest_sees_meaning_and_nothing_else() -> None:
    text = STORM.read_text()
    digest = loads(text).digest
    lines = text.splitlines()
    assert loads("# a comment\n" + text).digest == digest
    assert loads(text.replace("300s", "5m").replace("500ms", "0.5s")).digest == digest
    assert loads(text.replace("retry_storm", "other")).digest == digest
    assert loads(text.replace("concurrency: 1,", "concurrency: 2,")).digest != digest
    head, services, rest = lines[:4], lines[4:6], lines[6:]
    assert loads("\n".join(head + rest + services)).digest == digest


def test_with_sets_further_values() -> None:
    loaded = with_(load(STORM, variant="no_retries"), {"load.clients.rate": "5/s", "seed": 3})
    load_ = loaded.scenario.load["clients"]
    assert load_.kind == "open" and load_.rate == ConstantRate(value=5.0)
    assert (
        load_.policy is not None and load_.policy.retry is not None and load_.policy.retry.max_attempts == 1
    )
    assert loaded.scenario.seed == 3
    assert with_(loaded, {"seed": 4}).scenario.seed == 4


def test_settings_come_in_three_forms() -> None:
    digests = {
        load(STORM, set=["load.clients.rate=5/s", "services.api.replicas=2"]).digest,
        load(STORM, set=[("load.clients.rate", "5/s"), ("services.api.replicas", 2)]).digest,
        load(STORM, set={"load.clients.rate": "5/s", "services.api.replicas": 2}).digest,
    }
    assert len(digests) == 1


def test_the_schema_accepts_what_loads_and_refuses_unknown_keys(everything: Loaded) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = schema()
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    storm = load(STORM).tree
    assert list(validator.iter_errors(storm)) == []
    assert list(validator.iter_errors(everything.tree)) == []
    assert list(validator.iter_errors({**storm, "service": {}}))
    assert list(validator.iter_errors({**storm, "time": {"duration": 300}}))
    assert list(validator.iter_errors({**storm, "services": {"api": {"replica": 2, "operations": {}}}}))
    assert list(validator.iter_errors({**storm, "load": {"web": {"call": "api.get", "rate": 400}}}))
    assert not list(validator.iter_errors({**storm, "x-mine": [1, 2]}))
    assert not list(validator.iter_errors({**storm, "seed": "$seed"}))
