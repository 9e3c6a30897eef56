"""Autoscalers and the lines of schedules into rows."""

from __future__ import annotations

from collections import Counter

from sysim.model import Autoscaler, Service
from sysim.plan.errors import PlanError
from sysim.plan.identity import salt
from sysim.plan.passes.rows import row, row_f
from sysim.plan.passes.topology import Topology
from sysim.plan.tables import (
    METERS,
    N_Z,
    N_ZF,
    NONE,
    SCALER_AUTO,
    SCALER_LINE,
    Z_AT,
    Z_BESIDE,
    Z_COUNT,
    Z_EVERY,
    Z_FIRST_SLOT,
    Z_KEY,
    Z_KIND,
    Z_MAX,
    Z_METER,
    Z_MIN,
    Z_SLOTS,
    Z_SVC,
    ZF_INCREASE,
    ZF_TARGET,
    ZF_TOLERANCE,
)


class Scalers:
    """The rows of `scalers`, and how many recommendations are remembered."""

    def __init__(self, topology: Topology) -> None:
        self.rows: list[list[int]] = []
        self.rows_f: list[list[float]] = []
        self.services: list[str] = []
        self.slots = 0
        for number, (name, service) in enumerate(zip(topology.services, topology.models, strict=True)):
            beside = NONE
            if service.autoscaler is not None:
                beside = len(self.rows)
                self._autoscaler(number, name, service, service.autoscaler)
            self._schedule(number, name, service, beside)

    def _autoscaler(self, number: int, name: str, service: Service, scaler: Autoscaler) -> None:
        for metric, limit, what in (("utilisation", service.concurrency, "workers"), ("cpu", service.cores, "cores")):
            if scaler.metric == metric and limit is None:
                raise PlanError(
                    f"services.{name}.autoscaler", f"{name} has no limit of {what}, so there is no {metric}",
                    f"give it {'a concurrency' if metric == 'utilisation' else 'cores'}, or look at another metric",
                )  # fmt: skip
        columns = {
            Z_KIND: SCALER_AUTO,
            Z_SVC: number,
            Z_AT: scaler.every,
            Z_EVERY: scaler.every,
            Z_KEY: salt("autoscaler", name),
            Z_BESIDE: NONE,
            Z_MIN: scaler.min,
            Z_MAX: scaler.max,
            Z_METER: METERS.index(scaler.metric),
            Z_SLOTS: scaler.looks,
            Z_FIRST_SLOT: self.slots,
        }
        self.slots += scaler.looks
        floats = {ZF_TARGET: scaler.target, ZF_TOLERANCE: scaler.tolerance, ZF_INCREASE: scaler.max_increase}
        self._add(name, columns, floats)

    def _schedule(self, number: int, name: str, service: Service, beside: int) -> None:
        alike: Counter[str] = Counter()
        for line in service.schedule:
            look = f"{line.replicas} at {line.at} every {line.every}"
            columns = {
                Z_KIND: SCALER_LINE,
                Z_SVC: number,
                Z_AT: line.at,
                Z_EVERY: line.every or 0,
                Z_KEY: salt("schedule", name, look, str(alike[look])),
                Z_COUNT: line.replicas,
                Z_BESIDE: beside,
            }
            alike[look] += 1
            self._add(name, columns, {ZF_TARGET: 1.0})

    def _add(self, name: str, columns: dict[int, int], floats: dict[int, float]) -> None:
        self.rows.append(row(N_Z, columns))
        self.rows_f.append(row_f(N_ZF, floats))
        self.services.append(name)
