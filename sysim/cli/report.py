"""``sysim report``."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import read, scenario_options

if TYPE_CHECKING:
    from sysim.report.html import Content


@click.command("report")
@scenario_options
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Another seed than the file's.")
@click.option(
    "--replications", "-n", type=click.IntRange(1),
    help="How many runs of each variant; without it the file's number, and where that has none 10.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), default=None, metavar="N",
    help="Run so many at a time; as many as the machine has processors unless given.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["compiled", "reference"]), default="compiled", show_default=True,
    help="Both give the same result; the reference one is the readable, slow one.",
)  # fmt: skip
@click.option(
    "--out", "-o", metavar="FILE", type=click.Path(dir_okay=False), default="report.html", show_default=True,
    help="Where to write the page.",
)  # fmt: skip
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int | None,
    engine: Any,
    out: str,
    quiet: bool,
) -> int:
    """Write one HTML page that tells what happened in FILE.

    FILE is a scenario, whose variants are run side by side as in `sysim check`, or the JSON that `sysim run
    --json --series` or `sysim check --json` printed. With --variant the page tells that one in detail. The
    page loads nothing: mail it, print it, keep it. The exit code is that of `sysim run` and `sysim check`.
    """
    from sysim.report.html import page
    from sysim.report.html.story import exit_code

    if file.endswith(".json"):
        if settings or params or seed is not None or replications is not None:
            raise click.UsageError("a stored result is told as it is: --set, --param, --seed and -n are for scenarios")
        content = _stored(Path(file), variant)
    else:
        content = _simulated(
            file, variant, settings, params, seed, replications, workers or os.cpu_count() or 1, engine, quiet
        )
    Path(out).write_text(page(content), encoding="utf-8")
    click.echo(f"wrote {out}", err=True)
    return exit_code(content)


def _stored(path: Path, variant: str | None) -> Content:
    from sysim.report.html import of_json
    from sysim.report.html.content import NotAResult

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotAResult(f"{path}: found no JSON ({error}), expected the output of sysim run --json") from None
    beside = path.with_name("scenario.yaml")
    try:
        content = of_json(found, focus=variant)
        if "runs" in found and beside.is_file():
            from sysim.api import load

            scenario = load(beside)
            if scenario.digest == found["scenario"]["digest"]:
                content = of_json(found, scenario=scenario.to_yaml(), focus=variant)
        return content
    except NotAResult as error:
        raise NotAResult(f"{path}: {error}") from None


def _simulated(
    file: str, variant: str | None, settings: tuple[str, ...], params: tuple[str, ...], seed: int | None,
    replications: int | None, workers: int, engine: Any, quiet: bool,
) -> Content:  # fmt: skip
    from sysim.checking import FEW_REPLICATIONS, check
    from sysim.cli.progress import progress
    from sysim.report.html import of_study

    scenario = read(file, None, settings, params)
    if variant is not None and variant not in scenario.variants:
        read(file, variant, settings, params)  # says what is wrong with the name
    if replications is None and "replications" not in scenario.model.model_fields_set:
        alone = not scenario.variants and not scenario.model.checks
        replications = 1 if alone else FEW_REPLICATIONS
    with progress(engine, quiet) as note:
        study = check(scenario, seed=seed, replications=replications, engine=engine, workers=workers, progress=note)
    if study.interrupted:
        click.echo(f"interrupted after {study.replications} replications of each variant", err=True)
    focus = variant or study.baseline
    told = scenario.as_variant(focus) if focus in scenario.variants else scenario
    words = ["sysim", "report", file]
    for option, values in (("--set", settings), ("--param", params)):
        for value in values:
            words += [option, value]
    if variant is not None:
        words += ["--variant", variant]
    words += ["--seed", str(study.results[focus].run.seed), "--replications", str(study.replications)]
    return of_study(study, told.to_yaml(), shlex.join(words), focus)
