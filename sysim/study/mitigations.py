"""What operators can do at an instant: the generic mitigations, made from a scenario and what hurts in it.

Each is the scenario with levers pulled at one instant, or with faults taken back; so all have the same past. What is
held (a shed, a flag, a forced breaker, retries) is put back as it was when the hold is over: a system is well when it
bears all its load again, and a cure that has to stay for ever is none. A new kind of mitigation is a function in
`KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sysim.model import (
    Action,
    Call,
    ClearQueueLever,
    DeployLever,
    DrainLever,
    EdgeTarget,
    FlagLever,
    OperationTarget,
    Publish,
    RestartLever,
    RollbackLever,
    ScaleLever,
    Scenario,
    ServiceTarget,
    SetLever,
    Setting,
    SettingKey,
    ShedLever,
    UndrainLever,
    ZoneTarget,
)
from sysim.model.action import Lever
from sysim.model.fault import CrashFault
from sysim.model.policy import CallPolicy
from sysim.model.steps import policies_of, walk
from sysim.model.topology import Step

NOTHING = "do nothing"
RETRIES_OFF = "turn all retries off"
SHED = (0.25, 0.5, 0.75)
MOST_ALONE = 4  # services, the worst, that are restarted, cleared and scaled one by one
MORE = 2  # times as many replicas


@dataclass(frozen=True)
class Mitigation:
    """One thing to do. `name` is what is done, as an order; `held` says that it is put back after a while."""

    kind: str
    name: str
    actions: tuple[Action, ...] = ()
    ends: tuple[int, ...] = ()
    held: bool = False


@dataclass(frozen=True)
class Scene:
    """Where one stands. Things are done at `act` and held until `until` (ns); `faults` are the numbers and names of
    those that are active, `services` those that are in trouble, the worst first, and `full` those that have no room.
    """

    scenario: Scenario
    act: int
    until: int
    faults: Mapping[int, str]
    services: tuple[str, ...]
    full: tuple[str, ...]

    def now(self, *levers: Lever) -> tuple[Action, ...]:
        """Levers that are pulled and left."""
        return tuple(Action(lever=lever, at=self.act) for lever in levers)

    def hold(self, *pairs: tuple[Lever, Lever]) -> tuple[Action, ...]:
        """Levers that are pulled, and for each what puts it back when the hold is over."""
        begin = self.now(*(pull for pull, _ in pairs))
        return (*begin, *(Action(lever=back, at=self.until) for _, back in pairs))


def mitigations(scene: Scene, kinds: Sequence[str] = ()) -> tuple[Mitigation, ...]:
    """Doing nothing, and then all that can be done, of the `kinds` (all unless given)."""
    wanted = [kind for kind in KINDS if kind in kinds or not kinds]
    return (Mitigation("nothing", NOTHING), *(found for kind in wanted for found in KINDS[kind](scene)))


def applied(scenario: Scenario, mitigation: Mitigation, act: int) -> Scenario:
    """The scenario in which it is done."""
    faults = tuple(
        fault.model_copy(update={"until": act}) if number in mitigation.ends else fault
        for number, fault in enumerate(scenario.faults)
    )
    return scenario.model_copy(update={"faults": faults, "actions": (*scenario.actions, *mitigation.actions)})


# --- the kinds --------------------------------------------------------------------------------------------


def _rollbacks(scene: Scene) -> Iterator[Mitigation]:
    """Taking back what broke it: all faults that are active together, and each alone; and each deploy."""
    found = {
        number: name for number, name in scene.faults.items()
        if not (isinstance(effect := scene.scenario.faults[number].effect, CrashFault) and effect.restart_after)
    }  # fmt: skip
    if len(found) > 1:
        yield Mitigation("rollback", "roll back: end all faults", ends=tuple(found))
    for number, name in found.items():
        yield Mitigation("rollback", f"roll back: end {name}", ends=(number,))
    for service in _deployed(scene):
        levers = scene.now(RollbackLever(service=service))
        yield Mitigation("rollback", f"roll back the deploy of {service}", levers)


def _flags(scene: Scene) -> Iterator[Mitigation]:
    for name, on in sorted(scene.scenario.flags.items()):
        pull, back = FlagLever(flags={name: not on}), FlagLever(flags={name: on})
        yield Mitigation("flag", f"switch {name} {'off' if on else 'on'}", scene.hold((pull, back)), held=True)


def _sheds(scene: Scene) -> Iterator[Mitigation]:
    loads = sorted(scene.scenario.load)
    for share in SHED:
        yield Mitigation("shed", _shedding(scene, share), _shed(scene, loads, share), held=True)
    for load in loads if len(loads) > 1 else ():
        for share in (0.5, 1.0):
            what = f"shed {share:.0%} of {load}"
            yield Mitigation("shed", what, _shed(scene, [load], share), held=True)


def _shedding(scene: Scene, share: float) -> str:
    loads = scene.scenario.load
    return f"shed {share:.0%} of {min(loads) if len(loads) == 1 else 'all loads'}"


def _shed(scene: Scene, loads: Iterable[str], share: float) -> tuple[Action, ...]:
    return scene.hold(*((ShedLever(load=load, share=share), ShedLever(load=load, share=0.0)) for load in loads))


def _retries(scene: Scene) -> Iterator[Mitigation]:
    retries = {
        policy.scope: policy.retry.max_attempts for policy in policies_of(scene.scenario)
        if policy.scope is not None and policy.retry is not None and policy.retry.max_attempts > 1
    }  # fmt: skip
    if retries:
        yield Mitigation("retries", RETRIES_OFF, _once(scene, "retry.max_attempts", retries), held=True)
    hedges = {
        policy.scope: policy.hedge.max_attempts for policy in policies_of(scene.scenario)
        if policy.scope is not None and policy.hedge is not None and policy.hedge.max_attempts > 1
    }  # fmt: skip
    if hedges:
        yield Mitigation("retries", "turn all hedges off", _once(scene, "hedge.max_attempts", hedges), held=True)


def _once(scene: Scene, key: SettingKey, scopes: Mapping[str, int]) -> tuple[Action, ...]:
    one = _settings(scene, key, dict.fromkeys(scopes, 1))
    return scene.hold((one, _settings(scene, key, scopes)))


def _breakers(scene: Scene) -> Iterator[Mitigation]:
    """Cutting off what is broken or full, where callers have a breaker."""
    guarded = _guarded(scene.scenario)
    wanted = dict.fromkeys((*_struck(scene), *scene.services))
    for scopes in dict.fromkeys(guarded[service] for service in wanted if service in guarded):
        # A policy has one breaker setting for all whom it is used to call.
        callees = sorted(service for service, others in guarded.items() if set(others) & set(scopes))
        force, leave = (_settings(scene, "circuit_breaker", dict.fromkeys(scopes, way)) for way in ("open", "auto"))
        what = f"force the breakers of calls to {' and '.join(callees)} open"
        yield Mitigation("breaker", what, scene.hold((force, leave)), held=True)


def _restarts(scene: Scene) -> Iterator[Mitigation]:
    own = _own(scene)
    for service in own[:MOST_ALONE]:
        yield Mitigation("restart", f"restart {service}", scene.now(RestartLever(service=service)))
    if len(own) > 1:
        levers = [RestartLever(service=service) for service in own]
        yield Mitigation("restart", f"restart {', '.join(own[:-1])} and {own[-1]}", scene.now(*levers))


def _clears(scene: Scene) -> Iterator[Mitigation]:
    full = _queues(scene)
    for service in full[:MOST_ALONE]:
        yield Mitigation("clear", f"clear the queue of {service}", scene.now(ClearQueueLever(service=service)))
    if len(full) > 1:
        yield Mitigation("clear", "clear all full queues", _clear(scene, full))


def _scales(scene: Scene) -> Iterator[Mitigation]:
    """More replicas of what has too few; they start first, and nothing that hangs is any faster on them."""
    own = [name for name in _own(scene) if name in scene.services]
    for service in own[:MOST_ALONE]:
        yield Mitigation("scale", f"double the replicas of {service}", _scaled(scene, [service]), held=True)
    if len(own) > 1:
        what = f"double the replicas of {', '.join(own[:-1])} and {own[-1]}"
        yield Mitigation("scale", what, _scaled(scene, own), held=True)


def _scaled(scene: Scene, services: Iterable[str]) -> tuple[Action, ...]:
    sizes = {name: scene.scenario.services[name].replicas for name in services}
    return scene.hold(
        *(
            (ScaleLever(service=name, replicas=MORE * n), ScaleLever(service=name, replicas=n))
            for name, n in sizes.items()
        )
    )


def scalable(scenario: Scenario, end: int) -> tuple[Action, ...]:
    """Actions at the `end` of a run, which are never pulled: they make room in the plan for all the replicas that could
    be added, since the plans of all mitigations have to be alike in what has been.
    """
    return tuple(
        Action(lever=ScaleLever(service=name, replicas=MORE * service.replicas), at=end)
        for name, service in sorted(scenario.services.items())
        if service.kind != "external"
    )


def _drains(scene: Scene) -> Iterator[Mitigation]:
    """Taking out of service what a fault has struck, where there is something else that serves."""
    found: dict[str, tuple[Action, ...]] = {}
    some: dict[str, object]
    for number in scene.faults:
        fault = scene.scenario.faults[number]
        for target in fault.on:
            where: dict[str, object] = {
                "zone": fault.zone, "replicas": fault.replicas, "replica_share": fault.replica_share,
            }  # fmt: skip
            match target:
                case ZoneTarget(zone=zone):
                    what, some = f"zone {zone}", {"zone": zone}
                case ServiceTarget(service=service) if any(value is not None for value in where.values()):
                    many = "the replicas"
                    if fault.replicas is not None:
                        many = "the first replica" if fault.replicas == 1 else f"the first {fault.replicas} replicas"
                    elif fault.replica_share is not None:
                        many = f"the first {fault.replica_share:.0%} of the replicas"
                    zone = f" in zone {fault.zone}" if fault.zone is not None else ""
                    what, some = f"{many} of {service}{zone}", {"service": service, **where}
                case _:
                    continue
            found[f"drain {what}"] = scene.hold((DrainLever.model_validate(some), UndrainLever.model_validate(some)))
    for name, actions in found.items():
        yield Mitigation("drain", name, actions, held=True)


def _combined(scene: Scene) -> Iterator[Mitigation]:
    """Less load, or none again, and no backlog: what either does not do alone."""
    full = _queues(scene)
    if full:
        queues = f"the queue of {full[0]}" if len(full) == 1 else "all full queues"
        for other in (*_sheds(scene), *_retries(scene)):
            if other.name in (RETRIES_OFF, _shedding(scene, 0.5)):
                name, actions = f"{other.name} and clear {queues}", (*_clear(scene, full), *other.actions)
                yield Mitigation("combined", name, actions, held=True)


def _clear(scene: Scene, services: Iterable[str]) -> tuple[Action, ...]:
    return scene.now(*(ClearQueueLever(service=service) for service in services))


def _queues(scene: Scene) -> list[str]:
    """The operator's services that may have something to clear."""
    return [name for name in scene.full if name in _own(scene)]


KINDS: dict[str, Callable[[Scene], Iterator[Mitigation]]] = {
    "rollback": _rollbacks,
    "flag": _flags,
    "shed": _sheds,
    "retries": _retries,
    "breaker": _breakers,
    "restart": _restarts,
    "clear": _clears,
    "scale": _scales,
    "drain": _drains,
    "combined": _combined,
}


# --- what a scenario has ----------------------------------------------------------------------------------


def _settings(scene: Scene, key: SettingKey, values: Mapping[str, int | str]) -> SetLever:
    named = {policy.scope: policy.name for policy in policies_of(scene.scenario)}
    return SetLever(
        settings=tuple(
            Setting.model_validate(
                {"path": f"policies.{scope}.{key}" if named[scope] else f"{scope}.{key}", "scope": scope, "key": key,
                 "value": value}
            )
            for scope, value in sorted(values.items())
        )
    )  # fmt: skip


def _guarded(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """For each service the policies with a breaker under which it is called."""
    found: dict[str, dict[str, None]] = {}
    for policy, target in _calls(scenario):
        if policy is not None and policy.circuit_breaker is not None and policy.scope is not None:
            found.setdefault(target.partition(".")[0], {})[policy.scope] = None
    return {service: tuple(sorted(scopes)) for service, scopes in found.items()}


def _calls(scenario: Scenario) -> Iterator[tuple[CallPolicy | None, str]]:
    """Every call and message of a scenario: its policy and its target."""
    programs: list[Iterable[Step]] = []
    for load in scenario.load.values():
        yield from ((load.policy, target) for target in load.mix)
        programs.append(load.journey)
    programs += [op.steps for service in scenario.services.values() for op in service.operations.values()]
    for program in programs:
        for step in walk(program):
            if isinstance(step, Call | Publish):
                yield step.policy, step.target


def _deployed(scene: Scene) -> list[str]:
    """The services that have had a deploy which nobody has taken back. Deploys on a condition are left out: whether it
    has come true is not known here.
    """
    found: dict[str, None] = {}
    past = [action for action in scene.scenario.actions if action.at is not None and action.at <= scene.act]
    for action in sorted(past, key=lambda action: action.at or 0):
        match action.lever:
            case DeployLever(service=service):
                found[service] = None
            case RollbackLever(service=service):
                found.pop(service, None)
    return list(found)


def _struck(scene: Scene) -> list[str]:
    """The services that an active fault strikes."""
    found: dict[str, None] = {}
    for number in scene.faults:
        for target in scene.scenario.faults[number].on:
            match target:
                case ServiceTarget(service=service) | OperationTarget(service=service) | EdgeTarget(callee=service):
                    found[service] = None
    return list(found)


def _own(scene: Scene) -> list[str]:
    """The services in trouble, or struck, that belong to the operator."""
    names = dict.fromkeys((*scene.services, *_struck(scene)))
    return [name for name in names if scene.scenario.services[name].kind != "external"]
