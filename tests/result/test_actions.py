"""Actions in what is told of a run."""

from __future__ import annotations

from io import StringIO

import sysim
from sysim.analysis.explain import explain
from sysim.report.terminal import show

TEXT = """
sysim: 1
time: {duration: 60s, start: 2026-04-11T15:00, bucket: 1s}
services:
  api: {concurrency: 1, replicas: 2, zones: [a, b], operations: {get: [{work: 3ms}, {work: 1ms, flag: similar}]}}
policies: {p: {timeout: 100ms, retry: {}, rate_limit: {rate: 1k/s}}}
load: {web: {call: api, rate: 300/s, policy: p}}
flags: {similar: on}
actions:
  - {name: lighter, at: 15:00:10, flag: {similar: off}}
  - {when: {metric: in_system(api) >= 0, every: 5s, for: 10s}, after: 2s, shed: {load: web, share: 30%}}
  - {when: queue(api) > 1M, clear_queue: api}
  - {at: 30s, restart: {service: api, replicas: 1, zone: a}}
  - {at: 40s, set: {policies.p.timeout: 90ms, policies.p.rate_limit.rate: 500/s, policies.p.retry.max_attempts: 1}}
  - {at: 41s, set: {policies.p.circuit_breaker: closed}}
  - {at: 42s, shed: {load: web, share: 0%}}
  - {at: 59s, after: 10s, clear_queue: api}
  - {when: {metric: in_system(api) >= 0, every: 58s}, after: 1h, restart: api}
"""


def result() -> sysim.Result:
    return sysim.simulate(sysim.loads(TEXT), engine="reference")


def test_actions_in_the_json_are_those_carried_out_in_order() -> None:
    run = result().run
    assert run.to_dict()["actions"] == [
        {"at_s": 10.0, "what": "flag similar off"},
        {"at_s": 17.0, "what": "shed 30% of web"},
        {"at_s": 30.0, "what": "restart 1 of api in zone a"},
        {"at_s": 40.0, "what": "set policies.p.rate_limit.rate to 500/s, set policies.p.retry.max_attempts to 1, "
                               "set policies.p.timeout to 90ms"},
        {"at_s": 41.0, "what": "set policies.p.circuit_breaker to closed"},
        {"at_s": 42.0, "what": "shed 0% of web"},
    ]  # fmt: skip
    told = [(t.at_s, t.subject, t.what) for t in run.transitions if t.kind == "action"]
    assert told[:3] == [
        (10.0, "lighter", "carried out"), (15.0, "shed 30% of web", "decided"),
        (17.0, "shed 30% of web", "carried out"),
    ]  # fmt: skip
    assert run.actions[-1].at_s is None and run.actions[-1].decided_s == 58.0


def test_the_account_and_the_summary_name_them() -> None:
    found = result()
    for text in (
        "At 15:00:10 an operator switches off similar.",
        "At 15:00:15 an operator decides to shed 30.0 % of web, as in_system(api) >= 0 has held for 10 s.",
        "At 15:00:17 an operator sheds 30.0 % of web.",
        "an operator restarts 1 replica of api in zone a.",
        "sets policies.p.rate_limit.rate to 500/s, sets policies.p.retry.max_attempts to 1 and sets "
        "policies.p.timeout to 90ms.",
        "forces policies.p.circuit_breaker closed.",
        "stops shedding web.",
    ):
        assert text in found.account, (text, found.account)
    assert "crashes" not in found.account  # what a restart takes down is not a crash
    out = StringIO()
    show(found, None, out)
    lines = out.getvalue().splitlines()
    begin = lines.index("Actions")
    assert lines[begin + 1].split() == ["15:00:10", "flag", "similar", "off"]
    assert lines[begin + 2].endswith("shed 30% of web  (decided at 15:00:15)")
    assert lines[begin + 3].split()[0] == "never" and "queue(api) > 1M" in lines[begin + 3]


def test_explain_names_them_with_both_ways_of_writing_an_instant() -> None:
    lines = dict(explain(sysim.loads(TEXT).model))["What operators do"]
    assert lines[0] == "lighter: at 10s (Sat 2026-04-11 15:00:10), an operator switches off similar"
    assert lines[1].startswith("action 1: when in_system(api) >= 0 has held for 10 s (looked at every 5 s), 2 s later,")


def test_the_timeline_marks_them() -> None:
    from matplotlib.figure import Figure

    from sysim.plot.events import mark_transitions

    axes = Figure().add_subplot()
    assert "an operator acts" in mark_transitions(result().run, axes, 1.0)
    marks = next(line for line in axes.get_lines() if line.get_label() == "an operator acts")
    assert list(marks.get_xdata()) == [10.0, 17.0, 30.0, 40.0, 41.0, 42.0]
