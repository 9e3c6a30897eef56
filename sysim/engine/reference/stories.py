"""Stories: generators that tell what happens to a request, a visit, a branch, a message.

`Programs.follow` reads like the steps of an operation, and stories run it. Within a story control passes
inline; from one story to another it passes by an entry only. A story is stopped from outside by `Stopped`,
thrown in where it waits: it unwinds without waiting again.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sysim.engine.reference.clock import Entry, Wait
from sysim.engine.reference.laws import derive, sample, uniform
from sysim.engine.reference.world import Home, World
from sysim.plan.tables import (
    BR_PC,
    BR_SALT,
    CANCELLED,
    DEGRADED,
    ERROR,
    NEVER,
    NONE,
    OK,
    OP_CALL,
    OP_CHANCE,
    OP_END,
    OP_FAIL,
    OP_FLAG,
    OP_JUMP,
    OP_PARALLEL,
    OP_PAUSE,
    OP_PUBLISH,
    OP_THINK,
    OP_WORK,
    R_JOIN,
    R_START,
    R_THINK,
)

if TYPE_CHECKING:
    from sysim.engine.reference.calls import Call, Calls
    from sysim.engine.reference.visits import Visit, Visits
    from sysim.engine.reference.work import Works

Telling = Generator[Wait, Entry, int]
GONE = -1  # instead of an outcome: the user has left for good
AWAY = -2  # … or for a while


class Stopped(Exception):
    """Thrown into a story that is stopped; its open calls end with `outcome`."""

    def __init__(self, outcome: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Story:
    """What is told by a generator. `hides` its cause: a failed step ends it with `error`."""

    __slots__ = (
        "call", "cause", "cost", "deadline", "degraded", "generator", "hides", "home", "key", "one_call",
        "parallel", "priority", "span", "thread", "trace", "visit", "wait",
    )  # fmt: skip

    leaves = False  # when the load is over
    pause = NONE  # the instruction of the pause before each round

    def __init__(self, key: int, home: Home, deadline: int, visit: Visit | None) -> None:
        self.key = key
        self.home = home
        self.deadline = deadline
        self.visit: Any = visit  # on whose behalf it works
        self.priority = 0  # class of the load that it is done for, the least is served first
        self.trace = 0  # key of the request that is traced through it, 0 if none is
        self.span = key  # what a trace shows as the parent of its calls
        self.degraded = False
        self.hides = False
        self.one_call = False
        self.cost = 0  # work done, in ns
        self.call: Call | None = None  # the open one
        self.cause = 0  # why its last call failed
        self.parallel: Group | None = None
        self.thread: Any = self  # the story whose generator tells this one
        self.generator: Any = None
        self.wait: Any = None

    def resume(self, entry: Entry | None) -> None:
        """Go on until the next wait, or to the end."""
        try:
            self.wait = self.generator.send(entry)
        except StopIteration as end:
            self.forget()
            self.over(end.value)

    def over(self, outcome: int) -> None:
        """The story has come to its end by itself."""

    def sets_out(self) -> None:
        """The pause before its round is over."""

    def remains(self, pause: int) -> bool:
        """Whether it goes on after a pause (ns) before its round."""
        return True

    def forget(self) -> None:
        """Let go of what leads back to this story: it would only burden the garbage collector."""
        self.generator = self.wait = self.thread = self.visit = None

    def stop(self, outcome: int) -> None:
        """Break the story off. What it has open ends with `outcome`; who stops it does the rest."""
        self.wait.open = False
        with suppress(Stopped, StopIteration):
            self.generator.throw(Stopped(outcome))


class Start(Wait):
    """A story that has not begun waits for its own beginning."""

    __slots__ = ()

    def fire(self, entry: Entry) -> None:
        """The story begins."""
        self.open = False
        self.story.resume(None)


class Group(Wait):
    """A parallel: it stays open until the last of its branches has joined."""

    __slots__ = ("running",)

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self.running: dict[Branch, None] = {}

    def fire(self, entry: Entry) -> None:
        """A branch joins."""
        self.story.resume(entry)


class Branch(Story):
    """One branch of a parallel. `group` is None once nobody waits for it any more."""

    __slots__ = ("group", "outcome", "programs", "row")

    def __init__(self, programs: Programs, parent: Story, group: Group, key: int, pc: int) -> None:
        super().__init__(key, parent.home, parent.deadline, parent.visit)
        self.hides = True
        self.programs = programs
        self.row = parent.visit.row if parent.visit is not None else NONE
        self.trace, self.span = parent.trace, parent.span
        self.priority = parent.priority
        self.group: Group | None = group
        self.outcome = GONE
        self.generator = programs.follow(self, pc)
        self.wait = Start(self)

    def over(self, outcome: int) -> None:
        """Join the parent, or, as an orphan, leave what was for nothing."""
        self.outcome = outcome
        if self.group is None:
            self.home.strays.pop(self, None)
            self.programs.vain(self)
        else:
            clock = self.programs.clock
            clock.enter(clock._now, R_JOIN, self.key, self.group, self)

    def lost(self) -> None:
        """An orphan was stopped by a crash."""
        self.home.strays.pop(self, None)
        self.programs.vain(self)


class Message(Story):
    """A message on its way: a story of its own with a single call."""

    __slots__ = ("programs",)

    def __init__(self, programs: Programs, publisher: Story, key: int, pc: int) -> None:
        super().__init__(key, publisher.home, NEVER, None)
        self.trace, self.span = publisher.trace, publisher.span
        self.priority = publisher.priority
        self.programs = programs
        self.generator = programs.follow(self, pc)
        self.wait = Start(self)

    def over(self, outcome: int) -> None:
        """Nobody waits for a message, except the end of the run."""
        self.lost()

    def lost(self) -> None:
        """The message is no longer on its way."""
        self.home.strays.pop(self, None)
        self.programs.clock.open -= 1


class Programs:
    """Follows the instructions of a program."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = world.clock
        self.code = world.code
        self.chances = world.chances
        self.flags = world.flags
        self.sites = world.sites
        self.constants = world.constants
        self.calls: Calls
        self.visits: Visits
        self.works: Works

    def follow(self, story: Story, pc: int) -> Telling:
        """The story of these steps; its outcome."""
        code = self.code
        visit: Any = story.visit
        asynchronous = visit == story and visit.service.asynchronous
        while True:
            op, arg, salt, optional, following, fallback = code[pc]
            here, pc = pc, pc + 1
            if op == OP_CALL:
                if (
                    self.sites[arg].stream >= 0
                    and not story.one_call
                    and self.clock._now >= self.clock.duration
                ):
                    return GONE if story.leaves else OK
                if asynchronous:
                    self.visits.give_back(visit)
                outcome = yield from self.calls.call(
                    story, self.sites[arg], derive(story.key, salt), fallback
                )
                if asynchronous:
                    yield from self.visits.rejoin(visit)
                if outcome != OK:
                    if outcome == DEGRADED or optional:
                        story.degraded = True
                    else:
                        return ERROR if story.hides else outcome
            elif op == OP_WORK:
                job = self.works.begin(story, arg, salt)
                try:
                    yield job
                except Stopped:
                    self.works.break_off(story, job)
                    raise
                story.cost += job.base
            elif op == OP_END:
                return DEGRADED if story.degraded else OK
            elif op == OP_PARALLEL:
                if asynchronous:
                    self.visits.give_back(visit)
                failed = yield from self.parallel(story, arg, following, optional)
                if asynchronous:
                    yield from self.visits.rejoin(visit)
                if failed:
                    return ERROR if story.hides else failed
            elif op == OP_PUBLISH:
                self.publish(story, arg, derive(story.key, salt))
            elif op == OP_CHANCE:
                if uniform(derive(story.key, salt), 0) >= self.chances[here]:
                    pc = following
            elif op == OP_FLAG:
                if not self.flags[arg]:
                    pc = following
            elif op == OP_JUMP:
                pc = following
            elif op == OP_FAIL:
                if uniform(derive(story.key, salt), 0) < self.chances[here]:
                    if not optional:
                        story.cause = 0
                        return ERROR
                    story.degraded = True
            elif op in (OP_THINK, OP_PAUSE):
                if op == OP_PAUSE and not story.remains(self.pause(story, arg, salt)):
                    return AWAY
                gone = yield from self.think(story, arg, salt)
                if gone:
                    return GONE if story.leaves else OK
                if here == story.pause:
                    story.sets_out()

    def think(self, story: Story, dist: int, salt: int) -> Generator[Wait, Entry, bool]:
        """Pause. A user who would go on after the end of the load leaves instead."""
        clock = self.clock
        wait = Wait(story)
        clock.enter(clock._now + self.pause(story, dist, salt), R_THINK, story.key, wait)
        yield wait
        return clock._now >= clock.duration

    def pause(self, story: Story, dist: int, salt: int) -> int:
        """How long (ns) a story thinks."""
        return int(sample(*self.world.draws, dist, derive(story.key, salt), 0))

    def publish(self, story: Story, pc: int, key: int) -> None:
        """Send a message, and think no more of it."""
        message = Message(self, story, key, pc)
        story.home.strays[message] = None
        self.clock.open += 1
        self.clock.enter(self.clock._now, R_START, key, message.wait)

    # --- parallel ---------------------------------------------------------------------------------------

    def parallel(self, story: Story, first: int, count: int, optional: int) -> Generator[Wait, Entry, int]:
        """All branches side by side; 0, or `ERROR` as soon as one of them has failed."""
        clock = self.clock
        group = story.parallel = Group(story)
        for row in range(first, first + count):
            pc, salt = self.world.branches[row][BR_PC], self.world.branches[row][BR_SALT]
            branch = Branch(self, story, group, derive(story.key, salt), pc)
            group.running[branch] = None
            clock.enter(clock._now, R_START, branch.key, branch.wait)
        try:
            while group.running:
                entry = yield group
                branch = entry.what
                del group.running[branch]
                story.cost += branch.cost
                if branch.outcome == OK:
                    continue
                if branch.outcome == DEGRADED or optional:
                    story.degraded = True
                else:
                    story.cause = branch.cause
                    self.scatter(group)
                    return ERROR
        except Stopped as stopped:
            group.open = False
            for branch in list(group.running):
                self.end_branch(branch, stopped.outcome)
            raise
        group.open = False
        story.parallel = None
        return 0

    def scatter(self, group: Group) -> None:
        """The parallel has failed: its other branches are cancelled where they can be, else they run on."""
        group.open = False
        group.story.parallel = None
        for branch in list(group.running):
            call = branch.call
            if branch.outcome == GONE and (call is None or not call.policy.cancel):
                branch.group = None
                branch.home.strays[branch] = None
            else:
                self.end_branch(branch, CANCELLED)

    def end_branch(self, branch: Branch, outcome: int) -> None:
        """Stop a branch, or drop it if it has ended and only not joined."""
        if branch.outcome == GONE:
            branch.stop(outcome)
        self.vain(branch)

    def vain(self, branch: Branch) -> None:
        """The work of a branch was for nothing."""
        if branch.cost and branch.row >= 0:
            self.visits.book.wasted(branch.row, branch.cost)
