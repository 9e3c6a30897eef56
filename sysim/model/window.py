"""A span of a run."""

from __future__ import annotations

from pydantic import model_validator

from sysim.model.values import Instant, Model


class Window(Model):
    """The half-open span from `start` to `end` (ns from time 0)."""

    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _forward(self) -> Window:
        if self.end <= self.start:
            raise ValueError("found a window that ends before it begins")
        return self


__all__ = ["Window"]
