"""Moments as programs write them: ISO 8601, seconds and milliseconds since 1970, the time of web servers' logs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sysim import zones
from sysim.units import UnitError

EPOCH = datetime(1970, 1, 1)
EXPECTED = "a moment such as 2026-04-11T15:00, 2026-04-11T15:00Z or 1775919600 (seconds since 1970)"
_FORMS = ("%d/%b/%Y:%H:%M:%S %z", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d")
_AMBIGUOUS = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{4}.*")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+]?\d+)?")
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below which number a count since 1970 is of seconds, milliseconds, microseconds, nanoseconds: until the year 5138."""
_LEAST = 1e8
"""A smaller number is an elapsed time; as seconds since 1970 it would lie before March 1973."""


class Reader:
    """Reads the moments of one file: all on one clock, UTC underneath.

    `zone` is the clock of moments without an offset (None: one that is never put forward or back) and the one they are
    told on. `start` is the moment that elapsed seconds count from. `form` is a format of `strptime`, tried alone.
    """

    def __init__(self, zone: str | None = None, start: datetime | None = None, form: str | None = None) -> None:
        self.zone, self.start, self.form = zone, start, form
        self.offsets: set[timedelta] = set()
        self.last: datetime | None = None

    def read(self, text: str) -> datetime:
        """The moment, naive: of UTC with a `zone`, else on the clock it is written on. Raises `UnitError`."""
        found = self._number(text) if self.form is None and _NUMBER.fullmatch(text) else self._written(text)
        self.last = found
        return found

    def _number(self, text: str) -> datetime:
        number = float(text)
        if abs(number) < _LEAST:
            if self.start is None:
                raise UnitError(text, EXPECTED, "elapsed seconds need --start, the moment of second 0")
            return zones.utc(self.zone, self.start) + timedelta(seconds=number)
        for limit, scale in _UNITS:
            if abs(number) < limit:
                return EPOCH + timedelta(seconds=number / scale)
        raise UnitError(text, EXPECTED)

    def _written(self, text: str) -> datetime:
        moment = self._parsed(text)
        if moment.tzinfo is None:
            return self._local(moment)
        offset = moment.utcoffset()
        assert offset is not None
        naive = moment.replace(tzinfo=None)
        if self.zone is not None:
            return naive - offset
        self.offsets.add(offset)
        if len(self.offsets) > 1:
            raise UnitError(text, "the offset of the lines before", "name the clock: --zone Europe/London")
        return naive

    def _parsed(self, text: str) -> datetime:
        if self.form is not None:
            try:
                return datetime.strptime(text, self.form)
            except ValueError:
                raise UnitError(text, f"a moment as {self.form}") from None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
        for form in _FORMS:
            try:
                return datetime.strptime(text, form)
            except ValueError:
                continue
        which = "say which of day and month comes first: --format '%d/%m/%Y %H:%M'"
        raise UnitError(text, EXPECTED, which if _AMBIGUOUS.fullmatch(text) else "")

    def _local(self, moment: datetime) -> datetime:
        """Of a moment that comes twice the first, unless the line before is later than that."""
        if self.zone is None:
            return moment
        first = zones.utc(self.zone, moment)
        if self.last is not None and first <= self.last and zones.comes_twice(self.zone, moment):
            return moment - zones.offset(self.zone, moment, later=True)
        return first
