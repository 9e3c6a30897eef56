"""``sysim validate``."""

from __future__ import annotations

import click

from sysim.cli.options import read, scenario_options


@click.command("validate")
@scenario_options
def command(file: str, variant: str | None, settings: tuple[str, ...], params: tuple[str, ...]) -> None:
    """Say whether FILE is valid, and everything that is wrong with it.

    All variants are tried. Nothing is simulated.
    """
    from sysim.api import plan_of

    scenario = read(file, variant, settings, params)
    plan = plan_of(scenario)
    facts = [
        f"{plan.n_services} services", f"{plan.n_replicas} replicas", f"{plan.n_loads} loads",
        f"{len(scenario.model.faults)} faults", f"{len(scenario.variants)} variants",
        f"{len(scenario.model.checks)} checks",
    ]  # fmt: skip
    click.echo(f"{file}: valid: {scenario.name}, {', '.join(facts)}")
