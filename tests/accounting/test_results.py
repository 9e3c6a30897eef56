"""The result people get: buckets add up to windows, a seed gives the same bytes, what is unused is nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
import yaml

import sysim
from tests.accounting.test_focused import BASE, FEATURES, base
from tests.agreement.generate import scenario

Node = dict[str, Any]
SHARED = {
    "loads": ("offered", "ok", "degraded"),
    "services": ("arrivals", "completed", "started", "rejected", "abandoned"),
    "calls": ("calls", "attempts", "sent", "retries", "hedges"),
}
LEVELS = {"in_system": "in_system_mean", "queue": "queue_mean", "busy": "busy_mean", "up": "replicas_mean"}


def bare(result: sysim.Result) -> Node:
    """The JSON object without what may differ between two equal runs."""
    tree = result.to_dict(series=True)
    for run in tree["runs"]:
        assert run.pop("wall_s") >= 0
    return tree


def text_of(result: sysim.Result) -> str:
    return json.dumps(bare(result))


# --- buckets and windows ------------------------------------------------------------------------------


@pytest.mark.parametrize("ten", range(3))
def test_buckets_add_up_to_windows(ten: int) -> None:
    compared = 0
    for number in range(22_000 + 10 * ten, 22_010 + 10 * ten):
        run = sysim.simulate(sysim.loads(scenario(random.Random(number))), seed=number).to_dict(series=True)["runs"][0]
        series = run["series"]
        starts, bucket = series["t_s"], series["bucket_s"]
        end = max(window["to_s"] for window in run["windows"].values())
        for window in run["windows"].values():
            first, last = window["from_s"], window["to_s"]
            inside = [k for k, t in enumerate(starts) if first - 1e-9 <= t < last - 1e-9]
            edges = [starts[inside[0]] if inside else -1.0, min(starts[inside[-1]] + bucket, end) if inside else -1.0]
            if abs(edges[0] - first) > 1e-9 or abs(edges[1] - last) > 1e-9:
                continue  # the window cuts a bucket
            compared += 1
            for kind, names in SHARED.items():
                for subject, facts in window[kind].items():
                    columns = series[kind][subject]
                    for name in names:
                        assert facts[name] == sum(columns[name][k] for k in inside), (number, subject, name)
                    for outcome in facts["outcomes"].keys() & columns.keys():
                        assert facts["outcomes"][outcome] == sum(columns[outcome][k] for k in inside)
            for subject, facts in window["services"].items():
                columns = series["services"][subject]
                widths = [min(starts[k] + bucket, end) - starts[k] for k in inside]
                for column, mean in LEVELS.items():
                    total = sum(columns[column][k] * width for k, width in zip(inside, widths, strict=True))
                    assert facts[mean] * (last - first) == pytest.approx(total, abs=1e-9), (number, subject, mean)
                assert facts["wasted_s"] == pytest.approx(sum(columns["wasted_s"][k] for k in inside))
            for facts in window["loads"].values():
                assert facts["offered"] == sum(facts["outcomes"].values())
            for facts in window["calls"].values():
                assert facts["calls"] == sum(facts["outcomes"].values())
                assert facts["attempts"] == sum(facts["attempt_outcomes"].values()) >= facts["sent"]
            for facts in window["services"].values():
                assert facts["arrivals"] == sum(facts["outcomes"].values())
    assert compared >= 5


def test_neighbouring_windows_add_up() -> None:
    windows = sysim.simulate(sysim.loads(BASE), seed=5).to_dict()["runs"][0]["windows"]
    for kind, names in SHARED.items():
        for subject, facts in windows["all"][kind].items():
            for name in names:
                parts = [windows[window][kind][subject][name] for window in ("before", "during", "after")]
                assert facts[name] == sum(parts) and (name != "offered" or min(parts) > 0)


# --- the same bytes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(23_000, 23_008))
def test_same_seed_same_bytes(number: int) -> None:
    text = scenario(random.Random(number))
    once, again, other = (
        text_of(sysim.simulate(sysim.loads(text), seed=seed, traces=5)) for seed in (number, number, number + 1)
    )
    assert once == again
    assert once != other


def test_seeds_differ_in_more_than_the_digest() -> None:
    tables = [sysim.simulate(sysim.loads(BASE), seed=seed).to_dict()["runs"][0] for seed in (1, 2, 3)]
    offered = [run["windows"]["all"]["loads"]["web"]["offered"] for run in tables]
    assert len(set(offered)) > 1 and len({run["events"] for run in tables}) == 3


@pytest.mark.parametrize("feature", ["hedge_cancels", "closed_journey", "breaker"])
def test_workers_change_nothing(feature: str) -> None:
    loaded = sysim.loads(yaml.safe_dump(base(**FEATURES[feature][0])))
    one, two = (text_of(sysim.simulate(loaded, seed=9, replications=4, workers=n)) for n in (1, 2))
    assert one == two


def test_replications_differ_and_do_not_depend_on_their_number() -> None:
    loaded = sysim.loads(BASE)
    two, three = (bare(sysim.simulate(loaded, seed=9, replications=n))["runs"] for n in (2, 3))
    assert two == three[:2]
    assert len({run["digest"] for run in three}) == 3


def test_progress_and_traces_change_nothing() -> None:
    loaded = sysim.loads(BASE)
    plain = bare(sysim.simulate(loaded, seed=9))
    seen: list[float] = []
    watched = bare(sysim.simulate(loaded, seed=9, progress=seen.append, traces=20))
    for run in watched["runs"]:
        assert run.pop("traces")
    assert seen and watched == plain


# --- what is not used ------------------------------------------------------------------------------------

UNUSED = "aaa"


def service_first(node: Node) -> Node:
    spare = {"concurrency": 1, "replicas": 2, "zones": ["q"], "operations": {"op": [{"work": {"exponential": "1ms"}}]}}
    return node | {"services": {UNUSED: spare, **node["services"]}}


def service_that_calls(node: Node) -> Node:
    """Nobody calls it, so its own call site and its policy state lie idle."""
    first = next(iter(node["services"]))
    op = next(iter(node["services"][first]["operations"]))
    own = {"circuit_breaker": {}, "timeout": "77ms", "bulkhead": {"max_concurrent": 1}}
    step = {"call": f"{first}.{op}", "policy": own}
    return node | {"services": node["services"] | {UNUSED: {"operations": {"op": [step]}}}}


def flag(node: Node) -> Node:
    return node | {"flags": {UNUSED: True, **node.get("flags", {})}}


def policy(node: Node) -> Node:
    spare = {"timeout": "123ms", "retry": {"max_attempts": 4}, "circuit_breaker": {"open_for": "1s"}}
    return node | {"policies": {UNUSED: spare, **node["policies"]}}


def reverse(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reverse(child) for key, child in reversed(value.items())}
    return [reverse(child) for child in value] if isinstance(value, list) else value


def without_unused(value: Any) -> Any:
    """A result without the unused service, its calls, and what stands for the text itself."""
    if isinstance(value, dict):
        return {k: without_unused(v) for k, v in value.items() if not k.startswith(UNUSED)}
    return [without_unused(child) for child in value] if isinstance(value, list) else value


SERVICES = [service_first, service_that_calls]


@pytest.mark.parametrize("change", [*SERVICES, flag, policy, reverse])
def test_what_is_not_used_changes_no_byte(change: Callable[[Node], Node]) -> None:
    texts = [scenario(random.Random(number)) for number in range(24_000, 24_012)]
    texts += [yaml.safe_dump(base(**FEATURES[f][0])) for f in ("hedge", "mix_and_clients", "breaker", "publish")]
    for at, text in enumerate(texts):
        changed = yaml.safe_dump(change(yaml.safe_load(text)), sort_keys=False)
        assert changed != text
        results = []
        for some in (text, changed):
            tree = bare(sysim.simulate(sysim.loads(some), seed=at))
            assert tree["scenario"].pop("digest")
            results.append(without_unused(tree))
        before, after = results
        assert before == after, f"scenario {at}"


def test_an_unused_service_does_not_change_the_digest() -> None:
    digests = [
        sysim.simulate(sysim.loads(yaml.safe_dump(node, sort_keys=False)), seed=1).run.digest
        for node in (base(), service_first(base()))
    ]
    assert digests[0] == digests[1]
