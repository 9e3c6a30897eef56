"""Variants side by side: small pictures on one scale, dots with intervals, a table, and the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sysim.analysis.checks import Verdict
from sysim.analysis.words import amount, count, percent, span
from sysim.report.html.axes import ceiling, scrolling
from sysim.report.html.content import Content, Json
from sysim.report.html.element import Markup, el, joined, place
from sysim.report.html.tables import table
from sysim.report.html.timeline import MOST_SMALL_BINS, binned, legend, miniature, outcome_names
from sysim.report.plus_minus import Kind, difference, plus_minus
from sysim.report.verdicts import MARK, facts

METRICS: dict[str, tuple[str, Kind]] = {
    "success": ("success", "share"),
    "p99": ("p99", "seconds"),
    "goodput": ("goodput (/s)", "count"),
    "amplification": ("sent each", "factor"),
    "recovery": ("well again after", "seconds"),
    "value_lost": ("value lost", "money"),
}
WIDTH, NAMES, ROW = 1000.0, 190.0, 26.0
COLOURS = {"pass": "good", "fail": "bad", "inconclusive": "doubt"}


def number(metric: str, value: float | None) -> str:
    """A headline number in its unit."""
    if value is None:
        return "–"
    if metric == "success":
        return percent(min(1.0, max(0.0, value)))
    if metric in ("p99", "recovery"):
        return span(value)
    if metric == "amplification":
        return f"{value:.2f}"
    if metric == "value_lost":
        return amount(value, None) if abs(value) < 1_000 else f"{value:,.0f}"
    return count(float(f"{value:.4g}"))


def miniatures(content: Content) -> list[Markup]:
    """For each load the outcomes of every variant, on one scale."""
    with_series = {name: some for name, some in content.variants.items() if "series" in some["runs"][0]}
    if len(with_series) < 2:
        return []
    made = []
    for load in content.loads:
        highest, names = 0.0, set()
        for some in with_series.values():
            run = some["runs"][0]
            columns = run["series"]["loads"].get(load)
            if columns:
                _, rates = binned(run["series"], columns, content.length_s, MOST_SMALL_BINS)
                highest = max(highest, *rates["offered"])
                names |= set(outcome_names(columns))
        top, step = ceiling(highest)
        pictures = [
            el("figure", el("h4", name), miniature(content, some["runs"][0], load, top, step))
            for name, some in with_series.items()
            if load in some["runs"][0]["series"]["loads"]
        ]
        known = [name for name in outcome_names(dict.fromkeys(_all(), (1,))) if name in names]
        made.append(el("div", el("h3", f"{load} over time"), legend(known), el("div", pictures, class_="grid2")))
    return made


def _all() -> Sequence[str]:
    from sysim.plan.tables import OUTCOMES

    return OUTCOMES


# --- numbers --------------------------------------------------------------------------------------------------

Rows = Mapping[tuple[str, str, str, str], Json]


def intervals(content: Content) -> Markup | None:
    """For each window and load of the study: dots with whiskers, and the table of the same numbers."""
    found = content.study.get("differences", ()) if content.study else ()
    rows = {(row["variant"], row["load"], row["window"], row["metric"]): row for row in found}
    windows = list(dict.fromkeys(window for _, _, window, _ in rows))
    panels = []
    for number, window in enumerate(windows):
        told = "whole run" if window == "all" else window
        parts = []
        for load in dict.fromkeys(load for _, load, w, _ in rows if w == window):
            title = load if window == "all" else f"{load} during {window}"
            parts += [el("h3", title), _dots(content, rows, load, window), _table(content, rows, load, window, title)]
        first = window == content.telling_window
        panels.append(el("div", parts, data_tab=told, data_first=first, id=f"intervals-{number}"))
    return el("div", panels, data_tabs="every") if panels else None


def _metrics(content: Content, rows: Rows, load: str, window: str) -> list[str]:
    return [
        metric for metric in METRICS
        if any((row := rows.get((name, load, window, metric))) and row["mean"] is not None for name in content.variants)
    ]  # fmt: skip


def _dots(content: Content, rows: Rows, load: str, window: str) -> Markup:
    metrics = [metric for metric in _metrics(content, rows, load, window) if metric != "value_lost"]
    names = list(content.variants)
    wide = (WIDTH - NAMES) / max(1, len(metrics))
    height = 42 + ROW * len(names)
    drawn = [
        el("text", name if len(name) <= 26 else name[:25] + "…", x=2, y=36 + ROW * k + 5, class_="strong")
        for k, name in enumerate(names)
    ]
    for column, metric in enumerate(metrics):
        drawn += _panel(names, rows, load, window, metric, NAMES + wide * column + 12, wide - 34, content.bucket_s)
    picture = el(
        "svg", el("title", f"{load}, {window}: variants with intervals"), drawn,
        viewBox=f"0 0 {place(WIDTH)} {place(height)}", class_="chart", role="img",
    )  # fmt: skip
    return el("figure", scrolling(picture, f"variants, {load}, {window}"))


def _panel(
    names: Sequence[str], rows: Rows, load: str, window: str, metric: str, left: float, wide: float, bucket_s: float
) -> list[Markup]:
    some = {name: rows.get((name, load, window, metric)) for name in names}
    ends = [
        row["mean"] + sign * (row["half_width"] or 0.0)
        for row in some.values() if row and row["mean"] is not None for sign in (-1, 1)
    ]  # fmt: skip
    low, high = (0.0, 1.0) if metric == "success" else (0.0, ceiling(max(ends, default=1.0))[0])

    def x(value: float) -> float:
        return left + wide * min(1.0, max(0.0, (value - low) / ((high - low) or 1.0)))

    made = [el("text", METRICS[metric][0], x=left, y=12, class_="strong tiny")]
    for value, anchor in ((low, "start"), (high, "end")):
        made.append(el("text", "0" if value == 0 else number(metric, value), x=x(value), y=25, text_anchor=anchor,
                       class_="faint tiny"))  # fmt: skip
        made.append(el("line", x1=x(value), x2=x(value), y1=29, y2=34 + ROW * len(names), class_="grid"))
    for k, row in enumerate(some.values()):
        y = 36 + ROW * k + 1
        made.append(el("line", x1=left, x2=left + wide, y1=y, y2=y, class_="grid"))
        if not row or row["mean"] is None:
            made.append(el("text", "no data", x=left + 4, y=y + 4, class_="faint tiny"))
            continue
        mean, half = row["mean"], row["half_width"] or 0.0
        told = _told(metric, row, bucket_s)
        made.append(
            el(
                "g", el("title", f"{row['variant']}: {told}"),
                el("rect", x=left, y=y - ROW / 2, width=wide, height=ROW, fill="transparent"),
                el("line", x1=x(mean - half), x2=x(mean + half), y1=y, y2=y, stroke="var(--accent)", stroke_width=3,
                   stroke_opacity="0.55"),
                el("circle", cx=x(mean), cy=y, r=4.5, fill="var(--accent)"),
                class_="hit",
            )
        )  # fmt: skip
    return made


def _table(content: Content, rows: Rows, load: str, window: str, title: str) -> Markup:
    metrics = _metrics(content, rows, load, window)
    body = []
    confidence = None
    for name, some in content.variants.items():
        cells: list[object] = []
        for metric in metrics:
            row = rows.get((name, load, window, metric))
            if not row or row["mean"] is None:
                cells.append("–")
                continue
            confidence = row.get("confidence", confidence)
            cells.append(_cell(metric, row, content.bucket_s))
        body.append([name, *cells, states(some, load)])
    sure = "" if confidence is None else f", ± at {confidence * 100:.4g} %"
    currency = content.run["windows"]["all"]["loads"].get(load, {}).get("currency")
    heads = [METRICS[m][0] + (f" ({currency})" if m == "value_lost" and currency else "") for m in metrics]
    n = content.study.get("study", {}).get("replications") if content.study else None
    return table(
        f"{title}: means of {n} replications{sure}; small: difference from the baseline",
        ["variant", *heads, "state"],
        body,
    )


def _cell(metric: str, row: Json, bucket_s: float) -> Markup:
    own = _told(metric, row, bucket_s)
    if metric == "recovery" and row["with_data"] < row["replications"]:
        own += f" in {row['with_data']} of {row['replications']}"
    if row.get("difference") is None or (metric == "recovery" and row["pairs"] < row["replications"]):
        return el("span", own)
    less = difference(row["difference"], row["difference_half_width"], METRICS[metric][1])
    return joined([own, el("small", less)])


def _told(metric: str, row: Json, bucket_s: float) -> str:
    if metric == "recovery" and row["mean"] < bucket_s:
        return f"<{span(bucket_s)}"  # it is known to a bucket only
    return plus_minus(row["mean"], row["half_width"], METRICS[metric][1])


def states(result: Json, load: str) -> str:
    """What became of a load, over all replications."""
    found = Counter(run["recovery"].get(load, {}).get("state") or "–" for run in result["runs"])
    n = len(result["runs"])
    if len(found) == 1:
        return str(next(iter(found)))
    return ", ".join(
        f"{state} in {k} of {n}" for state, k in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    )


# --- verdicts -------------------------------------------------------------------------------------------------


def checks(content: Content) -> Markup | None:
    """Every check with its verdicts."""
    some = content.checks
    if not some:
        return None
    body = []
    for verdict in some:
        mark = MARK[verdict["verdict"]]
        body.append([
            verdict["check"], verdict["variant"] or "–",
            el("b", f"{mark} {verdict['verdict']}", class_=COLOURS[verdict["verdict"]]),
            ", ".join(told(verdict)) or "–",
        ])  # fmt: skip
    return table("Checks of the scenario and their verdicts", ["check", "variant", "verdict", "found"], body, text=4)


def told(verdict: Json) -> list[str]:
    """What was found for a check, as words."""
    text = verdict["check"]
    metric = text.removeprefix("not ").partition("(")[0].strip()
    if " of " in text.partition(")")[2]:
        metric = "ratio"
    interval = verdict.get("interval")
    return facts(
        Verdict(
            check=text, variant=verdict["variant"], verdict=verdict["verdict"], value=verdict["value"],
            interval=(interval[0], interval[1]) if interval else None, note=verdict.get("note", ""),
            confidence=verdict.get("confidence", 0.95), metric=metric,
        )
    )  # fmt: skip
