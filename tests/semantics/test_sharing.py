"""Processor sharing against exact arithmetic."""

from __future__ import annotations

import heapq
import math
from fractions import Fraction

import pytest

from sysim.semantics.arrivals import exponential
from sysim.semantics.rng import uniform
from sysim.semantics.sharing import advance, due_in, in_use, rate


def test_rate():
    assert rate(2.0, 1, 1.0) == rate(2.0, 2, 1.0) == 1.0
    assert rate(2.0, 4, 1.0) == 0.5
    assert rate(2.0, 4, 5.0) == 0.1
    assert rate(0.5, 1, 1.0) == 0.5
    assert rate(2.0, 0, 1.0) == 1.0


def test_cores_in_use():
    assert in_use(2.0, 0) == 0
    assert in_use(2.0, 1) == 1000
    assert in_use(2.0, 2) == in_use(2.0, 9) == 2000
    assert in_use(0.4, 1) == 400
    assert in_use(1.0 / 3.0, 5) == 333
    assert in_use(2.0 / 3.0, 5) == 667


def test_advance_and_due_in():
    assert advance(100, 10, 0.25) == 103  # 102.5, halves up
    assert advance(100, 10, 0.0) == 100
    assert due_in(100, 103, 0.25) == 12
    assert due_in(100, 101, 0.3) == 4
    assert due_in(100, 100, 0.3) == due_in(101, 100, 0.3) == 0
    assert due_in(0, 1, 0.0) == 2**61
    assert due_in(0, 2**60, 1e-9) == 2**61
    assert advance(2**61 - 5, 10, 1.0) == 2**61
    assert advance(5, 2**61, 3.0) == 2**61


def test_a_job_is_done_when_it_is_due():
    for i in range(2000):
        v, tag = int(uniform(1, i) * 1e9), int(1e9 + uniform(2, i) * 1e9)
        speed = uniform(3, i)
        due = due_in(v, tag, speed)
        assert advance(v, due, speed) >= tag
        assert advance(v, due - 1, speed) <= tag


class Exact:
    """Virtual time as a fraction."""

    def __init__(self, cores):
        self.cores, self.v, self.last, self.n = Fraction(cores), Fraction(0), Fraction(0), 0

    def speed(self):
        return min(Fraction(1), self.cores / self.n) if self.n else Fraction(1)

    def move(self, now):
        self.v += (now - self.last) * self.speed()
        self.last = now


def departures_exact(jobs, cores):
    group, present, done = Exact(cores), [], {}
    pending = list(jobs)
    while pending or present:
        due = group.last + max(Fraction(0), present[0][0] - group.v) / group.speed() if present else None
        if due is not None and (not pending or due <= pending[0][0]):
            group.move(due)
            tag, number = heapq.heappop(present)
            group.v, group.n = tag, group.n - 1
            done[number] = due
        else:
            at, work, number = pending.pop(0)
            group.move(Fraction(at))
            heapq.heappush(present, (group.v + work, number))
            group.n += 1
    return done


def departures(jobs, cores):
    """As the engines do it: whole ns, the virtual time set to the tag of who leaves."""
    v = last = n = 0
    present, done, pending = [], {}, list(jobs)
    while pending or present:
        due = last + int(due_in(v, present[0][0], rate(cores, n, 1.0))) if present else math.inf
        if not pending or due <= pending[0][0]:
            tag, number = heapq.heappop(present)
            v, last, n = tag, due, n - 1
            done[number] = due
        else:
            at, work, number = pending.pop(0)
            v, last, n = int(advance(v, at - last, rate(cores, n, 1.0))), at, n + 1
            heapq.heappush(present, (v + work, number))
    return done


@pytest.mark.parametrize("cores", [1.0, 2.0, 2.5])
def test_against_exact_fractions(cores):
    jobs, now = [], 0
    for i in range(400):
        now += int(exponential(1, i) * 1.1e6 / cores)
        jobs.append((now, int(exponential(2, i) * 1e6), i))
    ours, exact = departures(jobs, cores), departures_exact(jobs, cores)
    assert ours.keys() == exact.keys()
    errors = [abs(ours[i] - exact[i]) for i in ours]
    assert max(errors) <= 400  # ns: one an event and job at worst, milliseconds of work
    assert sorted(ours, key=lambda i: (ours[i], i)) == sorted(exact, key=lambda i: (exact[i], i))
