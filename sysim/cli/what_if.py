"""``sysim what-if``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import read, scenario_options
from sysim.cli.studies import confidence, say_written, study_options, written

if TYPE_CHECKING:
    from sysim.study.whatif import WhatIf

KINDS = ("rollback", "flag", "shed", "retries", "breaker", "restart", "clear", "scale", "drain", "combined")


@click.command("what-if")
@scenario_options
@click.option("--at", required=True, metavar="INSTANT", help="When: 90s, or 15:06 where the scenario has a calendar.")
@click.option("--delay", default="0s", show_default=True, metavar="TIME", help="How long people take to act.")
@click.option(
    "--for", "lasts", metavar="TIME",
    help="How long a shed and the like is held; half of what is left of the run, at most 10m, unless given.",
)  # fmt: skip
@click.option("--watch", metavar="TIME", help="How long one watches after the instant; to the end unless given.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only mitigations of this kind.")
@click.option(
    "--confidence", "sure", default="95%", show_default=True, callback=confidence, metavar="SHARE",
    help="How sure to be of the intervals.",
)  # fmt: skip
@study_options(replications=10, loads=False)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    at: str,
    delay: str,
    lasts: str | None,
    watch: str | None,
    kinds: tuple[str, ...],
    sure: float,
    replications: int,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Go on from an instant of FILE under each mitigation, and say which would help.

    As `sysim what-if retry_storm --at 70s`: the run is copied at that instant, with all its queues, and goes on on the
    same random numbers with the fault taken back, load shed, retries off, services restarted, and so on. What is held
    is undone after a while. Ranked by whether it is well again, and then by the customers saved. Ctrl-C keeps the
    replications that were finished.
    """
    from sysim.cli.progress import progress
    from sysim.report import whatif as report
    from sysim.study.verbs import what_if
    from sysim.units import UnitError

    scenario = read(file, variant, settings, params)
    try:
        with progress(engine, quiet) as note:
            found = what_if(
                scenario, at, delay=delay, lasts=lasts, watch=watch, kinds=kinds, replications=replications,
                confidence=sure, seed=seed, engine=engine, workers=workers, progress=note,
            )  # fmt: skip
    except UnitError as mistake:
        raise click.UsageError(str(mistake)) from None
    if out is not None:
        say_written(_write(found, written(out)))
    if as_json:
        click.echo(json.dumps(report.what_if_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        report.show_what_if(found, sys.stdout, quiet)
    return 130 if found.interrupted else 0


def _write(found: WhatIf, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import whatif as report

    place = folder / "what-if.json"
    place.write_text(json.dumps(report.what_if_dict(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    drawn = plot.what_if(found)
    table = report.write_what_if(found, folder / "what-if.csv")
    return [place, table, *(plot.save(drawn, folder / f"what-if{suffix}") for suffix in (".png", ".svg"))]
