"""Access logs: the moments of requests, from the common and the combined format of web servers, or lines of JSON.

A line of the common format is ``host ident user [10/Oct/2000:13:55:36 -0700] "request" status bytes``; whatever follows
is let be. Logs are written when a request ends, so moments need not rise. Lines that cannot be read are counted, and
the first of them shown.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sysim import zones
from sysim.errors import SysimError
from sysim.traffic.moments import EPOCH, Reader
from sysim.units import UnitError

FIELDS = (
    "time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "datetime", "date", "msec", "start_time",
)  # fmt: skip
_COMMON = re.compile(r'\S+ \S+ .*?\[(\d{2}/[A-Za-z]{3}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\]')
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
SHOWN = 5


@dataclass
class Log:
    """What was read: moments as `Reader` gives them and how often; lines by what became of them."""

    moments: Counter[datetime] = field(default_factory=Counter)
    lines: int = 0
    unread: int = 0
    filtered: int = 0
    first: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many lines are requests."""
        return self.moments.total()


def read(paths: list[Path], reader: Reader, field_name: str | None = None, only: str | None = None) -> Log:
    """All lines of some logs. `only` is a regular expression that a line has to have somewhere.

    Raises `SysimError` for a file that cannot be read, offsets that differ without a zone, or where most lines are
    none.
    """
    try:
        wanted = None if only is None else re.compile(only)
    except re.error as error:
        raise SysimError(f"found {only!r}, expected a regular expression ({error})") from None
    found = Log()
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            found.lines += 1
            if wanted is not None and wanted.search(line) is None:
                found.filtered += 1
                continue
            try:
                found.moments[_moment(line, reader, field_name)] += 1
            except (UnitError, OverflowError) as error:
                if len(reader.offsets) > 1:
                    message = "found moments with different offsets from UTC, expected one, or the name of a clock"
                    raise SysimError(f"{path}:{number}: {message}: --zone Europe/London") from None
                found.unread += 1
                if len(found.first) < SHOWN:
                    found.first.append(f"{path}:{number}: {_why(error)}: {line.strip()[:80]!r}")
    if not found.moments or found.unread > found.requests:
        told = "".join(f"\n  {line}" for line in found.first)
        read_ = f"{found.requests:,} of {found.lines:,} lines that could be read"
        raise SysimError(f"found {read_}, expected an access log in common or combined format or lines of JSON{told}")
    return found


def _why(error: Exception) -> str:
    return f"expected {error.expected}" if isinstance(error, UnitError) else "expected a moment within the calendar"


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            for line in file:
                yield line.decode("utf-8", errors="replace")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SysimError(f"found no log that can be read at {path}: {reason}") from None


def _moment(line: str, reader: Reader, field_name: str | None) -> datetime:
    if line.lstrip()[:1] == "{":
        return reader.read(_of_json(line, field_name))
    found = _COMMON.match(line)
    if found is None:
        raise UnitError(line, 'host ident user [10/Oct/2000:13:55:36 -0700] "request" …, or an object of JSON')
    text = found[1]
    month = _MONTHS.get(text[3:6].lower())
    if month is None:
        raise UnitError(text, "a month such as Oct")
    # Month names are English whatever the locale; offsets have no colon.
    return reader.read(f"{text[7:11]}-{month:02d}-{text[:2]}T{text[12:20]}{text[21:24]}:{text[24:]}")


def _of_json(line: str, field_name: str | None) -> str:
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        raise UnitError(line, "an object of JSON") from None
    names = FIELDS if field_name is None else (field_name,)
    for name in names:
        found = value
        for part in name.split(".") if name not in value else [name]:
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, int | float | str) and not isinstance(found, bool):
            return str(found)
    raise UnitError(line, f"a moment under {' or '.join(map(repr, names[:4]))}" + (", …" if len(names) > 4 else ""))


def counted(found: Log, every: int, zone: str | None) -> list[tuple[str, int]]:
    """(moment, count) of each span of `every` seconds from the first request to the last, empty ones included."""
    counts: Counter[int] = Counter()
    for moment, often in found.moments.items():
        counts[int((moment - EPOCH).total_seconds() // every)] += often
    first, last = min(counts), max(counts)
    if last - first >= 5_000_000:
        raise SysimError(f"found {last - first + 1:,} spans of {every} s, expected at most 5,000,000: use longer ones")
    return [(told(EPOCH + timedelta(seconds=n * every), zone), counts.get(n, 0)) for n in range(first, last + 1)]


def instants(found: Log, zone: str | None) -> list[str]:
    """The moment of each request, rising."""
    return [told(moment, zone) for moment in sorted(found.moments) for _ in range(found.moments[moment])]


def told(moment: datetime, zone: str | None) -> str:
    """A moment as it stands in a trace: on the clock of the zone with its offset, else on the clock of the log."""
    if zone is None:
        return moment.isoformat()
    local = zones.on_clock(zone, moment)
    minutes = round((local - moment).total_seconds() / 60)
    return f"{local.isoformat()}{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
