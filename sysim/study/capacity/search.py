"""The least sizes that keep all goals in all situations: grow what is full until it holds, then take away what can go.

It is assumed that more replicas never hurt. Under that assumption one pass finds sizes from which no replica can be
taken: what could not be spared while other services were larger cannot be spared when they are smaller. Dearer services
are made smaller first. Another mix may be as cheap, or a little cheaper; that none of the replicas can go is checked
afterwards, on other random numbers, and mended where the search was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from sysim.errors import SysimError
from sysim.study.capacity.lab import Case, Judgement, Lab, Seen
from sysim.study.capacity.sizes import Sizes

STEP = 0.15
ROUNDS = 40
CHECKS = 12


class NoPlan(SysimError):
    """No sizes within their ranges keep the goals; the message says what stands in the way."""


@dataclass
class Search:
    """The search in a `Lab`; `least` and `most` are the ranges of the sizes.

    `least` is what the file says, or as many as the work of each service takes in every situation: also one that
    nothing is promised of may not be given more than it can ever do.
    """

    lab: Lab
    least: Sizes
    most: Sizes
    order: list[int] = field(default_factory=list)
    tried: int = 0

    def __post_init__(self) -> None:
        # Failures first: what holds under them seldom fails without.
        self.order = sorted(range(len(self.lab.situations)), key=lambda k: not self.lab.situations[k].breaks)

    def find(self, first: Sizes) -> Sizes:
        """The least sizes, by pairs of replications of the beginning of each stretch."""
        return self.shrunk(self.grown(first))

    def holds(self, sizes: Sizes) -> tuple[bool, list[Seen]]:
        """Whether sizes keep the goals; what was violated last is tried first, as it is the likeliest to be again."""
        self.tried += 1
        broken, seen = self.lab.holds(sizes, self.order)
        if broken is not None:
            self.put_first(broken)
        return broken is None, seen

    def remember(self, judgement: Judgement) -> None:
        """Try first from now on what a judgement found to be broken."""
        broken = [n for n, verdicts in judgement.verdicts.items() if any(v.verdict == "fail" for v in verdicts)]
        if broken:
            self.put_first(broken[0])

    def put_first(self, situation: int) -> None:
        """Try a situation before the others from now on."""
        self.order.remove(situation)
        self.order.insert(0, situation)

    def grown(self, sizes: Sizes) -> Sizes:
        """Larger, until it holds."""
        for _ in range(ROUNDS):
            good, seen = self.holds(sizes)
            if good:
                return sizes
            sizes = self.larger(sizes, seen, STEP)
        raise NoPlan(f"found no sizes that keep the goals after {ROUNDS} rounds of growth")

    def larger(self, sizes: Sizes, seen: Sequence[Seen], step: float = 0.0) -> Sizes:
        """The sizes with more of what stands in the way; raises `NoPlan` where that may not grow."""
        names = self.lab.room.names
        wanted = self._in_the_way(seen)
        growing = [name for name in wanted if name in names]
        if not growing:
            raise NoPlan(self._why(wanted, seen))
        found = list(sizes)
        for name in growing:
            k = names.index(name)
            if sizes[k] >= self.most[k]:
                raise NoPlan(
                    f"{self._broken(seen)}, and {name} has the {self.most[k]} replicas that it may have at most; let "
                    "it have more in planning.services"
                )
            found[k] = min(self.most[k], sizes[k] + max(1, ceil(step * sizes[k])))
        return tuple(found)

    def shrunk(self, sizes: Sizes) -> Sizes:
        """Each service in turn as small as it can be, the dearest first."""
        room = self.lab.room
        prices = room.prices if room.minimise == "cost" else (1.0,) * len(sizes)
        for k in sorted(range(len(sizes)), key=lambda k: (-prices[k] * sizes[k], k)):
            low, high = self.least[k], sizes[k]  # `high` is known to hold
            while low < high:
                # The beginning is near to what is needed, so the first step down is a short one.
                middle = max(low, high - 1) if high == sizes[k] else (low + high) // 2
                if self.holds((*sizes[:k], middle, *sizes[k + 1 :]))[0]:
                    high = middle
                else:
                    low = middle + 1
            sizes = (*sizes[:k], high, *sizes[k + 1 :])
        return sizes

    # --- what is in the way -------------------------------------------------------------------------------

    def _in_the_way(self, seen: Sequence[Seen]) -> list[str]:
        """The full services of which nothing that they call is full; else the one where most time is spent waiting."""
        last = seen[-1]
        full = self.lab.in_the_way(last)
        if full:
            return full
        names = self.lab.room.names
        waited = {name: last.services[name].waited_s for name in names}
        name = max(names, key=lambda name: (waited[name], name))
        return [name] if waited[name] > 0 else []

    def _broken(self, seen: Sequence[Seen]) -> str:
        """What is not kept, and where."""
        lab, broken = self.lab, self.lab.broken(seen)
        parts = []
        for number, goal in enumerate(lab.goals):
            if broken[number]:
                values = [one.values[number] for one in seen]
                known = [x for x in values if x is not None]
                shown = goal.show(sum(known) / len(known)) if len(known) == len(values) else "no data"
                parts.append(f"{goal.text} ({shown})")
        situation = lab.situations[self.order[0]].name
        return f"when {situation}, what is promised is not kept: {' and '.join(parts)}"

    def _why(self, wanted: Sequence[str], seen: Sequence[Seen]) -> str:
        what = self._broken(seen)
        if wanted:
            return (
                f"{what}; {' and '.join(wanted)} {'is' if len(wanted) == 1 else 'are'} full, and may not grow: name "
                "it in planning.services, or write it larger"
            )
        began = max(seen[-1].began, key=lambda name: seen[-1].began[name], default="")
        where = f": {seen[-1].began[began] * 100:.0f} % of the failures begin at {began}" if began else ""
        return f"{what}, though nothing is full and nobody waits, so more replicas would not help{where}"


@dataclass(frozen=True)
class Certificate:
    """A fresh check of a plan: `plan` of the sizes themselves, `fewer` with one replica less of each service.

    Services that would then be given more work than they can do, though no promise is broken, are `overloaded`.
    `rounds` is how many sizes were checked before.
    """

    sizes: Sizes
    plan: Judgement
    fewer: dict[str, Judgement]
    overloaded: frozenset[str]
    rounds: int

    @property
    def sure(self) -> bool:
        """Whether it is known that the plan holds and that no replica can go."""
        return self.plan.word == "holds" and all(
            some.word == "violated" or name in self.overloaded for name, some in self.fewer.items()
        )


def certified(search: Search, sizes: Sizes, confidence: float) -> Certificate:
    """The plan on fresh random numbers and whole stretches, mended where these say otherwise than the search."""
    lab, checked = search.lab, set[Sizes]()
    for rounds in range(CHECKS):
        plan = lab.judge(sizes, tuple(search.order), confidence)
        last = rounds == CHECKS - 1
        if plan.word != "holds" and not last:
            checked.add(sizes)
            sizes = search.larger(sizes, _worst(search, sizes, plan))
            continue
        less = {
            name: (*sizes[:k], sizes[k] - 1, *sizes[k + 1 :])
            for k, name in enumerate(lab.room.names) if sizes[k] > lab.room.least[k]
        }  # fmt: skip
        fewer, spared = _fewer(search, less, confidence, set() if last else set(less.values()) - checked)
        if spared is None:
            too_few = {name for k, name in enumerate(lab.room.names) if name in less and _short(search, less[name], k)}
            overloaded = frozenset(name for name in too_few if fewer[name].word != "violated")
            return Certificate(sizes, plan, fewer, overloaded, rounds)
        checked.add(sizes)
        sizes = spared
    raise AssertionError("the last round returns")


def _short(search: Search, sizes: Sizes, k: int) -> bool:
    """Whether service number `k` has more work than that many replicas can ever do."""
    return sizes[k] < search.least[k]


def _fewer(
    search: Search, less: dict[str, Sizes], confidence: float, free: set[Sizes]
) -> tuple[dict[str, Judgement], Sizes | None]:
    """How the plan fares with one replica `less` of each service; and those of the sizes in `free` that hold, if any.

    Where a service then has more work than it can do, only the hardest situation is looked at: it may not go anyway.
    """
    lab, order = search.lab, tuple(search.order)
    short = [_short(search, sizes, lab.room.names.index(name)) for name, sizes in less.items()]
    sizes = list(less.values())
    asked = [(some, order[:1] if over else order) for some, over in zip(sizes, short, strict=True)]

    def may_go(number: int, judgement: Judgement) -> bool:
        return judgement.word == "holds" and not short[number] and sizes[number] in free

    found = {name: one for name, one in zip(less, lab.judge_each(asked, confidence, may_go), strict=True) if one}
    for one in found.values():
        search.remember(one)
    numbers = [number for number, name in enumerate(less) if name in found and may_go(number, found[name])]
    return found, sizes[numbers[0]] if numbers else None


def _worst(search: Search, sizes: Sizes, plan: Judgement) -> list[Seen]:
    """What was seen in the situation that a plan does not hold in; it comes first from now on."""
    words = {number: [v.verdict for v in verdicts] for number, verdicts in plan.verdicts.items()}
    number = next((n for n, some in words.items() if "fail" in some), None)
    if number is None:
        number = next(n for n, some in words.items() if set(some) != {"pass"})
    search.put_first(number)
    return search.lab.remembered(Case(sizes, number, whole=True))
