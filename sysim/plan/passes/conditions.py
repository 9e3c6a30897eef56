"""What actions wait for into columns: the metric, its limit, and how much a condition has to remember."""

from __future__ import annotations

from collections.abc import Mapping

from sysim.model import AlertCondition, Condition, Slo
from sysim.plan.errors import PlanError
from sysim.plan.passes.topology import Topology, unknown
from sysim.plan.tables import (
    AC_EVERY,
    AC_FIRST_BINS,
    AC_FIRST_SLOT,
    AC_FOR,
    AC_METRIC,
    AC_OP,
    AC_SHORT,
    AC_SLOTS,
    AC_SUBJECT,
    ACF_FAILING,
    ACF_QUANTILE,
    ACF_SLOW,
    ACF_THRESHOLD,
    COMPARISONS,
    METRIC_ALERT,
    METRIC_GOODPUT,
    METRIC_IN_SYSTEM,
    METRIC_LATENCY,
    METRIC_LATENCY_ALL,
    METRIC_OFFERED,
    METRIC_QUEUE,
    METRIC_SUCCESS,
    METRIC_UTILISATION,
    NEVER,
    S_WORKERS,
)

SERVICE_METRICS = {"queue": METRIC_QUEUE, "in_system": METRIC_IN_SYSTEM, "utilisation": METRIC_UTILISATION}
LOAD_METRICS = {
    "success": METRIC_SUCCESS,
    "goodput": METRIC_GOODPUT,
    "goodput_per_s": METRIC_GOODPUT,
    "offered_per_s": METRIC_OFFERED,
}
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
MOST_SLOTS = 720


class Conditions:
    """The columns of conditions, and the room for what they remember: so many slots and bins."""

    def __init__(self, topology: Topology, slos: Mapping[str, Slo]) -> None:
        self.topology = topology
        self.slos = slos
        self.slots = 0
        self.bins = 0

    def add(
        self, when: Condition | AlertCondition, path: str, columns: dict[int, int], floats: dict[int, float]
    ) -> None:
        """Put a condition into the columns of its action."""
        if isinstance(when, AlertCondition):
            self._alert(when, path, columns, floats)
        else:
            self._condition(when, path, columns, floats)

    def _condition(self, when: Condition, path: str, columns: dict[int, int], floats: dict[int, float]) -> None:
        metric = when.metric
        slots = 0
        if metric in SERVICE_METRICS:
            subject = self.topology.service(when.subject, path)
            columns[AC_METRIC] = SERVICE_METRICS[metric]
            if metric == "utilisation" and self.topology.svc[subject][S_WORKERS] >= NEVER:
                raise PlanError(
                    path,
                    f"{when.subject} has no limit of workers, so there is no utilisation",
                    "give it a concurrency, or look at in_system",
                )
        else:
            if when.subject not in self.topology.loads:
                raise unknown(path, "load", when.subject, self.topology.loads)
            subject = self.topology.loads.index(when.subject)
            slots = -(-when.over // when.every)
            if slots > MOST_SLOTS:
                raise PlanError(
                    path,
                    f"the window covers {slots} looks, expected at most {MOST_SLOTS}",
                    "look less often, or over a shorter time",
                )
            stem = metric.removesuffix("_all")
            if metric in LOAD_METRICS:
                columns[AC_METRIC] = LOAD_METRICS[metric]
                columns[AC_FIRST_SLOT] = self.slots
                self.slots += slots
            elif stem in QUANTILES:
                columns[AC_METRIC] = METRIC_LATENCY if stem == metric else METRIC_LATENCY_ALL
                columns[AC_FIRST_BINS] = self.bins
                floats[ACF_QUANTILE] = QUANTILES[stem]
                self.bins += slots + 1
            else:
                raise unknown(path, "metric for conditions", metric, metrics())
        columns[AC_SUBJECT] = subject
        columns[AC_OP] = COMPARISONS.index(when.op)
        columns[AC_FOR] = when.lasts
        columns[AC_EVERY] = when.every
        columns[AC_SLOTS] = slots
        floats[ACF_THRESHOLD] = when.value

    def _alert(self, when: AlertCondition, path: str, columns: dict[int, int], floats: dict[int, float]) -> None:
        if when.slo not in self.slos:
            raise unknown(path, "slo", when.slo, self.slos)
        slo = self.slos[when.slo]
        alert = slo.alert
        if alert is None:
            raise PlanError(path, f"the slo {when.slo} has no alert", "give it one, such as alert: {}")
        if slo.load not in self.topology.loads:
            raise unknown(path, "load", slo.load, self.topology.loads)
        slots = -(-alert.long // alert.every)
        columns |= {
            AC_METRIC: METRIC_ALERT,
            AC_SUBJECT: self.topology.loads.index(slo.load),
            AC_OP: COMPARISONS.index(">="),
            AC_FOR: when.lasts,
            AC_EVERY: alert.every,
            AC_SLOTS: slots,
            AC_SHORT: -(-alert.short // alert.every),
            AC_FIRST_SLOT: self.slots,
        }
        self.slots += slots
        floats |= {
            ACF_THRESHOLD: alert.burn,
            ACF_FAILING: 0.0 if slo.success is None else 1.0 - slo.success,
            ACF_SLOW: 0.0 if slo.quantile is None else 1.0 - slo.quantile,
        }


def metrics() -> tuple[str, ...]:
    """All metrics that a condition can look at."""
    return (*SERVICE_METRICS, *LOAD_METRICS, *QUANTILES, *(f"{name}_all" for name in QUANTILES))
