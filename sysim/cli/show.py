"""``sysim show``."""

from __future__ import annotations

import json

import click

from sysim.cli.options import going_on, store_option, stored


@click.command("show")
@click.argument("run", metavar="ID")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print the JSON object of the run, and nothing else.")
@click.option("--series", is_flag=True, help="With --json: what happened over time, too.")
@click.option("--scenario", is_flag=True, help="Print the scenario as it was resolved, in place of the result.")
def command(run: str, store: str | None, as_json: bool, series: bool, scenario: bool) -> None:
    """Print a stored run again, as the command that made it did.

    ID is the number that `sysim runs` lists, or `last`; PATH#ID names the store as well.
    """
    from sysim.store import StoreError, open_store

    path, which = stored(run, store)
    with open_store(path) as opened:
        facts = opened.load(which, series=as_json and series)
    if scenario:
        for number, (variant, text) in enumerate(facts["scenarios"].items()):
            click.echo(("---\n" if number else "") + (f"# variant {variant}\n" if variant else "") + text, nl=False)
        return
    if facts["result"] is None:
        again = going_on(facts["command"])
        done = f"{facts['replications']} {'runs' if facts['kind'] in ('plan', 'year') else 'replications'}"
        if facts["state"] == "running":
            raise StoreError(f"{path}: run {facts['id']} is still running, with {done} so far")
        how = "killed" if facts["exit_code"] is None else "interrupted"
        raise StoreError(
            f"{path}: run {facts['id']} was {how} before it had a result; {done} are stored, and `{again}` goes on"
        )
    if as_json:
        click.echo(json.dumps(facts["result"], allow_nan=False, ensure_ascii=False))
    elif facts["summary"]:
        click.echo(facts["summary"], nl=False)
    else:
        raise StoreError(f"{path}: run {facts['id']} was stored without a summary; --json prints its numbers")
