"""Batch jobs by the clock: so many requests at a moment, and again each time that it comes round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.csv_rate import MOST_ROWS
from sysim.scenario_file.nodes import Map, Node
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, Record
from sysim.scenario_file.values import COUNT, DURATION, INSTANT
from sysim.units import format_duration

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading


class Jobs(Record):
    """`replay: {at, every, count, spread}`: `count` arrivals from `at` on, evenly over `spread`, and again each time
    that `every` has passed.
    """

    def __init__(self) -> None:
        fields = {"at": INSTANT, "every": DURATION, "count": COUNT, "spread": DURATION}
        super().__init__("a batch of jobs {at, every, count, spread}", dict, fields, ("at",))

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        assert isinstance(node, Map)
        count, spread, every = values.get("count", 1), values.get("spread", 0), values.get("every")
        for key in ("count", "every"):
            if values.get(key) == 0:
                ctx.report(node.entries[key], "bad-value", join(at, key), "found 0, expected more than 0")
                return INVALID
        if every is not None and spread > every:
            message = "found a spread longer than every, expected one batch to be over before the next begins"
            ctx.report(node.entries["spread"], "bad-value", join(at, "spread"), message)
            return INVALID
        if values["at"] >= ctx.duration:
            message = f"found a beginning after the load has ended at {format_duration(ctx.duration)}"
            ctx.report(node.entries["at"], "bad-value", join(at, "at"), message)
            return INVALID
        begins = range(values["at"], ctx.duration, every) if every else [values["at"]]
        if len(begins) * count > MOST_ROWS:
            message = f"found {len(begins) * count:,} arrivals, expected at most {MOST_ROWS:,}"
            ctx.report(node, "too-large", at, message, "write a rate, with bursts where many come together")
            return INVALID
        return model.ReplayRate(
            instants=tuple(begin + number * spread // count for begin in begins for number in range(count))
        )
