"""What may fail in a step, and where: which optional steps of several a plan can express without a branch."""

from __future__ import annotations

from collections.abc import Sequence

from sysim.model import Call, Choose, Fail, Parallel, Repeat, Step


def may_fail(step: Step) -> bool:
    """Whether a failure can come out of this step."""
    if step.optional:
        return False
    match step:
        case Call() | Fail() | Parallel():
            return True
        case Repeat(steps=steps):
            return any(may_fail(inner) for inner in steps)
        case Choose(options=options):
            return any(may_fail(inner) for option in options for inner in option.steps)
        case _:
            return False


def fails_last(step: Repeat | Choose) -> bool:
    """Whether nothing of this step would have followed wherever a failure can come out of it."""
    if isinstance(step, Repeat):
        rounds = not any(may_fail(inner) for inner in step.steps) or step.times <= 1
        return rounds and _list_fails_last(step.steps)
    return all(_list_fails_last(option.steps) for option in step.options)


def _list_fails_last(steps: Sequence[Step]) -> bool:
    if any(may_fail(step) for step in steps[:-1]):
        return False
    last = steps[-1] if steps else None
    return not isinstance(last, Repeat | Choose) or fails_last(last)
