"""What a sweep is asked: the way to choose its points, and the numbers to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import model
from sysim.api import Scenario
from sysim.errors import Problem, ScenarioError, SysimError

if TYPE_CHECKING:
    from sysim.analysis.measures import Measure
    from sysim.study.design import Design


def design_of(
    vary: Mapping[str, Any] | Iterable[str],
    listed: Iterable[Mapping[str, Any]] | str | Path | None,
    random: int | None,
    lhs: int | None,
    sobol: int | None,
    one_at_a_time: bool,
    seed: int,
) -> Design:
    """The points, of which at most one way to choose them may be given."""
    from sysim.study import design
    from sysim.study.factors import factors

    varied = vary if isinstance(vary, Mapping) else list(vary)
    ways = {
        "points": listed is not None, "random": random is not None, "lhs": lhs is not None,
        "sobol": sobol is not None, "one_at_a_time": one_at_a_time,
    }  # fmt: skip
    chosen = [name for name, is_set in ways.items() if is_set]
    if len(chosen) > 1:
        raise SysimError(f"found {' and '.join(chosen)}, expected one way to choose points")
    if listed is not None:
        if varied:
            raise SysimError("found a list of points and paths to vary, expected one of the two")
        if isinstance(listed, (str, Path)):
            from sysim.study.points import read

            listed = read(Path(listed))
        return design.points(listed)
    some = factors(varied)
    if random is not None:
        return design.random(some, random, seed)
    if lhs is not None:
        return design.latin(some, lhs, seed)
    if sobol is not None:
        return design.sobol(some, sobol, seed)
    return design.one_at_a_time(some) if one_at_a_time else design.grid(some)


def measures_of(facade: Scenario, texts: Iterable[str]) -> tuple[Measure, ...]:
    """The numbers to look at; without any texts, what customers get of each load, what it loses, and what all costs.

    Raises `ScenarioError` for texts that cannot be read.
    """
    from sysim import scenario_file
    from sysim.analysis.measures import EVERYTHING, Measure
    from sysim.scenario_file.metrics import SHARES, is_duration

    wanted = list(dict.fromkeys(texts)) or list(_usual(facade.model))
    prices = {service.cost.currency for service in facade.model.services.values() if service.cost is not None}
    values = {name: load.value.currency for name, load in facade.model.load.items() if load.value is not None}
    found = []
    for check in scenario_file.measures(facade._loaded, wanted):
        metric, subject = check.metric, check.subject
        if subject == EVERYTHING and len(prices) != 1:
            what = f"prices in {' and '.join(sorted(prices))}" if prices else "no service with a cost"
            problem = f"found {what}, expected prices in one currency to add up"
            raise ScenarioError([Problem("--measure", 1, 1, "bad-measure", "", problem, source=check.text)])
        if metric == "cost":
            service = facade.model.services.get(subject)
            priced = service.cost if service is not None else None
            currency = priced.currency if priced is not None else next(iter(sorted(prices)), None)
            found.append(Measure(check.text, "money", check, currency))
        elif metric.startswith("value_"):
            found.append(Measure(check.text, "money", check, values.get(subject)))
        elif metric in SHARES or metric == "error_budget":
            found.append(Measure(check.text, "share", check))
        elif metric == "recovers" or is_duration(metric):
            found.append(Measure(check.text, "seconds", check))
        else:
            rate = metric == "goodput" or metric.endswith("_per_s")
            found.append(Measure(check.text, "per_second" if rate else "number", check))
    return tuple(found)


def _usual(scenario: model.Scenario) -> Iterator[str]:
    for name, load in scenario.load.items():
        yield from (f"success({name})", f"p99({name})", f"goodput({name})")
        if load.value is not None:
            yield f"value_lost({name})"
    if len({service.cost.currency for service in scenario.services.values() if service.cost is not None}) == 1:
        yield "cost"
