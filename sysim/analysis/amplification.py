"""Ratios that may have no data: amplification, success, utilisation."""

from __future__ import annotations


def ratio(part: float, whole: float) -> float | None:
    """`part` in proportion to `whole`; None where there is nothing to compare with."""
    return float(part) / float(whole) if whole else None


def amplification(sent: int, calls: int) -> float | None:
    """Attempts put on the network for each call: 1 without retries, hedges and local refusals."""
    return ratio(sent, calls)
