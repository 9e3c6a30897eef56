"""Random scenarios in which nearly everything happens at the same instant.

Durations come from a tiny set (0, 1 and 2 ms), arrivals are even or in batches, the network often takes no
time at all: so most entries share their instant with others, and only the canonical order tells them apart.
Every feature that both engines have turns up: nobody should have to think of the combination that breaks.

``python -m tests.agreement.generate SEED`` prints one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

import yaml

Node = dict[str, Any]

OUTCOMES = ("error", "timeout", "deadline", "rejected", "shed", "circuit_open", "rate_limited",
            "bulkhead_full", "unreachable", "lost")  # fmt: skip


def scenario(rng: random.Random) -> str:
    """The text of one valid scenario."""
    return yaml.safe_dump(_Scenario(rng).node(), sort_keys=False)


class _Scenario:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.duration = rng.choice((20, 40, 80))
        self.count = rng.choice((1, 1, 2, 2, 3, 4))
        self.names = [f"s{number}" for number in range(self.count)]
        self.operations = {name: ["op"] if self.often() else ["op", "other"] for name in self.names}
        self.policies: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.cores: set[str] = set()
        self.zones = rng.random() < 0.4
        self.known_zones: set[str] = set()

    # --- chances ----------------------------------------------------------------------------------------

    def often(self) -> bool:
        return self.rng.random() < 0.75

    def seldom(self) -> bool:
        return self.rng.random() < 0.25

    def rarely(self) -> bool:
        return self.rng.random() < 0.1

    def span(self) -> str:
        """A duration, perhaps none."""
        return self.rng.choice(("0ms", "0ms", "1ms", "1ms", "2ms"))

    def some(self) -> str:
        """A duration above zero."""
        return self.rng.choice(("1ms", "1ms", "2ms", "3ms"))

    def drawn(self) -> Any:
        """A duration or a distribution of one."""
        if self.often():
            return self.span()
        return self.rng.choice(
            (
                {"mixture": [{"weight": 1, "of": "0ms"}, {"weight": 1, "of": "1ms"}]},
                {"empirical": ["0ms", "1ms", "2ms"]},
                {"exponential": "1ms"},
                {"uniform": ["0ms", "2ms"]},
            )
        )

    # --- the whole --------------------------------------------------------------------------------------

    def node(self) -> Node:
        rng = self.rng
        for number in range(rng.randint(1, 3)):
            self.policies[f"p{number}"] = self.policy(0, named=True)
        services = {name: self.service(number) for number, name in enumerate(self.names)}
        self.zones = any("zones" in service for service in services.values())
        load = {f"l{number}": self.load(f"l{number}") for number in range(rng.choice((1, 1, 2, 3)))}
        time: Node = {"duration": f"{self.duration}ms", "bucket": rng.choice(("5ms", "7ms", "20ms"))}
        if self.seldom():
            time["warmup"] = rng.choice(("2ms", "5ms"))
        time["drain"] = rng.choice((True, True, True, False, "5ms"))
        node: Node = {"sysim": 1, "name": "random", "time": time, "services": services}
        node["policies"] = self.policies
        node["load"] = load
        if rng.random() < 0.7:
            node["faults"] = [self.fault() for _ in range(rng.choice((1, 1, 2, 3)))]
        node["flags"] = {"one": rng.choice(("on", "off"))}
        if rng.random() < 0.5:
            node["slos"] = {f"o{number}": self.slo(name) for number, name in enumerate(sorted(load))}
        if rng.random() < 0.6:
            node["actions"] = [self.action(node) for _ in range(rng.choice((1, 2, 2, 3, 5)))]
        if self.seldom():
            node["windows"] = {"early": "2ms..10ms", "late": f"{self.duration // 2}ms.."}
        return node

    # --- services ---------------------------------------------------------------------------------------

    def service(self, number: int) -> Node:
        rng = self.rng
        name = self.names[number]
        node: Node = {"replicas": rng.choice((1, 1, 2, 3))}
        if self.zones and self.often():
            node["zones"] = ["a", "b"][: node["replicas"]]
            self.known_zones.update(node["zones"])
        if self.often():
            node["concurrency"] = rng.choice((1, 1, 2, 3))
        if rng.random() < 0.35:
            node["threading"] = "async"
        if self.seldom():
            node["cores"] = rng.choice((1, 1, 2, 1.5, 0.5))
            self.cores.add(name)
        queue: Node = {}
        if rng.random() < 0.5:
            queue["capacity"] = rng.choice((0, 1, 2, 4))
        if self.seldom():
            queue["discipline"] = "lifo"
        elif rng.random() < 0.4:
            queue["discipline"] = rng.choice(("priority", "priority", "edf"))
        if self.seldom():
            queue["max_wait"] = self.drawn() if self.seldom() else self.some()
        if self.seldom():
            queue["shared"] = True
        if queue:
            node["queue"] = queue
        if self.rarely():
            node["admission"] = {"max_in_progress": rng.choice((1, 2, 4))}
        node["when_cancelled"] = rng.choice(("continue", "drop_queued", "stop", "stop"))
        if self.rarely():
            node["slowdown"] = {"per_concurrent": "50%"}
        if self.seldom():
            node["startup"] = rng.choice(("1ms", "2ms"))
        if self.seldom():
            self.scaled(node)
        node["operations"] = {op: self.steps(number, 0) for op in self.operations[name]}
        return node

    def scaled(self, node: Node) -> None:
        """An autoscaler, a schedule or both: looks that share their instants with all else."""
        rng = self.rng
        least, most = min(node["replicas"], rng.choice((1, 1, 2))), max(node["replicas"], rng.choice((2, 3, 4)))
        if self.often():
            metrics = ["in_progress", "in_progress"]
            metrics += ["utilisation", "utilisation", "utilisation"] * ("concurrency" in node)
            metrics += ["cpu", "cpu"] * ("cores" in node)
            metric = rng.choice(metrics)
            target = rng.choice((0.5, 1, 2)) if metric == "in_progress" else rng.choice(("30%", "50%", "90%"))
            scaler: Node = {"metric": metric, "target": target, "min": least, "max": most}
            scaler["every"] = rng.choice(("1ms", "2ms", "3ms", "5ms"))
            scaler["stabilise"] = rng.choice(("0ms", "2ms", "5ms", "10ms"))
            if self.seldom():
                scaler["tolerance"] = rng.choice(("0%", "50%"))
            if self.seldom():
                scaler["max_increase"] = rng.choice(("50%", "200%"))
            if self.rarely():
                scaler["stabilise"] = "1s"
            node["autoscaler"] = scaler
        if "autoscaler" not in node or self.seldom():
            lines = [
                {"at": f"{rng.randint(0, self.duration)}ms", "replicas": rng.randint(least, most)}
                for _ in range(rng.choice((1, 2, 3)))
            ]
            for line in lines:
                if self.seldom():
                    line["every"] = rng.choice(("2ms", "7ms"))
            node["schedule"] = lines
        if self.seldom():
            node["cost"] = "1 USD/h"

    def steps(self, number: int, depth: int) -> list[Any]:
        rng = self.rng
        return [
            self.step(number, depth) for _ in range(rng.choice((1, 1, 2, 2, 3) if depth == 0 else (1, 1, 2)))
        ]

    def step(self, number: int, depth: int) -> Node:
        rng = self.rng
        callees = self.names[number + 1 :]
        kinds = ["work", "work"]
        if callees:
            kinds += ["call", "call", "call", "publish"]
            if depth < 2:
                kinds += ["parallel", "parallel"]
        if depth < 2:
            kinds += ["choose", "repeat"]
        kind = rng.choice(kinds) if not self.rarely() else "fail"
        step: Node
        if kind == "work":
            step = {"work": self.drawn()}
        elif kind in ("call", "publish"):
            step = {kind: self.target(self.names[number], callees)}
            self.place_policy(step, number)
        elif kind == "parallel":
            branches = [self.steps(number, depth + 1) for _ in range(rng.choice((1, 2, 2, 3)))]
            step = {"parallel": branches}
        elif kind == "choose":
            step = {
                "choose": [
                    {"weight": rng.choice((1, 2)), "steps": self.steps(number, depth + 1)} for _ in range(2)
                ]
            }
        elif kind == "repeat":
            times = rng.choice((0, 1, 2, 2))
            some = self.steps(number, 2) if times else [{"work": "1ms"}]
            step = {"repeat": {"times": times, "steps": some}}
        else:
            step = {"fail": rng.choice(("10%", "50%", "100%"))}
        if kind in ("call", "parallel", "fail") and self.seldom():
            step["optional"] = True
        if self.rarely():
            step["probability"] = "50%"
        if self.rarely():
            step["flag"] = "one"
        return step

    def target(self, caller: str, callees: list[str]) -> str:
        callee = self.rng.choice(callees)
        self.edges.append((caller, callee))
        return f"{callee}.{self.rng.choice(self.operations[callee])}"

    # --- policies ---------------------------------------------------------------------------------------

    def place_policy(self, step: Node, number: int) -> None:
        if self.rng.random() < 0.45:
            step["policy"] = self.rng.choice(sorted(self.policies))
        elif self.rng.random() < 0.8:
            step["policy"] = self.policy(number + 1)

    def policy(self, number: int, named: bool = False) -> Node:
        """A policy whose fallback, if any, calls services from `number` on. A named one has none."""
        rng = self.rng
        node: Node = {}
        if rng.random() < 0.5:
            node["timeout"] = self.some()
        if rng.random() < 0.3:
            node["deadline"] = {"after": self.some(), "propagate": rng.choice((True, True, False))}
        if rng.random() < 0.5:
            node["cancel"] = True
        if rng.random() < 0.5:
            node["retry"] = self.retry()
        if self.seldom():
            node["hedge"] = {
                "delay": self.span(),
                "max_attempts": rng.choice((2, 2, 3)),
                "cancel_losers": rng.choice((True, False)),
            }
        if rng.random() < 0.3:
            node["circuit_breaker"] = self.breaker()
        if self.rarely():
            node["rate_limit"] = {"rate": rng.choice(("500/s", "1000/s")), "burst": rng.choice((1, 2, 3))}
        if rng.random() < 0.3:
            node["bulkhead"] = {"max_concurrent": rng.choice((1, 2)), "max_wait": self.span()}
        node["balancer"] = rng.choice(
            ("round_robin", "random", {"least_request": {"choices": 2}}, "least_outstanding")
        )
        if rng.random() < 0.6:
            network: Node = {"latency": self.drawn()}
            if self.zones and self.often():
                network["cross_zone"] = "1ms"
            if self.seldom():
                network["loss"] = rng.choice(("10%", "50%"))
            node["network"] = network
        if rng.random() < 0.3:
            node["fallback"] = self.fallback(number, named)
        return node

    def retry(self) -> Node:
        rng = self.rng
        node: Node = {"max_attempts": rng.choice((2, 2, 3))}
        if self.seldom():
            node["on"] = sorted(rng.sample(OUTCOMES, 4))
        if rng.random() < 0.5:
            jitter = rng.choice(("none", "none", "full", "equal", "decorrelated", 0.5))
            node["backoff"] = rng.choice(
                (
                    {"initial": self.span(), "multiplier": 2, "max": "4ms", "jitter": jitter},
                    {"constant": self.span(), "jitter": jitter},
                    {"constant": "1ms"},
                )
            )
        if rng.random() < 0.35:
            node["budget"] = rng.choice(
                (
                    {"ratio": "50%", "min_per_second": 100, "window": "20ms"},
                    {"ratio": "20%", "window": "10ms"},
                    {"bucket": {"tokens": 2, "deposit": 0.5, "cost": 1, "deposit_on": "success"}},
                    {"bucket": {"tokens": 3, "deposit": 0.5, "cost": 1, "deposit_on": "request"}},
                )
            )
        return node

    def breaker(self) -> Node:
        rng = self.rng
        node: Node = {
            "failure_rate": rng.choice(("30%", "50%")),
            "window": rng.choice(({"calls": 4}, {"calls": 2}, {"time": "5ms"}, {"time": "10ms"})),
            "minimum_calls": rng.choice((1, 2, 3)),
            "open_for": self.some(),
            "half_open_calls": rng.choice((1, 2)),
        }
        if self.seldom():
            node |= {"slow_call_rate": "50%", "slow_call_duration": "1ms"}
        return node

    def fallback(self, number: int, named: bool) -> Node:
        rng = self.rng
        node: Node = {}
        if self.seldom():
            node["on"] = sorted(rng.sample(OUTCOMES, 5))
        callees = self.names[number:]
        if self.often() and callees and not named:
            step: Node = {"call": self.rng.choice(callees) + ".op"}
            if self.seldom():
                step["policy"] = rng.choice(sorted(self.policies))
            else:
                step["policy"] = {
                    "timeout": self.some(),
                    "retry": {"max_attempts": 2},
                    "cancel": rng.random() < 0.5,
                }
            if self.rarely():
                step["optional"] = True
            node["steps"] = [step]
        if self.seldom() or "steps" not in node:
            node["latency"] = self.drawn()
        return node

    # --- loads ------------------------------------------------------------------------------------------

    def come_and_go(self) -> Node:
        """Users by steps or stages that rise and fall several times, some of them at one instant or for no time."""
        rng = self.rng
        counts = (0, 0, 1, 2, 4, 7)
        if rng.random() < 0.3:
            instants = sorted(rng.sample(range(26), rng.randint(1, 6)))
            steps: list[Node] = [{"at": f"{at}ms", "users": rng.choice(counts)} for at in instants]
            steps[rng.randrange(len(steps))]["users"] = 3
            return {"steps": steps}
        lengths = ("0ms", "500us", "1ms", "2ms", "7ms")
        stages = [{"for": rng.choice(lengths), "to": rng.choice(counts)} for _ in range(rng.randint(2, 8))]
        return {"from": rng.choice((0, 0, 1, 3)), "stages": [*stages, {"for": "3ms", "to": rng.choice((1, 5))}]}

    def load(self, name: str) -> Node:
        rng = self.rng
        front = [s for s in self.names[:2] if s == self.names[0] or self.seldom()]
        targets = [f"{service}.{op}" for service in front for op in self.operations[service]]
        self.edges += [(name, service) for service in front]
        node: Node = {}
        closed = rng.random() < 0.35
        journey = self.seldom()
        if journey:
            steps: list[Node] = []
            for target in targets:
                call: Node = {"call": target, "policy": rng.choice(sorted(self.policies))}
                if self.seldom():
                    call["policy"] = self.policy(1)
                if self.seldom():
                    call["optional"] = True
                steps += [call, {"think": self.drawn()}] if rng.random() < 0.5 else [call]
            node["journey"] = steps
        elif len(targets) > 1:
            shares = {2: (60, 40), 3: (50, 30, 20), 4: (40, 30, 20, 10)}[len(targets)]
            node["mix"] = {target: f"{share}%" for target, share in zip(targets, shares, strict=True)}
        else:
            node["call"] = targets[0]
        if closed:
            node["users"] = self.come_and_go() if rng.random() < 0.4 else rng.choice((1, 2, 5))
            # a user who may think for no time at all, but not for ever
            node["think"] = rng.choice(
                ("1ms", "2ms", {"mixture": [{"weight": 1, "of": "0ms"}, {"weight": 1, "of": "1ms"}]})
            )
        else:
            node["rate"] = rng.choice(("500/s", "1000/s", "1000/s", "2000/s"))
            if self.rarely():
                node["rate"] = {"steps": [{"at": "0ms", "rate": "1000/s"}, {"at": "10ms", "rate": "500/s"}]}
            elif self.rarely():
                node["rate"] = {"base": node["rate"], **self.calendar()}
            elif self.rarely():
                instants = sorted(rng.choice((0, 1, 5, 5, 8, 13)) for _ in range(rng.randint(1, 20)))
                node["rate"] = {"replay": [f"{at}ms" for at in instants]}
            node["arrivals"] = rng.choice(
                ("evenly", "evenly", "poisson", {"batch": {"size": 3}}, {"batch": {"size": {"geometric": 2}}})
            )
            if "replay" in node["rate"]:
                del node["arrivals"]
            elif self.rarely():
                del node["rate"]
                node["arrivals"] = {"mmpp": self.states()}
            if self.seldom():
                node["clients"] = rng.choice((2, 3))
        if not journey:
            if rng.random() < 0.6:
                node["policy"] = rng.choice(sorted(self.policies))
            elif self.often():
                node["policy"] = self.policy(1)
        if rng.random() < 0.5:
            node["priority"] = rng.choice((1, 2, 2, 3))
        self.people(node)
        if self.zones and rng.random() < 0.5:
            node["zone"] = rng.choice(("a", "b") if "b" in self.known_zones else ("a",))
        return node

    def people(self, node: Node) -> None:
        """How patient they are, where the load's policy leaves room for it."""
        rng = self.rng
        policy = node.get("policy", {})
        if isinstance(policy, str):
            policy = self.policies[policy]
        if self.seldom() and "deadline" not in policy:
            node["patience"] = rng.choice((self.drawn(), {"exponential": "3ms"}, "2ms"))
        if self.seldom() and "timeout" not in policy and "retry" not in policy:
            node["impatience"] = {"reload_after": self.drawn(), "reloads": rng.choice((1, 2, 3))}
            if rng.random() < 0.5:
                node["impatience"]["give_up"] = rng.choice(("30%", "50%"))
            if rng.random() < 0.3:
                node["impatience"]["on"] = ["timeout", "error", "rejected"]
            if rng.random() < 0.3:
                node["impatience"]["backoff"] = {"constant": self.span(), "jitter": "full"}
        if ("patience" in node or "impatience" in node) and isinstance(node.get("policy"), str):
            node["policy"] = {"extends": node["policy"]}  # it is no longer the named one, which nobody may use

    def states(self) -> list[Node]:
        """Of a modulated rate: as short as the run."""
        rng = self.rng
        rates = rng.choice((("0/s", "2000/s"), ("200/s", "3000/s"), ("100/s", "1000/s", "4000/s")))
        return [{"rate": rate, "mean": rng.choice(("1ms", "3ms", "10ms"))} for rate in rates]

    def calendar(self) -> Node:
        """Parts of a calendar, as small as the run: bursts and noise of milliseconds."""
        rng = self.rng
        burst: Node = {"at": rng.choice(("0ms", "3ms", "5ms")), "for": rng.choice(("2ms", "4ms"))}
        burst["factor"] = rng.choice((0, 0.5, 2, 3))
        if rng.random() < 0.5:
            burst["ramp"] = "1ms"
        if rng.random() < 0.5:
            burst["every"] = rng.choice(("5ms", "10ms"))
        node: Node = {"bursts": [burst]}
        if rng.random() < 0.5:
            node["noise"] = {"cv": rng.choice(("20%", "100%")), "every": rng.choice(("1ms", "7ms"))}
        if rng.random() < 0.5:
            node["daily"] = {"peak_at": "00:00", "peak_to_mean": 2}
        return node

    # --- faults -----------------------------------------------------------------------------------------

    def fault(self) -> Node:
        rng = self.rng
        kind = rng.choice(
            ("pause", "slowdown", "capacity", "latency", "error", "loss", "blackhole", "refuse", "reset",
             "crash", "crash", "pause", "reset")
        )  # fmt: skip
        node: Node = {}
        if rng.random() < 0.4:
            node["every"] = rng.choice(("3ms", "5ms", {"uniform": ["2ms", "8ms"]}))
            node["for"] = rng.choice(("0ms", "1ms", "2ms", "3ms"))
        else:
            node["at"] = f"{rng.randint(0, self.duration // 2)}ms"
            if self.often():
                node["for"] = rng.choice(("0ms", "1ms", "2ms", "5ms", "10ms"))
        speed = kind in ("pause", "slowdown", "capacity")
        service = rng.choice(self.names)
        node["on"] = service
        if (
            kind not in ("pause", "capacity", "crash")
            and self.seldom()
            and not (speed and service in self.cores)
        ):
            node["on"] = f"{service}.{rng.choice(self.operations[service])}"
        elif not speed and kind != "crash" and self.edges and self.seldom():
            caller, callee = rng.choice(self.edges)
            node["on"] = f"{caller} -> {callee}"
        if kind == "crash" and "for" not in node and "every" not in node and self.seldom():
            crash: Any = True
        elif kind == "crash":
            crash = rng.choice(
                (True, {"replicas": 1}, {"replicas": "50%"}, {"restart_after": self.span()},
                 {"replicas": 1, "restart_after": self.span()})
            )  # fmt: skip
        else:
            if self.seldom():
                node["replicas"] = rng.choice((1, "50%"))
            if self.rarely() and "." not in node["on"]:
                node["each"] = "replica"
        values: Node = {
            "pause": True,
            "slowdown": rng.choice((2, 3, 1.5)),
            "capacity": rng.choice(("50%", "25%")),
            "latency": self.drawn(),
            "error": rng.choice(("50%", "100%", {"share": "50%", "after_work": True})),
            "loss": rng.choice(("30%", "100%")),
            "blackhole": True,
            "refuse": True,
            "reset": True,
            "crash": crash if kind == "crash" else None,
        }
        node[kind] = values[kind]
        if kind == "error" and isinstance(node[kind], dict):
            node["error"] = node[kind]["share"]
            node["after_work"] = True
        return node

    # --- actions ----------------------------------------------------------------------------------------

    def action(self, scenario: Node) -> Node:
        """A lever at an instant that others share, or at a condition that soon comes true, or never does."""
        rng = self.rng
        node: Node = {}
        if rng.random() < 0.5:
            node["at"] = f"{rng.randint(0, self.duration)}ms"
        else:
            node["when"] = self.condition(scenario)
        if self.seldom():
            node["after"] = self.drawn()
        settings = list(_settings(scenario))
        kinds = ["flag", "undrain"]
        kinds += 2 * ["shed", "clear_queue", "restart", "drain"] + 3 * ["set", "scale", "deploy"] + ["rollback"]
        kind = rng.choice(kinds)
        if kind == "set" and not settings:
            kind = "clear_queue"
        service = rng.choice(self.names)
        if kind == "flag":
            node["flag"] = {"one": rng.choice(("on", "off"))}
        elif kind == "shed":
            load = rng.choice(sorted(scenario["load"]))
            node["shed"] = {"load": load, "share": rng.choice(("0%", "30%", "50%", "100%"))}
        elif kind == "clear_queue":
            node["clear_queue"] = service
        elif kind == "restart":
            node["restart"] = self.restart(service, scenario)
        elif kind == "scale":
            node["scale"] = {"service": service, "replicas": rng.choice((1, 1, 2, 3, 4))}
        elif kind == "deploy":
            node["deploy"] = self.deploy(service)
        elif kind == "rollback":
            node["rollback"] = service
        elif kind in ("drain", "undrain"):
            zones = sorted({zone for body in scenario["services"].values() for zone in body.get("zones", ())})
            node[kind] = self.restart(service, scenario)
            if zones and self.seldom():
                node[kind] = f"zone {rng.choice(zones)}"
        else:
            some = rng.sample(settings, min(len(settings), rng.choice((1, 1, 2))))
            node["set"] = {f"{path}.{key}": self.setting(key) for path, key in some}
        return node

    def deploy(self, service: str) -> Any:
        rng = self.rng
        node: Node = {"service": service}
        for key in ("max_surge", "max_unavailable"):
            if self.often():
                node[key] = rng.choice((0, 1, 2, "0%", "30%", "50%", "100%"))
        if rng.random() < 0.5:
            node["slowdown"] = rng.choice((2, 3, 0.5))
        if self.seldom():
            node["error"] = rng.choice(("50%", "100%"))
        return node

    def restart(self, service: str, scenario: Node) -> Any:
        rng = self.rng
        if rng.random() < 0.4:
            return service
        node: Node = {"service": service}
        if self.often():
            node["replicas"] = rng.choice((1, 1, 2, "50%"))
        zones = scenario["services"][service].get("zones")
        if zones and self.seldom():
            node["zone"] = rng.choice(zones)
        return node

    def setting(self, key: str) -> Any:
        rng = self.rng
        values: dict[str, tuple[Any, ...]] = {
            "timeout": (self.some(), self.some()),
            "retry.max_attempts": (1, 1, 2, 4),
            "hedge.max_attempts": (1, 2, 3),
            "rate_limit.rate": ("100/s", "500/s", "2000/s"),
            "circuit_breaker": ("open", "closed", "auto"),
            "fallback": ("always", "always", "auto"),
        }
        return rng.choice(values[key])

    def slo(self, load: str) -> Node:
        rng = self.rng
        node: Node = {"load": load, "success": rng.choice(("99.9%", "90%", "50%"))}
        if rng.random() < 0.6:
            node["latency"] = {rng.choice(("p50", "p99")): rng.choice(("1ms", "2ms", "500us"))}
        every, short, long = rng.choice((("1ms", "1ms", "3ms"), ("1ms", "2ms", "7ms"), ("2ms", "3ms", "20ms")))
        node["alert"] = {"burn": rng.choice((1, 2, 14.4)), "long": long, "short": short, "every": every}
        return node

    def condition(self, scenario: Node) -> Any:
        rng = self.rng
        if "slos" in scenario and self.seldom():
            alert: Node = {"alert": rng.choice(sorted(scenario["slos"]))}
            return alert if self.often() else alert | {"for": rng.choice(("1ms", "2ms"))}
        services = [f"queue({name}) >= 1" for name in self.names]
        services += [f"in_system({name}) {rng.choice(('> 0', '>= 3', '== 0'))}" for name in self.names]
        services += [
            f"utilisation({name}) {rng.choice(('> 40%', '< 60%'))}"
            for name in self.names
            if "concurrency" in scenario["services"][name]
        ]
        loads = [
            line.format(name)
            for name in sorted(scenario["load"])
            for line in ("success({}) < 90%", "goodput({}) < 500/s", "offered_per_s({}) > 300/s", "p50({}) > 1ms",
                         "p99({}) >= 2ms", "p90_all({}) > 0ms", "p999({}) != 3ms", "success({}) == 100%")
        ]  # fmt: skip
        of_load = rng.random() < 0.5
        node: Node = {"metric": rng.choice(loads if of_load else services), "every": self.some()}
        if rng.random() < 0.4:
            node["for"] = rng.choice(("1ms", "2ms", "5ms"))
        if of_load:
            node["over"] = rng.choice(("1ms", "3ms", "10ms"))
        return node


def _settings(root: Node) -> Iterator[tuple[str, str]]:
    """The policies of calls, by the path that names them in a file, and the keys of each that can be set."""
    yield from _inline(root["load"], "load")
    yield from _inline(root["services"], "services")
    used = set(_named(root.get("load"))) | set(_named(root.get("services")))
    for name in sorted(used):
        yield from _keys(root["policies"][name], f"policies.{name}")


def _keys(policy: Node, path: str) -> Iterator[tuple[str, str]]:
    yield path, "timeout"
    yield path, "circuit_breaker"
    if "fallback" in policy:
        yield path, "fallback"
    for part, key in (("retry", "max_attempts"), ("hedge", "max_attempts"), ("rate_limit", "rate")):
        if part in policy:
            yield path, f"{part}.{key}"


def _inline(node: Any, path: str) -> Iterator[tuple[str, str]]:
    for key, child in _children(node):
        if key == "policy" and isinstance(child, dict):
            yield from _keys(child, f"{path}.policy")
        yield from _inline(child, f"{path}.{key}")


def _named(node: Any) -> Iterator[str]:
    for key, child in _children(node):
        if key == "policy" and isinstance(child, str):
            yield child
        yield from _named(child)


def _children(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        if "publish" in node and isinstance(node.get("policy"), dict):
            # nobody waits for a message, so its policy's fallback is never run
            node = node | {"policy": {key: value for key, value in node["policy"].items() if key != "fallback"}}
        return list(node.items())
    return [(str(number), child) for number, child in enumerate(node)] if isinstance(node, list) else []


if __name__ == "__main__":
    print(scenario(random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 0)))
