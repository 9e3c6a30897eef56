"""Metrics by name: any number of the JSON result for a load, a service or a call.

Nested names are joined by ``_``; the units at the end of a name may be left out (``goodput`` is
``goodput_per_s``, ``wait_p99`` is ``wait_s.p99``). ``p99`` is that of the latency of successes, ``p99_all``
of all, ``timeout`` the number of requests that ended so, ``opened`` that of the breaker. The subject ``a ->
b`` is the sum of all calls from a to b, where each side is a service, a load, or one operation of a service.
"""

from __future__ import annotations

from typing import Any

from sysim.result.stats import WindowStats, merged

_SHORT = {
    "latency_s": ("{}", "latency_{}", "latency_s_{}"),
    "latency_all_s": ("{}_all", "latency_all_{}", "latency_all_s_{}"),
    "wait_s": ("wait_{}", "wait_s_{}"),
    "sojourn_s": ("sojourn_{}", "sojourn_s_{}"),
    "outcomes": ("{}", "outcomes_{}"),
    "breaker": ("{}", "breaker_{}"),
}
_SUFFIXES = ("_per_s", "_s")


class NoSuchMetric(KeyError):
    """The subject or the metric does not exist."""


def value(window: WindowStats, metric: str, subject: str) -> float | None:
    """The number, or None where there is no data."""
    numbers = _named(facts(window, subject))
    if metric not in numbers:
        raise NoSuchMetric(f"{metric}({subject})")
    found = numbers[metric]
    return None if found is None else float(found)


def facts(window: WindowStats, subject: str) -> dict[str, Any]:
    """The object of the JSON result about a subject."""
    if subject in window.loads:
        return window.loads[subject].to_dict()
    if subject in window.services:
        return window.services[subject].to_dict()
    if "->" in subject:
        labels = labels_of(window, subject)
        if labels:
            return merged(window.calls[label] for label in labels).to_dict()
    raise NoSuchMetric(subject)


def labels_of(window: WindowStats, subject: str) -> list[str]:
    """The labels of calls that ``a -> b`` stands for."""
    caller, callee = (side.strip() for side in subject.split("->", 1))

    def fits(side: str, wanted: str) -> bool:
        return side == wanted or side.startswith(wanted + ".")

    return [
        label
        for label in window.calls
        for left, right in ([side.strip() for side in label.split("->", 1)],)
        if fits(left, caller) and fits(right, callee)
    ]


def _named(facts: dict[str, Any]) -> dict[str, float | None]:
    names: dict[str, float | None] = {}
    for key, item in facts.items():
        if key == "operations":
            continue
        if isinstance(item, dict):
            patterns = _SHORT.get(key, (key + "_{}",))
            for inner, number in item.items():
                for pattern in patterns:
                    names.setdefault(pattern.format(inner), number)
                    names.setdefault(pattern.format(inner.removesuffix("_s")), number)
        elif item is None or isinstance(item, (int, float)):
            names[key] = item
            for suffix in _SUFFIXES:
                if key.endswith(suffix) and key.removesuffix(suffix) not in facts:
                    names.setdefault(key.removesuffix(suffix), item)
    if "breaker" in facts and facts["breaker"] is None:
        for name in ("opened", "admitted_fraction", "closed_s_mean", "open_s_mean"):
            names.setdefault(name, None)
            names.setdefault(f"breaker_{name}", None)
    if "sojourn_s" in facts:
        for inner, number in facts["sojourn_s"].items():
            names.setdefault(inner, number)
    return names
