"""What the commands that run a scenario many times share: how often, with which seed, on how many threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sysim.cli.options import engine_option, folder_option, json_option, seed_option, workers_option


def study_options(replications: int | None, loads: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--load (with `loads`), --replications (unless None), --seed, --workers, --engine, --json, --out and --quiet."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--quiet", "-q", is_flag=True, help="No progress; the sentence alone."),
            folder_option,
            json_option,
            engine_option,
            workers_option,
            seed_option,
        ):
            function = option(function)
        if replications is not None:
            function = click.option(
                "--replications", "-n", type=click.IntRange(1), default=replications, show_default=True,
                help="How many runs of each kind.",
            )(function)  # fmt: skip
        if loads:
            function = click.option(
                "--load", "loads", multiple=True, metavar="NAME",
                help="Look at this load only; may be given several times.",
            )(function)  # fmt: skip
        return function

    return decorate


def confidence(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """The callback of --confidence: a share between 0 and 1; None where it is not given and has no default."""
    if text is None:
        return None
    found = share(text)
    if not 0 < found < 1:
        raise click.BadParameter(f"found {text!r}, expected more than 0 and less than 100%")
    return found


def share(text: str) -> float:
    """A share as written on the command line."""
    from sysim import units

    try:
        return units.share(text)
    except units.UnitError as error:
        raise click.BadParameter(str(error)) from None


def shares_between(text: str) -> tuple[float, float]:
    """``50%..120%``: two factors, the first the smaller."""
    low, dots, high = text.partition("..")
    try:
        if not dots:
            raise ValueError
        found = tuple(_factor(part) for part in (low, high))
    except ValueError:
        raise click.BadParameter(f"found {text!r}, expected two shares of the load, as 50%..120%") from None
    if not 0 < found[0] < found[1]:
        raise click.BadParameter(f"found {text!r}, expected two rising shares of the load, as 50%..120%")
    return found[0], found[1]


def _factor(text: str) -> float:
    text = text.strip()
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def written(folder: str) -> Path:
    """The folder of --out, made if it is not there."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    return place


def say_written(paths: list[Path]) -> None:
    """Tell which files were written, on stderr."""
    for path in paths:
        click.echo(f"wrote {path}", err=True)
