"""Traces as files have them: forms of time, gaps, closed hours, events, and what is wrong with its place."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from sysim.errors import ScenarioError, SysimError
from sysim.traffic.trace import DAY, HOUR, read

START = datetime(2026, 4, 11, 15)


def written(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "form",
    [
        lambda t: t.isoformat(),
        lambda t: t.isoformat(sep=" ", timespec="minutes"),
        lambda t: t.isoformat() + "Z",
        lambda t: t.isoformat() + "+02:00",
        lambda t: str(int((t - datetime(1970, 1, 1)).total_seconds())),
        lambda t: str(int((t - datetime(1970, 1, 1)).total_seconds() * 1e3)),
        lambda t: str(int((t - datetime(1970, 1, 1)).total_seconds()) * 10**9),
        lambda t: t.strftime("%Y/%m/%d %H:%M"),
        lambda t: t.strftime("%d/%b/%Y:%H:%M:%S +0200"),
    ],
)
def test_forms_of_time(tmp_path, form):
    rows = "\n".join(f"{form(START + timedelta(minutes=5 * n))},{n}" for n in range(12))
    for head in ("time,count\n", ""):
        trace = read(written(tmp_path, head + rows + "\n"))
        assert (trace.start, trace.width, trace.counts.tolist()) == (START, 300, [float(n) for n in range(12)])
        assert trace.local[0] == START.toordinal() * DAY + 15 * HOUR


def test_elapsed_seconds_need_a_start(tmp_path):
    path = written(tmp_path, "time,count\n0,1\n60,2\n120,3\n")
    with pytest.raises(ScenarioError, match="elapsed seconds need --start"):
        read(path)
    assert read(path, start="2026-04-11T15:00").start == START


def test_other_forms_are_told_how(tmp_path):
    path = written(tmp_path, "time,count\n04/11/2026 15:00,1\n04/11/2026 15:05,2\n")
    with pytest.raises(ScenarioError, match="say which of day and month comes first"):
        read(path)
    assert read(path, form="%m/%d/%Y %H:%M").start == START


def test_rates_become_counts(tmp_path):
    path = written(tmp_path, "when,rate\n2026-04-11T15:00,2\n2026-04-11T15:05,4\n")
    assert read(path).counts.tolist() == [600.0, 1200.0]
    assert read(path, unit="/m").counts.tolist() == [10.0, 20.0]
    assert read(path, unit="count").counts.tolist() == [2.0, 4.0]


def test_gaps_are_unknown_and_counted(tmp_path):
    cells = ["00,1", "05,", "10,3", "15,4", "25,6"]
    text = "time,count\n" + "".join(f"2026-04-11T15:{cell}\n" for cell in cells)
    trace = read(written(tmp_path, text))
    assert np.isnan(trace.counts[[1, 4]]).all() and trace.counts[5] == 6.0
    assert any("1 rows without a number" in note for note in trace.notes)
    assert any("2 of 6 spans have no row or number: unknown" in note for note in trace.notes)


def test_hours_that_never_have_a_row_are_closed(tmp_path):
    rows = [START.replace(hour=0) + timedelta(hours=h) for h in range(28 * 24)]
    lines = [f"{t.isoformat()},5" for t in rows if 9 <= t.hour < 17 and not (t.day == 20 and t.month == 4)]
    trace = read(written(tmp_path, "time,count\n" + "\n".join(lines) + "\n"))
    at = {moment: n for n, moment in enumerate(trace.start + timedelta(hours=h) for h in range(len(trace.counts)))}
    assert trace.counts[at[datetime(2026, 4, 15, 3)]] == 0.0  # never open at three
    assert np.isnan(trace.counts[at[datetime(2026, 4, 20, 12)]])  # once not counted
    assert any("never have a row: closed" in note for note in trace.notes)


def test_spans_are_joined_and_unknown_where_one_is(tmp_path):
    rows = [f"{(START + timedelta(minutes=5 * n)).isoformat()},1" for n in range(36) if n != 20]
    trace = read(written(tmp_path, "time,count\n" + "\n".join(rows) + "\n"), every="1h")
    assert trace.width == HOUR and trace.counts[[0, 2]].tolist() == [12.0, 12.0] and np.isnan(trace.counts[1])
    for wrong in ("7m", "90s", "1.5s"):
        with pytest.raises(SysimError, match="expected"):
            read(tmp_path / "t.csv", every=wrong)


def test_events_are_counted_and_quiet_is_known(tmp_path):
    text = "2026-04-11T15:00:01\n2026-04-11T15:00:01\n2026-04-11T15:00:59\n2026-04-11T15:03:00\n"
    trace = read(written(tmp_path, text), every="1m")
    assert trace.events and trace.counts.tolist() == [3.0, 0.0, 0.0, 1.0]
    assert read(tmp_path / "t.csv").width == 900  # some twenty events a span, if it were long enough


def test_order_and_repeated_rows_are_mended_and_told(tmp_path):
    text = "time,count\n2026-04-11T15:05,1\n2026-04-11T15:00,2\n2026-04-11T15:10,3\n2026-04-11T15:10,4\n"
    trace = read(written(tmp_path, text))
    assert trace.counts.tolist() == [2.0, 1.0, 7.0]
    assert any("not in order" in note for note in trace.notes) and any("added up" in note for note in trace.notes)


def test_the_hour_that_comes_twice(tmp_path):
    moments = ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T01:00", "2026-10-25T01:30",
               "2026-10-25T02:00"]  # fmt: skip
    text = "time,count\n" + "".join(f"{moment},{n}\n" for n, moment in enumerate(moments))
    trace = read(written(tmp_path, text), zone="Europe/London")
    assert trace.counts.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert (trace.local - trace.local[0]).tolist() == [0, 1800, 3600, 1800, 3600, 5400]
    utc = "time,count\n" + "".join(f"{1792886400 + 1800 * n},{n}\n" for n in range(6))  # 2026-10-25T00:00Z
    assert read(written(tmp_path, utc), zone="Europe/London").start == datetime(2026, 10, 25, 1)


def test_days_keep_their_dates_through_a_change_of_the_clock(tmp_path):
    rows = [f"{datetime(2026, 10, 20) + timedelta(days=n):%Y-%m-%d},{n}" for n in range(12)]
    trace = read(written(tmp_path, "date,value\n" + "\n".join(rows) + "\n"), zone="Europe/London")
    assert trace.width == DAY and trace.counts.tolist() == [float(n) for n in range(12)]
    assert (trace.local % DAY == 0).all()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("time,count\n2026-04-11T15:00,1\nlater,2\n", {}, r"t\.csv:3:1: bad-csv: found 'later', expected a moment"),
        ("time,count\n2026-04-11T15:00,1,2\n", {}, r"t\.csv:2:1: bad-csv: found 3 cells, expected 2"),
        ("time,count\n2026-04-11T15:00,-1\n", {}, r"t\.csv:2:1: bad-csv: found '-1', expected a number of at least 0"),
        ("time,count\n2026-04-11T15:00,many\n", {}, "found 'many', expected a number"),
        ("time,count\n", {}, "found no rows"),
        ("", {}, "found no rows"),
        ("time,count\n2026-04-11T15:00,1\n", {"value": "calls"}, "no column 'calls', expected it among time, count"),
        ("time,count\n2026-04-11T15:00+01:00,1\n2026-04-11T15:05+02:00,1\n", {}, "name the clock: --zone"),
        ('time,count\n"2026-04-11T15:00,1\n', {}, "found no CSV"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, options, said):
    with pytest.raises(ScenarioError, match=said):
        read(written(tmp_path, text), **options)


def test_of_many_wrong_lines_the_first_are_told_and_all_are_counted(tmp_path):
    text = "time,count\n2026-04-11T15:00,1\n" + "soon,1\n" * 100
    with pytest.raises(ScenarioError, match="found 80 more such lines"):
        read(written(tmp_path, text))


def test_files_and_options_that_do_not_fit(tmp_path):
    with pytest.raises(SysimError, match="no file that can be read"):
        read(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"time,count\n\xff\xfe\n")
    with pytest.raises(SysimError, match="byte 0xff"):
        read(tmp_path / "binary.csv")
    path = written(tmp_path, "time,count\n2026-04-11T15:00,1\n2026-04-11T15:05,1\n")
    with pytest.raises(SysimError, match="expected a time zone"):
        read(path, zone="Mars/Base")
    one = written(tmp_path, "time,count\n2026-04-11T15:00,1\n")
    with pytest.raises(SysimError, match="rows at one moment only"):
        read(one)
