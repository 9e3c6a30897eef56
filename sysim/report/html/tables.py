"""The numbers of one window as tables: services and calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sysim.analysis.words import amount, count, factor, per_second, percent, span
from sysim.plan.tables import DEGRADED, OUTCOMES
from sysim.report.html.content import Json
from sysim.report.html.element import Markup, el

FAILED = tuple(name for name in OUTCOMES[DEGRADED + 1 :] if name not in ("in_flight", "cancelled"))

MOST_CALLS = 12


def table(caption: str, head: Sequence[object], rows: Iterable[Sequence[object]], text: int = 1) -> Markup:
    """A table whose first column names its rows; the first `text` columns are words, the others numbers."""
    return el(
        "div",
        el(
            "table",
            el("caption", caption),
            el(
                "thead",
                el("tr", [
                    el("th", cell, scope="col", class_="text" if k < text else None)
                    for k, cell in enumerate(head)
                ]),
            ),
            el("tbody", [_row(row, text) for row in rows]),
        ),
        class_="scroll", tabindex=0, role="group", aria_label=caption,
    )  # fmt: skip


def _row(row: Sequence[object], text: int) -> Markup:
    first, *rest = row
    cells = [el("td", cell, class_="text" if k + 1 < text else None) for k, cell in enumerate(rest)]
    return el("tr", el("th", first, scope="row"), cells)


def failed_at(window: Json, service: str) -> tuple[int, int]:
    """Attempts to a service that ended, and how many of them its callers saw fail."""
    attempts = failed = 0
    for label, calls in window["calls"].items():
        if callee(label) == service:
            outcomes = calls["attempt_outcomes"]
            attempts += calls["attempts"] - outcomes.get("in_flight", 0)
            failed += sum(outcomes.get(name, 0) for name in FAILED)
    return attempts, failed


def caller(label: str) -> str:
    """``bets`` of ``bets.place -> payments.charge``."""
    return label.split("->")[0].strip().partition(".")[0]


def callee(label: str) -> str:
    """``payments`` of ``bets.place -> payments.charge``."""
    return label.split("->")[1].strip().partition(".")[0]


def services(window: Json) -> Markup | None:
    """Services, those whose callers saw most failures first."""
    rows = []
    length = window["to_s"] - window["from_s"]
    for name, some in window["services"].items():
        attempts, failed = failed_at(window, name)
        busy = [x for x in (some["utilisation"], some["cpu_utilisation"]) if x is not None]
        full = max(busy) if busy else None
        turned = some["rejected"] + some["outcomes"].get("shed", 0)
        rows.append(
            (
                (-(failed / attempts) if attempts else 0.0, -(full or 0.0), name),
                [
                    name + times(some["replicas_mean"]), per_second(some["arrivals"] / length), percent(full),
                    few(some["queue_mean"]), count(some["in_system_max"]), span(some["sojourn_s"]["p50"]),
                    span(some["sojourn_s"]["p99"]), count(turned), count(some["abandoned"]), span(some["wasted_s"]),
                    percent(failed / attempts) if attempts else "–",
                ],
            )
        )  # fmt: skip
    if not rows:
        return None
    head = [
        "service", "arrivals", "busy", "queue, mean", "most inside", "p50", "p99", "turned away",
        "abandoned", "wasted work", "callers see fail",
    ]  # fmt: skip
    return table("Services, in their own view; those that fail their callers most come first", head,
                 [row for _, row in sorted(rows)])  # fmt: skip


def calls(window: Json) -> Markup | None:
    """Calls, those with most failed attempts first; beyond the first dozen behind a fold."""
    rows = []
    for label, some in window["calls"].items():
        if not some["calls"]:
            continue
        failed = {k: n for k, n in some["attempt_outcomes"].items() if k in FAILED and n}
        most = sorted(failed.items(), key=lambda item: (-item[1], item[0]))[:2]
        breaker = some.get("breaker")
        row = [
            label.replace("->", "→"),
            ", ".join(f"{name.replace('_', ' ')} {count(n)}" for name, n in most) or "–",
            count(some["calls"]),
            percent(some["success"]),
            factor(some["amplification"]),
            count(some["retries"]),
            count(some["hedges"]),
            count(breaker["opened"]) if breaker else "–",
        ]
        rows.append(((-sum(failed.values()), label), row))
    if not rows:
        return None
    head = ["call", "attempts that failed", "calls", "success", "sent each", "retries", "hedges", "breaker opened"]
    told = [row for _, row in sorted(rows)]
    first = table(
        "Calls, in the view of the caller; those with most failed attempts come first", head, told[:MOST_CALLS], text=2
    )
    if len(told) <= MOST_CALLS:
        return first
    rest = table("The other calls", head, told[MOST_CALLS:], text=2)
    return el("div", first, el("details", el("summary", f"{len(told) - MOST_CALLS} further calls"), rest))


def loads(content_run: Json) -> Markup:
    """Loads in each window."""
    rows = []
    for window, stats in content_run["windows"].items():
        for load, some in stats["loads"].items():
            rows.append([
                load, "whole run" if window == "all" else window, count(some["offered"]), percent(some["success"]),
                per_second(some["goodput_per_s"]), span(some["latency_s"]["p50"]), span(some["latency_s"]["p99"]),
                span(some["latency_all_s"]["p99"]), factor(some["amplification"]), money(some, "value_lost"),
            ])  # fmt: skip
    head = [
        "load", "window", "offered", "success", "goodput", "p50", "p99", "p99 with failures", "sent each", "value lost",
    ]  # fmt: skip
    return table("Loads, first replication; latency of successes unless it says otherwise", head, rows, text=2)


def times(replicas: float) -> str:
    """How many replicas a service had on average, behind its name; nothing for one."""
    return "" if abs(replicas - 1) < 0.005 else f" ×{float(f'{replicas:.3g}'):g}"


def few(x: float) -> str:
    """A mean of things, of which hundredths are enough."""
    return "0" if x == 0 else "<0.01" if x < 0.01 else count(float(f"{x:.3g}"))


def money(load: Json, key: str) -> str:
    """An amount of a load; a dash where it has no value."""
    if not load.get("value_earned") and not load.get("value_lost"):
        return "–"
    value = load[key]
    text = amount(value, load.get("currency"))
    return text if abs(value) < 1_000 else f"{value:,.0f} {load.get('currency') or ''}".rstrip()
