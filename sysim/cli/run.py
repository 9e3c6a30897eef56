"""``sysim run``."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import (
    engine_option,
    read,
    resume_option,
    say_stored,
    scenario_options,
    seed_option,
    store_option,
    storing,
    workers_option,
)

if TYPE_CHECKING:
    from sysim.api import Scenario
    from sysim.result import Result


@click.command("run")
@scenario_options
@seed_option
@click.option("--replications", "-n", type=click.IntRange(1), help="How many independent runs.")
@workers_option
@engine_option
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
@store_option
@resume_option
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
    store: str | None,
    resume: bool,
    quiet: bool,
) -> int:
    """Simulate FILE and say what happened.

    FILE is a scenario file, or the name of a model that comes with sysim. The exit code is 0 when all checks
    of the file hold, 1 when one fails, 3 when none fails but some are inconclusive, 2 when the scenario is
    not valid.
    """
    scenario = read(file, variant, settings, params)
    from sysim.report.terminal import Command, show

    call = Command(file, variant, settings, params, seed, replications, engine)
    with storing(store, resume) as keeping:
        result = _simulated(
            scenario, engine, quiet, seed=seed, replications=replications, traces=traces, workers=workers,
            store=keeping,
        )  # fmt: skip
        if keeping is not None:
            plain = StringIO()
            show(result, call, plain)
            keeping.describe(plain.getvalue())

    if out is not None:
        from sysim.report.files import write_all

        for path in write_all(result, out, scenario.to_yaml()):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        click.echo(result.to_json(series))
    else:
        show(result, call, sys.stdout, brief=quiet)
    from sysim.analysis.checks import exit_code

    return say_stored(keeping, 130 if result.interrupted else exit_code(result.checks), quiet)


def _simulated(scenario: Scenario, engine: Any, quiet: bool, **options: Any) -> Result:
    """The result, after Ctrl-C with the replications that were finished."""
    from sysim.api import Interrupted, simulate
    from sysim.cli.progress import progress

    try:
        with progress(engine, quiet) as note:
            return simulate(scenario, engine=engine, progress=note, **options)
    except Interrupted as stop:
        if stop.result is None:
            raise KeyboardInterrupt from None
        click.echo(f"interrupted after {len(stop.result.runs)} replications", err=True)
        return stop.result
