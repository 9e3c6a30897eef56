"""What the commands share: the FILE argument and the options that change the scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sysim.api import Scenario


def scenario_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """FILE, --variant, --set and --param."""
    for decorate in (
        click.option(
            "--param",
            "params",
            multiple=True,
            metavar="NAME=VALUE",
            help="Give a parameter of the file another value.",
        ),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="PATH=VALUE",
            help="Replace one value, as load.web.rate=500/s.",
        ),
        click.option("--variant", metavar="NAME", help="One of the file's variants."),
        click.argument("file"),
    ):
        function = decorate(function)
    return function


def read(file: str, variant: str | None, settings: tuple[str, ...], params: tuple[str, ...]) -> Scenario:
    """The scenario that the options ask for; warnings go to stderr."""
    from sysim.api import load

    for text in settings:
        if "=" not in text:
            raise click.BadParameter(f"found {text!r}, expected path=value", param_hint="--set")
    given = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"found {text!r}, expected name=value", param_hint="--param")
        given[name.strip()] = value
    scenario = load(file, variant=variant, set=settings, params=given)
    for warning in scenario.warnings:
        click.echo(str(warning), err=True)
    return scenario
