"""The grammar of call policies, and how a call comes by its own: by name, inline, from another one, or not
at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sysim import model
from sysim.model.distribution import only_value
from sysim.scenario_file.forms import Either, Form, OneOf, map_or_scalar
from sysim.scenario_file.merge import merge
from sysim.scenario_file.nodes import Map, Node, Scalar
from sysim.scenario_file.reading import Edge
from sysim.scenario_file.reporter import found, join
from sysim.scenario_file.shapes import INVALID, MapOf, Named, Record, Schema, Shape, Value, Word, not_yet
from sysim.scenario_file.values import (
    COUNT,
    DISTRIBUTION,
    DURATION,
    FACTOR,
    RATE,
    SHARE,
    TEXT,
    TRUTH,
    outcomes,
    text_schema,
)
from sysim.units import UnitError, duration, share

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

NO_POLICY: Final = "none"
_DEEPEST_FALLBACK = 16
_LARGEST_POLICY = 1_000
_PRESETS = (
    "resilience4j",
    "hystrix",
    "polly",
    "envoy",
    "istio",
    "finagle",
    "linkerd",
    "grpc",
    "aws",
    "gobreaker",
)
_JITTERS = ("none", "full", "equal", "decorrelated")
_BALANCERS_LATER = (
    "peak_ewma", "consistent_hash", "ring_hash", "maglev", "weighted_round_robin", "weighted_random", "ewma",
    "p2c", "sticky",
)  # fmt: skip


class _CrossZone(Shape):
    """What a way between zones takes longer: no engine draws it, so it has one value."""

    noun = DISTRIBUTION.noun

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        value = DISTRIBUTION.read(node, at, ctx)
        if value is INVALID or only_value(value) is not None:
            return value
        what = f"a cross_zone that varies ({value.kind}; what varies may stand in network.latency)"
        return not_yet(node, at, ctx, what)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return DISTRIBUTION.schema(defs)

    def child(self, key: str) -> Shape | None:
        return DISTRIBUTION.child(key)

    def known(self) -> Any:
        return DISTRIBUTION.known()

    def form_of(self, node: Node) -> str:
        return DISTRIBUTION.form_of(node)


def _jitter(value: Any) -> Any:
    if isinstance(value, str) and value in _JITTERS:
        return value
    try:
        return share(value)
    except UnitError:
        raise UnitError(value, f"a jitter: {', '.join(_JITTERS)} or a share such as 20%") from None


def _has(key: str, then: str, otherwise: str) -> Any:
    return lambda node: then if isinstance(node, Map) and key in node.entries else otherwise


def _backoff() -> Shape:
    jitter = Value(_jitter, "a jitter", {"anyOf": [{"enum": list(_JITTERS)}, *SHARE.schema({})["anyOf"]]})
    growing = {"initial": DURATION, "multiplier": FACTOR, "max": DURATION, "jitter": jitter}
    return Either("a back-off", _has("constant", "constant", "exponential"), {
        "exponential": Record(
            "a back-off {initial, multiplier, max, jitter} or {constant}",
            model.ExponentialBackoff, growing, ("initial",),
        ),
        "constant": Record(
            "a constant back-off", model.ConstantBackoff, {"constant": DURATION, "jitter": jitter},
            ("constant",), {"constant": "value"},
        ),
    })  # fmt: skip


def _budget() -> Shape:
    ratio = {"ratio": FACTOR, "min_per_second": FACTOR, "window": DURATION}
    bucket: dict[str, Shape] = {
        "tokens": FACTOR, "deposit": FACTOR, "cost": FACTOR,
        "deposit_on": Word("when to deposit", ("request", "success")),
    }  # fmt: skip
    tokens = Record("a bucket", model.BucketBudget, bucket, ("tokens",))
    return Either("a retry budget", _has("bucket", "bucket", "ratio"), {
        "ratio": Record("a retry budget {ratio, …} or {bucket: …}", model.RatioBudget, ratio, ("ratio",)),
        "bucket": OneOf("a retry budget", keyed={"bucket": Form(tokens, lambda value: value)}),
    })  # fmt: skip


def _breaker() -> Shape:
    window = OneOf("a window {calls: 100} or {time: 10s}", keyed={
        "calls": Form(COUNT, lambda value: model.CallWindow(calls=value)),
        "time": Form(DURATION, lambda value: model.TimeWindow(time=value)),
    })  # fmt: skip
    return Record("a circuit breaker", model.CircuitBreaker, {
        "failure_rate": SHARE, "window": window, "minimum_calls": COUNT, "open_for": DURATION,
        "half_open_calls": COUNT, "slow_call_rate": SHARE, "slow_call_duration": DURATION,
    }, later=_PRESETS)  # fmt: skip


def _balancer() -> Shape:
    choices = Record("{choices: 2}", model.LeastRequest, {"choices": COUNT})
    return OneOf(
        "a balancer",
        words={
            "round_robin": model.RoundRobin, "random": model.Random,
            "least_request": model.LeastRequest, "least_outstanding": model.LeastOutstanding,
        },
        keyed={
            "least_request": Form(choices, lambda value: value),
            "round_robin": Form(Record("no options", model.RoundRobin, {}), lambda value: value),
            "random": Form(Record("no options", model.Random, {}), lambda value: value),
            "least_outstanding": Form(Record("no options", model.LeastOutstanding, {}), lambda value: value),
        },
        later=(*_BALANCERS_LATER, "zone"),
    )  # fmt: skip


class _FallbackSteps(Shape):
    """The steps of a fallback: their calls have their own policies and no default."""

    noun = "a list of steps"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        from sysim.scenario_file.steps import STEPS

        with ctx.inside("fallback", ctx.caller, None):
            return STEPS.read(node, at, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        from sysim.scenario_file.steps import STEPS

        return STEPS.schema(defs)

    def child(self, key: str) -> Shape | None:
        return None


def reloads() -> Record:
    """What people do who wait for a page, beside the policy of a load."""
    return Record("an impatience {reload_after, reloads, give_up, on, backoff}", model.Reloads, {
        "reload_after": DISTRIBUTION, "reloads": COUNT, "give_up": SHARE, "on": outcomes("a reload"),
        "backoff": _backoff(),
    }, ("reload_after",))  # fmt: skip


def _policy() -> Record:
    deadline = Record(
        "{after, propagate}", model.Deadline, {"after": DURATION, "propagate": TRUTH}, ("after",)
    )
    after = Value(
        lambda value: model.Deadline(after=duration(value)), "a duration or {after, propagate}",
        text_schema(DURATION_TEXT), "bad-duration",
    )  # fmt: skip
    return Record("a call policy", model.CallPolicy, {
        "extends": TEXT,
        "timeout": DURATION,
        "deadline": Either("a deadline", map_or_scalar, {"scalar": after, "map": deadline}),
        "cancel": TRUTH,
        "retry": Record("a retry", model.Retry, {
            "max_attempts": COUNT, "on": outcomes("a retry"), "backoff": _backoff(), "budget": _budget(),
        }, later=_PRESETS),
        "hedge": Record("a hedge", model.Hedge, {
            "delay": DURATION, "max_attempts": COUNT, "cancel_losers": TRUTH,
        }, ("delay",)),
        "circuit_breaker": _breaker(),
        "rate_limit": Record("a rate limit", model.RateLimit, {"rate": RATE, "burst": COUNT}, ("rate",)),
        "bulkhead": Record("a bulkhead", model.Bulkhead, {
            "max_concurrent": COUNT, "max_wait": DURATION,
        }, ("max_concurrent",)),
        "balancer": _balancer(),
        "network": Record("a network", model.Network, {
            "latency": DISTRIBUTION, "cross_zone": _CrossZone(), "loss": SHARE,
        }),
        "fallback": Record("a fallback", model.Fallback, {
            "on": outcomes("a fallback"), "latency": DISTRIBUTION, "steps": _FallbackSteps(),
        }),
    }, later=("outlier_detection", "zone", "preset"))  # fmt: skip


class _Policy(Shape):
    """A policy written out: perhaps from another one, with a scope of its own."""

    noun = "a call policy"

    def __init__(self) -> None:
        self.record = _policy()

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        return read_policy(node, at, ctx, {"place": at})

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return self.record.schema(defs)

    def child(self, key: str) -> Shape | None:
        return self.record.child(key)

    def known(self) -> Any:
        return self.record.known()


DURATION_TEXT = DURATION.schema({})["pattern"].strip("^$")
POLICY = Named("policy", _Policy)


def read_policy(node: Node, at: str, ctx: Reading, scope: dict[str, str]) -> Any:
    """The CallPolicy of a map, with `scope` its name or place."""
    shape = POLICY.shape
    assert isinstance(shape, _Policy)
    if not isinstance(node, Map):
        return shape.wrong(node, at, ctx)
    base = node.get("extends")
    whole: Node = node.without("extends")
    if base is not None:
        found_base = _base(base, join(at, "extends"), ctx)
        if found_base is INVALID:
            shape.record.read_fields(whole, at, ctx)
            return INVALID
        whole = merge(found_base, whole, POLICY)
    values = shape.record.read_fields(whole, at, ctx)
    return INVALID if values is None else shape.record.construct({**values, **scope}, whole, at, ctx)


def _base(ref: Node, at: str, ctx: Reading) -> Any:
    """The map of the policy named by `extends`, itself complete; INVALID after a report."""
    if not isinstance(ref, Scalar) or not isinstance(ref.value, str):
        ctx.report(ref, "bad-value", at, f"found {found(ref)}, expected the name of a policy")
        return INVALID
    chain: list[Map] = []
    name: Any = ref.value
    seen: list[str] = []
    while name is not None:
        if name not in ctx.policies:
            hint = ctx.reporter.nearest(name, ctx.policies)
            ctx.report(
                ref, "unknown-policy", at, f"found {name[:80]!r}, expected a policy of this file", hint
            )
            return INVALID
        if name in seen:
            ctx.report(
                ref, "policy-cycle", at, f"found {' -> '.join([*seen, name])}, expected no circle of extends"
            )
            return INVALID
        seen.append(name)
        node = ctx.policies[name]
        if not isinstance(node, Map):
            return INVALID
        chain.append(node.without("extends"))
        parent = node.get("extends")
        name = parent.value if isinstance(parent, Scalar) and isinstance(parent.value, str) else None
    if named_policy(ref.value, ctx) is INVALID:
        return INVALID
    whole: Node = chain[-1]
    for layer in reversed(chain[:-1]):
        whole = merge(whole, layer, POLICY)
    return whole


def named_policy(name: str, ctx: Reading) -> Any:
    """The CallPolicy called `name`, read once however often it is used."""
    at = join("policies", name)
    if name in ctx.open_policies:
        message = f"found policy {name!r} inside its own fallback, expected another one or none"
        ctx.report(ctx.policies[name], "policy-cycle", at, message)
        return INVALID
    if name not in ctx.named:
        if len(ctx.open_policies) >= _DEEPEST_FALLBACK:
            message = f"found fallbacks more than {_DEEPEST_FALLBACK} policies deep, expected fewer"
            ctx.report(ctx.policies[name], "too-deep", at, message)
            return INVALID
        ctx.open_policies.append(name)
        ctx.policy_sizes[name] = 1
        with ctx.inside("fallback", f"policy {name}", None):
            ctx.named[name] = read_policy(ctx.policies[name], at, ctx, {"name": name})
        ctx.open_policies.pop()
    if ctx.open_policies:
        # Policies nest by value: fallbacks that lead to fallbacks multiply, and that has to end somewhere.
        outer = ctx.open_policies[-1]
        ctx.policy_sizes[outer] += ctx.policy_sizes[name]
        if ctx.policy_sizes[outer] > _LARGEST_POLICY:
            message = f"found more than {_LARGEST_POLICY} policies inside one, counting what fallbacks repeat"
            ctx.report(ctx.policies[outer], "too-large", join("policies", outer), message)
            return INVALID
    return ctx.named[name]


class _PolicyName(Shape):
    noun = "the name of a policy, none, or a policy written out"

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self.wrong(node, at, ctx)
        if node.value == NO_POLICY:
            return NO_POLICY
        if node.value not in ctx.policies:
            hint = ctx.reporter.nearest(node.value, ctx.policies)
            ctx.report(
                node, "unknown-policy", at, f"found {found(node)}, expected a policy of this file", hint
            )
            return INVALID
        ctx.edges.append(Edge(ctx.caller, f"policy {node.value}", node, at))
        return named_policy(node.value, ctx)

    def schema(self, defs: dict[str, Schema]) -> Schema:
        return {"type": "string"}


class PolicyMap(MapOf):
    """The top-level map of named policies."""

    def __init__(self) -> None:
        super().__init__("a map of call policies", POLICY)

    def read(self, node: Node, at: str, ctx: Reading) -> Any:
        if not isinstance(node, Map):
            return self.wrong(node, at, ctx)
        values = {}
        for key, _ in node.items():
            if not self.keys.fullmatch(key) or key == NO_POLICY:
                mark = node.key_mark(key)
                ctx.report(
                    mark, "bad-name", join(at, key), f"found {key[:80]!r}, expected another name for a policy"
                )
            if key in ctx.policies:
                values[key] = named_policy(key, ctx)
        return INVALID if INVALID in values.values() else values


POLICY_REF = Either("a policy", map_or_scalar, {"scalar": _PolicyName(), "map": POLICY})
"""A policy where a call, publish, load or default asks for one."""

__all__ = ["NO_POLICY", "POLICY", "POLICY_REF", "PolicyMap", "named_policy", "read_policy", "reloads"]
