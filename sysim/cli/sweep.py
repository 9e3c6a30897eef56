"""``sysim sweep``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import (
    engine_option,
    folder_option,
    json_option,
    read,
    resume_option,
    say_stored,
    scenario_options,
    seed_option,
    store_option,
    storing,
    workers_option,
)
from sysim.cli.studies import confidence, say_written, written
from sysim.cli.tip import wrapped

if TYPE_CHECKING:
    from sysim.study.swept import Swept


@click.command("sweep")
@scenario_options
@click.option(
    "--vary", "vary", multiple=True, metavar="PATH=VALUES",
    help="What to vary: 2..8, 2..8/3 (three values), 10ms..1s/5log, or 2,4,8; may be given several times.",
)  # fmt: skip
@click.option(
    "--points", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Run the points of a CSV file: a column for each path.",
)  # fmt: skip
@click.option("--random", "random", type=click.IntRange(1), metavar="N", help="Run N points drawn at random.")
@click.option("--lhs", type=click.IntRange(1), metavar="N", help="Run a Latin hypercube of N points.")
@click.option(
    "--sobol", type=click.IntRange(1), metavar="N",
    help="Compute Sobol indices, from N (a power of two) times the number of factors and two points.",
)  # fmt: skip
@click.option(
    "--one-at-a-time", is_flag=True, help="Run the file as it is, and each value with all others as in the file."
)
@click.option(
    "--measure", "measures", multiple=True, metavar="METRIC",
    help="What to keep, as 'p99(bets) during rush'; may be given several times.",
)  # fmt: skip
@click.option(
    "--replications", "-n", type=click.IntRange(1),
    help="How many runs of each point; those of the file, or 5, unless given.",
)  # fmt: skip
@seed_option
@click.option(
    "--independent", is_flag=True, help="Give each point random numbers of its own, not all the same ones."
)
@click.option(
    "--confidence", "sure", default="95%", show_default=True, callback=confidence, metavar="SHARE",
    help="How sure to be of the intervals.",
)  # fmt: skip
@workers_option
@click.option(
    "--executor", type=click.Choice(["threads", "processes"]), default=None,
    help="Where runs go on; threads, and processes for the reference engine, unless given.",
)  # fmt: skip
@click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster, as tcp://host:8786.")
@engine_option
@json_option
@click.option("--csv", "as_csv", metavar="FILE", type=click.Path(dir_okay=False), help="Write a row for each point.")
@click.option("--parquet", metavar="FILE", type=click.Path(dir_okay=False), help="The same as Parquet.")
@folder_option
@click.option("--rows", default=40, show_default=True, type=click.IntRange(1), help="How many points to print.")
@store_option
@resume_option
@click.option("--quiet", "-q", is_flag=True, help="No progress; the sentences alone.")
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    vary: tuple[str, ...],
    points: str | None,
    random: int | None,
    lhs: int | None,
    sobol: int | None,
    one_at_a_time: bool,
    measures: tuple[str, ...],
    replications: int | None,
    seed: int | None,
    independent: bool,
    sure: float,
    workers: int,
    executor: Any,
    cluster: str | None,
    engine: Any,
    as_json: bool,
    as_csv: str | None,
    parquet: str | None,
    out: str | None,
    rows: int,
    store: str | None,
    resume: bool,
    quiet: bool,
) -> int:
    """Run FILE at many points and say what becomes of it there, and which factor matters.

    As `sysim sweep bookmaker --vary services.betting.replicas=2..8`: every value of every --vary with all of the
    others, unless points are listed or drawn. Of each point the measures are kept, with intervals over replications,
    and the verdicts of the checks. All points meet the same random numbers, and the result does not depend on where
    they are run. Ctrl-C keeps what was finished; with --store and --resume it goes on later.
    """
    from sysim.cli.progress import progress
    from sysim.report import sweep as report
    from sysim.sweeping import exit_code, sweep

    if not vary and points is None:
        raise click.UsageError("what is to be varied? Give --vary PATH=VALUES, or --points FILE")
    if cluster is not None and executor is not None:
        raise click.UsageError("--cluster and --executor both say where to run; give one of the two")
    for option, place in (("--csv", as_csv), ("--parquet", parquet)):
        if place is not None and not os.access(Path(place).resolve().parent, os.W_OK):
            raise click.BadParameter(
                f"found {place!r}, expected a file in a folder that can be written", param_hint=option
            )
    if parquet is not None:
        report.need_parquet()
    scenario = read(file, variant, settings, params)
    with storing(store, resume) as keeping:
        with progress(engine, quiet) as note:
            found = sweep(
                scenario, vary, points=points, random=random, lhs=lhs, sobol=sobol, one_at_a_time=one_at_a_time,
                measures=measures, replications=replications, independent=independent, confidence=sure, seed=seed,
                engine=engine, executor=executor or ("processes" if engine == "reference" else "threads"),
                workers=workers, cluster=cluster, progress=note, store=keeping,
            )  # fmt: skip
        text = wrapped(report.sweep_text(found, rows))
        if keeping is not None:
            keeping.describe(text + "\n")
    files = [] if as_csv is None else [report.write_csv(found, Path(as_csv))]
    files += [] if parquet is None else [report.write_parquet(found, Path(parquet))]
    files += [] if out is None else _write(found, written(out))
    say_written(files)
    if as_json:
        click.echo(json.dumps(report.sweep_dict(found), allow_nan=False, ensure_ascii=False))
    else:
        click.echo(wrapped("\n".join(report.sweep_sentences(found))) if quiet else text)
    return say_stored(keeping, exit_code(found), quiet)


def _write(found: Swept, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import sweep as report

    place = folder / "sweep.json"
    place.write_text(json.dumps(report.sweep_dict(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    made = [place, report.write_csv(found, folder / "sweep.csv")]
    for name, drawn in plot.sweep(found).items():
        made += [plot.save(drawn, folder / f"{name}{suffix}") for suffix in (".png", ".svg")]
    return made
