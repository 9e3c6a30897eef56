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
    from sysim.analysis.words import counted

    model = scenario.model
    facts = [
        counted(plan.n_services, "service"), counted(plan.n_replicas, "replica"),
        counted(plan.n_loads, "load"), counted(len(model.faults), "fault"),
        counted(len(scenario.variants), "variant"), counted(len(model.checks), "check"),
    ]  # fmt: skip
    click.echo(f"{file}: valid: {scenario.name}, {', '.join(facts)}")
