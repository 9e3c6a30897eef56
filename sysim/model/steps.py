"""Walking the steps of a scenario, whatever they lie in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sysim.model.policy import CallPolicy
from sysim.model.scenario import Scenario
from sysim.model.topology import Call, Choose, Parallel, Publish, Repeat, Step


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """All steps, those inside of others and of fallbacks included, an outer one before what it holds."""
    for step in steps:
        yield step
        match step:
            case Parallel(branches=branches):
                for branch in branches:
                    yield from walk(branch)
            case Repeat(steps=inner):
                yield from walk(inner)
            case Choose(options=options):
                for option in options:
                    yield from walk(option.steps)
            case Call(policy=CallPolicy(fallback=fallback)) if fallback is not None:
                yield from walk(fallback.steps)


def policies_of(scenario: Scenario) -> Iterator[CallPolicy]:
    """The policy of every call, message and load, as often as it is used; that of a journey is in its calls."""
    programs: list[Iterable[Step]] = []
    for load in scenario.load.values():
        if load.policy is not None and not load.journey:
            yield load.policy
            programs.append(load.policy.fallback.steps if load.policy.fallback is not None else ())
        programs.append(load.journey)
    for service in scenario.services.values():
        programs += [operation.steps for operation in service.operations.values()]
    for program in programs:
        for step in walk(program):
            if isinstance(step, Call | Publish) and step.policy is not None:
                yield step.policy
