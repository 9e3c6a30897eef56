"""``sysim runs``."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sysim.cli.options import STORE, store_option

if TYPE_CHECKING:
    from sysim.store import Entry


@click.command("runs")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, and nothing else.")
@click.option(
    "--delete", "gone", multiple=True, metavar="ID", help="Delete this run; may be given several times."
)
def command(store: str | None, as_json: bool, gone: tuple[str, ...]) -> None:
    """List the runs of a store, the newest first.

    A run whose process was killed is listed as interrupted; the replications that it had finished are there. Times
    are local; in JSON they are UTC.
    """
    from sysim.store import open_store

    if not store:
        raise click.UsageError(f"which store? Give --store PATH, or set {STORE}")
    with open_store(store) as opened:
        for which in gone:
            entry = opened.delete(which)
            click.echo(f"deleted run {entry.id}: {entry.scenario}, started {_local(entry.started)}", err=True)
        runs = opened.runs()
    if as_json:
        click.echo(json.dumps([entry.to_dict() for entry in runs], ensure_ascii=False))
    elif not gone:
        _print(runs)


def _print(runs: tuple[Entry, ...]) -> None:
    if not runs:
        click.echo("no runs")
        return
    head = ("id", "started", "command", "scenario", "variants", "engine", "seed", "runs", "state", "verdict")
    rows = [
        (
            str(e.id), _local(e.started), e.kind, e.scenario, _variants(e), e.engine,
            str(e.seed), str(e.replications) if e.asked in (None, e.replications) else f"{e.replications} of {e.asked}",
            e.state, e.verdict or "–",
        )
        for e in runs
    ]  # fmt: skip
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    right = ("id", "seed", "runs")
    for row in (head, *rows):
        cells = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, row, widths, strict=True)
        )
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _variants(entry: Entry) -> str:
    if entry.kind == "sweep":
        return f"{len(entry.variants)} points"
    return " ".join(v for v in entry.variants if v) or "–"


def _local(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M")
