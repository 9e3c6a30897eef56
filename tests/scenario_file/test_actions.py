"""What the texts of actions mean in the model."""

from __future__ import annotations

import pytest

from sysim import model
from sysim.model.action import LOAD_CONDITIONS, SERVICE_CONDITIONS
from sysim.plan.passes.conditions import MOST_SLOTS, metrics
from sysim.scenario_file import loads
from sysim.scenario_file.settings import SETTINGS

FRAME = """\
sysim: 1
time: {duration: 60s, start: 2026-04-11T15:00}
services:
  api:
    replicas: 3
    zones: [a, b]
    concurrency: 1
    operations: {get: [{name: read, call: db, policy: {timeout: 1s, retry: {}}}]}
  db: {operations: {query: []}}
policies: {careful: {timeout: 1s, fallback: {latency: 1ms}}}
defaults: {policy: {timeout: 3s}}
flags: {similar: on}
load: {web: {call: api, rate: 1/s, policy: careful}}
actions: [ACTION]
"""


def action(text: str) -> model.Action:
    return loads(FRAME.replace("ACTION", text)).scenario.actions[0]


@pytest.mark.parametrize(
    ("text", "lever"),
    [
        ("flag: {similar: off}", model.FlagLever(flags={"similar": False})),
        ("shed: {load: web, share: 30%}", model.ShedLever(load="web", share=0.3)),
        ("clear_queue: db", model.ClearQueueLever(service="db")),
        ("restart: db", model.RestartLever(service="db")),
        ("restart: {service: api, replicas: 2}", model.RestartLever(service="api", replicas=2)),
        ("restart: {service: api, replicas: 30%}", model.RestartLever(service="api", replica_share=0.3)),
        ("drain: api", model.DrainLever(service="api")),
        ("drain: zone a", model.DrainLever(zone="a")),
        ("drain: {zone: a}", model.DrainLever(zone="a")),
        ("drain: {service: api, replicas: 50%, zone: a}",
         model.DrainLever(service="api", replica_share=0.5, zone="a")),
        ("scale: {service: api, replicas: 8}", model.ScaleLever(service="api", replicas=8)),
        ("undrain: {service: api, replicas: 1}", model.UndrainLever(service="api", replicas=1)),
    ],
)  # fmt: skip
def test_levers(text: str, lever: model.Lever) -> None:
    assert action(f"{{at: 15:00:30, {text}}}") == model.Action(at=30_000_000_000, lever=lever)


@pytest.mark.parametrize(
    ("path", "value", "scope", "key", "read"),
    [
        ("policies.careful.timeout", "300ms", "careful", "timeout", 300_000_000),
        ("policies.careful.circuit_breaker", "open", "careful", "circuit_breaker", "open"),
        ("policies.careful.fallback", "always", "careful", "fallback", "always"),
        ("services.api.operations.get.read.policy.retry.max_attempts", "1",
         "services.api.operations.get.0.policy", "retry.max_attempts", 1),
        ("services.api.operations.get.0.policy.timeout", "2s", "services.api.operations.get.0.policy", "timeout",
         2_000_000_000),
    ],
)  # fmt: skip
def test_settings(path: str, value: str, scope: str, key: model.SettingKey, read: int | str) -> None:
    lever = action(f"{{at: 1s, set: {{{path}: {value}}}}}").lever
    assert lever == model.SetLever(settings=(model.Setting(path=path, scope=scope, key=key, value=read),))


def test_a_default_written_out_can_be_set_where_a_call_uses_it() -> None:
    text = FRAME.replace(", policy: {timeout: 1s, retry: {}}", "")
    lever = loads(text.replace("ACTION", "{at: 1s, set: {defaults.policy.timeout: 1s}}")).scenario.actions[0].lever
    assert isinstance(lever, model.SetLever)
    assert lever.settings[0].scope == "defaults.policy"


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        ("queue(api) > 1.2k", "queue", 1200.0),
        ("utilisation(api) > 90%", "utilisation", 0.9),
        ("p99(web) > 800ms", "p99", 0.8),
        ("p99_all(web) > 1m", "p99_all", 60.0),
        ("success(web) > 95%", "success", 0.95),
        ("goodput(web) > 6k/m", "goodput", 100.0),
    ],
)
def test_conditions_have_the_unit_of_their_metric_in_every_form(text: str, metric: str, value: float) -> None:
    head, op, rest = text.partition(">")
    forms = (text, f"{{metric: {text}}}", f'{{{head.strip()}: "{op}{rest}"}}')
    found = [action(f"{{when: {form}, clear_queue: db}}").when for form in forms]
    assert found[0] is not None
    assert (found[0].metric, found[0].op, found[0].value, found[0].text) == (metric, ">", value, text)
    assert found[0] == found[1] == found[2]


def test_times_of_a_condition() -> None:
    when = action("{when: {p99(web): '> 1s', for: 1m, every: 2s, over: 10s}, after: 4m, clear_queue: db}").when
    assert when is not None
    assert (when.lasts, when.every, when.over) == (60_000_000_000, 2_000_000_000, 10_000_000_000)


def test_the_plan_knows_the_same_metrics_settings_and_bounds() -> None:
    assert set(metrics()) == {*SERVICE_CONDITIONS, *LOAD_CONDITIONS}
    assert MOST_SLOTS == model.action.MOST_LOOKS
    assert set(SETTINGS) == set(model.SettingKey.__args__)
