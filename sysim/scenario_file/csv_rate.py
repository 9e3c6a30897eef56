"""A rate or the instants of arrivals from the rows of a CSV file, each problem at the file and line where it is."""

from __future__ import annotations

import csv
import io
import math
import os
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sysim import model, units, zones
from sysim.scenario_file.nodes import Map, Mark, Node, Source
from sysim.scenario_file.reporter import Reporter, join
from sysim.scenario_file.shapes import INVALID, Record, Word
from sysim.scenario_file.values import TEXT, TRUTH
from sysim.scenario_file.yaml_core import MAX_BYTES, decode

if TYPE_CHECKING:
    from sysim.scenario_file.reading import Reading

UNITS = {"/s": 1.0, "/m": 60.0, "/h": 3_600.0, "/d": 86_400.0, "count": 0.0}
MOST_ROWS = 250_000
_NS = 1_000_000_000


class CsvRate(Record):
    """`csv: {path, time, value, unit, repeat}`: each row holds until the next, the last one for ever."""

    def __init__(self) -> None:
        fields = {
            "path": TEXT,
            "time": TEXT,
            "value": TEXT,
            "unit": Word("a unit", tuple(UNITS)),
            "repeat": TRUTH,
        }
        super().__init__("a CSV file {path, time, value, unit, repeat}", dict, fields, ("path",))

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        assert isinstance(node, Map)
        rows = _Rows(values, values.get("value", "rate"), node.entries["path"].mark, join(at, "path"), ctx)
        steps = rows.steps()
        return INVALID if steps is None else model.StepsRate(steps=steps)


class Replay(Record):
    """`replay: {csv, time}`: an arrival at the time of each row."""

    def __init__(self) -> None:
        super().__init__("a replay {csv, time}", dict, {"csv": TEXT, "time": TEXT}, ("csv",))

    def construct(self, values: dict[str, Any], node: Node, at: str, ctx: Reading) -> Any:
        assert isinstance(node, Map)
        options = {**values, "path": values["csv"]}
        instants = _Rows(options, None, node.entries["csv"].mark, join(at, "csv"), ctx).instants()
        return INVALID if instants is None else model.ReplayRate(instants=instants)


class _Rows:
    """The rows of one file; without a column `value` they are instants, of which several may be the same."""

    def __init__(self, values: dict[str, Any], value: str | None, mark: Mark, at: str, ctx: Reading) -> None:
        self.mark, self.at, self.ctx = mark, at, ctx
        self.time, self.value = values.get("time", "time"), value
        self.unit, self.repeat = values.get("unit", "/s"), values.get("repeat", False)
        self.path = _beside(mark.source.name, values["path"])
        self.source = Source(str(self.path))

    def steps(self) -> tuple[model.RateStep, ...] | None:
        """The rows as steps, or None after a report."""
        text = self._text()
        points = None if text is None else self._points(text)
        if points is None:
            return None
        if self.unit == "count":
            points = self._counted(points)
            if points is None:
                return None
        if self.repeat:
            points = self._repeated(points)
            if points is None:
                return None
        if points[0][0] >= self.ctx.duration:
            self._none_in_time(points)
            return None
        kept = [point for point in points if point[0] > 0]
        before = [point for point in points if point[0] <= 0]
        if before:
            kept.insert(0, (0, before[-1][1], before[-1][2]))
        return tuple(model.RateStep(at=at, rate=rate) for at, rate, _ in kept)

    def instants(self) -> tuple[int, ...] | None:
        """The times of the rows from time 0 on, or None after a report."""
        text = self._text()
        points = None if text is None else self._points(text)
        if points is None:
            return None
        kept = tuple(at for at, _, _ in points if at >= 0)
        if not kept or kept[0] >= self.ctx.duration:
            self._none_in_time(points)
            return None
        return kept

    def _none_in_time(self, points: list[tuple[int, float, int]]) -> None:
        at, _, line = points[0]
        found = f"{units.format_duration(abs(at))} {'before' if at < 0 else 'after'} time 0"
        length = units.format_duration(self.ctx.duration)
        message = f"found nothing within the run, expected it in the {length} from time 0"
        self._line(line, message, f"this row is {found}; times are seconds from time 0, or moments around time.start")

    def _text(self) -> str | None:
        try:
            if not self.path.is_file():
                self._here("no-such-file", f"found no file {self.path}, expected a CSV file, relative to this one")
                return None
            size = self.path.stat().st_size
            if size > MAX_BYTES:
                hint = "make the series coarser, or shorter"
                self._here("too-large", f"found {self.path} of {size} bytes, expected at most {MAX_BYTES}", hint)
                return None
            data = self.path.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._here("unreadable", f"found {str(self.path)[:200]}, but cannot read it: {reason}")
            return None
        text = decode(data, str(self.path), self.ctx.reporter)
        if text is not None:
            self.source = Source(str(self.path), tuple(text.splitlines()))
        return text

    def _points(self, text: str) -> list[tuple[int, float, int]] | None:
        """(ns, value, line) of each row, in order; None after a report of every row that is wrong."""
        reader = csv.reader(io.StringIO(text), strict=True)
        points: list[tuple[int, float, int]] = []
        good = True
        try:
            header = [name.strip() for name in next(reader, [])]
            for column in (self.time, self.value):
                if column is not None and column not in header:
                    hint = self.ctx.reporter.nearest(column, header)
                    self._line(1, f"found no column {column!r}, expected it in the first line", hint)
                    return None
            when = header.index(self.time)
            what = None if self.value is None else header.index(self.value)
            for cells in reader:
                if not cells:
                    continue
                if len(points) >= MOST_ROWS:
                    self._line(reader.line_num, f"found more than {MOST_ROWS} rows, expected a coarser series")
                    return None
                point = self._point(cells, len(header), when, what, reader.line_num)
                if point is None:
                    good = False
                elif points and (point[0] < points[-1][0] or (what is not None and point[0] == points[-1][0])):
                    how = "the same time as" if point[0] == points[-1][0] else "a time before"
                    self._line(point[2], f"found {how} line {points[-1][2]}, expected rising times", "sort the rows")
                    good = False
                else:
                    points.append(point)
        except csv.Error as error:
            self._line(reader.line_num, f"found no CSV ({error}), expected cells separated by commas")
            return None
        if good and not points:
            self._line(1, "found no rows, expected at least one below the names of the columns")
            return None
        return points if good else None

    def _point(
        self, cells: list[str], width: int, when: int, what: int | None, line: int
    ) -> tuple[int, float, int] | None:
        if len(cells) != width:
            self._line(line, f"found {len(cells)} cells, expected {width}, as in the first line")
            return None
        try:
            at = self._moment(cells[when].strip())
        except units.UnitError as error:
            self._line(line, f"found {units.show(cells[when].strip())}, expected {error.expected}", error.hint)
            return None
        if what is None:
            return at, 0.0, line
        try:
            value = float(cells[what])
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0.0) or "_" in cells[what]:
            self._line(line, f"found {units.show(cells[what].strip())}, expected a number of at least 0")
            return None
        return at, value / (UNITS[self.unit] or 1.0), line

    def _moment(self, text: str) -> int:
        """ns from time 0; moments before it are negative."""
        expected = "seconds from time 0, or a moment such as 2026-04-11T15:00"
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if math.isfinite(seconds) and "_" not in text:
            if abs(seconds) * _NS > units.MAX_NS:
                raise units.UnitError(text, "a time within 73 years of time 0")
            return round(seconds * _NS)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise units.UnitError(text, expected) from None
        start, zone = self.ctx.start, self.ctx.zone
        if start is None:
            raise units.UnitError(text, "seconds from time 0", "a date and time needs time.start")
        if moment.tzinfo is None:
            elapsed = zones.elapsed(start, zone, moment)
        elif zone is not None:
            elapsed = moment.replace(tzinfo=None) - zones.utc(zone, start) - (moment.utcoffset() or timedelta(0))
        else:
            hint = "write it without a time zone, as time.start is, or set time.zone"
            raise units.UnitError(text, "a local moment", hint)
        at = zones.ns(elapsed)
        if abs(at) > units.MAX_NS:
            raise units.UnitError(text, "a time within 73 years of time.start")
        return at

    def _counted(self, points: list[tuple[int, float, int]]) -> list[tuple[int, float, int]] | None:
        """Counts become rates; rows must be evenly spaced, because a gap would be a row that is missing."""
        if len(points) < 2:
            self._line(points[0][2], "found one row, expected at least two: a count needs a span", "use unit: /s")
            return None
        width = points[1][0] - points[0][0]
        for (before, _, _), (at, _, line) in pairwise(points):
            if at - before != width:
                found, every = units.format_duration(at - before), units.format_duration(width)
                message = f"found a row {found} after the one before, expected one every {every}, as counts need"
                self._line(line, message, "write 0 where nothing came")
                return None
        return [(at, value * _NS / width, line) for at, value, line in points]

    def _repeated(self, points: list[tuple[int, float, int]]) -> list[tuple[int, float, int]] | None:
        """The series again and again to the end of the run, the last row as long as the one before it."""
        if len(points) < 2:
            return points
        period = 2 * points[-1][0] - points[-2][0] - points[0][0]
        first, last = -(points[-1][0] // period) - 1, (self.ctx.duration - points[0][0]) // period
        if (last - first + 1) * len(points) > MOST_ROWS:
            self._here("too-large", f"found a series that repeats to more than {MOST_ROWS} rows")
            return None
        times = range(first, last + 1)
        return [(at + time * period, value, line) for time in times for at, value, line in points]

    def _here(self, code: str, message: str, hint: str = "") -> None:
        self.ctx.report(self.mark, code, self.at, message, hint)

    def _line(self, line: int, message: str, hint: str = "") -> None:
        reporter: Reporter = self.ctx.reporter
        reporter.add(Mark(self.source, line, 1), "bad-csv", self.at, message, hint)


def _beside(written_in: str, path: str) -> Path:
    """`path` relative to the file in which it is written; to the working directory for arguments and plain texts."""
    if written_in.startswith(("<", "-")):
        return Path(path)
    return Path(os.path.normpath(Path(written_in).parent / path))
