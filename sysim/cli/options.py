"""What the commands share: the FILE argument and the options that change the scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sysim.api import Scenario


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def scenario_options(function: Callable[..., Any] | None = None, *, several: bool = False) -> Any:
    """FILE, --variant, --set and --param; with `several`, --variant may be given more than once."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in _decorators(several):
            function = decorator(function)
        return function

    return decorate if function is None else decorate(function)


def _decorators(several: bool) -> tuple[Decorator, ...]:
    variant = click.option("--variant", metavar="NAME", help="One of the file's variants.")
    if several:
        variant = click.option(
            "--variant", "variants", multiple=True, metavar="NAME",
            help="Only this variant; may be given several times.",
        )  # fmt: skip
    return (
        click.option(
            "--param", "params", multiple=True, metavar="NAME=VALUE",
            help="Give a parameter of the file another value.",
        ),
        click.option(
            "--set", "settings", multiple=True, metavar="PATH=VALUE",
            help="Replace one value, as load.web.rate=500/s.",
        ),
        variant,
        click.argument("file"),
    )  # fmt: skip


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
