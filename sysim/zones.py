"""Clocks of places: from local moments to elapsed time and back, with daylight saving.

Moments are naive `datetime`s on the clock of a place, `zone` its name in the IANA database (None: a clock that is never
put forward or back). A run's time 0 is `start` on the clock of the scenario's own zone. Elapsed time is true time: a
day on which clocks go forward has 23 hours.

Two rules. A moment that comes twice is the first of the two. A moment that is left out is an error where somebody wrote
it, and one hour later (by the length of what is left out) where it comes of a repetition.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sysim.units import UnitError

SECOND = 1_000_000_000
FIRST, LAST = 1900, 2400
"""Years in which moments of a zone may lie: earlier ones have no zones, later ones nobody has decided on."""


class Shift(NamedTuple):
    """From `low` to `high` (ns from time 0) a clock shows `start` plus elapsed time plus `ahead` (ns)."""

    low: int
    high: int
    ahead: int


def find(name: str) -> ZoneInfo:
    """The zone of that name (`zoneinfo` keeps it). Raises `UnitError`."""
    expected = "a time zone such as Europe/London"
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a folder of the database
        raise UnitError(name, expected, _nearest(name)) from None


def _nearest(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    wanted = name.strip().replace(" ", "_").lower()
    known = {zone.lower(): zone for zone in available_timezones()}
    ends = [zone for zone in known.values() if zone.lower().rpartition("/")[2] == wanted]
    close = ends or [known[found] for found in get_close_matches(wanted, known, 1, 0.7)]
    return f"did you mean {min(close)}?" if close else ""


def offset(zone: str, moment: datetime, later: bool = False) -> timedelta:
    """How far the clock of `zone` is ahead of UTC when it shows `moment`, the first time or the second."""
    found = moment.replace(tzinfo=find(zone), fold=int(later)).utcoffset()
    assert found is not None
    return found


def utc(zone: str | None, moment: datetime) -> datetime:
    """The moment on a clock of UTC (naive). Of one that is left out, as if clocks had not yet been put forward."""
    return moment if zone is None else moment - offset(zone, moment)


def local(start: datetime, zone: str | None, elapsed: timedelta, home: str | None = None) -> datetime:
    """What the clock of `zone` shows so long after `start`, which is on the clock of `home` (None: of `zone`)."""
    if zone is None:
        return start + elapsed
    return on_clock(zone, utc(home or zone, start) + elapsed)


def on_clock(zone: str, moment: datetime) -> datetime:
    """What the clock of `zone` shows when one of UTC shows `moment` (both naive)."""
    return moment.replace(tzinfo=UTC).astimezone(find(zone)).replace(tzinfo=None)


def abbreviation(zone: str, moment: datetime) -> str:
    """What the time of `zone` is called when a clock of UTC shows `moment`: BST, GMT, or +0530 where it has no name."""
    return moment.replace(tzinfo=UTC).astimezone(find(zone)).strftime("%Z")


def is_left_out(zone: str | None, moment: datetime) -> bool:
    """Whether clocks are put forward past this moment."""
    return zone is not None and on_clock(zone, utc(zone, moment)) != moment.replace(fold=0)


def comes_twice(zone: str | None, moment: datetime) -> bool:
    """Whether clocks are put back, so that this moment comes a second time."""
    return zone is not None and offset(zone, moment) > offset(zone, moment, later=True)


def elapsed(start: datetime, zone: str | None, moment: datetime) -> timedelta:
    """From `start` to `moment`, both on the clock of `zone`; the first such moment that does not lie before `start`.

    Raises `UnitError` for a moment that is left out.
    """
    if zone is None:
        return moment - start
    if not FIRST <= moment.year <= LAST:
        expected = f"a year from {FIRST} to {LAST}, of which zones are known"
        raise UnitError(moment.isoformat(timespec="minutes"), expected)
    if is_left_out(zone, moment):
        text = moment.isoformat(timespec="minutes")
        raise UnitError(text, f"a moment that there is in {zone}, where clocks go forward past this one")
    gone = utc(zone, moment) - utc(zone, start)
    if gone < timedelta(0) and comes_twice(zone, moment):
        gone = moment - offset(zone, moment, later=True) - utc(zone, start)
    return gone


def ns(span: timedelta) -> int:
    """A span in ns."""
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1_000


def shifts(start: datetime, home: str | None, zone: str | None, low: int, high: int) -> list[Shift]:
    """How far the clock of `zone` runs ahead of `start` plus elapsed time, between two instants (ns, low < high).

    `start` is on the clock of `home`. The database is looked at once a day and at every change to the second.
    """
    if zone is None:
        return [Shift(low, high, 0)]
    zero = utc(home, start)

    def ahead(at: int) -> int:
        moment = zero + timedelta(microseconds=at // 1_000)
        return ns(on_clock(zone, moment) - moment) + ns(zero - start)

    found = []
    at, now = low, ahead(low)
    while at < high:
        begin = at
        while at < high and (then := ahead(min(at + 86_400 * SECOND, high))) == now:
            at = min(at + 86_400 * SECOND, high)
        if at < high:
            before, after = at, min(at + 86_400 * SECOND, high)
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if ahead(middle) == now else (before, middle)
            at = after
        if at > begin:
            found.append(Shift(begin, at, now))
        now = then
        if at < high:
            now = ahead(at)
    return found
