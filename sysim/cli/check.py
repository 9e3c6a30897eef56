"""``sysim check``."""

from __future__ import annotations

import os
import shlex
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import (
    engine_option,
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

if TYPE_CHECKING:
    from sysim.study.study import Study


def _precision(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    return None if text is None else _read(text, "share")


def _budget(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    return None if text is None else _read(text, "duration") / 1e9


def _read(text: str, reader: str) -> float:
    from sysim import units

    try:
        found = float(getattr(units, reader)(text))
    except units.UnitError as error:
        raise click.BadParameter(str(error)) from None
    if found <= 0:
        raise click.BadParameter(f"found {text!r}, expected more than 0")
    return found


@click.command("check")
@scenario_options(several=True)
@seed_option
@click.option(
    "--replications", "-n", type=click.IntRange(1),
    help="How many runs of each variant; without it, and without a number in the file, as many as it takes.",
)  # fmt: skip
@click.option(
    "--max-replications", type=click.IntRange(2), metavar="N",
    help="At most so many, where as many are run as it takes (200).",
)  # fmt: skip
@click.option(
    "--precision", callback=_precision, metavar="SHARE",
    help="Go on until each interval is at most ± this share of its value, as 1%.",
)  # fmt: skip
@click.option(
    "--budget", callback=_budget, metavar="TIME",
    help="Stop after so much wall time, as 60s; the result then depends on the machine.",
)  # fmt: skip
@click.option(
    "--correct", type=click.Choice(["holm", "none"]), default="holm", show_default=True,
    help="How the number of verdicts is allowed for.",
)  # fmt: skip
@workers_option
@engine_option
@json_option
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write verdicts as JUnit XML.")
@click.option(
    "--junit-inconclusive", type=click.Choice(["skipped", "failure"]), default="skipped", show_default=True,
    help="What an inconclusive check is in JUnit.",
)  # fmt: skip
@click.option(
    "--github", is_flag=True,
    help="Annotate the file on GitHub; on by itself where GITHUB_ACTIONS is true.",
)  # fmt: skip
@click.option(
    "--out", metavar="DIR", type=click.Path(file_okay=False),
    help="Write check.json, report.html, differences.csv and a folder for each variant there.",
)  # fmt: skip
@store_option
@resume_option
@click.option("--quiet", "-q", is_flag=True, help="Print verdicts and sentences only, and no progress.")
def command(
    file: str,
    variants: tuple[str, ...],
    settings: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    max_replications: int | None,
    precision: float | None,
    budget: float | None,
    correct: Any,
    workers: int,
    engine: Any,
    as_json: bool,
    junit: str | None,
    junit_inconclusive: Any,
    github: bool,
    out: str | None,
    store: str | None,
    resume: bool,
    quiet: bool,
) -> int:
    """Run every variant of FILE side by side and say which checks hold.

    All variants meet the same random numbers, and the differences between them are taken run by run. The exit
    code is 0 when all checks hold, 1 when one fails or a condition of abort_when is met, 3 when none fails
    but some are inconclusive, 2 when the scenario is not valid, 130 after Ctrl-C.
    """
    from sysim.checking import check
    from sysim.cli.progress import progress

    if replications is not None and (precision is not None or max_replications is not None):
        raise click.UsageError("--replications fixes the number that --precision and --max-replications choose")
    if junit is not None and not os.access(Path(junit).resolve().parent, os.W_OK):
        message = f"found {junit!r}, expected a file in a folder that can be written"
        raise click.BadParameter(message, param_hint="--junit")
    scenario = read(file, None, settings, params)
    from sysim.report.study import show_study

    with storing(store, resume) as keeping:
        with progress(engine, quiet) as note:
            study = check(
                scenario, variants=variants, seed=seed, replications=replications, engine=engine,
                workers=workers, correct=correct, precision=precision,
                max_replications=max_replications, budget_s=budget, progress=note, store=keeping,
            )  # fmt: skip
        again = _again(file, variants, settings, params, study, correct)
        if keeping is not None:
            plain = StringIO()
            show_study(study, plain, again=again)
            keeping.describe(plain.getvalue())
    told = dict.fromkeys(warning for result in study.results.values() for warning in result.warnings)
    for warning in told:
        if warning not in scenario.warnings:
            click.echo(str(warning), err=True)
    if study.interrupted:
        click.echo(f"interrupted after {study.replications} replications of each variant", err=True)
    if out is not None:
        from sysim.report.files import write_study

        texts = {
            name: (scenario.as_variant(name) if name in scenario.variants else scenario).to_yaml()
            for name in study.results
        }
        for path in write_study(study, out, texts):
            click.echo(f"wrote {path}", err=True)
    if junit is not None:
        from sysim.report.junit import junit as xml

        Path(junit).write_text(xml(study, junit_inconclusive), encoding="utf-8")
    if as_json:
        click.echo(study.to_json())
    else:
        show_study(study, sys.stdout, quiet, again)
    if github or os.environ.get("GITHUB_ACTIONS") == "true":
        from sysim.report.github import workflow_commands

        # GitHub reads workflow commands on either stream; with --json, stdout is the object and nothing else.
        for line in workflow_commands(study):
            click.echo(line, err=as_json)
    return say_stored(keeping, study.exit_code, quiet)


def _again(
    file: str,
    variants: tuple[str, ...],
    settings: tuple[str, ...],
    params: tuple[str, ...],
    study: Study,
    correct: str,
) -> str:
    """A command that gives the same numbers, on any machine."""
    words = ["sysim", "check", file]
    for option, values in (("--variant", variants), ("--set", settings), ("--param", params)):
        for value in values:
            words += [option, value]
    words += ["--seed", str(next(iter(study.results.values())).run.seed)]
    if not study.sampling.sequential or study.reason in ("budget", "interrupted"):
        words += ["--replications", str(study.replications)]
    else:
        if study.sampling.planned[-1] != 200:
            words += ["--max-replications", str(study.sampling.planned[-1])]
        if study.sampling.precision is not None:
            words += ["--precision", f"{study.sampling.precision * 100:g}%"]
    if correct != "holm":
        words += ["--correct", correct]
    return shlex.join(words)
