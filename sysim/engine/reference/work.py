"""Work: how long it takes on a replica, and what faults do to it midway.

Without cores each job has an instant at which it is due, moved when the replica's speed changes. With cores
all jobs of a replica share them, and the replica's virtual time tells who is done next.
"""

from __future__ import annotations

from heapq import heappop, heappush

from sysim.engine.reference import laws
from sysim.engine.reference.book import Book
from sysim.engine.reference.clock import DEAD, Clock, Entry, Wait
from sysim.engine.reference.laws import derive, sample
from sysim.engine.reference.stories import Story
from sysim.engine.reference.world import Replica, Service, World
from sysim.plan.tables import FAULT_CAPACITY, LEF_SLOWDOWN, R_DONE


class Job(Wait):
    """A piece of work of a story: `base` ns at full speed."""

    __slots__ = ("among", "base", "begun", "due", "entry", "left", "operation", "tag")

    def __init__(self, story: Story, base: int, now: int, operation: int) -> None:
        super().__init__(story.thread)
        self.base = base
        self.begun = now
        self.operation = operation
        self.due = 0
        self.left = 0  # while it is paused
        self.tag = 0  # with cores: the virtual time at which it is done
        self.entry: Entry | None = None
        self.among: dict[Job, None] | None = None  # the jobs whose speed may change

    def fire(self, entry: Entry) -> None:
        """The work is done."""
        self.open = False
        if self.among is not None:
            del self.among[self]
        self.story.resume(entry)


class Cpu(Wait):
    """The cores of a replica, shared equally by the jobs on it."""

    __slots__ = (
        "book", "clock", "cores", "entry", "factor", "heap", "jobs", "last", "level", "next", "paused",
        "service", "virtual",
    )  # fmt: skip

    def __init__(self, clock: Clock, book: Book, service: Service) -> None:
        super().__init__()
        self.clock = clock
        self.book = book
        self.service = service
        self.cores = service.cores
        self.factor = 1.0
        self.paused = False
        self.virtual = 0
        self.last = 0
        self.jobs = 0
        self.level = 0  # thousandths of cores in use
        self.heap: list[tuple[int, int, Job]] = []
        self.next: Job | None = None
        self.entry: Entry | None = None

    def advance(self) -> None:
        """Bring the virtual time up to now."""
        now = self.clock._now
        if self.jobs and not self.paused and now > self.last:
            rate = laws.share_rate(self.cores, self.jobs, self.factor)
            self.virtual = laws.share_advance(self.virtual, now - self.last, rate)
        self.last = now

    def schedule(self) -> None:
        """After any change: who is done next, and when; how many cores are in use."""
        clock, heap = self.clock, self.heap
        if self.entry is not None:
            self.entry.wait = DEAD
            self.entry = None
        while heap and not heap[0][2].open:
            heappop(heap)
        if not heap:
            self.virtual = 0
        elif not self.paused:
            tag, key, job = heap[0]
            due = laws.share_due_in(self.virtual, tag, laws.share_rate(self.cores, self.jobs, self.factor))
            self.entry = clock.enter(clock._now + due, R_DONE, key, self, job)
        level = 0 if self.paused else laws.share_in_use(self.cores, self.jobs)
        if level != self.level:
            self.book.cpu(self.service, level - self.level)
            self.level = level

    def add(self, job: Job, key: int) -> None:
        """A job joins."""
        self.advance()
        self.jobs += 1
        job.tag = self.virtual + job.base
        heappush(self.heap, (job.tag, key, job))
        self.schedule()

    def remove(self, job: Job) -> None:
        """A job is broken off."""
        self.advance()
        self.jobs -= 1
        self.schedule()

    def fire(self, entry: Entry) -> None:
        """The first job is done."""
        job: Job = entry.what
        self.entry = None
        self.virtual = job.tag
        self.last = self.clock._now
        self.jobs -= 1
        job.open = False
        self.schedule()
        job.story.resume(entry)


class Works:
    """Does the work of stories."""

    def __init__(self, world: World, book: Book) -> None:
        self.clock = world.clock
        self.draws = world.draws
        self.constants = world.constants
        plan = world.plan
        at, faults = plan.rep_faults_at.tolist(), plan.rep_faults.tolist()
        self.faults_of = [
            [world.faults[fault] for fault in faults[at[replica.row] : at[replica.row + 1]]]
            if world.faults
            else []
            for replica in world.replicas
        ]
        self.slowdowns = plan.leversF[:, LEF_SLOWDOWN].tolist()
        for replica in world.replicas:
            if replica.service.cores > 0.0:
                replica.cpu = Cpu(world.clock, book, replica.service)

    def begin(self, story: Story, dist: int, salt: int) -> Job:
        """A story begins to work; the wait for the end of it."""
        base = self.constants[dist]
        if base < 0:
            base = sample(*self.draws, dist, derive(story.key, salt), 0)
        return self.start(story, base)

    def start(self, story: Story, base: int) -> Job:
        """The same, with the work given."""
        visit = story.visit
        replica: Replica = visit.home
        now = self.clock._now
        per_concurrent = replica.service.per_concurrent
        if per_concurrent > 0.0:
            base = laws.with_concurrency(base, per_concurrent, replica.started)
        job = Job(story, base, now, visit.operation)
        if replica.cpu is not None:
            replica.cpu.add(job, story.key)
            return job
        time = (
            laws.scaled(base, replica.factor[job.operation]) if replica.factor[job.operation] != 1.0 else base
        )
        if self.faults_of[replica.row]:
            replica.jobs[job] = None
            job.among = replica.jobs
            if replica.paused[job.operation]:
                job.left = time
                return job
        job.due = now + time
        job.entry = self.clock.enter(job.due, R_DONE, story.key, job)
        return job

    def break_off(self, story: Story, job: Job) -> None:
        """The story is stopped at its work: what it has done so far counts."""
        assert story.visit is not None
        job.open = False
        replica: Replica = story.visit.home
        story.cost += min(job.base, self.clock._now - job.begun)
        if replica.cpu is not None:
            replica.cpu.remove(job)
        else:
            replica.jobs.pop(job, None)

    def change_speed(self, replica: Replica) -> None:
        """A pause, slowdown or capacity of this replica has begun or ended."""
        service = replica.service
        if replica.cpu is not None:
            self._change_cores(replica)
            return
        old = list(zip(replica.factor, replica.paused, strict=True))
        for operation in range(service.operations):
            factor, paused = self.own_factor(replica), False
            for fault in self.faults_of[replica.row]:
                if replica not in fault.struck:
                    continue
                if fault.operation >= 0 and fault.operation - service.first_operation != operation:
                    continue
                if laws.stands_still(fault.kind, fault.value):
                    paused = True
                else:
                    factor = laws.slowed(factor, fault.kind, fault.value)
            replica.factor[operation] = factor
            replica.paused[operation] = paused
        now = self.clock._now
        for job in replica.jobs:
            factor, paused = old[job.operation]
            new, pauses = replica.factor[job.operation], replica.paused[job.operation]
            if new == factor and pauses == paused:
                continue
            left = job.left if paused else job.due - now
            if job.entry is not None:
                key = job.entry.key
                job.entry.wait = DEAD
            else:
                key = job.story.key
            job.left = laws.rescaled(left, factor, new)
            job.entry = None
            if not pauses:
                job.due = now + job.left
                job.entry = self.clock.enter(job.due, R_DONE, key, job)

    def own_factor(self, replica: Replica) -> float:
        """How many times as long work takes by the version of a replica."""
        return self.slowdowns[replica.version - 1] if replica.version else 1.0

    def _change_cores(self, replica: Replica) -> None:
        """The same for a replica with cores: capacities change their number, slowdowns their speed."""
        cpu: Cpu = replica.cpu
        cpu.advance()
        cpu.cores, cpu.factor, cpu.paused = replica.service.cores, self.own_factor(replica), False
        for fault in self.faults_of[replica.row]:
            if replica not in fault.struck:
                continue
            if laws.stands_still(fault.kind, fault.value):
                cpu.paused = True
            elif fault.kind == FAULT_CAPACITY:
                cpu.cores = laws.shrunk(cpu.cores, fault.kind, fault.value)
            else:
                cpu.factor = laws.slowed(cpu.factor, fault.kind, fault.value)
        cpu.schedule()
