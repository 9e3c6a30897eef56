"""The laws of accounting: what has to add up in the record of any run, whatever the scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sysim.plan.plan import Plan
from sysim.plan.tables import (
    C_STAT,
    C_SVC,
    DEGRADED,
    IN_FLIGHT,
    N_OUTCOMES,
    NEVER,
    OK,
    REJECTED,
    S_ASYNC,
    S_CORES,
    S_WORKERS,
    T_LOAD,
    T_SITE,
)
from sysim.record.columns import (
    CC_ATTEMPTS,
    CC_CALLS,
    CC_HEDGES,
    CC_OUT,
    CC_RETRIES,
    CC_SENT,
    CC_TRY,
    FC_COUNT,
    FC_NUMBER,
    LC_BEGUN,
    LC_BROKEN,
    LC_DONE,
    LC_DONE_OK,
    LC_FINISHED,
    LC_OFFERED,
    LC_OUT,
    LV_FULL_N,
    M_MAX,
    M_N,
    M_SUM,
    SC_ARRIVALS,
    SC_BUSY,
    SC_COMPLETED,
    SC_CPU,
    SC_IN_SYSTEM,
    SC_OUT,
    SC_PAID,
    SC_QUEUE,
    SC_REJECTED,
    SC_STARTED,
    SC_UP,
    SP_BEGIN,
    SP_END,
    SP_KIND,
    SP_REF,
    SPAN_REQUEST,
    SPAN_VISIT,
)
from sysim.record.record import Record
from sysim.semantics import causes

Ints = NDArray[np.int64]


class Books:
    """The tables of a record unfolded: (cell or segment) x subject x column, dummy rows included."""

    def __init__(self, plan: Plan, record: Record) -> None:
        self.plan, self.record = plan, record
        cells, segments = plan.n_cells + 1, plan.n_segments + 1
        self.loads = record.load_cells.reshape(cells, plan.streams.shape[0], -1)
        self.services = record.service_cells.reshape(cells, plan.svc.shape[0], -1)
        self.calls = record.call_cells[: cells * plan.n_stats].reshape(cells, plan.n_stats, -1)
        self.load_hist = record.load_hist.reshape(segments, plan.streams.shape[0], 2, -1)
        self.load_moments = record.load_moments.reshape(segments, plan.streams.shape[0], 2, -1)
        self.service_hist = record.service_hist.reshape(segments, plan.svc.shape[0], 2, -1)
        self.service_moments = record.service_moments.reshape(segments, plan.svc.shape[0], 2, -1)

    def by_segment(self, cells: Ints) -> Ints:
        """Cells (the first axis) summed into the segments they lie in."""
        out = np.zeros((self.plan.n_segments + 1, *cells.shape[1:]), dtype=np.int64)
        np.add.at(out, self.plan.cell_segment, cells)
        return out

    def check(self) -> None:
        """Everything that holds for every run."""
        for table in (
            self.record.load_cells, self.record.service_cells, self.record.call_cells, self.record.load_hist,
            self.record.load_moments, self.record.service_hist, self.record.service_moments,
            self.record.load_coarse, self.record.peaks, self.record.level,
        ):  # fmt: skip
            assert (table >= 0).all()
        self._requests()
        self._calls()
        self._visits()
        self._times()
        self._failures()

    def _requests(self) -> None:
        loads, plan = self.loads, self.plan
        out = loads[:, :, LC_OUT : LC_OUT + N_OUTCOMES]
        same(loads[:, :, LC_OFFERED], out.sum(axis=2), "offered and the outcomes of requests")
        ended = out.sum(axis=(0, 2)) - out[:, :, IN_FLIGHT].sum(axis=0)
        same(loads[:, :, LC_DONE].sum(axis=0), ended, "requests by their end and by their arrival")
        good = out[:, :, [OK, DEGRADED]].sum(axis=(0, 2))
        same(loads[:, :, LC_DONE_OK].sum(axis=0), good, "successes by their end and by their arrival")
        begun = loads[:, :, LC_BEGUN]
        assert (loads[:, :, LC_FINISHED] + loads[:, :, LC_BROKEN] <= begun).all(), "journeys that end and never began"
        # Every request is one call of its site, which begins when the request arrives.
        for stat in {int(plan.sites[int(s[T_SITE]), C_STAT]) for s in plan.streams[: plan.n_streams]}:
            some = [s for s in range(plan.n_streams) if plan.sites[int(plan.streams[s, T_SITE]), C_STAT] == stat]
            same(
                loads[:, some, LC_OUT : LC_OUT + N_OUTCOMES].sum(axis=1),
                self.calls[:, stat, CC_OUT : CC_OUT + N_OUTCOMES],
                f"requests and calls of {plan.names.stats[stat]}",
            )

    def _failures(self) -> None:
        """Every request that failed or has not ended has a cause: by segment, load's call and outcome they add up."""
        n_causes = causes.causes(len(self.plan.sites))
        numbers, counts = self.record.failures[:, FC_NUMBER] - 1, self.record.failures[:, FC_COUNT]
        assert (counts > 0).all() and (np.diff(numbers) > 0).all()
        assert (numbers % n_causes > 0).all(), "a failure without a cause"
        rows, outcomes = numbers // n_causes // N_OUTCOMES, numbers // n_causes % N_OUTCOMES
        found = np.zeros((self.plan.n_segments + 1, self.plan.streams.shape[0], N_OUTCOMES), dtype=np.int64)
        np.add.at(found.reshape(-1, N_OUTCOMES), (rows, outcomes), counts)
        offered = self.by_segment(self.loads[:, :, LC_OUT : LC_OUT + N_OUTCOMES])
        offered[:, :, [OK, DEGRADED]] = 0
        same(found, offered, "failures by cause and by outcome")

    def _calls(self) -> None:
        calls = self.calls
        out = calls[:, :, CC_OUT : CC_OUT + N_OUTCOMES].sum(axis=2)
        tries = calls[:, :, CC_TRY : CC_TRY + N_OUTCOMES].sum(axis=2)
        same(calls[:, :, CC_CALLS], out, "calls and their outcomes")
        same(calls[:, :, CC_ATTEMPTS], tries, "attempts and their outcomes")
        assert (calls[:, :, CC_SENT] <= calls[:, :, CC_ATTEMPTS]).all(), "more sent than attempted"
        first = calls[:, :, CC_ATTEMPTS] - calls[:, :, CC_RETRIES] - calls[:, :, CC_HEDGES]
        assert (first >= 0).all(), "more retries and hedges than attempts"
        # A call has one first try, unless it is over before it begins or waits for it in a back-off.
        assert (first <= calls[:, :, CC_CALLS]).all(), "more first tries than calls"

    def _visits(self) -> None:
        services, plan = self.services, self.plan
        out = services[:, :, SC_OUT : SC_OUT + N_OUTCOMES]
        same(services[:, :, SC_ARRIVALS], out.sum(axis=2), "arrivals and the outcomes of visits")
        same(services[:, :, SC_COMPLETED], out[:, :, [OK, DEGRADED]].sum(axis=2), "completed and its outcomes")
        same(services[:, :, SC_REJECTED], out[:, :, REJECTED], "rejected and its outcome")
        same(services[:, :, SC_REJECTED].sum(axis=0), self.record.level[:, LV_FULL_N], "rejections and full queues")
        assert (services[:, :, SC_STARTED] <= services[:, :, SC_ARRIVALS]).all()
        sent = np.zeros(plan.svc.shape[0], dtype=np.int64)
        for stat, service in {(int(c[C_STAT]), int(c[C_SVC])) for c in plan.sites[: plan.n_sites]}:
            sent[service] += self.calls[:, stat, CC_SENT].sum()
        assert (services[:, :, SC_ARRIVALS].sum(axis=0) <= sent).all(), "more arrived than were sent"
        length = np.diff(plan.cell_edges)[:, None]
        inside = services[: plan.n_cells]
        assert (inside[:, :, SC_QUEUE] + 0 <= inside[:, :, SC_IN_SYSTEM]).all()
        for s in range(plan.n_services):
            assert (inside[:, s, SC_UP] <= inside[:, s, SC_PAID]).all(), "a replica is up and not paid for"
            assert (inside[:, s, SC_PAID] <= length[:, 0] * np.count_nonzero(plan.replicas[:, 0] == s)).all()
            if plan.svc[s, S_WORKERS] < NEVER:
                room = inside[:, s, SC_UP].sum() * plan.svc[s, S_WORKERS]
                assert inside[:, s, SC_BUSY].sum() <= room, "more busy than there are workers"
            if not plan.svc[s, S_ASYNC]:
                busy_and_waiting = inside[:, s, SC_BUSY] + inside[:, s, SC_QUEUE]
                same(busy_and_waiting, inside[:, s, SC_IN_SYSTEM], "who is in system holds a worker or waits")
            if plan.svc[s, S_CORES] < 0:
                assert not inside[:, s, SC_CPU].any()

    def _times(self) -> None:
        plan, record = self.plan, self.record
        out = self.by_segment(self.loads[:, :, LC_OUT : LC_OUT + N_OUTCOMES])
        good = out[:, :, OK] + out[:, :, DEGRADED]
        ended = out.sum(axis=2) - out[:, :, IN_FLIGHT]
        same(self.load_hist[:, :, 0].sum(axis=2), good, "latencies and successes")
        same(self.load_hist[:, :, 1].sum(axis=2), ended - good, "latencies and failures")
        same(self.load_hist.sum(axis=3), self.load_moments[..., M_N], "histogram and moments of loads")
        same(self.service_hist.sum(axis=3), self.service_moments[..., M_N], "histogram and moments of services")
        started = self.by_segment(self.services[:, :, SC_STARTED])
        same(self.service_hist[:, :, 0].sum(axis=2), started, "waits and starts")
        left = self.by_segment(self.services[:, :, SC_OUT + IN_FLIGHT])
        sojourns = self.service_hist[:, :, 1].sum(axis=2)
        assert (sojourns <= started).all() and (sojourns >= started - left).all(), "sojourns and starts"
        coarse = record.load_coarse.reshape(plan.n_columns + 1, plan.loads.shape[0], 2, -1).sum(axis=(0, 3))
        for load in range(plan.n_loads):
            some = plan.streams[: plan.n_streams, T_LOAD] == load
            fine = self.load_hist[:, : plan.n_streams][:, some].sum(axis=(0, 1, 3))
            same(coarse[load], fine, "coarse and fine latencies")
        for moments in (self.load_moments, self.service_moments):
            assert (moments[..., M_MAX] <= moments[..., M_SUM]).all()
            assert (moments[..., M_SUM] <= moments[..., M_MAX] * moments[..., M_N]).all()

    # --- what holds for some runs -------------------------------------------------------------------------

    @property
    def drained(self) -> bool:
        """Whether everything that entered had left by the end of the load, so that all integrals are whole."""
        return self.record.end == self.plan.duration and not self.services[:, :, SC_OUT + IN_FLIGHT].any()

    def check_little(self) -> int:
        """Number in system over time = sum of the times in system; how many services had any is returned.

        Needs a drained run of which every request was traced.
        """
        plan, record = self.plan, self.record
        spans = record.spans[: record.n_spans]
        visits = spans[spans[:, SP_KIND] == SPAN_VISIT]
        found = 0
        for s in range(plan.n_services):
            here = visits[plan.ops[visits[:, SP_REF], 0] == s]
            assert len(here) == self.services[:, s, SC_ARRIVALS].sum(), "a visit was not traced"
            integral = int(self.services[:, s, SC_IN_SYSTEM].sum())
            assert integral == int((here[:, SP_END] - here[:, SP_BEGIN]).sum()), plan.names.services[s]
            row = self.services[:, s].sum(axis=0)
            if row[SC_ARRIVALS] == row[SC_STARTED]:
                # nobody was turned away or gave up, so the record knows the same sum
                assert integral == int(self.service_moments[:, s, 1, M_SUM].sum())
                if not plan.svc[s, S_ASYNC]:
                    assert int(row[SC_QUEUE]) == int(self.service_moments[:, s, 0, M_SUM].sum())
            found += integral > 0
        return found

    @property
    def all_traced(self) -> bool:
        """Whether every request has been traced, and nothing was left out for want of room."""
        spans = self.record.spans[: self.record.n_spans]
        requests = int((spans[:, SP_KIND] == SPAN_REQUEST).sum())
        return requests == int(self.loads[:, :, LC_OFFERED].sum()) and len(spans) < len(self.record.spans)


def same(one: Any, two: Any, what: str) -> None:
    """Two tables that have to be equal."""
    if not np.array_equal(one, two):
        places = np.argwhere(np.asarray(one) != np.asarray(two))[:5].tolist()
        raise AssertionError(f"{what} differ at {places}: {np.asarray(one).sum()} and {np.asarray(two).sum()}")
