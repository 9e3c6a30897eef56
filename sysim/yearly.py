"""The verb `year`: what a calendar year comes to, from the hours that matter and a model of the others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import api, model, storing
from sysim.api import Progress, Scenario
from sysim.running import Engine
from sysim.simulations import simulation

if TYPE_CHECKING:
    from sysim.store import Keeping
    from sysim.study.year_result import Year

INCONCLUSIVE = 3


def year(
    scenario: Scenario | model.Scenario | str | Path,
    *,
    start: str | None = None,
    days: int = 365,
    simulate: Any = "2d",
    cell: Any = "15m",
    near: Any = "90%",
    checks: int = 6,
    check_for: Any = "1h",
    warmup: Any = None,
    confidence: float = 0.95,
    seed: int | None = None,
    engine: Engine = "compiled",
    workers: int = 1,
    progress: Progress | None = None,
    store: Keeping | str | Path | None = None,
    resume: bool = False,
) -> Year:
    """What `days` of a scenario come to, from the first midnight or from `start` (a date or an instant) on.

    The year is cut into pieces of `cell`. Those in which a service is as busy as `near`, or in which work piles up or a
    scheduled fault holds, are simulated whole; of the others, samples in strata of load, which a quasi-stationary model
    extends to all of them and which put it right. `checks` stretches of `check_for`, drawn at random, are
    simulated besides and compared with the answer. About `simulate` is simulated in all, each piece after `warmup`
    (that of the file, at least two minutes). The result does not depend on `workers`. `store` is the file of a store
    that what is kept of every run is put into; with `resume`, runs of which it is there are not simulated again. Raises
    `SysimError` if there is nothing to account for, `ScenarioError` where it cannot be read or simulated,
    `Interrupted` on Ctrl-C.
    """
    from sysim import units
    from sysim.report.year import year_dict
    from sysim.study.year import Terms, plan_year

    facade = api.facade_of(scenario)
    begin = None
    moment = facade.model.time.start
    if start is not None:
        midnight = f"{start}T00:00" if len(start) == 10 and start.count("-") == 2 else start
        first = None if moment is None else datetime.fromisoformat(moment)
        begin = units.instant(midnight, first, facade.model.time.zone)
    terms = Terms(
        start=begin, days=days, cell=units.duration(cell), budget=units.duration(simulate), near=units.share(near),
        checks=checks, check_for=units.duration(check_for), warmup=None if warmup is None else units.duration(warmup),
    )  # fmt: skip
    # Series that repeat do so to the end of the run, so the run has to be a year.
    length = (begin or 0) + (days + 1) * 86_400 * 1_000_000_000
    written = facade
    if facade.model.time.duration < length:
        facade = _longer(facade, length)
    chosen = api.seed_of(facade, seed)
    with storing.remembering(store, resume, "year", written, engine, chosen) as pieces:
        found = plan_year(
            facade.model, simulation(engine, chosen), terms,
            seed=chosen, confidence=confidence, workers=workers, progress=progress, memory=pieces,
        )  # fmt: skip
        pieces.conclude(lambda: year_dict(found), exit_code(found))
        return found


def exit_code(found: Year) -> int:
    """0: it is to be trusted, 3: it is not."""
    return 0 if found.trusted else INCONCLUSIVE


def _longer(facade: Scenario, length: int) -> Scenario:
    if facade._loaded is not None:
        return facade.with_({"time.duration": f"{length // 1_000_000_000}s"})
    time = facade.model.time.model_copy(update={"duration": length})
    return api.from_model(facade.model.model_copy(update={"time": time}))
