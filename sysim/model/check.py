"""Checks: statements about a result that hold or fail, with the text they were written as."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from sysim.model.values import Instant, Model, Name, PositiveDuration, Share

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]


class Check(Model):
    """``[not] metric(subject) [during window] op value``, or ``op 95% of of_window``, or ``op
    80% of variant of_variant``.

    `value` has the unit of the JSON result: seconds for a duration, per second for a rate, 0..1 for a
    share; with `of_window` it is the share of that window's value, with `of_variant` the share of what the
    other variant has in the same window. ``recovers(x) within d`` has metric
    ``recovers``, op ``<=`` and value d in seconds; ``metastable(x)`` has neither op nor value. `after` is
    a fault's name, `after_at` an instant (ns). `hold` (ns) and `to` belong to both of these. `variants`
    None means all of them. `objective` and `period` (ns) belong to ``burn_rate`` and ``error_budget``.
    """

    text: str
    name: Name | None = None
    negated: bool = False
    metric: str
    subject: str
    window: str = "all"
    op: Comparison | None = None
    value: float | None = Field(default=None, allow_inf_nan=False)
    of_window: str | None = None
    of_variant: str | None = None
    after: Name | None = None
    after_at: Instant | None = None
    hold: PositiveDuration = 10_000_000_000
    to: Share = 0.95
    variants: tuple[str, ...] | None = None
    except_: tuple[str, ...] = ()
    confidence: float = Field(default=0.95, gt=0, lt=1)
    share: Share | None = None
    objective: float | None = Field(default=None, ge=0, lt=1)
    period: PositiveDuration = 30 * 86_400_000_000_000

    @property
    def boolean(self) -> bool:
        """Whether the check is true or false in each replication, rather than a number with an interval."""
        return self.op is None

    @model_validator(mode="after")
    def _whole(self) -> Check:
        if (self.op is None) != (self.value is None) or (self.op is None) != (self.metric == "metastable"):
            raise ValueError("expected a comparison and a value, or metastable(...) without them")
        if self.after is not None and self.after_at is not None:
            raise ValueError("expected a fault or an instant after which to look, not both")
        if self.of_window is not None and self.of_variant is not None:
            raise ValueError("expected a comparison with a window or with a variant, not both")
        return self

    def applies_to(self, variant: str | None) -> bool:
        """Whether the check is meant for `variant` (None: the file as it stands).

        A comparison with a variant is never meant for that variant itself.
        """
        if self.of_variant is not None and variant == self.of_variant:
            return False
        if variant is None:
            return self.variants is None
        return (self.variants is None or variant in self.variants) and variant not in self.except_
