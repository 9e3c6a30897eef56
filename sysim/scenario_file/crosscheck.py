"""What only shows when the parts are seen together: circles of calls, and warnings about settings that
cannot work.
"""

from __future__ import annotations

from collections.abc import Iterator

from sysim.model import (
    Call,
    CallPolicy,
    CallWindow,
    Choose,
    Fault,
    Parallel,
    Publish,
    Repeat,
    Scenario,
    Step,
)
from sysim.model.demand import utilisation
from sysim.scenario_file.nodes import Map, Mark, Node, Seq, Source, name_of
from sysim.scenario_file.paths import split
from sysim.scenario_file.reading import Edge, Reading
from sysim.scenario_file.reporter import join
from sysim.units import format_duration

_NO_EDGE = Edge("", "", Seq((), Mark(Source(""))), "")


def check_edges(ctx: Reading) -> None:
    """Report each circle of calls between operations once, at the call that closes it."""
    graph: dict[str, list[Edge]] = {}
    for edge in ctx.edges:
        graph.setdefault(edge.caller, []).append(edge)
    state: dict[str, int] = {}
    for root in graph:
        # Depth first with a stack of its own: a chain of services may be longer than Python recurses.
        path: list[str] = []
        stack: list[tuple[str, Iterator[Edge]]] = []
        if root not in state:
            state[root] = 1
            path.append(root)
            stack.append((root, iter(graph[root])))
        while stack:
            name, edges = stack[-1]
            edge = next(edges, _NO_EDGE)
            if edge is _NO_EDGE:
                state[name] = 2
                path.pop()
                stack.pop()
            elif state.get(edge.callee) == 1:
                _report_cycle(ctx, edge, path[path.index(edge.callee) :])
            elif edge.callee not in state:
                state[edge.callee] = 1
                path.append(edge.callee)
                stack.append((edge.callee, iter(graph.get(edge.callee, ()))))


def _report_cycle(ctx: Reading, edge: Edge, circle: list[str]) -> None:
    names = [*circle, edge.callee]
    if all(name.startswith("policy ") for name in names):
        # A fallback that leads to its own policy; reported where that policy is read.
        return
    if len(names) > 12:
        names = [*names[:6], "…", *names[-5:]]
    message = f"found the circle {' -> '.join(names)}, expected calls that come to an end"
    ctx.report(edge.node, "call-cycle", edge.at, message)


def warn(scenario: Scenario, ctx: Reading) -> None:
    """Report all warnings about a scenario that is otherwise valid."""
    _Warnings(scenario, ctx).all()


class _Warnings:
    def __init__(self, scenario: Scenario, ctx: Reading) -> None:
        self.scenario = scenario
        self.ctx = ctx

    def all(self) -> None:
        self.busy_services()
        self.early_and_late()
        self.unknown_edges()
        self.disciplines()
        for name, policy in self.scenario.policies.items():
            self.policy(policy, join("policies", name))
        for caller, at, step, own in self.calls():
            if own is not None and own.place is not None and own.place.startswith(at):
                self.policy(own, own.place)
            self.endless(caller, at, step, own)
        for name, load in self.scenario.load.items():
            at = join("load", name)
            if load.policy is not None and load.policy.place is not None:
                self.policy(load.policy, load.policy.place)
            for target in load.mix:
                self.endless(name, at, Call(target=target), load.policy)

    def say(self, code: str, at: str, message: str, hint: str = "") -> None:
        node, path = named_at(self.ctx.root, at)
        self.ctx.report(node, code, path, message, hint, "warning")

    def busy_services(self) -> None:
        for name, share in utilisation(self.scenario).items():
            service = self.scenario.services[name]
            if share is not None and share * service.replicas / service.most_scaled > 1.0:
                at = join("services", name)
                message = (
                    f"found an offered utilisation of {share:.3g} before any fault, expected less than 1"
                )
                self.say("overloaded", at, message, "more replicas or workers, less work or a lower rate")

    def early_and_late(self) -> None:
        time = self.scenario.time
        for name, window in self.scenario.windows.items():
            if window.start < time.warmup:
                self.say("in-warmup", join("windows", name), self._early(window.start))
        for number, fault in enumerate(self.scenario.faults):
            if fault.at is None:
                continue
            at = join(join("faults", number), "at")
            if fault.at < time.warmup:
                self.say("in-warmup", at, self._early(fault.at))
            if fault.at >= time.duration:
                end = format_duration(time.duration)
                self.say("after-the-end", at, f"found a fault that begins after the load has ended at {end}")
        self.nothing_before()

    def nothing_before(self) -> None:
        """Recovery is measured against what was before the first fault, in whole pieces of time."""
        time = self.scenario.time
        ends = [time.bucket, time.duration, *(window.end for window in self.scenario.windows.values())]
        ends += [instant for instant in (time.warmup, *self._starts()) if instant > 0]
        faults = list(enumerate(self.scenario.faults))
        fixed = [(fault.at, n) for n, fault in faults if fault.at is not None and fault.every is None]
        first, number = min(fixed, default=(time.duration, 0))
        ending = any(fault.lasts or fault.effect.kind == "crash" for _, fault in faults)
        if ending and first < min(ends):
            message = "a recovery cannot be judged: no whole bucket before the first fault"
            hint = f"let it begin at {format_duration(time.bucket)} or later, or make time.bucket narrower"
            self.say("no-before", join(join("faults", number), "at"), message, hint)

    def _starts(self) -> Iterator[int]:
        return (window.start for window in self.scenario.windows.values())

    def _early(self, instant: int) -> str:
        warmup = format_duration(self.scenario.time.warmup)
        return (
            f"found a beginning at {format_duration(instant)}, inside the warm-up, expected {warmup} or later"
        )

    def unknown_edges(self) -> None:
        edges = {
            (caller.partition(".")[0], step.target.partition(".")[0]) for caller, _, step, _ in self.calls()
        }
        edges |= {
            (name, target.partition(".")[0])
            for name, load in self.scenario.load.items()
            for target in load.mix
        }
        for number, fault in enumerate(self.scenario.faults):
            for target in fault.on:
                if target.kind == "edge" and (target.caller, target.callee) not in edges:
                    message = (
                        f"found a fault on {target.caller} -> {target.callee}, but there is no such call"
                    )
                    self.say("no-such-call", join(join("faults", number), "on"), message)

    def disciplines(self) -> None:
        """Orders of queues, and what they order by, of which only one is there."""
        priorities = {load.priority for load in self.scenario.load.values()}
        queues = {name: service.queue.discipline for name, service in self.scenario.services.items()}
        if len(priorities) > 1 and "priority" not in queues.values():
            name = next(name for name, load in self.scenario.load.items() if load.priority > min(priorities))
            message = "found loads of different priorities, but no queue that goes by them"
            hint = "give a service queue: {discipline: priority}"
            self.say("no-effect", join(join("load", name), "priority"), message, hint)
        for name, discipline in queues.items():
            at = join(join(join("services", name), "queue"), "discipline")
            if discipline == "priority" and len(priorities) == 1:
                message = "found a queue by priority, but all loads have the same one: it is first come first served"
                self.say("no-effect", at, message, "give a load priority: 2, to be served after the others")
            if discipline == "edf" and not self.propagates():
                message = "found a queue by deadline, but no policy hands one on: it is first come first served"
                self.say("no-effect", at, message, "write deadline: {after: 2s, propagate: true}")

    def propagates(self) -> bool:
        """Whether some policy in use hands its deadline on to the callee."""
        used = [policy for _, _, _, policy in self.calls()] + [load.policy for load in self.scenario.load.values()]
        return any(policy and policy.deadline and policy.deadline.propagate for policy in used)

    def policy(self, policy: CallPolicy, at: str) -> None:
        """Settings of one policy that cannot have an effect."""
        breaker, deadline = policy.circuit_breaker, policy.deadline
        if breaker is not None and isinstance(breaker.window, CallWindow):
            calls, least = breaker.window.calls, breaker.minimum_calls
            if least > calls:
                message = (
                    f"found minimum_calls {least} above the window of {calls} calls: this breaker never opens"
                )
                self.say(
                    "never-trips",
                    join(at, "circuit_breaker"),
                    message,
                    "lower minimum_calls, or widen the window",
                )
        if breaker is not None and breaker.slow_call_duration is not None and policy.timeout is not None:
            if breaker.slow_call_duration >= policy.timeout and breaker.slow_call_rate is not None:
                message = "found slow_call_duration at or above the timeout: no call is ever counted as slow"
                self.say("never-trips", join(at, "circuit_breaker"), message)
        if deadline is not None and policy.timeout is not None and policy.timeout > deadline.after:
            message = (
                f"found a timeout of {format_duration(policy.timeout)} beyond the deadline of "
                f"{format_duration(deadline.after)}, expected a shorter one"
            )
            self.say("timeout-beyond-deadline", join(at, "timeout"), message)

    def endless(self, caller: str, at: str, step: Call | Publish, policy: CallPolicy | None) -> None:
        """A call that nothing ends if its message is lost."""
        if policy is not None and policy.ends:
            return
        cause = ""
        if policy is not None and policy.network is not None and policy.network.loss > 0:
            cause = "its network loses messages"
        for fault in self.scenario.faults:
            if fault.effect.kind in ("blackhole", "loss") and self._strikes(fault, caller, step.target):
                cause = f"the {fault.effect.kind} on it loses messages"
        if cause:
            found = f"found a call of {step.target} without timeout and deadline"
            message = f"{found}, but {cause}: it can wait for ever"
            self.say("endless-call", at, message, "give its policy a timeout")

    def _strikes(self, fault: Fault, caller: str, target: str) -> bool:
        service, _, operation = target.partition(".")
        own, _, own_operation = caller.partition(".")
        for on in fault.on:
            match on.kind:
                case "service":
                    hit = on.service == service
                case "operation":
                    hit = (on.service, on.operation) == (service, operation)
                case "zone":
                    hit = on.zone in self.scenario.services[service].zones
                case "edge":
                    hit = (on.caller, on.callee) == (own, service)
                    hit = hit and on.caller_operation in (None, own_operation)
                    hit = hit and on.callee_operation in (None, operation)
            if hit:
                return True
        return False

    def calls(self) -> Iterator[tuple[str, str, Call | Publish, CallPolicy | None]]:
        """Every call and publish written out, with its caller, path and policy."""
        for name, service in self.scenario.services.items():
            for operation, body in service.operations.items():
                at = join(join(join("services", name), "operations"), operation)
                yield from _calls(f"{name}.{operation}", at, body.steps)
        for name, load in self.scenario.load.items():
            yield from _calls(name, join(join("load", name), "journey"), load.journey)


def _calls(
    caller: str, at: str, steps: tuple[Step, ...]
) -> Iterator[tuple[str, str, Call | Publish, CallPolicy | None]]:
    for number, step in enumerate(steps):
        here = join(at, number)
        match step:
            case Call() | Publish():
                yield caller, here, step, step.policy
            case Parallel():
                for branch_number, branch in enumerate(step.branches):
                    yield from _calls(caller, join(join(here, "parallel"), branch_number), branch)
            case Repeat():
                yield from _calls(caller, join(join(here, "repeat"), "steps"), step.steps)
            case Choose():
                for option_number, option in enumerate(step.options):
                    inner = join(join(join(here, "choose"), option_number), "steps")
                    yield from _calls(caller, inner, option.steps)
            case _:
                pass


def named_at(root: Node, path: str) -> tuple[Node, str]:
    """The node at a path, or the last one on the way where the path goes on beyond the text; and the path
    with the names of the elements that have one, as a user would write it.
    """
    node: Node | None = root
    last, named = root, ""
    for key in split(path):
        if isinstance(node, Map) and key in node.entries:
            node = node.entries[key]
        elif isinstance(node, Seq) and key.isdigit() and int(key) < len(node.items):
            node = node.items[int(key)]
            key = name_of(node) or key
        else:
            node = None
        last = node or last
        named = join(named, key)
    return last, named
