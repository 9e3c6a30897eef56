"""``sysim relief``."""

from __future__ import annotations

import json
from typing import Any

import click

from sysim.cli.options import read, scenario_options
from sysim.cli.studies import confidence, say_written, study_options, written
from sysim.cli.tip import wrapped


@click.command("relief")
@scenario_options
@click.option(
    "--at", metavar="INSTANT",
    help="When the load is cut; unless given as long after the last fault as it lasted, and at least 10 s.",
)  # fmt: skip
@click.option("--for", "lasts", metavar="TIME", help="For how long it is cut; for good unless given.")
@click.option(
    "--confidence", "sure", default="95%", show_default=True, callback=confidence, metavar="SHARE",
    help="How sure to be of the interval.",
)  # fmt: skip
@study_options(replications=10)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    at: str | None,
    lasts: str | None,
    sure: float,
    loads: tuple[str, ...],
    replications: int,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Find the least cut of the load with which the system of FILE gets up again.

    For a scenario that stays down after its fault. As `sysim relief retry_storm --at 90s --for 60s`: how much of
    the load has to go at 90 s so that the system is well, and stays so when all the load is back at 150 s.
    """
    from sysim.cli.progress import progress
    from sysim.report import tipping as report
    from sysim.study.verbs import least_relief
    from sysim.units import UnitError

    scenario = read(file, variant, settings, params)
    try:
        with progress(engine, quiet) as note:
            found = least_relief(
                scenario, at=at, lasts=lasts, confidence=sure, replications=replications, loads=loads, seed=seed,
                engine=engine, workers=workers, progress=note,
            )  # fmt: skip
    except UnitError as error:
        raise click.UsageError(str(error)) from None
    if out is not None:
        from sysim import plot

        folder = written(out)
        place = folder / "relief.json"
        place.write_text(json.dumps(report.relief_dict(found), indent=1) + "\n", encoding="utf-8")
        drawn = plot.tipping(found.found, f"{found.scenario}: how much load may stay")
        say_written([place, *(plot.save(drawn, folder / f"relief{suffix}") for suffix in (".png", ".svg"))])
    if as_json:
        click.echo(json.dumps(report.relief_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        click.echo(report.relief_sentence(found) if quiet else wrapped(report.relief_text(found)))
    return 0
