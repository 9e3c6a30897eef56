"""``sysim report``."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import engine_option, read, scenario_options, seed_option, store_option, stored, workers_option

if TYPE_CHECKING:
    from sysim.report.html import Content


@click.command("report")
@scenario_options
@seed_option
@click.option(
    "--replications", "-n", type=click.IntRange(1),
    help="How many runs of each variant; without it the file's number, and where that has none 10.",
)  # fmt: skip
@workers_option
@engine_option
@click.option(
    "--out", "-o", metavar="FILE", type=click.Path(dir_okay=False), default="report.html", show_default=True,
    help="Where to write the page.",
)  # fmt: skip
@click.option(
    "--what-if", "tried", metavar="JSON", type=click.Path(exists=True, dir_okay=False),
    help="Rank the mitigations that `sysim what-if --json` printed, too.",
)  # fmt: skip
@store_option
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    engine: Any,
    out: str,
    tried: str | None,
    store: str | None,
    quiet: bool,
) -> int:
    """Write one HTML page that tells what happened in FILE.

    FILE is a scenario, whose variants are run side by side as in `sysim check`; or the JSON that `sysim run
    --json --series` or `sysim check --json` printed; or the number of a run in a store, as `sysim runs` lists
    it, or `last`. With --variant the page tells that one in detail. The
    page loads nothing: mail it, print it, keep it. The exit code is that of `sysim run` and `sysim check`.
    """
    from sysim.report.html import page
    from sysim.report.html.story import exit_code

    if not os.access(Path(out).resolve().parent, os.W_OK):
        raise click.BadParameter(f"found {out!r}, expected a file in a folder that can be written", param_hint="--out")
    in_store = file == "last" or file.rpartition("#")[2].isdigit()
    if in_store or file.endswith(".json"):
        if settings or params or seed is not None or replications is not None:
            raise click.UsageError("a stored result is told as it is: --set, --param, --seed and -n are for scenarios")
        content = _from_store(*stored(file, store), variant) if in_store else _of_file(Path(file), variant)
    else:
        content = _simulated(
            file, variant, settings, params, seed, replications, workers, engine, quiet
        )
    if tried is not None:
        content = replace(content, what_if=_tried(Path(tried)))
    Path(out).write_text(page(content), encoding="utf-8")
    click.echo(f"wrote {out}", err=True)
    return exit_code(content)


def _json(path: Path) -> Any:
    from sysim.report.html.content import NotAResult

    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotAResult(f"{path}: found no JSON ({error}), expected the output of a command with --json") from None


def _tried(path: Path) -> tuple[Any, ...]:
    from sysim.report.html.content import NotAResult

    found = _json(path)
    if not isinstance(found, dict) or "mitigations" not in found:
        raise NotAResult(f"{path}: found no mitigations, expected what `sysim what-if --json` prints")
    return tuple(found["mitigations"])


def _from_store(path: str, which: str, variant: str | None) -> Content:
    from sysim.report.html import of_json
    from sysim.store import StoreError, open_store

    with open_store(path) as opened:
        facts = opened.load(which)
    if facts["result"] is None:
        raise StoreError(f"{path}: run {facts['id']} has no result yet, expected one that is complete")
    if facts["kind"] not in ("run", "check"):
        raise StoreError(f"{path}: run {facts['id']} is a {facts['kind']}, expected a `sysim run` or `sysim check`")
    content = of_json(facts["result"], command=facts["command"], focus=variant)
    texts = facts["scenarios"]
    return replace(content, scenario=texts.get(content.focus) or next(iter(texts.values()), ""))


def _of_file(path: Path, variant: str | None) -> Content:
    from sysim.report.html import of_json
    from sysim.report.html.content import NotAResult

    found = _json(path)
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
    again = ["sysim", "report", file]
    for option, values in (("--set", settings), ("--param", params)):
        for value in values:
            again += [option, value]
    if variant is not None:
        again += ["--variant", variant]
    again += ["--seed", str(study.results[focus].run.seed), "--replications", str(study.replications)]
    return of_study(study, told.to_yaml(), shlex.join(again), focus)
