"""The page: its sections in order, each left out where there is nothing to say."""

from __future__ import annotations

from collections.abc import Sequence

from sysim.analysis.words import count
from sysim.report.html import axes, flow, graph, heat, story, tables, timeline, variants
from sysim.report.html.content import AS_IT_STANDS, Content, Json
from sysim.report.html.element import Markup, el
from sysim.report.html.style import CSS, SCRIPT, patterns
from sysim.report.html.what_if import ranking

MOST_WINDOWS = 5
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(content: Content) -> str:
    """The whole file. The same content gives the same bytes."""
    sections = [some for some in _sections(content) if some is not None]
    title = f"{content.name} · sysim report"
    return "<!DOCTYPE html>\n" + el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=POLICY),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("title", title),
            el("style", Markup(CSS)),
        ),
        el(
            "body",
            patterns(),
            story.head(content),
            el("main", _contents(sections), [section for _, _, section in sections]),
            _footer(content),
            el("script", Markup(SCRIPT)),
        ),
        lang="en",
    ) + "\n"  # fmt: skip


Section = tuple[str, str, Markup]


def _sections(content: Content) -> list[Section | None]:
    whole = content.run["windows"]["all"]
    told = "series" in content.run
    return [
        _section("answer", "The answer", story.verdict(content)),
        _section("numbers", "Key numbers", [*story.tiles(content), tables.loads(content.run)]),
        _section("story", "What happened", story.account(content.result)),
        _section("timeline", "Over time", _timeline(content) if told else []),
        _section(
            "latency", "Latency", [heat.heat_map(content, content.run, load) for load in content.loads] if told else []
        ),
        _section("services", "Services and calls", _windows(content)),
        _section("causes", "Where failures began", [flow.flow(whole)]),
        _section("variants", "Variants side by side", _variants(content)),
        _section("checks", "Checks", [variants.checks(content)]),
        _section("what-if", "What would help", [ranking(content.what_if)]),
        _section("scenario", "The scenario", _scenario(content)),
        _section("again", "How to reproduce this", _again(content)),
    ]


def _section(name: str, title: str, children: Sequence[Markup | None]) -> Section | None:
    inside = [child for child in children if child]
    if not inside:
        return None
    return name, title, el("section", el("h2", title, id=f"h-{name}"), inside, id=name, aria_labelledby=f"h-{name}")


def _contents(sections: Sequence[Section]) -> Markup:
    links = [el("li", el("a", title, href=f"#{name}")) for name, title, _ in sections]
    return el("nav", el("ul", links), aria_label="Contents")


def _timeline(content: Content) -> list[Markup | None]:
    some: list[Markup | None] = [
        _which(content),
        *(timeline.stack(content, content.run, load) for load in content.loads),
    ]
    explained = timeline.marks_explained(content.run)
    return [*some, explained] if explained else some


def _which(content: Content) -> Markup:
    variant = "" if content.focus == AS_IT_STANDS else f"Variant {content.focus}, "
    several = len(content.result["runs"]) > 1
    run = f"{variant}{'the first replication, ' if several else ''}seed {content.run['seed']}."
    return el("p", run[0].upper() + run[1:], class_="soft")


def _windows(content: Content) -> list[Markup]:
    first = content.telling_window
    windows = content.run["windows"]
    names = sorted(windows, key=lambda name: (windows[name]["from_s"], name))
    if len(names) > MOST_WINDOWS:
        names = [name for name in names if name in list(windows)[:MOST_WINDOWS] or name == first]
    names = [name for name in names if windows[name]["calls"] or windows[name]["services"]]
    panels = [_window(content, name, windows[name], name == first, k) for k, name in enumerate(names)]
    return [el("div", panels, data_tabs="Window")] if panels else []


def _window(content: Content, name: str, window: Json, first: bool, number: int) -> Markup:
    clock = content.clock
    title = "whole run" if name == "all" else name
    return el(
        "div",
        el("h3", f"{title}: {clock(window['from_s'])} to {clock(window['to_s'])}"),
        graph.graph(window, title, _struck(content, window)),
        tables.services(window),
        tables.calls(window),
        data_tab=title, data_first=first, id=f"window-{number}",
    )  # fmt: skip


def _struck(content: Content, window: Json) -> dict[str, list[str]]:
    """Service -> the faults on it, or on calls to it, that were at work in the window."""
    at_work = {
        name
        for begin, end, name in axes.faults(content.run, content.length_s)
        if begin < window["to_s"] and max(end, begin) >= window["from_s"]
    }
    found: dict[str, list[str]] = {}
    for some in content.result.get("faults", ()):
        if some["fault"] in at_work:
            for service in some["services"]:
                found.setdefault(service, []).append(some["kind"])
    return found


def _variants(content: Content) -> list[Markup | None]:
    if len(content.variants) < 2:
        return [variants.intervals(content)]
    made: list[Markup | None] = [*variants.miniatures(content), variants.intervals(content)]
    for name, result in content.variants.items():
        told = story.account(result)
        if name != content.focus and told:
            made.append(el("details", el("summary", f"What happened with {name}"), told))
    return made


def _scenario(content: Content) -> list[Markup | None]:
    if not content.scenario:
        return []
    lines = content.scenario.count("\n")
    intro = el("p", "As it was simulated: includes, parameters and settings resolved.", class_="soft")
    listing = el("pre", el("code", content.scenario), tabindex=0)
    if lines <= 60:
        return [intro, listing]
    return [intro, el("details", el("summary", f"{lines} lines of YAML"), listing)]


def _again(content: Content) -> list[Markup | None]:
    made: list[Markup | None] = []
    if content.command:
        made.append(el("pre", el("code", content.command), tabindex=0))
        made.append(
            el("p", "The same command with the same seed gives the same numbers, on any machine.", class_="soft")
        )
    study = content.study.get("study", {}) if content.study else {}
    if study.get("method"):
        made.append(el("p", study["method"]))
    rows = []
    for name, result in content.variants.items():
        run = result["runs"][0]
        rows.append([
            name, str(run["seed"]), count(len(result["runs"])), result["engine"], count(run["events"]),
            el("code", result["scenario"]["digest"]), el("code", run["digest"]),
        ])  # fmt: skip
    head = [
        "variant",
        "seed",
        "replications",
        "engine",
        "events of the first run",
        "digest of the scenario",
        "digest of the first run",
    ]
    made.append(tables.table(f"sysim {content.result['sysim']}", head, rows))
    return made


def _footer(content: Content) -> Markup:
    text = (
        f"Made by sysim {content.result['sysim']}. Numbers of one run are exact counts of that run; ± are intervals"
        " over independent runs. The file is complete: it loads nothing."
    )
    return el("footer", el("p", text))
