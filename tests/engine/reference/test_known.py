"""Answers that are known by formula, held loosely: the engine is short of breath, not of care."""

from __future__ import annotations

import pytest

from sysim.engine.reference import simulate
from sysim.plan.lower import lower
from sysim.record.columns import LC_OUT, M_N, M_SUM, SC_BUSY, SC_IN_SYSTEM, SC_QUEUE
from sysim.record.record import Record
from sysim.scenario_file import loads

SECONDS = 300


def station(service: str, rate: str) -> Record:
    text = f"""
sysim: 1
time: {{duration: {SECONDS}s, drain: false}}
services: {{api: {{{service}, operations: {{get: [{{work: {{exponential: 10ms}}}}]}}}}}}
load: {{clients: {{call: api.get, rate: {rate}}}}}
"""
    return simulate(lower(loads(text).scenario), seed=7)


def mean(record: Record, column: int) -> float:
    return float(record.service_cells[:, column].sum()) / (SECONDS * 1e9)


def test_one_server() -> None:
    record = station("concurrency: 1", "60/s")  # utilisation 0.6
    assert mean(record, SC_BUSY) == pytest.approx(0.6, rel=0.05)
    assert mean(record, SC_IN_SYSTEM) == pytest.approx(1.5, rel=0.12)
    assert mean(record, SC_QUEUE) == pytest.approx(0.9, rel=0.2)
    moments = record.service_moments[1]
    assert moments[M_SUM] / moments[M_N] / 1e9 == pytest.approx(0.025, rel=0.1)


def test_processor_sharing_has_the_same_mean() -> None:
    assert mean(station("cores: 1", "60/s"), SC_IN_SYSTEM) == pytest.approx(1.5, rel=0.12)


def test_loss_system() -> None:
    record = station("concurrency: 2, queue: {capacity: 0}", "200/s")  # Erlang's B: 2 erlang, 2 servers: 0.4
    counts = record.load_cells[:, LC_OUT : LC_OUT + 14].sum(axis=0)
    assert counts[5] / counts.sum() == pytest.approx(0.4, rel=0.05)
