"""What a shape may ask while it reads: the names of the file, the times of the run, and where to report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sysim.errors import Severity
from sysim.model import CallPolicy
from sysim.scenario_file.nodes import Map, Mark, Node, Scalar, Seq, name_of
from sysim.scenario_file.reporter import Reporter
from sysim.units import MAX_NS, UnitError, date_time, duration
from sysim.zones import FIRST, LAST, find, local

Place = Literal["operation", "journey", "fallback"]


@dataclass(slots=True)
class Edge:
    """A call or publish from one operation to another, and where it is written."""

    caller: str
    callee: str
    node: Node
    at: str


@dataclass(slots=True)
class Reading:
    """The context of reading one tree. Names are collected beforehand, so references resolve in any order."""

    root: Map
    reporter: Reporter
    services: dict[str, tuple[str, ...]] = field(default_factory=dict)
    loads: tuple[str, ...] = ()
    policies: dict[str, Node] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    slos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    start: datetime | None = None
    zone: str | None = None
    duration: int = MAX_NS
    warmup: int = 0
    place: Place = "operation"
    caller: str = ""
    default: CallPolicy | None = None
    service: str = ""
    operation_default: CallPolicy | None = None
    named: dict[str, Any] = field(default_factory=dict)
    open_policies: list[str] = field(default_factory=list)
    policy_sizes: dict[str, int] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    @classmethod
    def of(cls, root: Map, reporter: Reporter) -> Reading:
        """The context for `root`, with all its names."""
        services = {
            name: keys_of(child_of(node, "operations")) for name, node in map_of(root, "services").items()
        }
        ctx = cls(root, reporter, services)
        ctx.loads = tuple(map_of(root, "load"))
        ctx.policies = map_of(root, "policies")
        ctx.flags = tuple(map_of(root, "flags"))
        ctx.slos = tuple(map_of(root, "slos"))
        ctx.windows = tuple(map_of(root, "windows"))
        ctx.variants = tuple(map_of(root, "variants", nulls=True))
        faults = root.entries.get("faults")
        elements = faults.items if isinstance(faults, Seq) else ()
        ctx.faults = tuple(name for node in elements if (name := name_of(node)) is not None)
        zones = [child_of(node, "zones") for node in map_of(root, "services").values()]
        ctx.zones = tuple(dict.fromkeys(zone for node in zones for zone in _texts(node)))
        ctx._read_times()
        return ctx

    def _read_times(self) -> None:
        # Quietly: the shape of `time` reports what is wrong when its turn comes.
        times = map_of(self.root, "time")

        def value(key: str) -> Any:
            node = times.get(key)
            return node.value if isinstance(node, Scalar) else None

        try:
            self.start = date_time(value("start"))
        except UnitError:
            self.start = None
        with suppress(UnitError):
            known = self.start is not None and FIRST <= self.start.year <= LAST - 100 and isinstance(value("zone"), str)
            self.zone = find(value("zone")).key if known else None
        for key in ("duration", "warmup"):
            with suppress(UnitError):
                setattr(self, key, duration(value(key)))

    def report(
        self,
        at: Node | Mark,
        code: str,
        path: str,
        message: str,
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        """Note a problem at a node."""
        self.reporter.add(at, code, path, message, hint, severity)

    @contextmanager
    def on_clock(self, zone: str | None) -> Iterator[None]:
        """Read clock times as those of `zone`; None: of the scenario's own."""
        before = self.start, self.zone
        if zone is not None and self.start is not None and self.zone is not None:
            self.start, self.zone = local(self.start, zone, timedelta(0), self.zone), zone
        try:
            yield
        finally:
            self.start, self.zone = before

    @contextmanager
    def inside(self, place: Place, caller: str, default: CallPolicy | None) -> Iterator[None]:
        """Read steps of `place`, whose calls are made by `caller` and fall back on the policy `default`."""
        before = self.place, self.caller, self.default
        self.place, self.caller, self.default = place, caller, default
        try:
            yield
        finally:
            self.place, self.caller, self.default = before


def map_of(root: Node | None, key: str, nulls: bool = False) -> dict[str, Node]:
    """The entries of the map under `key`, empty when there is none."""
    child = child_of(root, key)
    if not isinstance(child, Map):
        return {}
    return {name: node for name, node in child.items() if nulls or child.get(name) is not None}


def child_of(node: Node | None, key: str) -> Node | None:
    """The node under `key` of a map, else None."""
    return node.get(key) if isinstance(node, Map) else None


def keys_of(node: Node | None) -> tuple[str, ...]:
    """The keys of a map node."""
    return tuple(key for key, _ in node.items()) if isinstance(node, Map) else ()


def _texts(node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, Seq) else ()
    return tuple(item.value for item in items if isinstance(item, Scalar) and isinstance(item.value, str))
