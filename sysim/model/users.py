"""How many users a closed load has over time.

Between stages the line rises and falls; users come and go at whole numbers of it, as k6 has it (``ramping-vus``): user
k, counted from 0, comes at the first ns at which the line has risen to k + 1, and leaves at the first at which it has
fallen to k.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from sysim.model.values import Count, Duration, Instant, Model

MOST_CHANGES = 1_000_000


class UserStep(Model):
    """From `at` (ns) on, so many `users`."""

    at: Instant
    users: Count


class UserSteps(Model):
    """Nobody before the first step; each holds until the next, the last for ever. `steps` rise in time."""

    kind: Literal["steps"] = "steps"
    steps: tuple[UserStep, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> UserSteps:
        if any(after.at <= before.at for before, after in pairwise(self.steps)):
            raise ValueError("found steps out of order, expected each `at` after the one before")
        _not_too_many([0, *(step.users for step in self.steps)])
        return self


class UserStage(Model):
    """Over `duration` (ns), in the file `for`, the line goes straight to `to`."""

    duration: Duration
    to: Count


class UserStages(Model):
    """Straight lines, one after the other, beginning at `start`, in the file `from`; the last value holds."""

    kind: Literal["stages"] = "stages"
    start: Count = 0
    stages: tuple[UserStage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _few_enough(self) -> UserStages:
        _not_too_many([0, self.start, *(stage.to for stage in self.stages)])
        return self


UserProfile = UserSteps | UserStages
"""Any number of users over time that changes; `kind` tells which."""
Users = int | UserProfile


def _not_too_many(corners: list[int]) -> None:
    count = sum(abs(after - before) for before, after in pairwise(corners))
    if count > MOST_CHANGES:
        raise ValueError(f"found users who come or go {count:,} times, expected at most {MOST_CHANGES:,}")


def changes(users: Users) -> list[tuple[int, int]]:
    """When there are how many: (ns, users), the first at 0, rising in time, each with another number than before."""
    if isinstance(users, int):
        return [(0, users)]
    found = [(0, 0)]
    for at, count in _steps(users) if isinstance(users, UserSteps) else _stages(users):
        if at == found[-1][0]:
            found.pop()
        if not found or found[-1][1] != count:
            found.append((at, count))
    return found


def _steps(users: UserSteps) -> Iterator[tuple[int, int]]:
    return ((step.at, step.users) for step in users.steps)


def _stages(users: UserStages) -> Iterator[tuple[int, int]]:
    at, before = 0, users.start
    yield at, before
    for stage in users.stages:
        at += stage.duration
        way = abs(stage.to - before)
        for left in range(way - 1, -1, -1):
            yield at - stage.duration * left // way, stage.to - left if stage.to > before else stage.to + left
        before = stage.to


def spans(users: Users, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(from, until, users) for each stretch of one number between two instants (ns)."""
    table = [*changes(users), (max(end, start), 0)]
    for (at, count), (until, _) in pairwise(table):
        low, high = max(at, start), min(until, end)
        if low < high:
            yield low, high, count


def peak_users(users: Users, start: int = 0, end: int | None = None) -> int:
    """The most users there are at once between two instants (ns), or ever."""
    if end is None:
        return max(count for _, count in changes(users))
    return max((count for _, _, count in spans(users, start, end)), default=0)


def mean_users(users: Users, start: int, end: int) -> float:
    """The mean number of users between two instants (ns), start < end."""
    return sum((until - at) * count for at, until, count in spans(users, start, end)) / (end - start)


def users_from(users: Users, cut: int, end: int) -> Users:
    """`users` with `cut` (ns) as their time 0, as far as they matter before `end`: to the ns, so as steps."""
    if not cut or isinstance(users, int):
        return users
    return _stepped([(at - cut, count) for at, _, count in spans(users, cut, end)])


def times_users(users: Users, factor: float) -> Users:
    """`factor` times the users throughout; at least one of whom there were any."""

    def times(count: int) -> int:
        return max(1, round(count * factor)) if count else 0

    match users:
        case UserSteps():
            return UserSteps(steps=tuple(UserStep(at=step.at, users=times(step.users)) for step in users.steps))
        case UserStages():
            stages = tuple(UserStage(duration=stage.duration, to=times(stage.to)) for stage in users.stages)
            return UserStages(start=times(users.start), stages=stages)
        case _:
            return times(users)


def times_between(users: Users, factor: float, start: int, end: int | None) -> Users:
    """`factor` times the users from `start` to `end` (ns; None: to the end), which may be none."""
    table = changes(users)
    known = dict(table)
    found, count = [], 0
    for at in sorted({*known, max(0, start), *(() if end is None else (end,))}):
        count = known.get(at, count)
        found.append((at, round(count * factor) if at >= start and (end is None or at < end) else count))
    return _stepped(found)


def _stepped(table: list[tuple[int, int]]) -> Users:
    """The number of users by a table like that of `changes`; one that never changes as a plain number."""
    counts = {count for _, count in table}
    if len(counts) == 1 and counts != {0}:
        return counts.pop()
    steps = [UserStep(at=at, users=count) for at, count in table] or [UserStep(at=0, users=0)]
    return UserSteps(steps=tuple(steps))
