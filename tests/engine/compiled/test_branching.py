"""A halted run that goes on as the run of another plan is a run of that plan, to the last element of its record."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sysim.analysis.recovery import occurrences
from sysim.engine.compiled.run import Execution, simulate
from sysim.engine.reference import simulate as reference
from sysim.model import Action, ClearQueueLever, FlagLever, RestartLever, Scenario, SetLever, Setting, ShedLever
from sysim.model.steps import policies_of
from sysim.plan.lower import lower
from sysim.plan.tables import NEVER
from sysim.scenario_file import loads
from tests.agreement.generate import scenario
from tests.engine.compiled.test_execution import MS, same


def base(number: int) -> Scenario:
    return loads(scenario(random.Random(number))).scenario


def levers(found: Scenario) -> list[Any]:
    service = min(found.services)
    some: list[Any] = [ShedLever(load=min(found.load), share=0.5), ClearQueueLever(service=service)]
    some += [RestartLever(service=service), *(FlagLever(flags={name: not on}) for name, on in found.flags.items())]
    scopes = sorted({policy.scope for policy in policies_of(found) if policy.retry and policy.scope})
    some += [
        SetLever(settings=(Setting(path=scope, scope=scope, key="retry.max_attempts", value=1),)) for scope in scopes
    ]
    return some


def branches(found: Scenario, at: int) -> list[Scenario]:
    """The scenario with one lever each, with all faults ended, and with everything at once."""
    acts = [Action(lever=lever, at=at) for lever in levers(found)]
    over = tuple(fault.model_copy(update={"until": at}) for fault in found.faults)
    changes: list[dict[str, Any]] = [{"actions": (*found.actions, act)} for act in acts]
    changes += [{"faults": over}, {"faults": over, "actions": (*found.actions, *acts)}]
    return [found.model_copy(update=change) for change in changes]


@pytest.mark.parametrize("first", [61_000, 61_010, 61_020])
def test_a_branch_is_the_run_of_its_own_plan(first: int) -> None:
    changed = ended = 0
    for number in range(first, first + 10):
        found = base(number)
        at = found.time.duration * random.Random(number).randint(1, 9) // 10
        if number % 2:
            at = at // MS * MS  # when others happen, too
        plan = lower(found)
        halted = Execution(plan, seed=number, traces=3)
        halted.advance(until=at)
        for branch in branches(found, at):
            new = lower(branch)
            direct = simulate(new, seed=number, traces=3)
            assert same(direct, halted.copy(new).finish()) == [], number
            assert same(direct, reference(new, seed=number, traces=3)) == [], number
            changed += direct.digest != simulate(plan, seed=number).digest
            ended += branch.actions == found.actions
        assert same(simulate(plan, seed=number, traces=3), halted.copy(plan).finish()) == [], number
        assert same(simulate(plan, seed=number, traces=3), halted.finish()) == [], number
    assert changed > 30 and ended == 10


RECURRING = """
sysim: 1
time: {duration: 400ms, bucket: 20ms}
services:
  api: {concurrency: 2, replicas: 3, operations: {get: [{work: 2ms}]}}
load: {web: {call: api, rate: 700/s, policy: {timeout: 20ms}}}
faults:
  - {every: {exponential: 30ms}, for: {exponential: 20ms}, on: api, each: replica, slowdown: 5}
  - {at: 100ms, on: api, replicas: 1, crash: true}
  - {at: 120ms, for: {exponential: 100ms}, on: api, error: 30%}
  - {at: 300ms, for: 20ms, on: api, pause: true}
"""


@pytest.mark.parametrize("at", [90, 101, 150, 200, 300, 310])
def test_faults_that_end_sooner(at: int) -> None:
    found = loads(RECURRING).scenario
    for seed in range(3):
        halted = Execution(lower(found), seed=seed)
        halted.advance(until=at * MS)
        for k in range(4):
            faults = list(found.faults)
            faults[k] = faults[k].model_copy(update={"until": at * MS})
            new = lower(found.model_copy(update={"faults": tuple(faults)}))
            direct = simulate(new, seed=seed)
            assert same(direct, halted.copy(new).finish()) == []
            assert same(direct, reference(new, seed=seed)) == []
            struck = [o for o in occurrences(new, direct.events[: direct.n_transitions]) if o.number == k]
            assert all(o.begin < at * MS and (o.end or NEVER) <= at * MS for o in struck if o.kind != "crash")


def test_a_branch_when_nothing_is_left_to_do() -> None:
    text = """
sysim: 1
time: {duration: 10s}
services: {s: {concurrency: 1, operations: {o: [{work: 1s}]}}}
load: {l: {call: s.o, rate: {steps: [{at: 0s, rate: 1/s}, {at: 3s, rate: 0/s}]}, arrivals: evenly}}
"""
    found = loads(text).scenario
    new = lower(found.model_copy(update={"actions": (Action(lever=ClearQueueLever(service="s"), at=8_000 * MS),)}))
    halted = Execution(lower(found), seed=1)
    assert halted.advance(until=8_000 * MS)  # nothing comes any more
    assert same(simulate(new, seed=1), halted.copy(new).finish()) == []


def test_plans_with_another_past_are_refused() -> None:
    found = loads(RECURRING).scenario
    halted = Execution(lower(found), seed=1)
    halted.advance(until=200 * MS)

    def refused(told: str, **changes: Any) -> None:
        with pytest.raises(ValueError, match=told):
            halted.copy(lower(found.model_copy(update=changes)))

    late = found.faults[0].model_copy(update={"until": 100 * MS})
    act = Action(lever=ClearQueueLever(service="api"), at=199 * MS)
    refused("ends before the halt", faults=(late, *found.faults[1:]))
    refused("due before the halt", actions=(act,))
    refused("differ in", faults=found.faults[1:])
    refused("differ in", time=found.time.model_copy(update={"duration": 500 * MS}))
