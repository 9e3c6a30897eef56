"""``sysim tip``."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sysim.cli.options import read, scenario_options
from sysim.cli.studies import confidence, say_written, shares_between, study_options, written

if TYPE_CHECKING:
    from sysim.study.metastability import Map, Tipping


def _map(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[float, float] | None:
    return None if text is None else shares_between(text)


def _grid(ctx: click.Context, param: click.Parameter, text: str) -> tuple[int, int]:
    columns, x, rows = text.partition("x")
    if not x or not columns.isdigit() or not rows.isdigit() or not 2 <= min(int(columns), int(rows)) <= 100:
        raise click.BadParameter(f"found {text!r}, expected columns x rows, from 2 to 100, as 8x8")
    return int(columns), int(rows)


@click.command("tip")
@scenario_options
@click.option("--path", required=True, metavar="PATH", help="What to vary, as faults.stall.for.")
@click.option("--from", "low", required=True, metavar="VALUE", help="The one end, as 0s.")
@click.option("--to", "high", required=True, metavar="VALUE", help="The other end, as 30s.")
@click.option("--resolution", metavar="VALUE", help="How near to come; within 2 % unless given.")
@click.option(
    "--confidence", "sure", default="95%", show_default=True, callback=confidence, metavar="SHARE",
    help="How sure to be of the interval.",
)  # fmt: skip
@click.option(
    "--map", "factors", callback=_map, metavar="A..B",
    help="Map it over the load instead, from A to B of the file's, as 50%..120%.",
)  # fmt: skip
@click.option(
    "--grid", default="8x8", show_default=True, callback=_grid, metavar="CxR",
    help="Columns of load and rows of values of the map.",
)  # fmt: skip
@study_options(replications=10)
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    path: str,
    low: str,
    high: str,
    resolution: str | None,
    sure: float,
    factors: tuple[float, float] | None,
    grid: tuple[int, int],
    loads: tuple[str, ...],
    replications: int,
    seed: int | None,
    workers: int,
    engine: Any,
    as_json: bool,
    out: str | None,
    quiet: bool,
) -> int:
    """Find how much of something keeps the system of FILE down for good.

    As `sysim tip retry_storm --path faults.stall.for --from 0s --to 30s`: how long a stall may last before the
    system no longer gets up by itself. Each replication meets the same customers at every value. With --map, what
    becomes of the system at each value and each load.
    """
    from sysim.cli.progress import progress
    from sysim.report import tipping as report
    from sysim.study.verbs import tipping_point, vulnerability_map

    scenario = read(file, variant, settings, params)
    common: dict[str, Any] = {
        "replications": replications, "loads": loads, "seed": seed, "engine": engine, "workers": workers,
    }  # fmt: skip
    with progress(engine, quiet) as note:
        if factors is not None:
            area = vulnerability_map(
                scenario, path, low, high, factors=factors, grid=grid, progress=note, **common
            )
        else:
            point = tipping_point(
                scenario, path, low, high, resolution=resolution, confidence=sure, progress=note, **common
            )
    if factors is not None:
        told, text, sentence = report.map_dict(area), report.map_text(area), report.map_sentence(area)
        files = [] if out is None else _write_map(area, written(out))
    else:
        told, text = report.tipping_dict(point), report.tipping_text(point)
        sentence = report.tipping_sentence(point)
        files = [] if out is None else _write_point(point, written(out))
    say_written(files)
    if as_json:
        click.echo(json.dumps(told, allow_nan=False, ensure_ascii=False))
    else:
        click.echo(sentence if quiet else wrapped(text))
    return 130 if factors is not None and area.interrupted else 0


def wrapped(text: str) -> str:
    """Sentences in lines of a readable length; tables as they are."""
    return "\n".join(
        line
        if line.startswith(" ")
        else textwrap.fill(line, 100, subsequent_indent="  " if line.startswith("- ") else "")
        for line in text.split("\n")
    )


def _write_point(found: Tipping, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import tipping as report

    place = folder / "tipping.json"
    place.write_text(json.dumps(report.tipping_dict(found), indent=1) + "\n", encoding="utf-8")
    title = f"{found.scenario}: how much of {found.found.axis.path} keeps it down"
    drawn = plot.tipping(found.found, title)
    return [place, *(plot.save(drawn, folder / f"tipping{suffix}") for suffix in (".png", ".svg"))]


def _write_map(found: Map, folder: Path) -> list[Path]:
    from sysim import plot
    from sysim.report import tipping as report

    place = folder / "vulnerability.json"
    place.write_text(json.dumps(report.map_dict(found), indent=1) + "\n", encoding="utf-8")
    drawn = plot.vulnerability(found)
    return [
        place,
        report.write_map(found, folder / "vulnerability.csv"),
        *(plot.save(drawn, folder / f"vulnerability{suffix}") for suffix in (".png", ".svg")),
    ]
