"""Where failures began: the failed requests of a load gathered by service and mechanism, adding up to all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sysim.analysis.words import count, listed, percent

if TYPE_CHECKING:
    from sysim.result.failures import Failures

WORDS: Mapping[str, str] = {
    "error": "errors of its own",
    "error_fault": "errors of the fault, or of a new version",
    "queued": "more requests than it could work off",
    "working": "requests it was working on",
    "network": "messages late or lost on the way",
    "bulkhead_wait": "the wait for a bulkhead permit",
    "queue_full": "a full queue",
    "shed": "its shedding of requests",
    "unreachable": "no connection",
    "crashed": "its crash",
    "circuit_open": "an open breaker",
    "rate_limited": "a rate limit",
    "bulkhead_full": "a full bulkhead",
    "deadline_spent": "deadlines that had passed before the call",
    "turned_away": "an operator's shedding of load",
}
"""What each mechanism is in a sentence of the form ``34 % at payments (…)``."""
TOLD = 3  # origins in a sentence
LEAST_TOLD = 0.02


@dataclass(frozen=True, slots=True)
class Origin:
    """Failures that began at one service by one mechanism.

    `share` is of all failures looked at; `disturbed`, `queued` and `breaker` are shares of `count`: while a fault was
    at work there, behind others in a queue, refused by a breaker that these failures had opened. `outcomes` are what
    the customers saw.
    """

    service: str
    mechanism: str
    count: int
    share: float
    disturbed: float
    queued: float
    breaker: float
    calls: tuple[str, ...]
    outcomes: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "service": self.service,
            "mechanism": self.mechanism,
            "count": self.count,
            "share": self.share,
            "disturbed": self.disturbed,
            "queued": self.queued,
            "breaker": self.breaker,
            "calls": list(self.calls),
            "outcomes": dict(self.outcomes),
        }


def origins(failures: Iterable[Failures]) -> tuple[Origin, ...]:
    """The failures by service and mechanism, the most frequent first; their counts sum to those given."""
    groups: dict[tuple[str, str], list[Failures]] = {}
    for some in failures:
        groups.setdefault((some.cause.service, some.cause.mechanism), []).append(some)
    total = sum(some.count for group in groups.values() for some in group)
    found = []
    for (service, mechanism), group in groups.items():
        n = sum(some.count for some in group)
        calls: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        for some in group:
            calls[some.cause.call] += some.count
            outcomes[some.outcome] += some.count
        found.append(
            Origin(
                service=service,
                mechanism=mechanism,
                count=n,
                share=n / total,
                disturbed=sum(some.count for some in group if some.cause.disturbed) / n,
                queued=sum(some.count for some in group if some.cause.queued) / n,
                breaker=sum(some.count for some in group if some.cause.breaker) / n,
                calls=tuple(sorted(calls, key=lambda call: (-calls[call], call))),
                outcomes=dict(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
            )
        )
    return tuple(sorted(found, key=lambda origin: (-origin.count, origin.service, origin.mechanism)))


def by_service(some: Iterable[Origin]) -> dict[str, float]:
    """The share of all failures that began at each service, the largest first."""
    shares: dict[str, float] = {}
    for origin in some:
        shares[origin.service] = shares.get(origin.service, 0.0) + origin.share
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def sentence(load: str | None, some: tuple[Origin, ...]) -> str:
    """Where the failures of a load (None: of all loads) began, in some sentences; nothing where there were none."""
    if not some:
        return ""
    total = sum(origin.count for origin in some)
    told = [origin for origin in some[:TOLD] if origin is some[0] or origin.share >= LEAST_TOLD]
    of_load = f" of {load}" if load is not None else ""
    which = f"The failure{of_load}" if total == 1 else f"the {count(total)} failures{of_load}"
    if len({origin.service for origin in told}) == 1 and len(told) > 1:
        ways = listed([f"{percent(origin.share)} by {phrase(origin)}" for origin in told])
        text = f"Of {which}, {percent(sum(origin.share for origin in told))} began at {told[0].service}: {ways}."
    elif len(told) > 1:
        first, *others = told
        parts = [f"{percent(first.share)} began at {first.service} ({phrase(first)})"]
        parts += [f"{percent(origin.share)} at {origin.service} ({phrase(origin)})" for origin in others]
        text = f"Of {which}, {listed(parts)}."
    elif total == 1 or told[0].share == 1.0:
        text = f"{which[0].upper()}{which[1:]} began at {told[0].service} ({phrase(told[0])})."
    else:
        text = f"{percent(told[0].share)} of {which} began at {told[0].service} ({phrase(told[0])})."
    aside = sum(origin.count * origin.queued for origin in some) / total
    if aside >= 0.5:
        text += (
            f" {percent(aside)} of them had not got that far: they waited in a queue, or found it full, behind requests"
            " that were stuck there."
        )
    stopped = sum(origin.count * origin.breaker for origin in some) / total
    if stopped >= 0.05:
        text += f" {percent(stopped)} were refused by a circuit breaker which such failures had opened."
    return text


def phrase(origin: Origin) -> str:
    """How failures began, in some words."""
    words = WORDS[origin.mechanism]
    if origin.disturbed >= 0.995:
        return f"{words}, while a fault was at work"
    if origin.disturbed >= 0.005:
        return f"{words}, a fault at work in {percent(origin.disturbed)} of the cases"
    return words
