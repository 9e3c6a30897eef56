"""The field types all models share: each takes the inner value or its text form, and checks its range.

`Duration` and `Instant` are ints of nanoseconds, `Rate` a float per second, `Share` a float in 0..1. Model
code written by hand may pass ``"250ms"``, ``"400/s"`` or ``"99.9%"`` instead; a wrong text is a pydantic
error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from sysim import units

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"

Outcome = Literal[
    "ok", "degraded", "error", "timeout", "deadline", "rejected", "shed", "circuit_open", "rate_limited",
    "bulkhead_full", "unreachable", "lost", "cancelled", "in_flight",
]  # fmt: skip
"""Every attempt, call and request ends in exactly one of these."""

FailureOutcome = Literal[
    "error", "timeout", "deadline", "rejected", "shed", "circuit_open", "rate_limited", "bulkhead_full",
    "unreachable", "lost", "cancelled",
]  # fmt: skip
"""The outcomes a retry or a fallback may be told to act on."""


class Model(BaseModel):
    """A frozen value: unknown fields are refused, and a copy with changes is made by
    ``model_copy(update=...)``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def _duration(value: Any) -> Any:
    # A plain int is nanoseconds already; everything else has to be a text with a unit.
    return value if isinstance(value, int) and not isinstance(value, bool) else units.duration(value)


def _rate(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else units.rate(value)


def _count(value: Any) -> Any:
    return units.count(value)


def _share(value: Any) -> Any:
    return units.share(value)


def _factor(value: Any) -> Any:
    return units.factor(value)


Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0, le=units.MAX_NS)]
"""Nanoseconds, at least 0."""
PositiveDuration = Annotated[int, BeforeValidator(_duration), Field(gt=0, le=units.MAX_NS)]
"""Nanoseconds, more than 0."""
Instant = Annotated[int, BeforeValidator(_duration), Field(ge=0, le=units.MAX_NS)]
"""Nanoseconds from time 0."""
Rate = Annotated[float, BeforeValidator(_rate), Field(ge=0, allow_inf_nan=False)]
"""Events a second, at least 0."""
PositiveRate = Annotated[float, BeforeValidator(_rate), Field(gt=0, allow_inf_nan=False)]
"""Events a second, more than 0."""
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
"""A float in 0..1."""
PositiveShare = Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]
"""A float in 0..1, but not 0."""
Factor = Annotated[float, BeforeValidator(_factor), Field(ge=0, allow_inf_nan=False)]
"""A float of at least 0."""
PositiveFactor = Annotated[float, BeforeValidator(_factor), Field(gt=0, allow_inf_nan=False)]
"""A float of more than 0."""
Count = Annotated[int, BeforeValidator(_count), Field(ge=0)]
"""A whole number, at least 0."""
PositiveCount = Annotated[int, BeforeValidator(_count), Field(ge=1)]
"""A whole number, at least 1."""
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=200)]
"""A name of the user: a letter or ``_``, then letters, digits, ``_`` and ``-``."""


class Money(Model):
    """An amount of money in one currency (three capital letters); accepts ``"3.10 GBP"`` through `money`."""

    amount: float = Field(allow_inf_nan=False)
    currency: str = Field(pattern=r"^[A-Z]{3}$")


def _money(value: Any) -> Any:
    if isinstance(value, str):
        amount, currency = units.money(value)
        return Money(amount=amount, currency=currency)
    return value


def _cost(value: Any) -> Any:
    if isinstance(value, str):
        amount, currency = units.cost(value)
        return Money(amount=amount, currency=currency)
    return value


MoneyField = Annotated[Money, BeforeValidator(_money)]
"""Money, also as ``"3.10 GBP"``."""
CostField = Annotated[Money, BeforeValidator(_cost)]
"""Money an hour, also as ``"0.40 USD/h"``."""
