"""A year without simulating it: the parts, and the whole against what the whole simulated comes to."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import sysim
from sysim.errors import SysimError
from sysim.model.calendar import DAY, HOUR, MINUTE
from sysim.model.stretch import with_noise_of
from sysim.plan.noise import run_key
from sysim.plan.passes.rates import rates
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START
from sysim.report.year import year_dict, year_text
from sysim.study.year_cells import by_cell, matters, rest, stretches
from sysim.study.year_days import Days, first_midnight
from sysim.study.year_load import SLOT, year_load
from sysim.study.year_result import Year

SHOP = """
sysim: 1
name: shop
time: {start: 2026-04-06T00:00, duration: 1d}
services:
  shop:
    concurrency: 4
    queue: {capacity: 30}
    cost: 0.50 GBP/h
    operations:
      order: [{work: {exponential: 20s}}]
load:
  customers:
    call: shop.order
    value: 3 GBP
    rate:
      base: 0.09/s
      daily: {peak_at: 15:00, peak_to_mean: 1.7}
      weekly: {sat: 1.6}
      bursts: [{at: 13h, for: 30m, factor: 2.5, every: 9d}]
    policy: {timeout: 120s}
slos: {answered: {load: customers, success: 98%, latency: {p90: 60s}}}
"""
TERMS: dict[str, Any] = {"days": 14, "simulate": "7d", "warmup": "15m"}


def shop(days: int = 1, bucket: str = "15m", more: str = "") -> sysim.Scenario:
    return sysim.loads(SHOP + more, set={"time.duration": f"{days}d", "time.bucket": bucket})


def failures(days: int, seeds: range) -> Any:
    """What fails in each quarter of an hour if everything is simulated, on average."""
    runs = [sysim.simulate(shop(days), seed=seed).run.series.loads["customers"] for seed in seeds]
    return np.mean([one["offered"] - one["ok"] - one["degraded"] for one in runs], axis=0)


# --- the load ---------------------------------------------------------------------------------------------


def test_the_arrivals_expected_are_those_of_the_plan() -> None:
    text = SHOP.replace("base: 0.09/s", "sine: {mean: 0.2/s, amplitude: 50%, period: 5h}")
    text = text.replace("weekly:", "noise: {cv: 30%, every: 5m}\n      weekly:")
    model = with_noise_of(sysim.loads(text, set={"time.duration": "40d"}).model, run_key(3, 0))
    start = 2 * DAY
    found = year_load(model, start, 35 * DAY // SLOT)
    table = rates(model.load["customers"], model.time.duration, "customers")  # type: ignore[arg-type]
    edges = start / 1e9 + 60.0 * np.arange(found.slots + 1)
    rows = np.searchsorted(table[:, Q_START], edges, side="right") - 1
    since = edges - table[rows, Q_START]
    expected = np.diff(table[rows, Q_CUMULATED] + since * (table[rows, Q_RATE] + table[rows, Q_SLOPE] * since / 2))
    assert found.expected[:, 0] == pytest.approx(expected, rel=1e-3)
    assert found.expected.sum() == pytest.approx(expected.sum(), rel=1e-5)
    assert found.pressure == pytest.approx(found.expected[:, 0] / 60 * 20 / 4)


def test_every_kind_of_load_is_counted() -> None:
    text = """
    sysim: 1
    time: {duration: 2d, start: 2026-04-06T06:00}
    services:
      front: {concurrency: 2, operations: {o: [{work: 1s}, {call: back.o}]}}
      back: {concurrency: 10, operations: {o: [{work: 3s}]}}
    load:
      batches: {call: back.o, rate: 0.5/s, arrivals: {batch: {size: 10}}}
      people: {call: front.o, users: 3, think: 10s}
      states: {call: back.o, arrivals: {mmpp: [{rate: 0.1/s, mean: 1h}, {rate: 0.3/s, mean: 1h}]}}
      steps: {call: front.o, rate: {steps: [{at: 0s, rate: 0.1/s}, {at: 30h, rate: 0.2/s}]}}
    actions: [{at: 24h, scale: {service: front, replicas: 2}}]
    """
    model = sysim.loads(text).model
    start = first_midnight(model)
    assert start == 18 * HOUR
    load = year_load(model, start, DAY // SLOT)
    assert load.loads == ("batches", "people", "states", "steps")
    assert load.exact == (True, False, True, True)
    assert load.expected[:, 0] == pytest.approx(30.0)
    assert load.expected[:, 1] == pytest.approx(60.0)
    assert load.expected[:, 2] == pytest.approx(12.0)
    assert load.expected[[0, 719, 720, 1439], 3] == pytest.approx([6.0, 6.0, 12.0, 12.0])
    # front works for a second and is held for four; it has twice the replicas from 24 h, slot 360, on
    front = load.services.index("front")
    assert load.busy[[0, 359, 360, 1439], front] == pytest.approx([0.2, 0.2, 0.1, 0.2])
    assert load.busy[0, load.services.index("back")] == pytest.approx((0.5 + 0.2 + 0.1) * 3 / 10)


LONDON = {"time.start": "2026-03-27T12:00", "time.zone": "Europe/London", "time.duration": "3d"}


def test_days_begin_at_midnight_where_clocks_change() -> None:
    days = Days(sysim.loads(SHOP, set=LONDON).model.time, 12 * HOUR, 4, 15 * MINUTE)
    assert days.edges == (0, 96, 188, 284, 380)  # the 29th has 23 hours
    assert [days.day(k) for k in range(4)] == ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
    assert [days.moment(k) for k in (96, 99, 100, 187, 188)] == [
        "2026-03-29 00:00", "2026-03-29 00:45", "2026-03-29 02:00", "2026-03-29 23:45", "2026-03-30 00:00",
    ]  # fmt: skip
    autumn = sysim.loads(SHOP, set=LONDON | {"time.start": "2026-10-25T00:00"}).model.time
    assert Days(autumn, 0, 2, HOUR).edges == (0, 25, 49)
    assert Days(autumn, 0, 2, 6 * HOUR).edges == (0, 4, 8)  # to the nearest edge of a cell
    counted = np.arange(49.0)
    assert Days(autumn, 0, 2, HOUR).sums(counted).tolist() == [counted[:25].sum(), counted[25:].sum()]
    plain = Days(sysim.loads(SHOP).model.time, 0, 3, 6 * HOUR)
    assert plain.edges == (0, 4, 8, 12) and plain.moment(5) == "2026-04-07 06:00"


def test_the_first_midnight_is_that_of_the_clock() -> None:
    assert first_midnight(sysim.loads(SHOP, set=LONDON).model) == 12 * HOUR
    assert first_midnight(sysim.loads(SHOP, set=LONDON | {"time.start": "2026-03-28T00:00"}).model) == 0
    before = LONDON | {"time.start": "2026-03-29T00:30"}
    assert first_midnight(sysim.loads(SHOP, set=before).model) == 22 * HOUR + 30 * MINUTE
    without = LONDON | {"load.customers.rate": "0.01/s"}
    assert first_midnight(sysim.loads(SHOP, set=without).model) == 12 * HOUR


def test_a_day_has_what_its_calendar_brings_where_clocks_change() -> None:
    # All customers come between 20:00 and midnight, so whoever is put on another day is missed.
    evenings = {"daily": [0.0] * 20 + [6.0] * 4, "base": "0.05/s"}
    terms = {"days": 4, "simulate": "1d", "checks": 0, "warmup": "5m"}
    found = sysim.year(sysim.loads(SHOP, set=LONDON | {"load.customers.rate": evenings}), **terms)
    assert [day.date for day in found.days][1] == "2026-03-29"
    offered = [day.offered["customers"] / (0.05 * 6.0 * 4 * 3600) for day in found.days]
    assert offered == pytest.approx([1.6, 1.0, 1.0, 1.0], rel=1e-9)  # the first is a Saturday


def test_replicas_follow_the_clock_and_the_load() -> None:
    text = """
    sysim: 1
    time: {duration: 2d}
    services:
      clock:
        concurrency: 1
        schedule: [{at: 8h, replicas: 4, every: 1d}, {at: 20h, replicas: 1, every: 1d}]
        operations: {o: [{work: 1s}]}
      follows:
        concurrency: 1
        startup: 3m
        autoscaler: {target: 50%, every: 1m, min: 2, max: 10, stabilise: 10m}
        operations: {o: [{work: 1s}]}
    load:
      a: {call: clock.o, rate: 0.8/s}
      b: {call: follows.o, rate: {steps: [{at: 0s, rate: 1/s}, {at: 12h, rate: 4/s}, {at: 18h, rate: 0.5/s}]}}
    """
    load = year_load(sysim.loads(text).model, 0, 2 * DAY // SLOT)
    clock, follows = (load.busy[:, load.services.index(name)] for name in ("clock", "follows"))
    assert clock[[0, 479, 480, 1199, 1200, 1919, 1920]] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.8, 0.8, 0.2])
    assert follows[[0, 719]] == pytest.approx(0.5)
    assert follows[[720, 723]] == pytest.approx(2.0)  # twice the work, and no replica yet
    assert follows[[724, 1079]] == pytest.approx(0.5)  # eight of them
    assert follows[[1080, 1090]] == pytest.approx(0.0625)  # kept while it is stabilising
    assert follows[1100] == pytest.approx(0.25)  # the least


# --- the choice -------------------------------------------------------------------------------------------


def test_the_hours_chosen_are_those_in_which_requests_are_lost() -> None:
    """Nobody tells where: nine in ten of all failures are in the hours that the load alone points to."""
    load = year_load(shop(28).model, 0, 28 * DAY // SLOT)
    chosen = matters(load, 28 * 96, 0.9)
    lost = failures(28, range(3))
    assert lost[chosen].sum() > 0.9 * lost.sum()
    assert chosen.mean() < 0.15


def test_what_there_is_no_time_for_is_sampled_by_its_kind_or_left() -> None:
    load = year_load(shop(84).model, 0, 84 * DAY // SLOT)
    chosen = matters(load, 84 * 96, 0.9)
    everything = stretches(load, chosen, 10_000, 0.9, 1)
    assert not everything.others and not everything.left
    assert {span.replications for span in everything.whole} == {2}
    covered = np.zeros(len(chosen), dtype=bool)
    for span in everything.whole:
        covered[span.first : span.end] = True
    assert covered[chosen].all()
    some = stretches(load, chosen, 576, 0.9, 1)
    kinds = [sum(span.kind == k for span in some.whole) for k in range(len(some.others))]
    assert kinds and all(n >= 2 for n in kinds)
    assert sum(span.cells * span.replications for span in some.whole) <= 576
    told = [span for kind in some.others for span in kind] + [*some.whole, *some.left]
    assert sorted((span.first, span.end) for span in told) == [(span.first, span.end) for span in everything.whole]
    none = stretches(load, chosen, 10, 0.9, 1)
    assert none.left and not none.whole


def test_strata_hold_all_other_cells_and_are_sampled_at_random() -> None:
    load = year_load(shop(28).model, 0, 28 * DAY // SLOT)
    chosen = matters(load, 28 * 96, 0.9)
    whole = stretches(load, chosen, 10_000, 0.9, 1).whole
    found = rest(load, chosen, whole, 200, 5, 4, 1)
    assert ((found.stratum < 0) == np.isin(np.arange(28 * 96), [c for s in whole for c in range(s.first, s.end)])).all()
    highest = by_cell(load.pressure, 28 * 96).max(axis=1)
    for k, cells in enumerate(found.samples):
        mine = found.stratum == k
        assert len(cells) >= 3 and mine[list(cells)].all()
        assert k == 0 or highest[mine].min() >= highest[found.stratum == k - 1].max() - 1e-9
    assert sum(map(len, found.samples)) == 200
    assert len(found.checks) == 5 and not any(chosen[span.first] for span in found.checks)
    assert rest(load, chosen, whole, 200, 5, 4, 2).samples != found.samples


# --- the whole --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answer() -> Year:
    return sysim.year(shop(), **TERMS)


def test_a_year_is_where_it_says_it_is(answer: Year) -> None:
    """One seed; the long test has many. The whole is simulated eight times, which leaves little to chance."""
    lost = failures(14, range(50, 58))
    load = answer.loads["customers"]
    assert load.failed.within(float(lost.sum()))
    assert load.failed.half_width < 0.5 * load.failed.value
    assert load.offered == pytest.approx(sum(day.offered["customers"] for day in answer.days))
    assert load.failed.value == pytest.approx(sum(day.failed["customers"] for day in answer.days), rel=1e-6)
    assert load.earned is not None and load.lost is not None
    assert load.earned.value + load.lost.value == pytest.approx(3 * load.offered)
    assert load.lost.value == pytest.approx(3 * load.failed.value, rel=1e-6)
    assert answer.services["shop"].cost == pytest.approx(14 * 24 * 0.5)
    # the day of each of the seven worst hours, and the two Saturdays above all
    worst = [day.date for day in answer.worst[:2]]
    assert sorted(worst) == ["2026-04-11", "2026-04-18"]
    daily = lost.reshape(14, 96).sum(axis=1)
    for day, truth in zip(answer.days, daily.tolist(), strict=True):
        assert day.failed["customers"] == pytest.approx(truth, rel=0.35, abs=40)


def test_it_is_validated_and_says_how_far_off_it_was(answer: Year) -> None:
    one = answer.validation["customers"]
    assert one.agrees and answer.trusted
    assert one.stretches == 6 and one.hours == 6
    assert one.error.low <= one.error.value <= one.error.high
    assert one.error.value == pytest.approx((one.failed - one.predicted) / one.offered)


def test_budgets_are_those_of_the_period(answer: Year) -> None:
    success, fast = answer.periods
    assert (success.first, success.days) == ("2026-04-06", 14)
    load = answer.loads["customers"]
    assert success.spent.value == pytest.approx(load.failed.value / (0.02 * load.offered))
    assert success.worst[0][0] in ("2026-04-11", "2026-04-18")
    assert fast.requests == pytest.approx(load.offered - load.failed.value)
    slow = sysim.simulate(shop(14), seed=5).run.window().loads["customers"]
    assert load.latency_s["p90"] == pytest.approx(slow.latency.p90, rel=0.1)


@pytest.mark.long
def test_it_does_not_depend_on_the_number_of_threads_and_is_told_whole(answer: Year) -> None:
    again = sysim.year(shop(), workers=2, **TERMS)
    assert year_dict(again) == year_dict(answer)
    told = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert told["study"] == "year" and len(told["days"]) == 14
    text = year_text(answer)
    assert "The worst days" in text and "Error budgets" in text and "2026-04-11" in text
    other = sysim.year(shop(), seed=2, **TERMS)
    assert other.loads["customers"].failed != answer.loads["customers"].failed


def test_both_engines_give_the_same_year() -> None:
    terms: dict[str, Any] = {"days": 1, "simulate": "6h", "checks": 1, "warmup": "15m", "cell": "1h"}
    one, other = (sysim.year(shop(), engine=engine, **terms) for engine in ("compiled", "reference"))
    assert year_dict(one) == year_dict(other)


def test_a_quiet_year_is_not_without_failures_for_sure() -> None:
    found = sysim.year(sysim.loads(SHOP.replace("0.09/s", "0.01/s").replace("{exponential: 20s}", "20s")), **TERMS)
    load = found.loads["customers"]
    assert load.failed.low == load.failed.value == 0 and 0 < load.failed.high < 0.01 * load.offered
    assert found.trusted
    assert "0 (at most" in year_text(found)


def test_a_scheduled_fault_is_simulated_when_it_holds() -> None:
    more = "faults: [{name: works, at: 2d4h, for: 1h, on: shop, pause: true}]\n"
    found = sysim.year(shop(more=more), days=7, simulate="3d", warmup="15m")
    assert [one.why for one in found.stretches if one.begins.startswith("2026-04-08")] == ["fault"]
    assert found.days[2].failed["customers"] > 100


# --- doubts -----------------------------------------------------------------------------------------------


def test_what_could_not_be_simulated_is_a_doubt() -> None:
    found = sysim.year(shop(), days=14, simulate="6h", warmup="15m", checks=0)
    assert not found.trusted
    assert "could not be simulated whole" in found.doubts[0]
    assert "nothing was simulated to hold this answer against" in found.notes


def test_a_system_that_stays_down_is_a_doubt() -> None:
    """After the burst, retries alone are more than it can do, for good: no stretch ever ends well."""
    text = SHOP.replace("policy: {timeout: 120s}", "policy: {timeout: 60s, retry: {max_attempts: 4}}")
    for part in ("    queue: {capacity: 30}\n", "      daily: {peak_at: 15:00, peak_to_mean: 1.7}\n"):
        text = text.replace(part, "")
    found = sysim.year(sysim.loads(text), days=2, simulate="1d", warmup="15m", checks=0)
    assert [one.recovered for one in found.stretches if one.why == "overload"] == [False]
    assert any("had not recovered" in doubt for doubt in found.doubts)


def test_a_model_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is checked meets other customers than what was sampled: the comparison says so."""
    from sysim.study import year as study

    honest = study._Work.once

    def worse(self: Any, places: Any, stream: int) -> Any:
        if stream == 3:
            self.scenario = sysim.loads(SHOP.replace("20s}}", "30s}}")).model
        return honest(self, places, stream)

    monkeypatch.setattr(study._Work, "once", worse)
    found = sysim.year(shop(), **TERMS)
    assert not found.trusted
    assert "more than chance explains" in found.doubts[0]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"days": 0}, "at least 1"), ({"cell": "7m"}, "divides a day"), ({"cell": "90s"}, "divides a day"),
        ({"check_for": "5m"}, "at least as long as a cell"), ({"near": "0%"}, "more than 0"), ({"seed": -1}, "seed"),
        ({"start": "2026-01-01"}, "at or after time.start"),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sysim.year(shop(), **options)


def test_days_without_load_are_refused() -> None:
    with pytest.raises(SysimError, match="no load"):
        sysim.year(sysim.loads(SHOP.replace("0.09/s", "0/s")), days=1)


@pytest.mark.long
def test_the_interval_covers_as_often_as_it_says() -> None:
    """40 seeds: with 95 %, fewer than 34 hits come once in a thousand times."""
    truth = float(failures(28, range(100, 124)).sum())
    hits = 0
    for seed in range(1, 41):
        found = sysim.year(shop(), days=28, simulate="5d", warmup="15m", seed=seed)
        hits += found.loads["customers"].failed.within(truth)
    assert hits >= 34


def test_minutes_are_slots() -> None:
    assert SLOT == MINUTE
