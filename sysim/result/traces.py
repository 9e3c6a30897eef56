"""Sampled traces as nested objects: a request, the calls it made, the visits they led to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.plan.plan import Plan
from sysim.plan.tables import OUTCOMES
from sysim.record.columns import (
    SP_BEGIN,
    SP_END,
    SP_KEY,
    SP_KIND,
    SP_OUTCOME,
    SP_PARENT,
    SP_REF,
    SP_REPLICA,
    SP_REQUEST,
    SP_START,
    SPAN_CALL,
    SPAN_REQUEST,
)

NS = 1_000_000_000


def traces(plan: Plan, spans: NDArray[np.int64]) -> list[dict[str, Any]]:
    """One object a sampled request: ``{"request": key, "spans": [...]}``, each followed by what it led to."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in spans.tolist():
        found.setdefault(row[SP_REQUEST], []).append(_span(plan, row))
    ordered = sorted(found.items(), key=lambda item: min(span["begin_s"] for span in item[1]))
    return [{"request": _key(key), "spans": _nested(some)} for key, some in ordered]


def _nested(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each span followed by those that it led to, in order of their begin."""
    keys = {span["key"] for span in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    roots = []
    for span in sorted(spans, key=lambda span: (span["begin_s"], span["end_s"])):
        if span["parent"] in keys and span["parent"] != span["key"]:
            below.setdefault(span["parent"], []).append(span)
        else:
            roots.append(span)
    found, pending = [], roots[::-1]
    while pending:
        span = pending.pop()
        found.append(span)
        pending += below.pop(span["key"], [])[::-1]
    return found


def _key(key: int) -> str:
    return format(key & (2**64 - 1), "016x")


def _span(plan: Plan, row: list[int]) -> dict[str, Any]:
    kind, ref = row[SP_KIND], row[SP_REF]
    names = plan.names
    if kind == SPAN_REQUEST:
        label, word = names.streams[ref], "request"
    elif kind == SPAN_CALL:
        label, word = names.sites[ref], "call"
    else:
        label, word = names.operations[ref], "visit"
    out: dict[str, Any] = {
        "kind": word,
        "what": label,
        "key": _key(row[SP_KEY]),
        "parent": _key(row[SP_PARENT]),
        "begin_s": row[SP_BEGIN] / NS,
        "end_s": row[SP_END] / NS,
        "outcome": OUTCOMES[row[SP_OUTCOME]],
    }
    if word == "visit":
        out["replica"] = names.replicas[row[SP_REPLICA]] if row[SP_REPLICA] >= 0 else None
        out["start_s"] = row[SP_START] / NS if row[SP_START] >= 0 else None
    return out
