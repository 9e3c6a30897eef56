"""``sysim models``."""

from __future__ import annotations

import click


@click.command("models")
def command() -> None:
    """List the models and experiments that come with sysim. Any command takes their names for FILE."""
    import shutil
    import textwrap

    from sysim.shipped import library

    entries = library()
    if not entries:
        click.echo("no models found", err=True)
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 110)
    for kind in ("model", "experiment"):
        some = [entry for entry in entries if entry.kind == kind]
        if some:
            click.echo(f"{kind}s")
        for entry in some:
            click.echo(f"  {entry.name}")
            for line in textwrap.wrap(entry.description, width - 6):
                click.echo(f"      {line}")
