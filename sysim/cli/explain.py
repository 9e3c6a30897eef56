"""``sysim explain``."""

from __future__ import annotations

import click

from sysim.cli.options import read, scenario_options


@click.command("explain")
@scenario_options
@click.option(
    "--resolved", is_flag=True, help="Print the scenario as YAML after includes, variant, --set and --param."
)
@click.option("--plan", "as_plan", is_flag=True, help="Print the plan that the engines run.")
def command(
    file: str,
    variant: str | None,
    settings: tuple[str, ...],
    params: tuple[str, ...],
    resolved: bool,
    as_plan: bool,
) -> None:
    """Explain FILE in plain English, without running it."""
    scenario = read(file, variant, settings, params)
    if resolved:
        click.echo(scenario.to_yaml(), nl=False)
        return
    from sysim.api import plan_of

    plan = plan_of(scenario)
    if as_plan:
        from sysim.plan.describe import describe

        click.echo(describe(plan))
        return
    import shutil
    import textwrap

    from sysim.analysis.explain import explain

    width = min(shutil.get_terminal_size((100, 24)).columns, 110)
    label = f", variant {scenario.variant}" if scenario.variant else ""
    click.echo(f"{scenario.name}{label}")
    for line in textwrap.wrap(" ".join(scenario.model.description.split()), width):
        click.echo(line)
    for title, lines in explain(scenario.model):
        click.echo(f"\n{title}")
        for text in lines:
            click.echo(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="      "))
