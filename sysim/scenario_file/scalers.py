"""What cannot work in autoscalers and schedules, known once the whole scenario is: warnings, all of them."""

from __future__ import annotations

from sysim.model import ScaleLever, Scenario
from sysim.scenario_file.crosscheck import named_at
from sysim.scenario_file.reading import Reading
from sysim.scenario_file.reporter import join
from sysim.units import format_duration


def check_scalers(scenario: Scenario, ctx: Reading) -> None:
    """Report autoscalers that can never do anything, what comes too late, and levers that an autoscaler takes back."""
    end = scenario.time.duration
    late = f"after the load has ended at {format_duration(end)}"
    for name, service in scenario.services.items():
        at, scaler = join("services", name), service.autoscaler
        if scaler is not None:
            within = join(at, "autoscaler")
            if scaler.never_grows:
                message = f"found a target that {scaler.metric} cannot pass by its tolerance: it never asks for more"
                _say(ctx, "never-scales", join(within, "target"), message, "a lower target")
            if scaler.every >= end:
                message = f"found the first look of an autoscaler {late}"
                _say(ctx, "after-the-end", join(within, "every"), message, "a shorter `every`")
        for number, line in enumerate(service.schedule):
            if line.at >= end:
                message = f"found a line of a schedule {late}: it is never followed"
                _say(ctx, "after-the-end", join(join(at, "schedule"), number), message)
    for number, action in enumerate(scenario.actions):
        lever = action.lever
        scaler = scenario.services[lever.service].autoscaler if isinstance(lever, ScaleLever) else None
        if isinstance(lever, ScaleLever) and scaler is not None and not scaler.min <= lever.replicas <= scaler.max:
            message = f"found {lever.replicas}, which the autoscaler of {lever.service} takes back at its next look"
            hint = f"a number from {scaler.min} to {scaler.max}"
            _say(ctx, "beyond-autoscaler", join(join(join("actions", number), "scale"), "replicas"), message, hint)


def _say(ctx: Reading, code: str, at: str, message: str, hint: str = "") -> None:
    node, path = named_at(ctx.root, at)
    ctx.report(node, code, path, message, hint, "warning")


__all__ = ["check_scalers"]
