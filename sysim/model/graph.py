"""A scenario as a directed graph of loads and services, and what its shape alone tells.

`service_graph` is for looking at: one node a load or service, one edge a pair of caller and callee.
`call_graph` is its finer grain, one node a load or operation, on which fan-out, the critical path, worst-case
amplification and single points of failure are computed. Nothing here simulates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from sysim.model.demand import mean, step_demand
from sysim.model.distribution import Distribution
from sysim.model.policy import CallPolicy
from sysim.model.scenario import Scenario
from sysim.model.topology import Call, Choose, Parallel, Publish, Repeat, Step, Work
from sysim.model.workload import ClosedLoad

NS = 1_000_000_000


@dataclass(frozen=True)
class Site:
    """A place from which `caller` (a load or ``service.operation``) calls `target`."""

    caller: str
    target: str
    policy: CallPolicy | None
    times: float
    required: bool
    published: bool = False
    fallback: bool = False

    @property
    def attempts(self) -> int:
        """The most attempts that one call can send: tries times hedges."""
        if self.policy is None:
            return 1
        tries = self.policy.retry.max_attempts if self.policy.retry else 1
        return tries * (self.policy.hedge.max_attempts if self.policy.hedge else 1)


def sites(scenario: Scenario) -> list[Site]:
    """All places from which calls are made, loads first; steps whose flag is off are left out."""
    found: list[Site] = []
    for name, load in sorted(scenario.load.items()):
        found += [Site(name, target, load.policy, share, True) for target, share in sorted(load.mix.items())]
        for share in load.mix.values():
            found += _fallback_sites(scenario, name, load.policy, share)
        found += _walk(scenario, name, load.journey, 1.0, True)
    for service, body in sorted(scenario.services.items()):
        for operation, steps in sorted(body.operations.items()):
            found += _walk(scenario, f"{service}.{operation}", steps.steps, 1.0, True)
    return found


def _walk(
    scenario: Scenario, caller: str, steps: Iterable[Step], times: float, required: bool
) -> Iterator[Site]:
    for step in steps:
        if step.flag is not None and not scenario.flags.get(step.flag, True):
            continue
        often = times * (1.0 if step.probability is None else step.probability)
        needed = required and not step.optional
        match step:
            case Call():
                yield Site(caller, step.target, step.policy, often, needed and not _saved(step.policy))
                yield from _fallback_sites(scenario, caller, step.policy, often)
            case Publish():
                yield Site(caller, step.target, step.policy, often, False, published=True)
            case Parallel():
                for branch in step.branches:
                    yield from _walk(scenario, caller, branch, often, needed)
            case Repeat():
                yield from _walk(scenario, caller, step.steps, often * step.times, needed)
            case Choose():
                whole = sum(option.weight for option in step.options)
                for option in step.options:
                    yield from _walk(scenario, caller, option.steps, often * option.weight / whole, needed)
            case _:
                pass


def _saved(policy: CallPolicy | None) -> bool:
    return policy is not None and policy.fallback is not None


def _fallback_sites(
    scenario: Scenario, caller: str, policy: CallPolicy | None, times: float
) -> Iterator[Site]:
    if policy is not None and policy.fallback is not None:
        for site in _walk(scenario, caller, policy.fallback.steps, times, False):
            yield Site(site.caller, site.target, site.policy, site.times, False, site.published, True)


# --- graphs -----------------------------------------------------------------------------------------------


def call_graph(scenario: Scenario) -> nx.DiGraph[str]:
    """One node a load or operation; an edge has `times` (mean calls a request), `attempts`, `required`,
    `published`.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in scenario.load:
        graph.add_node(name, kind="load")
    for service, body in scenario.services.items():
        for operation in body.operations:
            graph.add_node(f"{service}.{operation}", kind="operation", service=service)
    for site in sites(scenario):
        _add(graph, site.caller, site.target, site)
    return graph


def service_graph(scenario: Scenario) -> nx.DiGraph[str]:
    """One node a load or service, with `kind`, `replicas`, `concurrency`; edges as in `call_graph`, with
    `sites`.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, load in scenario.load.items():
        graph.add_node(name, kind="load", closed=isinstance(load, ClosedLoad))
    for service, body in scenario.services.items():
        graph.add_node(service, kind=body.kind, replicas=body.replicas, concurrency=body.concurrency)
    for site in sites(scenario):
        _add(graph, owner(site.caller), owner(site.target), site)
    return graph


def owner(name: str) -> str:
    """The service of ``service.operation``; a load is its own."""
    return name.partition(".")[0]


def _add(graph: nx.DiGraph[str], caller: str, callee: str, site: Site) -> None:
    data: dict[str, Any] = graph.get_edge_data(caller, callee) or {
        "times": 0.0, "attempts": 1, "required": False, "published": True, "breaker": False, "sites": (),
    }  # fmt: skip
    graph.add_edge(
        caller,
        callee,
        times=data["times"] + site.times,
        attempts=max(data["attempts"], site.attempts),
        required=data["required"] or site.required,
        published=data["published"] and site.published,
        breaker=data["breaker"] or (site.policy is not None and site.policy.circuit_breaker is not None),
        sites=(*data["sites"], site),
    )


# --- fan-out ----------------------------------------------------------------------------------------------


def fan_out(scenario: Scenario) -> dict[str, float]:
    """For each load, the mean number of calls that one of its requests leads to, itself included, without
    retries.

    For a journey: one whole cycle.
    """
    below: dict[str, float] = {}
    graph = call_graph(scenario)
    for name in reversed(list(nx.topological_sort(graph))):
        below[name] = sum(
            data["times"] * (1.0 + below[callee])
            for _, callee, data in graph.out_edges(name, data=True)
            if not all(site.fallback for site in data["sites"])
        )
    return {name: below[name] for name in sorted(scenario.load)}


# --- the critical path ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hop:
    """One stop of a critical path: what is called, its own mean work, and the network both ways to it;
    seconds.
    """

    target: str
    work_s: float
    network_s: float


@dataclass(frozen=True)
class CriticalPath:
    """Where the time of a healthy request goes: the mean of all of it and the chain of calls that takes
    longest.

    `seconds` counts every step of the chain of control with its probability, parallel branches by the
    longest, and no waiting. `hops` follow the call that contributes most.
    """

    seconds: float
    hops: tuple[Hop, ...] = ()


def critical_paths(scenario: Scenario) -> dict[str, CriticalPath]:
    """For each load, the critical path of its requests; of a mix the one that takes longest, of a journey a
    cycle.
    """
    memory: dict[str, CriticalPath] = {}
    found: dict[str, CriticalPath] = {}
    for name, load in sorted(scenario.load.items()):
        if load.mix:
            paths = [call_path(scenario, target, load.policy, memory) for target in sorted(load.mix)]
            found[name] = max(paths, key=lambda path: path.seconds)
        else:
            found[name] = _steps(scenario, load.journey, memory)
    return found


def call_path(
    scenario: Scenario, target: str, policy: CallPolicy | None, memory: dict[str, CriticalPath]
) -> CriticalPath:
    """The critical path of one call to `target`; `memory` keeps those of operations."""
    if target not in memory:
        service, _, operation = target.partition(".")
        memory[target] = _steps(scenario, scenario.services[service].operations[operation].steps, memory)
    inner = memory[target]
    latency = policy.network.latency if policy is not None and policy.network is not None else None
    network = 2.0 * _seconds(latency) if latency is not None else 0.0
    service, _, operation = target.partition(".")
    own = _own_work(scenario.services[service].operations[operation].steps, scenario.flags)
    return CriticalPath(network + inner.seconds, (Hop(target, own, network), *inner.hops))


def _steps(scenario: Scenario, steps: Iterable[Step], memory: dict[str, CriticalPath]) -> CriticalPath:
    seconds, longest, hops = 0.0, 0.0, tuple[Hop, ...]()
    for step in steps:
        if step.flag is not None and not scenario.flags.get(step.flag, True):
            continue
        often = 1.0 if step.probability is None else step.probability
        path = _step(scenario, step, memory)
        seconds += often * path.seconds
        if path.hops and often * path.seconds >= longest:
            longest, hops = often * path.seconds, path.hops
    return CriticalPath(seconds, hops)


def _step(scenario: Scenario, step: Step, memory: dict[str, CriticalPath]) -> CriticalPath:
    match step:
        case Work():
            return CriticalPath(_seconds(step.duration))
        case Call():
            return call_path(scenario, step.target, step.policy, memory)
        case Parallel():
            return max(
                (_steps(scenario, branch, memory) for branch in step.branches), key=lambda path: path.seconds
            )
        case Repeat():
            path = _steps(scenario, step.steps, memory)
            return CriticalPath(step.times * path.seconds, path.hops)
        case Choose():
            whole = sum(option.weight for option in step.options)
            paths = [
                (option.weight / whole, _steps(scenario, option.steps, memory)) for option in step.options
            ]
            heaviest = max(paths, key=lambda item: item[0] * item[1].seconds)[1]
            return CriticalPath(sum(share * path.seconds for share, path in paths), heaviest.hops)
        case _:
            return CriticalPath(0.0)


def _own_work(steps: Iterable[Step], flags: Mapping[str, bool]) -> float:
    return step_demand(steps, dict(flags))[0] / NS


def _seconds(distribution: Distribution) -> float:
    return mean(distribution) / NS


# --- worst-case amplification -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Amplification:
    """The most requests that a chain of retries can make of one: the product of the attempts along `path`."""

    factor: int
    path: tuple[str, ...] = ()


def worst_amplification(scenario: Scenario) -> dict[str, Amplification]:
    """For each service that loads reach, the worst product of attempts on a path from a load to it."""
    graph = call_graph(scenario)
    best: dict[str, Amplification] = {name: Amplification(1, (name,)) for name in scenario.load}
    for name in nx.topological_sort(graph):
        if name not in best:
            continue
        for _, callee, data in graph.out_edges(name, data=True):
            factor = best[name].factor * int(data["attempts"])
            if callee not in best or factor > best[callee].factor:
                best[callee] = Amplification(factor, (*best[name].path, callee))
    found: dict[str, Amplification] = {}
    for name, worst in best.items():
        if name not in scenario.load and worst.factor > found.get(owner(name), Amplification(0)).factor:
            found[owner(name)] = worst
    return dict(sorted(found.items()))


# --- single points of failure -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """A service without which requests of some loads fail: no optional step and no fallback stands in
    between.
    """

    service: str
    replicas: int
    zones: int
    loads: tuple[str, ...] = field(default=())
    every_request: bool = False

    @property
    def single(self) -> bool:
        """Whether the loss of one replica takes it away."""
        return self.replicas == 1


def needs(scenario: Scenario) -> list[Need]:
    """The services on a path of required calls from a load, those with a single replica first.

    `every_request`: each request of these loads passes it with certainty (it dominates, or lies on an
    unconditional chain), not only some of them.
    """
    graph = call_graph(scenario)
    required: nx.DiGraph[str] = nx.DiGraph()
    required.add_nodes_from(graph)
    required.add_edges_from((a, b) for a, b, data in graph.edges(data=True) if data["required"])
    certain: nx.DiGraph[str] = nx.DiGraph()
    certain.add_nodes_from(graph)
    certain.add_edges_from(
        (a, b)
        for a, b, data in graph.edges(data=True)
        if data["required"] and any(site.required and site.times >= 1.0 - 1e-9 for site in data["sites"])
    )
    found: list[Need] = []
    for service, body in sorted(scenario.services.items()):
        own = [f"{service}.{operation}" for operation in body.operations]
        loads = [
            load for load in sorted(scenario.load) if any(nx.has_path(required, load, node) for node in own)
        ]
        if loads:
            always = all(any(nx.has_path(certain, load, node) for node in own) for load in loads)
            zones = len(set(body.zones[: body.replicas])) or 1
            found.append(Need(service, body.replicas, zones, tuple(loads), always))
    return sorted(found, key=lambda need: (not need.single, need.service))


def layers(graph: nx.DiGraph[str]) -> dict[str, int]:
    """How many calls at most lie between a load and each node: the columns of a drawing. Circles are cut."""
    plain: nx.DiGraph[str] = nx.DiGraph(graph.edges())
    plain.add_nodes_from(graph)
    while not nx.is_directed_acyclic_graph(plain):
        plain.remove_edge(*nx.find_cycle(plain)[-1][:2])
    depth: dict[str, int] = {}
    for name in nx.topological_sort(plain):
        depth[name] = max((depth[caller] + 1 for caller in plain.predecessors(name)), default=0)
    return depth


def finite(seconds: float) -> float | None:
    """None for a mean that does not exist."""
    return seconds if math.isfinite(seconds) else None


def struck_by(scenario: Scenario, number: int) -> set[str]:
    """The services that the fault of this number strikes, or the calls to which it does."""
    found: set[str] = set()
    for target in scenario.faults[number].on:
        if target.kind == "zone":
            found |= {name for name, service in scenario.services.items() if target.zone in service.zones}
        else:
            found.add(target.callee if target.kind == "edge" else target.service)
    return found
