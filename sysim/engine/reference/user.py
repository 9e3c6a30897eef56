"""The user's own Python in a run: processes beside the system, and operations told by a generator.

A process is a generator function ``process(ctx)`` that runs beside the system as an ordinary SimPy
process::

    def canary(ctx):
        while True:
            yield ctx.sleep("5s")
            outcome = yield ctx.call("api.get")
            if outcome != "ok":
                ctx.inject("stall")

An operation is a generator function that takes the place of an operation's steps::

    def place(ctx):
        yield ctx.work("2ms")
        outcome = yield ctx.call("stock.reserve", policy="careful")
        return "ok" if outcome in ("ok", "degraded") else "error"

What a process waits for is not counted as an event: one that only waits changes no byte of the result. What
it sets in motion, a call or a fault, is an entry like any other. An operation that is broken off, by a
crash or a cancel notice, is closed: `GeneratorExit` is raised where it waits, and its worker is released.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping
from heapq import heappush
from typing import Any

import simpy

from sysim.engine.reference.calls import Calls
from sysim.engine.reference.clock import KEY_BITS, KEY_MASK, Clock, Entry, Wait
from sysim.engine.reference.faults import Faults
from sysim.engine.reference.laws import derive, uniform
from sysim.engine.reference.stories import Start, Stopped, Story, Telling
from sysim.engine.reference.visits import Visit, Visits
from sysim.engine.reference.work import Works
from sysim.engine.reference.world import Fault, Home, Site, World
from sysim.errors import SimulationError
from sysim.plan.identity import salt
from sysim.plan.tables import NEVER, NONE, O_PC, OK, OUTCOMES, R_FAULT, R_START, R_THINK, R_USER
from sysim.units import duration

Process = Callable[["Context"], Generator[Any, Any, Any]]
Operation = Callable[["OperationContext"], Any]
Asked = Callable[[], Generator[Wait, Entry, Any]]


class Asking(Story):
    """A call that a process makes; its event happens when the call is over."""

    __slots__ = ("context", "event")

    def __init__(self, context: Context, site: Site, key: int) -> None:
        super().__init__(key, context.home, NEVER, None)
        self.context = context
        self.event = simpy.Event(context.guests.clock)
        self.generator = context.guests.calls.call(self, site, derive(key, 0), NONE)
        self.wait = Start(self)

    def over(self, outcome: int) -> None:
        """The process learns the outcome, last of all at this instant."""
        self.context.happen(self.event, self.context.guests.clock._now, OUTCOMES[outcome])


class Shared:
    """What processes and operations have in common."""

    def __init__(self, guests: Guests, key: int, home: Home) -> None:
        self.guests = guests
        self.home = home
        self._key = key
        self._ordinal = 0
        self._draws: dict[str, int] = {}

    @property
    def now(self) -> float:
        """The time in seconds from time 0."""
        return float(self.guests.clock._now / 1e9)

    def random(self, name: str = "") -> float:
        """A number in (0, 1): the next of the series called `name`, which nothing else disturbs."""
        number = self._draws.get(name, 0)
        self._draws[name] = number + 1
        return float(uniform(derive(self._key, salt("draw", name)), number))

    def inject(
        self, what: str, *, end: bool = False, pause: bool | None = None, slowdown: float | None = None
    ) -> None:
        """Begin a fault of the scenario by its name, or `end` it; or set `pause` or `slowdown` of a service.

        A fault that is begun like this ends by its own ``for``; ``slowdown=1`` is full speed again.
        """
        self.guests.inject(what, end, pause, slowdown, self.next_key())

    def next_key(self) -> int:
        """The key of the next thing that is asked for."""
        self._ordinal += 1
        return derive(self._key, self._ordinal)


class Context(Shared):
    """What a process can see and do. `env` is SimPy's environment; its times are whole nanoseconds."""

    @property
    def env(self) -> Clock:
        """The environment, for anything that SimPy has to offer."""
        return self.guests.clock

    def sleep(self, time: str | int) -> simpy.Event:
        """An event after a while, ``"5s"`` or whole ns."""
        ns = time if isinstance(time, int) else duration(time)
        event = simpy.Event(self.env)
        self.happen(event, self.env._now + ns, None)
        return event

    def call(self, target: str, policy: str | None = None) -> simpy.Event:
        """Call an operation; the event's value is the outcome. Such a call counts at the service only."""
        site = self.guests.site(self.home, target, policy)
        asking = Asking(self, site, self.next_key())
        self.env.enter(self.env._now, R_START, asking.key, asking.wait)
        return asking.event

    def happen(self, event: simpy.Event, time: int, value: Any) -> None:
        """Let an event happen at `time`, after everything else of that instant."""
        event._ok, event._value = True, value
        order = R_USER << KEY_BITS | self.next_key() & KEY_MASK
        heappush(self.env._queue, (time, order, next(self.env._eid), event))


class OperationContext(Shared):
    """What an operation can ask for; it yields what these return."""

    def __init__(self, guests: Guests, visit: Visit) -> None:
        super().__init__(guests, derive(visit.key, salt("operation")), visit.home)
        self.visit = visit

    def work(self, time: str | int) -> Asked:
        """Keep a core busy."""
        ns = time if isinstance(time, int) else duration(time)

        def asked() -> Generator[Wait, Entry, None]:
            job = self.guests.works.start(self.visit, ns)
            try:
                yield job
            except Stopped:
                self.guests.works.break_off(self.visit, job)
                raise
            self.visit.cost += job.base

        return asked

    def sleep(self, time: str | int) -> Asked:
        """Wait, and hold the worker."""
        ns = time if isinstance(time, int) else duration(time)

        def asked() -> Generator[Wait, Entry, None]:
            clock = self.guests.clock
            wait = Wait(self.visit)
            clock.enter(clock._now + ns, R_THINK, self.visit.key, wait)
            yield wait

        return asked

    def call(self, target: str, policy: str | None = None) -> Asked:
        """Call another operation; the outcome."""
        key = self.next_key()
        site = self.guests.site(self.home, target, policy)

        def asked() -> Generator[Wait, Entry, str]:
            visit, visits = self.visit, self.guests.visits
            if visit.service.asynchronous:
                visits.give_back(visit)
            outcome = yield from self.guests.calls.call(visit, site, key, NONE)
            if visit.service.asynchronous:
                yield from visits.rejoin(visit)
            return OUTCOMES[outcome]

        return asked


class Guests:
    """Lets the user's own generators take part in a run."""

    def __init__(self, world: World, calls: Calls, visits: Visits, works: Works, faults: Faults) -> None:
        self.world = world
        self.clock = world.clock
        self.calls = calls
        self.visits = visits
        self.works = works
        self.faults = faults
        self.names = world.plan.names
        self._sites: dict[tuple[int, str, str | None], Site] = {}
        self._brakes = {
            (service.number, kind): Fault.dormant(kind, service.replicas)
            for service in world.services
            for kind in ("pause", "slowdown")
        }
        for fault in self._brakes.values():
            fault.faults = faults
            for replica in fault.hits:
                works.faults_of[replica.row].append(fault)

    def welcome(self, processes: Iterable[Process], operations: Mapping[str, Operation] | None) -> None:
        """Start all processes, and give operations their own tellers."""
        for ordinal, process in enumerate(processes):
            name = getattr(process, "__name__", "process")
            key = derive(self.world.seed_key, salt("process", name, str(ordinal)))
            context = Context(self, key, Home(0, NONE))
            self.clock.process(self._beside(context, process))
        for target, operation in (operations or {}).items():
            row = self._operation(target)
            pc = int(self.world.plan.ops[row, O_PC])
            self.visits.tellers[pc] = self._teller(operation)

    def _beside(self, context: Context, process: Process) -> Generator[Any, Any, None]:
        yield context.sleep(0)
        yield from process(context)

    def _teller(self, operation: Operation) -> Callable[[Visit], Telling]:
        def tell(visit: Visit) -> Telling:
            told: Any = operation(OperationContext(self, visit))
            if not inspect.isgenerator(told):
                return _outcome(told)
            user: Any = told
            answer: Any = None
            try:
                while True:
                    answer = yield from user.send(answer)()
            except StopIteration as end:
                return _outcome(end.value)
            finally:
                user.close()

        return tell

    def site(self, home: Home, target: str, policy: str | None) -> Site:
        """The call site of these calls: one for each home, target and policy."""
        row = self._operation(target)
        known = (id(home), target, policy)
        if known not in self._sites:
            number = 0
            if policy is not None:
                if policy not in self.names.policies:
                    raise SimulationError(f"no call of the scenario uses a policy {policy!r}")
                number = self.names.policies.index(policy)
            self._sites[known] = self.world.new_site(home, row, number)
            self.calls.state.look_again()
        return self._sites[known]

    def _operation(self, target: str) -> int:
        names = self.names.operations
        full = [name for name in names if name == target or name.partition(".")[0] == target]
        if len(full) != 1:
            raise SimulationError(f"there is no operation {target!r}; known: {', '.join(names)}")
        return names.index(full[0])

    def inject(self, what: str, end: bool, pause: bool | None, slowdown: float | None, key: int) -> None:
        """Begin or end a fault by an entry of this instant."""
        if pause is None and slowdown is None:
            if what not in self.names.faults:
                raise SimulationError(f"there is no fault {what!r}; known: {', '.join(self.names.faults)}")
            fault = self.world.faults[self.names.faults.index(what)]
            self.clock.enter(self.clock._now, R_FAULT, key, _Injection(fault, not end))
            return
        if what not in self.names.services:
            raise SimulationError(f"there is no service {what!r}; known: {', '.join(self.names.services)}")
        number = self.names.services.index(what)
        if pause is not None:
            fault = self._brakes[number, "pause"]
            self.clock.enter(self.clock._now, R_FAULT, key, _Injection(fault, pause))
        if slowdown is not None:
            fault = self._brakes[number, "slowdown"]
            injection = _Injection(fault, slowdown != 1.0, slowdown)
            self.clock.enter(self.clock._now, R_FAULT, derive(key, 1), injection)


class _Injection(Wait):
    """A fault that a user begins or ends."""

    __slots__ = ("begins", "factor", "fault")

    def __init__(self, fault: Fault, begins: bool, factor: float | None = None) -> None:
        super().__init__()
        self.fault = fault
        self.begins = begins
        self.factor = factor

    def fire(self, entry: Entry) -> None:
        """Now."""
        self.open = False
        if self.factor is not None and self.begins:
            self.fault.value = self.factor
        self.fault.faults.injected(self.fault, self.begins)


def _outcome(value: Any) -> int:
    """The outcome that an operation returned; nothing means `ok`."""
    if value is None:
        return OK
    if value not in ("ok", "degraded", "error"):
        raise SimulationError(
            f"an operation returned {value!r}, expected 'ok', 'degraded', 'error' or nothing"
        )
    return OUTCOMES.index(value)
