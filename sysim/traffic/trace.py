"""A load trace: how much came in each of many equal spans of time.

Rows may be counts or rates of spans, or single events. A span of which no row tells is unknown, not empty.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sysim import units, zones
from sysim.errors import Problem, ScenarioError, SysimError
from sysim.traffic.moments import EPOCH, Reader
from sysim.units import UnitError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY, HOUR = 86_400, 3_600
MOST_SLOTS = 5_000_000
UNITS = {"count": 0.0, "/s": 1.0, "/m": 60.0, "/h": 3_600.0, "/d": 86_400.0}
TIMES = ("time", "timestamp", "datetime", "date", "when", "ds", "ts")
VALUES = ("count", "rate", "value", "requests", "y")
_UNKNOWN = ("", "na", "nan", "null", "none", "-")
_WIDTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, DAY)
_MOST_TOLD = 20


@dataclass(frozen=True, eq=False)
class Trace:
    """Counts of equal spans of `width` seconds, the first of which begins at `start` on the clock of `zone`.

    `counts` has NaN where nothing is known; `local` is when each span begins on that clock, in seconds since midnight
    of the day with ordinal 0 (`date.toordinal`). `notes` say what had to be done to read it.
    """

    name: str
    start: datetime
    width: int
    counts: Floats
    local: Ints
    zone: str | None = None
    notes: tuple[str, ...] = ()
    events: bool = False

    @property
    def days(self) -> Ints:
        """The ordinal of the day of each span."""
        return self.local // DAY

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which spans are known."""
        return ~np.isnan(self.counts)

    def part(self, which: NDArray[np.bool_]) -> Trace:
        """The same trace of which the other spans are unknown."""
        counts = np.where(which, self.counts, np.nan)
        return Trace(self.name, self.start, self.width, counts, self.local, self.zone, self.notes, self.events)


@dataclass
class Rows:
    """Rows while they are read: moments as `Reader` gives them, and a value each (None for events)."""

    source: str
    moments: list[datetime] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown: int = 0

    def wrong(self, line: int, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.source, line, 1, "bad-csv", "", message, hint))

    def refuse(self) -> None:
        """Raise ScenarioError if anything was wrong; of many problems the first are told, and how many there are."""
        if len(self.problems) > _MOST_TOLD:
            rest = len(self.problems) - _MOST_TOLD
            told = self.problems[:_MOST_TOLD]
            message = f"found {rest:,} more such lines after this one"
            more = Problem(self.source, told[-1].line, 1, "bad-csv", "", message)
            raise ScenarioError([*told, more])
        if self.problems:
            raise ScenarioError(self.problems)


def read(
    path: str | Path, *, time: str | None = None, value: str | None = None, unit: str | None = None,
    every: object = None, start: str | None = None, zone: str | None = None, form: str | None = None,
) -> Trace:  # fmt: skip
    """The trace in a CSV file, or in a file with one moment a line.

    `time` and `value` name columns (else the first known name, else the first and second column); `unit` is ``count``
    or a rate ``/s`` to ``/d`` (else ``/s`` for a column called rate, and ``count``); `every` is the span to count in.
    Raises `ScenarioError` with file and line, `SysimError` for options that do not fit.
    """
    where = Path(path)
    try:
        text = where.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SysimError(f"found no file that can be read at {where}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SysimError(f"found the byte 0x{error.object[error.start]:02x} in {where}, expected UTF-8 text") from None
    reader = Reader(zone_named(zone), None if start is None else units.date_time(start), form)
    rows = Rows(str(where))
    unit = _rows(text, rows, reader, time, value, unit)
    rows.refuse()
    return of_rows(where.stem, rows, reader, unit, every)


def of_pairs(
    pairs: Iterable[tuple[datetime, float]], *, name: str = "trace", every: object = None, zone: str | None = None
) -> Trace:
    """The trace of moments with their counts."""
    reader, rows = Reader(zone_named(zone)), Rows(name)
    for moment, count in pairs:
        rows.moments.append(reader.read(moment.isoformat()))
        rows.values.append(float(count))
    return of_rows(name, rows, reader, "count", every)


def zone_named(name: str | None) -> str | None:
    """The zone of that name. Raises `SysimError`."""
    try:
        return None if name is None else zones.find(name).key
    except UnitError as error:
        raise SysimError(str(error)) from None


def _rows(
    text: str, rows: Rows, reader: Reader, time: str | None, value: str | None, unit: str | None
) -> str | None:
    """Read all lines; the unit is returned, None for single events."""
    lines = csv.reader(io.StringIO(text), strict=True)
    columns: tuple[int, int | None] | None = None
    width = 0
    try:
        for cells in lines:
            if not cells or not "".join(cells).strip():
                continue
            cells = [cell.strip() for cell in cells]
            if columns is None:
                width = len(cells)
                head = None if _is_moment(cells[0], reader) else cells
                columns = _columns(head, width, rows, lines.line_num, time, value)
                unit = unit or ("/s" if head and columns[1] is not None and head[columns[1]] == "rate" else "count")
                if head is not None:
                    continue
            if len(cells) != width:
                rows.wrong(lines.line_num, f"found {len(cells)} cells, expected {width}, as in the first line")
                continue
            _row(cells, columns, rows, reader, lines.line_num)
    except csv.Error as error:
        rows.wrong(lines.line_num, f"found no CSV ({error}), expected cells separated by commas")
    if columns is None or not (rows.moments or rows.problems):
        rows.wrong(1, "found no rows, expected moments with counts, or one moment a line")
        return None
    if unit not in UNITS:
        raise SysimError(f"found the unit {unit!r}, expected one of {', '.join(UNITS)}")
    return unit if columns[1] is not None else None


def _is_moment(text: str, reader: Reader) -> bool:
    try:
        Reader(reader.zone, reader.start or EPOCH, reader.form).read(text)
    except UnitError:
        return False
    return True


def _columns(
    head: list[str] | None, width: int, rows: Rows, line: int, time: str | None, value: str | None
) -> tuple[int, int | None]:
    if head is None:
        return 0, 1 if width > 1 else None
    for name in (time, value):
        if name is not None and name not in head:
            rows.wrong(line, f"found no column {name!r}, expected it among {', '.join(head)}")
            rows.refuse()
    low = [name.lower() for name in head]
    when = head.index(time) if time is not None else next((low.index(name) for name in TIMES if name in low), 0)
    if value is not None:
        return when, head.index(value)
    what = next((low.index(name) for name in VALUES if name in low), None)
    if what is None and width > 1:
        what = 1 if when == 0 else 0
    return when, what


def _row(cells: list[str], columns: tuple[int, int | None], rows: Rows, reader: Reader, line: int) -> None:
    when, what = columns
    try:
        moment = reader.read(cells[when])
    except (UnitError, OverflowError) as error:
        expected = error.expected if isinstance(error, UnitError) else "a moment within the calendar"
        hint = error.hint if isinstance(error, UnitError) else ""
        rows.wrong(line, f"found {units.show(cells[when])}, expected {expected}", hint)
        return
    number = 1.0
    if what is not None:
        try:
            number = math.nan if cells[what].lower() in _UNKNOWN else float(cells[what])
        except ValueError:
            number = -1.0
        if number < 0.0 or math.isinf(number):
            rows.wrong(line, f"found {units.show(cells[what])}, expected a number of at least 0")
            return
    if math.isnan(number):
        rows.unknown += 1
    rows.moments.append(moment)
    rows.values.append(number)


def of_rows(name: str, rows: Rows, reader: Reader, unit: str | None, every: object) -> Trace:
    """Rows laid on a grid of equal spans."""
    instants = np.array([(moment - EPOCH) / timedelta(microseconds=1) for moment in rows.moments]) / 1e6
    values = np.array(rows.values)
    order = np.argsort(instants, kind="stable")
    notes = []
    if (order[1:] < order[:-1]).any():
        notes.append("the rows were not in order of time, and were sorted")
        instants, values = instants[order], values[order]
    if rows.unknown:
        notes.append(f"{rows.unknown:,} rows without a number: unknown, not empty")
    own = None if unit is None else _own_width(instants, notes)
    width = _chosen(every, own, instants)
    if width == DAY and reader.zone is not None:  # by the dates of the place, of 23 to 25 hours
        there = [zones.on_clock(reader.zone, EPOCH + timedelta(seconds=float(at))) for at in instants]
        instants = np.array([(moment - EPOCH).total_seconds() for moment in there])
    if unit is not None and UNITS[unit]:
        assert own is not None
        values = values * own / UNITS[unit]
    first = math.floor(instants[0] / width) * width if width < DAY else math.floor(instants[0] / DAY) * DAY
    if own is not None and width == own:
        first = int(instants[0])  # rows that begin at odd moments keep their own grid
    number = np.floor((instants - first) / width + 1e-9).astype(np.int64)
    if number[-1] >= MOST_SLOTS:
        many = f"{number[-1] + 1:,} spans of {width} s"
        raise SysimError(f"found {many}, expected at most {MOST_SLOTS:,}: use longer ones")
    length = int(number[-1]) + 1
    counts = np.zeros(length)
    np.add.at(counts, number, values)
    if own is not None:
        told = np.bincount(number, minlength=length)
        counts[told < max(1, round(width / own))] = np.nan
        twice = int((np.diff(instants) == 0).sum())
        if twice:
            notes.append(f"{twice:,} rows at the moment of the row before: added up")
    moment = EPOCH + timedelta(seconds=first)
    start, local = _local(moment, reader.zone if width < DAY else None, width, length)
    if own is not None:
        shut = _closed(counts, local, width)
        counts[shut] = 0.0
        if shut.any():
            some = f"{int(shut.sum()):,} of {length:,} spans"
            notes.append(f"{some} lie at times of the week that never have a row: closed")
        gaps = int(np.isnan(counts).sum())
        if gaps:
            notes.append(f"{gaps:,} of {length:,} spans have no row or number: unknown, not empty")
    return Trace(name, start, width, counts, local, reader.zone, tuple(notes), unit is None)


def _own_width(instants: Floats, notes: list[str]) -> int:
    """The usual distance of rows, in whole seconds."""
    steps = np.diff(instants)
    steps = steps[steps > 0]
    if not len(steps):
        raise SysimError("found rows at one moment only, expected at least two: a count needs a span")
    usual, often = Counter([round(step) for step in steps.tolist()]).most_common(1)[0]
    if usual < 1:
        raise SysimError("found rows less than a second apart, expected spans of whole seconds")
    odd = len(steps) - often - int((np.round(steps) % usual == 0).sum() - often)
    if odd > 0:
        notes.append(f"{odd:,} rows are not a multiple of {usual} s after the one before: put where they lie")
    return int(usual)


def _chosen(every: object, own: int | None, instants: Floats) -> int:
    if every is None:
        if own is not None:
            return own
        length = float(instants[-1] - instants[0])
        if length <= 0.0:
            raise SysimError("found events at one moment only, expected a trace of at least two days")
        wanted = 20.0 * length / len(instants)  # some twenty events a span, within 1 minute to 1 hour
        return next((width for width in _WIDTHS if width >= 60 and width >= wanted), HOUR) if wanted < HOUR else HOUR
    try:
        width = units.duration(every)
    except UnitError as error:
        raise SysimError(str(error)) from None
    seconds: int = width // 1_000_000_000
    if width % 1_000_000_000 or seconds < 1 or DAY % seconds:
        raise SysimError(f"found spans of {every}, expected whole seconds that divide a day, such as 5m or 1h")
    if own is not None and seconds % own:
        raise SysimError(f"found spans of {every}, expected a multiple of {own} s, the distance of the rows")
    return seconds


def _closed(counts: Floats, local: Ints, width: int) -> NDArray[np.bool_]:
    """Spans at a time of the week that comes several times and has never a row: a shop that is shut, not a gap."""
    slot = local % (7 * DAY) // width
    often = np.bincount(slot, minlength=7 * DAY // width)
    known = np.bincount(slot, ~np.isnan(counts), minlength=7 * DAY // width)
    return np.asarray(((known == 0) & (often >= 2))[slot])


def _local(moment: datetime, zone: str | None, width: int, length: int) -> tuple[datetime, Ints]:
    """The first span on the clock of the zone, and all of them. """
    steps = np.arange(length, dtype=np.int64) * width
    if zone is None:
        return moment, _seconds(moment) + steps
    start = zones.on_clock(zone, moment)
    local = _seconds(start) + steps
    for low, high, ahead in zones.shifts(start, zone, zone, 0, int(steps[-1] + width) * 1_000_000_000):
        inside = (steps >= -(-low // 1_000_000_000)) & (steps < -(-high // 1_000_000_000))
        local[inside] += ahead // 1_000_000_000
    return start, local


def _seconds(moment: datetime) -> int:
    return moment.toordinal() * DAY + moment.hour * HOUR + moment.minute * 60 + moment.second
