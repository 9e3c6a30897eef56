"""The verb `capacity_plan`: how many replicas hold what is promised, and at what cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import model, storing, units
from sysim.api import Progress, Scenario, facade_of, seed_of
from sysim.errors import SysimError
from sysim.running import Engine
from sysim.simulations import simulation

if TYPE_CHECKING:
    from sysim.store import Keeping
    from sysim.study.capacity.plan import CapacityPlan

WORDS: dict[str, Callable[[], model.Assumption]] = {
    "none": model.NoFailure, "replica": model.ReplicaLoss, "zone": model.ZoneLoss, "slow": model.SlowService,
}  # fmt: skip
ASSUMPTIONS = ("none", "replica", "zone", "zone=NAME", "slow", "slow=SERVICE", "slow=SERVICE:TIMES")


def capacity_plan(
    scenario: Scenario | model.Scenario | str | Path,
    *,
    assume: Iterable[str] = (),
    slos: Iterable[str] = (),
    window: str | None = None,
    minimise: str | None = None,
    confidence: float | None = None,
    whole_day: bool = True,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
    store: Keeping | str | Path | None = None,
    resume: bool = False,
) -> CapacityPlan:
    """The least replicas, or the least cost, that keep the objectives of a scenario in its busiest minutes while
    something is broken; checked on other random numbers than it was searched with, and so is the plan with one replica
    less of each service.

    What is not given here is that of the file's `planning`, and else: nothing breaks, all `slos` have to be kept, the
    busiest five minutes are judged, cost is minimised where services have one, with 95 % confidence. `assume` is any of
    ``none``, ``replica``, ``zone``, ``zone=a``, ``slow``, ``slow=payments:5``; the plan holds under each of them.
    `window` is as in a file, ``17:00..17:20``. Without `whole_day` the latency curve and the picture of the day are
    left out. `store` is the file of a store that what is kept of every run is put into; with `resume`, runs of which it
    is there already are not simulated again. Raises `ScenarioError` and `SysimError` for what does not fit, and
    `Interrupted` on Ctrl-C; that no plan exists is a result.
    """
    from sysim.report.capacity import plan_dict
    from sysim.study.capacity.plan import capacity_plan as study

    facade = facade_of(scenario)
    asked = facade.model.planning or model.Planning()
    changes: dict[str, Any] = {}
    if given := tuple(assume):
        changes["assume"] = tuple(assumption(text, facade.model) for text in given)
    if names := tuple(slos):
        changes["slos"] = names
    if window is not None:
        time = facade.model.time
        start = None if time.start is None else datetime.fromisoformat(time.start)
        low, high = units.window(window, time.warmup, time.duration, start, time.zone)
        if not time.warmup <= low < high <= time.duration:
            raise SysimError(f"found the window {window!r}, expected one between the warm-up and the end of the run")
        changes["window"] = model.Window(start=low, end=high)
    if minimise is not None:
        if minimise not in ("cost", "replicas"):
            raise SysimError(f"found {minimise!r} to minimise, expected cost or replicas")
        changes["minimise"] = minimise
    if confidence is not None:
        changes["confidence"] = confidence
    chosen = seed_of(facade, seed)
    with storing.remembering(store, resume, "plan", facade, engine, chosen) as pieces:
        found = study(
            facade.model, lambda seed: simulation(engine, seed), seed=chosen, planning=asked.model_copy(update=changes),
            workers=workers, whole_day=whole_day, progress=progress, memory=pieces,
        )  # fmt: skip
        pieces.conclude(lambda: plan_dict(found), found.exit_code)
        return found


def assumption(text: str, scenario: model.Scenario) -> model.Assumption:
    """A failure to plan for, as written on a command line."""
    from sysim.study.capacity.situations import zones_of

    word, equals, what = text.partition("=")
    if not equals and word in WORDS:
        return WORDS[word]()
    if word == "zone" and what in zones_of(scenario):
        return model.ZoneLoss(zone=what)
    if word == "slow":
        service, colon, times = what.partition(":")
        try:
            factor = units.factor(times) if colon else 5.0
        except units.UnitError as error:
            raise SysimError(str(error)) from None
        if service in scenario.services and factor > 0:
            return model.SlowService(service=service, times=factor)
    zones = zones_of(scenario)
    raise SysimError(
        f"found the failure {text!r}, expected one of {', '.join(ASSUMPTIONS)}; the zones are "
        f"{', '.join(zones) or 'none'}, the services {', '.join(sorted(scenario.services))}"
    )
