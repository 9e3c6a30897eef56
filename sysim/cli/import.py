"""``sysim import``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sysim.traffic.imports.block import Imported

_PATH = click.Path(path_type=Path)


@click.group("import")
def command() -> None:
    """Turn load of other tools into load of a scenario: k6, locust, access logs.

    Nothing is executed. What is lost on the way is told on stderr.
    """


def _out(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--out", type=_PATH, metavar="FILE", help="Write into this file.")(function)


@command.command("k6")
@click.argument("file", type=_PATH)
@click.option("--call", metavar="TARGET", help="What one iteration calls, as web.get.")
@click.option("--think", metavar="TIME", help="How long users sleep between iterations, as '{exponential: 1s}'.")
@_out
def k6(file: Path, call: str | None, think: str | None, out: Path | None) -> None:
    """The options of a k6 test as loads: FILE is JSON of `k6 inspect`, or a script with plain options."""
    from sysim.traffic.imports.k6 import read

    _give(read(file, _text(file), call, think), out)


@command.command("locust")
@click.argument("file", type=_PATH, required=False)
@click.option("--users", type=int, metavar="N", help="As locust has it: how many users at most.")
@click.option("--spawn-rate", type=float, metavar="R", help="As locust has it: users started a second (1).")
@click.option("--run-time", metavar="T", help="As locust has it: 300s, 20m, 1h30m.")
@click.option("--wait", metavar="TIME", help="The wait_time of users, as 1s..3s or 1s.")
@click.option("--call", metavar="TARGET", help="What one task calls, as web.get.")
@_out
def locust(
    file: Path | None, users: int | None, spawn_rate: float | None, run_time: str | None, wait: str | None,
    call: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Users as a closed load, or FILE: a locust.conf, or a stats history, which becomes a trace as CSV."""
    from sysim.errors import SysimError
    from sysim.traffic.imports import locust as tool

    text = None if file is None else _text(file)
    if file is not None and text is not None and text[:200].partition("\n")[0].count(",") >= 4:
        found = tool.history(file, text)
        click.echo(f"{sum(count for _, count in found.rows):,.0f} requests in {len(found.rows):,} seconds, of at most "
                   f"{found.most_users:,} users", err=True)  # fmt: skip
        _say(found.notes)
        _trace(["time", "count"], ((moment, f"{count:g}") for moment, count in found.rows), out)
        return
    known = {} if text is None else tool.settings(text)
    try:
        users = users if users is not None else int(known["users"])
        spawn_rate = spawn_rate if spawn_rate is not None else float(known.get("spawn-rate", 1.0))
    except KeyError:
        raise click.UsageError("how many users? Give --users N, or a file that says it") from None
    except ValueError as error:
        raise SysimError(f"found a setting that is no number: {error}") from None
    source = "locust" if file is None else file.name
    _give(tool.users(users, spawn_rate, run_time or known.get("run-time"), wait, call, source), out)


@command.command("log")
@click.argument("files", type=_PATH, nargs=-1, required=True)
@click.option("--every", default="1m", show_default=True, metavar="DURATION", help="The spans to count in.")
@click.option("--events", is_flag=True, help="Every request on its own line, for an exact replay.")
@click.option("--zone", metavar="NAME", help="The clock to tell moments on, as Europe/London.")
@click.option("--field", metavar="NAME", help="Where lines of JSON have the moment; the usual names unless given.")
@click.option("--only", metavar="REGEX", help="Only lines that match, as 'POST /bets'.")
@click.option("--format", "form", metavar="FORM", help="The form of moments in JSON, as strptime has it.")
@_out
def log(
    files: tuple[Path, ...], every: str, events: bool, zone: str | None, field: str | None, only: str | None,
    form: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Access logs (common, combined, lines of JSON; also gzipped) as a trace, for `sysim fit` or `csv:`."""
    from sysim import units
    from sysim.errors import SysimError
    from sysim.traffic.imports import logs
    from sysim.traffic.moments import Reader
    from sysim.traffic.trace import zone_named

    try:
        seconds, rest = divmod(units.duration(every), 1_000_000_000)
    except units.UnitError as error:
        raise SysimError(str(error)) from None
    if rest or seconds < 1 or 86_400 % seconds:
        raise SysimError(f"found spans of {every}, expected whole seconds that divide a day, such as 1m or 5m")
    named = zone_named(zone)
    found = logs.read(list(files), Reader(named, form=form), field, only)
    click.echo(f"{found.requests:,} requests in {found.lines:,} lines", err=True)
    if found.filtered:
        click.echo(f"  {found.filtered:,} lines do not match {only!r}", err=True)
    if found.unread:
        click.echo(f"  {found.unread:,} lines could not be read, the first of them:", err=True)
        _say([f"  {line}" for line in found.first])
    if events:
        _trace(["time"], ((moment,) for moment in logs.instants(found, named)), out)
    else:
        _trace(["time", "count"], ((moment, str(count)) for moment, count in logs.counted(found, seconds, named)), out)


def _text(path: Path) -> str:
    from sysim.errors import SysimError

    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SysimError(f"found no file that can be read at {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SysimError(f"found the byte 0x{error.object[error.start]:02x} in {path}, expected UTF-8 text") from None


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"  {line}", err=True)


def _give(found: Imported, out: Path | None) -> None:
    if found.lost:
        click.echo("what is lost:", err=True)
        _say(found.lost)
    _write(found.yaml, out)


def _trace(head: list[str], rows: Iterable[tuple[str, ...]], out: Path | None) -> None:
    _write("\n".join([",".join(head), *(",".join(row) for row in rows)]) + "\n", out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(f"written: {out}", err=True)
