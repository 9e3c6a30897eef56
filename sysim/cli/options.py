"""What the commands share: the FILE argument and the options that change the scenario."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sysim.api import Scenario
    from sysim.store import Keeping

WORDS = "sysim.cli.words"

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


def _processors(ctx: click.Context, param: click.Parameter, workers: int | None) -> int:
    if workers is not None:
        return workers
    # Those that this process may use: in a container, or under taskset, not those of the machine.
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return len(allowed) or os.cpu_count() or 1


seed_option = click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Another seed than the file's.")
workers_option = click.option(
    "--workers", type=click.IntRange(1), default=None, callback=_processors, metavar="N",
    help="Run so many at a time, one a processor unless given; the result does not depend on it.",
)  # fmt: skip
engine_option = click.option(
    "--engine", type=click.Choice(["compiled", "reference"]), default="compiled", show_default=True,
    help="Both give the same result; the reference one is the readable, slow one.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
folder_option = click.option(
    "--out", metavar="DIR", type=click.Path(file_okay=False), help="Write JSON, CSV and figures there."
)

STORE = "SYSIM_STORE"


def store_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--store, with its default in the environment."""
    return click.option(
        "--store", metavar="PATH", envvar=STORE,
        help=f"The file of the store; {STORE} in the environment unless given.",
    )(function)  # fmt: skip


def resume_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--resume."""
    return click.option(
        "--resume", is_flag=True, help="Go on where it stopped: what the store has is not simulated again."
    )(function)


def storing(store: str | None, resume: bool) -> AbstractContextManager[Keeping | None]:
    """What `run` and `check` store with, None where nothing is stored."""
    if not store:
        if resume:
            raise click.UsageError(f"--resume goes on with what is stored: it needs --store PATH, or {STORE}")
        return nullcontext()
    from sysim.store import Keeping

    return Keeping(
        store, resume=resume, command=shlex.join(("sysim", *words())), tell=lambda text: click.echo(text, err=True)
    )


def words() -> list[str]:
    """The command line as it was given, without the name of the program."""
    found = click.get_current_context().find_root().meta.get(WORDS, [])
    return [str(word) for word in found]


def going_on(command: str) -> str:
    """The command line with which a stored run goes on."""
    command = command or "the same command"
    return command if "--resume" in command.split() else f"{command} --resume"


def say_interrupted(keeping: Keeping | None, finished: int) -> int:
    """Tell on stderr that Ctrl-C came after so many runs of a study, and how it goes on; the exit code."""
    runs = f"interrupted after {finished} {'run' if finished == 1 else 'runs'}"
    if keeping is None:
        text = f"{runs}, of which nothing was kept: with --store PATH they are, and --resume then goes on"
    elif keeping.failure is not None:
        text = f"{runs}, of which not all could be stored"
    elif keeping.id is None:
        text = runs
    else:
        text = f"{runs}, stored as run {keeping.id} in {keeping.path}; `{going_on(keeping.command)}` goes on"
    click.echo(text, err=True)
    return 130


def say_stored(keeping: Keeping | None, code: int, quiet: bool, what: str = "replications") -> int:
    """Tell on stderr where the run is; the exit code, which says 2 where all is well but storing."""
    if keeping is None:
        return code
    if keeping.failure is not None:
        return code or 2
    if not quiet:
        again = f", {keeping.reused} {what} of it stored before" if keeping.reused else ""
        click.echo(f"stored as run {keeping.id} in {keeping.path}{again}", err=True)
    return code


def stored(which: str, store: str | None) -> tuple[str, str]:
    """The store and the run that an argument names: a number or ``last``, or with the store in it PATH#NUMBER."""
    path, mark, number = which.rpartition("#")
    if mark:
        return path, number
    if not store:
        raise click.UsageError(f"found the run {which!r}, but no store: give --store PATH, or set {STORE}")
    return store, which


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
