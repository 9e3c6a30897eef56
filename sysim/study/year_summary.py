"""From the account of a year to its answer: loads, services, days, budgets, the comparison, and doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from sysim.analysis.latency import SHARES, middles
from sysim.analysis.money import running_cost
from sysim.analysis.statistics import t_quantile
from sysim.analysis.stratified import Interval
from sysim.analysis.words import percent, span
from sysim.model import Scenario
from sysim.model.calendar import DAY
from sysim.study.year_account import Account
from sysim.study.year_cells import Span, by_cell
from sysim.study.year_days import Days
from sysim.study.year_load import SLOT
from sysim.study.year_result import Day, LoadYear, Period, ServiceYear, Stratum, Stretch, Validation, Year
from sysim.study.year_runs import DEGRADED_, FAILED, LOST, OFFERED, SLOW, WORTH, Seen, histogram

Floats = NDArray[np.float64]
NAMES = ("p50", "p90", "p95", "p99", "p999")
WORST_OF_A_PERIOD = 3


@dataclass(frozen=True)
class Checked:
    """Cells from `first` to before `end`, as they were simulated to compare."""

    first: int
    end: int
    seen: Seen


def summary(
    scenario: Scenario,
    account: Account,
    checked: Sequence[Checked],
    left: Sequence[Span],
    ill: Sequence[Span],
    *,
    seed: int,
    when: Days,
    runs: int,
    simulated_s: float,
) -> Year:
    """The `Year` of an account. `left` are stretches that there was no time for, `ill` those that never recovered."""
    cell = when.cell
    days = tuple(_days(account, when))
    validation = _validation(account, checked)
    return Year(
        scenario=scenario.name,
        first=when.day(0),
        days=days,
        loads={name: _load(scenario, account, n, name) for n, name in enumerate(account.load.loads)},
        services=_services(scenario, account),
        periods=tuple(_periods(scenario, account, when)),
        stretches=tuple(_stretches(account, when, ill, cell)),
        strata=tuple(_strata(account)),
        validation=validation,
        doubts=tuple(_doubts(account, validation, left, ill, when, cell)),
        notes=tuple(_notes(scenario, checked)),
        cell_s=cell / 1e9,
        simulated_s=simulated_s,
        runs=runs,
        seed=seed,
        confidence=account.confidence,
    )


def _load(scenario: Scenario, account: Account, n: int, name: str) -> LoadYear:
    offered = account.total(n, OFFERED).value
    failed, lost = account.total(n, FAILED), account.total(n, LOST)
    value = scenario.load[name].value
    currency = None if value is None else value.currency
    worth = account.total(n, WORTH).value
    if currency is None and worth:
        currency = next((step.value.currency for step in getattr(scenario.load[name], "journey", ())
                         if getattr(step, "value", None) is not None), None)  # fmt: skip
    return LoadYear(
        offered=offered,
        failed=failed,
        degraded=account.total(n, DEGRADED_),
        success=_share(failed, offered, complement=True),
        latency_s=_latency(account, n),
        earned=None if currency is None else Interval(worth - lost.value, worth - lost.high, worth - lost.low),
        lost=None if currency is None else lost,
        currency=currency,
    )


def _share(part: Interval, whole: float, complement: bool = False) -> Interval:
    if whole <= 0.0:
        return Interval(1.0, 1.0, 1.0) if complement else Interval(0.0, 0.0, 0.0)
    low, value, high = (min(1.0, x / whole) for x in (part.low, part.value, part.high))
    return Interval(1.0 - value, 1.0 - high, 1.0 - low) if complement else Interval(value, low, high)


def _latency(account: Account, n: int) -> Mapping[str, float | None]:
    """Quantiles of what was simulated, each run weighted by what it stands for."""
    weighted = [(1.0 / len(runs), seen.bins[n]) for _, runs in account.whole for seen in runs]
    for stratum, cells in enumerate(account.rest.samples):
        weight = int((account.rest.stratum == stratum).sum()) / len(cells)
        weighted += [(weight, account.sampled[cell].bins[n]) for cell in cells]
    cumulated = np.cumsum(histogram(weighted))
    if not cumulated[-1]:
        return dict.fromkeys(NAMES)
    bins = np.searchsorted(cumulated, np.array(SHARES) * cumulated[-1] * (1.0 - 1e-12))
    return {name: float(middles()[b]) / 1e9 for name, b in zip(NAMES, bins, strict=True)}


def _services(scenario: Scenario, account: Account) -> dict[str, ServiceYear]:
    up = account.up()
    found = {}
    for s, name in enumerate(sorted(scenario.services)):
        price = scenario.services[name].cost
        cost = None if price is None else running_cost(price.amount, float(up[:, s].sum()) * SLOT)
        found[name] = ServiceYear(float(up[:, s].mean()), cost, None if price is None else price.currency)
    return found


def _days(account: Account, when: Days) -> Iterator[Day]:
    load, slots = account.load, account.slots
    values = when.sums(account.estimate)
    simulated = np.zeros(account.cells)
    for span_, _ in account.whole:
        simulated[span_.first : span_.end] = 1.0
    matters = when.sums(simulated) > 0.0
    simulated[list(account.sampled)] = 1.0
    simulated = when.means(simulated)
    for day, (first, end) in enumerate(pairwise(when.edges)):
        top = first * slots + int(load.pressure[first * slots : end * slots].argmax())
        yield Day(
            date=when.day(day),
            offered={name: float(values[day, n, OFFERED]) for n, name in enumerate(load.loads)},
            failed={name: max(0.0, float(values[day, n, FAILED])) for n, name in enumerate(load.loads)},
            lost={name: max(0.0, float(values[day, n, LOST])) for n, name in enumerate(load.loads)},
            peak=float(load.pressure[top]),
            busiest=load.services[int(load.busiest[top])] if load.services else None,
            simulated=float(simulated[day]),
            matters=bool(matters[day]),
        )


def _periods(scenario: Scenario, account: Account, when: Days) -> Iterator[Period]:
    for name, slo in sorted(scenario.slos.items()):
        n = account.load.loads.index(slo.load)
        goals = []
        if slo.success is not None:
            goals.append((f"{percent(slo.success)} succeed", FAILED, slo.success))
        if slo.quantile is not None and slo.limit is not None:
            goals.append((f"{percent(slo.quantile)} within {span(slo.limit / 1e9)}", SLOW, slo.quantile))
        length = max(1, slo.period // DAY)
        for what, quantity, goal in goals:
            for first in range(0, when.number, length):
                last = min(first + length, when.number)
                inside = np.zeros(account.cells, dtype=bool)
                inside[when.edges[first] : when.edges[last]] = True
                part = account.estimate[inside, n]
                requests = float(part[:, OFFERED].sum())
                if quantity == SLOW:
                    requests -= float(part[:, FAILED].sum())
                bad = account.total(n, quantity, inside)
                allowed = max(requests * (1.0 - goal), 1e-300)
                daily = when.sums(account.estimate[:, n, quantity], first, last) / allowed
                order = np.argsort(-daily, kind="stable")[:WORST_OF_A_PERIOD]
                yield Period(
                    slo=name, what=what, first=when.day(first), days=last - first, requests=requests, bad=bad,
                    spent=Interval(bad.value / allowed, bad.low / allowed, bad.high / allowed),
                    worst=tuple((when.day(first + int(k)), float(daily[k])) for k in order if daily[k] > 0.0),
                )  # fmt: skip


def _stretches(account: Account, when: Days, ill: Sequence[Span], cell: int) -> Iterator[Stretch]:
    load, slots = account.load, account.slots
    for span_, runs in account.whole:
        pressure = load.pressure[span_.first * slots : span_.end * slots]
        top = span_.first * slots + int(pressure.argmax())
        yield Stretch(
            begins=when.moment(span_.first),
            lasts_s=span_.cells * cell / 1e9,
            why=span_.why,
            peak=float(pressure.max()),
            busiest=load.services[int(load.busiest[top])] if load.services else None,
            failed={
                name: float(np.mean([seen.loads[:, n, FAILED].sum() for seen in runs]))
                for n, name in enumerate(load.loads)
            },
            recovered=span_ not in ill,
        )


def _strata(account: Account) -> Iterator[Stratum]:
    pressure = by_cell(account.load.pressure, account.cells).max(axis=1)
    for stratum, cells in enumerate(account.rest.samples):
        mine = account.rest.stratum == stratum
        seen = np.sum([account.sampled[cell].loads.sum(axis=(0, 1)) for cell in cells], axis=0)
        yield Stratum(
            float(pressure[mine].min()), float(pressure[mine].max()), int(mine.sum()), len(cells),
            float(seen[OFFERED]), float(seen[FAILED]),
        )  # fmt: skip


def _validation(account: Account, checked: Sequence[Checked]) -> dict[str, Validation]:
    """What failed in the stretches that were kept apart, and what the account says failed there.

    The difference may be chance: of these stretches, of which each is one draw, at least that of Poisson counts; and of
    the account, which has an interval there as well.
    """
    if not checked:
        return {}
    found = {}
    for n, name in enumerate(account.load.loads):
        pairs = []
        for one in checked:
            said = float(account.estimate[one.first : one.end, n, FAILED].sum())
            pairs.append((float(one.seen.loads[:, n, FAILED].sum()), max(0.0, said)))
        offered = float(sum(one.seen.loads[:, n, OFFERED].sum() for one in checked))
        seen, said = (float(sum(column)) for column in zip(*pairs, strict=True))
        off = np.array([a - b for a, b in pairs])
        k = len(off)
        spread = k * float(off.var(ddof=1)) if k > 1 else 0.0
        chance = max(spread, seen, said) + 1.0
        half = t_quantile(max(1, k - 1), 0.5 + account.confidence / 2) * sqrt(chance)
        inside = np.zeros(account.cells, dtype=bool)
        for one in checked:
            inside[one.first : one.end] = True
        room = half + account.total(n, FAILED, inside).half_width
        e = max(offered, 1.0)
        found[name] = Validation(
            stretches=k,
            hours=sum(len(one.seen.loads) for one in checked) * SLOT / 3.6e12,
            offered=offered,
            failed=seen,
            predicted=said,
            error=Interval((seen - said) / e, (seen - said - half) / e, (seen - said + half) / e),
            agrees=abs(seen - said) <= room,
        )
    return found


def _doubts(
    account: Account,
    validation: Mapping[str, Validation],
    left: Sequence[Span],
    ill: Sequence[Span],
    when: Days,
    cell: int,
) -> Iterator[str]:
    for name, one in validation.items():
        if not one.agrees:
            yield (
                f"in {span(one.hours * 3600)} drawn to compare, {one.failed:,.0f} of {one.offered:,.0f} requests of "
                f"{name} failed, where the account says {one.predicted:,.0f}: more than chance explains"
            )
    unseen = [span_ for span_ in left if span_.why in ("overload", "fault")]
    if unseen:
        hours = span(sum(span_.cells for span_ in unseen) * cell / 1e9)
        yield (
            f"{hours} in which work piles up or a fault holds could not be simulated whole, the first from "
            f"{when.moment(unseen[0].first)}: let more be simulated"
        )
    for ill_one in ill:
        begin, end = when.moment(ill_one.first), when.moment(ill_one.end)
        yield f"the stretch from {begin} had not recovered by {end}, and is taken to end there"


def _notes(scenario: Scenario, checked: Sequence[Checked]) -> Iterator[str]:
    if not checked:
        yield "nothing was simulated to hold this answer against"
    chance = [fault for fault in scenario.faults if fault.every is not None]
    if chance:
        yield "faults that come back at random are left out: a year of failures is another question"
