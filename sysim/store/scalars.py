"""The numbers of a run as rows (window, kind, subject, metric, value), under the names of the tidy tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sysim.result.tables import flat

KINDS = {"loads": "load", "services": "service", "calls": "call"}
CURRENCY = "currency"  # the one text among the numbers
Name = tuple[str, str, str, str]


def scalars(facts: Mapping[str, Any]) -> Iterator[tuple[Name, float | str | None]]:
    """Every number of the JSON object of a run, and in a word what became of each load; None is no data.

    Truth values are 0 and 1. Recovery belongs to the window ``all``.
    """
    for window, kinds in facts["windows"].items():
        for kind, singular in KINDS.items():
            for subject, some in kinds[kind].items():
                for metric, value in flat(some):
                    if metric != CURRENCY:
                        yield (window, singular, subject, metric), _number(value)
    for load, recovered in facts["recovery"].items():
        for metric, value in recovered.items():
            yield ("all", "load", load, metric), _number(value)


def _number(value: Any) -> float | str | None:
    return int(value) if isinstance(value, bool) else value
