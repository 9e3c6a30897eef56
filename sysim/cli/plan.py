"""``sysim plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import read, scenario_options
from sysim.cli.studies import confidence, say_written, study_options, written
from sysim.cli.tip import wrapped

if TYPE_CHECKING:
    from sysim.api import Scenario
    from sysim.study.capacity.plan import CapacityPlan


@click.command("plan")
@scenario_options
@click.option(
    "--assume", multiple=True, metavar="FAILURE",
    help="What has to be survived: none, replica, zone, zone=a, slow, slow=payments:5; may be given several times.",
)  # fmt: skip
@click.option("--slo", "slos", multiple=True, metavar="NAME", help="Only this objective; may be given several times.")
@click.option("--window", metavar="A..B", help="What to judge, as 17:00..17:20; the busiest five minutes unless given.")
@click.option("--minimise", type=click.Choice(["cost", "replicas"]), help="What is to be small.")
@click.option("--confidence", "sure", callback=confidence, metavar="SHARE", help="How sure to be; 95% unless given.")
@click.option(
    "--no-day", is_flag=True, help="Neither the latency curve, nor the whole run, nor other ways to have the replicas.",
)  # fmt: skip
@study_options(replications=None, loads=False)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    assume: tuple[str, ...],
    slos: tuple[str, ...],
    window: str | None,
    minimise: str | None,
    sure: float | None,
    no_day: bool,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Find how many replicas FILE needs, what they cost and what breaks first.

    The plan keeps the slos of the file in its busiest minutes while what --assume says is broken. It is searched with
    the file's seed and checked with another, and so is each plan with one replica less. What the options leave open
    is in the file's `planning`. Exit code: 0 the plan holds and no replica can go, 1 there is none, 3 it is too close
    to tell.
    """
    from sysim.cli.progress import progress
    from sysim.planning import capacity_plan
    from sysim.report import capacity as report

    scenario = read(file, variant, settings, params)
    with progress(engine, quiet) as note:
        found = capacity_plan(
            scenario, assume=assume, slos=slos, window=window, minimise=minimise, confidence=sure,
            whole_day=not no_day, seed=seed, engine=engine, workers=workers, progress=note,
        )  # fmt: skip
    say_written([] if out is None else _write(found, scenario, written(out)))
    if as_json:
        click.echo(json.dumps(report.plan_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        click.echo(report.plan_sentence(found) if quiet else wrapped(report.plan_text(found)))
    return found.exit_code


def _write(found: CapacityPlan, scenario: Scenario, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import capacity as report

    place = folder / "plan.json"
    place.write_text(json.dumps(report.plan_dict(found), indent=1) + "\n", encoding="utf-8")
    files = [place]
    if found.sizes is not None and scenario.path is not None:
        files.append(report.write_scenario(found, folder / "plan.yaml", scenario.path))
    if found.day is not None:
        files.append(report.write_day(found, folder / "day.csv"))
        drawn = plot.plan_day(found)
        files += [plot.save(drawn, folder / f"day{suffix}") for suffix in (".png", ".svg")]
    if found.curve is not None:
        drawn = plot.plan_curve(found)
        files += [plot.save(drawn, folder / f"curve{suffix}") for suffix in (".png", ".svg")]
    if found.supplies is not None:
        drawn = plot.plan_supply(found)
        files += [plot.save(drawn, folder / f"supply{suffix}") for suffix in (".png", ".svg")]
    return files
