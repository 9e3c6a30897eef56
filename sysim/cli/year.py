"""``sysim year``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import (
    read,
    resume_option,
    say_interrupted,
    say_stored,
    scenario_options,
    store_option,
    storing,
)
from sysim.cli.studies import confidence, say_written, share, study_options, written

if TYPE_CHECKING:
    from sysim.study.year_result import Year


def _share(ctx: click.Context, param: click.Parameter, text: str) -> float:
    return share(text)


@click.command("year")
@scenario_options
@click.option(
    "--from", "start", metavar="DATE",
    help="The first day, as 2026-01-01, or another instant; the first midnight of the file unless given.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3_660), default=365, show_default=True, help="How many days.")
@click.option(
    "--simulate", default="2d", show_default=True, metavar="TIME",
    help="About how much to simulate in all: the more, the narrower the answer.",
)  # fmt: skip
@click.option("--cell", default="15m", show_default=True, metavar="TIME", help="Into what pieces the year is cut.")
@click.option(
    "--near", default="90%", show_default=True, callback=_share, metavar="SHARE",
    help="From which utilisation on a piece matters and is simulated whole.",
)  # fmt: skip
@click.option(
    "--checks", type=click.IntRange(0), default=6, show_default=True, metavar="N",
    help="So many stretches are drawn and simulated to hold the answer against.",
)  # fmt: skip
@click.option("--check-for", default="1h", show_default=True, metavar="TIME", help="How long each of them is.")
@click.option(
    "--warmup", metavar="TIME", help="What is simulated before each piece; that of the file, at least 2m, unless given."
)
@click.option(
    "--confidence", "sure", default="95%", show_default=True, callback=confidence, metavar="SHARE",
    help="How sure to be of the intervals.",
)  # fmt: skip
@store_option
@resume_option
@study_options(replications=None, loads=False)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    start: str | None,
    days: int,
    simulate: str,
    cell: str,
    near: float,
    checks: int,
    check_for: str,
    warmup: str | None,
    sure: float,
    store: str | None,
    resume: bool,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Say what a year of FILE comes to, without simulating all of it.

    As `sysim year shop.yaml --workers 2`: the hours in which something is nearly full, or work piles up, are found by
    load and simulated whole; of the others some are drawn and simulated, and a model extends them to the year. The
    answer is held against stretches that it has not seen. Exit code 3 where it is not to be trusted.
    """
    from sysim.api import Interrupted
    from sysim.cli.progress import progress
    from sysim.cli.tip import wrapped
    from sysim.report import year as report
    from sysim.units import UnitError
    from sysim.yearly import exit_code, year

    scenario = read(file, variant, settings, params)
    with storing(store, resume) as keeping:
        try:
            with progress(engine, quiet) as note:
                found = year(
                    scenario, start=start, days=days, simulate=simulate, cell=cell, near=near, checks=checks,
                    check_for=check_for, warmup=warmup, confidence=sure, seed=seed, engine=engine, workers=workers,
                    progress=note, store=keeping,
                )  # fmt: skip
        except (UnitError, ValueError) as mistake:
            raise click.UsageError(str(mistake)) from None
        except Interrupted as stop:
            return say_interrupted(keeping, stop.finished)
        text = wrapped(report.year_text(found))
        if keeping is not None:
            keeping.describe(text + "\n")
    if out is not None:
        say_written(_write(found, written(out)))
    if as_json:
        click.echo(json.dumps(report.year_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        click.echo(report.year_sentence(found) if quiet else text)
    return say_stored(keeping, exit_code(found), quiet, "runs")


def _write(found: Year, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import year as report

    place = folder / "year.json"
    place.write_text(json.dumps(report.year_dict(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table = report.write_days(found, folder / "year.csv")
    drawn = plot.year(found)
    return [place, table, *(plot.save(drawn, folder / f"year{suffix}") for suffix in (".png", ".svg"))]
