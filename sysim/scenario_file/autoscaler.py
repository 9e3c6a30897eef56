"""The grammar of what changes the number of a service's replicas: an autoscaler, a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.nodes import Map, Node, Seq
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, ListOf, Record, Word
from sysim.scenario_file.values import COUNT, DURATION, FACTOR, INSTANT, SHARE

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

METRICS = ("utilisation", "cpu", "in_progress")
_LIMITS = {
    "utilisation": ("concurrency", "workers", "give it a concurrency, or `metric: cpu` or `metric: in_progress`"),
    "cpu": ("cores", "cores", "give it cores, or another metric"),
}

AUTOSCALER = Record(
    "an autoscaler",
    model.Autoscaler,
    {
        "target": FACTOR,
        "metric": Word("metric", METRICS),
        "every": DURATION,
        "min": COUNT,
        "max": COUNT,
        "tolerance": SHARE,
        "stabilise": DURATION,
        "max_increase": FACTOR,
    },
    ("target", "max"),
    later=("kubernetes",),
)

SCHEDULE = ListOf(
    "a list such as [{at: 13:00, replicas: 12}]",
    Record(
        "a line {at, replicas, every} of a schedule",
        model.ScheduleLine,
        {"at": INSTANT, "replicas": COUNT, "every": DURATION},
        ("at", "replicas"),
    ),
    1,
)


class Scaled(Record):
    """A service, whose replicas an autoscaler or a schedule may change."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        scaler = values.get("autoscaler")
        if scaler is not None and isinstance(node, Map) and not _fits(scaler, values, node, at, ctx):
            return INVALID
        return super().construct(values, node, at, ctx)


def _fits(scaler: model.Autoscaler, values: dict[str, Any], node: Map, at: str, ctx: Reading) -> bool:
    """Whether the other keys of a service allow what its autoscaler does; it is reported where not."""
    good = True
    limit = _LIMITS.get(scaler.metric)
    if limit is not None and limit[0] not in values:
        message = f"found an autoscaler that looks at {scaler.metric}, but there is no limit of {limit[1]}"
        ctx.report(node.entries["autoscaler"], "bad-autoscaler", join(at, "autoscaler"), message, limit[2])
        good = False
    counts = [(join(at, "replicas"), node.entries["replicas"], values["replicas"])] if "replicas" in values else []
    lines = node.entries.get("schedule")
    for number, item in enumerate(lines.items if isinstance(lines, Seq) else ()):
        path = join(join(join(at, "schedule"), number), "replicas")
        counts.append((path, item.entries["replicas"], values["schedule"][number].replicas))  # type: ignore[union-attr]
    for path, where, count in counts:
        if not scaler.min <= count <= scaler.max:
            message = f"found {count}, expected {scaler.min} to {scaler.max}, as the autoscaler says"
            ctx.report(where, "bad-value", path, message)
            good = False
    return good


__all__ = ["AUTOSCALER", "METRICS", "SCHEDULE", "Scaled"]
