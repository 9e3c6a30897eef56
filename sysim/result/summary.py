"""Mean and half width over replications, for every number of the windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sysim.analysis.statistics import half_width, mean


def summary(windows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The same nested objects with ``{"mean", "half_width_95"}`` in place of numbers.

    Takes the `windows` object of each run. Replications without data are left out of a mean; without any it
    is None, as is the half width of fewer than two.
    """
    return {
        name: {
            kind: {
                subject: _merge([w[name][kind].get(subject) for w in windows])
                for subject in windows[0][name][kind]
            }
            for kind in ("loads", "services", "calls")
        }
        for name in windows[0]
    }


def _merge(items: Sequence[Any]) -> Any:
    objects = [item for item in items if isinstance(item, dict)]
    if objects:
        merged = {key: _merge([item.get(key) for item in objects]) for key in objects[0]}
        return {key: value for key, value in merged.items() if value is not _NOTHING}
    if any(isinstance(item, str | list) for item in items):
        return _NOTHING
    numbers = [float(item) for item in items if item is not None]
    return {
        "mean": mean(numbers) if numbers else None,
        "half_width_95": half_width(numbers),
    }


_NOTHING = object()
