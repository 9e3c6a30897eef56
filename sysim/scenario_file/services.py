"""The grammar of services."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.autoscaler import AUTOSCALER, SCHEDULE, Scaled
from sysim.scenario_file.nodes import Map, Node
from sysim.scenario_file.reporter import join
from sysim.scenario_file.shapes import INVALID, ListOf, MapOf, Named, Record, Schema, Shape, Word
from sysim.scenario_file.steps import STEPS
from sysim.scenario_file.values import COST, COUNT, DISTRIBUTION, DURATION, FACTOR, NAME_VALUE, TRUTH

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

DISCIPLINES = ("fifo", "lifo", "priority", "edf")
DISCIPLINES_LATER = ("adaptive_lifo", "codel", "random")


class _Discipline(Word):
    """A bare name, or a map of one name with its options."""

    def __init__(self) -> None:
        super().__init__("discipline", DISCIPLINES, DISCIPLINES_LATER)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Map) and len(node.entries) == 1:
            name, options = next(iter(node.entries.items()))
            if name in self.later:
                ctx.report(
                    node.key_mark(name), "not-supported-yet", at, f"discipline {name!r} is not supported yet"
                )
                return INVALID
            if name in self.words and isinstance(options, Map) and not options.entries:
                return name
        return super().read(node, at, ctx)

    def form_of(self, node: Node) -> str:
        return next(iter(node.entries), "map") if isinstance(node, Map) else "word"


class _Operation(Shape):
    """A list of steps."""

    noun = "a list of steps"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        steps = STEPS.read(node, at, ctx)
        return INVALID if steps is INVALID else model.Operation(steps=steps)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return STEPS.schema(defs)

    @property
    def element(self) -> Shape:
        """The shape of one step, for paths."""
        return STEPS.shape.element  # type: ignore[attr-defined,no-any-return]


class _Operations(MapOf):
    """Operations by name; while one is read, it is the caller of the calls in it."""

    def __init__(self) -> None:
        super().__init__("a map of operations", _Operation(), key_noun="the name of an operation")

    def enter(self, key: str, ctx: Reading) -> AbstractContextManager[None]:
        return ctx.inside("operation", f"{ctx.service}.{key}", ctx.operation_default)


class Services(MapOf):
    """Services by name."""

    def __init__(self) -> None:
        super().__init__("a map of services", Named("service", _service), key_noun="the name of a service")

    def enter(self, key: str, ctx: Reading) -> AbstractContextManager[None]:
        ctx.service = key
        return super().enter(key, ctx)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        services = super().read(node, at, ctx)
        if isinstance(node, Map):
            for name in ctx.services:
                if name in ctx.loads and name in node.entries:
                    message = (
                        f"found {name!r} as a service and as a load, expected a name of its own for each"
                    )
                    ctx.report(node.key_mark(name), "duplicate-name", join(at, name), message)
        return services


def _service() -> Record:
    queue = Record(
        "a queue",
        model.Queue,
        {
            "capacity": COUNT,
            "discipline": _Discipline(),
            "max_wait": DISTRIBUTION,
            "shared": TRUTH,
        },
    )
    return Scaled(
        "a service",
        model.Service,
        {
            "kind": Word("kind", ("service", "database", "cache", "broker", "external")),
            "replicas": COUNT,
            "zones": ListOf("a list of zones", NAME_VALUE, 1),
            "concurrency": COUNT,
            "threading": Word("threading", ("blocking", "async")),
            "cores": FACTOR,
            "queue": queue,
            "admission": Record(
                "an admission", model.Admission, {"max_in_progress": COUNT}, ("max_in_progress",)
            ),
            "when_cancelled": Word("when_cancelled", ("continue", "drop_queued", "stop")),
            "slowdown": Record(
                "a slowdown",
                model.Slowdown,
                {"per_concurrent": FACTOR},
                ("per_concurrent",),
                later=("usl", "per_queued", "of"),
            ),
            "startup": DURATION,
            "cost": COST,
            "autoscaler": AUTOSCALER,
            "schedule": SCHEDULE,
            "operations": _Operations(),
        },
        ("operations",),
        later=("outlier_detection",),
    )
