"""Loads: requests that arrive by the clock, and users who go round in a loop."""

from __future__ import annotations

import numpy as np

from sysim.engine.reference import laws
from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.laws import derive, uniform
from sysim.engine.reference.stories import Programs, Start
from sysim.engine.reference.travellers import Traveller, User
from sysim.engine.reference.world import Home, World
from sysim.plan.tables import (
    ARRIVALS_BATCH,
    ARRIVALS_EVENLY,
    ARRIVALS_MMPP,
    L_ARRIVALS,
    L_BATCH,
    L_CALL_PC,
    L_CLASS,
    L_CLIENTS,
    L_CLOSED,
    L_FIRST_RATE,
    L_FIRST_STREAM,
    L_JOURNEY,
    L_KEY,
    L_PC,
    L_RATES,
    L_STAYS,
    L_STREAMS,
    LF_BATCH,
    LT_TARGET,
    N_LT,
    NEVER,
    NONE,
    R_LOAD,
    R_START,
    TF_CUMULATIVE,
    Y_FROM,
)
from sysim.semantics.salts import SALT_ARRIVALS, SALT_STATES, X_CLIENT, X_STREAM


class Request(Traveller):
    """One request of an open load, or one journey."""

    __slots__ = ()

    def over(self, outcome: int) -> None:
        """The end of the journey, if it is one."""
        self.arrives(outcome)


def _counted(of: list[int]) -> int:
    """The first stream of a load whose rounds are journeys, which are counted in its row."""
    return of[L_FIRST_STREAM] if of[L_JOURNEY] else NONE


class Source(Wait):
    """An open load: entry number n brings a request, or a batch of them. Never closed."""

    __slots__ = (
        "arrivals", "arrivals_key", "batch", "clients", "clock", "count", "first", "journey", "key",
        "mean", "n", "pc", "priority", "programs", "progress", "rates", "row", "shares", "states_key",
        "streams",
    )  # fmt: skip

    def __init__(self, world: World, programs: Programs, row: int) -> None:
        super().__init__()
        plan = world.plan
        of = plan.loads[row].tolist()
        self.clock = world.clock
        self.programs = programs
        self.key = derive(world.seed_key, of[L_KEY])
        self.arrivals_key = derive(self.key, int(SALT_ARRIVALS))
        self.arrivals = of[L_ARRIVALS]
        self.batch = of[L_BATCH]
        self.mean = float(plan.loadsF[row, LF_BATCH])
        self.rates, self.first, self.count = plan.rates, of[L_FIRST_RATE], of[L_RATES]
        self.row = self.first  # of the rates
        self.states_key = derive(self.key, int(SALT_STATES))
        self.progress = np.zeros((1, N_LT))
        if self.arrivals == ARRIVALS_MMPP:
            laws.first_state(self.rates, self.first, self.count, self.progress, 0, self.states_key)
        self.n = 0
        self.journey = of[L_PC] != NONE
        self.priority = of[L_CLASS]
        self.streams = _counted(of)
        self.pc = of[L_PC] if self.journey else of[L_CALL_PC]
        streams = range(of[L_FIRST_STREAM], of[L_FIRST_STREAM] + of[L_STREAMS])
        self.shares = [float(plan.streamsF[stream, TF_CUMULATIVE]) for stream in streams]
        self.clients = [Home(number, NONE) for number in range(of[L_CLIENTS])]

    def schedule(self) -> None:
        """Entry number `n`, unless the load is over by then."""
        if self.arrivals == ARRIVALS_EVENLY:
            self.progress[0, LT_TARGET] = float(self.n + 1)
        else:
            self.progress[0, LT_TARGET] += laws.exponential(self.arrivals_key, self.n)
        at = self.instant()
        if at < self.clock.duration:
            self.clock.enter(at, R_LOAD, derive(self.key, self.n), self)

    def instant(self) -> int:
        """When the integrated rate passes the target."""
        if self.arrivals == ARRIVALS_MMPP:
            return laws.modulated_instant(
                self.rates, self.first, self.count, self.progress, 0, self.states_key, self.clock.duration
            )
        target = float(self.progress[0, LT_TARGET])
        self.row = laws.arrival_row(self.rates, self.first, self.count, self.row, target)
        return laws.arrival_instant(self.rates, self.first, self.count, self.row, target)

    def fire(self, entry: Entry) -> None:
        """A request, or a batch."""
        if self.arrivals == ARRIVALS_BATCH:
            for number in range(laws.batch_size(entry.key, self.batch, self.mean)):
                request = self.request(derive(entry.key, number))
                self.clock.enter(self.clock._now, R_START, request.key, request.wait)
        else:
            self.request(entry.key).resume(None)
        self.n += 1
        self.schedule()

    def request(self, key: int) -> Request:
        """A new request: its client and its call are drawn."""
        home = self.clients[0]
        if len(self.clients) > 1:
            home = self.clients[int(uniform(key, X_CLIENT) * len(self.clients))]
        request = Request(self.programs.visits.book, key, home, self.streams)
        request.priority = self.priority
        pc = self.pc
        request.sets_out()
        if not self.journey:
            request.one_call = True
            if len(self.shares) > 1:
                pc += 2 * self.stream(uniform(key, X_STREAM))
        request.generator = self.programs.follow(request, pc)
        request.wait = Start(request)
        return request

    def stream(self, u: float) -> int:
        """Which call of the mix."""
        for number, below in enumerate(self.shares):
            if u < below:
                return number
        return len(self.shares) - 1


def begin(world: World, programs: Programs) -> None:
    """Start all loads: the first entry of each open one, and every user, who may come later."""
    for row, of in enumerate(world.plan.loads.tolist()[: world.plan.n_loads]):
        if not of[L_CLOSED]:
            Source(world, programs, row).schedule()
            continue
        load_key = derive(world.seed_key, of[L_KEY])
        for number in range(of[L_CLIENTS]):
            stay = NONE if of[L_STAYS] == NONE else of[L_STAYS] + number
            begins = 0 if stay == NONE else int(world.plan.stays[stay, Y_FROM])
            if begins < NEVER:
                home, key = Home(number, NONE), derive(load_key, number)
                user = User(programs, home, key, of[L_PC], of[L_CLASS], _counted(of), stay)
                world.clock.enter(begins, R_START, user.key, user.wait)
