"""What the theory tests share: write a scenario, run replications, hold the figures against known answers.

A figure must pass three ways at once: the replications agree so well that their standard error is below half
of the tolerance (no test passes by being noisy), the mean lies within 3.5 standard errors of the truth (no
test passes by being tolerant), and it lies within the tolerance. Percentiles come from a histogram of half a
per cent resolution, which is allowed for.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

import sysim

Node = dict[str, Any]
Run = dict[str, Any]
RESOLUTION = 0.005
PERCENTILES = ("p50", "p90", "p95", "p99", "p999")


def seconds(value: float) -> str:
    """A duration as the format writes it."""
    return f"{value:.9f}s"


def rate(value: float) -> str:
    """A rate as the format writes it."""
    return f"{value!r}/s"


def exponential(mean: float) -> Node:
    """The distribution."""
    return {"exponential": seconds(mean)}


def lognormal(mean: float, cv: float) -> Node:
    """The distribution."""
    return {"lognormal": {"mean": seconds(mean), "cv": cv}}


def erlang(mean: float, k: int) -> Node:
    """The distribution."""
    return {"erlang": {"mean": seconds(mean), "k": k}}


def hyperexponential(*parts: tuple[float, float]) -> Node:
    """The distribution with parts (weight, mean)."""
    return {"hyperexponential": [{"weight": weight, "mean": seconds(mean)} for weight, mean in parts]}


H2 = hyperexponential((0.887298334620742, 0.563508326896291), (0.112701665379258, 4.436491673103709))
"""Mean 1, squared coefficient of variation 4, balanced means."""


def serves(work: Any, **more: Any) -> Node:
    """A service with one operation, `serve`, that is nothing but work."""
    return {"operations": {"serve": [{"work": work}]}, **more}


def poisson(target: str, per_second: float, **more: Any) -> Node:
    """An open load."""
    return {"call": target, "rate": rate(per_second), **more}


def scenario(services: Node, load: Node, duration: float, warmup: float = 0.0, **more: Any) -> str:
    """The text of a scenario; `time` among the further keys adds to the time."""
    time = {"duration": seconds(duration), "warmup": seconds(warmup), **more.pop("time", {})}
    return yaml.safe_dump(
        {"sysim": 1, "name": "theory", "time": time, "services": services, "load": load, **more},
        sort_keys=False,
    )


def runs(
    text: str, replications: int = 20, seed: int = 1, series: bool = False, engine: str = "compiled"
) -> list[Run]:
    """The runs of the JSON result."""
    result = sysim.simulate(sysim.loads(text), seed=seed, replications=replications, engine=engine)  # type: ignore[arg-type]
    found: list[Run] = result.to_dict(series=series)["runs"]
    for run in found:
        for window in run["windows"].values():
            for load in window["loads"].values():
                assert sum(load["outcomes"].values()) == load["offered"]
    return found


def pick(run: Run, path: str, window: str = "all") -> float:
    """A number of one window: ``services.q.wait_s.mean``."""
    node: Any = run["windows"][window]
    for key in path.split("."):
        node = node[key]
    assert node is not None, f"{path} has no data"
    return float(node)


def share(outcome: str, load: str = "requests", window: str = "all") -> Callable[[Run], float]:
    """The share of a load's requests that ended in an outcome."""
    return lambda run: (
        pick(run, f"loads.{load}.outcomes.{outcome}", window) / pick(run, f"loads.{load}.offered", window)
    )


Figure = str | Callable[[Run], float]


def values(found: Iterable[Run], figure: Figure, window: str = "all") -> list[float]:
    """The figure in each run."""
    return [figure(run) if callable(figure) else pick(run, figure, window) for run in found]


def judged(label: str, numbers: list[float], truth: float, tolerance: float, resolution: float = 0.0) -> str:
    """The complaint about a figure, empty when it holds."""
    mean = statistics.fmean(numbers)
    error = statistics.stdev(numbers) / math.sqrt(len(numbers))
    told = f"{label}: {mean:.6g} +- {error:.2g} against {truth:.6g} ({(mean / truth - 1) * 100:+.2f} %)"
    if error > 0.5 * tolerance * abs(truth):
        return f"{told}: too noisy for a tolerance of {tolerance:.2%}"
    if abs(mean - truth) > 3.5 * error + (resolution + 1e-9) * abs(truth):
        return f"{told}: {abs(mean - truth) / max(error, 1e-300):.1f} standard errors off"
    if abs(mean - truth) > tolerance * abs(truth):
        return f"{told}: beyond {tolerance:.2%}"
    return ""


def matches(found: list[Run], expected: Mapping[Figure, tuple[float, float]], window: str = "all") -> None:
    """Hold figures against (truth, relative tolerance); all misses are told at once."""
    complaints = []
    for figure, (truth, tolerance) in expected.items():
        label = figure if isinstance(figure, str) else getattr(figure, "__name__", "figure")
        quantile = isinstance(figure, str) and figure.rsplit(".", 1)[-1] in PERCENTILES
        resolution = RESOLUTION if quantile else 0.0
        complaint = judged(label, values(found, figure, window), truth, tolerance, resolution)
        if complaint:
            complaints.append(complaint)
    assert not complaints, "\n" + "\n".join(complaints)


def about(value: float, truth: float, tolerance: float) -> bool:
    """For figures without chance in them."""
    return abs(value - truth) <= tolerance * abs(truth)


def littles_law(found: list[Run], service: str, length: float) -> None:
    """Time-average number in system = arrivals a second x mean sojourn, on the same runs.

    What is in the system at the two ends is counted on one side only; over all runs that is next to nothing.
    """
    in_system = sum(pick(run, f"services.{service}.in_system_mean") for run in found)
    spent = sum(
        pick(run, f"services.{service}.arrivals") * pick(run, f"services.{service}.sojourn_s.mean")
        for run in found
    )
    assert about(in_system, spent / length, 0.001)
