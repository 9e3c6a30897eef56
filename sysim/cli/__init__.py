"""The command line: ``sysim run``, ``check``, ``compare``, ``tip``, ``relief``, ``what-if``, ``break``, ``sweep``, …

Commands are imported when they are used, so that ``sysim --help`` is quick. Exit codes: 0 all is well, 1 a
check fails, 2 the scenario or the usage is wrong, 3 no check fails but some are inconclusive, 130
interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from sysim.cli.options import WORDS

COMMANDS = {
    "run": "Simulate a scenario and say what happened.",
    "check": "Run every variant, and say which checks hold and which mitigations work.",
    "report": "Write one HTML page that tells what happened, to read, print or mail.",
    "compare": "Compare two scenarios, variants or stored results.",
    "runs": "List the runs of a store, or delete some.",
    "show": "Print a stored run again: its summary, or its JSON object.",
    "validate": "Say whether a scenario is valid, and everything that is wrong with it.",
    "explain": "Explain a scenario in plain English, without running it.",
    "tip": "Find how much of a fault, or of anything, keeps the system down for good.",
    "relief": "Find the least cut of the load with which the system gets up again.",
    "what-if": "Go on from an instant under each mitigation, and say which would help.",
    "break": "Break everything, one thing at a time and in pairs, and rank what that does to customers.",
    "year": "Say what a calendar year comes to: days that matter at full detail, the others by a model.",
    "plan": "Find how many replicas keep what is promised, what they cost, and what breaks first.",
    "sweep": "Run a scenario at many points, and say what becomes of it and which factor matters.",
    "import": "Turn load of k6, locust or access logs into load of a scenario, or into a trace.",
    "fit": "Turn a load trace into a calendar, and say how well it foretells weeks that were held out.",
    "models": "List the models and experiments that come with sysim.",
    "schema": "Print the JSON Schema of scenario files, for editors.",
}
USAGE, DEFECT, INTERRUPTED, BROKEN_PIPE = 2, 70, 130, 141


class LazyCommands(click.Group):
    """A group whose commands are modules, imported on use; it turns exceptions into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"sysim.cli.{cmd_name.replace('-', '_')}"), "command")  # noqa: B009
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands of the help text, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Note the words of the command line, which parsing takes apart."""
        words = list(args)
        made = super().make_context(info_name, args, parent, **extra)
        made.meta[WORDS] = words
        return made

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Run, and exit with the code that says how it went; a user's mistake never shows a traceback."""
        options["standalone_mode"] = False
        try:
            code = _guarded(lambda: super(LazyCommands, self).main(args, *rest, **options))
        finally:
            _quiet_flush()
        sys.exit(code)


def _guarded(action: Any) -> int:
    try:
        code = action()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception as error:
        return _told(error)


def _told(error: Exception) -> int:
    """Print what the user did wrong; anything else is a defect, with its traceback and a code of its own."""
    from sysim.errors import ScenarioError, SysimError

    if isinstance(error, ScenarioError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
        n = sum(problem.severity == "error" for problem in error.problems)
        click.echo(f"{n} {'problem' if n == 1 else 'problems'}", err=True)
        return USAGE
    if isinstance(error, SysimError):
        click.echo(f"sysim: {error}", err=True)
        return USAGE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"sysim: {where}{error.strerror or error}", err=True)
        return USAGE
    import traceback

    traceback.print_exception(error)
    click.echo("sysim: this is a defect of sysim, not of the scenario", err=True)
    return DEFECT


def _quiet_flush() -> None:
    """Flush stdout; when the reader has gone, give it nowhere to complain about it at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except ValueError:
        pass


def _version() -> str:
    from sysim import __version__

    return __version__


@click.group(
    cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(_version(), prog_name="sysim")
def cli() -> None:
    """Simulate how a distributed system fails, and whether it gets up again.

    FILE is a scenario file, or the name of a model that comes with sysim.
    """


def main() -> NoReturn:
    """The entry point of the ``sysim`` command."""
    cli.main(prog_name="sysim")
