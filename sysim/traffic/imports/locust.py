"""Locust: users and their spawn rate as a closed load, and `…_stats_history.csv` as a trace.

Users are started as `locust.dispatch.UsersDispatcher` does: the whole part of the spawn rate at once, at least one, the
first at time 0, and so often that the rate is kept.

The columns are those of `locust.stats.StatsCSVFileWriter`: `Timestamp` (seconds since 1970), `User Count`, `Type`,
`Name`, `Requests/s`, …, `Total Request Count`, which counts from the beginning. Rows named `Aggregated` hold all
requests; with `--csv-full-history` there are others beside them, which are left out.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from sysim import units
from sysim.errors import Problem, ScenarioError, SysimError
from sysim.traffic.imports.block import SECOND, Imported
from sysim.traffic.moments import EPOCH
from sysim.units import UnitError, format_duration

TIME, USERS, NAME, TOTAL = "Timestamp", "User Count", "Name", "Total Request Count"
_RUN_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_SETTING = re.compile(r"\s*(?:--)?([A-Za-z][\w-]*)\s*[=: ]\s*(.+?)\s*")


MOST_STEPS = 100  # in which users who come several at a time are written down


@dataclass
class History:
    """A trace of counts as (moment, count) a second, and what had to be done to read it."""

    rows: list[tuple[str, float]]
    notes: list[str]
    most_users: int


def users(
    count: int, spawn_rate: float | None, run_time: str | None, wait: str | None, call: str | None, source: str
) -> Imported:
    """What ``locust --users N --spawn-rate R --run-time T`` comes to; `wait` is the `wait_time` of its users: ``1s`` or
    ``1s..3s``. Raises `SysimError`.
    """
    if count < 1:
        raise SysimError(f"found {count} users, expected at least 1")
    found = Imported(source, call=call)
    rate = 1.0 if spawn_rate is None else spawn_rate
    if not 0.0 < rate < math.inf:
        raise SysimError(f"found a spawn rate of {rate:g}, expected more than 0")
    lines = [*_spawned(count, rate, found), _think(wait, found)]
    if run_time is not None:
        found.length = run_time_of(run_time)
    found.lose("which task a user does next, and how often, stands in the locustfile, which is not read")
    found.loads["users"] = lines
    return found


def _spawned(count: int, rate: float, found: Imported) -> list[str]:
    """The users over time as YAML."""
    batch = max(1, math.floor(rate))
    often = math.ceil(count / batch)

    def after(batches: int) -> int:
        instant = round(Fraction(batches * batch) / Fraction(repr(rate)) * SECOND)
        if instant > units.MAX_NS:
            raise SysimError(f"found a spawn rate of {rate:g}, expected one with which {count} users come within a run")
        return instant

    if often == 1:
        return [f"users: {count}"]
    if batch > 1 and often <= MOST_STEPS:
        steps = ((after(number), min(count, (number + 1) * batch)) for number in range(often))
        return ["users:", "  steps:",
                *(f"    - {{at: {format_duration(at)}, users: {there}}}" for at, there in steps)]  # fmt: skip
    if batch > 1:
        found.lose(f"locust starts {batch} users at a time, here they come one by one, as many a second")
    ramp = f"    - {{for: {format_duration(after(often - 1))}, to: {count}}}"
    return ["users:", f"  from: {batch}", "  stages:", ramp]


def _think(wait: str | None, found: Imported) -> str:
    if wait is None:
        found.lose("`wait_time` stands in the locustfile, which is not read: say it as --wait 1s..3s")
        return "# think: {uniform: [1s, 3s]}"
    low, dots, high = wait.partition("..")
    try:
        first, last = units.duration(low.strip()), units.duration(high.strip()) if dots else None
    except UnitError as error:
        raise SysimError(f"found the wait {wait!r}, expected 1s or 1s..3s: {error}") from None
    if last is None:
        return f"think: {format_duration(first)}"
    if last < first:
        raise SysimError(f"found the wait {wait!r}, expected the shorter time first")
    return f"think: {{uniform: [{format_duration(first)}, {format_duration(last)}]}}"


def run_time_of(text: str) -> int:
    """ns of ``300s``, ``20m``, ``3h``, ``1h30m`` or ``300`` (seconds), as locust reads them."""
    parts = _RUN_TIME.fullmatch(text.strip())
    if parts is None or not text.strip():
        raise SysimError(f"found the run time {text!r}, expected one such as 300s, 20m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND


def settings(text: str) -> dict[str, str]:
    """The lines `users = 100` of a locust.conf that matter here."""
    found = {}
    for line in text.splitlines():
        match = _SETTING.fullmatch(line.partition("#")[0])
        if match is not None and match[1] in ("users", "spawn-rate", "run-time"):
            found[match[1]] = match[2].strip("'\"")
    return found


def history(path: Path, text: str) -> History:
    """The trace of a stats history. Raises `ScenarioError` with lines."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        return _read(path, reader)
    except csv.Error as error:
        raise _wrong(path, reader.line_num, f"found no CSV ({error})") from None


def _wrong(path: Path, line: int, message: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(str(path), line, 1, "bad-csv", "", message, hint)])


def _read(path: Path, reader: Any) -> History:
    head: list[str] = next(reader, [])
    missing = [name for name in (TIME, USERS, NAME, TOTAL) if name not in head]
    if missing:
        told = ", ".join(repr(name) for name in missing)
        hint = "locust --csv PREFIX writes it as PREFIX_stats_history.csv"
        raise _wrong(path, 1, f"found no column {told}, expected those of a stats history of locust", hint)
    when, who, name, total = (head.index(column) for column in (TIME, USERS, NAME, TOTAL))
    rows: list[tuple[str, float]] = []
    before: tuple[int, int] | None = None
    others = resets = holes = most = 0
    for cells in reader:
        if not cells:
            continue
        line = reader.line_num
        if len(cells) != len(head):
            raise _wrong(path, line, f"found {len(cells)} cells, expected {len(head)}, as in the first line")
        if cells[name] != "Aggregated":
            others += 1
            continue
        try:
            now, count, alive = int(cells[when]), int(cells[total]), int(cells[who])
        except ValueError:
            raise _wrong(path, line, "found a cell that is no whole number among time, users and total") from None
        most = max(most, alive)
        if before is not None and now < before[0]:
            raise _wrong(path, line, "found a time before that of the line above, expected rising times")
        if before is None or now > before[0]:
            came = count - (before[1] if before is not None else count)
            resets += came < 0
            span = 1 if before is None else now - before[0]
            holes += span > 1
            for second in range(span if before is not None else 0):
                moment = EPOCH + timedelta(seconds=now - span + second)
                rows.append((moment.isoformat() + "Z", max(count if came < 0 else came, 0) / span))
            before = (now, count)
        else:  # a second row of the same second: the newest total counts from here on
            if rows:
                stamp, already = rows[-1]
                rows[-1] = (stamp, already + max(0, count - before[1]))
            before = (now, count)
    if len(rows) < 2:
        raise _wrong(path, 1, "found fewer than two seconds with a row 'Aggregated', expected more")
    notes = [f"{others:,} rows of single names are left out: the rows 'Aggregated' hold them"] if others else []
    if resets:
        notes.append(f"the total fell {resets} times (statistics were reset): counted from 0 again")
    if holes:
        notes.append(f"{holes:,} rows come more than a second after the one before: spread evenly over these seconds")
    return History(rows, notes, most)
