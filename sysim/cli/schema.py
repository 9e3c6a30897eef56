"""``sysim schema``."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    import json

    from sysim.scenario_file import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
