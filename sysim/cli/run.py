"""``sysim run``."""

from __future__ import annotations

import sys
from typing import Any

import click

from sysim.cli.options import read, scenario_options


@click.command("run")
@scenario_options
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Another seed than the file's.")
@click.option("--replications", "-n", type=click.IntRange(1), help="How many independent runs.")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Run so many at a time."
)
@click.option(
    "--engine", type=click.Choice(["compiled", "reference"]), default="compiled", show_default=True,
    help="Both give the same result; the reference one is the readable, slow one.",
)  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON object, and nothing else."
)
@click.option("--series", is_flag=True, help="With --json: what happened over time, too.")
@click.option(
    "--trace", "traces", type=click.IntRange(0), default=0, metavar="N", help="Follow N requests in detail."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write result.json, report.html, series CSV and pictures there.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print verdicts only, no summary and no progress.")
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    series: bool,
    traces: int,
    out: str | None,
    quiet: bool,
) -> int:
    """Simulate FILE and say what happened.

    FILE is a scenario file, or the name of a model that comes with sysim. The exit code is 0 when all checks
    of the file hold, 1 when one fails, 3 when none fails but some are inconclusive, 2 when the scenario is
    not valid.
    """
    from sysim.api import Interrupted, simulate
    from sysim.cli.progress import progress

    scenario = read(file, variant, settings, params)
    interrupted = False
    try:
        with progress(engine, quiet) as note:
            result = simulate(
                scenario,
                seed=seed,
                replications=replications,
                engine=engine,
                traces=traces,
                progress=note,
                workers=workers,
            )
    except Interrupted as stop:
        if stop.result is None:
            raise KeyboardInterrupt from None
        result, interrupted = stop.result, True
        click.echo(f"interrupted after {len(result.runs)} replications", err=True)

    if out is not None:
        from sysim.report.files import write_all

        for path in write_all(result, out, scenario.to_yaml()):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        click.echo(result.to_json(series))
    else:
        from sysim.report.terminal import Command, show

        call = Command(file, variant, settings, params, seed, replications, engine)
        show(result, call, sys.stdout, brief=quiet)
    if interrupted:
        return 130
    from sysim.analysis.checks import exit_code

    return exit_code(result.checks)
