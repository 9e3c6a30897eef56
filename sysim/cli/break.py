"""``sysim break``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import read, scenario_options
from sysim.cli.studies import say_written, share, study_options, written
from sysim.cli.tip import wrapped

if TYPE_CHECKING:
    from sysim.study.breaking import Sweep

KINDS = ("crash", "lost", "slowdown", "pause", "error", "blackhole", "zone")


def _pairs(ctx: click.Context, param: click.Parameter, text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit():
        raise click.BadParameter(f"found {text!r}, expected a number of pairs, or all")
    return int(text)


def _error(ctx: click.Context, param: click.Parameter, text: str) -> float:
    return share(text)


@click.command("break")
@scenario_options
@click.option(
    "--for", "lasts", default="20s", show_default=True, metavar="TIME", help="How long each fault lasts."
)
@click.option(
    "--settle", default="30s", show_default=True, metavar="TIME", help="How long the system runs before it."
)
@click.option(
    "--watch", metavar="TIME", help="How long it is watched after that; ten times as long and 10 s unless given."
)
@click.option(
    "--pairs", default="10", show_default=True, callback=_pairs, metavar="N",
    help="How many pairs of faults to try, the most promising first; or all.",
)  # fmt: skip
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only faults of this kind.")
@click.option("--on", "places", multiple=True, metavar="PLACE", help="Only faults of this service, or 'zone a'.")
@click.option(
    "--slowdown", default=20.0, show_default=True, type=click.FloatRange(1, min_open=True),
    help="How many times slower a slow service is.",
)  # fmt: skip
@click.option(
    "--error", default="100%", show_default=True, callback=_error, metavar="SHARE",
    help="The share of errors of a failing service.",
)  # fmt: skip
@click.option("--top", default=15, show_default=True, type=click.IntRange(1), help="How many rows to print.")
@study_options(replications=1, loads=False)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    lasts: str,
    settle: str,
    watch: str | None,
    pairs: int | None,
    kinds: tuple[str, ...],
    places: tuple[str, ...],
    slowdown: float,
    error: float,
    top: int,
    replications: int,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Break everything in FILE, one thing at a time and then two, and rank what that does to customers.

    Replicas crash, services are lost, slow down, hang or answer errors, calls between services vanish, zones are
    lost. Each fault meets the same customers as a run without any. The faults of the file itself are left out.
    Ctrl-C keeps what was finished.
    """
    from sysim.cli.progress import progress
    from sysim.report import breaking as report
    from sysim.study.verbs import fault_sweep
    from sysim.units import UnitError

    scenario = read(file, variant, settings, params)
    try:
        with progress(engine, quiet) as note:
            found = fault_sweep(
                scenario, settle=settle, lasts=lasts, watch=watch, slowdown=slowdown, error=error, pairs=pairs,
                kinds=kinds, on=places, replications=replications, seed=seed, engine=engine, workers=workers,
                progress=note,
            )  # fmt: skip
    except UnitError as mistake:
        raise click.UsageError(str(mistake)) from None
    if out is not None:
        say_written(_write(found, written(out)))
    if as_json:
        click.echo(json.dumps(report.sweep_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        click.echo(report.sweep_sentence(found) if quiet else wrapped(report.sweep_text(found, top)))
    return 130 if found.interrupted else 0


def _write(found: Sweep, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import breaking as report

    place = folder / "break.json"
    place.write_text(json.dumps(report.sweep_dict(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    drawn = plot.impact(found)
    table = report.write_sweep(found, folder / "break.csv")
    return [place, table, *(plot.save(drawn, folder / f"break{suffix}") for suffix in (".png", ".svg"))]
