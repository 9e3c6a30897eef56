"""What a scenario that reads well but cannot be lowered is refused with."""

from __future__ import annotations

from sysim.errors import Problem, ScenarioError


class PlanError(ScenarioError):
    """No plan can be made of the scenario: `path` says where, `message` what, `hint` what to do about it."""

    def __init__(self, path: str, message: str, hint: str = "") -> None:
        self.path = path
        self.message = message
        self.hint = hint
        super().__init__([Problem("scenario", 0, 0, "cannot-plan", path, message, hint)])
