"""A year in words: what it comes to, the worst days, the error budgets, how that is known; and as JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sysim.analysis.stratified import Interval
from sysim.analysis.words import amount, count, counted, listed, percent, span
from sysim.report.csv_file import write_rows
from sysim.result.result import FORMAT
from sysim.study.year_result import Day, Validation, Year

WORST = 10
MOST_STRETCHES = 10
MOST_PERIODS = 14


def year_text(found: Year) -> str:
    """Tables and sentences. Lines that begin with a space are not to be wrapped."""
    lines = [
        f"{found.scenario}: {counted(len(found.days), 'day')} from {found.first}, of which "
        f"{span(found.simulated_s)} were simulated ({counted(found.runs, 'run')})",
        *_loads(found),
        *_worst(found),
        *_periods(found),
        *_costs(found),
        *_whole(found),
        "",
        *sentences(found),
        "",
        *_method(found),
    ]
    return "\n".join(lines)


def sentences(found: Year) -> list[str]:
    """The answer in plain English: what fails, when, how well that is known, and what speaks against it."""
    told = []
    for name, load in found.loads.items():
        fails = between(load.failed)
        succeed = percent(load.success.value)
        text = f"Of {count(round(load.offered))} requests of {name}, {fails} fail: {succeed} succeed"
        if load.lost is not None and load.lost.value > 0:
            text += f", and {money(load.lost, load.currency)} are lost"
        told.append(text + ".")
    told += _when(found)
    told += [_checked(name, one) for name, one in found.validation.items()]
    told += [f"Do not trust this: {doubt}." for doubt in found.doubts]
    told += [f"{note[0].upper()}{note[1:]}." for note in found.notes]
    return told


def _checked(name: str, one: Validation) -> str:
    chance = "which may be chance" if one.agrees else "which is more than chance"
    return (
        f"Held against {several(one.stretches, 'stretch', 'stretches')} drawn at random ({span(one.hours * 3600)}): "
        f"{count(round(one.failed))} of {count(round(one.offered))} requests of {name} failed where the account says "
        f"{count(round(one.predicted, 1))}, an error of {_error(one.error)} of the requests, {chance}."
    )


def several(number: int, one: str, many: str) -> str:
    """A number of things whose plural is its own."""
    return counted(number, one) if number == 1 else f"{count(number)} {many}"


def year_sentence(found: Year) -> str:
    """The answer alone."""
    return " ".join(sentences(found)[: len(found.loads)] + [f"Do not trust this: {doubt}." for doubt in found.doubts])


def _when(found: Year) -> list[str]:
    total = sum(load.failed.value for load in found.loads.values())
    if total < 1.0:
        return []
    few, part = [], 0.0
    for day in found.worst:
        few.append(day)
        part += sum(day.failed.values())
        if part >= total / 2 or len(few) == WORST:
            break
    names = listed([day.date for day in few[:3]])
    if len(few) > 3:
        names += " and others"
    have = "has" if len(few) == 1 else "have"
    return [f"{counted(len(few), 'day')} ({names}) {have} {percent(min(1.0, part / total))} of all failures."]


def _error(error: Interval) -> str:
    return f"{error.value * 100:+.2g} % ({error.low * 100:+.2g} to {error.high * 100:+.2g} %)"


def between(value: Interval) -> str:
    """A count and its interval."""
    middle, low, high = (count(round(x)) for x in (value.value, value.low, value.high))
    if low == high:
        return middle
    return f"{middle} (at most {high})" if value.low < 0.5 else f"{middle} ({low} to {high})"


def money(value: Interval, currency: str | None) -> str:
    """An amount and its interval."""
    if value.low == value.high:
        return amount(value.value, currency)
    low, high = (f"{x:,.0f}" for x in (value.low, value.high))
    return f"{value.value:,.0f} ({low} to {high}) {currency}"


# --- tables -----------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, the first column to the left, the others to the right."""
    listed_rows = [head, *rows]
    widths = [max(len(row[k]) for row in listed_rows) for k in range(len(head))]
    lines = []
    for row in listed_rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return lines


def _loads(found: Year) -> Iterator[str]:
    head = ["load", "requests", "failed", "success", "p50", "p99", "p99.9"]
    valued = any(load.currency for load in found.loads.values())
    head += ["earned", "lost"] if valued else []
    rows = []
    for name, load in found.loads.items():
        success = f"{percent(load.success.low)} to {percent(load.success.high)}"
        row = [name, count(round(load.offered)), between(load.failed), success]
        row += [span(load.latency_s[q]) for q in ("p50", "p99", "p999")]
        if valued:
            row.append("–" if load.earned is None else f"{load.earned.value:,.0f} {load.currency}")
            row.append("–" if load.lost is None else money(load.lost, load.currency))
        rows.append(row)
    yield ""
    yield from table(head, rows)


def _worst(found: Year) -> Iterator[str]:
    days = [day for day in found.worst[:WORST] if sum(day.failed.values()) >= 0.5]
    if not days:
        return
    yield ""
    yield "  The worst days"
    rows = [
        (
            day.date, count(round(sum(day.failed.values()))),
            percent(1 - sum(day.failed.values()) / max(sum(day.offered.values()), 1)),
            f"{day.peak * 100:.0f} % of {day.busiest}" if day.busiest else "–", known(day),
        )
        for day in days
    ]  # fmt: skip
    yield from table(["day", "failed", "success", "peak utilisation", "simulated"], rows)


def known(day: Day) -> str:
    """How much of a day was simulated."""
    return "whole" if day.simulated > 0.999 else "no" if day.simulated == 0 else percent(day.simulated)


def _periods(found: Year) -> Iterator[str]:
    if not found.periods:
        return
    yield ""
    yield "  Error budgets"
    rows = []
    for period in found.periods[:MOST_PERIODS]:
        spent, worst = period.spent, ", ".join(f"{day} {share:.0%}" for day, share in period.worst[:2] if share >= 0.01)
        rows.append((
            f"{period.slo}: {period.what}", f"{period.first} +{period.days} d",
            f"{spent.value:.0%} ({spent.low:.0%} to {spent.high:.0%})",
            "kept" if spent.high <= 1 else "broken" if spent.low > 1 else "open", worst or "–",
        ))  # fmt: skip
    yield from table(["slo", "period", "spent", "", "days that spent most"], rows)
    if len(found.periods) > MOST_PERIODS:
        yield f"  and {counted(len(found.periods) - MOST_PERIODS, 'period')} more"


def _costs(found: Year) -> Iterator[str]:
    priced = {name: service for name, service in found.services.items() if service.cost is not None}
    if not priced:
        return
    yield ""
    rows = [
        (name, f"{service.replicas:.3g}", amount(service.cost or 0.0, service.currency))
        for name, service in priced.items()
    ]
    for currency in sorted({service.currency or "" for service in priced.values()}):
        whole = sum(service.cost or 0.0 for service in priced.values() if (service.currency or "") == currency)
        rows.append(("all", "", amount(whole, currency)))
    yield from table(["service", "replicas", "cost"], rows)


def _whole(found: Year) -> Iterator[str]:
    if not found.stretches:
        return
    yield ""
    yield f"  Simulated whole, because they matter ({several(len(found.stretches), 'stretch', 'stretches')})"
    shown = sorted(found.stretches, key=lambda one: -sum(one.failed.values()))[:MOST_STRETCHES]
    rows = [
        (
            one.begins, span(one.lasts_s), one.why,
            f"{one.peak * 100:.0f} % of {one.busiest}" if one.busiest else "–",
            count(round(sum(one.failed.values()))), "" if one.recovered else "not recovered",
        )
        for one in shown
    ]  # fmt: skip
    yield from table(["from", "for", "why", "peak utilisation", "failed", ""], rows)


def _method(found: Year) -> list[str]:
    whole = span(sum(one.lasts_s for one in found.stretches))
    cells = sum(one.sampled for one in found.strata)
    text = (
        f"{whole} simulated whole; of the rest {count(cells)} cells of {span(found.cell_s)} in "
        f"{several(len(found.strata), 'stratum', 'strata')} of load, extended by a quasi-stationary model that they "
        f"put right; intervals of {found.confidence * 100:.3g} %; seed {found.seed}"
    )
    return [text]


# --- files ------------------------------------------------------------------------------------------------


def year_dict(found: Year) -> dict[str, Any]:
    """The object of the JSON result."""
    return {
        "format": FORMAT,
        "study": "year",
        "sentence": year_sentence(found),
        "scenario": found.scenario,
        "first_day": found.first,
        "n_days": len(found.days),
        "trusted": found.trusted,
        "doubts": list(found.doubts),
        "notes": list(found.notes),
        "loads": {
            name: {
                "offered": load.offered,
                "failed": load.failed.to_dict(),
                "degraded": load.degraded.to_dict(),
                "success": load.success.to_dict(),
                "latency_s": dict(load.latency_s),
                "value_earned": None if load.earned is None else load.earned.to_dict(),
                "value_lost": None if load.lost is None else load.lost.to_dict(),
                "currency": load.currency,
            }
            for name, load in found.loads.items()
        },
        "services": {
            name: {"replicas_mean": service.replicas, "cost": service.cost, "currency": service.currency}
            for name, service in found.services.items()
        },
        "error_budgets": [
            {
                "slo": one.slo, "promise": one.what, "from": one.first, "days": one.days, "requests": one.requests,
                "bad": one.bad.to_dict(), "spent": one.spent.to_dict(),
                "worst_days": [{"day": day, "spent": share} for day, share in one.worst],
            }
            for one in found.periods
        ],
        "days": [
            {
                "day": day.date, "offered": dict(day.offered), "failed": dict(day.failed),
                "value_lost": dict(day.lost), "peak_utilisation": day.peak, "busiest": day.busiest,
                "simulated": day.simulated, "matters": day.matters,
            }
            for day in found.days
        ],
        "simulated_whole": [
            {
                "from": one.begins, "for_s": one.lasts_s, "why": one.why, "peak_utilisation": one.peak,
                "busiest": one.busiest, "failed": dict(one.failed), "recovered": one.recovered,
            }
            for one in found.stretches
        ],
        "strata": [
            {
                "utilisation": [one.low, one.high], "cells": one.cells, "sampled": one.sampled,
                "offered": one.offered, "failed": one.failed,
            }
            for one in found.strata
        ],
        "validation": {
            name: {
                "stretches": one.stretches, "hours": one.hours, "offered": one.offered, "failed": one.failed,
                "predicted": one.predicted, "error": one.error.to_dict(), "agrees": one.agrees,
            }
            for name, one in found.validation.items()
        },
        "cell_s": found.cell_s,
        "simulated_s": found.simulated_s,
        "runs": found.runs,
        "seed": found.seed,
        "confidence": found.confidence,
    }  # fmt: skip


def write_days(found: Year, path: Path) -> Path:
    """The days as CSV, a row a day and load."""
    return write_rows(
        path,
        ["day", "load", "offered", "failed", "value_lost", "peak_utilisation", "busiest", "simulated"],
        (
            [day.date, name, f"{day.offered[name]:.6g}", f"{day.failed[name]:.6g}", f"{day.lost[name]:.6g}",
             f"{day.peak:.6g}", day.busiest or "", f"{day.simulated:.6g}"]
            for day in found.days
            for name in day.offered
        ),
    )  # fmt: skip
