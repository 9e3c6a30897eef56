"""Locust and access logs: counts are kept, nothing is lost silently."""

from __future__ import annotations

import gzip
import math
from datetime import datetime

import pytest
import yaml
from click.testing import CliRunner

import sysim
from sysim.cli import cli
from sysim.errors import ScenarioError, SysimError
from sysim.model.users import changes, peak_users
from sysim.traffic.imports import locust, logs
from sysim.traffic.moments import Reader
from sysim.traffic.trace import read as read_trace

HEAD = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,100%,Total Request Count,Total Failure Count\n"


def history(*rows):
    return HEAD + "".join(f"{t},{u},,{n},0.0,0.0,N/A,N/A,{c},0\n" for t, u, n, c in rows)


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_stats_history_becomes_counts_a_second(tmp_path):
    rows = [(1_775_919_600, 1, "Aggregated", 0), (1_775_919_601, 5, "/a", 9), (1_775_919_601, 5, "Aggregated", 10),
            (1_775_919_602, 9, "Aggregated", 30), (1_775_919_605, 9, "Aggregated", 90)]  # fmt: skip
    found = locust.history(tmp_path / "h.csv", history(*rows))
    assert [count for _, count in found.rows] == [10, 20, 20, 20, 20]
    assert found.rows[0][0] == "2026-04-11T15:00:00Z" and found.most_users == 9
    assert any("1 rows of single names" in note for note in found.notes)
    assert any("more than a second after" in note for note in found.notes)
    (tmp_path / "h.csv").write_text(history(*rows))
    done = run("import", "locust", tmp_path / "h.csv", "--out", tmp_path / "t.csv")
    assert done.exit_code == 0 and "90 requests in 5 seconds, of at most 9 users" in done.stderr
    trace = read_trace(tmp_path / "t.csv")
    assert trace.counts.sum() == 90 and trace.width == 1 and trace.start == datetime(2026, 4, 11, 15)


def test_statistics_that_were_reset_go_on_from_zero(tmp_path):
    rows = [(100_000_000 + n, 1, "Aggregated", c) for n, c in enumerate((0, 10, 20, 4, 9))]
    found = locust.history(tmp_path / "h.csv", history(*rows))
    assert [count for _, count in found.rows] == [10, 10, 4, 5]
    assert any("the total fell 1 times" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,c,d,e\n1,2,3,4,5\n", "h.csv:1:1: bad-csv: found no column 'Timestamp'"),
        (history((5, 1, "Aggregated", "many")), "h.csv:2:1: .*no whole number"),
        (history((5, 1, "Aggregated", 1), (4, 1, "Aggregated", 2)), "h.csv:3:1: .*rising times"),
        (history((5, 1, "Aggregated", 1)), "fewer than two seconds"),
        (HEAD + "1,2\n", "found 2 cells, expected 10"),
    ],
)
def test_a_history_that_is_wrong_is_told_with_its_line(tmp_path, text, said):
    with pytest.raises(ScenarioError, match=said):
        locust.history(tmp_path / "h.csv", text)


def test_users_and_their_spawn_rate(tmp_path):
    done = run("import", "locust", "--users", 100, "--spawn-rate", 5, "--run-time", "1h30m", "--wait", "1s..3s",
               "--call", "api.get")  # fmt: skip
    assert done.exit_code == 0, done.output
    steps = [{"at": f"{n}s", "users": 5 * n + 5} for n in range(20)]
    assert yaml.safe_load(done.stdout) == {
        "load": {"users": {"call": "api.get", "users": {"steps": steps}, "think": {"uniform": ["1s", "3s"]}}}
    }
    assert "# needs time: {duration: 1h30m}" in done.stdout
    assert "ramp" not in done.stderr and "locustfile, which is not read" in done.stderr
    head = "sysim: 1\ntime: {duration: 10s}\nservices: {api: {operations: {get: [{work: 1ms}]}}}\n"
    assert peak_users(sysim.loads(head + done.stdout).model.load["users"].users) == 100
    (tmp_path / "locust.conf").write_text("headless = true\nusers = 40   # people\nspawn-rate: 10\nrun-time = 300\n")
    done = run("import", "locust", tmp_path / "locust.conf")
    assert "{at: 3s, users: 40}" in done.stdout and "duration: 5m" in done.stdout
    assert run("import", "locust").exit_code == 2
    for words in (("--users", 0), ("--users", 5, "--spawn-rate", 0), ("--users", 5, "--run-time", "soon"),
                  ("--users", 5, "--wait", "3s..1s"), ("--users", 5, "--wait", "long")):  # fmt: skip
        done = run("import", "locust", *words)
        assert done.exit_code == 2 and "expected" in done.output, done.output


def started(users, rate):
    """When locust has started how many (ns, users): a `UsersDispatcher` whose sleeps last as long as they should."""
    at_once = max(1, math.floor(rate))
    wait = at_once / rate
    there, found = 0, []
    while there < users:
        there = min(there + at_once, users)
        found.append((round(wait * len(found) * 1e9), there))
    return found


@pytest.mark.parametrize(
    ("users", "rate"), [(1, 1), (7, 1), (40, 0.5), (10, 10), (95, 10), (25, 2.5), (30, 0.3), (500, 7), (3, 900)]
)
def test_users_come_as_locust_starts_them(users, rate):
    found = locust.users(users, rate, None, "1s", "api.get", "locust")
    text = "sysim: 1\ntime: {duration: 1h}\nservices: {api: {operations: {get: [{work: 1ms}]}}}\n" + found.yaml
    table = changes(sysim.loads(text).model.load["users"].users)
    expected = started(users, rate)
    assert [count for _, count in table] == [count for _, count in expected]
    assert all(abs(one - two) <= 1 for (one, _), (two, _) in zip(table, expected, strict=True))
    assert not any("one by one" in line for line in found.lost)


def test_many_users_who_come_several_at_a_time_are_a_ramp():
    found = locust.users(5_000, 20, None, "1s", "api.get", "locust")
    text = "sysim: 1\ntime: {duration: 1h}\nservices: {api: {operations: {get: [{work: 1ms}]}}}\n" + found.yaml
    there = dict(changes(sysim.loads(text).model.load["users"].users))
    assert all(there[at] == count for at, count in started(5_000, 20))  # as many when locust starts some
    assert any("20 users at a time, here they come one by one" in line for line in found.lost)
    with pytest.raises(SysimError, match="come within a run"):
        locust.users(5, 1e-12, None, None, None, "locust")


COMMON = '10.0.0.1 - - [11/Apr/2026:15:00:{s:02d} +0100] "GET /a HTTP/1.1" 200 17'
COMBINED = COMMON + ' "http://x/[y]" "Mozilla/5.0 (X11)" 0.003'


def test_common_and_combined_lines(tmp_path):
    lines = [COMMON.format(s=s) for s in (5, 1, 1)] + [COMBINED.format(s=s) for s in (59, 3)]
    (tmp_path / "a.log").write_text("\n".join([*lines, "", "not a line", "\x00 binary"]) + "\n")
    with gzip.open(tmp_path / "b.log.gz", "wt") as packed:
        packed.write(COMMON.format(s=7).replace("15:00", "15:02") + "\n")
    found = logs.read([tmp_path / "a.log", tmp_path / "b.log.gz"], Reader())
    assert (found.requests, found.lines, found.unread) == (6, 8, 2)
    assert found.first[0].startswith(f"{tmp_path}/a.log:7: expected host ident user [10/Oct/2000")
    assert logs.counted(found, 60, None) == [
        ("2026-04-11T15:00:00", 5), ("2026-04-11T15:01:00", 0), ("2026-04-11T15:02:00", 1),
    ]  # fmt: skip
    assert logs.instants(found, None)[:3] == ["2026-04-11T15:00:01", "2026-04-11T15:00:01", "2026-04-11T15:00:03"]
    only = logs.read([tmp_path / "a.log"], Reader(), only=r"Mozilla")
    assert (only.requests, only.filtered) == (2, 5)


def test_lines_of_json(tmp_path):
    rows = ['{"time": "2026-04-11T15:00:01Z", "status": 200}', '{"@timestamp": "2026-04-11T15:00:02+00:00"}',
            '{"ts": 1775919603.25, "msg": "x"}', '{"msg": "no time"}', "{broken"]  # fmt: skip
    (tmp_path / "j.log").write_text("\n".join(rows))
    found = logs.read([tmp_path / "j.log"], Reader())
    assert found.requests == 3 and found.unread == 2
    assert logs.instants(found, None)[2] == "2026-04-11T15:00:03.250000"
    (tmp_path / "n.log").write_text('{"http": {"start": 1775919600500}}\n')
    nested = logs.read([tmp_path / "n.log"], Reader(), "http.start")
    assert logs.instants(nested, None) == ["2026-04-11T15:00:00.500000"]


def test_the_log_of_a_place_through_a_change_of_its_clock(tmp_path):
    lines = [
        '1 - - [25/Oct/2026:01:30:00 +0100] "GET / HTTP/1.1" 200 1',
        '1 - - [25/Oct/2026:01:30:00 +0000] "GET / HTTP/1.1" 200 1',
    ]
    (tmp_path / "a.log").write_text("\n".join(lines))
    with pytest.raises(SysimError, match=r"a\.log:2: found moments with different offsets"):
        logs.read([tmp_path / "a.log"], Reader())
    options = ("--zone", "Europe/London", "--every", "30m", "--out", tmp_path / "t.csv")
    done = run("import", "log", tmp_path / "a.log", *options)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "time,count", "2026-10-25T01:30:00+01:00,1", "2026-10-25T01:00:00+00:00,0", "2026-10-25T01:30:00+00:00,1",
    ]  # fmt: skip
    assert read_trace(tmp_path / "t.csv", zone="Europe/London").counts.tolist() == [1.0, 0.0, 1.0]


def test_a_log_is_replayed_and_counted_in_a_scenario(tmp_path):
    (tmp_path / "a.log").write_text("\n".join(COMMON.format(s=s) for s in (9, 1, 1, 30)))
    assert run("import", "log", tmp_path / "a.log", "--events", "--out", tmp_path / "t.csv").exit_code == 0
    assert run("import", "log", tmp_path / "a.log", "--every", "10s", "--out", tmp_path / "c.csv").exit_code == 0
    text = """
sysim: 1
time: {start: 2026-04-11T15:00, duration: 1m}
services: {api: {operations: {get: [{work: 1ms}]}}}
load:
  exact: {call: api, rate: {replay: {csv: t.csv}}}
  counted: {call: api, rate: {csv: {path: c.csv, value: count, unit: count}}, arrivals: evenly}
"""
    (tmp_path / "s.yaml").write_text(text)
    loads = sysim.simulate(tmp_path / "s.yaml").run.windows["all"].loads
    assert loads["exact"].offered == 4 and 4 <= loads["counted"].offered <= 6


def test_what_is_no_log_is_refused(tmp_path):
    (tmp_path / "a.log").write_text("hello\nworld\n")
    done = run("import", "log", tmp_path / "a.log")
    assert done.exit_code == 2 and "0 of 2 lines that could be read" in done.output and "a.log:1" in done.output
    assert run("import", "log", tmp_path / "none.log").exit_code == 2
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 5_000)[:20])
    assert run("import", "log", tmp_path / "cut.gz").exit_code == 2
    (tmp_path / "b.log").write_text(COMMON.format(s=1))
    for words in (("--only", "("), ("--every", "7m"), ("--zone", "Mars")):
        assert run("import", "log", tmp_path / "b.log", *words).exit_code == 2
