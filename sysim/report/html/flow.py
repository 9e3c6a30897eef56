"""Causes as a flow: from where failures began, by which mechanism, to what the customers saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sysim.analysis.words import count, percent
from sysim.plan.tables import OUTCOMES
from sysim.report.html.axes import scrolling
from sysim.report.html.content import Json
from sysim.report.html.element import Markup, el, place
from sysim.report.html.style import fill_of
from sysim.report.html.tables import table

WIDTH = 1000.0
NODE = 12.0
TALLEST = 300.0
GAP = 16.0
ENDS = (250.0, 720.0)
LEAST_SHARE = 0.002  # thinner streams are gathered


@dataclass(frozen=True)
class Stream:
    """So many failures of one load that began at a service by a mechanism, and ended as the load saw it."""

    load: str
    service: str
    mechanism: str
    outcome: str
    count: int


def streams(window: Json) -> list[Stream]:
    """The causes of a window of the JSON result: each load has a list of them."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for load, some in window["loads"].items():
        for cause in some.get("causes", ()):
            key = (load, cause["service"], cause["mechanism"], cause.get("outcome", "failed"))
            found[key] += cause["count"]
    return [Stream(*key, n) for key, n in sorted(found.items())]


def flow(window: Json) -> Markup | None:
    """Picture and table; None where nothing failed, or where causes are not known."""
    some = streams(window)
    total = sum(stream.count for stream in some)
    if not total:
        return None
    left = Counter[tuple[str, str]]()
    right = Counter[tuple[str, str]]()
    between = Counter[tuple[tuple[str, str], tuple[str, str]]]()
    kept = Counter[tuple[str, str]]()
    for stream in some:
        kept[stream.service, stream.mechanism] += stream.count
    rare = {origin for origin, n in kept.items() if n < LEAST_SHARE * total and len(kept) > 6}
    for stream in some:
        origin = (stream.service, stream.mechanism)
        a = ("elsewhere", "") if origin in rare else origin
        b = (stream.load, stream.outcome)
        left[a] += stream.count
        right[b] += stream.count
        between[a, b] += stream.count
    scale = TALLEST / total
    top = 34.0
    starts = _stacked(sorted(left, key=lambda key: (-left[key], key)), left, scale, top)
    ends = _stacked(
        sorted(right, key=lambda key: (-sum(right[k] for k in right if k[0] == key[0]), key[0], _order(key[1]))),
        right, scale, top,
    )  # fmt: skip
    height = max(y + max(left[key] * scale, 26.0) for key, y in starts.items())
    height = max(height, *(y + max(right[key] * scale, 26.0) for key, y in ends.items())) + 8
    out, into = dict(starts), dict(ends)
    bands = []
    for a in starts:
        for b in ends:
            n = between[a, b]
            if not n:
                continue
            thick = max(0.6, n * scale)
            x0, x1 = ENDS[0] + NODE, ENDS[1]
            m = (x0 + x1) / 2
            y0, y1 = out[a], into[b]
            d = (
                f"M{place(x0)} {place(y0)}C{place(m)} {place(y0)} {place(m)} {place(y1)} {place(x1)} {place(y1)}"
                f"V{place(y1 + thick)}C{place(m)} {place(y1 + thick)} {place(m)} {place(y0 + thick)} {place(x0)}"
                f" {place(y0 + thick)}Z"
            )
            title = f"{_origin(a)} → {b[0]}: {b[1].replace('_', ' ')}\n{count(n)} failures, {percent(n / total)}"
            bands.append(el("path", el("title", title), d=d, fill=fill_of(b[1]), fill_opacity="0.55"))
            out[a] += n * scale
            into[b] += n * scale
    picture = el(
        "svg",
        el("title", "Where failures began, and what became of the requests"),
        el("text", "began at, by", x=ENDS[0], y=14, text_anchor="end", class_="faint"),
        el("text", "seen by the load as", x=ENDS[1] + NODE, y=14, class_="faint"),
        bands,
        [_end(a, y, left[a], total, scale, begins=True) for a, y in starts.items()],
        [_end(b, y, right[b], total, scale, begins=False) for b, y in ends.items()],
        viewBox=f"0 0 {place(WIDTH)} {place(height)}",
        class_="chart",
        role="img",
    )
    return el(
        "div",
        el("figure", scrolling(picture, "causes of failures"),
           el("figcaption", "Each failed request once, by the first thing that went wrong for it; widths are shares of"
              f" the {count(total)} failures.")),
        table("Where failures began", ["service", "mechanism", "load", "seen as", "failures", "share"], [
            [
                s.service, words(s.mechanism), s.load, s.outcome.replace("_", " "), count(s.count),
                percent(s.count / total),
            ]
            for s in sorted(some, key=lambda s: -s.count)[:12]
        ], text=4),
        el("p", f"The table has the 12 most frequent of {len(some)}.", class_="soft") if len(some) > 12 else None,
    )  # fmt: skip


def words(mechanism: str) -> str:
    """What a mechanism is called."""
    from sysim.analysis.causes import WORDS

    return WORDS.get(mechanism, mechanism.replace("_", " "))


def _origin(key: tuple[str, str]) -> str:
    return f"{key[0]}: {words(key[1])}" if key[1] else "elsewhere, each with few"


def _order(outcome: str) -> int:
    return OUTCOMES.index(outcome) if outcome in OUTCOMES else len(OUTCOMES)


def _stacked(
    keys: Sequence[tuple[str, str]], sizes: Counter[tuple[str, str]], scale: float, top: float
) -> dict[tuple[str, str], float]:
    found, y = {}, top
    for key in keys:
        found[key] = y
        y += max(sizes[key] * scale, 26.0) + GAP
    return found


def _end(key: tuple[str, str], y: float, n: int, total: int, scale: float, begins: bool) -> Markup:
    x = ENDS[0] if begins else ENDS[1]
    tall = max(1.0, n * scale)
    anchor, tx = ("end", x - 8) if begins else ("start", x + NODE + 8)
    first = key[0] if begins else f"{key[0]}: {key[1].replace('_', ' ')}"
    share = f"{percent(n / total)}, {count(n)}"
    second = f"{words(key[1])} · {percent(n / total)}" if begins and key[1] else share
    middle = y + min(tall / 2, 140.0)
    middle = max(middle, y + 8)
    second = second if len(second) <= 46 else second[:45] + "…"
    return el(
        "g",
        el("rect", x=x, y=y, width=NODE, height=tall, fill="var(--soft)" if begins else fill_of(key[1]),
           stroke="var(--soft)", stroke_width="0.5"),
        el("text", first, x=tx, y=middle - 1, text_anchor=anchor, class_="strong"),
        el("text", second, x=tx, y=middle + 13, text_anchor=anchor, class_="faint tiny"),
    )  # fmt: skip
