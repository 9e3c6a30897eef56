"""``sysim fit``."""

from __future__ import annotations

import json
from pathlib import Path

import click


def _share(ctx: click.Context, param: click.Parameter, text: str) -> float:
    from sysim.units import UnitError, share

    try:
        value = share(text)
    except UnitError as error:
        raise click.BadParameter(str(error)) from None
    if not 0.0 < value < 1.0:
        raise click.BadParameter(f"found {text}, expected a share between 0 and 1, such as 25%")
    return value


@click.command("fit")
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--time", metavar="COLUMN", help="The column of moments; a usual name or the first unless given.")
@click.option("--value", metavar="COLUMN", help="The column of numbers; a usual name or the second unless given.")
@click.option(
    "--unit", type=click.Choice(["count", "/s", "/m", "/h", "/d"]),
    help="What the numbers are; count unless the column is called rate.",
)  # fmt: skip
@click.option("--every", metavar="DURATION", help="The spans to count in, as 5m; those of the rows unless given.")
@click.option("--start", metavar="MOMENT", help="The moment of second 0, where times are elapsed seconds.")
@click.option("--zone", metavar="NAME", help="The clock that customers live by, as Europe/London.")
@click.option("--format", "form", metavar="FORM", help="The form of moments, as strptime has it: '%d/%m/%Y %H:%M'.")
@click.option(
    "--daily", type=click.Choice(["auto", "factors", "curve"]), default="auto", show_default=True,
    help="24 factors of the hour, a smooth day, or whichever says it well.",
)  # fmt: skip
@click.option(
    "--held-out", default="25%", show_default=True, callback=_share, metavar="SHARE",
    help="The share of weeks that are foretold from the others.",
)  # fmt: skip
@click.option(
    "--load", default="customers", show_default=True, metavar="NAME", help="The name of the load in the YAML."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the YAML into this file.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw trace, fit and held-out weeks (.png, .svg)."
)
def command(
    trace: Path, time: str | None, value: str | None, unit: str | None, every: str | None, start: str | None,
    zone: str | None, form: str | None, daily: str, held_out: float, load: str, as_json: bool, out: Path | None,
    plot: Path | None,
) -> None:  # fmt: skip
    """Turn the load in TRACE into a calendar, and say how well it foretells weeks that were held out.

    TRACE is a CSV file with moments and counts (or rates), or a file with one moment a line. The calendar is printed as
    YAML to paste into a scenario, what it is worth goes to stderr.
    """
    from sysim.traffic.fit import fit

    found = fit(
        trace, time=time, value=value, unit=unit, every=every, start=start, zone=zone, form=form, daily=daily,
        held_out=held_out, load=load,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(str(found), err=True)
        if out is None:
            click.echo("", err=True)
            click.echo(found.yaml, nl=False)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found.yaml, encoding="utf-8")
        click.echo(f"written: {out}", err=True)
    if plot is not None:
        from sysim.plot import fitted, save

        plot.parent.mkdir(parents=True, exist_ok=True)
        click.echo(f"written: {save(fitted(found), plot)}", err=True)
