"""What successes earned, what failures cost, and what replicas cost."""

from __future__ import annotations

NS_PER_HOUR = 3_600 * 1_000_000_000


def earned(ok: int, degraded: int, value: float, degraded_value: float) -> float:
    """Money that successes brought in."""
    return ok * value + degraded * degraded_value


def lost(offered: int, ok: int, degraded: int, value: float, degraded_value: float) -> float:
    """Money that the same requests would have brought in besides, had all of them been `ok`."""
    return (offered - ok - degraded) * value + degraded * (value - degraded_value)


def running_cost(price_per_hour: float, replica_ns: float) -> float:
    """Price of `replica_ns` nanoseconds of replica time."""
    return price_per_hour * replica_ns / NS_PER_HOUR
