"""The grammar of steps: what a request does at a service, a user on a journey, a fallback in an emergency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.scenario_file.forms import Tagged
from sysim.scenario_file.nodes import Map, Node, Scalar, Seq
from sysim.scenario_file.policies import NO_POLICY, POLICY_REF
from sysim.scenario_file.references import FLAG_REF, TargetRef
from sysim.scenario_file.shapes import INVALID, ListOf, Named, Record, Schema, Shape
from sysim.scenario_file.values import COUNT, DISTRIBUTION, FACTOR, MONEY, NAME_VALUE, SHARE, TRUTH

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

_COMMON: dict[str, Shape] = {"name": NAME_VALUE, "probability": SHARE, "flag": FLAG_REF, "optional": TRUTH}
_NOT_IN_JOURNEYS = ("work", "publish", "fail")


class _Step(Record):
    """One kind of step, with the keys that any step may have."""

    def __init__(
        self,
        kind: str,
        build: Any,
        fields: dict[str, Shape],
        required: tuple[str, ...],
        names: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"a {kind} step", build, {**fields, **_COMMON}, required, names)
        self.kind = kind

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if self.kind == "think" and ctx.place != "journey":
            self._misplaced(node, at, ctx, "a step of an operation", "thinking is for journeys")
            return INVALID
        if self.kind in _NOT_IN_JOURNEYS and ctx.place == "journey":
            self._misplaced(node, at, ctx, "a step of a journey: call, think, parallel, repeat or choose", "")
            return INVALID
        return super().read(node, at, ctx)

    def _misplaced(self, node: Node, at: str, ctx: Reading, expected: str, hint: str) -> None:
        mark = node.key_mark(self.kind) if isinstance(node, Map) else node.mark
        ctx.report(mark, "bad-step", at, f"found {self.kind!r}, expected {expected}", hint)


class _CallStep(_Step):
    """A call or publish: without a policy of its own it takes the default of its place."""

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        policy = values.get("policy", ctx.default)
        values = {**values, "policy": None if policy == NO_POLICY else policy}
        if ctx.place != "journey":
            for key in ("value", "degraded_value"):
                if values.get(key) is not None and isinstance(node, Map):
                    message = f"found {key!r} on a call of a service, expected it on a load or in a journey"
                    ctx.report(node.key_mark(key), "bad-step", at, message)
                    return INVALID
        return super().construct(values, node, at, ctx)


class _Branch(Shape):
    """A step, or a list of steps."""

    noun = "a step or a list of steps"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if isinstance(node, Seq):
            return STEPS.read(node, at, ctx)
        step = STEP.read(node, at, ctx)
        return INVALID if step is INVALID else (step,)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"anyOf": [STEP.schema(defs), STEPS.schema(defs)]}

    def child(self, key: str) -> Shape | None:
        return STEP.child(key)

    def known(self) -> Any:
        return STEP.known()

    @property
    def element(self) -> Shape:
        """The shape of one of the branch's steps."""
        return STEP


def _step() -> Shape:
    call: dict[str, Shape] = {
        "call": TargetRef(),
        "policy": POLICY_REF,
        "value": MONEY,
        "degraded_value": MONEY,
    }
    option = Record(
        "an option {weight, steps}", model.Option, {"weight": FACTOR, "steps": STEPS}, ("weight", "steps")
    )
    repeat = Record("{times, steps}", dict, {"times": COUNT, "steps": STEPS}, ("times", "steps"))
    return Tagged(
        "a step",
        {
            "work": _Step("work", model.Work, {"work": DISTRIBUTION}, ("work",), {"work": "duration"}),
            "call": _CallStep("call", model.Call, call, ("call",), {"call": "target"}),
            "parallel": _Step(
                "parallel",
                model.Parallel,
                {"parallel": ListOf("a list of branches", _Branch(), 1)},
                ("parallel",),
                {"parallel": "branches"},
            ),
            "publish": _CallStep(
                "publish",
                model.Publish,
                {"publish": TargetRef(), "policy": POLICY_REF},
                ("publish",),
                {"publish": "target"},
            ),
            "fail": _Step("fail", model.Fail, {"fail": SHARE}, ("fail",), {"fail": "share"}),
            "repeat": _Step("repeat", _repeat, {"repeat": repeat}, ("repeat",)),
            "choose": _Step(
                "choose",
                model.Choose,
                {"choose": ListOf("a list of options", option, 1)},
                ("choose",),
                {"choose": "options"},
            ),
            "think": _Step("think", model.Think, {"think": DISTRIBUTION}, ("think",), {"think": "duration"}),
        },
    )


def _repeat(repeat: dict[str, Any], **common: Any) -> model.Repeat:
    return model.Repeat(**repeat, **common)


class _Steps(ListOf):
    """Steps in order, as one list; names among them are unique, since paths use them."""

    def __init__(self) -> None:
        super().__init__("a list of steps", STEP)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        steps = super().read(node, at, ctx)
        check_unique_names(node, at, ctx, "step")
        return steps


def check_unique_names(node: Node, at: str, ctx: Reading, noun: str) -> None:
    """Report a ``name:`` that two elements of one list share."""
    if not isinstance(node, Seq):
        return
    seen: set[str] = set()
    for element in node.items:
        name = element.get("name") if isinstance(element, Map) else None
        if isinstance(name, Scalar) and isinstance(name.value, str):
            if name.value in seen:
                a = "an" if noun[0] in "aeiou" else "a"
                message = f"found the name {name.value!r} twice, expected {a} {noun} of its own"
                ctx.report(name, "duplicate-name", at, message)
            seen.add(name.value)


STEP: Shape = Named("step", _step)
STEPS: Shape = Named("steps", _Steps)
