"""Failed requests of a load by where their failure began: the table of causes of a record, read back by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sysim.plan.plan import Plan
from sysim.plan.tables import C_SVC, N_OUTCOMES, OUTCOMES
from sysim.record.columns import FC_COUNT, FC_NUMBER
from sysim.record.record import Table
from sysim.semantics.causes import BEHIND, BREAKER, DISTURBED, MECHANISMS, N_MECHANISMS, causes


@dataclass(frozen=True, order=True, slots=True)
class Cause:
    """Where and how failures began.

    `call` is the call that failed there, as ``betting.place -> payments.charge``, `service` the one it called and
    `mechanism` one of `sysim.semantics.causes.MECHANISMS`. `disturbed`: a fault was at work there at that moment.
    `queued`: on the way the request waited in a queue, or found it full, behind others that were stuck there.
    `breaker`: the failure opened a circuit breaker, which refused the request.
    """

    service: str
    mechanism: str
    call: str
    disturbed: bool = False
    queued: bool = False
    breaker: bool = False


@dataclass(frozen=True, slots=True)
class Failures:
    """So many requests that ended with one outcome, for one cause."""

    cause: Cause
    outcome: str
    count: int

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return {
            "service": self.cause.service,
            "mechanism": self.cause.mechanism,
            "call": self.cause.call,
            "disturbed": self.cause.disturbed,
            "queued": self.cause.queued,
            "breaker": self.cause.breaker,
            "outcome": self.outcome,
            "count": self.count,
        }


def cause_of(plan: Plan, number: int) -> Cause:
    """What a number of `sysim.semantics.causes` says; ValueError for 0."""
    if number <= 0:
        raise ValueError("a failure without a cause")
    rest, site = divmod(number - 1, len(plan.sites))
    circumstances, mechanism = divmod(rest, N_MECHANISMS)
    return Cause(
        service=plan.names.services[int(plan.sites[site, C_SVC])],
        mechanism=MECHANISMS[mechanism],
        call=plan.names.sites[site],
        disturbed=bool(circumstances & DISTURBED),
        queued=bool(circumstances & BEHIND),
        breaker=bool(circumstances & BREAKER),
    )


def failures(plan: Plan, table: Table, segments: range, streams: Collection[int]) -> tuple[Failures, ...]:
    """The failures of these streams among requests that arrived in these segments, the most frequent first."""
    n_streams, n_causes = plan.streams.shape[0], causes(len(plan.sites))
    rows, numbers = np.divmod(table[:, FC_NUMBER] - 1, N_OUTCOMES * n_causes)
    outcomes, numbers = np.divmod(numbers, n_causes)
    found: Counter[tuple[Cause, str]] = Counter()
    for row, outcome, number, count in zip(
        rows.tolist(), outcomes.tolist(), numbers.tolist(), table[:, FC_COUNT].tolist(), strict=True
    ):
        segment, stream = divmod(row, n_streams)
        if segment in segments and stream in streams:
            found[cause_of(plan, number), OUTCOMES[outcome]] += count
    return _sorted(found)


def merged(some: Iterable[Failures]) -> tuple[Failures, ...]:
    """The failures of several loads, windows or runs as one."""
    found: Counter[tuple[Cause, str]] = Counter()
    for failure in some:
        found[failure.cause, failure.outcome] += failure.count
    return _sorted(found)


def _sorted(found: Counter[tuple[Cause, str]]) -> tuple[Failures, ...]:
    rows = [Failures(cause, outcome, count) for (cause, outcome), count in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.count, row.cause, row.outcome)))
