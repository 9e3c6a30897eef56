"""The metrics that checks may use: the numbers of the JSON result, nested names joined by ``_``."""

from __future__ import annotations

from typing import get_args

from sysim.model import Outcome

OUTCOMES: tuple[str, ...] = get_args(Outcome)
_QUANTILES = ("p50", "p90", "p95", "p99", "p999")
_SPREAD = ("mean", "variance", *_QUANTILES, "max")

LOAD_METRICS = frozenset((
    "offered", "sent", "attempts", "amplification", "success", "goodput", "offered_per_s", "goodput_per_s",
    "value_earned", "value_lost", *OUTCOMES, *(f"outcomes_{name}" for name in OUTCOMES),
    *_SPREAD, *(f"{name}_all" for name in _SPREAD),
    *(f"latency_{name}" for name in _SPREAD), *(f"latency_all_{name}" for name in _SPREAD),
    *(f"latency_s_{name}" for name in _SPREAD), *(f"latency_all_s_{name}" for name in _SPREAD),
))  # fmt: skip
SERVICE_METRICS = frozenset((
    "arrivals", "completed", "abandoned", "utilisation", "cpu_utilisation", "in_system_mean",
    "in_system_max", "in_system_max_at_s", "queue_mean", "wasted_s", "cost", *OUTCOMES,
    *(f"outcomes_{name}" for name in OUTCOMES),
    *(f"{what}_{name}" for what in ("wait", "wait_s", "sojourn", "sojourn_s") for name in _SPREAD),
))  # fmt: skip
CALL_METRICS = frozenset((
    "calls", "attempts", "sent", "retries", "hedges", "amplification", "success", *OUTCOMES,
    *(f"{kind}_{name}" for kind in ("outcomes", "attempt_outcomes") for name in OUTCOMES),
    *(f"{prefix}{name}" for prefix in ("", "breaker_")
      for name in ("opened", "admitted_fraction", "closed_s_mean", "open_s_mean")),
))  # fmt: skip

BUDGET_METRICS = frozenset(("burn_rate", "error_budget"))
"""Of a load, against an objective that the check names: how fast errors are made, and what that uses up."""

# The metric decides the unit of what it is compared with: a share cannot stand for a time.
SHARES = frozenset(
    ("success", "utilisation", "cpu_utilisation", "admitted_fraction", "breaker_admitted_fraction")
)
_DURATION_WORDS = frozenset(_QUANTILES) | {"mean", "max", "wasted_s"}


def is_duration(metric: str) -> bool:
    """Whether a metric is a time, so that ``800ms`` fits it and a bare number is seconds."""
    if metric in _DURATION_WORDS or metric.endswith(("_s_mean", "_at_s")):
        return True
    stem = metric.removesuffix("_all")
    return stem in _DURATION_WORDS or metric.startswith(("latency_", "wait_", "sojourn_"))
