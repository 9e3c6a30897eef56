"""k6: every executor, the shortcuts, plain literals of scripts, and what is refused with its place."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import sysim
from sysim.errors import ScenarioError
from sysim.model.demand import mean_rate
from sysim.model.users import changes
from sysim.traffic.imports.k6 import read
from sysim.traffic.imports.literal import NotLiteral, options_of

S = 1_000_000_000
SCRIPT = """
import http from 'k6/http';
import { sleep } from "k6";
// export const options = { vus: 7 };
const url = "export const options = { vus: 8 }";
/* export const options = { vus: 9 } */
export const options = {
  discardResponseBodies: true,
  thresholds: { http_req_duration: ['p(95)<500', "p(99)<1_500"], 'http_req_failed': ["rate<0.01",], },
  scenarios: {
    bets: {
      executor: 'ramping-arrival-rate', // as on Saturday
      startRate: 1_00, timeUnit: `1m`, preAllocatedVUs: 50,
      stages: [ { target: 200, duration: '30s' }, { target: 500, duration: "0" }, { target: 0, duration: '1m30s' } ],
    },
    "cash out": { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '2m', startTime: '30s',
                  preAllocatedVUs: 10, maxVUs: 20, exec: 'cash', gracefulStop: '5s', },
  },
};
export default function () { http.get(url); sleep(1); }
"""


def loads(text, name="t.js", **options):
    found = read(Path(name), text, **options)
    return found, yaml.safe_load(found.yaml)["load"]


def scenario_of(found):
    text = found.yaml.replace("# call: service.operation: what one iteration calls", "call: api.get")
    length = found.length // S if found.length else 60
    head = f"sysim: 1\ntime: {{duration: {length}s}}\nservices: {{api: {{operations: {{get: [{{work: 1ms}}]}}}}}}\n"
    return sysim.loads(head + text)


def test_a_script_with_plain_options():
    found, got = loads(SCRIPT)
    assert got["bets"] == {
        "rate": {"from": "100/m", "stages": [
            {"for": "30s", "to": "200/m"}, {"for": "0s", "to": "500/m"}, {"for": "1m30s", "to": "0/m"},
            {"for": "0s", "to": "0/s"},
        ]},
        "arrivals": "evenly",
    }  # fmt: skip
    assert got["cash_out"]["rate"] == {"steps": [{"at": "30s", "rate": "30/s"}, {"at": "2m30s", "rate": "0/s"}]}
    assert found.length == 150 * S
    assert "runs the function cash" in found.yaml
    assert any("all of its 50 users are busy" in line for line in found.lost)
    assert any("all of its 20 users are busy" in line for line in found.lost)
    model = scenario_of(found).model
    # the area under the ramps: what k6 starts, by its own arithmetic
    assert mean_rate(model.load["bets"].rate, 0, 150 * S) * 150 == pytest.approx(75 / 60 * 60 + 500 / 60 * 90 / 2)
    assert mean_rate(model.load["cash_out"].rate, 0, 150 * S) * 150 == pytest.approx(3600)


def test_what_k6_starts_is_what_is_sent():
    options = {"scenarios": {"a": {"executor": "ramping-arrival-rate", "startRate": 2, "preAllocatedVUs": 1,
                                   "stages": [{"duration": "5s", "target": 2}, {"duration": "5s", "target": 3}]}}}
    found, _ = loads(json.dumps(options), "o.json")
    result = sysim.simulate(scenario_of(found))
    assert result.run.windows["all"].loads["a"].offered == 22  # 10 and then 12.5, of which the last is not whole


@pytest.mark.parametrize(
    ("options", "expected", "lost"),
    [
        ({"vus": 10, "duration": "30s"}, {"users": 10}, ["sleep"]),
        ({"stages": [{"duration": "20s", "target": 10}, {"duration": "10s", "target": 0}]},
         {"users": {"from": 1, "stages": [{"for": "20s", "to": 10}, {"for": "10s", "to": 0}]}}, ["sleep"]),
        ({"vus": 4, "stages": [{"duration": "20s", "target": 4}]}, {"users": 4}, []),
        ({"scenarios": {"x": {"executor": "ramping-vus", "startTime": "5s", "startVUs": 0, "gracefulRampDown": "3s",
                              "stages": [{"duration": "20s", "target": 10}, {"duration": "0", "target": 2}]}}},
         {"users": {"from": 0, "stages": [{"for": "5s", "to": 0}, {"for": "20s", "to": 10}, {"for": "0s", "to": 2}]}},
         []),
        ({"scenarios": {"x": {"executor": "ramping-vus", "startTime": "5s", "startVUs": 3,
                              "stages": [{"duration": "20s", "target": 10}]}}},
         {"users": {"from": 0, "stages": [{"for": "5s", "to": 0}, {"for": "0s", "to": 3}, {"for": "20s", "to": 10}]}},
         []),
        ({"vus": 3, "iterations": 99}, {"users": 3}, ["ends after"]),
        ({"vus": 3}, {"users": 3}, ["ends after"]),
        ({"scenarios": {"x": {"executor": "per-vu-iterations", "vus": 5, "iterations": 20, "maxDuration": "1m"}}},
         {"users": 5}, ["x ends after 20 iterations"]),
        ({"scenarios": {"x": {"executor": "constant-vus", "vus": 5, "duration": "1m", "startTime": "10s"}}},
         {"users": {"steps": [{"at": "10s", "users": 5}]}}, ["sleep"]),
        ({"scenarios": {"x": {"executor": "externally-controlled", "vus": 5, "maxVUs": 9, "duration": "1m"}}},
         {"users": 5}, ["set from outside"]),
    ],
)  # fmt: skip
def test_users(options, expected, lost):
    found, got = loads(json.dumps(options), "o.json")
    assert got == {next(iter(got)): expected}
    for words in lost:
        assert any(words in line for line in found.lost), found.lost
    _, thinking = loads(json.dumps(options), "o.json", think="{exponential: 1s}", call="web.get")
    assert next(iter(thinking.values())) == {**expected, "think": {"exponential": "1s"}, "call": "web.get"}


@pytest.mark.parametrize("seed", range(20))
def test_users_are_there_as_in_k6(seed):
    """On its way from a to b a stage has n users from the first ns on at which the straight line has reached n."""
    rng = random.Random(seed)
    start = rng.randint(0, 5)
    stages = [(rng.choice((0, 1, 4, 7, 20)), rng.randint(0, 30)) for _ in range(6)] + [(4, 9)]
    options = {"vus": start, "stages": [{"duration": f"{length}s", "target": to} for length, to in stages]}
    found, _ = loads(json.dumps(options), "o.json")
    expected, begins, before = {0: start}, 0, start
    for length, to in stages:
        way = range(before, to, 1 if to > before else -1)
        for done, users in enumerate([*way[1:], to] if way else [], start=1):
            expected[begins * S + math.ceil(Fraction(length * S * done, len(way)))] = users
        begins, before = begins + length, to
    table = changes(scenario_of(found).model.load["users"].users)
    known = list(expected.items())
    assert table == known[:1] + [pair for last, pair in pairwise(known) if pair[1] != last[1]]


def test_scenarios_of_several_lengths():
    """Users go home when their scenario is over, unless the run is over as well."""
    options = {"scenarios": {
        "first": {"executor": "constant-vus", "vus": 5, "duration": "30s"},
        "second": {"executor": "constant-vus", "vus": 7, "duration": "1m", "startTime": "30s"},
        "third": {"executor": "ramping-vus", "startVUs": 2, "stages": [{"duration": "30s", "target": 8}]},
        "open": {"executor": "constant-arrival-rate", "rate": 3, "duration": "10s", "preAllocatedVUs": 1},
    }}  # fmt: skip
    found, got = loads(json.dumps(options), "o.json", think="1s")
    assert found.length == 90 * S
    assert got["first"]["users"] == {"steps": [{"at": "0s", "users": 5}, {"at": "30s", "users": 0}]}
    assert got["second"]["users"] == {"steps": [{"at": "30s", "users": 7}]}
    assert got["third"]["users"] == {"from": 2, "stages": [{"for": "30s", "to": 8}, {"for": "0s", "to": 0}]}
    assert not [line for line in found.lost if "startTime" in line or "ramp" in line]
    model = scenario_of(found).model
    assert changes(model.load["third"].users)[-1] == (30 * S, 0)


def test_what_k6_prints_with_execution_requirements():
    """`k6 inspect --execution-requirements` prints unset options as null, shortcuts and what it derived from them."""
    printed = {
        "paused": None, "vus": 10, "duration": "30s", "iterations": None, "stages": None, "rps": None,
        "scenarios": {"default": {
            "executor": "constant-vus", "startTime": None, "gracefulStop": None, "env": None, "exec": None,
            "tags": None, "vus": 10, "duration": "30s",
        }},
        "totalDuration": "1m0s", "maxVUs": 10,
    }  # fmt: skip
    found, got = loads(json.dumps(printed), "o.json")
    assert got == {"users": {"users": 10}} and found.length == 30 * S
    archive = {"type": "js", "options": printed, "filename": "file:///t.js", "k6version": "1.0"}
    assert loads(json.dumps(archive), "metadata.json")[1] == got


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("1m30s", 90), ("1h0m5s", 3605), ("1d2h", 93_600), ("1.5m", 90), (2500, 2.5), ("2500", 2.5),
        ("250ms", 0.25),
    ],
)  # fmt: skip
def test_durations_as_k6_reads_them(text, seconds):
    found, _ = loads(json.dumps({"vus": 1, "duration": text}), "o.json")
    assert found.length == seconds * S


def test_a_late_ramp_begins_late():
    scenario = {"executor": "ramping-arrival-rate", "startTime": "10s", "startRate": 5, "preAllocatedVUs": 1,
                "stages": [{"duration": "10s", "target": 15}]}
    found, _ = loads(json.dumps({"scenarios": {"a": scenario}}), "o.json")
    rate = scenario_of(found).model.load["a"].rate
    assert mean_rate(rate, 0, 10 * S) == 0.0 and mean_rate(rate, 10 * S, 20 * S) == pytest.approx(10.0)
    assert mean_rate(rate, 20 * S, 30 * S) == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export const options = { vus: __ENV.VUS };", r"t\.js:1:31: bad-k6: found '__ENV\.VUS', .*k6 inspect"),
        ("export const options = makeOptions();", r"t\.js:1:24: .*found 'makeOptions\(\);'"),
        ("export const options = {\n  vus: 2 * 5,\n};", r"t\.js:2:10: .*expected ',' or '}' after a literal"),
        ("export const options = { vus: 5 } as Options;", "expected the end of a literal"),
        ("export const options = { ...base, vus: 5 };", r"found '\.\.\.base,', expected a key"),
        ("export const options = { duration: `${n}s` };", r"expected a text without \$"),
        ("export const options = { vus: 5", "expected ',' or '}' after a literal"),
        ("export default function () {}", "found no `export const options"),
        ("const options = { vus: 5 };", "found no `export const options"),
        ('{"vus": 5,', r"t\.js:1:\d+: bad-k6: found no JSON"),
    ],
)  # fmt: skip
def test_what_is_no_literal_is_refused_with_its_place(text, said):
    with pytest.raises(ScenarioError, match=said):
        loads(text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "one of iterations, duration, stages and scenarios"),
        ([], "an object of options"),
        ({"vus": 1, "duration": "1s", "stages": [{"duration": "1s", "target": 1}]}, "k6 refuses both at once"),
        ({"scenarios": {"a": {"executor": "constant-rate"}}}, "scenarios.a.executor: found 'constant-rate'"),
        ({"scenarios": {"a": 5}}, "an object with an executor"),
        ({"scenarios": {"a": {"executor": "constant-vus", "vus": 5}}}, "scenarios.a.duration: found null"),
        ({"vus": 1, "duration": "soon"}, "found 'soon', expected a duration"),
        ({"vus": -1, "duration": "1s"}, "expected a number of at least 0"),
        ({"stages": [{"duration": "1s", "target": 2.5}]}, r"stages.0.target: found 2.5, expected a whole number"),
        ({"vus": 0, "stages": [{"duration": "1s", "target": 0}]}, "expected a user at some time"),
        ({"vus": 0, "duration": "1s"}, r"vus: found 0, expected a user at some time"),
        ({"stages": [5]}, r"stages.0: found 5, expected \{duration, target\}"),
    ],
)  # fmt: skip
def test_options_that_are_wrong_are_told_with_their_path(options, said):
    with pytest.raises(ScenarioError, match=said):
        loads(json.dumps(options), "o.json")


def test_literals():
    text = r"""export let options = {a: [1, -2.5, .5, 1e3, 0x1F, 1_000,], 'b c': "x\ny\"z", d: null, e: undefined,
      f: true, "g": `plain`, 7: {}, /* k: 1, */ // l: 2
    }"""
    assert options_of(text)[0] == {
        "a": [1, -2.5, 0.5, 1000, 31, 1000], "b c": 'x\ny"z', "d": None, "e": None, "f": True, "g": "plain", "7": {},
    }  # fmt: skip
    with pytest.raises(NotLiteral, match="at most 64 levels"):
        options_of("export const options = " + "[" * 100_000)
