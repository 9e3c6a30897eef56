"""The page: well-formed, complete in itself, everything escaped, the same bytes, and its numbers those of the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

import sysim
from sysim.analysis.words import count, percent, span
from sysim.checking import check
from sysim.report.html import Content, of_json, of_result, of_study, page
from sysim.report.html.content import NotAResult
from sysim.report.html.element import VOID, Markup, el
from sysim.report.html.flow import streams
from sysim.report.html.graph import depths
from sysim.report.html.variants import told

EVIL = '<script>alert("x")</script>&amp;'
TEXT = """
sysim: 1
name: small
description: 'Is 1 < 2 & "quoted"? <b>bold</b> <img src="http://example.org/x.png">'
time: {duration: 60s, warmup: 2s, bucket: 1s}
services:
  front: {concurrency: 8, queue: {capacity: 20}, operations: {get: [{call: back.read, policy: careful}]}}
  back: {concurrency: 2, operations: {read: [{work: {exponential: 10ms}}]}}
policies:
  careful:
    timeout: 100ms
    retry: {max_attempts: 2}
    circuit_breaker: {failure_rate: 50%, window: {time: 5s}, minimum_calls: 5, open_for: 2s, half_open_calls: 2}
load: {users: {call: front.get, rate: 60/s, policy: {timeout: 1s}}}
faults: [{name: stall, at: 20s, for: 5s, on: back, pause: true}]
actions: [{name: cut, at: 40s, shed: {load: users, share: 50%}}]
windows: {before: 5s..20s, during: 20s..25s, after: 30s..60s}
variants: {baseline: null, patient: {policies.careful.timeout: 1s}}
checks: [success(users) during after >= 99%, recovers(users) within 10s after stall]
"""


@pytest.fixture(scope="module")
def study() -> sysim.Study:
    return check(sysim.loads(TEXT), replications=2, engine="reference")


@pytest.fixture(scope="module")
def content(study: sysim.Study) -> Content:
    return of_study(study, scenario=f"name: {EVIL}\n", command="sysim report x.yaml")


@pytest.fixture(scope="module")
def html(content: Content) -> str:
    return page(content)


class Tree(HTMLParser):
    """Holds the stack of open tags; any that is closed out of turn, or never, is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.text.append(data)
        if self.rows and {"th", "td"} & set(self.open) and self.rows[-1]:
            self.rows[-1][-1] += data


def parsed(text: str) -> Tree:
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert tree.open == []
    return tree


def test_well_formed_and_complete(html: str) -> None:
    tree = parsed(html)
    sections = [facts["id"] for tag, facts in tree.tags if tag == "section"]
    assert sections == [
        "answer", "numbers", "story", "timeline", "latency", "services", "causes", "variants", "checks", "scenario",
        "again",
    ]  # fmt: skip
    ids = [facts["id"] for _, facts in tree.tags if "id" in facts]
    assert len(ids) == len(set(ids))
    links = [facts["href"] for tag, facts in tree.tags if tag == "a"]
    assert links and {str(link)[1:] for link in links} <= set(ids)
    for reference in re.findall(r"url\(#([\w-]+)\)", html):
        assert reference in ids


def test_loads_nothing(html: str) -> None:
    tree = parsed(html)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in tree.tags}
    for tag, facts in tree.tags:
        assert not {"src", "srcset", "xlink:href", "onload", "onclick"} & set(facts), tag
        assert str(facts.get("href", "#")).startswith("#")
    assert "url(http" not in html and "@import" not in html
    assert sum(tag == "script" for tag, _ in tree.tags) == 1


def test_everything_is_escaped(html: str) -> None:
    assert "<b>bold" not in html
    text = "".join(parsed(html).text)
    assert EVIL in text and 'Is 1 < 2 & "quoted"? <b>bold</b>' in text


def test_a_stored_object_cannot_bring_its_own_script(content: Content) -> None:
    stored = json.dumps(dict(content.result)).replace("front", "<script>alert(1)</script>").replace("stall", "<i>'")
    found = json.loads(stored)
    found["scenario"]["name"] = EVIL
    text = page(of_json(found))
    assert text.count("<script") == 1 and "<i>" not in text
    assert text.count("<title>") > 1 and "&lt;script&gt;alert(1)" in text
    parsed(text)


def test_the_same_bytes(html: str, study: sysim.Study) -> None:
    again = of_study(study, scenario=f"name: {EVIL}\n", command="sysim report x.yaml")
    assert page(again) == html
    stored = json.loads(json.dumps(study.to_dict(series=True)))
    assert page(of_json(stored, scenario=f"name: {EVIL}\n", command="sysim report x.yaml")) == html


def rows(html: str, first: str) -> Iterator[list[str]]:
    return (row for row in parsed(html).rows if row and row[0] == first)


def test_numbers_are_those_of_the_json(html: str, content: Content) -> None:
    run: Any = content.run
    load_rows = {row[1]: row for row in rows(html, "users") if len(row) == 10}
    assert set(load_rows) == {"whole run", "before", "during", "after"}
    for window, stats in run["windows"].items():
        some = stats["loads"]["users"]
        row = load_rows["whole run" if window == "all" else window]
        assert row[2:4] == [count(some["offered"]), percent(some["success"])]
        assert row[6] == span(some["latency_s"]["p99"])
    backs = [row for row in rows(html, "back") if len(row) == 11]
    stats = sorted(run["windows"].values(), key=lambda window: window["from_s"])
    assert sorted(row[9 - 1] for row in backs) == sorted(count(w["services"]["back"]["abandoned"]) for w in stats)
    calls = [row for row in rows(html, "front.get → back.read")]
    assert sorted(row[7] for row in calls) == sorted(
        count(w["calls"]["front.get -> back.read"]["breaker"]["opened"]) for w in stats
    )
    assert max(int(row[7]) for row in calls) > 0, "the breaker opens, or the test shows nothing"


def test_variants_and_checks_are_those_of_the_study(html: str, content: Content) -> None:
    assert content.study is not None
    for verdict in content.checks:
        row = next(r for r in rows(html, verdict["check"]) if r[1] == verdict["variant"])
        assert row[2].endswith(verdict["verdict"])
    after = next(
        r for r in content.study["differences"]
        if (r["variant"], r["load"], r["window"], r["metric"]) == ("patient", "users", "after", "success")
    )  # fmt: skip
    cells = [r for r in rows(html, "patient") if len(r) >= 6 and "%" in r[1]]
    assert any(r[1].startswith(f"{after['mean'] * 100:.0f}"[:2]) for r in cells)


def test_the_timeline_has_faults_and_events(html: str) -> None:
    text = "".join(parsed(html).text)
    assert "fault stall: 20 s to 25 s" in text and "fault: pause" in text
    assert "front.get -> back.read: open" in text
    assert "cut: carried out" in text


def test_causes_add_up(content: Content, html: str) -> None:
    window: Any = content.run["windows"]["all"]
    users = window["loads"]["users"]
    total = sum(stream.count for stream in streams(window))
    assert total == users["offered"] - users["ok"] - users["degraded"] > 0
    assert f"shares of the {count(total)} failures" in html


def test_bands_of_latency_count_every_request_once(content: Content) -> None:
    series: Any = content.run["series"]
    rows = series["latency"]["loads"]["users"]
    edges = series["latency"]["edges_s"]
    load = series["loads"]["users"]
    assert sum(map(sum, rows["succeeded"])) == sum(load["ok"]) + sum(load["degraded"])
    ended = sum(sum(load[name]) for name in load if name not in ("offered", "done", "done_ok", "in_flight"))
    assert sum(map(sum, rows["succeeded"])) + sum(map(sum, rows["failed"])) == ended
    assert all(len(row) == len(edges) - 1 for row in rows["succeeded"])
    for row, p99 in zip(rows["succeeded"], rows["p99_s"], strict=True):
        if p99 is not None:
            rank, k = -(-sum(row) * 99 // 100), 0
            while sum(row[: k + 1]) < rank:
                k += 1
            assert edges[k] * 0.99 <= p99 <= edges[k + 1] * 1.01


def test_a_single_result_without_series_or_variants() -> None:
    result = sysim.simulate(sysim.loads(TEXT, variant="baseline"), engine="reference")
    full = parsed(page(of_result(result)))
    assert "timeline" in {facts.get("id") for _, facts in full.tags}
    bare = parsed(page(of_json(result.to_dict())))
    ids = {facts.get("id") for _, facts in bare.tags}
    assert "numbers" in ids and not {"timeline", "latency", "variants"} & ids


@pytest.mark.parametrize("some", [[], {}, {"format": 2, "runs": [1]}, {"format": 1}, {"format": 1, "runs": []}])
def test_what_is_no_result_is_refused(some: Any) -> None:
    with pytest.raises(NotAResult, match="expected"):
        of_json(some)


def test_the_ranking_of_what_if(content: Content) -> None:
    tried = [
        {
            "rank": 1, "tied": False, "name": "shed 75% of <users>", "recovered": 4, "judged": 4,
            "recovered_after_s": 7.5, "saved": {"mean": 1200.0, "half_width": 35.0}, "verdict": "better",
        },
        {"rank": 2, "tied": True, "name": "do nothing", "recovered": 0, "judged": 4, "recovered_after_s": None,
         "saved": None, "verdict": "nothing"},
    ]  # fmt: skip
    html = page(replace(content, what_if=tried))
    assert ["1", "shed 75% of <users>", "4 of 4 runs", "7.5 s", "+1,200 ± 35", "better"] in parsed(html).rows
    assert ["2=", "do nothing", "0 of 4 runs", "–", "–", "nothing"] in parsed(html).rows


def test_elements() -> None:
    assert el("p", "a<b", None, [1, el("b", "&")], class_="x y", hidden=True, title=None) == (
        '<p class="x y" hidden>a&lt;b1<b>&amp;</b></p>'
    )
    assert el("br") == "<br>" and el("i", Markup("<b></b>")) == "<i><b></b></i>"
    assert el("rect", x=1.04, stroke_width=0.25, title='"') == '<rect x="1" stroke-width="0.2" title="&quot;"></rect>'
    with pytest.raises(TypeError):
        el("p", object())


def test_layers_of_a_graph_with_a_circle() -> None:
    assert depths("abc", [("a", "b"), ("b", "c"), ("c", "b")]) == {"a": 0, "b": 1, "c": 2}
    assert depths("ab", [("a", "b"), ("b", "a")]) == {"a": 0, "b": 1}


def test_values_of_checks_have_their_units() -> None:
    def found(text: str, value: float) -> list[str]:
        return told({"check": text, "variant": None, "verdict": "pass", "value": value, "interval": None})

    assert found("success(users) >= 99%", 0.995) == ["is 99.5 %"]
    assert found("p99(users) during after < 1s", 0.25) == ["is 250 ms"]
    assert found("goodput(users) during after >= 95% of before", 0.99) == ["is 99 %"]
